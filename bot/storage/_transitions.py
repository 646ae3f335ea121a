"""What each change of a charge does to the counters: pure arithmetic, no SQL.

held ──► dispatched ──► settled
  │        │  │  ▲         ▲ ▲ ▲
  │        │  │  └ unknown ┘ │ │      late truth: presumed or released ──► settled
  ▼        ▼  ▼      │  │    │ │
  released ◄─ unknown┘  └► presumed
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from bot.money import Micros
from bot.storage.models import ChargeState

_HELD = ChargeState.HELD
_DISPATCHED = ChargeState.DISPATCHED
_UNKNOWN = ChargeState.UNKNOWN
_SETTLED = ChargeState.SETTLED
_RELEASED = ChargeState.RELEASED
_PRESUMED = ChargeState.PRESUMED

SOURCES: Final[Mapping[ChargeState, tuple[ChargeState, ...]]] = {
    _DISPATCHED: (_HELD,),
    _SETTLED: (_DISPATCHED, _UNKNOWN, _PRESUMED, _RELEASED),
    _RELEASED: (_HELD, _DISPATCHED, _UNKNOWN),
    _UNKNOWN: (_DISPATCHED,),
    _PRESUMED: (_UNKNOWN,),
}
"""From which states each state may be reached."""

OPEN: Final = frozenset({_HELD, _DISPATCHED})
"""The charge occupies its job's slot."""
RESERVED: Final = frozenset({_HELD, _DISPATCHED, _UNKNOWN})
"""The held amount is set aside in the counters."""
COUNTED: Final = frozenset({_SETTLED, _PRESUMED})
"""Its actual amount counts as spent."""


class Effect(Struct, frozen=True):
    """What to add to the counters. Amounts in micro-USD."""

    held: Micros
    settled: Micros
    overrun: Micros
    open_charges: int
    charges: int
    """1 when the charge begins to count as spent."""


def effect(prior: ChargeState, to: ChargeState, *, held: Micros, actual: Micros) -> Effect:
    """Work out a change from `prior` to `to` of a charge that had `held` reserved.

    `actual` counts from now on (0 unless `to` is settled or presumed). A presumed charge counted
    as `held` before. What was never covered by a reservation is overrun: the excess over the hold,
    and all of it when the hold had been released.
    """
    covered = 0 if prior is _RELEASED else held
    return Effect(
        held=held * ((to in RESERVED) - (prior in RESERVED)),
        settled=actual - (held if prior is _PRESUMED else 0),
        overrun=max(0, actual - covered),
        open_charges=(to in OPEN) - (prior in OPEN),
        charges=(to in COUNTED) - (prior in COUNTED),
    )
