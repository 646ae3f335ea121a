"""What a benchmark gives: figures with their bounds; and how much is measured."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value and what it is judged by; without a bound it only informs."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    """What it must not exceed."""
    least: float | None = None
    """What it must reach."""

    @property
    def bound(self) -> str:
        """What it is judged by, in words."""
        if self.limit is not None:
            return f"at most {self.limit:g}"
        return "" if self.least is None else f"at least {self.least:g}"

    @property
    def is_kept(self) -> bool:
        """Whether it is within its bound, if it has one."""
        too_much = self.limit is not None and self.value > self.limit
        too_little = self.least is not None and self.value < self.least
        return not too_much and not too_little

    @property
    def verdict(self) -> str:
        """Whether its bound is kept, in words."""
        if not self.bound:
            return ""
        if self.is_kept:
            return "ok"
        return "TOO LITTLE" if self.limit is None else "TOO MUCH"


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    rounds: int
    commands: int
    warm_up: int
    flood_seconds: int
    starts: int
    rests: int
    """How often a bot's memory is looked at."""
    pairs: int
    """Of hold and settle, in each round."""
    calm_holds: int
    """Holds at one a second; twenty times as many at twenty a second."""
    searches: int
    """Texts that are typed, in catalogues of each size."""
    charges: int
    """In the database that reports are made from."""


FULL: Final = Scale(
    rounds=3,
    commands=200,
    warm_up=30,
    flood_seconds=10,
    starts=21,
    rests=3,
    pairs=2000,
    calm_holds=20,
    searches=4000,
    charges=5_000_000,
)
QUICK: Final = Scale(
    rounds=1,
    commands=10,
    warm_up=3,
    flood_seconds=1,
    starts=1,
    rests=1,
    pairs=200,
    calm_holds=3,
    searches=400,
    charges=100_000,
)


def median_ratio(mine: Sequence[float], least: Sequence[float]) -> float:
    """Return the median of what each turn of the two compares to: the clock changes speed."""
    return statistics.median(one / other for one, other in zip(mine, least, strict=True))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
