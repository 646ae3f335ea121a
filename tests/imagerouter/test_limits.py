"""Money, rate limits, limits before sending, and the key: over real sockets."""

import json
import logging
from decimal import Decimal

import pytest

from bot.imagerouter import (
    BadKey,
    Billing,
    DailyFreeLimit,
    ImageRouter,
    ImageRouterError,
    Limits,
    NoCredits,
    ProviderFailed,
    RateLimited,
    Refusal,
    RefusedRequest,
)
from bot.imagerouter._requests import json_body
from sandbox.clock import SandboxClock
from sandbox.imagerouter import ImageRouterServer

MODEL = "papercut/fold-mini"


async def failure(router: ImageRouter, **fields: str) -> ImageRouterError:
    """Generate, and give the error that must come of it."""
    with pytest.raises(ImageRouterError) as caught:
        await router.generate(**{"model": MODEL, "prompt": "a paper boat", **fields})  # type: ignore[arg-type]  # only strings are passed
    return caught.value


# 11. Money.
@pytest.mark.parametrize(
    ("written", "micros"),
    [
        ("0.004", 4000),
        ("0.0351", 35_100),
        ("0.1", 100_000),
        ("1e-4", 100),
        ("0.0000001", 1),
        ("0", 0),
        ('"0.02"', 20_000),
        ("null", None),
        ("-0.01", None),
        ("NaN", None),
        ("Infinity", None),
        ("1e99999999999999999999", None),
        ("1" + "0" * 5000, None),
        ("5000", None),
        ("true", None),
        ('"free"', None),
        ("{}", None),
    ],
)
async def test_a_cost_is_exact_or_unknown(
    server: ImageRouterServer, router: ImageRouter, written: str, micros: int | None
) -> None:
    server.faults.answer('{"data": [{"url": "https://a.example/1"}], "cost": ' + written + "}")
    made = await router.generate(model=MODEL, prompt="x")
    assert made.cost_micros == micros


