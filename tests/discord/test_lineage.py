"""Every edit knows where it came from, and there is a way back, after restarts, too."""

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Message, Person, UploadedFile
from sandbox.discord.town import THREAD
from sandbox.house import House, button, explanation, pictures
from sandbox.talk import mail
from tests.discord.edits import ADD, COLLAGE, DAY_MS, EDIT, files, png, rename, sent
from tests.discord.strangers import lighthouse

BRUSH = "mosaic/tessera-brush"

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


def link(channel: Channel, message: Message) -> str:
    """Where a message can be read."""
    return f"https://discord.com/channels/{channel.guild_id or '@me'}/{channel.id}/{message.id}"


async def put(person: Person, channel: Channel, message: Message) -> Message:
    """The person's tray with the pictures of a message in it, as it is shown in `channel`."""
    return await (await person.apps_menu(channel, ADD, message)).answer()


async def tray_edited(person: Person, channel: Channel, shelf: Message) -> Message:
    modal = await (await person.click(shelf, button(shelf, "Edit"))).form()
    ask = await person.submit(modal, {"prompt": "a fleet", "model": [COLLAGE]})
    return await pictures(person, channel, ask)


async def edited(person: Person, channel: Channel) -> Message:
    options = {"image": "a", "prompt": "make it blue", "model": BRUSH}
    ask = await person.slash(channel, "edit", options, files={"a": UploadedFile("boat.png", png())})
    return await pictures(person, channel, ask)


