"""How messages look and behave: text, embeds, components, modals, hostile content."""

import pytest
from playwright.async_api import FilePayload, Locator, expect

from tools.browser import Chat, Look, OpenAs
from tools.toybot import Place

pytestmark = pytest.mark.browser


async def _show(chat: Chat, text: str) -> Locator:
    """Let the bot say something; return the message's element."""
    await chat.begin("show")
    await chat.fill({"text": text})
    before = await chat.messages.count()
    await chat.run()
    await expect(chat.messages).to_have_count(before + 1)
    await expect(chat.last.get_by_text("Sending command…")).to_have_count(0)
    return chat.messages.nth(before)


async def test_markdown_is_drawn_as_discord_draws_it(open_as: OpenAs, place: Place) -> None:
    world = place.discord.world
    theo = world.user("theo").id
    channel = world.channel(world.guild("Paper Boat Society"), "pictures").id
    now_s = place.clock.now_ms() // 1000
    async with open_as() as chat:
        shown = await _show(
            chat,
            f"**bold** *slanted* __under__ ~~gone~~ `code` <@{theo}> <#{channel}>\n"
            "- one\n- two\n> quoted\n-# small\n### Heading\n```py\nprint(1)\n```\n"
            f"<t:{now_s - 7200}:R> [text](https://example.com/a) ||hidden|| \\*plain\\*",
        )
        for tag, text in {
            "strong": "bold", "em": "slanted", "u": "under", "s": "gone", "blockquote": "quoted",
            "pre": "print(1)", ".subtext": "small", "time[data-style=R]": "2 hours ago",
        }.items():  # fmt: skip
            await expect(shown.locator(tag).first).to_have_text(text)
        await expect(shown.get_by_role("listitem")).to_have_text(["one", "two"])
        await expect(shown.get_by_role("heading", name="Heading")).to_be_visible()
        await expect(shown.locator(".mention")).to_have_text(["/show", "@Theo", "#pictures"])
        await expect(shown.get_by_role("link", name="text")).to_have_attribute(
            "href", "https://example.com/a"
        )
        await expect(shown).to_contain_text("*plain*")
        await expect(shown.get_by_text("hidden")).to_have_count(0)
        await shown.get_by_role("button", name="Spoiler").click()
        await expect(shown.get_by_text("hidden")).to_be_visible()


async def test_a_moment_is_told_in_the_unit_that_it_is_nearest_to(
    open_as: OpenAs, place: Place
) -> None:
    now_s = place.clock.now_ms() // 1000
    told = {-45 * 3600: "2 days ago", 45 * 3600: "in 2 days", 30 * 3600: "in 1 day"}
    async with open_as() as chat:
        shown = await _show(chat, "\n".join(f"<t:{now_s + away}:R>" for away in told))
        await expect(shown.locator("time[data-style=R]")).to_have_text(list(told.values()))


async def test_hostile_text_stays_text(open_as: OpenAs) -> None:
    async with open_as() as chat:
        for text in (
            "<script>document.title = 'owned'</script>",
            "<img src=x onerror=\"document.title='owned'\">",
            "[click](javascript:document.title='owned')",
            "**<svg onload=\"document.title='owned'\">**",
            "```html\n<iframe srcdoc=\"<script>top.document.title='owned'</script>\">\n```",
            "<data:text/html,<script>1</script>> </textarea></article><b id=owned>",
        ):
            shown = await _show(chat, text)
            await expect(shown.locator("script, iframe, svg, img, #owned, a")).to_have_count(0)
            await expect(chat.page).not_to_have_title("owned")
            visible = text.strip("*").removeprefix("```html\n").removesuffix("\n```")
            await expect(shown).to_contain_text(visible)


async def test_endless_markup_does_not_hang_the_page(open_as: OpenAs) -> None:
    async with open_as() as chat:
        for text in ("*" * 1900, "> " * 900, "||__**~~" * 200, "[" * 1900, "- " * 900, "`" * 1901):
            shown = await _show(chat, text)
            await expect(shown.locator(".md")).to_be_visible()
        await chat.begin("show")


