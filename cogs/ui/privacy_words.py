"""What `/privacy` says, in plain words. PRIVACY.md says the same at more length."""

from typing import Final

from bot.storage import Erased

WHAT: Final = """\
### What is kept about you
**For each picture:** who asked where and when, the prompt, links to pictures that you gave, the \
options, what it cost, and where the result is. The buttons below results, limits and `/usage` \
need that. Of **private** pictures neither prompt nor picture is kept, only the cost.
**For a while:** pictures in your tray (a week), masks that you painted (30 minutes; with a \
public result 30 days), what a button offers you (a week), links to the mask painter (30 \
minutes), where you wait for an answer (15 minutes).
**What you set:** `/settings`, and as somebody who manages a server, which rules you changed.
**Counters** of what you spent, under a keyed hash instead of your id.\
"""
WHO: Final = """\
### Who sees it
A public result is seen by everybody in its channel. What `/usage` and `/privacy` show, only you \
see. Those who manage a server see what its members spent there, never prompts, and may post it in \
a channel. The operator of this bot runs its database, and could read it.\
"""
ELSEWHERE: Final = """\
### What leaves the bot
**ImageRouter**, and the provider of the model that you use, get the prompt, the pictures and \
masks that you give, and the options; never your name or id. They keep them by their own rules, \
and ImageRouter shows the result at an address of its own for a while. With `private` it is asked \
to keep no copy. Discord keeps the messages.
**Erasing here erases nothing there:** [ImageRouter](https://imagerouter.io) and the provider \
have to be asked.\
"""

QUESTION: Final = (
    """\
### Erase what is kept about you?
**What goes,** in every server and in direct messages: prompts, links to pictures that you gave, \
masks, your tray, your settings, offers, links to your results, and your id wherever it stands. \
Others who pressed **Again** on your pictures lose your words and links, too. Buttons on your \
pictures stop working.\
""",
    """\
**What stays:** sums of what was spent, without your name; counters and limits, so that erasing \
gives no fresh allowance; and a block, so that it lifts none. These go by a keyed hash.\
""",
    """\
**What remains elsewhere:** ImageRouter and the providers of models keep what they got by their \
own rules. Discord keeps the messages with your pictures, unless you have the bot delete them.\
""",
    """\
What still runs, or is on its way to you, is finished first and erased then. **This can't be \
undone.** `/privacy export` gives you a copy.\
""",
)
"""The question before an erasure, paragraph by paragraph."""
NOT_YOURS: Final = "The bot asked somebody else. For your own data, use `/privacy delete`."
STAYS: Final = (
    "-# Sums of what was spent stay, without your name; so do counters, limits and blocks. What "
    "ImageRouter and the providers of models got is theirs to delete."
)


def kept_for(days: int, *, in_guild: bool) -> str:
    """Say how long prompts and links are kept where somebody asks; 0 is for good."""
    where = "in this server" if in_guild else "here, outside servers"
    if not days:
        return (
            f"### How long\nPrompts and links of pictures that are made {where} are kept until you "
            "erase them with `/privacy delete`. Costs stay."
        )
    return (
        f"### How long\nPrompts and links of pictures that are made {where} are deleted after "
        f"**{days} {'day' if days == 1 else 'days'}**, or earlier with `/privacy delete`. Costs "
        "stay."
    )


def erased(done: Erased, *, with_messages: bool) -> str:
    """Say what an erasure did, and what it could not do yet."""
    jobs = done.rows.get("job", 0)
    lines = ["### Your data is erased"]
    if done.rows:
        lines.append(
            f"{jobs:,} {'job' if jobs == 1 else 'jobs'} with prompts, pictures and links, your "
            "settings, your tray, and your id wherever it stood."
        )
    else:
        lines.append("Nothing was kept about you that could be erased.")
    if done.waiting == 1:
        lines.append("**One job still runs.** It is erased once it has ended.")
    elif done.waiting:
        lines.append(f"**{done.waiting} jobs still run.** They are erased once they have ended.")
    if with_messages:
        lines.append("The messages with your pictures are deleted now: see below.")
    else:
        lines.append(
            "The messages with your pictures are where they were; you can ask a moderator there."
        )
    return "\n".join([*lines, STAYS])
