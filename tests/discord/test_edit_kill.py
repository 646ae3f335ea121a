"""`kill -9` between the steps of an edit: costs count once, pictures come, files go.

The bot that is killed is a process of its own; the one that picks up the pieces runs in a house.
"""

import asyncio
import contextlib
import io
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PIL import Image

from sandbox.books import Books
from sandbox.discord import Ask, Channel, Person, UploadedFile
from sandbox.house import House, button, explanation, pictures, waiting
from tests.discord.edits import png
from tests.discord.killing import doomed

BRUSH = "mosaic/tessera-brush"
FILES = "GET /cdn/*/*/*/*"
EDIT = "PATCH /webhooks/*/*/messages/*"


@pytest.fixture
def mira(servers: House) -> Person:
    """A member."""
    return servers.person("mira")


@pytest.fixture
def general(servers: House) -> Channel:
    """A channel in which everybody may talk."""
    return servers.channel()


async def edit(person: Person, channel: Channel, **more: object) -> Ask:
    options = {"image": "a", "area": "left", "prompt": "a sail", "model": BRUSH, **more}
    given = {"a": UploadedFile("boat.png", png())}
    return await person.slash(channel, "edit", options, files=given)


def everything(folder: Path) -> bytes:
    """All bytes of all files."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def jobs(folder: Path) -> list[Path]:
    """The folder of every job."""
    return [path for path in (folder / "bot.inputs").glob("*/*") if path.is_dir()]


def left(folder: Path) -> list[Path]:
    """Every picture of a job that lies on the disk."""
    return [path for path in (folder / "bot.inputs").rglob("*/*/*") if path.is_file()]


async def test_killed_while_pictures_are_fetched_it_costs_nothing_and_leaves_no_file(
    servers: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    async with doomed(servers, tmp_path):
        gate = servers.discord.faults.stall(FILES, after=50)
        ask = await edit(mira, general)
        await gate.reached()
        assert len(jobs(tmp_path)) == 1
    await servers.start_bot()
    gate.open()
    told = await explanation(general, ask)
    assert "The bot was restarted while it fetched your pictures." in told.text
    assert "This cost you nothing." in told.text
    assert waiting(servers) == []
    await servers.stop_bot()
    assert books.rows("SELECT * FROM promise") == []
    assert jobs(tmp_path) == []
    assert (books.charges(), books.rows("SELECT * FROM job"), servers.imagerouter.requests) == (
        [],
        [],
        [],
    )


async def test_killed_between_the_hold_and_the_upload_it_is_free_and_can_be_tried_again(
    servers: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    gate = servers.imagerouter.faults.hold()
    async with doomed(servers, tmp_path, MEMBER_JOBS="1"):
        await edit(mira, general)
        await gate.reached()
        queued = await edit(mira, general, prompt="the second")
        await mira.wait_for(general, lambda m: "Waiting for a free place" in m.text)
        assert len({path.parent for path in left(tmp_path)}) == 2
    gate.open()
    await servers.start_bot()

    assert left(tmp_path) == []
    free = await explanation(general, queued)
    assert "Restarted; this cost nothing." in free.text
    assert [row["state"] for row in books.charges()] == ["unknown", "released"]
    await pictures(mira, general, await mira.click(free, button(free, "Try again")))
    first, second = servers.imagerouter.requests
    assert second.fields["prompt"] == "the second"
    assert [file.data for file in first.files] == [file.data for file in second.files]
    assert waiting(servers) == []


async def test_killed_while_imagerouter_works_the_outcome_is_unknown_and_told(
    servers: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    gate = servers.imagerouter.faults.hold()
    async with doomed(servers, tmp_path):
        ask = await edit(mira, general)
        await gate.reached()
        assert left(tmp_path)
    gate.open()
    await servers.start_bot()

    told = await explanation(general, ask)
    assert "Outcome unknown" in told.text
    assert [row["state"] for row in books.charges()] == ["unknown"]
    assert left(tmp_path) == []
    assert len(servers.imagerouter.requests) == 1
    assert waiting(servers) == []


@pytest.mark.parametrize("step", ["answered", "posting"])
async def test_killed_before_the_picture_is_posted_it_comes_after_the_restart_and_costs_once(
    servers: House, mira: Person, general: Channel, books: Books, tmp_path: Path, step: str
) -> None:
    answered = servers.imagerouter.faults.hold()
    storage = servers.imagerouter.faults.hold(on="storage")
    async with doomed(servers, tmp_path):
        ask = await edit(mira, general)
        placeholder = await ask.answer()
        await answered.reached()
        answered.open()
        await storage.reached()
        if step == "posting":
            posting = servers.discord.faults.hold(EDIT, times=1)
            storage.open()
            await posting.reached()
    storage.open()
    assert [row["state"] for row in books.charges()] == ["settled"]
    await servers.start_bot()

    message = await pictures(mira, general, ask)
    assert message.id == placeholder.id
    assert [a.data for a in message.attachments] == [servers.imagerouter.answers[0].data]
    assert {"Again", "Edit", "Undo"} <= {each.label for each in message.buttons}
    await servers.stop_bot()
    assert [(row["state"], row["actual"]) for row in books.charges()] == [
        ("settled", servers.imagerouter.charges[0].cost_micros)
    ]
    kinds = [row["kind"] for row in books.rows("SELECT kind FROM entry ORDER BY id")]
    assert kinds.count("settled") == 1
    assert len(servers.imagerouter.requests) == 1
    assert left(tmp_path) == []


async def test_killed_during_a_private_edit_nothing_of_it_is_left(
    servers: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    gate = servers.imagerouter.faults.hold()
    async with doomed(servers, tmp_path):
        ask = await edit(mira, general, private=True, prompt="my secret sail")
        message = await ask.answer()
        await gate.reached()
    gate.open()
    await servers.start_bot()
    told = await mira.wait_for(general, lambda m: "Outcome unknown" in m.text)
    assert told.id == message.id
    await servers.stop_bot()
    for table in ("prompt", "job_input", "offer"):
        assert books.rows(f"SELECT * FROM {table}") == []
    assert left(tmp_path) == []
    kept = everything(tmp_path)
    assert [word for word in (b"my secret sail", b"boat.png") if word in kept] == []


async def test_files_that_are_taken_away_while_an_edit_waits_for_its_turn_cost_nothing(
    open_house: Callable[..., Awaitable[House]], tmp_path: Path, books: Books
) -> None:
    house = await open_house(MEMBER_JOBS="1")
    mira, general = house.person("mira"), house.channel()
    gate = house.imagerouter.faults.hold()
    await edit(mira, general)
    await gate.reached()
    queued = await edit(mira, general)
    await mira.wait_for(general, lambda m: "Waiting for a free place" in m.text)
    for path in left(tmp_path):
        path.unlink()
    gate.open()
    told = await explanation(general, queued)
    assert "cost you nothing" in told.text
    await house.bot.services.generation.idle()
    assert [row["state"] for row in books.charges()] == ["settled", "released"]
    assert len(house.imagerouter.requests) == 1


async def test_a_signal_while_pictures_are_fetched_ends_the_process_soon_and_cleanly(
    servers: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    async with doomed(servers, tmp_path) as child:
        gate = servers.discord.faults.hold(FILES)
        ask = await edit(mira, general)
        await gate.reached()
        child.send(signal.SIGTERM)
        assert await child.ended(timeout=10) == 0
        assert child.troubles == []
    gate.open()
    told = await explanation(general, ask)
    assert "The bot is restarting" in told.text
    assert not list((tmp_path / "bot.inputs").iterdir())
    assert books.charges() == []


@asynccontextmanager
async def stuck() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """An ImageRouter that takes the beginning of an upload, and no more of it."""
    uploading, over = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if (await reader.readuntil(b"\r\n")).startswith(b"POST /v1/openai/images/edits "):
                uploading.set()
                await over.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", uploading
    finally:
        over.set()
        server.close()
        await server.wait_closed()


async def test_killed_during_the_upload_the_outcome_is_unknown_and_no_file_is_left(
    servers: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    await servers.start_bot()  # which keeps the list of models for the next one
    await servers.bot.services.catalog.load()
    await servers.stop_bot()
    picture = io.BytesIO()
    Image.effect_noise((2_500, 2_500), 90).save(picture, "PNG")
    async with stuck() as (url, uploading), doomed(servers, tmp_path, IMAGEROUTER_BASE_URL=url):
        # What has to change lies on the disk: here, something behind the picture's end.
        given = {"a": UploadedFile("large.png", picture.getvalue() + b"more")}
        options = {"image": "a", "prompt": "a sail", "model": BRUSH}
        ask = await mira.slash(general, "edit", options, files=given)
        async with asyncio.timeout(20):
            await uploading.wait()
        assert [row["state"] for row in books.charges()] == ["dispatched"]
        assert len(left(tmp_path)) == 1
    await servers.start_bot()

    told = await explanation(general, ask)
    assert "Outcome unknown" in told.text
    assert [row["state"] for row in books.charges()] == ["unknown"]
    assert jobs(tmp_path) == []
    assert servers.imagerouter.requests == []
