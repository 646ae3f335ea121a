"""Undo when Discord fails: nobody is left with an answer that thinks for ever."""

import io

import pytest
from PIL import Image

from sandbox.books import Books
from sandbox.discord import Channel, Message, Person, UploadedFile
from sandbox.house import House, button, explanation, pictures, waiting
from tests.discord.edits import DAY_MS, made, png, rename

BRUSH = "mosaic/tessera-brush"
EDIT = "PATCH /webhooks/*/*/messages/*"
WHISPER = "POST /webhooks/*/*"
RENEW = "POST /attachments/refresh-urls"
TOO_LARGE = {"code": 40005, "message": "Request entity too large"}
NOT_ALLOWED = {"code": 50013, "message": "Missing Permissions"}

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


async def edited(person: Person, channel: Channel, data: bytes = b"") -> Message:
    options = {"image": "a", "prompt": "make it blue", "model": BRUSH}
    given = {"a": UploadedFile("boat.png", data or png())}
    ask = await person.slash(channel, "edit", options, files=given)
    return await pictures(person, channel, ask)


async def test_an_explanation_that_discord_does_not_take_at_once_is_told_all_the_same(
    house: House, mira: Person, general: Channel
) -> None:
    message = await edited(mira, general)
    house.clock.advance(2 * DAY_MS)
    house.discord.faults.status(RENEW, 404)
    house.discord.faults.status(EDIT, 408, times=2)
    house.discord.faults.status(WHISPER, 429, times=2)
    told = await explanation(general, await mira.click(message, button(message, "Undo")))

    assert told.ephemeral_to == mira.user.id
    assert "is not there any more" in told.text
    assert waiting(house) == []


@pytest.mark.parametrize("status", [408, 429])
async def test_a_picture_that_discord_does_not_take_at_once_comes_once(
    house: House, mira: Person, general: Channel, status: int
) -> None:
    message = await edited(mira, general)
    house.discord.faults.status(EDIT, status, times=3)
    restored = await pictures(mira, general, await mira.click(message, button(message, "Undo")))
    assert [each.data for each in restored.attachments] == [png()]


async def test_a_discord_that_renews_no_link_is_told_as_just_that(
    house: House, mira: Person, general: Channel
) -> None:
    message = await edited(mira, general)
    house.clock.advance(2 * DAY_MS)
    house.discord.faults.status(RENEW, 429, times=9)
    told = await explanation(general, await mira.click(message, button(message, "Undo")))
    assert "Discord did not send the picture" in told.text
    assert told.buttons == []


async def test_a_picture_that_discord_finds_too_large_is_made_smaller(
    house: House, mira: Person, general: Channel
) -> None:
    buffer = io.BytesIO()
    Image.effect_noise((200, 150), 90).convert("RGB").save(buffer, "PNG")
    message = await edited(mira, general, buffer.getvalue())
    house.discord.faults.status(EDIT, 413, body=TOO_LARGE)
    restored = await pictures(mira, general, await mira.click(message, button(message, "Undo")))
    [file] = restored.attachments
    assert 0 < len(file.data) <= len(buffer.getvalue()) // 2


async def test_a_place_that_takes_no_picture_is_told(
    house: House, mira: Person, general: Channel
) -> None:
    message = await edited(mira, general)
    house.discord.faults.status(EDIT, 403, body=NOT_ALLOWED)
    told = await explanation(general, await mira.click(message, button(message, "Undo")))
    assert told.ephemeral_to == mira.user.id
    assert "Something broke" in told.text


async def test_a_stop_while_the_picture_is_fetched_is_told(
    house: House, mira: Person, general: Channel
) -> None:
    message = await edited(mira, general)
    gate = house.discord.faults.hold("GET /cdn/*/*/*/*")
    click = await mira.click(message, button(message, "Undo"))
    await gate.reached()
    house.begin_stop()
    told = await explanation(general, click)
    assert "The bot is restarting" in told.text
    await house.stop_bot()


async def test_what_was_attached_in_private_is_shown_again_to_nobody_else(
    house: House, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    """Who repeats the edit of a picture that only its person has seen gets no way to see it."""
    message = await edited(mira, general)
    hers = button(message, "Undo")
    ask = await theo.click(message, button(message, "Again"))
    again = await pictures(theo, general, ask)
    assert "Undo" not in [each.label for each in again.buttons]

    third = await pictures(theo, general, await theo.click(again, button(again, "Again")))
    job = books.rows("SELECT id FROM job ORDER BY id")[-1]["id"]
    rename(third, button(third, "Again"), f"undo:{job}")
    told = await explanation(general, await theo.click(third, f"undo:{job}"))
    assert "for somebody else" in told.text
    restored = await pictures(mira, general, await mira.click(message, hers))
    assert [each.data for each in restored.attachments] == [png()]


async def test_who_repeats_the_edit_of_a_picture_that_all_can_see_may_undo_it(
    mira: Person, theo: Person, general: Channel
) -> None:
    first = await made(mira, general)
    modal = await (await mira.click(first, button(first, "Edit"))).form()
    ask = await mira.submit(modal, {"prompt": "x", "model": [BRUSH]})
    second = await pictures(mira, general, ask)
    third = await pictures(theo, general, await theo.click(second, button(second, "Again")))
    restored = await pictures(theo, general, await theo.click(third, button(third, "Undo")))
    assert [each.data for each in restored.attachments] == [first.attachments[0].data]


async def test_a_moderator_does_not_bring_back_what_was_attached_in_private(
    mira: Person, ada: Person, general: Channel
) -> None:
    message = await edited(mira, general)
    told = await explanation(general, await ada.click(message, button(message, "Undo")))
    assert "for somebody else" in told.text


async def test_a_moderator_undoes_the_edit_of_a_picture_that_all_can_see(
    mira: Person, theo: Person, ada: Person, general: Channel
) -> None:
    first = await made(mira, general)
    modal = await (await mira.click(first, button(first, "Edit"))).form()
    ask = await mira.submit(modal, {"prompt": "x", "model": [BRUSH]})
    second = await pictures(mira, general, ask)
    told = await explanation(general, await theo.click(second, button(second, "Undo")))
    assert "for somebody else" in told.text
    restored = await pictures(ada, general, await ada.click(second, button(second, "Undo")))
    assert [each.data for each in restored.attachments] == [first.attachments[0].data]