async def test_the_newest_message_is_in_sight_unless_one_reads_further_up(
    open_as: OpenAs, place: Place
) -> None:
    world = place.discord.world
    general = world.channel(world.guild("Paper Boat Society"), "general")
    theo = place.discord.person("theo")
    async with open_as(look=Look(width=390, height=700)) as chat:
        for number in range(8):
            await theo.say(general, f"message {number}\n" + "line\n" * 10)
        await expect(chat.last).to_contain_text("message 7")
        await expect(chat.last.get_by_text("message 7")).to_be_in_viewport()
        await chat.begin("gallery")
        await chat.run()
        await expect(chat.last.get_by_role("button", name="Never")).to_be_in_viewport()
        await chat.messages.first.hover()
        await chat.page.mouse.wheel(0, -5000)
        await expect(chat.messages.first).to_be_in_viewport()
        await theo.say(general, "the last word")
        await expect(chat.last).to_contain_text("the last word")
        await expect(chat.messages.first).to_be_in_viewport()
        await expect(chat.last).not_to_be_in_viewport()


async def test_a_link_to_a_message_leads_to_it_inside_the_sandbox(
    open_as: OpenAs, place: Place
) -> None:
    world = place.discord.world
    guild = world.guild("Paper Boat Society")
    workshop = world.channel(guild, "workshop")
    target = await place.discord.person("theo").say(workshop, "the one that is meant")
    address = f"https://discord.com/channels/{guild.id}/{workshop.id}/{target.id}"
    async with open_as() as chat:
        shown = await _show(chat, f"[over there]({address})")
        await shown.get_by_role("link", name="over there").click()
        await expect(chat.page.get_by_role("heading", level=1)).to_have_text("#workshop")
        await expect(chat.messages.filter(has_text="the one that is meant")).to_be_focused()


async def test_embeds_are_drawn(open_as: OpenAs) -> None:
    async with open_as() as chat:
        await chat.begin("embed")
        await chat.run()
        await expect(chat.last.locator(".embed-title")).to_have_text("Books")
        await expect(chat.last.locator(".embed strong")).to_have_text("honest")
        await expect(chat.last.get_by_role("term")).to_have_text("Today")
        await expect(chat.last.get_by_role("definition")).to_have_text("$0.02")


async def test_every_component_is_drawn_and_pictures_open_large(open_as: OpenAs) -> None:
    async with open_as() as chat:
        await chat.begin("gallery")
        await chat.run()
        message = chat.last
        await expect(message.get_by_role("heading", name="Count 0")).to_be_visible()
        pictures = message.get_by_role("group", name="Pictures").get_by_role("img")
        await expect(pictures).to_have_count(2)
        for index in range(2):
            await expect(pictures.nth(index)).to_have_js_property("naturalWidth", 64)
        await expect(message.get_by_role("img", name="Tiny")).to_be_visible()
        await expect(message.get_by_role("link", name="ledger.txt")).to_be_visible()
        await expect(message.get_by_role("link", name="Docs")).to_have_attribute(
            "href", "https://example.com/docs"
        )
        await expect(message.get_by_role("button", name="Never")).to_be_disabled()
        accent = await message.locator(".container").evaluate(
            "e => getComputedStyle(e).borderInlineStartColor"
        )
        assert accent == "rgb(23, 133, 123)"
        await message.get_by_role("button", name="Enlarge teal.png").click()
        await expect(chat.dialog.get_by_role("img", name="teal.png")).to_be_visible()
        await chat.page.keyboard.press("ArrowRight")
        await expect(chat.dialog.get_by_role("img", name="tomato.png")).to_be_visible()
        await chat.page.keyboard.press("Escape")
        await expect(chat.dialog).to_have_count(0)
        await expect(message.get_by_role("button", name="Enlarge teal.png")).to_be_focused()


async def test_buttons_edit_the_message_for_everyone_and_keep_the_focus(open_as: OpenAs) -> None:
    async with open_as("mira") as chat, open_as("theo") as other:
        await chat.begin("gallery")
        await chat.run()
        plus = chat.last.get_by_role("button", name="Plus one")
        await plus.press("Enter")
        for seen in (chat, other):
            await expect(seen.last.get_by_role("heading", name="Count 1")).to_be_visible()
        # The new layout names no files, so none are shown.
        await expect(chat.last.locator("img, a[href*='ledger.txt']")).to_have_count(0)
        await expect(plus).to_be_focused()
        await other.last.get_by_role("button", name="Plus one").click()
        await expect(chat.last.get_by_role("heading", name="Count 2")).to_be_visible()


