"""What the policies take and give: plain data, no SQL. Money is micro-USD, times are epoch ms."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bot.money import MAX_MICROS, Micros
from bot.quotas import UTC_ZONE, Bounds, Headroom, Rules, Scope, Target, Window, binding
from bot.requests import NO_GUILD, Actor


class Who(Struct, frozen=True):
    """Whom a rule is for. Make it with the methods below: they say what each target needs."""

    target: Target
    guild_id: int = NO_GUILD
    """`NO_GUILD` for the operator's rules that are about no single guild."""
    id: int = 0
    """The user, role or channel; 0 for other targets."""

    @classmethod
    def member(cls, guild_id: int, user_id: int) -> "Who":
        """One member of a guild."""
        return cls(Target.MEMBER, guild_id, user_id)

    @classmethod
    def role(cls, guild_id: int, role_id: int) -> "Who":
        """Each holder of a role."""
        return cls(Target.ROLE, guild_id, role_id)

    @classmethod
    def each_member(cls, guild_id: int) -> "Who":
        """Each member of a guild for whom nothing else is said."""
        return cls(Target.DEFAULT, guild_id)

    @classmethod
    def channel(cls, guild_id: int, channel_id: int) -> "Who":
        """Everybody in a channel, together."""
        return cls(Target.CHANNEL, guild_id, channel_id)

    @classmethod
    def guild(cls, guild_id: int) -> "Who":
        """Everybody in a guild, together: the admins' budget."""
        return cls(Target.GUILD, guild_id)

    @classmethod
    def ceiling(cls, guild_id: int) -> "Who":
        """Everybody in a guild, together: the operator's budget for it."""
        return cls(Target.CEILING, guild_id)

    @classmethod
    def any_guild(cls) -> "Who":
        """Each guild without a ceiling of its own."""
        return cls(Target.ANY_GUILD)

    @classmethod
    def person(cls, user_id: int) -> "Who":
        """One person, everywhere."""
        return cls(Target.PERSON, id=user_id)

    @classmethod
    def direct_messages(cls) -> "Who":
        """Each person outside guilds."""
        return cls(Target.DM)

    @classmethod
    def everybody(cls) -> "Who":
        """Everybody everywhere, together."""
        return cls(Target.BOT)


class SetLimit(Struct, frozen=True):
    """A limit that somebody set."""

    who: Who
    """Its `id` is 0 where the person has been erased since."""
    window: Window
    amount: Micros
    set_by: int
    set_ms: int


class BlockedMember(Struct, frozen=True):
    """A member who may make nothing in this guild."""

    user_id: int | None
    """None once erased; the block holds all the same."""
    reason: str
    blocked_by: int
    blocked_ms: int


class Option(StrEnum):
    """What else a guild sets for itself; the value is a column of the table `guild`."""

    ALERT_CHANNEL = "alert_channel"
    LOG_CHANNEL = "log_channel"
    MANAGERS = "manager_role"
    """Holders of this role may do what Manage Server allows."""
    CONFIRM_ABOVE = "confirm_above"
    """Micro-USD: jobs that may cost more ask before anything is held."""
    RETENTION = "retention_days"
    """Days after which words and links are deleted; 0: never."""


class GuildConfig(Struct, frozen=True):
    """What a guild has set for itself; None where it has not."""

    zone: str = UTC_ZONE
    """The IANA name that was chosen last; `window_at` knows from when on it applies."""
    alert_channel: int | None = None
    log_channel: int | None = None
    manager_role: int | None = None
    confirm_above: Micros | None = None
    retention_days: int | None = None
    """0: for good; None: as the operator says."""
    paused_ms: int | None = None
    paused_by: int | None = None


class Kind(StrEnum):
    """What a line of the trail is about; of options of a guild, the value is that of `Option`."""

    LIMIT = "limit"
    GRANT = "grant"
    BLOCK = "block"
    PAUSE = "pause"
    TIMEZONE = "timezone"
    MODELS = "models"
    CHANNELS = "channels"
    BLOCKLIST = "blocklist"
    PRIVATE = "private"
    DEFAULT_MODEL = "default_model"
    MANAGERS = "manager_role"
    ALERTS = "alert_channel"
    LOG = "log_channel"
    CONFIRM = "confirm_above"
    RETENTION = "retention_days"
    DIGEST = "digest"
    CHARGE = "charge"
    """A charge that an operator has settled by hand."""


