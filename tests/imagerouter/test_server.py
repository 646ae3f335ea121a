"""The local ImageRouter behaves as the real one was observed to."""

import asyncio
import io
import json

import aiohttp
import pytest
from PIL import Image

from bot.imagerouter import ImageRouter, RateLimited, Upload
from sandbox.clock import SandboxClock
from sandbox.imagerouter import (
    DEFAULT_MODELS,
    SANDBOX_KEY,
    Fault,
    Gate,
    ImageRouterServer,
    SentPicture,
)

MODEL = "papercut/fold-mini"


def decode(picture: SentPicture) -> Image.Image:
    return Image.open(io.BytesIO(picture.data))


async def post(server: ImageRouterServer, body: object, **headers: str) -> aiohttp.ClientResponse:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{server.base_url}/v1/openai/images/generations",
            data=json.dumps(body),
            headers={"Authorization": f"Bearer {server.api_key}", **headers},
        ) as response,
    ):
        await response.read()
        return response


def test_the_models_cover_every_price_shape_and_ability() -> None:
    assert len(DEFAULT_MODELS) == len({model.id for model in DEFAULT_MODELS}) >= 20
    kinds = {price.kind for model in DEFAULT_MODELS for price in model.prices}
    assert kinds == {"fixed", "calculated", "post_generation"}
    assert any(not price.value and not price.spread for m in DEFAULT_MODELS for price in m.prices)
    for ability in ("edit", "mask", "quality", "one_image", "needs_image", "free", "overrun"):
        assert any(getattr(model, ability) for model in DEFAULT_MODELS), ability
    assert any(len(model.sizes) > 25 for model in DEFAULT_MODELS)
    assert any(model.released is None for model in DEFAULT_MODELS)
    assert all(model.edit for model in DEFAULT_MODELS if model.mask)


def test_the_key_looks_like_a_key_and_like_no_real_one() -> None:
    assert len(SANDBOX_KEY) == 64
    assert SANDBOX_KEY.startswith("sandbox-")


@pytest.mark.parametrize(
    ("size", "kind", "expected"),
    [
        ("512x384", "png", (512, 384)),
        ("300x700", "jpeg", (300, 700)),
        ("auto", "webp", (1024, 1024)),
        ("16x16", "png", (16, 16)),
        ("90000x45000", "png", (2048, 1024)),
    ],
)
async def test_pictures_have_the_size_and_format_that_was_asked(
    server: ImageRouterServer,
    router: ImageRouter,
    size: str,
    kind: str,
    expected: tuple[int, int],
) -> None:
    await router.generate(model=MODEL, prompt="a boat", size=size, output_format=kind)
    picture = decode(server.answers[0])
    assert picture.size == expected
    assert picture.format == kind.upper()


