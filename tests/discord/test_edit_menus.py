"""Edits that nobody types: the Apps menu of messages, and the edit tray."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from sandbox.books import Books
from sandbox.discord import Ask, Channel, Message, NotPossibleError, Person, UploadedFile
from sandbox.house import House, button, explanation, pictures
from tests.discord.edits import (
    ADD,
    CHEAP,
    COLLAGE,
    DAY_MS,
    EDIT,
    edit_form,
    fields,
    files,
    made,
    png,
    rename,
    sent,
)

BRUSH = "mosaic/tessera-brush"
CUTOUT = "harborlight/cutout"
SEA = "https://pictures.example/sea.png"

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


def shown(message: Message) -> list[str]:
    """The addresses of all pictures in a message's galleries."""
    return [item["media"]["url"] for gallery in _galleries(message) for item in gallery["items"]]


def _galleries(message: Message) -> Iterator[dict[str, Any]]:
    for box in message.components:
        yield from (each for each in box["components"] if each["type"] == 12)


async def choose(person: Person, message: Message, values: list[str], which: int = 0) -> Ask:
    """Choose in a message's menu."""
    return await person.choose(message, message.selects[which].custom_id, values)


async def tray(person: Person, channel: Channel, message: Message) -> Message:
    """The tray, once the pictures of a message are added."""
    return await (await person.apps_menu(channel, ADD, message)).answer()


# A command on a message