async def test_every_price_in_the_servers_unit_arrives_exactly(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    for units in (1, 3, 7, 29, 57, 58, 113, 1001, 2299):
        body = f'{{"data": [{{"url": "https://a.example/1"}}], "cost": {Decimal(units) / 10_000}}}'
        server.faults.answer(body)
        assert (await router.generate(model=MODEL, prompt="x")).cost_micros == units * 100


async def test_a_cost_above_the_highest_price_is_reported_in_full(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    made = await router.generate(model="northwind/gale-turbo", prompt="x")
    listed = await router.model("northwind/gale-turbo")
    assert listed is not None
    assert listed.at_most_micros == 600
    assert made.cost_micros == 18_000


async def test_an_empty_account_is_no_credits(clock: SandboxClock) -> None:
    async with (
        ImageRouterServer(clock, balance_micros=1000) as poor,
        ImageRouter(api_key=poor.api_key, base_url=poor.base_url) as router,
    ):
        error = await failure(router)
    assert isinstance(error, NoCredits)
    assert error.billing is Billing.FREE
    assert poor.charges == []


# 12. Rate limits.
async def test_a_429_that_says_when_is_tried_again(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    body = json.dumps({"error": {"message": "Too many requests", "type": "rate_limit_error"}})
    server.faults.status(429, body, headers={"Retry-After": "0"}, times=2)
    waits: list[tuple[float, type]] = []
    await router.generate(
        model=MODEL, prompt="x", on_wait=lambda pause, why: waits.append((pause, type(why)))
    )
    assert waits == [(0.0, RateLimited), (0.0, RateLimited)]
    assert len(server.requests) == 3
    assert len(server.charges) == 1


async def test_a_429_is_not_tried_for_ever(server: ImageRouterServer, router: ImageRouter) -> None:
    server.faults.status(429, "", headers={"Retry-After": "0"}, times=50)
    error = await failure(router)
    assert isinstance(error, RateLimited)
    assert len(server.requests) == 4


async def test_a_burst_above_the_accounts_rate_is_let_in_bit_by_bit(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    server.faults.status(429, "", headers={"Retry-After": "0.02"}, times=8)
    await router.generate(model=MODEL, prompt="x")
    assert len(server.requests) == 9
    assert len(server.charges) == 1


async def test_what_is_waited_for_again_and_again_has_an_end(server: ImageRouterServer) -> None:
    server.faults.status(429, "", headers={"Retry-After": "0.02"}, times=50)
    limits = Limits(retry_budget_s=0.5)
    async with ImageRouter(
        api_key=server.api_key, base_url=server.base_url, limits=limits
    ) as router:
        error = await failure(router)
    assert isinstance(error, RateLimited)
    assert 2 <= len(server.requests) <= 6


async def test_a_429_that_asks_for_too_long_is_left_to_the_caller(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    server.faults.status(429, "", headers={"Retry-After": "3600"})
    error = await failure(router)
    assert isinstance(error, RateLimited)
    assert error.retry_after == 3600
    assert len(server.requests) == 1


async def test_a_429_that_does_not_say_when_is_not_tried_again(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    server.faults.status(429, '{"error": {"message": "Slow down"}}')
    error = await failure(router)
    assert isinstance(error, RateLimited)
    assert error.retry_after > 0
    assert len(server.requests) == 1


@pytest.mark.parametrize("body", ['{"error": {"message": "Slow down"}}', "", "<p>busy</p>"])
async def test_a_free_model_without_a_time_to_come_back_has_had_its_day_whatever_the_words(
    body: str, server: ImageRouterServer, router: ImageRouter
) -> None:
    server.faults.status(429, body)
    assert isinstance(await failure(router, model="lumenfield/aurora-2-mini:free"), DailyFreeLimit)
    assert len(server.requests) == 1


async def test_the_fifty_first_free_request_of_a_day_is_not_repeated(
    server: ImageRouterServer, router: ImageRouter, clock: SandboxClock
) -> None:
    while server.account.take_free_request():
        pass
    error = await failure(router, model="lumenfield/aurora-2-mini:free")
    assert isinstance(error, DailyFreeLimit)
    assert len(server.requests) == 1

    clock.advance(24 * 3600 * 1000)
    await router.generate(model="lumenfield/aurora-2-mini:free", prompt="x", size="512x512")


async def test_a_free_model_without_balance_is_no_credits(clock: SandboxClock) -> None:
    async with (
        ImageRouterServer(clock, balance_micros=0) as poor,
        ImageRouter(api_key=poor.api_key, base_url=poor.base_url) as router,
    ):
        error = await failure(router, model="lumenfield/aurora-2-mini:free")
    assert isinstance(error, NoCredits)
    assert error.free_model


async def test_a_free_model_refuses_large_sizes(router: ImageRouter) -> None:
    error = await failure(router, model="lumenfield/aurora-2-mini:free", size="2048x1024")
    assert isinstance(error, RefusedRequest)
    assert error.reason is Refusal.SIZE


# 13. Limits, checked before anything is sent.
@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"prompt": "a" * 10_001}, Refusal.PROMPT_TOO_LONG),
        ({"prompt": "\U0001f6a2" * 5_001}, Refusal.PROMPT_TOO_LONG),
        ({"prompt": "a\0b"}, Refusal.PROMPT_UNUSABLE),
        ({"prompt": "a\ud83d"}, Refusal.PROMPT_UNUSABLE),
        ({"size": "16:9"}, Refusal.SIZE),
        ({"size": "0x512"}, Refusal.SIZE),
        ({"quality": "best"}, Refusal.QUALITY),
        ({"output_format": "gif"}, Refusal.FORMAT),
        ({"response_format": "file"}, Refusal.FORMAT),
        ({"model": ""}, Refusal.UNKNOWN_MODEL),
    ],
)
async def test_what_cannot_work_is_refused_before_it_is_sent(
    server: ImageRouterServer, router: ImageRouter, fields: dict[str, str], reason: Refusal
) -> None:
    error = await failure(router, **fields)
    assert isinstance(error, RefusedRequest)
    assert error.reason is reason
    assert error.billing is Billing.FREE
    assert server.calls == []


async def test_the_longest_prompt_is_sent_whole(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    for prompt in ("\U0001f6a2" * 5_000, "漢" * 10_000):
        await router.generate(model="test/test", prompt=prompt)
        assert server.requests[-1].fields["prompt"] == prompt


@pytest.mark.parametrize(("size", "fits"), [(100_000, True), (100_001, False)])
def test_more_json_than_imagerouter_reads_is_refused_before_it_is_sent(
    size: int, *, fits: bool
) -> None:
    prompt = "漢"  # three bytes
    fields = {"prompt": prompt + "x" * (size - len('{"prompt":""}') - len(prompt.encode()))}
    if fits:
        assert len(json_body(fields)) == size
        return
    with pytest.raises(RefusedRequest) as caught:
        json_body(fields)
    assert caught.value.reason is Refusal.REQUEST_TOO_LARGE


# 14. Bad keys; and the key stays where it belongs.
async def test_a_bad_key_is_told_as_such(server: ImageRouterServer) -> None:
    async with ImageRouter(api_key="wrong" * 12 + "1234", base_url=server.base_url) as router:
        error = await failure(router)
        assert isinstance(error, BadKey)
        assert error.billing is Billing.FREE
        with pytest.raises(BadKey):
            await router.check_key()


async def test_a_providers_bad_key_is_not_ours(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    server.faults.error("Incorrect API key provided: sk-abcdef0123456789", kind="unauthorized")
    error = await failure(router)
    assert isinstance(error, ProviderFailed)
    assert "abcdef" not in error.excerpt


async def test_the_key_is_in_no_text_that_the_client_makes(
    server: ImageRouterServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = server.api_key
    texts: list[str] = []
    async with ImageRouter(
        api_key=key, base_url=server.base_url, requests_per_second=None, limits=Limits(retries=0)
    ) as router:
        texts += [repr(router), str(vars(router).keys())]
        server.faults.error(f"Key {key} failed at https://x.example/?key={key}")
        server.faults.status(500, key)
        server.faults.status(503, key)
        server.faults.drop("after_headers")
        server.faults.raw(b"garbage\r\n\r\n")
        for _ in range(5):
            error = await failure(router)
            texts += [str(error), repr(error), error.excerpt, repr(error.__cause__)]
    texts.append(caplog.text)
    assert all(key not in text for text in texts)


@pytest.mark.parametrize("key", ["with space", "new\nline", "schlüssel"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ValueError, match="characters that no key has") as caught:
        ImageRouter(api_key=key)
    assert key not in str(caught.value)


def test_a_base_url_that_would_show_the_key_is_refused() -> None:
    with pytest.raises(ValueError, match="https"):
        ImageRouter(api_key="k", base_url="http://api.example.org")
