"""What is said to people, as data, and the door through which it goes.

`bot.delivery` decides what is said where; `cogs/ui` turns a card into a Discord message and
implements `Messenger`. Nothing here knows Discord.
"""

from enum import StrEnum
from typing import Protocol, TypeAlias

from msgspec import Struct

from bot.errors import BotError
from bot.images import Prepared
from bot.money import Micros
from bot.outcomes import Assignment, Report
from bot.reports import Report as BookReport
from bot.requests import ImageRequest, ReplyRoute
from bot.storage import Crossing, Spike, Stretch


class RouteClosed(Exception):
    """This way is shut for good: token dead, channel gone, no permission, DMs closed."""


class MessageGone(RouteClosed):
    """The original answer was deleted by somebody; its token may still work."""


class CardRefused(RouteClosed):
    """Discord calls the card itself invalid; one with less on it may go the same way."""


class RouteBusy(Exception):
    """Discord failed or could not be reached; the same again may work."""


class UploadTooLarge(Exception):
    """Discord refused the size of the upload."""


class Linked(Struct, frozen=True):
    """A picture that is shown by its address because it does not fit, or could not be fetched."""

    url: str


class Missing(Struct, frozen=True):
    """A picture that was made and paid for, and that nobody can show any more."""


Shown: TypeAlias = Prepared | Linked | Missing


class Offer(Struct, frozen=True):
    """Requests that may be run instead, each behind a button; kept under `id` (`bot.offers`)."""

    id: int
    requests: tuple[ImageRequest, ...]


class Posted(Struct, frozen=True):
    """Where a card can be seen."""

    channel_id: int
    message_id: int


class Origin(Struct, frozen=True):
    """The messages that show what a result was made from, or the one that it repeats.

    All are in the guild of the result.
    """

    messages: tuple[Posted, ...]
    others: bool = False
    """There are more of them than are worth a link."""
    repeats: bool = False


class Progress(Struct, frozen=True):
    """The job waits (`ahead` is how many are before it) or works (`ahead` is None)."""

    job: Assignment
    since_ms: int
    ahead: int | None = None
    late: bool = False
    """The answer will not come in this message any more."""


class Result(Struct, frozen=True):
    """The pictures of a job, and what they cost."""

    report: Report
    shown: tuple[Shown, ...] = ()
    today: Micros | None = None
    """What the person has spent today; told to them alone, so beside a public result."""
    offer: Offer | None = None
    origin: Origin | None = None
    bare: bool = False
    """Only pictures and price, where Discord or we can't make the whole card."""


class Failure(Struct, frozen=True):
    """Why there is no picture, what that cost, and what may be tried instead."""

    request: ImageRequest
    error: BotError | None
    report: Report | None = None
    """None when the request was refused before anything was sent."""
    offer: Offer | None = None


class Spent(Struct, frozen=True):
    """What a job cost and what the person has spent today, for their eyes only (micro-USD)."""

    cost: Micros
    uncertain: Micros
    today: Micros


class Trouble(StrEnum):
    """What only the operator can mend."""

    BAD_KEY = "bad_key"
    NO_CREDITS = "no_credits"
    OVERRUN = "overrun"
    """A job cost more than was held for it."""
    LEDGER = "ledger"
    """The database does not take records."""


class Alert(Struct, frozen=True):
    """Something the operator should see to; `detail` is a figure or a name, never a secret."""

    trouble: Trouble
    detail: str = ""


class BudgetAlert(Struct, frozen=True):
    """How much of a pooled budget is spent; told once for each threshold in each window."""

    crossing: Crossing
    guild_name: str = ""
    """Filled in where it is told outside the guild, as far as Discord says it."""


class SpikeAlert(Struct, frozen=True):
    """A member spends far more than usually; told to who manages the guild, once a day."""

    spike: Spike
    guild_name: str = ""
    """Filled in as in `BudgetAlert`."""


class LowBalance(Struct, frozen=True):
    """ImageRouter's credits are nearly used up; told to the operator, once until they are not."""

    left: Micros
    below: Micros
    """What the operator wants to be told of."""
    a_day: Micros | None
    """What the bot has spent on a day lately; None when nothing."""


class FailingModel(Struct, frozen=True):
    """A model brings hardly any pictures; told to the operator, once until it does again."""

    model: str
    tries: int
    failed: int
    is_default: bool
    """Of the whole bot."""


class JobLine(Struct, frozen=True):
    """What a guild's log channel gets of a finished job; never its prompt."""

    report: Report
    posted: Posted | None
    """The message that shows it; None where there is none, or it is private."""


class Closed(Struct, frozen=True):
    """All that may be said in public of a job whose person is told in private, or can't be."""

    made: bool = False
    """There is a picture, but no way to deliver it."""


class Missed(Struct, frozen=True):
    """Time that no digest was posted about, though something was asked for in it."""

    stretch: Stretch
    spent: Micros


class Digest(Struct, frozen=True):
    """What a guild has spent in a period that has ended, for the channel that it has chosen."""

    report: BookReport
    missed: Missed | None
    """What no digest was posted about before it, because nobody was there to do it."""
    lost_label: str | None
    """An earlier period of which nobody knows whether its digest was posted."""
    chart: bytes | None = None
    """A PNG."""


class DigestTrouble(Struct, frozen=True):
    """A guild's digest can't be posted; told once to who minds the guild."""

    guild_id: int
    channel_id: int
    guild_name: str = ""
    """Filled in as in `BudgetAlert`."""


OperatorCard: TypeAlias = Alert | LowBalance | FailingModel
ManagerCard: TypeAlias = BudgetAlert | SpikeAlert | DigestTrouble
Card: TypeAlias = (
    Progress | Result | Failure | Spent | Closed | OperatorCard | ManagerCard | Digest | JobLine
)


class Messenger(Protocol):
    """Discord, as far as delivery needs it.

    Every method raises `RouteClosed`, `RouteBusy` or `UploadTooLarge`, and nothing else.
    """

    async def edit(self, reply: ReplyRoute, card: Card) -> Posted:
        """Make the original answer show `card`."""
        ...

    async def whisper(self, reply: ReplyRoute, card: Card) -> None:
        """Show `card` to the person alone, beside the answer. The answer was edited before."""
        ...

    async def retract(self, reply: ReplyRoute) -> None:
        """Delete the original answer; fine if it is gone already."""
        ...

    async def post(self, channel_id: int, card: Card, *, nonce: str) -> Posted:
        """Post `card` with the bot's own token; the same nonce twice posts once."""
        ...

    async def direct(self, user_id: int, card: Card, *, nonce: str) -> Posted:
        """Post `card` in the person's direct messages; the same nonce twice posts once."""
        ...

    async def tidy(self, reply: ReplyRoute, card: Card | None) -> None:
        """After the token died: show `card` in the public original, or delete it (None)."""
        ...
