"""One generation or edit of the local ImageRouter, from the request to the last byte."""

import asyncio
import base64
import json
import secrets
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from aiohttp import web

from sandbox.imagerouter.catalogue import JsonObject, SandboxModel
from sandbox.imagerouter.drawing import MEDIA_TYPES, draw
from sandbox.imagerouter.editing import UnusableInput, redraw
from sandbox.imagerouter.faults import Fault
from sandbox.imagerouter.requests import (
    ReceivedRequest,
    Refused,
    read_form,
    read_json,
    unsuitable,
    validate,
)

if TYPE_CHECKING:
    from sandbox.imagerouter.server import ImageRouterServer

_T = TypeVar("_T")

_MICROS_PER_USD: Final = 1_000_000
_TEST_MODEL: Final = "test/test"
_SECONDS_MS: Final = 1000


@dataclass(frozen=True, slots=True)
class SentPicture:
    """One picture that was answered: its bytes, and its address unless it went as base64 only."""

    request_index: int
    data: bytes = field(repr=False)
    media_type: str
    url: str | None
    data_uri_prefix: str = ""


class Making:
    """Serves one request; the server beside it keeps what outlives it."""

    def __init__(self, server: "ImageRouterServer", request: web.Request, fault: Fault) -> None:
        self._server = server
        self._request = request
        self._fault = fault
        self._started = time.monotonic()
        self._gone = False

    async def serve(self) -> web.StreamResponse:
        """Answer. Raises Refused for what is wrong before anything starts."""
        fault = self._fault
        if fault.drop == "at_once":
            return self._server.cut(self._request, b"")
        received = await self._receive()
        if fault.status is not None:
            return self._server.bare(fault.status, fault.body or b"", fault.headers)
        model = self._admit(received)
        if fault.drop == "before_headers" or fault.raw is not None:
            self._charge(model, received)
            return self._server.cut(self._request, fault.raw or b"")
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(self._request)
        try:
            return await self._answer(response, received, model)
        except Refused as refusal:
            # The status line is gone already: from here on every failure is a 200.
            error: JsonObject = {"message": str(refusal), "type": refusal.kind}
            await self._finish(response, _json({"error": error}))
            return response

    async def _receive(self) -> ReceivedRequest:
        edits = self._request.path.endswith("/edits")
        if edits:
            fields, files = await read_form(self._request)
        else:
            fields, files = await read_json(self._request), ()
        return self._server.record(
            "edits" if edits else "generations", fields, files, self._request.content_type
        )

    def _admit(self, received: ReceivedRequest) -> SandboxModel:
        account = self._server.account
        model = validate(received.fields, self._server.models)
        if not account.take_generation(limited=self._server.requests_per_second is not None):
            raise Refused(
                429,
                "Too many image generation requests, please try again later.",
                "rate_limit_error",
                {"Retry-After": "1"},
            )
        if model.free:
            if account.balance_micros <= 0:
                raise Refused(403, "Free models need a balance on your account.", "access_denied")
            if not account.take_free_request():
                message = "Daily limit of 50 free requests reached. Paid models have no limit."
                raise Refused(429, message, "rate_limit_error", {"RateLimit-Reset": "1"})
        return model

    async def _answer(
        self, response: web.StreamResponse, received: ReceivedRequest, model: SandboxModel
    ) -> web.StreamResponse:
        fault = self._fault
        if fault.error is not None:
            return await self._fail(response, received, model, fault.error)
        needed = model.at_most_micros()
        if self._server.account.balance_micros < needed:
            dollars = needed / _MICROS_PER_USD
            message = f"Insufficient credits (this model needs minimum ${dollars} credits)"
            raise Refused(200, message, "internal_error")
        if (problem := unsuitable(received, model)) is not None:
            raise Refused(200, problem, "internal_error")
        if fault.silent:
            self._charge(model, received)
            await self._server.closing.wait()
            return response
        pictures = await self._beating(response, self._work(received, model))
        self._charge(model, received)
        if fault.drop is not None or fault.end_early:
            return await self._break_off(response)
        if fault.blanks_only:
            await self._beating(response, self._server.closing.wait())
            return response
        body = await self._body(received, model, pictures)
        await self._finish(response, body)
        return response

    async def _fail(
        self,
        response: web.StreamResponse,
        received: ReceivedRequest,
        model: SandboxModel,
        error: object,
    ) -> web.StreamResponse:
        body: JsonObject = {"error": error}
        cost = self._fault.error_cost_micros
        if cost is not None:
            body["cost"] = cost / _MICROS_PER_USD
            self._take(model, received, cost)
        await self._finish(response, _json(body))
        return response

    async def _break_off(self, response: web.StreamResponse) -> web.StreamResponse:
        await self._write(response, b"  ")
        if self._fault.end_early:
            return response
        if self._fault.drop == "in_body":
            await self._write(response, b'{"created": 17000000000, "data": [{"url": "https://st')
        transport = self._request.transport
        if transport is not None:
            transport.abort()
        return response

    async def _finish(self, response: web.StreamResponse, body: bytes) -> None:
        await self._write(response, body)
        if not self._gone:
            await response.write_eof()

    async def _write(self, response: web.StreamResponse, data: bytes) -> None:
        """Write, unless the client has gone: the work goes on and is charged all the same."""
        if self._gone:
            return
        try:
            await response.write(data)
        except ConnectionError:
            self._gone = True

    async def _beating(self, response: web.StreamResponse, work: Awaitable[_T]) -> _T:
        """Send a blank every few seconds until `work` is done."""
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=self._server.heartbeat_s))[0]:
                await self._write(response, b" ")
            return task.result()
        finally:
            task.cancel()

    async def _work(self, received: ReceivedRequest, model: SandboxModel) -> list[bytes]:
        if self._fault.gate is not None:
            await self._fault.gate.pass_through()
        latency_ms = self._fault.latency_ms
        if latency_ms is None:
            latency_ms = self._server.latency_ms * model.slowness
        if latency_ms:
            await asyncio.sleep(latency_ms / _SECONDS_MS)
        if self._fault.no_picture is not None or self._fault.after_heartbeats is not None:
            return []
        count = self._fault.pictures or model.pictures
        if self._fault.picture is not None:
            return [self._fault.picture] * count
        return [await self._picture(received, model, number) for number in range(count)]

    async def _picture(self, received: ReceivedRequest, model: SandboxModel, number: int) -> bytes:
        prompt = received.fields.get("prompt", "")
        size = received.fields.get("size", "auto")
        kind = _kind(received, model)
        if model.id == _TEST_MODEL:
            return await self._server.fixed_picture()
        try:
            if received.images:
                inputs = [file.data for file in received.images]
                mask = received.mask.data if received.mask else None
                return await asyncio.to_thread(
                    redraw,
                    prompt,
                    inputs,
                    mask,
                    model=model.id,
                    effect=model.effect,
                    size=size,
                    kind=kind,
                )
            # Each request draws another picture, as models do.
            number += received.index * 100
            return await asyncio.to_thread(
                draw, prompt, model=model.id, number=number, size=size, kind=kind
            )
        except UnusableInput:
            raise Refused(
                200, "Invalid image file: it could not be read", "provider_error"
            ) from None

    def _charge(self, model: SandboxModel, received: ReceivedRequest) -> None:
        self._take(model, received, self._cost(model, received))

    def _take(self, model: SandboxModel, received: ReceivedRequest, cost_micros: int) -> None:
        key = self._server.key_of(self._request)
        self._server.account.charge(model.id, cost_micros, request_index=received.index, key=key)

    def _cost(self, model: SandboxModel, received: ReceivedRequest) -> int:
        if self._fault.cost_micros is not None:
            return self._fault.cost_micros
        return model.cost_micros(received.fields.get("quality", "auto"))

    async def _body(
        self, received: ReceivedRequest, model: SandboxModel, pictures: list[bytes]
    ) -> bytes:
        if self._fault.after_heartbeats is not None:
            return self._fault.after_heartbeats
        body: JsonObject = dict(model.extra)
        if model.created != "absent":
            now = self._server.now_ms()
            body["created"] = now if model.created == "ms" else now // _SECONDS_MS
        body["latency"] = round((time.monotonic() - self._started) * _SECONDS_MS)
        if not self._fault.hide_cost:
            body["cost"] = self._cost(model, received) / _MICROS_PER_USD
        if self._fault.no_picture is not None:
            body["data"] = [] if self._fault.no_picture == "empty" else [{"url": None}]
            return _json(body)
        wanted = received.fields.get("response_format", "url")
        as_url = (wanted == "url") != self._fault.swap_kind
        media_type = MEDIA_TYPES[_kind(received, model)]
        prefix = f"data:{media_type};base64," if model.data_uri else ""
        sent = [
            self._store(received, data, media_type, None if as_url else prefix) for data in pictures
        ]
        # Base64 of a large picture takes too long for the event loop.
        return await asyncio.to_thread(_whole_body, body, sent, self._fault.picture_url)

    def _store(
        self, received: ReceivedRequest, data: bytes, media_type: str, prefix: str | None
    ) -> SentPicture:
        """Keep a picture: under an address of its own, or with the `prefix` of its base64."""
        url = None
        if prefix is None:
            name = f"{secrets.token_hex(16)}.{media_type.partition('/')[2].partition('+')[0]}"
            url = f"{self._server.base_url}/storage/{name}"
        picture = SentPicture(received.index, data, media_type, url, prefix or "")
        self._server.keep(picture)
        return picture


def _kind(received: ReceivedRequest, model: SandboxModel) -> str:
    """Tell the format that really comes, which may not be the one that was asked."""
    if model.answers_in == "asked":
        return received.fields.get("output_format", "webp")
    return model.answers_in


def _whole_body(body: JsonObject, sent: list[SentPicture], other_url: str | None) -> bytes:
    items: list[JsonObject] = []
    for picture in sent:
        if picture.url is not None:
            items.append({"url": other_url or picture.url, "revised_prompt": None})
        else:
            text = picture.data_uri_prefix + base64.b64encode(picture.data).decode()
            items.append({"b64_json": text, "revised_prompt": None})
    return _json({**body, "data": items})


def _json(value: JsonObject) -> bytes:
    return json.dumps(value).encode()
