"""The painter from wherever `/edit` can be typed: threads, direct messages, foreign servers."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Message, Person, UploadedFile
from sandbox.discord.town import THREAD
from sandbox.house import House, button, pictures
from sandbox.talk import mail, make
from tests.discord.edits import rename
from tests.discord.strangers import lighthouse
from tests.web.paint import MODEL, Link, editness, painted, photo

SEVERAL = "mosaic/tessera-brush"
BOX = (40, 30, 120, 90)


async def asked(person: Person, channel: Channel, **more: object) -> Link:
    """The link that `/edit area:paint` answers with."""
    options = {"image": "a", "area": "paint", "prompt": "a sail", "model": MODEL, **more}
    ask = await person.slash(
        channel, "edit", options, files={"a": UploadedFile("photo.png", photo())}
    )
    told = await ask.answer()
    assert told.ephemeral_to == person.user.id
    [link] = [each.url for each in told.buttons if each.url]
    return Link(link)


async def posted(person: Person, channel: Channel) -> Message:
    return await person.wait_for(channel, lambda m: bool(m.attachments) and m.author.bot)


async def test_a_thread_gets_the_result_and_counts_for_its_channel(
    house: House, books: Books
) -> None:
    mira = house.person("mira")
    thread = next(c for c in house.guild().threads.values() if c.name == THREAD)
    link = await asked(mira, thread)
    await house.restart_bot()
    link = Link(f"{house.bot.services.painting.url}/p/{link.url.rpartition('/')[2]}")  # its port
    assert (await link.generate(painted(BOX))).status == 202
    await posted(mira, thread)
    [job] = books.rows("SELECT channel_id, guild_id FROM job")
    assert job == {"channel_id": thread.parent_id, "guild_id": house.guild().id}


async def test_direct_messages_get_the_result(house: House) -> None:
    mira = house.person("mira")
    home = mail(house, mira)
    link = await asked(mira, home)
    assert (await link.generate(painted(BOX))).status == 202
    await posted(mira, home)


@pytest.mark.parametrize("private", [False, True])
async def test_where_the_bot_is_no_member_the_result_comes_by_direct_message(
    house: House, books: Books, private: bool
) -> None:
    mira = house.person("mira")
    lamp_room = lighthouse(house)
    link = await asked(mira, lamp_room, private=private)
    assert (await link.generate(painted(BOX))).status == 202
    await posted(mira, mail(house, mira))
    assert [row["guild_id"] for row in books.charges()] == [0]
    assert not [m for m in mira.messages(lamp_room) if m.attachments]


async def test_a_painted_edit_is_repeated_and_undone_after_its_links_have_died(
    house: House, books: Books
) -> None:
    mira, general = house.person("mira"), house.channel()
    link = await asked(mira, general)
    assert (await link.generate(painted(BOX))).status == 202
    first = await posted(mira, general)
    await house.bot.services.generation.idle()
    await house.restart_bot()
    house.clock.advance(3 * 86_400_000)

    click = await mira.click(first, button(first, "Again"))
    await mira.wait_for(general, lambda m: m.interaction_id == click.id and bool(m.attachments))
    one, two = house.imagerouter.requests
    assert [file.data for file in one.files] == [file.data for file in two.files]
    click = await mira.click(first, button(first, "Undo"))
    back = await mira.wait_for(
        general, lambda m: m.interaction_id == click.id and bool(m.attachments)
    )
    assert [each.data for each in back.attachments] == [photo()]


async def test_a_private_painted_edit_leaves_nothing_but_its_cost(
    house: House, books: Books
) -> None:
    mira, general = house.person("mira"), house.channel()
    link = await asked(mira, general, private=True, prompt="a secret sail")
    assert (await link.generate(painted(BOX))).status == 202
    await posted(mira, mail(house, mira))
    await house.stop_bot()
    for table in ("prompt", "job_input", "offer", "mask"):
        assert books.rows(f"SELECT * FROM {table}") == [], table
    [row] = books.rows("SELECT draft FROM paint_link")
    assert row["draft"] == ""
    assert [row["state"] for row in books.charges()] == ["settled"]


@pytest.mark.parametrize(
    ("environ", "offered"),
    [({}, True), ({"HTTP_PORT": "0"}, False), ({"PUBLIC_URL": "https://easel.example"}, False)],
    ids=["served", "without an address", "without a port"],
)
async def test_painting_is_offered_only_where_the_painter_is_served(
    open_house: Callable[..., Awaitable[House]], environ: dict[str, str], offered: bool
) -> None:
    house = await open_house(**environ)
    mira, general = house.person("mira"), house.channel()
    [command] = [each for each in mira.commands_in(general) if each.name == "edit"]
    [area] = [option for option in command.options if option["name"] == "area"]
    assert ("paint" in [choice["value"] for choice in area["choices"]]) is offered
    first = await make(mira, general, "papercut/fold-mini")
    assert ("Paint area" in [each.label for each in first.buttons]) is offered
    modal = await (await mira.click(first, button(first, "Edit"))).form()
    ask = await mira.submit(modal, {"prompt": "x", "model": [SEVERAL]})
    edit = await pictures(mira, general, ask)
    assert ("Paint area" in [each.label for each in edit.buttons]) is offered


async def test_a_button_from_when_there_was_a_painter_says_what_to_do_instead(
    open_house: Callable[..., Awaitable[House]],
) -> None:
    house = await open_house(HTTP_PORT="0")
    mira, general = house.person("mira"), house.channel()
    first = await make(mira, general, "papercut/fold-mini")
    earlier = button(first, "Edit").replace("edit:", "paint:")
    rename(first, button(first, "Edit"), earlier)
    told = await (await mira.click(first, earlier)).answer()
    assert told.ephemeral_to == mira.user.id
    assert "switched off" in told.text
    assert "`/edit` takes a `mask` or an `area`" in told.text
    assert told.buttons == []


async def test_everything_that_was_asked_for_with_the_picture_comes_along(house: House) -> None:
    mira, general = house.person("mira"), house.channel()
    given = {"a": UploadedFile("photo.png", photo()), "b": UploadedFile("hat.png", photo((64, 48)))}
    options: dict[str, object] = {"image": "a", "image2": "b", "prompt": "x", "model": SEVERAL}
    options |= {"area": "paint", "count": 2, "format": "png", "quality": "low"}
    told = await (await mira.slash(general, "edit", options, files=given)).answer()
    [url] = [each.url for each in told.buttons if each.url]
    assert (await Link(url).generate(painted(BOX), model=SEVERAL, prompt="a hat")).status == 202
    message = await posted(mira, general)

    assert len(message.attachments) == len(house.imagerouter.requests) == 2
    for request in house.imagerouter.requests:
        assert [file.data for file in request.images] == [photo(), photo((64, 48))]
        assert request.mask is not None
        assert editness(request.mask.data).getbbox() == BOX
        assert request.fields["prompt"] == "a hat"
        assert request.fields["output_format"] == "png"


async def test_a_stop_while_generate_fetches_the_picture_keeps_mask_and_link(
    house: House, books: Books
) -> None:
    mira, general = house.person("mira"), house.channel()
    link = await asked(mira, general)
    gate = house.discord.faults.hold("GET /cdn/*/*/*/*")
    pressed = asyncio.create_task(link.generate(painted(BOX)))
    await gate.reached()
    await house.stop_bot()
    answer = await pressed
    assert answer.status == 422
    assert answer.json["title"] == "Restarted"
    assert books.charges() == []
    gate.open()

    await house.start_bot()
    link = Link(f"{house.bot.services.painting.url}/p/{link.url.rpartition('/')[2]}")
    assert (await link.get("/state")).json["mask"] is True
    assert (await link.generate(painted(BOX))).status == 202
    await posted(mira, general)


async def test_the_mask_of_a_job_whose_process_died_at_once_is_kept_for_its_buttons(
    house: House, books: Books
) -> None:
    """Generate is pressed again after the start, since the page was told nothing."""
    mira, general = house.person("mira"), house.channel()
    link = await asked(mira, general)
    [before] = books.rows("SELECT draft FROM paint_link")
    assert (await link.generate(painted(BOX))).status == 202
    first = await posted(mira, general)
    await house.bot.services.generation.idle()
    # As it was before it was noted:
    books.write("UPDATE paint_link SET job_id = NULL, draft = ?", before["draft"])
    books.write("UPDATE mask SET expires_at = (SELECT expires_at FROM paint_link)")

    assert (await link.generate(painted(BOX))).status == 202
    house.clock.advance(3 * 86_400_000)
    await house.bot.services.painting.sweep()
    click = await mira.click(first, button(first, "Again"))
    await mira.wait_for(general, lambda m: m.interaction_id == click.id and bool(m.attachments))
    one, two = house.imagerouter.requests
    assert [file.data for file in one.files] == [file.data for file in two.files]
    assert len(books.rows("SELECT id FROM mask")) == 1
