"""Every edit knows where it came from, and there is a way back, after restarts, too."""

import io

import pytest
from PIL import Image

from sandbox.books import Books
from sandbox.discord import Channel, Message, Person, UploadedFile
from sandbox.house import House, button, explanation, pictures
from tests.discord.edits import rename

BRUSH = "mosaic/tessera-brush"

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")

DAY_MS = 86_400_000


def png(colour: str = "red") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(buffer, "PNG")
    return buffer.getvalue()


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
