"""The page around the chat: clock, banners, people and places, live connection, its safety."""

import asyncio
import json
from datetime import UTC, datetime

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from sandbox.clock import SandboxClock
from sandbox.discord import DiscordServer
from sandbox.page import PageServer
from sandbox.page.actions import a_month_after
from tools.browser import Look, OpenAs, open_chat
from tools.toybot import Place

pytestmark = pytest.mark.browser

DAY_MS = 24 * 3600 * 1000


async def test_next_day_and_next_month_move_the_sandboxs_clock(
    open_as: OpenAs, place: Place
) -> None:
    async with open_as("mira") as chat, open_as("theo") as other:
        before = place.clock.now_ms()
        await chat.page.get_by_role("button", name="Next day").click()
        tomorrow = datetime.fromtimestamp((before + DAY_MS) / 1000, UTC)
        for seen in (chat, other):
            date = seen.page.locator("#sandbox-date")
            await expect(date).to_contain_text(f"{tomorrow:%-d %b %Y}")
        await chat.page.get_by_role("button", name="Next month").click()
        later = datetime.fromtimestamp(a_month_after(before + DAY_MS) / 1000, UTC)
        await expect(chat.page.locator("#sandbox-date")).to_contain_text(f"{later:%-d %b %Y}")
        assert 28 * DAY_MS <= place.clock.now_ms() - before - DAY_MS <= 32 * DAY_MS


async def test_people_and_their_marks_are_offered_in_a_stable_order(open_as: OpenAs) -> None:
    async with open_as() as chat:
        people = chat.page.get_by_label("You are").get_by_role("option")
        await expect(people).to_have_text(
            ["Mira (member)", "Theo (member, booster)", "Ada (admin)", "Oskar (operator)"]
        )


async def test_the_address_says_who_and_where_one_is(open_as: OpenAs, place: Place) -> None:
    async with open_as("theo", "midnight-art") as chat:
        world = place.discord.world
        channel = world.channel(world.guild("Night Owls"), "midnight-art")
        await expect(chat.page).to_have_url(f"{place.page.url}#theo/{channel.id}")
        await chat.page.reload()
        await expect(chat.page.get_by_role("heading", level=1)).to_have_text("#midnight-art")
        await expect(chat.page.get_by_label("You are")).to_have_value("theo")
        await chat.enter("lobby")
        await chat.page.go_back()
        await expect(chat.page.get_by_role("heading", level=1)).to_have_text("#midnight-art")


async def test_an_unknown_address_leads_to_the_first_person_and_channel(
    browser: Browser, place: Place
) -> None:
    async with open_chat(browser, place.page.url, person="nobody") as chat:
        await expect(chat.page.get_by_label("You are")).to_have_value("mira")
        await expect(chat.page.get_by_role("heading", level=1)).to_have_text("#general")


async def test_messages_elsewhere_mark_their_channel_unread(open_as: OpenAs, place: Place) -> None:
    world = place.discord.world
    lobby = world.channel(world.guild("Night Owls"), "lobby")
    async with open_as("mira") as chat:
        await place.discord.person("theo").say(lobby, "anyone here?")
        await chat.page.get_by_role("button", name="lobby unread").click()
        await expect(chat.last).to_contain_text("anyone here?")
        await expect(chat.page.get_by_role("button", name="lobby", exact=True)).to_be_visible()


async def test_the_page_finds_its_server_again_and_misses_nothing(browser: Browser) -> None:
    clock = SandboxClock()
    async with DiscordServer(clock) as server:
        world = server.world
        general = world.channel(world.guild("Paper Boat Society"), "general")
        async with PageServer(server, None, clock, port=0) as page:
            url, port = page.url, int(page.url.rsplit(":", 1)[1].strip("/"))
            opened = open_chat(browser, url, channel="general")
            chat = await opened.__aenter__()
        try:
            await expect(chat.page.get_by_text("Reconnecting…")).to_be_visible()
            await server.person("theo").say(general, "said meanwhile")
            async with PageServer(server, None, clock, port=port):
                await expect(chat.last).to_contain_text("said meanwhile")
                await expect(chat.page.get_by_text("Reconnecting…")).to_be_hidden()
        finally:
            await opened.__aexit__(None, None, None)


async def test_the_banner_tells_invented_pictures_from_paid_ones(browser: Browser) -> None:
    clock = SandboxClock()
    async with (
        DiscordServer(clock) as server,
        PageServer(server, None, clock, port=0) as free,
        PageServer(server, None, clock, port=0, real_imagerouter=True) as paid,
    ):
        async with open_chat(browser, free.url) as chat:
            note = chat.page.get_by_role("note")
            await expect(note).to_have_text(
                "Sandbox: pictures are drawn locally, no money is spent"
            )
        async with open_chat(browser, paid.url) as chat:
            note = chat.page.get_by_role("note")
            await expect(note).to_have_text("Real ImageRouter: every picture costs real money")
            color = await note.evaluate("e => getComputedStyle(e).backgroundColor")
            assert color == "rgb(179, 38, 30)"


