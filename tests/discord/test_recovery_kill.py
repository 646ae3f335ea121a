"""`kill -9` at chosen moments: the next start closes every message truthfully, and no cost is lost.

The bot that is killed is a process of its own; the one that picks up the pieces runs in a house.
"""

import re
from pathlib import Path

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Message, Person
from sandbox.house import House, explanation, pictures, waiting
from sandbox.imagerouter.faults import Fault, Gate
from tests.discord.killing import doomed

MINUTE = 60_000
EDIT = "PATCH /webhooks/*/*/messages/*"
WHISPER = "POST /webhooks/*/*"
POST = "POST /channels/*/messages"
LARGE = "papercut/fold-large"
MINI = "papercut/fold-mini"


@pytest.fixture
def mira(servers: House) -> Person:
    """A member."""
    return servers.person("mira")


@pytest.fixture
def general(servers: House) -> Channel:
    """A channel in which everybody may talk."""
    return servers.channel()


async def settled(house: House, books: Books, count: int = 1) -> None:
    """Wait until the books know the cost of `count` requests."""
    await books.until(lambda rows: sum(row["state"] == "settled" for row in rows) == count)


def with_pictures(person: Person, channel: Channel) -> list[Message]:
    """Every message with attachments that the person sees."""
    return [message for message in person.messages(channel) if message.attachments]


