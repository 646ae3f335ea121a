"""Pictures are made to fit into Discord: attached whole, smaller, or linked, and never lost."""

import io
import os
from dataclasses import replace

import pytest
from PIL import Image

from sandbox.books import Books
from sandbox.discord import Ask, Channel, Message, Person
from sandbox.house import House, pictures
from sandbox.imagerouter.faults import Fault, Gate

MIB = 2**20
LIMIT = 10 * MIB
EDIT = "PATCH /webhooks/*/*/messages/*"
MINI = "papercut/fold-mini"
TOO_LARGE = {"code": 40005, "message": "Request entity too large"}

pytestmark = pytest.mark.usefixtures("nobody_waits")


def padded(width: int, height: int) -> bytes:
    """A plain picture in a file that is as large as its pixels: three bytes each."""
    out = io.BytesIO()
    grey = Image.linear_gradient("L").resize((width, height))
    Image.merge("RGB", (grey, grey, grey)).save(out, "PNG", compress_level=0)
    return out.getvalue()


def noise(side: int) -> bytes:
    """A picture that no encoder makes much smaller without loss."""
    out = io.BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(3 * side * side)).save(out, "PNG")
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    """A picture, decoded."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


async def ask_refusing(
    house: House, person: Person, channel: Channel, picture: Fault, *, times: int, **options: object
) -> Ask:
    """Ask for `picture`, whose upload Discord refuses `times` times as too large."""
    gate = Gate()
    house.imagerouter.faults.add(replace(picture, gate=gate))
    ask = await person.slash(channel, "imagine", {"prompt": "snow", "model": MINI, **options})
    await ask.answer()
    await gate.reached()
    house.discord.faults.status(EDIT, 413, body=TOO_LARGE, times=times)
    gate.open()
    return ask


async def finished(house: House, person: Person, channel: Channel, ask: Ask) -> Message:
    """The answer to `ask` once its job has ended, with pictures or without."""
    message = await person.wait_for(
        channel, lambda m: m.interaction_id == ask.id and " · " in m.text, 30
    )
    await house.bot.services.generation.idle()
    return message


@pytest.mark.parametrize("private", [False, True])
async def test_a_picture_above_the_upload_limit_is_attached_smaller(
    private: bool, house: House, mira: Person, general: Channel
) -> None:
    sent = padded(2000, 1800)
    assert len(sent) > LIMIT
    house.imagerouter.faults.add(Fault(picture=sent))
    ask = await mira.slash(general, "imagine", {"prompt": "a wall", "private": private})
    message = await pictures(mira, general, ask, 30)

    [attachment] = message.attachments
    assert len(attachment.data) <= LIMIT
    assert opened(attachment.data).size == (2000, 1800)
    assert "could not be attached" not in message.text
    assert 413 not in [request.status for request in house.discord.requests]


async def test_a_boosted_guild_gets_the_whole_picture(
    house: House, mira: Person, general: Channel
) -> None:
    sent = padded(3500, 2500)
    assert len(sent) > 25 * MIB
    house.guild().premium_tier = 2
    house.imagerouter.faults.add(Fault(picture=sent))
    ask = await mira.slash(general, "imagine", {"prompt": "a wall"})
    message = await pictures(mira, general, ask, 30)

    assert [attachment.data for attachment in message.attachments] == [sent]


@pytest.mark.parametrize(
    ("model", "kind"),
    [("papercut/vector-fold", "image/svg+xml"), ("lumenfield/plate-scan", "image/tiff")],
)
async def test_what_discord_does_not_show_is_converted(
    model: str, kind: str, house: House, mira: Person, general: Channel
) -> None:
    ask = await mira.slash(general, "imagine", {"prompt": "a map", "model": model})
    message = await pictures(mira, general, ask, 30)

    assert house.imagerouter.answers[0].media_type == kind
    [attachment] = message.attachments
    assert opened(attachment.data).format in {"PNG", "WEBP", "JPEG"}
    assert attachment.content_type in {"image/png", "image/webp", "image/jpeg"}


async def test_four_large_pictures_fit_one_message_together(
    house: House, mira: Person, general: Channel
) -> None:
    sent = padded(1900, 1650)
    assert 8 * MIB < len(sent) < LIMIT
    house.imagerouter.faults.add(Fault(picture=sent), times=4)
    ask = await mira.slash(general, "imagine", {"prompt": "walls", "model": MINI, "count": 4})
    message = await pictures(mira, general, ask, 60)

    sizes = [len(attachment.data) for attachment in message.attachments]
    assert len(sizes) == 4
    assert sum(sizes) < 25 * MIB
    assert {opened(attachment.data).size for attachment in message.attachments} == {(1900, 1650)}
    assert 413 not in [request.status for request in house.discord.requests]


async def test_an_upload_that_discord_refuses_is_tried_smaller(
    house: House, mira: Person, general: Channel
) -> None:
    sent = noise(700)
    ask = await ask_refusing(house, mira, general, Fault(picture=sent), times=1)
    message = await pictures(mira, general, ask, 30)

    [attachment] = message.attachments
    assert len(attachment.data) <= len(sent) // 2
    assert opened(attachment.data).size == (700, 700)


async def test_a_picture_that_does_not_fit_is_linked(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    ask = await ask_refusing(house, mira, general, Fault(picture=noise(200)), times=2)
    message = await finished(house, mira, general, ask)

    assert message.attachments == []
    assert f"<{house.imagerouter.answers[0].url}>" in message.text
    assert "could not be attached" in message.text
    assert [(row["state"], row["actual"]) for row in books.charges()] == [("settled", 1_300)]
    [job] = books.rows("SELECT * FROM job")
    assert (job["delivery"], job["message_id"]) == ("delivered", message.id)


async def test_a_private_picture_that_does_not_fit_comes_small_rather_than_not_at_all(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    sent = noise(700)
    ask = await ask_refusing(house, mira, general, Fault(picture=sent), times=6, private=True)
    message = await pictures(mira, general, ask, 30)

    [attachment] = message.attachments
    assert len(attachment.data) < len(sent) // 16
    assert opened(attachment.data).width < 700
    assert theo.messages(general) == []


async def test_a_private_picture_that_discord_never_takes_is_told_as_lost(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    picture = Fault(picture=b"RIFF\x00\x00\x00\x00WEBPbroken")
    ask = await ask_refusing(house, mira, general, picture, times=1, private=True)
    message = await finished(house, mira, general, ask)

    assert message.attachments == []
    assert "Picture 1 was made, but its file can't be shown." in message.text
    assert [row["actual"] for row in books.charges()] == [1_300]


@pytest.mark.parametrize("how", ["missing", "torn"])
async def test_a_picture_that_can_not_be_fetched_is_linked_and_its_cost_recorded(
    how: str, house: House, mira: Person, general: Channel, books: Books
) -> None:
    if how == "missing":
        house.imagerouter.faults.status(404, "gone", on="storage", times=3)
    else:
        house.imagerouter.faults.drop("at_once", on="storage", times=20)
    ask = await mira.slash(general, "imagine", {"prompt": "a boat", "model": MINI})
    message = await finished(house, mira, general, ask)

    assert message.attachments == []
    assert f"Picture 1 could not be attached; it is here: <{house.imagerouter.answers[0].url}>" in (
        message.text
    )
    assert "**$0.0013**" in message.text
    assert [(row["state"], row["actual"]) for row in books.charges()] == [("settled", 1_300)]


async def test_a_picture_host_that_fails_at_first_only_delays(
    house: House, mira: Person, general: Channel
) -> None:
    house.imagerouter.faults.status(503, "busy", on="storage")
    house.imagerouter.faults.drop("at_once", on="storage", times=2)
    ask = await mira.slash(general, "imagine", {"prompt": "a boat", "model": MINI})
    message = await pictures(mira, general, ask)
    assert [attachment.data for attachment in message.attachments] == [
        answer.data for answer in house.imagerouter.answers
    ]


async def test_a_slow_picture_host_delays_nobody_but_this_job(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    gate = house.imagerouter.faults.hold(on="storage")
    slow = await mira.slash(general, "imagine", {"prompt": "a slow boat", "model": MINI})
    await gate.reached()
    quick = await theo.slash(general, "imagine", {"prompt": "a quick boat", "model": MINI})
    await pictures(theo, general, quick)
    gate.open()
    await pictures(mira, general, slow)


async def test_a_picture_of_more_bytes_than_we_fetch_is_asked_for_once_and_linked(
    house: House, mira: Person, general: Channel
) -> None:
    house.imagerouter.faults.add(Fault(picture=b"\x89PNG\r\n\x1a\n" + bytes(64 * MIB)))
    ask = await mira.slash(general, "imagine", {"prompt": "an ocean", "model": MINI})
    message = await finished(house, mira, general, ask)

    assert message.attachments == []
    assert f"<{house.imagerouter.answers[0].url}>" in message.text
    assert sum(call.startswith("GET /storage/") for call in house.imagerouter.calls) == 1


@pytest.mark.parametrize(
    "junk",
    [b"", b"<html>not a picture</html>", b"\x89PNG\r\n\x1a\n" + b"broken", os.urandom(5_000)],
    ids=["empty", "page", "broken", "noise"],
)
async def test_bytes_that_are_no_picture_are_never_attached(
    junk: bytes, house: House, mira: Person, general: Channel, books: Books
) -> None:
    house.imagerouter.faults.add(Fault(picture=junk))
    ask = await mira.slash(general, "imagine", {"prompt": "a boat", "model": MINI})
    message = await finished(house, mira, general, ask)

    assert message.attachments == []
    assert f"<{house.imagerouter.answers[0].url}>" in message.text
    assert [row["actual"] for row in books.charges()] == [1_300]


async def test_private_bytes_that_are_no_picture_are_told_and_their_cost_recorded(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    house.imagerouter.faults.add(Fault(picture=b"<html>not a picture</html>"))
    options = {"prompt": "a boat", "model": MINI, "private": True}
    ask = await mira.slash(general, "imagine", options)
    message = await finished(house, mira, general, ask)

    assert message.attachments == []
    assert "$0.0013" in message.text
    assert [row["actual"] for row in books.charges()] == [1_300]


async def test_one_picture_of_a_batch_that_is_none_leaves_the_others_attached(
    house: House, mira: Person, general: Channel
) -> None:
    house.imagerouter.faults.add(Fault(picture=b"<html>not a picture</html>"))
    ask = await mira.slash(general, "imagine", {"prompt": "boats", "model": MINI, "count": 3})
    message = await pictures(mira, general, ask)

    assert len(message.attachments) == 2
    assert message.text.count("could not be attached") == 1


async def test_more_pictures_than_a_message_holds_are_linked_with_nothing_lost(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    options = {"prompt": "a triptych", "model": "saltmarsh/triptych", "count": 4}
    ask = await mira.slash(general, "imagine", options)
    message = await pictures(mira, general, ask, 30)

    assert len(house.imagerouter.answers) == 12
    assert len(message.attachments) == 9
    assert message.text.count("could not be attached; it is here: <http") == 3
    assert [row["actual"] for row in books.charges()] == [60_000] * 4


async def test_addresses_longer_than_a_message_come_as_a_file(
    house: House, mira: Person, general: Channel
) -> None:
    address = f"{house.imagerouter.base_url}/storage/gone.png?signature={'a' * 1_500}"
    house.imagerouter.faults.add(Fault(picture_url=address), times=4)
    options = {"prompt": "*" * 300, "model": MINI, "count": 4}
    ask = await mira.slash(general, "imagine", options)
    message = await finished(house, mira, general, ask)

    [attachment] = message.attachments
    assert attachment.filename == "addresses.txt"
    assert attachment.data.decode().count(f"<{address}>") == 4