async def test_a_message_with_one_picture_opens_the_form_at_once_and_its_bytes_are_edited(
    house: House, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    said = await theo.say(general, "look", files=files(1))
    modal = await edit_form(mira, general, said)
    ask = await mira.submit(modal, {"prompt": "at night", "model": [COLLAGE]})
    result = await pictures(mira, general, ask)

    assert result.ephemeral_to is None
    assert sent(house) == [png()]
    assert house.imagerouter.requests[0].fields["prompt"] == "at night"
    assert house.imagerouter.requests[0].fields["model"] == COLLAGE
    assert books.rows("SELECT command, user_id, parent_id FROM job") == [
        {"command": "edit", "user_id": mira.user.id, "parent_id": None}
    ]


async def test_the_form_offers_models_that_can_edit_and_room_for_all_sixteen(
    mira: Person, general: Channel
) -> None:
    modal = await edit_form(mira, general, await mira.say(general, files=files(1)))
    offered = fields(modal)

    assert list(offered) == ["prompt", "model", "files", "more", "mask"]
    values = [option["value"] for option in offered["model"]["options"]]
    assert values[0] == "default"
    assert COLLAGE in values
    assert CHEAP not in values
    assert len(values) <= 25
    assert [offered[name]["max_values"] for name in ("files", "more", "mask")] == [10, 5, 1]


async def test_further_pictures_and_a_mask_come_with_the_form(
    house: House, mira: Person, general: Channel
) -> None:
    modal = await edit_form(mira, general, await mira.say(general, files=files(1)))
    given = {"files": files(2, begin=1), "more": files(1, begin=3), "mask": files(1, begin=20)}
    ask = await mira.submit(modal, {"prompt": "a fleet", "model": [BRUSH]}, files=given)
    await pictures(mira, general, ask)

    assert sent(house) == [png(0), png(1), png(2), png(3)]
    [request] = house.imagerouter.requests
    assert [file.field for file in request.files].count("mask[]") == 1


async def test_some_models_need_no_words(house: House, mira: Person, general: Channel) -> None:
    modal = await edit_form(mira, general, await mira.say(general, files=files(1)))
    await pictures(mira, general, await mira.submit(modal, {"model": [CUTOUT]}))
    assert sent(house) == [png()]


async def test_of_several_pictures_a_private_menu_asks_which_and_takes_more_than_one(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    said = await theo.say(general, files=files(4))
    menu = await (await mira.apps_menu(general, EDIT, said)).answer()
    assert menu.ephemeral_to == mira.user.id
    assert shown(menu) == [attachment.url for attachment in said.attachments]
    assert [o["label"] for o in menu.selects[0].options] == [
        f"{n}. boat_{n - 1}.png" for n in range(1, 5)
    ]

    modal = await (await choose(mira, menu, ["3", "1"])).form()
    assert fields(modal)["more"]["max_values"] == 4
    ask = await mira.submit(modal, {"prompt": "x", "model": [COLLAGE]})
    await pictures(mira, general, ask)
    assert sent(house) == [png(1), png(3)]


async def test_every_step_works_after_a_restart(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    said = await theo.say(general, files=files(2))
    menu = await (await mira.apps_menu(general, EDIT, said)).answer()
    await house.restart_bot()
    modal = await (await choose(mira, menu, ["1"])).form()
    await house.restart_bot()
    ask = await mira.submit(modal, {"prompt": "x", "model": [COLLAGE]})
    await pictures(mira, general, ask)
    assert sent(house) == [png(1)]


async def test_a_picture_of_the_web_is_taken_from_discords_proxy(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    house.discord.publish(SEA, UploadedFile("sea.png", png(7)))
    said = await theo.say(general, SEA)
    modal = await edit_form(mira, general, said)
    await pictures(mira, general, await mira.submit(modal, {"prompt": "x", "model": [COLLAGE]}))
    assert sent(house) == [png(7)]


async def test_a_sticker_and_a_forwarded_picture_are_edited_too(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    sticker = house.discord.world.add_sticker("Boat", png(5))
    stuck = await theo.say(general, stickers=[sticker])
    forwarded = await theo.forward(await theo.say(general, files=files(1)), general)
    for message in (stuck, forwarded):
        modal = await edit_form(mira, general, message)
        ask = await mira.submit(modal, {"prompt": "x", "model": [COLLAGE]})
        await pictures(mira, general, ask)
    assert (sent(house, 0), sent(house, 1)) == ([png(5)], [png(0)])


@pytest.mark.parametrize("command", [EDIT, ADD])
async def test_a_message_without_a_picture_is_explained_privately(
    mira: Person, general: Channel, command: str
) -> None:
    said = await mira.say(general, "words", files=[UploadedFile("notes.txt", b"words")])
    words = await (await mira.apps_menu(general, command, said)).answer()
    assert words.ephemeral_to == mira.user.id
    assert "No picture here" in words.text


async def test_what_is_no_picture_after_all_is_refused_by_name_and_costs_nothing(
    mira: Person, general: Channel, books: Books
) -> None:
    said = await mira.say(general, files=[UploadedFile("fake.png", b"only words")])
    modal = await edit_form(mira, general, said)
    told = await explanation(general, await mira.submit(modal, {"model": [COLLAGE]}))
    assert "fake" in told.text
    assert books.rows("SELECT * FROM job") == []


async def test_a_form_is_of_no_use_to_somebody_else(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    modal = await edit_form(mira, general, await mira.say(general, files=files(1)))
    stolen = replace(modal, user_id=theo.user.id)
    told = await explanation(general, await theo.submit(stolen, {"prompt": "x"}))
    assert "for somebody else" in told.text
    assert house.imagerouter.requests == []


async def test_a_form_that_waited_longer_than_a_week_says_so(
    house: House, mira: Person, general: Channel
) -> None:
    modal = await edit_form(mira, general, await mira.say(general, files=files(1)))
    house.clock.advance(8 * DAY_MS)
    told = await explanation(general, await mira.submit(modal, {"prompt": "a fine prompt"}))
    assert "not kept any more" in told.text
    assert "a fine prompt" in told.text


@pytest.mark.parametrize(
    "custom_id",
    [
        "editing:kept:1:0:0:1",
        "editing:kept:9223372036854775809:1:0:1",
        "editing:shown:7:1:0:1",
        "editing:elsewhere:1:1:0:1",
        "editing:tray:0:ffffffff:0:1",
        "editing:tray:0:1:0:1 ",
    ],
)
async def test_a_form_that_the_bot_never_showed_edits_nothing(
    house: House, mira: Person, general: Channel, custom_id: str
) -> None:
    modal = await edit_form(mira, general, await mira.say(general, files=files(1)))
    ask = await mira.submit(replace(modal, custom_id=custom_id), {"prompt": "x"})
    await ask.acknowledged()
    await house.stop_bot()
    told = [message for message in (ask.message, *ask.followups) if message is not None]
    assert any("not k" in message.text for message in told)
    assert house.imagerouter.requests == []


# The tray


async def test_a_tray_collects_pictures_of_several_messages_for_one_edit(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    first = await theo.say(general, files=files(2))
    second = await mira.say(house.channel("workshop"), files=files(1, begin=2))
    shelf = await tray(mira, general, first)
    assert shelf.ephemeral_to == mira.user.id
    assert "Your edit tray: 2 of 16" in shelf.text
    assert "Added 2 pictures." in shelf.text
    shelf = await tray(mira, house.channel("workshop"), second)
    assert "Your edit tray: 3 of 16" in shelf.text
    assert len(shown(shelf)) == 3

    modal = await (await mira.click(shelf, button(shelf, "Edit"))).form()
    assert modal.title == "Edit 3 pictures"
    workshop = house.channel("workshop")
    await pictures(mira, workshop, await mira.submit(modal, {"prompt": "x", "model": [COLLAGE]}))
    assert sent(house) == [png(0), png(1), png(2)]


async def test_what_is_in_the_tray_already_and_what_finds_no_room_is_told(
    mira: Person, general: Channel
) -> None:
    said = await mira.say(general, files=files(10))
    await tray(mira, general, said)
    again = await tray(mira, general, said)
    assert "Nothing was added. 10 pictures were there already." in again.text
    full = await tray(mira, general, await mira.say(general, files=files(7, begin=10)))
    assert "Added 6 pictures. One picture found no room: a tray holds 16." in full.text
    assert [len(gallery["items"]) for gallery in _galleries(full)] == [10, 6]
    modal = await (await mira.click(full, button(full, "Edit"))).form()
    assert list(fields(modal)) == ["prompt", "model", "mask"]


async def test_pictures_are_taken_out_and_the_tray_is_cleared_after_restarts(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    shelf = await tray(mira, general, await mira.say(general, files=files(3)))
    await house.restart_bot()
    options = shelf.selects[0].options
    left = await (await choose(mira, shelf, [str(options[1]["value"])])).answer()
    assert left is shelf
    assert "2 of 16" in shelf.text
    assert [o["label"] for o in shelf.selects[0].options] == ["1. boat_0.png", "2. boat_2.png"]

    await house.restart_bot()
    await (await mira.click(shelf, button(shelf, "Clear"))).answer()
    assert "Your edit tray is empty" in shelf.text
    assert shelf.buttons == []
    assert books.rows("SELECT * FROM tray_picture") == []


async def test_a_tray_emptied_elsewhere_says_so_instead_of_opening_a_form(
    mira: Person, general: Channel
) -> None:
    said = await mira.say(general, files=files(1))
    old, new = await tray(mira, general, said), await tray(mira, general, said)
    form = await (await mira.click(old, button(old, "Edit"))).form()
    await (await mira.click(new, button(new, "Clear"))).answer()
    await (await mira.click(old, button(old, "Edit"))).answer()
    assert "Your edit tray is empty" in old.text
    told = await explanation(general, await mira.submit(form, {"prompt": "x"}))
    assert "not kept any more" in told.text


@pytest.mark.parametrize("label", ["Edit", "Clear", "menu"])
async def test_nobody_uses_the_tray_of_somebody_else(
    mira: Person, theo: Person, general: Channel, books: Books, label: str
) -> None:
    hers = await tray(mira, general, await mira.say(general, files=files(1)))
    his = await tray(theo, general, await theo.say(general, files=files(1, begin=1)))
    with pytest.raises(NotPossibleError):
        await theo.click(hers, button(hers, "Clear"))

    if label == "menu":
        rename(his, his.selects[0].custom_id, hers.selects[0].custom_id)
        ask = await choose(theo, his, [str(his.selects[0].options[0]["value"])])
    else:
        forged = button(hers, label)
        rename(his, button(his, label), forged)
        ask = await theo.click(his, forged)
    told = await (ask.answer() if label == "Edit" else ask.followup())
    assert "for somebody else" in told.text
    assert told.ephemeral_to == theo.user.id
    assert len(books.rows("SELECT * FROM tray_picture")) == 2


async def test_links_that_died_in_the_tray_are_renewed_to_show_and_to_edit_them(
    house: House, mira: Person, general: Channel
) -> None:
    await tray(mira, general, await mira.say(general, files=files(2)))
    house.clock.advance(2 * DAY_MS)
    shelf = await tray(mira, general, await mira.say(general, files=files(1, begin=2)))
    stored = [item["media"]["url"] for item in shelf.stored_components[0]["components"][1]["items"]]
    now_s = house.clock.now_ms() // 1000
    assert all(int(url.partition("ex=")[2].partition("&")[0], 16) > now_s for url in stored)

    house.clock.advance(2 * DAY_MS)
    modal = await (await mira.click(shelf, button(shelf, "Edit"))).form()
    await pictures(mira, general, await mira.submit(modal, {"prompt": "x", "model": [COLLAGE]}))
    assert sent(house) == [png(0), png(1), png(2)]


async def test_it_all_works_where_a_person_has_brought_the_bot_along(
    house: House, mira: Person, theo: Person
) -> None:
    house.discord.world.user_installs(mira.user)
    talk = house.discord.world.private_talk(mira.user, theo.user)
    said = await theo.say(talk, files=files(1))
    modal = await edit_form(mira, talk, said)
    await pictures(mira, talk, await mira.submit(modal, {"prompt": "x", "model": [COLLAGE]}))
    assert sent(house) == [png()]
    assert "1 of 16" in (await tray(mira, talk, said)).text


# What goes wrong


async def test_a_link_that_dies_while_the_form_is_open_is_renewed(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    own = await made(mira, general)
    others = await theo.say(general, files=files(1))
    forms = [await edit_form(mira, general, message) for message in (own, others)]
    house.clock.advance(2 * DAY_MS)
    for modal in forms:
        ask = await mira.submit(modal, {"prompt": "x", "model": [COLLAGE]})
        await pictures(mira, general, ask)

    assert (sent(house, 1), sent(house, 2)) == ([own.attachments[0].data], [png()])
    renewals = [
        request.route for request in house.discord.requests if "attachment" in request.route
    ]
    assert renewals == ["/attachments/refresh-urls"], "its own message told the other link"


async def test_a_picture_that_is_deleted_meanwhile_is_named(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    said = await theo.say(general, files=files(1))
    modal = await edit_form(mira, general, said)
    await theo.delete(said)
    told = await explanation(general, await mira.submit(modal, {"prompt": "my words"}))
    assert "boat" in told.text
    assert "my words" in told.text
    assert house.imagerouter.requests == []


async def test_a_picture_above_a_limit_is_refused_with_its_words(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    await (await ada.slash(general, "quota set", {"per": "image", "amount": "0.03"})).answer()
    modal = await edit_form(mira, general, await mira.say(general, files=files(1)))
    ask = await mira.submit(modal, {"prompt": "my words", "model": [COLLAGE]})
    told = await explanation(general, ask)
    assert "too dear here" in told.text
    assert "my words" in told.text
    assert house.imagerouter.requests == []


@pytest.mark.parametrize("count", [1, 2])
async def test_what_can_not_be_kept_opens_no_form(
    mira: Person, general: Channel, books: Books, count: int
) -> None:
    said = await mira.say(general, files=files(count))
    books.change("ALTER TABLE offer RENAME TO hidden")
    told = await (await mira.apps_menu(general, EDIT, said)).answer()
    books.change("ALTER TABLE hidden RENAME TO offer")
    assert "The books can't be written just now" in told.text
    assert told.ephemeral_to == mira.user.id


async def test_a_tray_that_can_not_be_read_says_so(
    mira: Person, general: Channel, books: Books
) -> None:
    said = await mira.say(general, files=files(1))
    shelf = await tray(mira, general, said)
    books.change("ALTER TABLE tray_picture RENAME TO hidden")
    told = [
        await (await mira.click(shelf, button(shelf, "Edit"))).answer(),
        await (await mira.click(shelf, button(shelf, "Clear"))).followup(),
        await tray(mira, general, said),
    ]
    books.change("ALTER TABLE hidden RENAME TO tray_picture")
    for words in told:
        assert "The books can't be written just now" in words.text
        assert words.ephemeral_to == mira.user.id
    assert "1 of 16" in shelf.text
