"""The local ImageRouter: the documented endpoints over a real socket, with an account that pays.

It behaves as the real server was observed to: a generation's status line leaves before its provider
answers, so that every later failure is a `200`; refusals carry no Content-Type; a client that goes
away is charged all the same. It runs in the bot's own event loop; drawing happens in threads.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

from aiohttp import web

from bot.clock import Clock
from sandbox.imagerouter.account import MICROS_PER_CREDIT, Account, ApiKey, Charge
from sandbox.imagerouter.catalogue import DEFAULT_MODELS, SandboxModel
from sandbox.imagerouter.drawing import draw
from sandbox.imagerouter.faults import Fault, Faults, Place
from sandbox.imagerouter.listing import listing, popular
from sandbox.imagerouter.making import Making, SentPicture
from sandbox.imagerouter.requests import MAX_IMAGES, ReceivedFile, ReceivedRequest, Refused

SANDBOX_KEY: Final = "sandbox-key-that-opens-nothing-anywhere-else-".ljust(64, "0")
"""The key that the local ImageRouter accepts, unless it is given another."""

DEFAULT_BALANCE_MICROS: Final = 25_000_000
HEARTBEAT_S: Final = 3.0

_MICROS_PER_USD: Final = 1_000_000

_KEPT: Final = 1_000  # requests and pictures remembered: a sandbox may run for days
_MAX_BODY: Final = (MAX_IMAGES + 2) * 26 * 1024 * 1024
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _Bare(web.Response):
    """An answer without a Content-Type, as the server's refusals are."""


