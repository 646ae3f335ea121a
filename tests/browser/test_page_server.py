"""The page's web server without a browser: who may talk to it, and what it makes of nonsense."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp
import pytest

from sandbox.page.actions import a_month_after
from tools.toybot import Place

DAY_MS = 24 * 3600 * 1000


@asynccontextmanager
async def acting(
    place: Place, action: str, payload: Mapping[str, object] | str
) -> AsyncIterator[aiohttp.ClientResponse]:
    """Send an action as the page does."""
    text = payload if isinstance(payload, str) else json.dumps(payload)
    origin = {"Origin": place.page.url.rstrip("/")}
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{place.page.url}api/{action}", data={"payload": text}, headers=origin
        ) as answer,
    ):
        yield answer


def general_of(place: Place) -> str:
    world = place.discord.world
    return str(world.channel(world.guild("Paper Boat Society"), "general").id)


async def test_the_policy_forbids_foreign_scripts_and_frames(place: Place) -> None:
    async with aiohttp.ClientSession() as session, session.get(place.page.url) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert answer.status == 200
        assert "set-cookie" not in answer.headers
    for part in (
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ):
        assert part in policy.split("; ")
    assert "unsafe" not in policy


async def test_a_foreign_host_name_is_refused(place: Place) -> None:
    async with aiohttp.ClientSession() as session:
        for host in (
            "evil.example",
            "127.0.0.1.evil.example",
            "192.168.0.7:80",
            "[::2]",
            "a b",
            "",
        ):
            async with session.get(place.page.url, headers={"Host": host}) as answer:
                assert answer.status in (400, 421), host
                assert "script" not in await answer.text()
        for host in ("localhost:1", "127.0.0.1", "[::1]:8080"):
            async with session.get(place.page.url, headers={"Host": host}) as answer:
                assert answer.status == 200, host


async def test_actions_and_events_are_for_the_pages_own_origin(place: Place) -> None:
    before = place.clock.now_ms()
    async with aiohttp.ClientSession() as session:
        for origin in (None, "null", "http://evil.example", "https://127.0.0.1"):
            headers = {} if origin is None else {"Origin": origin}
            form = {"payload": json.dumps({"step": "day"})}
            url = f"{place.page.url}api/clock"
            async with session.post(url, data=form, headers=headers) as answer:
                assert answer.status == 403
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await session.ws_connect(f"{place.page.url}api/events?person=mira", headers=headers)
            assert refusal.value.status == 403
    assert place.clock.now_ms() - before < DAY_MS


async def test_nonsense_is_refused_with_a_sentence(place: Place) -> None:
    here: dict[str, object] = {"person": "mira", "channel": general_of(place)}
    cases: list[tuple[str, Mapping[str, object] | str]] = [
        ("slash", "not json"),
        ("slash", "[]"),
        ("slash", here | {"channel": "1", "command": "show", "options": {}}),
        ("slash", here | {"channel": {}, "command": "show", "options": {}}),
        ("slash", here | {"command": "show", "options": []}),
        ("slash", here | {"command": "nope", "options": {}}),
        ("slash", here | {"command": "pick", "options": {"fruit": "x", "friend": "me"}}),
        ("slash", here | {"command": "upload", "options": {"picture": "picture"}}),
        ("autocomplete", here | {"command": "pick", "options": {}, "focused": "basket"}),
        ("menu", here | {"command": "Count letters", "message": "1"}),
        ("click", here | {"message": "5", "custom_id": "x"}),
        ("choose", here | {"values": "x"}),
        ("submit", here | {"modal": "x", "values": {}}),
        ("say", here | {"text": ""}),
        ("clock", {"step": "year"}),
        ("clock", "\x00"),
    ]
    for action, payload in cases:
        async with acting(place, action, payload) as answer:
            assert answer.status == 409, (action, payload)
            assert (await answer.json())["error"]


async def test_one_person_cannot_click_in_anothers_private_message(place: Place) -> None:
    world = place.discord.world
    place.bot.go.set()
    general = world.channels[int(general_of(place))]
    ask = await place.discord.person("mira").slash(general, "slow", {"private": True})
    message = await ask.answer()
    click = {
        "person": "theo",
        "channel": str(general.id),
        "message": str(message.id),
        "custom_id": "plus",
    }
    async with acting(place, "click", click) as answer:
        assert (await answer.json()) == {"error": "That message is gone."}


async def test_a_form_is_for_the_person_who_opened_it_and_for_one_use(place: Place) -> None:
    here = {"person": "mira", "channel": general_of(place)}
    async with acting(place, "slash", here | {"command": "form", "options": {}}) as answer:
        modal = (await answer.json())["modal"]
    fields = [part["component"] for part in modal["components"] if "component" in part]
    values = dict(
        zip([field["custom_id"] for field in fields], ("Ada", "", ["Red"], "small"), strict=True)
    )
    filled = here | {"modal": modal["key"], "values": values}
    async with acting(place, "submit", filled | {"person": "theo"}) as answer:
        assert (await answer.json()) == {"error": "This form is no longer open."}
    async with acting(place, "submit", filled) as answer:
        assert (await answer.json()) == {}
    async with acting(place, "submit", filled) as answer:
        assert answer.status == 409


async def test_a_page_that_asks_for_nonsense_keeps_its_stream(place: Place) -> None:
    origin = {"Origin": place.page.url.rstrip("/")}
    async with aiohttp.ClientSession() as session:
        url = f"{place.page.url}api/events?person=mira"
        async with session.ws_connect(url, headers=origin) as socket, asyncio.timeout(10):
            assert (await socket.receive_json())["op"] == "world"
            for nonsense in ("", "[]", '{"open": null}', '{"open": "x"}', '{"open": "12"}'):
                await socket.send_str(nonsense)
            world = place.discord.world
            general = world.channel(world.guild("Paper Boat Society"), "general")
            await socket.send_str(json.dumps({"open": str(general.id)}))
            room = await socket.receive_json()
            assert (room["op"], room["room"]["title"]) == ("room", "#general")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((2026, 1, 31, 12), (2026, 2, 28, 12)),
        ((2028, 1, 31, 12), (2028, 2, 29, 12)),
        ((2026, 12, 15, 23), (2027, 1, 15, 23)),
        ((2026, 2, 28, 0), (2026, 3, 28, 0)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_months_last(
    before: tuple[int, int, int, int], after: tuple[int, int, int, int]
) -> None:
    def at(parts: tuple[int, int, int, int]) -> int:
        return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)

    assert a_month_after(at(before)) == at(after)