async def test_what_only_waited_is_free_and_what_was_sent_is_unknown(
    servers: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    gate = servers.imagerouter.faults.hold()
    options = {"model": LARGE}
    async with doomed(servers, tmp_path, MEMBER_JOBS="1"):
        sent = await mira.slash(general, "imagine", {"prompt": "a sent boat", **options})
        await gate.reached()
        queued = await mira.slash(general, "imagine", {"prompt": "a queued boat", **options})
        await mira.wait_for(general, lambda m: "Waiting for a free place" in m.text)
    gate.open()

    await servers.start_bot()

    free = await explanation(general, queued)
    assert "Restarted; this cost nothing." in free.text
    assert "a queued boat" in free.text
    unknown = await explanation(general, sent)
    assert "Outcome unknown; up to $0.08 counts against you." in unknown.text
    assert "a sent boat" in unknown.text
    assert [row["state"] for row in books.charges()] == ["unknown", "released"]
    held = "SELECT SUM(held) AS held FROM bucket WHERE scope = 'member' AND period = 'day'"
    assert books.rows(held) == [{"held": 80_000}]

    again = next(button for button in free.buttons if button.label == "Try again")
    click = await mira.click(free, again.custom_id or "")
    message = await pictures(mira, general, click)
    assert "a queued boat" in message.text

    servers.clock.advance(15 * MINUTE)
    await servers.bot.services.recovery.sweep()
    assert [row["state"] for row in books.charges()] == ["presumed", "released", "settled"]
    assert waiting(servers) == []


@pytest.mark.parametrize("token", ["alive", "dead"])
async def test_a_picture_that_was_answered_and_not_posted_comes_after_the_restart(
    token: str, servers: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    gate = servers.imagerouter.faults.hold(on="storage")
    async with doomed(servers, tmp_path):
        ask = await mira.slash(general, "imagine", {"prompt": "a boat", "model": MINI})
        placeholder = await ask.answer()
        await gate.reached()
    assert [row["state"] for row in books.charges()] == ["settled"]
    if token == "dead":
        servers.clock.advance(16 * MINUTE)

    await servers.start_bot()

    message = await mira.wait_for(general, lambda m: bool(m.attachments))
    assert (message.id == placeholder.id) is (token == "alive")
    assert [attachment.data for attachment in message.attachments] == [
        answer.data for answer in servers.imagerouter.answers
    ]
    assert re.search(r" · \d+\.\d s · \*\*\$0\.0013\*\*", message.text)
    await servers.stop_bot()
    assert with_pictures(mira, general) == [message]
    assert waiting(servers) == []
    assert len(servers.imagerouter.requests) == 1
    assert [(row["state"], row["actual"]) for row in books.charges()] == [("settled", 1_300)]
    assert [row["kind"] for row in books.rows("SELECT kind FROM entry ORDER BY id")].count(
        "settled"
    ) == 1


async def test_a_picture_that_came_without_an_address_comes_after_the_restart_and_is_kept_no_longer(
    servers: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    gate = Gate()
    servers.imagerouter.faults.add(Fault(swap_kind=True, gate=gate))
    async with doomed(servers, tmp_path):
        ask = await mira.slash(general, "imagine", {"prompt": "a boat", "model": MINI})
        await ask.answer()
        await gate.reached()
        upload = servers.discord.faults.hold(EDIT, times=1)
        gate.open()
        await upload.reached()
    [sent] = servers.imagerouter.answers
    assert books.rows("SELECT url, data FROM job_output") == [{"url": None, "data": sent.data}]

    await servers.start_bot()

    message = await pictures(mira, general, ask)
    assert [attachment.data for attachment in message.attachments] == [sent.data]
    await servers.stop_bot()
    assert books.rows("SELECT url, data FROM job_output") == [{"url": None, "data": None}]
    assert [(row["state"], row["actual"]) for row in books.charges()] == [("settled", 1_300)]


@pytest.mark.parametrize(("model", "cost"), [(MINI, "This cost $0.0013."), ("test/test", "")])
async def test_a_private_picture_is_lost_and_told_as_lost_and_its_cost_stays(
    model: str,
    cost: str,
    servers: House,
    mira: Person,
    general: Channel,
    books: Books,
    tmp_path: Path,
) -> None:
    gate = servers.imagerouter.faults.hold()
    options = {"prompt": "my secret", "model": model, "private": True}
    async with doomed(servers, tmp_path):
        ask = await mira.slash(general, "imagine", options)
        message = await ask.answer()
        await gate.reached()
        upload = servers.discord.faults.hold(EDIT, times=1)
        gate.open()
        await upload.reached()
    assert [row["state"] for row in books.charges()] == ["settled"]

    await servers.start_bot()

    told = await mira.wait_for(general, lambda m: "Your private picture is lost" in m.text)
    assert told.id == message.id
    assert cost in told.text
    assert "Something broke" not in told.text
    assert servers.person("theo").messages(general) == []
    assert [row["state"] for row in books.charges()] == ["settled"]
    assert b"my secret" not in (tmp_path / "bot.db").read_bytes()


@pytest.mark.parametrize("token", ["alive", "dead"])
async def test_a_picture_that_was_posted_and_not_noted_is_not_doubled(
    token: str, servers: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    gate = servers.imagerouter.faults.hold()
    async with doomed(servers, tmp_path):
        ask = await mira.slash(general, "imagine", {"prompt": "a boat", "model": MINI})
        await ask.answer()
        await gate.reached()
        if token == "dead":
            servers.clock.advance(16 * MINUTE)  # Discord refuses the token, so the bot posts
        servers.discord.faults.drop(EDIT if token == "alive" else POST, after=True)
        gate.open()
        # Discord has it, and the bot, which got no answer, waits a second before it asks again.
        message = await mira.wait_for(general, lambda m: bool(m.attachments))
    assert [row["delivery"] for row in books.rows("SELECT delivery FROM job")] == ["open"]

    await servers.start_bot()
    await servers.discord.wait_for_request(EDIT if token == "alive" else POST)
    await servers.bot.services.recovery.sweep()

    assert [m.id for m in with_pictures(mira, general)] == [message.id]
    assert waiting(servers) == []
    [job] = books.rows("SELECT * FROM job")
    assert (job["delivery"], job["message_id"]) == ("delivered", message.id)
    assert [(row["state"], row["actual"]) for row in books.charges()] == [("settled", 1_300)]


async def test_of_half_a_batch_the_finished_half_is_delivered_and_the_rest_is_explained(
    servers: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    faults = servers.imagerouter.faults
    gates = [faults.hold() for _ in range(2)]
    options = {"prompt": "boats", "model": LARGE, "count": 4}
    async with doomed(servers, tmp_path):
        ask = await mira.slash(general, "imagine", options)
        for gate in gates:
            await gate.reached()
        await settled(servers, books, 2)

    await servers.start_bot()

    message = await pictures(mira, general, ask)
    assert len(message.attachments) == 2
    assert "**2 of 4.**" in message.text
    assert "up to $0.16 counts against you" in message.text
    assert "Something broke" not in message.text
    assert "**$0.08**" in message.text
    states = sorted(str(row["state"]) for row in books.charges())
    assert states == ["settled", "settled", "unknown", "unknown"]
    await servers.stop_bot()
    assert waiting(servers) == []


async def test_a_failure_that_was_not_yet_explained_is_explained_after_the_restart(
    servers: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    servers.imagerouter.faults.error("Upstream is on fire")
    whisper = servers.discord.faults.hold(WHISPER, times=1)
    async with doomed(servers, tmp_path):
        ask = await mira.slash(general, "imagine", {"prompt": "a boat", "model": MINI})
        await whisper.reached()

    await servers.start_bot()

    told = await explanation(general, ask)
    assert "The model failed" in told.text
    assert "Restarted; this cost nothing." in told.text
    assert told.ephemeral_to == mira.user.id
    assert waiting(servers) == []


async def test_a_stored_job_that_makes_no_sense_keeps_no_other_from_its_person(
    servers: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    gates = [servers.imagerouter.faults.hold(on="storage") for _ in range(2)]
    async with doomed(servers, tmp_path):
        for name in ("first", "second"):
            await mira.slash(general, "imagine", {"prompt": f"the {name} boat", "model": MINI})
        for gate in gates:
            await gate.reached()
    first = "(SELECT job_id FROM prompt WHERE prompt = 'the first boat')"
    books.write(f"UPDATE job SET quality = 'strange' WHERE id = {first}")

    await servers.start_bot()

    message = await mira.wait_for(general, lambda m: bool(m.attachments))
    assert "the second boat" in message.text
