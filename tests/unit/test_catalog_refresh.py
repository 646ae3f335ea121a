"""The catalogue is fetched, kept, doubted and saved; a local server plays ImageRouter."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.catalog import TEST_MODEL, Catalog
from bot.errors import NoModelAvailable, UnknownModel
from bot.imagerouter import ImageRouter
from bot.money import Micros

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
NOW_MS = 1_800_000_000_000


class FixedClock:
    def now_ms(self) -> int:
        return NOW_MS

    async def sleep_until(self, when_ms: int) -> None:
        raise AssertionError("the catalogue measures its pauses, whatever the time is")


def entry(value: float | None = 0.01, **fields: object) -> dict[str, object]:
    pricing = {"type": "fixed", "value": value} if value is not None else {"type": "calculated"}
    return {
        "providers": [{"id": "p", "model_name": "m", "pricing": pricing}],
        "release_date": "2026-01-02",
        "output": ["image"],
        "supported_params": {"mask": False, "quality": False, "edit": False},
        **fields,
    }


def listing(count: int = 5) -> dict[str, object]:
    return {f"acme/model-{number}": entry(number / 100) for number in range(1, count + 1)}


class Shelf:
    """ImageRouter's catalogue endpoint: says `body`, or what `handler` says."""

    def __init__(self) -> None:
        self.body: object = listing()
        self.handler: Handler | None = None
        self.asked = 0
        self.etags_sent: list[str | None] = []
        self._changed = asyncio.Condition()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        async with self._changed:
            self.asked += 1
            self.etags_sent.append(request.headers.get("If-None-Match"))
            self._changed.notify_all()
        if self.handler is not None:
            return await self.handler(request)
        text = json.dumps(self.body)
        etag = f'"{hash(text)}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(text=text, headers={"ETag": etag})

    async def wait_until_asked(self, times: int) -> None:
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(lambda: self.asked >= times)


@pytest.fixture
async def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def router(shelf: Shelf) -> AsyncIterator[ImageRouter]:
    app = web.Application()
    app.router.add_get("/v1/models", shelf.answer)
    async with (
        TestServer(app, host="127.0.0.1") as server,
        ImageRouter(
            api_key="k" * 64,
            base_url=str(server.make_url("")),
            popular_url="",
            requests_per_second=None,
        ) as router,
    ):
        yield router


@asynccontextmanager
async def loaded(
    router: ImageRouter,
    *,
    cache: Path | None = None,
    unpriced: Micros | None = None,
    refresh_s: float = 3600,
) -> AsyncIterator[Catalog]:
    catalog = Catalog(
        router,
        clock=FixedClock(),
        cache_path=cache,
        unpriced_ceiling=unpriced,
        refresh_s=refresh_s,
    )
    async with catalog:
        await catalog.load()
        yield catalog


def ids(catalog: Catalog) -> list[str]:
    return [model.id for model in catalog.models if model.id != TEST_MODEL]


async def test_a_first_start_asks_imagerouter_and_knows_the_models(
    router: ImageRouter, shelf: Shelf
) -> None:
    async with loaded(router) as catalog:
        assert ids(catalog) == [f"acme/model-{number}" for number in range(1, 6)]
        assert catalog.fetched_ms == NOW_MS
        assert shelf.asked == 1


async def test_the_list_is_fetched_again_by_itself_and_only_when_it_changed(
    router: ImageRouter, shelf: Shelf
) -> None:
    async with loaded(router, refresh_s=0.01) as catalog:
        before = catalog.models
        await shelf.wait_until_asked(3)
        assert shelf.etags_sent[0] is None
        assert shelf.etags_sent[1] == shelf.etags_sent[2] != None  # noqa: E711 - an ETag, twice
        assert catalog.models is before
        shelf.body = {**listing(), "acme/new": entry()}
        await shelf.wait_until_asked(shelf.asked + 3)
        assert catalog.get("acme/new") is not None


