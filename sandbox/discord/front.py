"""The front door of the REST API: what happens to every request before and after its route.

In order: faults, token, rate limits, the route itself, OpenAPI check, the record. Routes get a
`Call` and return JSON (None for 204) or raise `RuleViolation`.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from aiohttp import web

from sandbox.discord.bodies import Body, read_body
from sandbox.discord.core import Core
from sandbox.discord.errors import not_found, unauthorized
from sandbox.discord.faults import Fault, FaultKind, Faults, matches
from sandbox.discord.places import JsonObject
from sandbox.discord.rules import RuleViolation
from sandbox.discord.signals import Signal

Answer: TypeAlias = JsonObject | list[JsonObject] | None

_BASE: Final = "/api/v10"
_ID_DIGITS: Final = 20
_KEPT_RECORDS: Final = 10_000
_VIA: Final = {"Via": "1.1 sandbox"}
"""discord.py takes a 429 without this header for a ban."""
_MAJOR: Final = ("channel_id", "guild_id", "webhook_token", "interaction_token")


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request of the bot, as the server saw it."""

    method: str
    path: str = field(repr=False)
    """Below `/api/v10`; it may hold an interaction's token."""
    route: str
    """The path's template, e.g. `/channels/{channel_id}/messages`."""
    status: int
    """0 when the connection was dropped without an answer."""
    body_summary: str
    """The JSON, shortened, and the names and sizes of files."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as a route sees it."""

    core: Core
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Body

    @property
    def payload(self) -> JsonObject:
        """The body as an object; empty when it is none."""
        return self.body.payload if isinstance(self.body.payload, dict) else {}

    def id(self, name: str) -> int:
        """Return a path parameter as an id; 0 when it is none, which nothing has."""
        return to_id(self.params[name])


def to_id(value: object) -> int:
    """Return an id that came as text or number; 0, which nothing has, when it is none."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _ID_DIGITS else 0


Handler: TypeAlias = Callable[[Call], Awaitable[Answer] | Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """One route: `METHOD /template`, as in Discord's documentation."""

    method: str
    template: str
    handler: Handler
    needs_token: bool = True
    """False for interactions, whose token is in the path."""
    limited: bool = True
    """Whether it has a rate limit of its own and counts for the bot's global one."""


class Front:
    """Runs every route inside the same rules and keeps the record."""

    def __init__(self, core: Core, faults: Faults) -> None:
        self._core = core
        self._faults = faults
        self._signal = Signal()
        self.requests: list[RecordedRequest] = []

    def register(self, app: web.Application, routes: list[Route]) -> None:
        """Add routes below `/api/v10`, and the answer for all others."""
        for route in routes:
            path = f"{_BASE}{route.template}"
            app.router.add_route(route.method, path, self._serving(route))
        unknown = Route("*", "/{unknown:.*}", _unknown, needs_token=False, limited=False)
        app.router.add_route("*", f"{_BASE}/{{unknown:.*}}", self._serving(unknown))

    async def wait_for_request(
        self, pattern: str, *, timeout: float, count: int
    ) -> RecordedRequest:
        """Wait for the `count`-th recorded request that fits `pattern` (TimeoutError)."""

        def look() -> RecordedRequest | None:
            found = [r for r in self.requests if matches(pattern, r.method, r.path)]
            return found[count - 1] if len(found) >= count else None

        def complain() -> str:
            seen = [f"{r.method} {r.route} {r.status}" for r in self.requests[-20:]]
            return f"no {pattern} (number {count}) within {timeout} s; there were {seen}"

        return await self._signal.until(look, timeout=timeout, complain=complain)

    def _serving(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            return await self._serve(request, route)

        return serve

    async def _serve(self, request: web.Request, route: Route) -> web.StreamResponse:
        path = request.path.removeprefix(_BASE)
        fault = self._faults.take(request.method, path)
        response: web.Response | None = None
        body = Body()
        try:
            body = await read_body(request)
            response = await self._before(fault)
            if response is None and (fault is None or fault.kind is not FaultKind.DROP):
                response = await self._answer(request, route, body, path)
        except RuleViolation as violation:
            response = _json(violation.body(), violation.status)
        dropped = fault is not None and fault.kind in (FaultKind.DROP, FaultKind.DROP_AFTER)
        if response is None or dropped:
            status = 0
            if request.transport is not None:
                request.transport.abort()
            response = web.Response()
        else:
            status = response.status
        self._record(RecordedRequest(request.method, path, route.template, status, body.summary()))
        return response

    async def _before(self, fault: Fault | None) -> web.Response | None:
        if fault is None:
            return None
        if fault.kind is FaultKind.DELAY:
            await asyncio.sleep(fault.seconds)
        elif fault.kind is FaultKind.HOLD and fault.gate is not None:
            await fault.gate.pass_through()
        elif fault.kind is FaultKind.STATUS:
            body = fault.body or {"message": f"{fault.status}: injected", "code": 0}
            return _json(body, fault.status, fault.headers)
        return None

    async def _answer(
        self, request: web.Request, route: Route, body: Body, path: str
    ) -> web.Response:
        core = self._core
        authorization = request.headers.get("Authorization")
        if route.needs_token and authorization != f"Bot {core.token}":
            raise unauthorized()
        headers: dict[str, str] = dict(_VIA)
        if route.limited:
            major = "+".join(request.match_info.get(name, "") for name in _MAJOR)
            verdict = core.limits.take(
                route.method, route.template, major=major, counts_globally=route.needs_token
            )
            headers |= verdict.headers
            if verdict.retry_after is not None:
                return _limited(verdict.retry_after, headers, is_global=verdict.is_global)
        try:
            answer = route.handler(Call(core, request.match_info, request.query, body))
            if isinstance(answer, Awaitable):
                answer = await answer
            # Only now: what the rules refuse gets Discord's own tree of errors. What departs from
            # the description alone is carried out, told as a fault, and kept for the tests.
            self._check_openapi(request.method, path, body)
        except RuleViolation as violation:
            return _json(violation.body(), violation.status, headers)
        if answer is None:
            return web.Response(status=204, headers=headers)
        return _json(answer, 200, headers)

    def _check_openapi(self, method: str, path: str, body: Body) -> None:
        checker = self._core.checker
        if checker is None:
            return
        problems = checker.check(method, path, body.payload)
        if problems:
            self._core.openapi_problems.extend(f"{method} {problem}" for problem in problems)
            errors = [{"code": "OPENAPI", "message": problem} for problem in problems]
            raise RuleViolation(400, 50035, "Invalid Form Body", {"_errors": errors})

    def _record(self, request: RecordedRequest) -> None:
        if len(self.requests) >= _KEPT_RECORDS:
            del self.requests[: _KEPT_RECORDS // 2]
        self.requests.append(request)
        self._signal.fire()


def _unknown(_: Call) -> Answer:
    raise not_found()


def _limited(retry_after: float, headers: Mapping[str, str], *, is_global: bool) -> web.Response:
    body = {
        "message": "You are being rate limited.",
        "retry_after": round(retry_after, 3),
        "global": is_global,
    }
    return _json(body, 429, {**headers, "Retry-After": str(max(1, round(retry_after + 0.5)))})


def _json(body: Answer, status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer with exactly `application/json`: discord.py reads nothing else as JSON."""
    return web.Response(
        body=json.dumps(body).encode(),
        status=status,
        headers={"Via": _VIA["Via"], **(headers or {}), "Content-Type": "application/json"},
    )
