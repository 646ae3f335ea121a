"""Using commands on the page: by keyboard, with suggestions, choices, files, and their failures."""

import re

import pytest
from playwright.async_api import expect

from tools.browser import Look, OpenAs
from tools.toybot import Place

pytestmark = pytest.mark.browser


async def test_a_slash_lists_the_commands_that_this_person_may_use(open_as: OpenAs) -> None:
    async with open_as("mira") as chat:
        await chat.line.press_sequentially("/")
        commands = chat.page.get_by_role("listbox", name="Commands")
        await expect(commands.get_by_role("option", name="/show")).to_be_visible()
        await expect(commands.get_by_role("option", name="/manage")).to_have_count(0)
        await chat.line.fill("")
        await chat.switch("ada")
        await chat.line.press_sequentially("/")
        await expect(commands.get_by_role("option", name="/manage")).to_be_visible()


async def test_a_command_is_written_and_run_by_keyboard_alone(open_as: OpenAs) -> None:
    async with open_as() as chat:
        keyboard = chat.page.keyboard
        await chat.line.focus()
        await keyboard.type("/pi")
        await expect(chat.page.get_by_role("option", name="/pick")).to_be_visible()
        await keyboard.press("Enter")
        await expect(chat.option("fruit")).to_be_focused()
        await keyboard.type("ap")
        suggestions = chat.page.get_by_role("listbox", name="Suggestions for fruit")
        await expect(suggestions.get_by_role("option")).to_have_text(["Apple tree", "Apricot tree"])
        await keyboard.press("ArrowDown")
        await keyboard.press("Enter")
        await expect(chat.option("fruit")).to_have_value("Apricot tree")
        await keyboard.press("Enter")
        await expect(chat.last).to_contain_text("fruit=id-apricot")
        await expect(chat.line).to_be_focused()


async def test_suggestions_follow_what_is_typed(open_as: OpenAs) -> None:
    async with open_as() as chat:
        await chat.begin("pick")
        rows = chat.page.get_by_role("listbox", name="Suggestions for fruit").get_by_role("option")
        await expect(rows).to_have_count(4)
        await chat.option("fruit").fill("cher")
        await expect(rows).to_have_text(["Cherry tree"])
        await chat.option("fruit").fill("zzz")
        await expect(chat.page.get_by_text("No options match your search")).to_be_visible()


async def test_free_text_is_sent_as_typed_when_no_suggestion_was_picked(open_as: OpenAs) -> None:
    async with open_as() as chat:
        await chat.begin("pick")
        await chat.option("fruit").fill("quince")
        await chat.run()
        await expect(chat.last).to_contain_text("fruit=quince")


async def test_optional_options_are_added_removed_and_sent_with_their_values(
    open_as: OpenAs,
) -> None:
    async with open_as() as chat:
        await chat.begin("pick")
        await chat.option("fruit").fill("plum")
        basket = await chat.add_option("basket")
        await basket.fill("fl")
        await chat.page.get_by_role("option", name="Flat").click()
        await chat.fill({"amount": "3", "ripe": "True", "friend": "@Theo"})
        await chat.run()
        await expect(chat.last).to_contain_text(
            "fruit=plum basket=flat amount=3 ripe=True friend=Theo"
        )
        await chat.begin("pick")
        await chat.fill({"fruit": "plum", "amount": "2"})
        await chat.form.get_by_role("button", name="Remove option amount").click()
        await chat.run()
        await expect(chat.last).to_contain_text("amount=1")


async def test_a_wrong_option_is_named_and_nothing_is_sent(open_as: OpenAs) -> None:
    async with open_as() as chat:
        await chat.begin("pick")
        for option, text, complaint in (
            ("fruit", "", "This option is required."),
            ("basket", "square", "Please pick one of the list."),
            ("amount", "many", "This must be a number."),
            ("amount", "1.5", "This must be a whole number."),
            ("amount", "9", "At most 4, please."),
        ):
            await chat.fill({"fruit": "plum"} | {option: text})
            await chat.run()
            await expect(chat.form.get_by_text(complaint)).to_be_visible()
            await expect(chat.option(option)).to_be_focused()
            await expect(chat.option(option)).to_have_attribute("aria-invalid", "true")
            await expect(chat.messages).to_have_count(0)
            if option == "basket":
                await chat.form.get_by_role("button", name="Remove option basket").click()


async def test_escape_leaves_a_command_and_returns_to_the_line(open_as: OpenAs) -> None:
    async with open_as() as chat:
        await chat.begin("show")
        await chat.page.keyboard.press("Escape")
        await expect(chat.form).to_have_count(0)
        await expect(chat.line).to_be_focused()


async def test_files_reach_the_bot_byte_for_byte(open_as: OpenAs, place: Place) -> None:
    first, second = b"\x89PNG first", b"second"
    async with open_as() as chat:
        await chat.begin("upload")
        await chat.attach(
            "picture", {"name": "one.bin", "mimeType": "application/octet-stream", "buffer": first}
        )
        # The second one is dropped on the page and finds the free option by itself.
        await chat.page.evaluate(
            """() => {
                const data = new DataTransfer();
                data.items.add(new File(["second"], "two.txt", {type: "text/plain"}));
                document.body.dispatchEvent(
                    new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
            }"""
        )
        await expect(chat.form.get_by_text("two.txt")).to_be_visible()
        await chat.run()
        await expect(chat.last.get_by_role("link")).to_have_text(["one.bin", "two.txt"])
    channel = place.discord.world.channel(
        place.discord.world.guild("Paper Boat Society"), "general"
    )
    answer = place.discord.person("mira").messages(channel)[-1]
    assert [attachment.data for attachment in answer.attachments] == [first, second]