class ImageRouterServer:
    """An ImageRouter on 127.0.0.1; `async with` starts and stops it.

    `latency_ms` is what a provider takes. `requests_per_second` is the limit on all calls and turns
    the account's own limit on, too; None switches both off. `heartbeat_s` is the time between two
    blanks. Clock times come from `clock`; latency and heartbeats are real time.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        balance_micros: int = DEFAULT_BALANCE_MICROS,
        latency_ms: int = 0,
        models: Sequence[SandboxModel] = DEFAULT_MODELS,
        port: int = 0,
        api_key: str = SANDBOX_KEY,
        requests_per_second: int | None = 20,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._clock = clock
        self._port = port
        self.requests_per_second = requests_per_second
        self._changed = asyncio.Condition()
        self._wakers: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None
        self.closing = asyncio.Event()
        self._count = 0
        self._stored: dict[str, SentPicture] = {}
        self._fixed: asyncio.Future[bytes] | None = None
        self.api_key = api_key
        """The key that a bot is started with."""
        self.latency_ms = latency_ms
        self.heartbeat_s = heartbeat_s
        self.models = {model.id: model for model in models}
        self.account = Account(
            clock, key=api_key, balance_micros=balance_micros, on_change=self._wake
        )
        self.faults = Faults()
        self.requests: list[ReceivedRequest] = []
        self.answers: list[SentPicture] = []
        self.calls: list[str] = []
        """Every call as `METHOD /path`, refused ones included."""
        self.base_url = ""

    @property
    def charges(self) -> list[Charge]:
        """Everything that was charged, in order."""
        return self.account.charges

    @property
    def popular_url(self) -> str:
        """The address of the popular models."""
        return f"{self.base_url}/operations/get-popular-models"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_MAX_BODY)
        app.on_response_prepare.append(_drop_content_type)
        app.router.add_post("/v1/openai/images/generations", self._guarded("images", self._images))
        app.router.add_post("/v1/openai/images/edits", self._guarded("images", self._images))
        app.router.add_get("/v1/models", self._guarded("models", self._models))
        app.router.add_get("/v2/models", self._guarded("models", self._models))
        app.router.add_get("/v1/models/{id:.+}", self._guarded("models", self._model))
        app.router.add_get("/v1/credits", self._guarded("credits", self._credits))
        app.router.add_post("/v1/auth/test", self._guarded("auth", self._auth))
        app.router.add_post(
            "/operations/get-popular-models", self._guarded("popular", self._popular)
        )
        app.router.add_get("/storage/{name}", self._guarded("storage", self._storage))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        port = self._runner.addresses[0][1]
        self.base_url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.closing.set()
        self.faults.clear()
        if self._runner is not None:
            await self._runner.cleanup()
        for waker in tuple(self._wakers):
            waker.cancel()
        await asyncio.gather(*self._wakers, return_exceptions=True)

    async def wait_until(self, is_true: Callable[[], bool], timeout: float = 10.0) -> None:
        """Wait until something received, charged or answered makes `is_true()` true.

        Raises TimeoutError.
        """
        async with asyncio.timeout(timeout), self._changed:
            await self._changed.wait_for(is_true)

    def _wake(self) -> None:
        waker = asyncio.get_running_loop().create_task(self._notify())
        self._wakers.add(waker)
        waker.add_done_callback(self._wakers.discard)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    # ---- Around every call --------------------------------------------------------------------

    def _guarded(self, place: Place, handler: _Handler) -> _Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            self.calls.append(f"{request.method} {request.path}")
            del self.calls[:-_KEPT]
            try:
                self._check_rate(place)
                if place not in ("storage", "popular"):
                    self._check_key(request)
                if place != "images":
                    fault = self.faults.take(place)
                    if fault != Fault():
                        return await self._faulty(request, fault, handler)
                return await handler(request)
            except Refused as refusal:
                return self._refuse(refusal)

        return handle

    def _check_rate(self, place: Place) -> None:
        if place != "storage" and not self.account.take_call(self.requests_per_second):
            raise Refused(
                429,
                "Too many requests, please try again later.",
                "rate_limit_error",
                {"Retry-After": "1", "RateLimit-Reset": "1"},
            )

    def _check_key(self, request: web.Request) -> None:
        header = request.headers.get("Authorization", "")
        if not header.startswith("Bearer "):
            raise Refused(
                401, "Authorization header must be provided as Bearer token", "unauthorized"
            )
        if self.key_of(request) is None:
            raise Refused(401, "Invalid authorization token", "unauthorized")

    def key_of(self, request: web.Request) -> ApiKey | None:
        """Find the key that a request came with."""
        header = request.headers.get("Authorization", "")
        return self.account.key_of(header.removeprefix("Bearer ").strip())

    def _refuse(self, refusal: Refused) -> web.StreamResponse:
        body = {"error": {"message": str(refusal), "type": refusal.kind}}
        return self.bare(refusal.status, json.dumps(body).encode(), refusal.headers)

    @staticmethod
    def bare(status: int, body: bytes, headers: Mapping[str, str]) -> web.StreamResponse:
        """Answer without a Content-Type unless `headers` has one."""
        kind = web.Response if "Content-Type" in headers else _Bare
        return kind(status=status, body=body, headers=headers)

    @staticmethod
    def cut(request: web.Request, raw: bytes) -> web.StreamResponse:
        """Write `raw` past HTTP and close the connection."""
        transport = request.transport
        if transport is not None:
            if raw:
                transport.write(raw)
                transport.close()
            else:
                transport.abort()
        return web.Response(status=500)

    async def _faulty(
        self, request: web.Request, fault: Fault, handler: _Handler
    ) -> web.StreamResponse:
        """Spoil a call that is not a generation."""
        if fault.gate is not None:
            await fault.gate.pass_through()
        if fault.raw is not None or fault.drop is not None:
            return self.cut(request, fault.raw or b"")
        if fault.status is not None:
            return self.bare(fault.status, fault.body or b"", fault.headers)
        return await handler(request)

    # ---- What outlives a generation -----------------------------------------------------------

    def replace_key(self, secret: str) -> None:
        """Let the key work no more, and make another one, as an operator does whose key leaked."""
        for key in self.account.keys:
            key.is_active = key.is_active and key.secret != self.api_key
        self.account.add_key("Sandbox, again", secret)
        self.api_key = secret

    def now_ms(self) -> int:
        """Tell the sandbox's time."""
        return self._clock.now_ms()

    def record(
        self,
        endpoint: str,
        fields: dict[str, str],
        files: tuple[ReceivedFile, ...],
        content_type: str,
    ) -> ReceivedRequest:
        """Remember a request."""
        received = ReceivedRequest(
            self._count, endpoint, fields, files, self._clock.now_ms(), content_type
        )
        self._count += 1
        self.requests.append(received)
        del self.requests[:-_KEPT]
        self._wake()
        return received

    def keep(self, picture: SentPicture) -> None:
        """Remember a picture, and give it out at its address."""
        self.answers.append(picture)
        del self.answers[:-_KEPT]
        if picture.url is not None:
            self._stored[picture.url.rpartition("/")[2]] = picture
            if len(self._stored) > _KEPT:
                del self._stored[next(iter(self._stored))]
        self._wake()

    async def fixed_picture(self) -> bytes:
        """Give the picture of `test/test`, drawn once."""
        if self._fixed is None:
            self._fixed = asyncio.ensure_future(
                asyncio.to_thread(
                    draw,
                    "fixed test picture",
                    model="test/test",
                    number=0,
                    size="512x512",
                    kind="png",
                )
            )
        return await asyncio.shield(self._fixed)

    # ---- Endpoints ----------------------------------------------------------------------------

    async def _images(self, request: web.Request) -> web.StreamResponse:
        return await Making(self, request, self.faults.take("images")).serve()

    async def _models(self, request: web.Request) -> web.StreamResponse:
        version = 2 if request.path.startswith("/v2") else 1
        body = json.dumps(listing(self.models.values(), request.query, version=version)).encode()
        tag = f'W/"{hashlib.sha256(body).hexdigest()[:20]}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers={"ETag": tag})
        return web.Response(body=body, content_type="application/json", headers={"ETag": tag})

    async def _model(self, request: web.Request) -> web.StreamResponse:
        model = self.models.get(request.match_info["id"])
        if model is None:
            raise Refused(404, "Model not found", "not_found")
        return web.json_response(model.one())

    async def _credits(self, request: web.Request) -> web.StreamResponse:
        body: dict[str, object] = {
            "remaining_credits": _usd(self.account.balance_micros),
            "credit_usage": _usd(self.account.used_micros),
            "total_deposits": _usd(self.account.deposits_micros),
        }
        if request.query.get("by_api_key") == "true":
            body["usage_by_api_key"] = [_usage(key) for key in self.account.keys]
        return web.json_response(body)

    async def _auth(self, _: web.Request) -> web.StreamResponse:
        units = self.account.balance_micros // MICROS_PER_CREDIT
        return web.json_response({"success": True, "credits": units})

    async def _popular(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(popular(self.models.values()))

    async def _storage(self, request: web.Request) -> web.StreamResponse:
        picture = self._stored.get(request.match_info["name"])
        if picture is None:
            return web.Response(status=404, text="<html><h1>404</h1></html>")
        return web.Response(body=picture.data, content_type=picture.media_type)


async def _drop_content_type(_: web.Request, response: web.StreamResponse) -> None:
    if isinstance(response, _Bare):
        response.headers.popall("Content-Type", None)


def _usage(key: ApiKey) -> dict[str, object]:
    """Write what one key was used for, as https://docs.imagerouter.io/api-reference/credits says.

    It does not say which of the account's keys the request came with.
    """
    created = datetime.fromtimestamp(key.created_ms / 1000, UTC)
    return {
        "api_key_id": key.id,
        "api_key_name": key.name,
        "credit_usage": _usd(key.used_micros),
        "total_requests": key.requests,
        "created_at": created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "is_active": key.is_active,
        "spend_limit": None,
        "spend_limit_period": None,
        "period_spend": _usd(key.used_micros),
        "period_start": None,
        "expires_at": None,
    }


def _usd(micros: int) -> str:
    """Write an amount as the server does: a string in USD with four decimals."""
    sign = "-" if micros < 0 else ""
    whole, rest = divmod(abs(micros) // MICROS_PER_CREDIT, _MICROS_PER_USD // MICROS_PER_CREDIT)
    return f"{sign}{whole}.{rest:04d}"
