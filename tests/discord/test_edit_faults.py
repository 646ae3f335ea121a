"""What may go wrong around an edit: stops, refusals after the pictures are there, full disks."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.quotas import Window
from bot.storage import Option, Who
from sandbox.books import Books
from sandbox.discord import Channel, Person, UploadedFile
from sandbox.house import House, button, explanation, pictures
from sandbox.imagerouter import Fault
from tests.discord.edits import COLLAGE, DAY_MS, made, png

BRUSH = "mosaic/tessera-brush"
FILES = "GET /cdn/*/*/*/*"
SECRET = "a very secret sail"

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


def given(count: int = 1) -> dict[str, UploadedFile]:
    return {f"f{n}": UploadedFile(f"boat{n}.png", png(n)) for n in range(1, count + 1)}


def asked(given: int = 1, **more: object) -> dict[str, object]:
    images = {"image": "f1"} | {f"image{n}": f"f{n}" for n in range(2, given + 1)}
    return {"prompt": "make it blue", "model": BRUSH, **images, **more}


def everything(folder: Path) -> bytes:
    """All bytes of all files."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def plain(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(buffer, "PNG")
    return buffer.getvalue()


def noise() -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((1500, 1500), 90).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def spool(folder: Path) -> list[Path]:
    """Every picture of a job that lies on the disk."""
    return [path for path in (folder / "bot.inputs").rglob("*/*/*") if path.is_file()]


