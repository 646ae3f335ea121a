"""Broken connections: what is repeated, what is free, and what nobody can know."""

import asyncio
import socket
import sys
from contextlib import ExitStack

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from msgspec.structs import replace

from bot.imagerouter import (
    BadKey,
    Billing,
    Generation,
    ImageRouter,
    ImageRouterError,
    Limits,
    MalformedAnswer,
    NoCredits,
    NotStarted,
    OutcomeUnknown,
    ProviderFailed,
    RateLimited,
    Refusal,
    RefusedRequest,
)
from sandbox.imagerouter import Fault, Gate, ImageRouterServer
from sandbox.imagerouter.wire import RawServer

KEY = "k" * 64
MODEL = "papercut/fold-mini"
ANSWER = b'{"data": [{"url": "https://a.example/1"}], "cost": 0.01}'
QUICK = Limits(connect_s=2, idle_s=2, total_s=5, question_s=2, retries=2, retry_budget_s=5)


async def generate(base_url: str, limits: Limits = QUICK) -> Generation:
    async with ImageRouter(api_key=KEY, base_url=base_url, limits=limits) as router:
        return await router.generate(model=MODEL, prompt="x")


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return head + await reader.readexactly(length)


def http(body: bytes, status: str = "200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_no_server_is_tried_again_and_then_costs_nothing() -> None:
    waits: list[type[ImageRouterError]] = []
    url = f"http://127.0.0.1:{free_port()}"
    async with ImageRouter(api_key=KEY, base_url=url, limits=QUICK) as router:
        with pytest.raises(NotStarted) as caught:
            await router.generate(
                model=MODEL, prompt="x", on_wait=lambda _, why: waits.append(type(why))
            )
    assert caught.value.billing is Billing.FREE
    assert waits == [NotStarted, NotStarted]


class NoNames(AbstractResolver):
    """Knows no name at all."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        raise OSError(None, "no such name")

    async def close(self) -> None:
        """Nothing is open."""


async def test_an_unknown_host_costs_nothing() -> None:
    async with ImageRouter(
        api_key=KEY, base_url="https://a.invalid", limits=Limits(retries=0), resolver=NoNames()
    ) as router:
        with pytest.raises(NotStarted):
            await router.generate(model=MODEL, prompt="x")


async def test_a_retry_that_would_take_too_long_is_not_waited_for() -> None:
    limits = Limits(retries=5, retry_budget_s=0.1)
    async with asyncio.timeout(2):
        with pytest.raises(NotStarted):
            await generate(f"http://127.0.0.1:{free_port()}", limits)


async def test_what_failed_late_is_not_sent_again_while_its_money_is_held(
    raw_server: RawServer,
) -> None:
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        writer.write(http(b"<html>nginx</html>", "502 Bad Gateway"))

    with pytest.raises(NotStarted) as caught:
        await generate(await raw_server(talk), replace(QUICK, retry_within_s=0.0))

    assert caught.value.billing is Billing.FREE
    assert len(seen) == 1


@pytest.mark.parametrize("status", ["502 Bad Gateway", "503 Busy", "504 Gateway Timeout"])
async def test_a_proxy_that_answers_in_its_place_is_tried_again(
    raw_server: RawServer, status: str
) -> None:
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        page = http(b"<html>nginx</html>", status)
        writer.write(page if len(seen) == 1 else http(ANSWER))

    made = await generate(await raw_server(talk))

    assert made.cost_micros == 10_000
    assert len(seen) == 2


async def test_a_503_in_imagerouters_own_words_is_not_repeated(raw_server: RawServer) -> None:
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        writer.write(http(b'{"error": {"message": "The model is overloaded"}}', "503 Busy"))

    with pytest.raises(ProviderFailed) as caught:
        await generate(await raw_server(talk))

    assert caught.value.busy
    assert len(seen) == 1


async def test_a_proxy_that_answers_in_json_of_its_own_is_tried_again(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    server.faults.status(502, '{"message": "no healthy upstream", "cost": 1}')
    made = await router.generate(model=MODEL, prompt="x")
    assert made.cost_micros == 1300
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (400, RefusedRequest, Refusal.OTHER),
        (402, NoCredits, None),
        (413, RefusedRequest, Refusal.REQUEST_TOO_LARGE),
        (422, RefusedRequest, Refusal.OTHER),
    ],
)
@pytest.mark.parametrize("body", ["", "<html>", '{"error": {"message": "No."}}'])
async def test_a_status_of_refusal_means_what_it_says_with_words_and_without(
    server: ImageRouterServer,
    router: ImageRouter,
    status: int,
    kind: type[ImageRouterError],
    reason: Refusal | None,
    body: str,
) -> None:
    server.faults.status(status, body)
    with pytest.raises(kind) as caught:
        await router.generate(model=MODEL, prompt="x")
    assert getattr(caught.value, "reason", None) is reason
    assert caught.value.billing is Billing.FREE
    assert len(server.requests) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse instead of waiting")
async def test_a_server_that_does_not_take_the_connection_in_time_costs_nothing() -> None:
    with ExitStack() as sockets:
        full = sockets.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):  # nobody accepts them, so that there is no room for another
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        with pytest.raises(NotStarted) as caught:
            await generate(url, Limits(connect_s=0.2, retries=0))
    assert caught.value.billing is Billing.FREE


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n       ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n  ",
        b'HTTP/1.1 200 OK\r\n\r\n  {"data": [{"url": "https://a.exa',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n   \r\n2\r\n{"',
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n   \r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/9.9 what\r\n\r\n",
        b"\x00\x01\x02\x03",
    ],
)
async def test_an_answer_that_breaks_off_is_unknown_and_not_repeated(
    raw_server: RawServer, answer: bytes
) -> None:
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        writer.write(answer)

    with pytest.raises(OutcomeUnknown) as caught:
        await generate(await raw_server(talk))

    assert caught.value.billing is Billing.UNKNOWN
    assert len(seen) == 1


@pytest.mark.parametrize("fault", ["before_headers", "after_headers", "in_body"])
async def test_a_dropped_connection_was_charged_and_is_unknown(
    server: ImageRouterServer, router: ImageRouter, fault: str
) -> None:
    server.faults.add(Fault(drop=fault))  # type: ignore[arg-type]  # one of its literals
    with pytest.raises(OutcomeUnknown):
        await router.generate(model=MODEL, prompt="x")
    assert len(server.requests) == len(server.charges) == 1


async def test_a_restart_of_the_server_is_unknown(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    server.faults.add(Fault(end_early=True))
    with pytest.raises(OutcomeUnknown):
        await router.generate(model=MODEL, prompt="x")
    assert len(server.requests) == len(server.charges) == 1


async def test_json_that_arrives_byte_by_byte_is_read(raw_server: RawServer) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for byte in b"  " + ANSWER + b"\n":
            writer.write(bytes([byte]))
            await writer.drain()

    assert (await generate(await raw_server(talk))).cost_micros == 10_000


async def test_a_redirect_is_not_followed_with_the_key(raw_server: RawServer) -> None:
    stolen: list[bytes] = []

    async def thief(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stolen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(http(ANSWER))

    target = (await raw_server(thief)).encode()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 307 Moved\r\nLocation: %s/x\r\nContent-Length: 0\r\n\r\n" % target)

    url = await raw_server(talk)
    with pytest.raises(NotStarted):
        await generate(url)
    async with ImageRouter(api_key=KEY, base_url=url, limits=QUICK) as router:
        with pytest.raises(NotStarted):
            await router.credits()
    assert stolen == []


async def test_the_key_goes_along_as_a_bearer_and_asks_for_no_compression(
    raw_server: RawServer,
) -> None:
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        writer.write(http(ANSWER))

    await generate(await raw_server(talk))

    assert f"Authorization: Bearer {KEY}\r\n".encode() in seen[0]
    assert b"Accept-Encoding: identity\r\n" in seen[0]


async def test_a_401_without_a_body_is_a_bad_key(raw_server: RawServer) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(http(b"", "401 Unauthorized"))

    with pytest.raises(BadKey):
        await generate(await raw_server(talk))


async def test_proxies_of_the_environment_are_not_used(
    server: ImageRouterServer, router: ImageRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    made = await router.generate(model=MODEL, prompt="x")
    await router.download(made.pictures[0].url or "", max_bytes=10_000_000)


async def test_cancelling_closes_the_connection_and_the_client_goes_on(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    gate = server.faults.hold()
    waiting = asyncio.create_task(router.generate(model=MODEL, prompt="x"))
    await gate.reached()

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gate.open()
    await server.wait_until(lambda: len(server.charges) == 1)

    assert (await router.generate(model=MODEL, prompt="y")).cost_micros == 1300


async def test_closing_ends_what_is_under_way_as_unknown(server: ImageRouterServer) -> None:
    gate = server.faults.hold()
    router = ImageRouter(api_key=server.api_key, base_url=server.base_url)
    async with router:
        waiting = asyncio.create_task(router.generate(model=MODEL, prompt="x"))
        await gate.reached()
    with pytest.raises(OutcomeUnknown):
        await waiting


async def test_a_hundred_generations_at_once_each_get_their_own_answer(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    async def one(number: int) -> None:
        cost = (number + 1) * 100
        made = await router.generate(model="test/test", prompt=str(number), size=f"{cost}x64")
        sent = next(each for each in server.answers if each.url == made.pictures[0].url)
        asked = server.requests[sent.request_index]
        assert asked.fields["prompt"] == str(number)

    await asyncio.gather(*(one(number) for number in range(100)))
    assert len(server.requests) == 100


async def test_as_many_requests_as_wanted_wait_side_by_side(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    gate = Gate()
    server.faults.add(Fault(gate=gate), times=150)
    waiting = [
        asyncio.create_task(router.generate(model="test/test", prompt="x")) for _ in range(150)
    ]
    await server.wait_until(lambda: len(server.requests) == 150)
    gate.open()
    await asyncio.gather(*waiting)


async def test_calls_keep_below_the_rate_that_was_set(server: ImageRouterServer) -> None:
    async with ImageRouter(
        api_key=server.api_key, base_url=server.base_url, requests_per_second=5
    ) as router:
        async with asyncio.timeout(0.9):
            await asyncio.gather(*(router.check_key() for _ in range(5)))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await router.check_key()
    assert len(server.calls) == 5


@pytest.mark.parametrize("rate", [0, -1])
def test_a_rate_of_nothing_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="requests_per_second"):
        ImageRouter(api_key=KEY, requests_per_second=rate)


async def test_questions_cost_nothing_however_they_fail(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    server.faults.status(200, "<html>", on="credits")
    server.faults.status(500, "<html>", on="credits")
    server.faults.status(429, "", on="credits")
    # aiohttp itself repeats a GET once when a connection that it kept has gone.
    server.faults.drop(on="credits", times=2)
    server.faults.raw(b"nonsense", on="credits")
    kinds = []
    for _ in range(5):
        with pytest.raises(ImageRouterError) as caught:
            await router.credits()
        assert caught.value.billing is Billing.FREE
        kinds.append(type(caught.value))
    assert kinds == [MalformedAnswer, NotStarted, RateLimited, NotStarted, NotStarted]


async def test_a_client_that_was_not_opened_says_so() -> None:
    router = ImageRouter(api_key=KEY, base_url="http://127.0.0.1:9")
    with pytest.raises(RuntimeError, match="async with"):
        await router.generate(model=MODEL, prompt="x")
    with pytest.raises(RuntimeError, match="async with"):
        await router.download("https://a.example/", max_bytes=1)