async def test_a_start_without_imagerouter_takes_the_copy_on_disk(
    router: ImageRouter, shelf: Shelf, tmp_path: Path
) -> None:
    cache = tmp_path / "made" / "catalogue.jsonl"
    async with loaded(router, cache=cache) as catalog:
        first = catalog.models
    shelf.handler = _status(500)
    async with loaded(router, cache=cache) as catalog:
        assert catalog.models == first
        assert catalog.fetched_ms == NOW_MS
    assert [path.name for path in cache.parent.iterdir()] == [cache.name]


async def test_a_start_with_a_copy_on_disk_does_not_wait_for_imagerouter(
    router: ImageRouter, shelf: Shelf, tmp_path: Path
) -> None:
    cache = tmp_path / "catalogue.jsonl"
    async with loaded(router, cache=cache):
        pass
    reached, released = asyncio.Event(), asyncio.Event()

    async def hang(_: web.Request) -> web.StreamResponse:
        reached.set()
        await released.wait()
        return web.Response(status=500)

    shelf.handler = hang
    async with loaded(router, cache=cache) as catalog:
        assert shelf.asked == 1  # that was the first start
        assert len(ids(catalog)) == 5
        await asyncio.wait_for(reached.wait(), 20)  # asked for news behind our back
        assert catalog.get("acme/model-1") is not None
    released.set()


@pytest.mark.parametrize("damage", [b"", b"\n", b"{}", b"[1]\n", b"\xff\xfe", None])
async def test_a_damaged_copy_on_disk_counts_as_none(
    router: ImageRouter, shelf: Shelf, tmp_path: Path, damage: bytes | None
) -> None:
    cache = tmp_path / "catalogue.jsonl"
    async with loaded(router, cache=cache):
        pass
    whole = cache.read_bytes()
    cache.write_bytes(whole.replace(b"model-3", b"model-9") if damage is None else damage)
    async with loaded(router, cache=cache) as catalog:
        assert "acme/model-3" in ids(catalog)
    assert shelf.asked == 2


async def test_a_disk_that_takes_nothing_only_costs_the_copy(
    router: ImageRouter, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    async with loaded(router, cache=in_the_way / "catalogue.jsonl") as catalog:
        assert len(ids(catalog)) == 5


def _status(status: int, text: str = "", **headers: str) -> Handler:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=text, headers=headers)

    return answer


async def _fifty_megabytes(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b'{"acme/huge": "')
    for _ in range(50):
        await response.write(b"x" * 1024 * 1024)
    await response.write(b'"}')
    return response


BAD_ANSWERS = {
    "an HTML page": _status(200, "<!DOCTYPE html><html><body>Bad gateway</body></html>"),
    "a refusal": _status(403, '{"error": {"message": "no"}}'),
    "an empty object": _status(200, "{}"),
    "an empty list": _status(200, "[]"),
    "nothing": _status(200, ""),
    "half an answer": _status(200, '{"acme/model-1": {"providers": ['),
    "strange entries": _status(200, '{"a": 1, "b": null, "": {}, "c d": {}}'),
    "50 MB": _fifty_megabytes,
}


