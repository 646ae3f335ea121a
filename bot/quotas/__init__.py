"""Limits, the windows that they count in, and which of them apply: no database, no Discord.

`_windows` owns where a day, week or month begins and ends; `_limits` what a limit and a refusal
carry; `_rules` which limits apply to whom. The counters live in `bot.storage`; who may set which
limit is decided by the commands. Import from here and nothing deeper.
"""

from bot.quotas._limits import (
    Blocked,
    Headroom,
    Limit,
    NeedsConfirmation,
    Paused,
    PictureTooDear,
    QuotaExceeded,
    Scope,
    Target,
    binding,
    pressing,
)
from bot.quotas._rules import Defaults, Grant, Rule, Rules, limits_for
from bot.quotas._windows import (
    FOREVER_MS,
    SPANS,
    UTC_ZONE,
    Bounds,
    Window,
    ZoneChange,
    known_zones,
    window_at,
)

__all__ = [
    "FOREVER_MS",
    "SPANS",
    "UTC_ZONE",
    "Blocked",
    "Bounds",
    "Defaults",
    "Grant",
    "Headroom",
    "Limit",
    "NeedsConfirmation",
    "Paused",
    "PictureTooDear",
    "QuotaExceeded",
    "Rule",
    "Rules",
    "Scope",
    "Target",
    "Window",
    "ZoneChange",
    "binding",
    "known_zones",
    "limits_for",
    "pressing",
    "window_at",
]
