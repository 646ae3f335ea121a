"""Limits, how far they are used, and what a refusal carries. The counters live in `bot.storage`."""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from bot.errors import RequestError
from bot.money import Micros
from bot.quotas._windows import FOREVER_MS, Window


class Scope(StrEnum):
    """Whose spending a limit or a counter is about."""

    MEMBER = "member"
    """One person in one guild, in the guild's time zone."""
    CHANNEL = "channel"
    """Everybody in one channel, in the guild's time zone."""
    GUILD = "guild"
    """Everybody in one guild, in the guild's time zone: the admins' budget."""
    CEILING = "ceiling"
    """Everybody in one guild, in UTC: the operator's budget for it."""
    DM = "dm"
    """One person outside guilds, in UTC; stands in for member, channel and guild there."""
    PERSON = "person"
    """One person over all guilds and direct messages, in UTC."""
    BOT = "bot"
    """Everybody everywhere, in UTC."""

    @property
    def is_pooled(self) -> bool:
        """Whether several people spend it together."""
        return self in {Scope.CHANNEL, Scope.GUILD, Scope.CEILING, Scope.BOT}

    @property
    def is_operators(self) -> bool:
        """Whether only the operator can raise its limits; else an admin of the guild can."""
        return self in {Scope.CEILING, Scope.DM, Scope.PERSON, Scope.BOT}


class Target(StrEnum):
    """Whom a rule is made for."""

    MEMBER = "member"
    """One member of a guild, whatever their roles say."""
    ROLE = "role"
    """Each holder of a role by themselves."""
    DEFAULT = "default"
    """Each member of a guild for whom nothing else is said."""
    CHANNEL = "channel"
    GUILD = "guild"
    CEILING = "ceiling"
    """One guild; the operator's."""
    ANY_GUILD = "any_guild"
    """Each guild without a ceiling of its own; the operator's."""
    PERSON = "person"
    """One person everywhere; the operator's."""
    DM = "dm"
    """Each person outside guilds; the operator's."""
    BOT = "bot"
    """Everybody everywhere; the operator's."""

    @property
    def is_operators(self) -> bool:
        """Whether only the operator makes rules for it."""
        return self in {Target.CEILING, Target.ANY_GUILD, Target.PERSON, Target.DM, Target.BOT}


class Limit(Struct, frozen=True):
    """At most `amount` for `scope` in one `window`; 0 is a limit like any other."""

    scope: Scope
    window: Window
    amount: int
    """Micro-USD, with `granted`; for `Window.OPEN` a number of jobs."""
    role_id: int | None = None
    """The role that a member's limit comes from, None for an override or a default."""
    source: Target | None = None
    """The rule that it comes from; None for what is set by the bot's settings."""
    granted: Micros = 0
    """How much of `amount` was given extra, for this window only."""


class Headroom(Struct, frozen=True):
    """How a limit stands at this moment."""

    limit: Limit
    used: int
    """Spent and set aside, in the limit's unit; 0 for `Window.IMAGE`."""
    needed: int
    """What the job in question would add; for `Window.IMAGE` the price of one picture."""
    starts_ms: int
    ends_ms: int
    """When it begins anew (epoch ms); `FOREVER_MS` for windows that never do."""

    @property
    def left(self) -> int:
        """What is free; 0 when the limit is passed already."""
        return max(0, self.limit.amount - self.used)

    @property
    def fits(self) -> bool:
        """Whether the job passes. What costs nothing passes any limit on money."""
        return self.used + self.needed <= self.limit.amount or self.needed == 0

    @property
    def resets_at_ms(self) -> int | None:
        """When it begins anew (epoch ms); None where it never does."""
        return None if self.ends_ms == FOREVER_MS else self.ends_ms


class QuotaExceeded(RequestError):
    """`limit` binds: `left` of it is free, the job needs `needed`, and it was refused whole."""

    def __init__(
        self,
        limit: Limit,
        *,
        left: int,
        needed: int,
        resets_at_ms: int | None,
        about: Micros | None = None,
    ) -> None:
        super().__init__(f"{limit.scope} {limit.window}: {left} left, {needed} needed")
        self.limit = limit
        self.left = left
        """In the limit's unit; 0 when it is passed already."""
        self.needed = needed
        """In the limit's unit: the most that the job can cost, or 1 job."""
        self.resets_at_ms = resets_at_ms
        """When the window ends (epoch ms); None for TOTAL and OPEN, which never reset."""
        self.about = about
        """What the job usually costs (micro-USD), where anybody knows."""


class PictureTooDear(RequestError):
    """One picture may cost `price` at most, and `limit` allows less."""

    def __init__(self, limit: Limit, *, price: Micros) -> None:
        super().__init__(f"{limit.scope} image: {limit.amount}, {price} needed")
        self.limit = limit
        self.price = price


class Blocked(RequestError):
    """An admin of this guild has blocked this member, for `reason` (may be empty)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Paused(RequestError):
    """Nothing new is made just now: in this guild (`Scope.GUILD`) or anywhere (`Scope.BOT`)."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope.value)
        self.scope = scope


class NeedsConfirmation(RequestError):
    """It would fit, but it may cost `needed`, more than `above`: the person is asked first."""

    def __init__(self, *, needed: Micros, above: Micros, about: Micros | None = None) -> None:
        super().__init__(f"{needed} is above {above}")
        self.needed = needed
        self.above = above
        self.about = about


def binding(states: Iterable[Headroom]) -> Headroom | None:
    """Return the most pressing of those that refuse the job, else of all; None of none."""
    known = tuple(states)
    refusing = tuple(state for state in known if not state.fits)
    return min(refusing or known, key=pressing, default=None)


def pressing(state: Headroom) -> tuple[bool, int, int]:
    """For sorting: the least left first, of equals the one that lasts longest.

    Slots come last: they free themselves soon, so a budget that is used up is the better answer.
    """
    return (state.limit.window is Window.OPEN, state.left, -state.ends_ms)
