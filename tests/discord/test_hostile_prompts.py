"""A prompt is hostile text: it pings nobody, renders as nothing, and comes back whole to copy."""

import re

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Message, Person
from sandbox.discord.rules import pings
from sandbox.house import House, explanation, pictures

MODEL = "papercut/fold-mini"
ALIVE = re.compile(r"(?<!\\)[*_~|`#\[\]<>@&]|(?m:^(?:>|-#|#|[0-9]+\.|- ))|https?://")
"""What Discord would make something of, where no backslash stands before it."""

HOSTILE = {
    "everyone": "@everyone @here look",
    "a user": "<@{theo}> and <@!{theo}>",
    "a role": "<@&{role}> wake up",
    "a channel and a command": "<#{channel}> </imagine:1>",
    "markdown": "**bold** _it_ __under__ ~~gone~~ ||spoiler|| `code`",
    "a code fence": "```py\nprint('out')\n``` and ```",
    "links": "[free nitro](https://evil.example/x) <https://evil.example> www.evil.example",
    "headings": "# big\n## less\n-# small\n> quote\n>>> all\n- item\n1. one",
    "time and emoji": "<t:0:R> <:blob:123456789012345678> <a:blob:1> :smile:",
    "backslashes": "\\*\\*a\\*\\* \\\\ \\<@1>",
    "turned around": "abc\u202egnp.exe\u202c \u2066x\u2069",
    "unseen": "a\u200bb\u200dc\ufeffd\u00ade",
    "control": "a\u0007b\u001b[31mred\u0085c",
    "emoji": "👩‍🚀🏳️‍🌈" * 40,
    "long": "word " * 1_200,
}

pytestmark = pytest.mark.usefixtures("nobody_waits")


@pytest.fixture(params=list(HOSTILE))
def prompt(request: pytest.FixtureRequest, house: House, theo: Person, general: Channel) -> str:
    """A hostile prompt that names people and places which exist."""
    role = next(r for r in house.guild().roles.values() if r.name == "Booster")
    text = HOSTILE[request.param]
    named = {"{theo}": theo.user.id, "{role}": role.id, "{channel}": general.id}
    for name, value in named.items():
        text = text.replace(name, str(value))
    return text.strip()


def would_ping(message: Message) -> bool:
    """Whether it pinged anybody, or would if its `allowed_mentions` were forgotten."""
    shown = {"content": message.content, "components": message.components}
    sent = message.pinged or message.pinged_roles or message.pinged_everyone
    return bool(sent) or bool(pings(shown).users | pings(shown).roles)


async def test_a_hostile_prompt_goes_to_imagerouter_as_it_was_typed(
    prompt: str, house: House, mira: Person, general: Channel
) -> None:
    ask = await mira.slash(general, "imagine", {"prompt": prompt, "model": MODEL})
    message = await pictures(mira, general, ask)

    assert house.imagerouter.requests[0].fields["prompt"] == prompt
    assert not any(would_ping(m) for m in [message, *ask.followups])
    shown = message.text.split("\n-# ", 1)[0]
    assert not ALIVE.search(shown.strip("“”")), shown
    assert len(shown) <= 302
    assert not set(shown) & set("\u202e\u202c\u2066\u2069\u0007\u001b\u0085\n")


async def test_a_failure_gives_the_whole_prompt_back_to_copy(
    prompt: str, house: House, mira: Person, general: Channel
) -> None:
    house.imagerouter.faults.error("The provider is on fire")
    ask = await mira.slash(general, "imagine", {"prompt": prompt, "model": MODEL})
    told = await explanation(general, ask)

    assert not any((told.pinged, told.pinged_roles, told.pinged_everyone))
    assert copied(told) == prompt


def copied(message: Message) -> str:
    """What a person gets who copies the prompt: the file's text, or the code block's."""
    if message.attachments:
        [file] = message.attachments
        assert file.filename == "prompt.txt"
        return file.data.decode()
    [block] = re.findall(r"```\n(.*)\n```", message.text, flags=re.DOTALL)
    assert "```" not in block
    return str(block)


@pytest.mark.parametrize(
    "name", ["@everyone", "<@1>/**x**", "](https://evil.example)", "```", "😈"]
)
async def test_a_hostile_model_name_is_shown_letter_by_letter(
    name: str, mira: Person, general: Channel
) -> None:
    ask = await mira.slash(general, "imagine", {"prompt": "a plum", "model": name})
    told = await explanation(general, ask)

    sentence = told.text.split("“", 1)[1].split("”", 1)[0]
    assert not ALIVE.search(sentence)
    assert sentence.replace("\\", "") == name


async def test_a_hostile_size_is_refused_without_repeating_it(
    house: House, mira: Person, general: Channel
) -> None:
    ask = await mira.slash(general, "imagine", {"prompt": "a plum", "size": "<@1>@everyone"})
    told = await explanation(general, ask)

    assert "everyone" not in told.text
    assert house.imagerouter.requests == []


async def test_a_prompt_of_blanks_is_refused_before_it_costs_anything(
    house: House, mira: Person, general: Channel
) -> None:
    ask = await mira.slash(general, "imagine", {"prompt": " \u2003\n "})
    told = await explanation(general, ask)

    assert "`prompt` can't be used like that" in told.text
    assert "It takes a few words on what you would like to see." in told.text
    assert house.imagerouter.requests == []


@pytest.mark.parametrize("prompt", ["a\0b", "half a \ud83d boat"])
async def test_a_character_that_cannot_be_sent_is_refused_before_anything_is_held(
    prompt: str, house: House, mira: Person, general: Channel, books: Books
) -> None:
    ask = await mira.slash(general, "imagine", {"prompt": prompt, "model": MODEL})
    told = await explanation(general, ask)

    assert "The prompt has a character that can't be sent." in told.text
    assert "This cost you nothing." in told.text
    assert house.imagerouter.requests == []
    assert books.charges() == []