async def test_undo_posts_what_the_edit_started_from_after_a_restart_and_costs_nothing(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    message = await edited(mira, general)
    await house.restart_bot()

    click = await mira.click(message, button(message, "Undo"))
    restored = await pictures(mira, general, click)
    assert [a.data for a in restored.attachments] == [png()]
    assert restored.ephemeral_to is None
    assert "free" in restored.text
    assert len(books.charges()) == len(house.imagerouter.requests) == 1


async def test_undo_belongs_to_the_person_who_made_it(
    mira: Person, theo: Person, general: Channel
) -> None:
    message = await edited(mira, general)
    click = await theo.click(message, button(message, "Undo"))
    told = await explanation(general, click)
    assert told.ephemeral_to == theo.user.id
    assert "That button is for somebody else" in told.text


async def test_again_repeats_an_edit_with_its_picture_and_links_to_it(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    message = await edited(mira, general)
    click = await theo.click(message, button(message, "Again"))
    again = await pictures(theo, general, click)

    first, second = house.imagerouter.requests
    assert first.images[0].data == second.images[0].data == png()
    assert f"Once more, after [this message]({link(general, message)})" in again.text


async def test_an_edit_of_a_result_links_to_it_and_says_that_it_is_made_from_it(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    message = await edited(mira, general)
    modal = await (await theo.click(message, button(message, "Edit"))).form()
    ask = await theo.submit(modal, {"prompt": "x", "model": [COLLAGE]})
    assert (
        f"Made from [this message]({link(general, message)})"
        in (await pictures(theo, general, ask)).text
    )


async def test_an_edit_from_the_tray_links_once_to_each_message_of_its_channel(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    workshop = house.channel("workshop")
    elsewhere = await theo.say(workshop, files=files(1))
    said = [await theo.say(general, files=files(2, begin=1 + 2 * n)) for n in range(2)]
    await put(mira, workshop, elsewhere)
    for message in said:
        shelf = await put(mira, general, message)
    result = await tray_edited(mira, general, shelf)

    assert len(house.imagerouter.requests[0].images) == 5
    one, other = (link(general, message) for message in said)
    assert f"Made from [this message]({one}) and [this one]({other})" in result.text
    # Who reads this channel need not see that one.
    assert result.text.count("https://discord.com/channels/") == 2

    again = await pictures(theo, general, await theo.click(result, button(result, "Again")))
    assert f"Once more, after [this message]({link(general, result)})" in again.text


async def test_of_many_messages_the_first_three_are_linked(
    mira: Person, theo: Person, general: Channel
) -> None:
    said = [await theo.say(general, files=files(1, begin=n)) for n in range(5)]
    for message in said:
        shelf = await put(mira, general, message)
    result = await tray_edited(mira, general, shelf)

    first, second, third = (link(general, message) for message in said[:3])
    links = f"[this message]({first}), [this one]({second}), [this one]({third}) and others"
    assert f"Made from {links}" in result.text


async def test_an_edit_of_what_only_another_channel_shows_links_to_nothing(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    workshop = house.channel("workshop")
    await put(mira, workshop, await theo.say(workshop, files=files(1)))
    here = await theo.say(general, files=files(1, begin=1))
    shelf = await put(mira, general, here)
    last = str(shelf.selects[0].options[1]["value"])
    await (await mira.choose(shelf, shelf.selects[0].custom_id, [last])).answer()
    result = await tray_edited(mira, general, shelf)
    assert "channels/" not in result.text


async def test_a_picture_whose_link_has_died_is_explained_to_the_person_alone(
    house: House, mira: Person, general: Channel
) -> None:
    message = await edited(mira, general)
    house.clock.advance(2 * DAY_MS)
    house.discord.faults.status("POST /attachments/refresh-urls", 404)
    click = await mira.click(message, button(message, "Undo"))
    told = await explanation(general, click)

    assert told.ephemeral_to == mira.user.id
    assert "is not there any more" in told.text


async def test_a_dead_link_of_an_upload_is_renewed(
    house: House, mira: Person, general: Channel
) -> None:
    message = await edited(mira, general)
    house.clock.advance(2 * DAY_MS)
    click = await mira.click(message, button(message, "Undo"))
    restored = await pictures(mira, general, click)
    assert [a.data for a in restored.attachments] == [png()]


async def test_paint_area_answers_privately_with_a_link_that_is_the_persons_own(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    message = await edited(mira, general)
    await house.restart_bot()
    click = await theo.click(message, button(message, "Paint area"))
    told = await click.answer()

    assert told.ephemeral_to == theo.user.id
    [link] = [b.url for b in told.buttons if b.url]
    assert "/p/" in link


async def test_an_edit_with_area_paint_answers_with_a_link_and_sends_nothing(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    options = {"image": "a", "area": "paint", "prompt": "a sail"}
    ask = await mira.slash(general, "edit", options, files={"a": UploadedFile("a.png", png())})
    told = await ask.answer()

    assert told.ephemeral_to == mira.user.id
    assert [b.label for b in told.buttons] == ["Paint the area"]
    assert (books.charges(), house.imagerouter.requests) == ([], [])


async def test_a_paint_button_that_names_another_job_gives_no_parent(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    first, second = await edited(mira, general), await edited(mira, general)
    await house.bot.services.generation.idle()
    [own] = books.rows("SELECT id FROM job WHERE message_id = ?", second.id)
    rename(first, button(first, "Paint area"), button(second, "Paint area"))
    await (await mira.click(first, button(second, "Paint area"))).answer()
    await (await mira.click(second, button(second, "Paint area"))).answer()
    rows = books.rows("SELECT parent_id FROM paint_link ORDER BY created_at, id")
    assert [row["parent_id"] for row in rows] == [None, own["id"]]


# Edits of pictures in people's own messages


def made_from(channel: Channel, message: Message) -> str:
    return f"Made from [this message]({link(channel, message)})"


async def edited_by_menu(person: Person, channel: Channel, message: Message) -> Message:
    """The result of **Edit image** on a message; of several pictures the last is chosen."""
    menu = await person.apps_menu(channel, EDIT, message)
    if len(message.attachments) > 1:
        asked = await menu.answer()
        last = str(len(message.attachments) - 1)
        menu = await person.choose(asked, asked.selects[0].custom_id, [last])
    ask = await person.submit(await menu.form(), {"prompt": "at night", "model": [COLLAGE]})
    return await pictures(person, channel, ask)


@pytest.mark.parametrize("place", ["channel", "thread", "direct messages", "group"])
async def test_an_edit_of_a_message_links_to_it_and_undo_posts_its_picture(
    house: House, mira: Person, theo: Person, place: str
) -> None:
    world = house.discord.world
    channel = {
        "channel": house.channel(),
        "thread": next(each for each in house.guild().threads.values() if each.name == THREAD),
        "direct messages": mail(house, mira),
        "group": world.private_talk(mira.user, theo.user),
    }[place]
    world.user_installs(mira.user)
    said = await mira.say(channel, files=files(2))
    message = await edited_by_menu(mira, channel, said)
    assert sent(house) == [png(1)]
    assert made_from(channel, said) in message.text

    click = await mira.click(message, button(message, "Undo"))
    restored = await pictures(mira, channel, click)
    assert [each.data for each in restored.attachments] == [png(1)]


async def test_in_a_server_without_the_bot_no_link_leads_nowhere(
    house: House, mira: Person, theo: Person
) -> None:
    lamp_room = lighthouse(house)
    said = await theo.say(lamp_room, files=files(1))
    first = await edited_by_menu(mira, lamp_room, said)
    click = await mira.click(first, button(first, "Again"))
    for message in (first, await pictures(mira, lamp_room, click)):
        assert message.attachments
        assert "/channels/" not in message.text