class RuleChange(Struct, frozen=True):
    """A line of the audit trail of rules."""

    guild_id: int
    changed_ms: int
    changed_by: int
    """Negative: a person who has been erased since."""
    what: str
    """A `Kind`."""
    target: Target | None
    subject_id: int | None
    """The role, channel or charge that it is about."""
    user_id: int | None
    """The person that it is for; None once erased."""
    window: Window | None
    before: str | None
    after: str | None
    """As text: an amount in micro-USD, an id, a name; None is nothing."""
    reason: str
    by_operator: bool


class Trail(Struct, frozen=True):
    """Which lines of the trail somebody wants to read."""

    guild_id: int | None
    """`NO_GUILD`: the operator's rules for everywhere; None: what operators changed anywhere."""
    kind: Kind | None = None
    person: int | None = None
    """Whoever made the change, or whom it is for."""
    offset: int = 0
    size: int = 20


class TrailPage(Struct, frozen=True):
    """Some lines, newest first, and how many there are in all."""

    changes: tuple[RuleChange, ...]
    total: int


class Tally(Struct, frozen=True):
    """One counter of money as it stands."""

    spent: Micros
    held: Micros
    """Set aside for jobs that run, and for unknown outcomes."""
    bounds: Bounds

    @property
    def used(self) -> Micros:
        """What a limit sees."""
        return self.spent + self.held


class Standing(Struct, frozen=True):
    """How somebody stands in one place now, and whether a job of `count` pictures would pass."""

    actor: Actor
    price: Micros
    """The highest price of one picture of the job in question; 0 asks about no job."""
    count: int
    limits: tuple[Headroom, ...]
    """Every limit that applies."""
    tallies: Mapping[tuple[Scope, Window], Tally]
    """Every counter of money, limited or not; of `Window.DAY` to `Window.TOTAL`."""
    rules: Rules
    """With `blocked`, `paused`, `confirm_above`, `zones` and `grants`."""

    @property
    def binding(self) -> Headroom | None:
        """The limit that refuses the job; else the one with the least left."""
        prices = [h for h in self.limits if h.limit.window is Window.IMAGE]
        refusing = [h for h in prices if not h.fits]
        if refusing:
            return min(refusing, key=lambda h: h.limit.amount)
        return binding(h for h in self.limits if h.limit.window is not Window.IMAGE)

    @property
    def fits(self) -> bool:
        """Whether the job would be taken, a confirmation aside."""
        stopped = self.rules.blocked is not None or self.rules.paused is not None
        return not stopped and all(state.fits for state in self.limits)

    @property
    def dearest(self) -> Micros:
        """The highest price of one picture that every limit on prices allows."""
        return min(self._of_prices(), default=MAX_MICROS)

    @property
    def affordable(self) -> Micros:
        """The highest price of one picture at which `count` of them pass every limit on money."""
        return min(self.dearest, *(left // self.count for left in self._left()), MAX_MICROS)

    def takes(self, prices: Sequence[Micros]) -> bool:
        """Whether pictures at these prices pass every limit on money together."""
        amount = sum(prices)
        fits = amount == 0 or all(amount <= left for left in self._left())
        return fits and all(price <= self.dearest for price in prices)

    def _of_prices(self) -> Iterator[Micros]:
        return (s.limit.amount for s in self.limits if s.limit.window is Window.IMAGE)

    def _left(self) -> Iterator[Micros]:
        other = {Window.IMAGE, Window.OPEN}
        return (state.left for state in self.limits if state.limit.window not in other)


THRESHOLDS: Final = (50, 80, 100)
"""Percent of a pooled budget that are told, once in each window."""


class Crossing(Struct, frozen=True):
    """A threshold of a pooled budget that spending has reached, claimed by whoever got this."""

    bucket_id: int
    scope: Scope
    window: Window
    percent: int
    """The highest of `THRESHOLDS` that is reached."""
    amount: Micros
    spent: Micros
    resets_at_ms: int | None
    guild_id: int
    channel_id: int
    alert_channel: int | None
    set_by: int | None
    """Who set the budget; None where it is the bot's default."""
    claimed_ms: int


class Spike(Struct, frozen=True):
    """A member who spends far more today than usually, claimed by whoever got this."""

    bucket_id: int
    percent: int
    """Of the usual, from which on it is told."""
    guild_id: int
    user_id: int
    spent: Micros
    """Today, in this guild."""
    usual: Micros
    """On a day on which they spend anything."""
    days: int
    """Of how many days that is the median."""
    alert_channel: int | None
    set_by: int | None
    """Who has set a limit in the guild last."""
    claimed_ms: int
