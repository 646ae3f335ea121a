"""Whom a process owes an answer before there is a job: kept by the next, on both engines."""

from collections.abc import AsyncIterator, Callable

import pytest

from bot.quotas import Defaults
from bot.requests import ReplyRoute
from bot.storage import Ledger, Promise, Promises, open_database
from bot.storage._sweeper import DEAD_AFTER_MS
from bot.storage.database import Database
from tests.storage.books import MINUTE, StillClock

MIRA = 11


def reply(clock: StillClock, message_id: int) -> ReplyRoute:
    return ReplyRoute(5, "a-token", clock.now_ms() + 14 * MINUTE, 7, message_id, 10_000_000)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
async def database(database_url: str, clock: StillClock) -> AsyncIterator[Database]:
    async with open_database(database_url, clock=clock) as database:
        yield database


Process = Callable[[int], tuple[Ledger, Promises]]


@pytest.fixture
def process(database: Database, clock: StillClock) -> Process:
    """A process with this id."""

    def make(process_id: int) -> tuple[Ledger, Promises]:
        ledger = Ledger(
            database, clock=clock, secret=b"s", process_id=process_id, defaults=Defaults()
        )
        return ledger, Promises(database, clock=clock, process_id=process_id)

    return make


async def test_what_a_dead_process_has_promised_is_for_one_other_to_keep(
    process: Process, clock: StillClock
) -> None:
    (first, promises), (second, others), (third, more) = map(process, (1, 2, 3))
    await first.heartbeat()
    await promises.give(MIRA, reply(clock, 70), private=True)
    await promises.give(MIRA, reply(clock, 70), private=True)
    await promises.give(MIRA, reply(clock, 71), private=False)
    await promises.keep(reply(clock, 71))
    assert await others.broken() == []

    owed = Promise(MIRA, private=True, reply=reply(clock, 70))
    clock.now += DEAD_AFTER_MS + 1
    await second.heartbeat()
    await third.heartbeat()
    assert [await others.broken(), await more.broken(), await others.broken()] == [[owed], [], []]


async def test_a_promise_ends_with_its_token(process: Process, clock: StillClock) -> None:
    first, promises = process(1)
    await first.heartbeat()
    await promises.give(MIRA, reply(clock, 70), private=False)
    clock.now += 15 * MINUTE
    assert await process(2)[1].broken() == []
