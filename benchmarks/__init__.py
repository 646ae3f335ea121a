"""What `make bench` runs: ratios against a floor measured in the same run.

Three processes each time: the driver (`__main__`), the servers with the people (`servers`), and the
bot that is measured (`bots`).
"""

import sys
from dataclasses import dataclass, field
from typing import Final, Self

READY: Final = "READY"
"""What a bot prints once it is."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the servers are, and what they accept; all of it is invented."""

    rest_url: str
    gateway_url: str
    cdn_url: str
    token: str
    imagerouter_url: str
    popular_url: str
    api_key: str


@dataclass
class Load:
    """What a series of `/imagine` was like, in ms: until acknowledged, and until the last word."""

    acknowledged_ms: list[float] = field(default_factory=list)
    finished_ms: list[float] = field(default_factory=list)
    failed: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    """How often each route of Discord and ImageRouter was called."""

    def complete(self) -> Self:
        """Return this; without a single answer missing, or the program ends."""
        if self.failed:
            sys.exit(f"{self.failed} commands went wrong, so nothing was measured.")
        return self
