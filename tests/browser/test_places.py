"""Threads, talks without the bot, and what others' messages hold, on the page."""

import re

import pytest
from playwright.async_api import Locator, expect

from sandbox.discord import Channel, UploadedFile
from tools.browser import Chat, OpenAs
from tools.toybot import Place, drawing

pytestmark = pytest.mark.browser

SEA = "https://pictures.example/sea.png"


def channel_of(place: Place, name: str) -> Channel:
    world = place.discord.world
    return world.channel(world.guild("Paper Boat Society"), name)


async def count_letters(chat: Chat, message: Locator) -> None:
    """Right-click a message, and use its one command."""
    await message.click(button="right", position={"x": 60, "y": 12})
    await chat.page.get_by_role("menuitem", name="Count letters").click()


async def test_a_right_click_on_a_message_offers_its_commands(
    open_as: OpenAs, place: Place
) -> None:
    await place.discord.person("theo").say(channel_of(place, "general"), "twelve chars")
    async with open_as() as chat:
        await count_letters(chat, chat.messages.first)
        await expect(chat.last).to_contain_text("12 letters")
        await expect(chat.last).to_contain_text("Only you can see this")
        await expect(chat.page.get_by_role("menu")).to_have_count(0)
        await chat.messages.first.click(button="right")
        await chat.page.keyboard.press("Escape")
        await expect(chat.page.get_by_role("menu")).to_have_count(0)


async def test_the_answer_to_a_command_on_an_old_message_comes_into_sight(
    open_as: OpenAs, place: Place
) -> None:
    general = channel_of(place, "general")
    for number in range(6):
        await place.discord.person("theo").say(general, f"message {number}\n" + "line\n" * 10)
    async with open_as() as chat:
        await expect(chat.last).to_contain_text("message 5")
        await chat.messages.first.hover()
        await chat.page.mouse.wheel(0, -5000)
        await expect(chat.last).not_to_be_in_viewport()
        await count_letters(chat, chat.messages.first)
        await expect(chat.last).to_contain_text("letters")
        await expect(chat.last).to_be_in_viewport()


async def test_commands_work_in_a_thread_below_its_channel(open_as: OpenAs, place: Place) -> None:
    async with open_as("mira", "paper-boats") as chat, open_as("theo", "pictures") as other:
        title = chat.page.get_by_role("heading", level=1)
        await expect(title).to_have_text("#pictures / paper-boats")
        names = chat.page.get_by_label("Channels of Paper Boat Society").get_by_role("listitem")
        await expect(names).to_have_text(
            [re.compile(name) for name in ("general", "pictures", "paper-boats", "workshop")]
        )
        await chat.begin("show")
        await chat.fill({"text": "hello from the thread"})
        await chat.run()
        await expect(chat.last).to_contain_text("hello from the thread")
        await expect(other.messages).to_have_count(0)
        await other.page.get_by_role("button", name="paper-boats unread").click()
        await expect(other.last).to_contain_text("hello from the thread")
    thread = channel_of(place, "paper-boats")
    (answer,) = place.discord.person("mira").messages(thread)
    assert answer.channel_id == thread.id


async def test_who_adds_the_bot_to_the_account_has_it_in_every_talk(
    open_as: OpenAs, place: Place
) -> None:
    async with open_as("mira", "Theo, Ada") as chat, open_as("theo", "Mira, Ada") as other:
        await other.line.fill("secret letters")
        await other.page.keyboard.press("Enter")
        await expect(chat.last).to_contain_text("secret letters")
        await chat.line.press_sequentially("/")
        await expect(chat.page.get_by_text("No commands here yet")).to_be_visible()
        await chat.line.fill("")
        add = chat.page.get_by_role("button", name="Add Easel to my account")
        await add.press("Enter")
        remove = chat.page.get_by_role("button", name="Remove Easel from my account")
        await expect(remove).to_be_focused()
        assert place.discord.world.user("mira").has_installed
        await count_letters(chat, chat.last)
        await expect(chat.last).to_contain_text("14 letters")
        await expect(other.page.get_by_role("button", name="Add Easel")).to_be_visible()
        await remove.click()
        await expect(add).to_be_visible()
        await chat.messages.first.click(button="right")
        await expect(chat.page.get_by_text("No app has commands")).to_be_visible()


async def test_stickers_links_and_forwarded_messages_show_their_pictures(
    open_as: OpenAs, place: Place
) -> None:
    theo, general = place.discord.person("theo"), channel_of(place, "general")
    place.discord.publish(SEA, UploadedFile("sea.png", drawing("teal")))
    sticker = place.discord.world.add_sticker("Boat", drawing("tomato"))
    await theo.say(general, stickers=[sticker])
    await theo.say(general, f"look {SEA}")
    first = await theo.say(general, "the first", files=[UploadedFile("a.png", drawing("gold"))])
    await theo.forward(first, general)
    async with open_as() as chat:
        for index, name in ((0, "Sticker Boat"), (1, "Picture"), (2, "a.png"), (3, "a.png")):
            image = chat.messages.nth(index).get_by_role("img", name=name)
            await expect(image).to_have_js_property("naturalWidth", 64)
        await expect(chat.last).to_contain_text("Forwarded")
        await expect(chat.last).to_contain_text("the first")


async def test_a_link_button_opens_its_page_beside_the_chat(open_as: OpenAs) -> None:
    async with open_as() as chat:
        await chat.page.context.route(
            "https://example.com/**", lambda route: route.fulfill(body="the docs")
        )
        await chat.begin("gallery")
        await chat.run()
        async with chat.page.context.expect_page() as opened:
            await chat.last.get_by_role("link", name="Docs").click()
        page = await opened.value
        await expect(page.get_by_text("the docs")).to_be_visible()
        assert page.url == "https://example.com/docs"