async def test_dark_and_light_follow_the_system(open_as: OpenAs) -> None:
    backgrounds = []
    for theme in ("light", "dark"):
        async with open_as(look=Look(theme=theme)) as chat:  # type: ignore[arg-type]  # a literal
            script = "getComputedStyle(document.body).backgroundColor"
            backgrounds.append(await chat.page.evaluate(script))
    assert backgrounds == ["rgb(255, 255, 255)", "rgb(31, 38, 36)"]


async def test_the_page_loads_nothing_from_elsewhere_and_breaks_none_of_its_rules(
    open_as: OpenAs, place: Place
) -> None:
    async with open_as() as chat:
        asked: list[str] = []
        said: list[str] = []
        chat.page.on("request", lambda request: asked.append(request.url))
        chat.page.on("console", lambda message: said.append(message.text))
        chat.page.on("pageerror", lambda error: said.append(str(error)))
        await chat.page.reload()
        await chat.begin("gallery")
        await chat.run()
        await expect(chat.last.get_by_role("img", name="Tiny")).to_be_visible()
        ours = (
            place.page.url,
            place.discord.cdn_url,
            place.page.url.replace("http", "ws"),
            "blob:",
        )
        assert [url for url in asked if not url.startswith(ours)] == []
        assert said == []


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


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.168.0.7:80", ""])
async def test_a_foreign_host_name_is_refused(place: Place, host: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(place.page.url, headers={"Host": host}) as answer,
    ):
        assert answer.status in (400, 421)
        assert "script" not in await answer.text()


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "https://127.0.0.1"])
async def test_actions_and_events_are_for_the_pages_own_origin(
    place: Place, origin: str | None
) -> None:
    headers = {} if origin is None else {"Origin": origin}
    before = place.clock.now_ms()
    async with aiohttp.ClientSession() as session:
        form = {"payload": json.dumps({"step": "day"})}
        url = f"{place.page.url}api/clock"
        async with session.post(url, data=form, headers=headers) as answer:
            assert answer.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await session.ws_connect(f"{place.page.url}api/events?person=mira", headers=headers)
        assert refusal.value.status == 403
    assert place.clock.now_ms() - before < DAY_MS


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("slash", "not json"),
        ("slash", "[]"),
        ("slash", '{"person": "mira", "channel": "1", "command": "show", "options": {}}'),
        ("slash", '{"person": "mira", "channel": {}, "command": "show", "options": {}}'),
        ("slash", '{"person": "mira", "channel": "GENERAL", "command": "show", "options": []}'),
        ("slash", '{"person": "mira", "channel": "GENERAL", "command": "nope", "options": {}}'),
        ("click", '{"person": "mira", "channel": "GENERAL", "message": "5", "custom_id": "x"}'),
        ("choose", '{"person": "mira", "channel": "GENERAL", "values": "x"}'),
        ("submit", '{"person": "mira", "channel": "GENERAL", "modal": "x", "values": {}}'),
        ("say", '{"person": "mira", "channel": "GENERAL", "text": ""}'),
        ("clock", '{"step": "year"}'),
        ("clock", "\x00"),
    ],
)
async def test_nonsense_is_refused_with_a_sentence(place: Place, action: str, payload: str) -> None:
    world = place.discord.world
    general = world.channel(world.guild("Paper Boat Society"), "general")
    form = {"payload": payload.replace("GENERAL", str(general.id))}
    origin = {"Origin": place.page.url.rstrip("/")}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{place.page.url}api/{action}", data=form, headers=origin) as answer,
    ):
        assert answer.status == 409
        assert (await answer.json())["error"]


async def test_one_person_cannot_click_in_anothers_private_message(place: Place) -> None:
    world = place.discord.world
    general = world.channel(world.guild("Paper Boat Society"), "general")
    place.bot.go.set()
    ask = await place.discord.person("mira").slash(general, "slow", {"private": True})
    message = await ask.answer()
    payload = {
        "person": "theo",
        "channel": str(general.id),
        "message": str(message.id),
        "custom_id": "plus",
    }
    origin = {"Origin": place.page.url.rstrip("/")}
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{place.page.url}api/click", data={"payload": json.dumps(payload)}, headers=origin
        ) as answer,
    ):
        assert (await answer.json()) == {"error": "That message is gone."}


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
