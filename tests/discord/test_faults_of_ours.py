"""When something of ours is broken: nobody waits for ever, and nothing is spent unrecorded."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Person
from sandbox.house import House, button, explanation, pictures

OPTIONS = {"prompt": "a gannet", "model": "papercut/fold-large"}

pytestmark = pytest.mark.usefixtures("nobody_waits")


async def test_an_acknowledgement_that_comes_too_late_costs_nothing(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    house.discord.acknowledge_within = 0.2
    gate = house.discord.faults.hold("POST /interactions/*/*/callback", times=1)
    ask = await mira.slash(general, "imagine", OPTIONS)
    await ask.failed()
    gate.open()
    refused = await house.discord.wait_for_request("POST /interactions/*/*/callback")
    await house.stop_bot()

    assert refused.status == 404
    assert books.charges() == []
    assert house.imagerouter.requests == []


async def test_an_acknowledgement_that_discord_loses_costs_nothing(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    house.discord.acknowledge_within = 1
    house.discord.faults.status("POST /interactions/*/*/callback", 400, times=1)
    ask = await mira.slash(general, "imagine", OPTIONS)
    await ask.failed()
    await house.stop_bot()

    assert books.charges() == []
    assert house.imagerouter.requests == []


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("private", [False, True])
async def test_an_acknowledgement_whose_connection_breaks_leaves_nobody_waiting(
    after: bool, private: bool, house: House, mira: Person, general: Channel, books: Books
) -> None:
    house.discord.faults.drop("POST /interactions/*/*/callback", after=after)
    ask = await mira.slash(general, "imagine", {**OPTIONS, "private": private})
    await pictures(mira, general, ask)

    assert [row["state"] for row in books.charges()] == ["settled"]


async def test_usage_survives_a_broken_acknowledgement(
    house: House, mira: Person, general: Channel
) -> None:
    house.discord.faults.drop("POST /interactions/*/*/callback", after=True)
    told = await (await mira.slash(general, "usage")).answer()

    assert "What you have spent" in told.text
    assert told.ephemeral_to == mira.user.id


async def test_usage_is_patient_with_a_busy_discord(
    house: House, mira: Person, general: Channel
) -> None:
    house.discord.faults.drop("PATCH /webhooks/*/*/messages/*", times=8)
    told = await (await mira.slash(general, "usage")).answer(timeout=20)

    assert "What you have spent" in told.text


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"code": 50035, "message": "Invalid Form Body", "errors": {}}),
        (413, {"code": 40005, "message": "Request entity too large"}),
    ],
)
async def test_an_answer_that_discord_calls_invalid_leaves_nobody_waiting(
    status: int, body: dict[str, object], house: House, mira: Person, general: Channel
) -> None:
    house.discord.faults.status("PATCH /webhooks/*/*/messages/*", status, body=body)
    ask = await mira.slash(general, "usage")
    told = await mira.wait_for(general, lambda m: m.interaction_id == ask.id and not m.loading)

    assert "Something broke" in told.text
    assert told.ephemeral_to == mira.user.id


async def test_a_stop_waits_for_usage(house: House, mira: Person, general: Channel) -> None:
    gate = house.discord.faults.hold("PATCH /webhooks/*/*/messages/*", times=1)
    ask = await mira.slash(general, "usage")
    await gate.reached()
    stopping = asyncio.create_task(house.stop_bot())
    done, _ = await asyncio.wait({stopping}, timeout=0.5)
    gate.open()
    await stopping

    assert not done
    assert "What you have spent" in (await ask.answer()).text


async def test_books_that_cannot_be_written_stop_everything_before_it_costs_anything(
    house: House, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    books.change("ALTER TABLE bucket RENAME TO hidden")
    ask = await mira.slash(general, "imagine", OPTIONS)
    told = await explanation(general, ask)
    books.change("ALTER TABLE hidden RENAME TO bucket")

    assert "The books can't be written just now" in told.text
    assert "This cost you nothing." in told.text
    assert "a gannet" in told.text
    assert theo.messages(general) == []
    assert house.imagerouter.requests == []
    click = await mira.click(told, button(told, "Try again"))
    await pictures(mira, general, click)


async def test_a_cost_is_recorded_when_the_database_is_busy_at_the_answer(
    house: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    gate = house.imagerouter.faults.hold()
    ask = await mira.slash(general, "imagine", OPTIONS)
    await gate.reached()
    lock = sqlite3.connect(tmp_path / "bot.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    gate.open()
    await house.imagerouter.wait_until(lambda: len(house.imagerouter.answers) == 1)
    lock.execute("ROLLBACK")
    lock.close()
    await pictures(mira, general, ask)

    assert [(row["state"], row["actual"]) for row in books.charges()] == [("settled", 40_000)]


async def test_a_repetition_whose_origin_can_not_be_read_is_delivered_all_the_same(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    first = await pictures(mira, general, await mira.slash(general, "imagine", OPTIONS))
    gate = house.imagerouter.faults.hold()
    again = await mira.click(first, button(first, "Again"))
    await gate.reached()
    books.change("ALTER TABLE job_input RENAME TO hidden")
    gate.open()
    message = await pictures(mira, general, again)
    books.change("ALTER TABLE hidden RENAME TO job_input")

    assert "Once more, after" not in message.text
    assert [row["state"] for row in books.charges()] == ["settled", "settled"]


async def test_a_command_that_the_bot_does_not_know_any_more_is_explained(
    house: House, mira: Person, general: Channel
) -> None:
    for data in house.discord.world.commands[None].values():
        if data["name"] == "imagine":
            data["name"] = "paint"
    ask = await mira.slash(general, "paint", {"prompt": "a gannet"})
    told = await ask.answer()

    assert "This command has just changed." in told.text
    assert told.ephemeral_to == mira.user.id


async def test_usage_without_its_books_says_so(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    books.change("ALTER TABLE usage_month RENAME TO hidden")
    ask = await mira.slash(general, "usage")
    told = await ask.answer()
    books.change("ALTER TABLE hidden RENAME TO usage_month")

    assert "The books can't be " in told.text
    assert told.ephemeral_to == mira.user.id


async def test_sums_beyond_reason_hold_back_no_picture(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    await pictures(mira, general, await mira.slash(general, "imagine", {**OPTIONS, "count": 2}))
    await house.bot.services.generation.idle()
    books.change(f"UPDATE charge SET actual = {2**63 - 1}")  # two such rows have no sum
    ask = await mira.slash(general, "imagine", {**OPTIONS, "private": True})
    message = await pictures(mira, general, ask)

    assert "today" in message.text
    assert message.ephemeral_to == mira.user.id
    assert books.charges()[-1]["state"] == "settled"


async def test_a_stop_waits_for_the_words_to_whom_it_refuses(
    house: House, mira: Person, general: Channel
) -> None:
    gate = house.discord.faults.hold("PATCH /webhooks/*/*/messages/*", times=1)
    ask = await mira.slash(general, "imagine", {**OPTIONS, "size": "huge"})
    await gate.reached()
    stopping = asyncio.create_task(house.stop_bot())
    done, _ = await asyncio.wait({stopping}, timeout=0.5)
    gate.open()
    await stopping

    assert not done
    assert "can't be used like that" in (await explanation(general, ask)).text


async def test_a_delivery_that_can_not_be_written_down_is_so_later_and_told_once(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    books.change("ALTER TABLE job_output RENAME TO hidden")
    ask = await mira.slash(general, "imagine", {**OPTIONS, "private": True})
    await pictures(mira, general, ask)
    await house.bot.services.generation.idle()
    assert [row["delivery"] for row in books.rows("SELECT delivery FROM job")] == ["open"]
    books.change("ALTER TABLE hidden RENAME TO job_output")
    await house.bot.services.recovery.sweep()

    assert [row["delivery"] for row in books.rows("SELECT delivery FROM job")] == ["delivered"]
    assert len([m for m in mira.messages(general) if m.attachments]) == 1