async def test_a_stop_while_pictures_are_gathered_is_quick_told_and_free(
    house: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    gate = house.discord.faults.hold(FILES)
    ask = await mira.slash(general, "edit", asked(2, model=COLLAGE), files=given(2))
    await gate.reached(count=2)
    await house.stop_bot()
    told = await explanation(general, ask)
    assert "The bot is restarting" in told.text
    assert "cost you nothing" in told.text
    assert (books.charges(), spool(tmp_path)) == ([], [])

    await house.start_bot()
    gate.open()
    click = await mira.click(told, told.buttons[0].custom_id or "")
    await pictures(mira, general, click)
    assert [each.data for each in house.imagerouter.requests[0].images] == [png(1), png(2)]


async def test_what_is_refused_whatever_the_pictures_are_is_refused_before_they_are_fetched(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    guild_id, admin = house.guild().id, house.person("ada").user.id
    policies = house.bot.services.policies
    gate = house.discord.faults.hold(FILES)  # whoever fetches a picture is never answered
    await policies.block(guild_id, mira.user.id, reason="too many herons", by=admin)
    told = await explanation(general, await mira.slash(general, "edit", asked(), files=given()))
    assert "An admin has blocked you here" in told.text

    await policies.set_limit(Who.guild(guild_id), Window.IMAGE, 1, by=admin)
    told = await explanation(general, await theo.slash(general, "edit", asked(), files=given()))
    assert "too dear here" in told.text

    await policies.pause(guild_id, by=admin)
    told = await explanation(general, await theo.slash(general, "edit", asked(), files=given()))
    assert "Pictures are paused in this server" in told.text
    gate.open()


async def test_a_stop_waits_for_an_edit_that_was_sent(
    house: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    gate = house.imagerouter.faults.hold()
    ask = await mira.slash(general, "edit", asked(), files=given())
    await gate.reached()
    house.begin_stop()
    gate.open()
    await pictures(mira, general, ask)
    await house.stop_bot()
    assert [row["state"] for row in books.charges()] == ["settled"]
    assert spool(tmp_path) == []


async def test_a_limit_that_refuses_after_the_pictures_are_there_leaves_no_file(
    house: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    await house.bot.services.policies.block(
        house.guild().id, mira.user.id, reason="too many boats", by=1
    )
    told = await explanation(general, await mira.slash(general, "edit", asked(), files=given()))
    assert "too many boats" in told.text
    assert (books.charges(), spool(tmp_path)) == ([], [])
    assert house.bot.services.inputs.bytes_kept == 0


@pytest.mark.parametrize("restart", [False, True])
async def test_an_edit_that_must_be_confirmed_runs_with_the_same_pictures_and_mask(
    house: House, mira: Person, general: Channel, books: Books, restart: bool, tmp_path: Path
) -> None:
    await house.bot.services.policies.configure(house.guild().id, Option.CONFIRM_ABOVE, 1_000, by=1)
    first = await made(mira, general, "test/test")
    modal = await (await mira.click(first, button(first, "Edit"))).form()
    mask = [UploadedFile("mask.png", plain("white"))]
    ask = await mira.submit(modal, {"prompt": "a sail", "model": [BRUSH]}, files={"mask": mask})
    question = await explanation(general, ask)
    click = await mira.click(question, button(question, "Generate"))
    question = await explanation(general, click)
    assert (len(books.charges()), spool(tmp_path)) == (1, [])
    if restart:
        await house.restart_bot()
        house.clock.advance(2 * DAY_MS)
    message = await pictures(mira, general, await mira.click(question, button(question, "Confirm")))
    request = house.imagerouter.requests[-1]
    assert [each.data for each in request.images] == [first.attachments[0].data]
    assert request.mask is not None
    assert f"channels/{general.guild_id}/{general.id}/{first.id}" in message.text
    rows = books.rows("SELECT id, parent_id FROM job ORDER BY created_at, id")
    assert rows[1]["parent_id"] == rows[0]["id"]


async def test_four_results_at_once_send_the_same_files_four_times(
    house: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    ask = await mira.slash(general, "edit", asked(2, model=COLLAGE, count=4), files=given(2))
    message = await pictures(mira, general, ask)
    assert len(message.attachments) == 4
    sent = [[each.data for each in one.images] for one in house.imagerouter.requests]
    assert sent == [[png(1), png(2)]] * 4
    assert [row["state"] for row in books.charges()] == ["settled"] * 4
    await house.bot.services.generation.idle()
    assert spool(tmp_path) == []


async def test_a_stream_that_ends_during_the_upload_costs_at_most_what_is_held_and_is_told(
    house: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    house.imagerouter.faults.add(Fault(drop="at_once"))
    big = UploadedFile("big.png", noise())
    told = await explanation(general, await mira.slash(general, "edit", asked(), files={"f1": big}))
    [charge] = books.charges()
    assert charge["state"] in {"released", "unknown"}
    if charge["state"] == "released":
        assert "nothing" in told.text
    assert len(house.imagerouter.charges) == 0
    await house.bot.services.generation.idle()
    assert spool(tmp_path) == []


async def test_a_private_edit_leaves_nothing_in_the_database_or_on_the_disk(
    house: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    """Neither when it is made, nor when it is refused, questioned or failed."""
    private: dict[str, Any] = {"private": True, "prompt": SECRET}
    ask = await mira.slash(general, "edit", asked(**private), files=given())
    await pictures(mira, general, ask)
    house.imagerouter.faults.error("Upstream is on fire")
    ask = await mira.slash(general, "edit", asked(**private), files=given())
    await mira.wait_for(general, lambda m: "The model failed" in m.text)
    masked = given() | {"m": UploadedFile("secretmask.png", plain("black"))}
    await mira.slash(general, "edit", asked(mask="m", **private), files=masked)
    await mira.wait_for(general, lambda m: "The mask marks" in m.text)
    await house.stop_bot()

    for table in ("prompt", "job_input", "offer", "mask", "paint_link", "tray_picture"):
        assert books.rows(f"SELECT * FROM {table}") == [], table
    assert spool(tmp_path) == []
    kept = everything(tmp_path)
    assert [word for word in (SECRET.encode(), b"boat1", b"secretmask") if word in kept] == []


async def test_again_on_an_edit_whose_links_have_died_sends_the_same_pictures(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    ask = await mira.slash(general, "edit", asked(2, model=COLLAGE), files=given(2))
    message = await pictures(mira, general, ask)
    await house.restart_bot()
    house.clock.advance(3 * DAY_MS)
    await pictures(theo, general, await theo.click(message, button(message, "Again")))
    first, second = house.imagerouter.requests
    assert [each.data for each in first.images] == [each.data for each in second.images]


async def test_a_folder_that_takes_no_file_is_told_and_costs_nothing(
    house: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    [home] = [path for path in (tmp_path / "bot.inputs").iterdir() if path.is_dir()]
    away = home.rename(tmp_path / "away")
    told = await explanation(general, await mira.slash(general, "edit", asked(), files=given()))
    assert "Too many pictures wait" in told.text
    assert books.charges() == []
    away.rename(home)
    await pictures(mira, general, await mira.click(told, button(told, "Try again")))
    assert house.bot.services.inputs.bytes_kept == 0


async def test_a_name_full_of_tricks_is_shown_as_text_and_never_sent(
    house: House, mira: Person, general: Channel
) -> None:
    name = "@everyone **x** `y` <@1>\u202e[a](http://evil.example).png"
    files = {"f1": UploadedFile(name, b"no picture")}
    told = await explanation(general, await mira.slash(general, "edit", asked(), files=files))
    assert "can't be used" in told.text
    assert "\u202e" not in told.text
    assert "**x**" not in told.text
    assert not told.pinged_everyone
    files = {"f1": UploadedFile(name, png())}
    await pictures(mira, general, await mira.slash(general, "edit", asked(), files=files))
    assert "evil" not in json.dumps([f.filename for f in house.imagerouter.requests[0].files])


async def test_who_starts_many_edits_at_once_does_not_keep_others_waiting(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    gate = house.discord.faults.hold("GET /cdn/*/*/*/hers.png")
    mine = {"f1": UploadedFile("hers.png", png())}
    for _ in range(5):
        await mira.slash(general, "edit", asked(), files=mine)
    await gate.reached()
    await pictures(theo, general, await theo.slash(general, "edit", asked(), files=given()))
    gate.open()
    await house.bot.services.generation.idle()


async def test_a_question_that_is_answered_twice_at_once_runs_once(
    house: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    masked = given() | {"m": UploadedFile("mask.png", plain("white"))}
    ask = await mira.slash(general, "edit", asked(mask="m"), files=masked)
    question = await explanation(general, ask)
    gate = house.discord.faults.hold(FILES)
    clicks = [await mira.click(question, button(question, "Generate")) for _ in range(2)]
    await gate.reached()
    gate.open()
    told = await mira.wait_for(general, lambda m: "You pressed this already" in m.text)
    assert told.ephemeral_to == mira.user.id
    await mira.wait_for(
        general, lambda m: m.interaction_id in {c.id for c in clicks} and bool(m.attachments)
    )
    await house.bot.services.generation.idle()
    assert len(books.charges()) == len(house.imagerouter.requests) == 1
    assert spool(tmp_path) == []