@pytest.mark.parametrize("handler", BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
async def test_a_bad_answer_replaces_nothing(
    router: ImageRouter, shelf: Shelf, handler: Handler
) -> None:
    async with loaded(router) as catalog:
        before = catalog.models
        shelf.handler = handler
        assert await catalog.refresh() > 0
        assert catalog.models is before
        shelf.handler = None
        shelf.body = {**listing(), "acme/new": entry()}
        await catalog.refresh()
        assert catalog.get("acme/new") is not None


@pytest.mark.parametrize("handler", BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
async def test_a_first_start_with_a_bad_answer_knows_the_dummy_model_alone(
    router: ImageRouter, shelf: Shelf, handler: Handler
) -> None:
    shelf.handler = handler
    async with loaded(router) as catalog:
        assert [model.id for model in catalog.models] == [TEST_MODEL]
        assert catalog.fetched_ms is None
        assert catalog.choose([TEST_MODEL]).id == TEST_MODEL
        with pytest.raises(NoModelAvailable):
            catalog.choose(["acme/model-1"])


async def test_failures_make_the_next_questions_rarer_up_to_the_usual_interval(
    router: ImageRouter, shelf: Shelf
) -> None:
    shelf.handler = _status(403, '{"error": {"message": "no"}}')
    async with loaded(router, refresh_s=60) as catalog:
        delays = [await catalog.refresh() for _ in range(4)]
    assert 20 < delays[0] < delays[1] <= 60 * 1.15
    assert all(50 < delay < 70 for delay in delays[1:])


async def test_a_rate_limit_is_waited_for(router: ImageRouter, shelf: Shelf) -> None:
    async with loaded(router, refresh_s=60) as catalog:
        shelf.handler = _status(429, "slow down", **{"Retry-After": "500"})
        assert await catalog.refresh() > 400


@pytest.mark.parametrize("returning", [40, 41], ids=["unchanged", "with news"])
async def test_a_gutted_list_is_believed_only_when_it_stays(
    router: ImageRouter, shelf: Shelf, returning: int
) -> None:
    shelf.body = listing(40)
    async with loaded(router) as catalog:
        shelf.body = listing(4)
        for _ in range(5):
            await catalog.refresh()
        shelf.body = listing(returning)
        await catalog.refresh()
        shelf.body = listing(4)
        for _ in range(5):
            await catalog.refresh()
            assert len(ids(catalog)) == returning
        await catalog.refresh()
        assert len(ids(catalog)) == 4


async def test_a_vanished_model_is_refused_with_its_successors_and_stays_nameable(
    router: ImageRouter, shelf: Shelf, tmp_path: Path
) -> None:
    cache = tmp_path / "catalogue.jsonl"
    async with loaded(router, cache=cache) as catalog:
        shelf.body = {key: value for key, value in listing().items() if key != "acme/model-3"}
        await catalog.refresh()
    async with loaded(router, cache=cache) as catalog:
        assert catalog.get("acme/model-3") is None
        known = catalog.known("acme/model-3")
        assert known is not None
        assert known.at_most == 30_000
        with pytest.raises(UnknownModel) as caught:
            catalog.require("acme/model-3")
        assert len(caught.value.suggestions) == 3
        shelf.body = listing()
        await catalog.refresh()
        assert catalog.get("acme/model-3") is not None


async def test_odd_entries_and_unknown_fields_harm_only_themselves(
    router: ImageRouter, shelf: Shelf
) -> None:
    shelf.body = {
        "acme/good": entry(sizes=["1024x1024", "big", 7], surprise={"deep": [1]}),
        "acme/film": entry(output=["video"]),
        "acme/" + "x" * 120: entry(),
        "acme/odd": {"providers": "none", "release_date": 5, "supported_params": []},
    }
    async with loaded(router) as catalog:
        assert ids(catalog) == ["acme/good", "acme/odd"]
        good, odd = catalog.get("acme/good"), catalog.get("acme/odd")
        assert good is not None
        assert good.sizes == ("1024x1024",)
        assert odd is not None
        assert odd.ceiling is None


async def test_ten_thousand_models_are_held_and_searched(router: ImageRouter, shelf: Shelf) -> None:
    shelf.body = {f"vendor{number % 50}/thing-{number}": entry() for number in range(10_000)}
    async with loaded(router) as catalog:
        assert len(ids(catalog)) == 10_000
        assert catalog.search("thing 9999")[0].id == "vendor49/thing-9999"
        assert len(catalog.search("")) == 25


async def test_leaving_ends_the_background_task(router: ImageRouter) -> None:
    before = asyncio.all_tasks()
    async with loaded(router):
        assert len(asyncio.all_tasks()) > len(before)
    assert {task.get_name() for task in asyncio.all_tasks()}.isdisjoint({"catalogue refresh"})
