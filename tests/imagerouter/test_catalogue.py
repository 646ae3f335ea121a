"""The catalogue, the account and the popular models, as odd as they come."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.imagerouter import (
    BadKey,
    Billing,
    CatalogueModel,
    Credits,
    ImageRouter,
    ImageRouterError,
    KeyUsage,
    MalformedAnswer,
    NotStarted,
    ProviderPrice,
    RateLimited,
)
from bot.imagerouter._catalogue import MAX_MODELS, parse_catalogue, parse_model
from bot.imagerouter._json import NotJson, parse_json
from sandbox.imagerouter import DEFAULT_MODELS, ImageRouterServer

ENTRY = {
    "providers": [{"id": "p", "model_name": "m", "pricing": {"type": "fixed", "value": 0.0351}}],
    "release_date": "2022-04-6",
    "sizes": ["auto", "512x512", "16:9", 7, "512x512"],
    "output": ["image"],
    "supported_params": {"edit": True, "mask": False, "quality": "yes"},
}


async def test_the_whole_catalogue_is_read_with_exact_prices(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    page = await router.models()
    by_id = {model.id: model for model in page.models}
    assert set(by_id) == set(server.models)
    assert page.skipped == 0
    assert by_id["orchard/russet"].at_most_micros == 35_000
    assert by_id["orchard/russet"].release_date == "2022-04-6"
    assert by_id["orchard/pippin"].release_date is None
    assert by_id["inkwell/quill-xl"].at_most_micros is None
    assert by_id["inkwell/quill-sketch"].providers[0].average == 3100
    assert by_id["inkwell/quill-sketch"].providers[0].minimum == 4000
    assert by_id["northwind/gale-pro"].at_most_micros == 300_000
    assert by_id["northwind/gale-pro"].about_micros == 20_000
    assert len(by_id["mosaic/tessera-grid"].sizes) == 30
    assert by_id["test/test"].at_most_micros == 0


async def test_the_sort_order_of_the_server_is_kept(router: ImageRouter) -> None:
    page = await router.models(sort="name")
    names = [model.id.lower() for model in page.models]
    assert names == sorted(names)
    dated = [model.release_date or "" for model in (await router.models(sort="date")).models]
    assert dated == sorted(dated, reverse=True)


async def test_filters_are_passed_on(router: ImageRouter) -> None:
    assert [m.id for m in (await router.models(name="PIPPIN")).models] == ["orchard/pippin"]
    free = {m.id for m in (await router.models(free=True)).models}
    assert free == {"test/test", "lumenfield/aurora-2-mini:free"}
    quay = {m.id for m in (await router.models(provider="quay")).models}
    assert quay == {"black-forest-labs/FLUX-1-schnell", "northwind/gale-pro"}
    assert len((await router.models(limit=3)).models) == 3
    assert (await router.models(type="video")).models == ()


async def test_an_unchanged_catalogue_is_not_sent_again(router: ImageRouter) -> None:
    page = await router.models()
    again = await router.models(etag=page.etag)
    assert again.not_modified
    assert again.etag == page.etag
    other = await router.models(sort="name", etag=page.etag)
    assert not other.not_modified


@pytest.mark.parametrize("model", DEFAULT_MODELS, ids=lambda model: model.id)
async def test_every_shape_of_an_entry_says_the_same(
    router: ImageRouter, model: object, server: ImageRouterServer
) -> None:
    listed = {each.id: each for each in (await router.models()).models}
    for each in DEFAULT_MODELS:
        if each is not model:
            continue
        one = await router.model(each.id)
        assert one is not None
        first = listed[each.id]
        assert (one.id, one.edit, one.mask, one.quality, one.sizes) == (
            first.id,
            first.edit,
            first.mask,
            first.quality,
            first.sizes,
        )
        assert one.at_most_micros == first.at_most_micros
        second = parse_model(each.id, parse_json(json.dumps(each.v2()).encode()))
        assert second is not None
        assert (second.edit, second.mask) == (first.edit, first.mask)
        assert second.at_most_micros == first.at_most_micros


async def test_a_model_that_is_not_there_is_none(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    assert await router.model("nobody/nothing") is None
    assert await router.model("../credits") is None
    assert await router.model("a/../../v1/credits?x=y#z") is None
    assert not any("credits" in call for call in server.calls)


def test_an_odd_entry_is_read_as_far_as_it_makes_sense() -> None:
    model = parse_model("a/b", json.loads(json.dumps(ENTRY)))
    assert model == CatalogueModel(
        id="a/b",
        providers=(ProviderPrice("p", None, None, None, "fixed", "m"),),
        edit=True,
        sizes=("auto", "512x512"),
        release_date="2022-04-6",
    )


def test_prices_are_exact_and_never_guessed() -> None:
    def price(pricing: str) -> tuple[int | None, int | None, int | None]:
        body = '{"a/b": {"providers": [{"pricing": %s}]}}'.replace("%s", pricing)
        first = parse_catalogue(body.encode())[0][0].providers[0]
        return first.minimum, first.average, first.maximum

    assert price('{"type": "fixed", "value": 0.0351}') == (35_100, 35_100, 35_100)
    assert price('{"range": {"min": 0.02, "average": 0.01, "max": 0.03}}') == (
        20_000,
        10_000,
        30_000,
    )
    assert price('{"range": {"average": 0.01}}') == (None, 10_000, None)
    assert price('{"value": 0.05, "range": {"max": 0.03}}') == (50_000, 50_000, 50_000)
    assert price('{"value": "0.02"}') == (20_000, 20_000, 20_000)
    assert price('{"value": -1}') == (None, None, None)
    assert price('{"value": NaN}') == (None, None, None)
    assert price('{"value": true}') == (None, None, None)
    assert price("{}") == price("null") == price('"free"') == (None, None, None)


def test_one_provider_without_a_price_leaves_the_highest_price_unknown() -> None:
    body = b'{"a/b": {"providers": [{"pricing": {"value": 0.01}}, {"pricing": {}}]}}'
    assert parse_catalogue(body)[0][0].at_most_micros is None


def test_entries_without_sense_are_skipped_and_counted() -> None:
    good = json.dumps(ENTRY)
    body = f'{{"a/b": {good}, "": {good}, "c d": {good}, "e\\u0000f": {good}, "g/h": null, '
    body += f'"i/j": [], "k/l": 3, "a/b": {good}, "A/B": {good}, "{"x" * 300}": {good}}}'
    models, skipped = parse_catalogue(body.encode())
    assert [model.id for model in models] == ["a/b", "A/B"]
    assert skipped == 8


def test_a_list_of_models_is_a_catalogue_too() -> None:
    models, skipped = parse_catalogue(b'[{"id": "a/b"}, {"name": "x"}, 7]')
    assert [model.id for model in models] == ["a/b"]
    assert skipped == 2


@pytest.mark.parametrize("body", [b"", b"  ", b"<html>", b'{"a/b": {}', b'{"a" 1}', b"{,}", b"7"])
def test_what_is_no_catalogue_is_told(body: bytes) -> None:
    with pytest.raises(NotJson):
        parse_catalogue(body)


def test_an_empty_catalogue_is_empty() -> None:
    assert parse_catalogue(b"{}") == ((), 0)


def test_more_models_than_sensible_are_not_kept() -> None:
    body = json.dumps({f"a/{number}": {} for number in range(MAX_MODELS + 5)}).encode()
    models, skipped = parse_catalogue(body)
    assert (len(models), skipped) == (MAX_MODELS, 5)


KEYS = (
    "providers pricing range min max average value sizes output supported_params inputs edit mask"
)
KEYS += " image size price id"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS.split()),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=4) | st.lists(JSON, max_size=3))
def test_no_entry_breaks_the_catalogue(catalogue: object) -> None:
    models, skipped = parse_catalogue(json.dumps(catalogue).encode())
    for model in models:
        for price in model.providers:
            known = [price.minimum, price.average, price.maximum]
            assert all(amount is None or amount >= 0 for amount in known)
    assert len(models) + skipped == len(catalogue)  # type: ignore[arg-type]  # it has a length


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"<html>", MalformedAnswer),
        (200, b"", MalformedAnswer),
        (404, b"<html>", MalformedAnswer),
        (500, b"<html>", NotStarted),
        (429, b"", RateLimited),
        (401, b"", BadKey),
        (302, b"", NotStarted),
    ],
)
async def test_a_catalogue_that_fails_costs_nothing(
    server: ImageRouterServer,
    router: ImageRouter,
    status: int,
    body: bytes,
    kind: type[ImageRouterError],
) -> None:
    server.faults.status(status, body, on="models")
    with pytest.raises(kind) as caught:
        await router.models()
    assert caught.value.billing is Billing.FREE


async def test_a_catalogue_of_fifty_megabytes_is_not_read_to_its_end(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    server.faults.status(200, b" " * 50_000_000, on="models")
    with pytest.raises(MalformedAnswer, match="more than"):
        await router.models()


async def test_a_catalogue_of_ten_thousand_models_is_read(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    body = json.dumps({f"vendor-{number}/model": ENTRY for number in range(10_000)}).encode()
    server.faults.status(200, body, on="models")
    page = await router.models()
    assert len(page.models) == 10_000


async def test_credits_are_strings_in_dollars_and_the_key_check_is_in_small_units(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    server.account.charge("some/model", 12_654_400, request_index=0)
    money = await router.credits()
    assert (money.remaining, money.used, money.deposits) == (12_345_600, 12_654_400, 25_000_000)
    assert money.keys == ()
    assert (await router.check_key()).balance == 12_345_600


async def test_what_each_key_was_used_for_comes_when_it_is_asked_for(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    other = server.account.add_key("A website", "another-secret")
    server.account.charge("some/model", 1250, request_index=0)
    server.account.charge("some/model", 40_000, request_index=1, key=other)
    server.account.deposit(5_000_000)
    money = await router.credits(by_api_key=True)
    assert (money.used, money.deposits) == (41_300, 30_000_000)
    told = [(key.name, key.used, key.is_active) for key in money.keys]
    assert told == [("Sandbox", 1300, True), ("A website", 40_000, True)]
    server.replace_key("a-third-secret")
    assert [key.is_active for key in (await router_of(server)).keys] == [False, True, True]


async def router_of(server: ImageRouterServer) -> Credits:
    async with ImageRouter(api_key=server.api_key, base_url=server.base_url) as router:
        return await router.credits(by_api_key=True)


@pytest.mark.parametrize(
    ("usage", "keys"),
    [
        ("null", []),
        ('{"a": 1}', []),
        ("[1, null, {}, []]", []),
        ('[{"api_key_id": 7}, {"api_key_id": " "}]', []),
        ('[{"api_key_id": "a"}]', [KeyUsage("a", "", None, is_active=True)]),
        (
            '[{"api_key_id": "a", "api_key_name": 5, "credit_usage": "-1", "is_active": false}]',
            [KeyUsage("a", "", -1_000_000, is_active=False)],
        ),
        (
            '[{"api_key_id": "a", "credit_usage": "1"}, {"api_key_id": "a", "credit_usage": "2"}]',
            [KeyUsage("a", "", 2_000_000, is_active=True)],
        ),
        (
            f'[{{"api_key_id": "{"i" * 300}", "api_key_name": "{"n" * 300}"}}]',
            [KeyUsage("i" * 100, "n" * 100, None, is_active=True)],
        ),
    ],
)
async def test_odd_breakdowns_by_key_are_read_as_far_as_they_make_sense(
    server: ImageRouterServer, router: ImageRouter, usage: str, keys: list[KeyUsage]
) -> None:
    server.faults.status(200, f'{{"credit_usage": "3", "usage_by_api_key": {usage}}}', on="credits")
    money = await router.credits(by_api_key=True)
    assert (money.used, list(money.keys)) == (3_000_000, keys)


@pytest.mark.parametrize(
    ("body", "remaining"),
    [
        ('{"remaining_credits": "-0.5"}', -500_000),
        ('{"remaining_credits": 1.25}', 1_250_000),
        ('{"remaining_credits": "lots"}', None),
        ('{"remaining_credits": null}', None),
        ("{}", None),
    ],
)
async def test_odd_balances_are_unknown_and_never_zero(
    server: ImageRouterServer, router: ImageRouter, body: str, remaining: int | None
) -> None:
    server.faults.status(200, body, on="credits")
    assert (await router.credits()).remaining == remaining


@pytest.mark.parametrize(
    ("body", "balance"),
    [
        ('{"success": true, "credits": 57}', 5_700),
        ('{"success": true, "credits": -3}', -300),
        ('{"success": true}', None),
        ('{"credits": "57"}', None),
        ('{"credits": true}', None),
    ],
)
async def test_a_key_check_without_a_sensible_balance_is_still_a_working_key(
    server: ImageRouterServer, router: ImageRouter, body: str, balance: int | None
) -> None:
    server.faults.status(200, body, on="auth")
    assert (await router.check_key()).balance == balance


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ('{"json": ["a/b", "c/d"]}', ["a/b", "c/d"]),
        ('["a/b", "a/b"]', ["a/b"]),
        ('[{"id": "a/b"}, {"model": "c/d"}, {"name": "e/f"}, {}, null, 3]', ["a/b", "c/d", "e/f"]),
        ('{"json": {"models": []}}', []),
        ("<html>", []),
        ("", []),
        ('"words"', []),
        ("[[[[[]]]]]", []),
    ],
)
async def test_popular_models_are_taken_as_they_come(
    server: ImageRouterServer, router: ImageRouter, body: str, names: list[str]
) -> None:
    server.faults.status(200, body, on="popular")
    assert await router.popular_models() == names


@pytest.mark.parametrize("status", [200, 404])
async def test_an_error_is_never_taken_for_a_working_key(
    server: ImageRouterServer, router: ImageRouter, status: int
) -> None:
    for body in ('{"error": {"message": "x"}}', '{"success": false}'):
        server.faults.status(status, body, on="auth")
        with pytest.raises(MalformedAnswer):
            await router.check_key()
    server.faults.status(status, '{"error": "x"}', on="credits")
    with pytest.raises(MalformedAnswer):
        await router.credits()


async def test_an_empty_address_does_without_popularity(server: ImageRouterServer) -> None:
    async with ImageRouter(
        api_key=server.api_key, base_url=server.base_url, popular_url=""
    ) as router:
        assert await router.popular_models() == []
    assert server.calls == []


async def test_without_popular_models_life_goes_on(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    server.faults.status(500, "", on="popular")
    assert await router.popular_models() == []
    server.faults.drop(on="popular")
    assert await router.popular_models() == []
    assert len(await router.popular_models()) == 10


async def test_many_questions_at_once_are_answered(router: ImageRouter) -> None:
    pages = await asyncio.gather(*(router.models() for _ in range(30)))
    assert len({page.etag for page in pages}) == 1
