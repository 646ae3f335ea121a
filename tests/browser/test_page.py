"""The page around the chat: clock, banners, people and places, live connection."""

from datetime import UTC, datetime

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
        async with open_as(look=Look(theme=theme)) as chat:
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
