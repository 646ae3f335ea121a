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
    link = f"channels/{general.guild_id}/{general.id}/{message.id}"
    assert link in again.text


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
    place = channel.guild_id or "@me"
    link = f"https://discord.com/channels/{place}/{channel.id}/{message.id}"
    return f"Made from [this message]({link})"


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


@pytest.mark.parametrize("first_is_here", [True, False])
async def test_an_edit_of_the_tray_links_to_its_first_picture_where_that_is_here(
    house: House, mira: Person, general: Channel, first_is_here: bool
) -> None:
    workshop = house.channel("workshop")
    places = [general, workshop] if first_is_here else [workshop, general]
    said = [await mira.say(each, files=files(1)) for each in places]
    for channel, message in zip(places, said, strict=True):
        await (await mira.apps_menu(channel, ADD, message)).answer()
    shelf = await (await mira.apps_menu(general, ADD, said[places.index(general)])).answer()
    modal = await (await mira.click(shelf, button(shelf, "Edit"))).form()
    ask = await mira.submit(modal, {"prompt": "x", "model": [COLLAGE]})
    result = await pictures(mira, general, ask)
    assert (made_from(general, said[0]) in result.text) is first_is_here
    assert ("Made from" in result.text) is first_is_here


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
