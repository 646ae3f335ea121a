"""The catalogue over a local ImageRouter: whatever it answers, models stay known."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.catalog import TEST_MODEL, Catalog, Lesson
from bot.errors import UnknownModel
from bot.imagerouter import ImageRouter, ImageRouterError, Limits
from sandbox.clock import SandboxClock
from sandbox.imagerouter import DEFAULT_MODELS, ImageRouterServer, Price, SandboxModel

AURORA = "lumenfield/aurora-2"
MINUTE_MS = 60_000
PROVIDERS = [{"id": "p", "model_name": "m", "pricing": {"type": "fixed", "value": 0.01}}]
ENTRY = {
    "providers": PROVIDERS,
    "output": ["image"],
    "supported_params": {"edit": False, "mask": False, "quality": False},
}

Break = Callable[[ImageRouterServer], None]


def _answering(status: int, body: bytes | str, **headers: str) -> Break:
    def spoil(server: ImageRouterServer) -> None:
        server.faults.status(status, body, headers=headers, times=10, on="models")

    return spoil


def _hanging_up(server: ImageRouterServer) -> None:
    server.faults.drop("before_headers", times=10, on="models")


BROKEN: dict[str, Break] = {
    "an HTML page": _answering(200, "<!DOCTYPE html><html><body>Bad gateway</body></html>"),
    "an HTML page that says 500": _answering(500, "<html><h1>Internal error</h1></html>"),
    "500": _answering(500, b""),
    "502 of a proxy": _answering(502, "<html>Bad gateway</html>"),
    "429": _answering(429, "slow down", **{"Retry-After": "60"}),
    "429 without a time": _answering(429, '{"error": {"message": "daily limit"}}'),
    "an empty object": _answering(200, "{}"),
    "an empty answer": _answering(200, b""),
    "half an answer": _answering(200, '{"acme/one": {"providers": ['),
    "50 MB": _answering(200, b'{"acme/huge": "' + b"x" * 50_000_000 + b'"}'),
    "a broken connection": _hanging_up,
}
broken = pytest.mark.parametrize("spoil", BROKEN.values(), ids=BROKEN.keys())


@pytest.fixture
async def router(server: ImageRouterServer) -> AsyncIterator[ImageRouter]:
    async with ImageRouter(
        api_key=server.api_key,
        base_url=server.base_url,
        popular_url=server.popular_url,
        requests_per_second=None,
        limits=Limits(connect_s=5, idle_s=10, total_s=20, question_s=15, retries=0),
    ) as client:
        yield client


@asynccontextmanager
async def loaded(
    router: ImageRouter,
    clock: SandboxClock,
    cache: Path | None = None,
    *,
    refresh_s: float = 3600,
) -> AsyncIterator[Catalog]:
    catalog = Catalog(
        router, clock=clock, cache_path=cache, unpriced_ceiling=None, refresh_s=refresh_s
    )
    async with catalog:
        await catalog.load()
        yield catalog


async def until(condition: Callable[[], bool], *, turns: int = 2_000) -> None:
    """Let the background work until something holds."""
    for _ in range(turns):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never came true")


# -- bad answers ----------------------------------------------------------------------------------


@broken
async def test_after_a_bad_answer_everything_is_as_it_was(
    spoil: Break, server: ImageRouterServer, router: ImageRouter, clock: SandboxClock
) -> None:
    async with loaded(router, clock) as catalog:
        before = catalog.models
        spoil(server)

        assert await catalog.refresh() > 0

        assert catalog.models is before
        assert catalog.require(AURORA).ceiling == 120_000
        assert catalog.search("arora")[0].id == AURORA
        server.faults.clear()
        server.models["acme/new"] = SandboxModel("acme/new", (Price(value="0.01"),))
        await catalog.refresh()
        assert catalog.get("acme/new") is not None


@broken
async def test_a_start_while_imagerouter_is_broken_takes_the_copy_on_disk(
    spoil: Break,
    server: ImageRouterServer,
    router: ImageRouter,
    clock: SandboxClock,
    tmp_path: Path,
) -> None:
    cache = tmp_path / "models.json"
    async with loaded(router, clock, cache) as catalog:
        before = catalog.models
    spoil(server)
    async with loaded(router, clock, cache) as catalog:
        assert catalog.models == before
        assert catalog.cheapest().ceiling == 0


async def test_a_start_without_any_network_takes_the_copy_on_disk(
    clock: SandboxClock, tmp_path: Path
) -> None:
    cache = tmp_path / "models.json"
    async with ImageRouterServer(clock, requests_per_second=None) as server:
        key, base, popular_url = server.api_key, server.base_url, server.popular_url
        async with (
            ImageRouter(api_key=key, base_url=base, popular_url=popular_url) as router,
            loaded(router, clock, cache) as catalog,
        ):
            catalog.learn(AURORA, Lesson.ONE_IMAGE)
            await until(lambda: bool(catalog.popular))
            popular = catalog.popular
    nobody_there = ImageRouter(
        api_key=key, base_url=base, popular_url=popular_url, limits=Limits(retries=0)
    )
    async with nobody_there as router, loaded(router, clock, cache) as catalog:
        model = catalog.require(AURORA)
        assert (model.ceiling, model.max_images) == (120_000, 1)
        assert catalog.popular == popular
        assert await catalog.refresh() > 0
        assert catalog.require(AURORA) is model


async def test_questions_are_answered_while_imagerouter_keeps_the_refresh_waiting(
    server: ImageRouterServer, router: ImageRouter, clock: SandboxClock
) -> None:
    async with loaded(router, clock) as catalog:
        gate = server.faults.hold(on="models")
        refreshing = asyncio.create_task(catalog.refresh())
        await gate.reached()

        assert catalog.require(AURORA).id == AURORA
        assert catalog.search("aurora")
        catalog.learn(AURORA, Lesson.ONE_IMAGE)
        server.models["acme/new"] = SandboxModel("acme/new", (Price(value="0.01"),))
        gate.open()
        await refreshing

        assert catalog.get("acme/new") is not None
        learned = catalog.get(AURORA)
        assert learned is not None
        assert learned.max_images == 1


async def test_an_unchanged_list_is_not_sent_again_and_refreshes_are_spread(
    server: ImageRouterServer, router: ImageRouter, clock: SandboxClock
) -> None:
    async with loaded(router, clock, refresh_s=900) as catalog:
        before = catalog.models
        pauses = {await catalog.refresh() for _ in range(8)}
        assert catalog.models is before
        assert len(pauses) > 1
        assert all(900 * 0.8 < pause < 900 * 1.2 for pause in pauses)


async def test_a_rate_limit_is_waited_for(
    server: ImageRouterServer, router: ImageRouter, clock: SandboxClock
) -> None:
    async with loaded(router, clock, refresh_s=60) as catalog:
        server.faults.status(429, "slow", headers={"Retry-After": "500"}, on="models")
        assert await catalog.refresh() > 400


# -- odd lists ------------------------------------------------------------------------------------


async def test_unknown_fields_and_names_in_another_case_harm_nothing(
    server: ImageRouterServer, router: ImageRouter, clock: SandboxClock
) -> None:
    listing = {
        "acme/One": {**ENTRY, "surprise": {"deep": [1, {"er": None}]}, "sizes": "many"},
        "acme/one": {**ENTRY, "release_date": "2022-04-6", "providers": PROVIDERS * 2},
        "ACME/ONE": {**ENTRY, "supported_params": {"edit": True, "levitates": True}},
    }
    server.faults.status(200, json.dumps(listing), on="models")
    async with loaded(router, clock) as catalog:
        assert {m.id for m in catalog.models} == {*listing, TEST_MODEL}
        for name in listing:
            assert catalog.require(name).id == name
        assert catalog.get("Acme/oNE") is None
        assert {m.id for m in catalog.search("acme one")} == set(listing)


async def test_ten_thousand_models_are_listed_kept_on_disk_and_searched(
    server: ImageRouterServer, router: ImageRouter, clock: SandboxClock, tmp_path: Path
) -> None:
    cache = tmp_path / "models.json"
    listing = {f"vendor{number % 50}/thing-{number}": ENTRY for number in range(10_000)}
    server.faults.status(200, json.dumps(listing), on="models")
    async with loaded(router, clock, cache) as catalog:
        assert len(catalog.models) == 10_001
    server.faults.status(500, "", times=10, on="models")
    async with loaded(router, clock, cache) as catalog:
        assert catalog.search("thing 9999")[0].id == "vendor49/thing-9999"
        assert catalog.search("vendor7 thng-7007")[0].id == "vendor7/thing-7007"
        assert len(catalog.search("")) == len(catalog.search("thing")) == 25


# -- what vanished, and what was never listed -----------------------------------------------------


async def test_a_vanished_model_stays_nameable_and_is_refused_with_its_successors(
    server: ImageRouterServer, router: ImageRouter, clock: SandboxClock, tmp_path: Path
) -> None:
    cache = tmp_path / "models.json"
    async with loaded(router, clock, cache) as catalog:
        old = server.models.pop(AURORA)
        for name in ("lumenfield/aurora-3", "lumenfield/borealis"):
            server.models[name] = replace(old, id=name, released="2026-03-01")
        await catalog.refresh()
    async with loaded(router, clock, cache) as catalog:
        known = catalog.known(AURORA)
        assert known is not None
        assert known.about == 35_000
        assert catalog.get(AURORA) is None
        with pytest.raises(UnknownModel) as caught:
            catalog.require(AURORA, images=1)
        assert caught.value.suggestions[:2] == ("lumenfield/aurora-3", "lumenfield/borealis")


async def test_an_alias_is_asked_about_once_and_then_understood(
    server: ImageRouterServer, router: ImageRouter, clock: SandboxClock
) -> None:
    server.models["polar-light"] = server.models[AURORA]  # as the API gives a model under an alias
    async with loaded(router, clock) as catalog:
        with pytest.raises(UnknownModel):
            catalog.require("polar-light")

        found = await catalog.lookup(" polar-light ")

        assert found is catalog.get(AURORA)
        assert catalog.require("polar-light").id == AURORA
        asked = server.calls.count("GET /v1/models/polar-light")
        await catalog.lookup("polar-light")
        assert server.calls.count("GET /v1/models/polar-light") == asked == 1
        clock.advance(16 * MINUTE_MS)
        assert catalog.get("polar-light") is None
        assert await catalog.lookup("polar-light") is found


async def test_a_model_that_is_not_listed_can_be_looked_at_but_not_used(
    server: ImageRouterServer, router: ImageRouter, clock: SandboxClock
) -> None:
    async with loaded(router, clock) as catalog:
        server.models["acme/hidden"] = SandboxModel("acme/hidden", (Price(value="0.02"),))

        found = await catalog.lookup("acme/hidden")

        assert found is not None
        assert (found.id, found.at_most) == ("acme/hidden", 20_000)
        with pytest.raises(UnknownModel):
            catalog.require("acme/hidden")


async def test_names_that_nobody_knows_are_asked_about_once_and_impossible_ones_never(
    server: ImageRouterServer, router: ImageRouter, clock: SandboxClock
) -> None:
    async with loaded(router, clock) as catalog:
        before = len(server.calls)
        for name in ("acme/none", "acme/none", "", "  ", "x" * 101, "a\nb", "\x00", "../credits"):
            assert await catalog.lookup(name) is None
        asked = [call for call in server.calls[before:] if "/v1/models/" in call]
        assert asked == ["GET /v1/models/acme/none"]


async def test_when_nobody_can_tell_a_lookup_says_so_and_forgets_it(
    server: ImageRouterServer, router: ImageRouter, clock: SandboxClock
) -> None:
    async with loaded(router, clock) as catalog:
        server.models["polar-light"] = server.models[AURORA]
        server.faults.status(500, "<html>", on="models")
        with pytest.raises(ImageRouterError):
            await catalog.lookup("polar-light")
        found = await catalog.lookup("polar-light")
        assert found is not None
        assert found.id == AURORA


# -- popularity -----------------------------------------------------------------------------------


async def test_what_is_popular_leads_before_what_is_new_and_outlives_a_restart(
    server: ImageRouterServer, router: ImageRouter, clock: SandboxClock, tmp_path: Path
) -> None:
    cache = tmp_path / "models.json"
    popular = [model.id for model in DEFAULT_MODELS[1:11]]
    async with loaded(router, clock, cache) as catalog:
        await until(lambda: len(catalog.popular) == len(popular))
        assert [model.id for model in catalog.search("", limit=10)] == popular
        liked = catalog.search("", limit=2, first=["orchard/russet"])
        assert [model.id for model in liked] == ["orchard/russet", popular[0]]
        del server.models[popular[0]]
        await catalog.refresh()
        assert [model.id for model in catalog.search("", limit=9)] == popular[1:]
    server.faults.status(500, "", times=10, on="popular")
    async with loaded(router, clock, cache) as catalog:
        assert list(catalog.popular) == popular


@pytest.mark.parametrize("answer", ["", "<html>", "[]", '{"json": 7}', '{"json": [7, null]}'])
async def test_a_strange_answer_about_popularity_changes_nothing(
    answer: str, server: ImageRouterServer, router: ImageRouter, clock: SandboxClock
) -> None:
    server.faults.status(200, answer, times=10, on="popular")
    async with loaded(router, clock, refresh_s=0.01) as catalog:
        await until(lambda: server.calls.count("GET /v1/models") > 2)
        assert catalog.popular == ()
        assert catalog.search("", limit=1)[0].id == "lumenfield/aurora-2-mini:free"
