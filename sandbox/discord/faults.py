"""Faults that tests inject into the local Discord: slow, refused, torn or held requests.

A pattern is a method and a path below `/api/v10`, in which `*` stands for one segment, e.g.
`PATCH /webhooks/*/*/messages/*`. The method may be `*`, too. Files have paths of their own, e.g.
`GET /cdn/attachments/*/*/*`; some faults are for those alone.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from sandbox.discord.places import JsonObject
from sandbox.discord.signals import Signal

_FILES: Final = "/cdn/"


class Gate:
    """Holds matching requests until it is opened."""

    def __init__(self) -> None:
        self._opened = asyncio.Event()
        self._arrived = 0
        self._signal = Signal()

    def open(self) -> None:
        """Let the held requests, and later ones, through."""
        self._opened.set()

    async def reached(self, *, count: int = 1, timeout: float = 10) -> None:
        """Wait until `count` requests stand, or stood, at the gate (TimeoutError)."""
        await self._signal.until(
            lambda: True if self._arrived >= count else None,
            timeout=timeout,
            complain=lambda: f"{self._arrived} of {count} requests reached the gate",
        )

    async def pass_through(self) -> None:
        """Stand at the gate until it opens; called by the server."""
        self._arrived += 1
        self._signal.fire()
        await self._opened.wait()


class FaultKind(Enum):
    """What a fault does to a request."""

    DELAY = "delay"
    STATUS = "status"
    DROP = "drop"
    DROP_AFTER = "drop_after"
    HOLD = "hold"
    REDIRECT = "redirect"
    TRUNCATE = "truncate"
    STALL = "stall"
    ENDLESS = "endless"


@dataclass(slots=True)
class Fault:
    """One injected fault and how many requests it still meets."""

    kind: FaultKind
    pattern: str
    times: int | None
    """None: every matching request."""
    seconds: float = 0
    status: int = 0
    body: JsonObject | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    gate: Gate | None = None
    location: str = ""
    after: int = 0
    """Bytes of a file that are sent before it breaks off or stalls."""


class Faults:
    """The faults of one server; the first that matches a request is used up by it."""

    def __init__(
        self, *, close_gateway: Callable[[int], None], drop_gateway: Callable[[], None]
    ) -> None:
        self._waiting: list[Fault] = []
        self._close_gateway = close_gateway
        self._drop_gateway = drop_gateway

    def delay(self, pattern: str, seconds: float, *, times: int | None = 1) -> None:
        """Answer only after `seconds`."""
        self._waiting.append(Fault(FaultKind.DELAY, pattern, times, seconds=seconds))

    def status(
        self,
        pattern: str,
        status: int,
        *,
        times: int | None = 1,
        body: JsonObject | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer with an HTTP status instead of doing anything."""
        self._waiting.append(
            Fault(FaultKind.STATUS, pattern, times, status=status, body=body, headers=headers or {})
        )

    def drop(self, pattern: str, *, times: int | None = 1, after: bool = False) -> None:
        """Close the connection without an answer; `after`: once the request is carried out."""
        kind = FaultKind.DROP_AFTER if after else FaultKind.DROP
        self._waiting.append(Fault(kind, pattern, times))

    def hold(self, pattern: str, *, times: int | None = None) -> Gate:
        """Let matching requests wait until the returned gate is opened."""
        gate = Gate()
        self._waiting.append(Fault(FaultKind.HOLD, pattern, times, gate=gate))
        return gate

    def redirect(self, pattern: str, location: str, *, times: int | None = 1) -> None:
        """Send who asks for a file to another address (302)."""
        self._spoil(Fault(FaultKind.REDIRECT, pattern, times, location=location))

    def truncate(self, pattern: str, *, after: int = 1, times: int | None = 1) -> None:
        """Announce a whole file, send its first `after` bytes, and cut the connection."""
        self._spoil(Fault(FaultKind.TRUNCATE, pattern, times, after=after))

    def stall(self, pattern: str, *, after: int = 1, times: int | None = 1) -> Gate:
        """Send a file's first `after` bytes, and the rest once the returned gate is opened."""
        gate = Gate()
        self._spoil(Fault(FaultKind.STALL, pattern, times, gate=gate, after=after))
        return gate

    def endless(self, pattern: str, *, times: int | None = 1) -> None:
        """Send a file that never ends, of no announced length, until the other side hangs up."""
        self._spoil(Fault(FaultKind.ENDLESS, pattern, times))

    def _spoil(self, fault: Fault) -> None:
        if not fault.pattern.partition(" ")[2].startswith(_FILES):
            raise ValueError(f"only files, below {_FILES}, can {fault.kind.value}")
        self._waiting.append(fault)

    def close_gateway(self, code: int) -> None:
        """Close every gateway connection with a close code."""
        self._close_gateway(code)

    def drop_gateway(self) -> None:
        """Cut every gateway connection without a word."""
        self._drop_gateway()

    def clear(self) -> None:
        """Forget faults that nothing has met yet, and open all gates."""
        for fault in self._waiting:
            if fault.gate is not None:
                fault.gate.open()
        self._waiting.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault for a request, if there is one; called by the server."""
        for fault in self._waiting:
            if matches(fault.pattern, method, path):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._waiting.remove(fault)
                return fault
        return None


def matches(pattern: str, method: str, path: str) -> bool:
    """Tell whether `METHOD /path` fits a pattern."""
    wanted_method, _, wanted_path = pattern.partition(" ")
    if wanted_method not in ("*", method):
        return False
    wanted, given = wanted_path.split("/"), path.split("/")
    return len(wanted) == len(given) and all(
        want in ("*", got) for want, got in zip(wanted, given, strict=True)
    )
