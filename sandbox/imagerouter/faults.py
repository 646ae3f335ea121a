"""Faults that a test or a person orders for the next answers of the local ImageRouter."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Place: TypeAlias = Literal["images", "models", "credits", "auth", "popular", "storage"]
"""Which calls a fault waits for; `images` are generations and edits."""


class Gate:
    """Holds a request until it is opened."""

    def __init__(self) -> None:
        self._reached = asyncio.Event()
        self._open = asyncio.Event()

    async def reached(self, timeout: float = 10.0) -> None:
        """Wait until a request stands before the gate. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            await self._reached.wait()

    def open(self) -> None:
        """Let the request go on."""
        self._open.set()

    async def pass_through(self) -> None:
        """Stand before the gate until it is open."""
        self._reached.set()
        await self._open.wait()


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one answer; what is not set stays as it is."""

    status: int | None = None
    """HTTP status; with `body`, that is the whole answer, sent before any heartbeat."""
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    after_heartbeats: bytes | None = None
    """The body after `200` and a blank, in place of the true one."""
    raw: bytes | None = None
    """Written to the socket as it is; then the connection is closed."""
    drop: Literal["at_once", "before_headers", "after_headers", "in_body"] | None = None
    """`at_once` closes before the request's body was read; the others charge first."""
    end_early: bool = False
    """`200`, blanks and a proper end, as when the server restarts; charged."""
    blanks_only: bool = False
    """Heartbeats for ever; charged."""
    silent: bool = False
    """`200` and then nothing, not even heartbeats; charged."""
    gate: Gate | None = None
    latency_ms: int | None = None
    error: Mapping[str, object] | None = None
    """An `error` object in a `200`; nothing is charged unless `error_cost_micros` says so."""
    error_cost_micros: int | None = None
    pictures: int | None = None
    picture: bytes | None = None
    """The bytes sent as every picture."""
    no_picture: Literal["empty", "null"] | None = None
    """`data: []` or `data: [{"url": null}]`, charged."""
    cost_micros: int | None = None
    hide_cost: bool = False
    swap_kind: bool = False
    """Base64 where a URL was asked, and the other way round."""
    picture_url: str | None = None


class Faults:
    """A queue of faults for each kind of call; each is used `times` times, first come first."""

    def __init__(self) -> None:
        self._queues: dict[str, list[Fault]] = {}
        self._gates: list[Gate] = []

    def add(self, fault: Fault, *, times: int = 1, on: Place = "images") -> None:
        """Order any fault."""
        self._queues.setdefault(on, []).extend([fault] * times)

    def status(
        self,
        status: int,
        body: bytes | str = b"",
        *,
        headers: Mapping[str, str] | None = None,
        times: int = 1,
        on: Place = "images",
    ) -> None:
        """Answer with this status and body at once; no Content-Type unless `headers` names one."""
        raw = body.encode() if isinstance(body, str) else body
        self.add(Fault(status=status, body=raw, headers=headers or {}), times=times, on=on)

    def error(
        self,
        message: object,
        *,
        kind: str = "provider_error",
        cost_micros: int | None = None,
        times: int = 1,
        **more: object,
    ) -> None:
        """Answer `200` with an `error`; `more` are further members of it (`code`, `param`)."""
        error = {"message": message, "type": kind, **more}
        self.add(Fault(error=error, error_cost_micros=cost_micros), times=times)

    def answer(self, body: bytes | str, *, times: int = 1) -> None:
        """Answer `200`, a heartbeat, and this body; the request is charged."""
        raw = body.encode() if isinstance(body, str) else body
        self.add(Fault(after_heartbeats=raw), times=times)

    def raw(self, data: bytes, *, times: int = 1, on: Place = "images") -> None:
        """Write these bytes to the socket and close it."""
        self.add(Fault(raw=data), times=times, on=on)

    def drop(
        self,
        when: Literal["at_once", "before_headers", "after_headers", "in_body"] = "after_headers",
        *,
        times: int = 1,
        on: Place = "images",
    ) -> None:
        """Close the connection; for images everything but `at_once` is charged first."""
        self.add(Fault(drop=when), times=times, on=on)

    def hold(self, *, on: Place = "images") -> Gate:
        """Hold the next request; one for images sends its heartbeats meanwhile."""
        gate = Gate()
        self._gates.append(gate)
        self.add(Fault(gate=gate), on=on)
        return gate

    def latency(self, milliseconds: int, *, times: int = 1) -> None:
        """Let the provider take this long."""
        self.add(Fault(latency_ms=milliseconds), times=times)

    def take(self, place: Place) -> Fault:
        """Give the next fault for this kind of call; an empty one when none is ordered."""
        queue = self._queues.get(place)
        return queue.pop(0) if queue else Fault()

    def clear(self) -> None:
        """Forget what is ordered, and open all gates."""
        self._queues.clear()
        for gate in self._gates:
            gate.open()
        self._gates.clear()