async def test_pasted_files_go_beside_a_plain_message(open_as: OpenAs) -> None:
    async with open_as() as chat:
        await chat.line.focus()
        await chat.page.evaluate(
            """() => {
                const data = new DataTransfer();
                data.items.add(new File(["hello"], "note.txt", {type: "text/plain"}));
                document.activeElement.dispatchEvent(
                    new ClipboardEvent("paste", {clipboardData: data, bubbles: true}));
            }"""
        )
        await chat.line.fill("look at this")
        await chat.page.keyboard.press("Enter")
        await expect(chat.last).to_contain_text("look at this")
        await expect(chat.last.get_by_role("link", name="note.txt")).to_be_visible()


async def test_a_bot_that_never_answers_is_told_so_to_its_person_alone(
    open_as: OpenAs, place: Place
) -> None:
    place.discord.acknowledge_within = 0.2
    async with open_as("mira") as chat, open_as("theo") as other:
        await chat.begin("silent")
        await chat.run()
        await expect(chat.last.get_by_role("alert")).to_have_text("The application did not respond")
        await expect(chat.last).to_contain_text("Mira used /silent")
        await expect(other.messages).to_have_count(0)
        await chat.last.get_by_role("button", name="Dismiss").click()
        await expect(chat.messages).to_have_count(0)


async def test_thinking_becomes_the_answer_and_says_when_it_was_edited(
    open_as: OpenAs, place: Place
) -> None:
    async with open_as("mira") as chat, open_as("theo") as other:
        await chat.begin("slow")
        await chat.run()
        for seen in (chat, other):
            await expect(seen.last).to_contain_text("Mira used /slow")
            await expect(seen.last.get_by_role("status")).to_contain_text("Easel is thinking…")
        place.bot.go.set()
        for seen in (chat, other):
            await expect(seen.last).to_contain_text("done, and edited")
            await expect(seen.last.get_by_text("(edited)")).to_be_visible()
            await expect(seen.last).not_to_contain_text("thinking")
            await expect(seen.messages).to_have_count(1)


async def test_a_private_answer_is_seen_by_its_person_only_and_can_be_dismissed(
    open_as: OpenAs, place: Place
) -> None:
    place.bot.go.set()
    async with open_as("mira") as chat, open_as("theo") as other:
        await chat.begin("slow")
        await chat.fill({"private": "True"})
        await chat.run()
        await expect(chat.last).to_contain_text("done, and edited")
        await expect(chat.last).to_contain_text("Only you can see this")
        await chat.begin("show")
        await chat.fill({"text": "for all"})
        await chat.run()
        await expect(other.last).to_contain_text("for all")
        await expect(other.messages).to_have_count(1)
        await chat.page.get_by_role("button", name="Dismiss message").click()
        await expect(chat.messages).to_have_count(1)


async def test_deleted_messages_vanish(open_as: OpenAs, place: Place) -> None:
    async with open_as() as chat:
        await chat.begin("fleeting")
        await chat.run()
        await expect(chat.last).to_contain_text("soon gone")
        place.bot.go.set()
        await expect(chat.messages).to_have_count(0)


async def test_the_apps_menu_runs_message_commands(open_as: OpenAs) -> None:
    async with open_as() as chat:
        await chat.line.fill("twelve chars")
        await chat.page.keyboard.press("Enter")
        await chat.last.hover()
        await chat.last.get_by_role("button", name="Apps for this message").click()
        await chat.page.get_by_role("menuitem", name="Count letters").press("Enter")
        await expect(chat.last).to_contain_text("12 letters")
        await expect(chat.last).to_contain_text("Mira used Count letters")


async def test_direct_messages_have_the_commands_too(open_as: OpenAs) -> None:
    async with open_as(channel="Easel") as chat:
        await chat.begin("show")
        await chat.fill({"text": "hello in private"})
        await chat.run()
        await expect(chat.last).to_contain_text("hello in private")
        await chat.enter("general")
        await expect(chat.messages).to_have_count(0)


async def test_a_phones_drawer_takes_the_focus_and_gives_it_back(open_as: OpenAs) -> None:
    async with open_as(look=Look(width=390, height=844)) as chat:
        drawer = chat.page.get_by_role("button", name="Channels", exact=True)
        await drawer.press("Enter")
        await expect(drawer).to_have_attribute("aria-expanded", "true")
        await expect(chat.page.get_by_role("button", name="general")).to_be_focused()
        await chat.page.keyboard.press("Escape")
        await expect(chat.page.get_by_role("button", name="general")).to_be_hidden()
        await expect(drawer).to_be_focused()


async def test_everything_works_on_a_phone(open_as: OpenAs) -> None:
    async with open_as(channel="workshop", look=Look(width=390, height=844)) as chat:
        await chat.begin("pick")
        await chat.fill({"fruit": "fig", "amount": "2"})
        await chat.run()
        await expect(chat.last).to_contain_text("fruit=fig")
        overflow = await chat.page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not overflow
        await expect(chat.page).to_have_title(re.compile("#workshop"))
