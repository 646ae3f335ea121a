"""What reports ask the books, and what they are told: plain data, no SQL.

Money is micro-USD, times are epoch ms. Which stretch of time "last month" is, and what follows from
the sums, is `bot.reports`' business.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from bot.money import Micros
from bot.quotas import Window

NOBODY: Final = 0
"""The key of sums that belong to nobody any more (erased members), or to no role."""


class Group(StrEnum):
    """What sums are listed by."""

    MEMBER = "member"
    ROLE = "role"
    """The role whose limit the member used when they asked."""
    MODEL = "model"
    CHANNEL = "channel"
    COMMAND = "command"
    DAY = "day"


class Stretch(Struct, frozen=True):
    """Time from `start_ms` until before `end_ms`; charges belong to when they were asked for."""

    start_ms: int
    end_ms: int


# not frozen, as a report has thousands, and freezing triples their cost
class Sums(Struct):
    """What charges come to that count as spent. Not to be changed."""

    charges: int = 0
    pictures: int = 0
    spent: Micros = 0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.charges + other.charges,
            self.pictures + other.pictures,
            self.spent + other.spent,
        )


# as above
class Part(Struct):
    """The sums of one member, role, model, channel, command or day. Not to be changed."""

    key: int | str
    """An id (`NOBODY` where there is none), a name, or a day such as `2026-07-30`."""
    sums: Sums


class Outcomes(Struct, frozen=True):
    """What became of all that was asked for, whether or not it cost anything."""

    jobs: int = 0
    """What people asked for; one may be of several pictures."""
    finished: int = 0
    """Charges that were sent, and whose outcome is known or presumed."""
    succeeded: int = 0
    """Those of them that brought a picture."""
    pending: Micros = 0
    """Set aside for what runs, and for what nobody knows yet."""

    def __add__(self, other: "Outcomes") -> "Outcomes":
        return Outcomes(
            self.jobs + other.jobs,
            self.finished + other.finished,
            self.succeeded + other.succeeded,
            self.pending + other.pending,
        )


class Query(Struct, frozen=True):
    """A question to the books of one guild."""

    guild_id: int
    stretch: Stretch
    group: Group
    before: Stretch
    """What it is compared with."""
    window: Window | None = None
    """The window that the stretch is, if it is one: its budget is looked up."""


class Answer(Struct, frozen=True):
    """What the books say, on one snapshot."""

    total: Sums
    parts: tuple[Part, ...]
    """Dearest first; days in their order."""
    outcomes: Outcomes
    spent_before: Micros
    budget: Micros | None
    """What the guild may spend in the window; None where nothing limits it."""


class DayOfModel(Struct, frozen=True):
    """What was spent on a model on a day."""

    day: str
    model: str
    spent: Micros


class ChargeLine(Struct, frozen=True):
    """One charge, for whoever wants every single one. Nothing in it is anybody's words."""

    id: int
    created_ms: int
    day: str
    """In the guild's calendar."""
    job_id: int
    user_id: int
    """`NOBODY` once erased."""
    role_id: int
    channel_id: int
    command: str
    model: str
    state: str
    held: Micros
    spent: Micros | None
    """None while nobody knows, and where it cost nothing."""
    overrun: Micros
    pictures: int