async def test_another_prompt_is_another_picture_and_the_test_model_has_one(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    for model in (MODEL, MODEL, "test/test", "test/test"):
        await router.generate(model=model, prompt="a boat " * 40, size="64x64")
    first, second, fixed, again = (answer.data for answer in server.answers)
    assert first != second
    assert fixed == again


async def test_an_edit_changes_the_picture_inside_the_mask_only(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    def encode(picture: Image.Image) -> bytes:
        out = io.BytesIO()
        picture.save(out, "PNG")
        return out.getvalue()

    grey = Image.new("RGB", (200, 100), (90, 90, 90))
    mask = Image.new("L", (200, 100), 0)
    mask.paste(255, (0, 0, 100, 20))
    await router.edit(
        model="mosaic/tessera-brush",
        prompt="blue",
        images=[Upload("a.png", "image/png", encode(grey))],
        mask=Upload("m.png", "image/png", encode(mask)),
        output_format="png",
    )
    result = decode(server.answers[0]).convert("RGB")
    assert result.size == (200, 100)
    assert result.getpixel((50, 10)) != (90, 90, 90)
    assert result.getpixel((150, 10)) == (90, 90, 90)


async def test_what_is_no_picture_is_refused_by_the_provider(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    with pytest.raises(Exception, match="could not be read"):
        await router.edit(
            model="saltmarsh/heron-collage",
            prompt="x",
            images=[Upload("a.png", "image/png", b"words")],
        )
    assert server.charges == []


async def test_the_balance_goes_down_by_what_was_charged(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    await router.generate(model=MODEL, prompt="x", size="32x32")
    await router.generate(model="test/test", prompt="x")
    assert server.account.balance_micros == 25_000_000 - 1300
    assert [charge.cost_micros for charge in server.charges] == [1300, 0]
    assert [charge.request_index for charge in server.charges] == [0, 1]


async def test_headers_leave_before_the_provider_answers(server: ImageRouterServer) -> None:
    gate = server.faults.hold()
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{server.base_url}/v1/openai/images/generations",
            json={"model": "test/test"},
            headers={"Authorization": f"Bearer {server.api_key}"},
        ) as response,
    ):
        assert response.status == 200
        assert await response.content.readexactly(2) == b"  "
        gate.open()
        assert json.loads(await response.read())["cost"] == 0


async def test_refusals_have_no_content_type(server: ImageRouterServer) -> None:
    response = await post(server, {"model": "nobody/nothing"})
    assert response.status == 400
    assert "Content-Type" not in response.headers


@pytest.mark.parametrize("header", ["", "bearer " + SANDBOX_KEY, "Bearer x", SANDBOX_KEY])
async def test_only_the_right_key_opens(server: ImageRouterServer, header: str) -> None:
    response = await post(server, {"model": "test/test"}, Authorization=header)
    assert response.status == 401
    assert server.requests == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"model": "test/test", "prompt": "x" * 10_001}, 500),
        ({"model": "test/test", "prompt": "a\0"}, 500),
        ({"model": "test/test", "extra": "x" * 110_000}, 500),
        ({"model": "test/test", "size": "16:9"}, 400),
        ({"model": "test/test", "quality": "best"}, 400),
        ({"model": ["test/test"]}, 400),
        ({"prompt": "x"}, 400),
        ([], 400),
        ({"model": "test/test", "n": 4}, 200),
    ],
)
async def test_wrong_requests_are_refused(
    server: ImageRouterServer, body: object, status: int
) -> None:
    assert (await post(server, body)).status == status


async def test_more_than_twenty_calls_a_second_are_refused(clock: SandboxClock) -> None:
    async with (
        ImageRouterServer(clock, requests_per_second=5) as server,
        ImageRouter(
            api_key=server.api_key, base_url=server.base_url, requests_per_second=None
        ) as router,
    ):
        for _ in range(5):
            await router.check_key()
        response = await post(server, {"model": "test/test"})
        assert (response.status, response.headers["Retry-After"]) == (429, "1")
        clock.advance(1000)
        assert (await post(server, {"model": "test/test"})).status == 200


async def test_a_small_balance_allows_six_generations_a_second(clock: SandboxClock) -> None:
    async with ImageRouterServer(
        clock, balance_micros=1_000_000, requests_per_second=100
    ) as server:
        answers = [(await post(server, {"model": "test/test"})).status for _ in range(8)]
    assert answers.count(429) >= 1
    assert answers[:6] == [200] * 6


async def test_a_client_that_leaves_is_charged_all_the_same(server: ImageRouterServer) -> None:
    gate = server.faults.hold()
    waiting = asyncio.create_task(post(server, {"model": MODEL, "size": "32x32"}))
    await gate.reached()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    gate.open()
    await server.wait_until(lambda: len(server.charges) == 1)
    assert server.charges[0].cost_micros == 1300


async def test_faults_are_used_in_order_and_can_be_taken_back(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    server.faults.status(429, "", times=1)
    server.faults.add(Fault(cost_micros=77))
    with pytest.raises(RateLimited):
        await router.generate(model=MODEL, prompt="x")
    assert (await router.generate(model=MODEL, prompt="x")).cost_micros == 77
    server.faults.status(429, "")
    server.faults.clear()
    assert (await router.generate(model=MODEL, prompt="x")).cost_micros == 1300


async def test_it_stops_at_once_with_requests_under_way(clock: SandboxClock) -> None:
    async with asyncio.timeout(5):
        async with ImageRouterServer(clock) as server:
            server.faults.add(Fault(silent=True))
            server.faults.add(Fault(gate=Gate()))
            waiting = [asyncio.create_task(post(server, {"model": "test/test"})) for _ in range(2)]
            await server.wait_until(lambda: len(server.requests) == 2)
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_waiting_for_what_never_comes_ends(server: ImageRouterServer) -> None:
    with pytest.raises(TimeoutError):
        await server.wait_until(lambda: False, timeout=0.05)
