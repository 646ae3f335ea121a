"""The form in which an amount is typed, and the button that opens it from an answer.

Everything that a form is about stands in its `custom_id`, and the cog `cogs.setup` answers every
submission from that alone: a form that was opened before a restart still works. What comes back is
as hostile as any input: the template bounds it, and who sends it is checked anew.
"""

import re
from enum import StrEnum
from typing import Any, Final, Self

import discord
from msgspec import Struct

from bot.ids import MOST_ID
from bot.money import Micros, format_usd
from bot.quotas import Target, Window
from bot.storage import Who
from cogs.ui import intake
from cogs.ui.amounts import MOST_TYPED
from cogs.ui.intake import Interaction
from cogs.ui.limits import PER
from cogs.ui.submissions import Submission, custom_id_of

AMOUNT: Final = "amount"
"""The custom id of the text input."""
_FORM_SECONDS: Final = 900
"""How long discord.py remembers a form; what it does then does not depend on that."""
_TEMPLATE: Final = re.compile(
    r"form:(?P<place>setup|rule):(?P<target>default|guild|role|channel)"
    r":(?P<id>[0-9]{1,19}):(?P<window>image|day|week|month|total):[0-9]{1,19}",
    flags=re.ASCII,
)
_TITLES: Final = {
    Target.DEFAULT: "Each member",
    Target.GUILD: "Everybody in this server together",
    Target.ROLE: "Each holder of the role",
    Target.CHANNEL: "Everybody in the channel together",
}


class Place(StrEnum):
    """Where a form was opened, and so what its submission shows."""

    SETUP = "setup"
    """In the panel of `/setup`, which is shown anew."""
    RULE = "rule"
    """Below the answer to a rule, which is replaced."""


class Form(Struct, frozen=True):
    """Which limit an amount is typed for."""

    place: Place
    target: Target
    window: Window
    id: int = 0
    """The role or channel; 0 for other targets."""

    def who(self, guild_id: int) -> Who:
        """Whom the limit is for, in the guild in which the form was submitted."""
        return Who(self.target, guild_id, self.id)

    def custom_id(self, nonce: int) -> str:
        """Everything about the form, with a number of its own."""
        return f"form:{self.place}:{self.target}:{self.id}:{self.window}:{nonce}"


def is_ours(interaction: Interaction) -> bool:
    """Whether a submitted form is one of these, of this version of the bot or of another one."""
    return custom_id_of(interaction).startswith("form:")


def form_of(interaction: Interaction) -> Form | None:
    """Read the `custom_id` of a submitted form; None when it says nothing that can be set."""
    found = _TEMPLATE.fullmatch(custom_id_of(interaction))
    if found is None:
        return None
    target = Target(found["target"])
    named = target in {Target.ROLE, Target.CHANNEL}
    subject = min(int(found["id"]), MOST_ID)
    if named is not bool(subject):
        return None
    return Form(Place(found["place"]), target, Window(found["window"]), subject)


def typed_in(interaction: Interaction) -> str:
    """Return what was typed into the text input of a submitted form."""
    return Submission.of(interaction).text(AMOUNT)


async def open_form(interaction: Interaction, form: Form, *, amount: Micros | None = None) -> None:
    """Show a form; it is the first answer to a click, so nothing is awaited before it."""
    await interaction.response.send_modal(_AmountForm(form, interaction.id, amount))


class _AmountForm(discord.ui.Modal):
    """One amount. Its submission is answered by the cog, whether this object still lives or not."""

    def __init__(self, form: Form, nonce: int, amount: Micros | None) -> None:
        of_picture = form.window is Window.IMAGE
        super().__init__(
            title="Highest price in the channel" if of_picture else _TITLES[form.target],
            custom_id=form.custom_id(nonce),
            timeout=_FORM_SECONDS,
        )
        self.add_item(
            discord.ui.Label(
                text=f"US dollars {PER[form.window]}",
                description="Such as 0.50. Leave it empty to remove what is set.",
                component=discord.ui.TextInput(
                    custom_id=AMOUNT,
                    required=False,
                    max_length=MOST_TYPED,
                    default=None if amount is None else format_usd(amount).replace(",", ""),
                ),
            )
        )

    async def on_submit(self, interaction: Interaction, /) -> None:
        """Leave the answer to the cog."""


class LimitButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=r"limit:(?P<target>guild|channel):(?P<id>[0-9]{1,19}):(?P<amount>[0-9]{1,15})",
):
    """Opens the form of a pooled limit for the day, with an amount to begin with."""

    def __init__(self, target: Target, subject: int, amount: Micros) -> None:
        self.form = Form(Place.RULE, target, Window.DAY, subject)
        self.amount = amount
        super().__init__(
            discord.ui.Button(
                label=f"Add a limit of {format_usd(amount)} a day for everybody together",
                custom_id=f"limit:{target.value}:{subject}:{amount}",
                style=discord.ButtonStyle.primary,
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        target, subject = Target(match["target"]), min(int(match["id"]), MOST_ID)
        return cls(target, subject, int(match["amount"]))

    async def callback(self, interaction: Interaction) -> None:
        """Open the form; whoever submits it is checked then."""
        opened = open_form(interaction, self.form, amount=self.amount)
        await intake.guarded(interaction, opened)
