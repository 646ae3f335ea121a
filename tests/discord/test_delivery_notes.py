"""Deliveries are written down a moment later, together; until then nothing is lost or doubled."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from sandbox.books import Books
from sandbox.discord import Channel, Message, Person
from sandbox.house import IMPATIENT, House, button, pictures, waiting
from tests.discord.erasing import erase
from tests.houses import strict_house

NEVER_S = 3600


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A house whose bot writes deliveries down only when it stops."""
    async with strict_house(tmp_path, patience=replace(IMPATIENT, notes=NEVER_S)) as opened:
        yield opened
        await opened.stop_bot()
        assert waiting(opened) == []


async def posted(person: Person, channel: Channel, prompt: str) -> Message:
    """Their picture, after they were told what it cost."""
    ask = await person.slash(channel, "imagine", {"prompt": prompt})
    told = await ask.followup()
    assert "You have spent" in told.text
    return await pictures(person, channel, ask)


def noted(books: Books) -> list[tuple[object, object]]:
    """What the books know of each job's delivery, in the order of asking."""
    rows = books.rows("SELECT delivery, message_id FROM job ORDER BY created_at, id")
    return [(row["delivery"], row["message_id"]) for row in rows]


async def test_a_stop_writes_all_deliveries_down_at_once(
    house: House, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    shown = [await posted(person, general, "a heron") for person in (mira, theo, mira)]
    assert noted(books) == [("open", None)] * 3

    await house.stop_bot()

    assert noted(books) == [("delivered", message.id) for message in shown]
    [times] = books.rows("SELECT COUNT(DISTINCT delivered_at) AS times FROM job")
    assert times["times"] == 1


async def test_whoever_picks_up_after_a_kill_only_edits_the_message_once_more(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    message = await posted(mira, general, "a heron")
    await house.kill_bot()
    await house.start_bot()
    await house.bot.services.recovery.sweep()
    await books.until(lambda _: noted(books) == [("delivered", message.id)])

    shown = [seen for seen in mira.messages(general) if seen.attachments]
    assert [seen.id for seen in shown] == [message.id]
    assert len(house.imagerouter.requests) == 1
    assert [row["state"] for row in books.charges()] == ["settled"]


async def test_a_result_that_is_deleted_before_it_was_noted_is_not_linked(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    message = await posted(mira, general, "a heron")
    await mira.click(message, button(message, "Delete"))
    await books.until(lambda _: noted(books) == [("delivered", None)])

    await house.stop_bot()

    assert message.deleted
    assert noted(books) == [("delivered", None)]


async def test_again_knows_a_result_that_is_not_noted_yet(
    house: House, mira: Person, general: Channel
) -> None:
    message = await posted(mira, general, "a heron")
    click = await mira.click(message, button(message, "Again"))
    await pictures(mira, general, click)
    first, second = house.imagerouter.requests
    assert first.fields == second.fields


async def test_what_is_not_noted_yet_is_erased_with_its_person(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    message = await posted(mira, general, "a heron")
    assert len(books.rows("SELECT * FROM prompt")) == 1

    await erase(mira, general)

    assert books.rows("SELECT * FROM prompt") == []
    assert message.deleted or noted(books) == [("delivered", None)]
