"""The main job: a person types a prompt, and a picture and its cost come of it."""

import io
import sqlite3
from pathlib import Path

import pytest
from PIL import Image

from sandbox.books import Books
from sandbox.discord import Channel, Message, Person
from sandbox.house import House, explanation, pictures
from sandbox.imagerouter.faults import Fault

SCHNELL = "black-forest-labs/FLUX-1-schnell"
LARGE = "papercut/fold-large"

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


def gallery(message: Message) -> list[str]:
    """The names of the files that the message's media galleries show, in order."""
    boxes = [inner for box in message.components for inner in box.get("components", [])]
    items = [item for box in boxes if box["type"] == 12 for item in box["items"]]
    named = {str(a.id): a.filename for a in message.attachments}
    return [named[item["media"]["attachment_id"]] for item in items]


async def test_a_typed_prompt_becomes_a_posted_picture_and_a_recorded_cost(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    ask = await mira.slash(general, "imagine", {"prompt": "a paper boat", "model": SCHNELL})
    message = await pictures(mira, general, ask)

    [request] = house.imagerouter.requests
    [charge] = house.imagerouter.charges
    assert request.fields["prompt"] == "a paper boat"
    assert [a.data for a in message.attachments] == [house.imagerouter.answers[0].data]
    assert gallery(message) == [message.attachments[0].filename]
    assert "$0.0013" in message.text
    [row] = books.charges()
    assert (row["state"], row["actual"]) == ("settled", charge.cost_micros)


async def test_the_answer_shows_prompt_model_size_seconds_and_cost_to_everybody(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    options = {"prompt": "a red kite", "model": LARGE, "size": "1536 x 1024"}
    ask = await mira.slash(general, "imagine", options)
    message = await pictures(theo, general, ask)

    assert "a red kite" in message.text
    assert "papercut/fold\\-large" in message.text
    assert "1536x1024" in message.text
    assert " s · **$0.04**" in message.text
    assert message.ephemeral_to is None


async def test_the_size_that_a_model_chose_is_read_from_the_pictures_also_where_they_differ(
    house: House, mira: Person, general: Channel
) -> None:
    for width in (320, 256):
        house.imagerouter.faults.add(Fault(picture=png(width, 256)))
    ask = await mira.slash(general, "imagine", {"prompt": "a kite", "model": LARGE, "count": 2})
    message = await pictures(mira, general, ask)
    assert " · 256x256, 320x256 · " in message.text

    house.imagerouter.faults.add(Fault(picture=png(256, 256)))
    ask = await mira.slash(general, "imagine", {"prompt": "a kite", "model": LARGE})
    message = await pictures(mira, general, ask)
    assert " · 256x256 · " in message.text


@pytest.mark.parametrize("size", ["32x32", "10240x1024", "99999x1"])
async def test_any_size_is_tried_and_the_one_that_came_is_told(
    size: str, house: House, mira: Person, general: Channel, nobody_waits: None
) -> None:
    house.imagerouter.faults.add(Fault(picture=png(512, 256)))
    options = {"prompt": "a quince", "model": LARGE, "size": size}
    ask = await mira.slash(general, "imagine", options)
    message = await pictures(mira, general, ask)

    assert house.imagerouter.requests[0].fields["size"] == size
    assert f" · 512x256 (asked for {size}) · " in message.text


def png(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(buffer, "PNG")
    return buffer.getvalue()


async def test_the_options_go_to_imagerouter_as_they_were_chosen(
    house: House, mira: Person, general: Channel
) -> None:
    options = {
        "prompt": "a lighthouse",
        "model": LARGE,
        "size": "1024x1536",
        "quality": "high",
        "format": "jpeg",
    }
    ask = await mira.slash(general, "imagine", options)
    message = await pictures(mira, general, ask)

    [request] = house.imagerouter.requests
    assert (request.endpoint, request.content_type) == ("generations", "application/json")
    assert request.fields == {
        "model": LARGE,
        "prompt": "a lighthouse",
        "size": "1024x1536",
        "quality": "high",
        "output_format": "jpeg",
        "response_format": "url",
    }
    assert message.attachments[0].filename.endswith(".jpg")


async def test_nothing_happens_before_the_interaction_is_acknowledged(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    before = len(house.discord.requests)
    gate = house.discord.faults.hold("POST /interactions/*/*/callback", times=1)
    ask = await mira.slash(general, "imagine", {"prompt": "a heron", "model": SCHNELL})
    await gate.reached()

    assert house.imagerouter.requests == []
    assert books.charges() == []
    gate.open()
    await pictures(mira, general, ask)
    first = house.discord.requests[before]
    assert first.path.startswith(f"/interactions/{ask.id}/")
    assert (first.method, first.status) == ("POST", 200)


async def test_a_database_that_is_busy_does_not_delay_the_acknowledgement(
    house: House, mira: Person, general: Channel, tmp_path: Path
) -> None:
    lock = sqlite3.connect(tmp_path / "bot.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    ask = await mira.slash(general, "imagine", {"prompt": "a heron", "model": SCHNELL})
    await ask.acknowledged(timeout=2)

    assert house.imagerouter.requests == []
    lock.execute("ROLLBACK")
    lock.close()
    await pictures(mira, general, ask)


async def test_while_it_works_the_person_sees_which_model_and_since_when(
    house: House, mira: Person, general: Channel
) -> None:
    gate = house.imagerouter.faults.hold()
    ask = await mira.slash(general, "imagine", {"prompt": "a tide pool", "model": SCHNELL})
    working = await ask.answer()

    assert "black\\-forest\\-labs/FLUX\\-1\\-schnell" in working.text
    assert f"<t:{house.clock.now_ms() // 1000 // 100}" in working.text
    gate.open()
    message = await pictures(mira, general, ask)
    assert message.id == working.id
    assert "works on" not in message.text


async def test_several_pictures_for_one_request_are_all_posted_for_one_cost(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    options = {"prompt": "three swans", "model": "saltmarsh/triptych"}
    ask = await mira.slash(general, "imagine", options)
    message = await pictures(mira, general, ask)

    assert [a.data for a in message.attachments] == [a.data for a in house.imagerouter.answers]
    assert len(gallery(message)) == 3
    assert "**$0.06**" in message.text
    assert [row["actual"] for row in books.charges()] == [60_000]


@pytest.mark.parametrize("model", ["papercut/vector-fold", "lumenfield/plate-scan"])
async def test_a_format_that_discord_does_not_show_is_converted(
    model: str, house: House, mira: Person, general: Channel
) -> None:
    ask = await mira.slash(general, "imagine", {"prompt": "a plum", "model": model})
    message = await pictures(mira, general, ask)

    [attachment] = message.attachments
    assert attachment.content_type in {"image/png", "image/webp", "image/jpeg"}
    assert (attachment.width or 0) > 0


async def test_what_a_person_spent_today_is_told_to_them_alone(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    for number in range(2):
        options = {"prompt": f"kite {number}", "model": "papercut/fold-mini"}
        ask = await mira.slash(general, "imagine", options)
        whispered = await ask.followup()

    assert "This cost $0.0013. You have spent $0.0026 today." in whispered.text
    assert whispered.ephemeral_to == mira.user.id
    assert not any("today" in message.text for message in theo.messages(general))


async def test_pictures_are_made_in_direct_messages_too(
    house: House, mira: Person, books: Books
) -> None:
    channel = house.discord.world.direct_channel(mira.user)
    ask = await mira.slash(channel, "imagine", {"prompt": "a moth", "model": SCHNELL})
    message = await pictures(mira, channel, ask)

    assert [a.data for a in message.attachments] == [house.imagerouter.answers[0].data]
    assert [row["guild_id"] for row in books.charges()] == [0]


async def test_a_failure_in_direct_messages_is_explained_there(house: House, mira: Person) -> None:
    channel = house.discord.world.direct_channel(mira.user)
    ask = await mira.slash(channel, "imagine", {"prompt": "a moth", "size": "huge"})
    told = await explanation(channel, ask)

    assert "`size` can't be used like that" in told.text
    assert house.imagerouter.requests == []