async def test_a_select_sends_several_values_once_it_closes(open_as: OpenAs) -> None:
    async with open_as() as chat:
        await chat.begin("gallery")
        await chat.run()
        menu = chat.last.get_by_role("combobox", name="Colours")
        await menu.focus()
        await chat.page.keyboard.press("ArrowDown")
        options = chat.last.get_by_role("option")
        await expect(options).to_have_text(["Red", "Blue", "Green"])
        await chat.page.keyboard.press("Enter")
        await options.nth(2).click()
        await expect(options.nth(1)).to_have_attribute("aria-disabled", "true")
        await chat.page.keyboard.press("Escape")
        await expect(chat.last).to_contain_text("chosen: green, red")


async def test_a_button_whose_bot_is_gone_says_that_it_failed(
    open_as: OpenAs, place: Place
) -> None:
    async with open_as() as chat:
        await chat.begin("gallery")
        await chat.run()
        await expect(chat.page.get_by_text("Easel is online")).to_be_visible()
        await place.bot.close()
        await expect(chat.page.get_by_text("Easel is offline")).to_be_visible()
        place.discord.acknowledge_within = 0.2
        await chat.last.get_by_role("button", name="Plus one").click()
        await expect(chat.last.get_by_role("alert")).to_have_text("This interaction failed")


async def test_a_modal_checks_its_fields_and_sends_them(open_as: OpenAs) -> None:
    async with open_as() as chat:
        sent: list[str] = []
        chat.page.on("request", lambda request: sent.append(request.url))
        await chat.begin("form")
        await chat.run()
        form = chat.dialog
        await expect(form.get_by_role("heading", name="All fields")).to_be_visible()
        await expect(form.get_by_label("Name")).to_be_focused()
        await form.get_by_role("button", name="Submit").click()
        await expect(form.get_by_text("This is required.")).to_be_visible()
        await expect(form.get_by_text("Please choose.")).to_have_count(2)
        await form.get_by_label("Name").fill("ab")
        await form.get_by_role("button", name="Submit").click()
        await expect(form.get_by_text("At least 3 characters, please.")).to_be_visible()
        assert not [url for url in sent if url.endswith("/submit")]
        await form.get_by_label("Name").fill("Ada")
        await form.get_by_label("Story").fill("two\nlines")
        await form.get_by_role("combobox", name="Colour").click()
        await form.get_by_role("option", name="Blue").click()
        await form.get_by_role("radio", name="Large").check()
        await form.get_by_role("button", name="Submit").click()
        await expect(form).to_have_count(0)
        await expect(chat.last).to_contain_text("Ada | two")
        await expect(chat.last).to_contain_text("lines | Blue | large")


async def test_a_modal_takes_files_boxes_and_people(open_as: OpenAs) -> None:
    async with open_as() as chat:
        await chat.begin("boxes")
        await chat.run()
        form = chat.dialog
        files: list[FilePayload] = [
            {"name": "a.txt", "mimeType": "text/plain", "buffer": b"abc"},
            {"name": "b.txt", "mimeType": "text/plain", "buffer": b"defgh"},
        ]
        await form.locator("input[type=file]").set_input_files(files)
        await form.get_by_role("checkbox", name="Salt").check()
        await form.get_by_role("checkbox", name="Really").check()
        await form.get_by_role("combobox", name="Whom").click()
        await form.get_by_role("option", name="Theo").click()
        await form.get_by_role("button", name="Submit").click()
        await expect(chat.last).to_contain_text("a.txt:3,b.txt:5 | salt | True | Theo")


async def test_a_modal_can_be_cancelled(open_as: OpenAs) -> None:
    async with open_as() as chat:
        await chat.begin("form")
        await chat.run()
        await chat.dialog.get_by_role("button", name="Cancel").click()
        await expect(chat.dialog).to_have_count(0)
        await expect(chat.messages).to_have_count(0)
