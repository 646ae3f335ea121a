"""Limits and the windows that they count in: pure rules, no database, no Discord.

Owns where a day, week or month begins and ends, and what a refusal carries. The counters live in
`bot.storage`; who may set which limit is decided elsewhere.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.errors import RequestError
from bot.money import Micros


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


class Window(StrEnum):
    """What a limit counts over."""

    DAY = "day"
    WEEK = "week"
    """From Monday."""
    MONTH = "month"
    TOTAL = "total"
    """Since ever, without a reset."""
    OPEN = "open"
    """Not time: jobs open at this moment (waiting or running). Only for MEMBER and DM."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` for `scope` in one `window`; 0 is a limit like any other."""

    scope: Scope
    window: Window
    amount: int
    """Micro-USD; for `Window.OPEN` a number of jobs."""
    role_id: int | None = None
    """The role that a member's limit comes from, None for an override or a default."""


class QuotaExceeded(RequestError):
    """`limit` binds: `left` of it is free, the job needs `needed`, and it was refused whole."""

    def __init__(
        self, limit: Limit, *, left: Micros, needed: Micros, resets_at_ms: int | None
    ) -> None:
        super().__init__(f"{limit.scope} {limit.window}: {left} left, {needed} needed")
        self.limit = limit
        self.left = left
        self.needed = needed
        self.resets_at_ms = resets_at_ms
        """When the window ends (epoch ms); None for TOTAL and OPEN, which never reset."""
