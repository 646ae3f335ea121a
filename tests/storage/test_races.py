"""Many callers at once, and callers that are cancelled at any moment."""

import asyncio
import random
from contextlib import suppress

from bot.quotas import Limit, QuotaExceeded, Scope, Window
from bot.storage import Database, HeldJob
from bot.storage.rows import Tx
from tests.storage.books import MINUTE, Books, open_books

BUDGET = Limit(Scope.GUILD, Window.MONTH, 17_500)
PRICE = 1000
FITTING = 17
CALLERS = 400


async def try_to_hold(books: Books, user: int) -> HeldJob | None:
    try:
        return await books.ledger.hold(books.job(ceiling=PRICE, user=user), [BUDGET])
    except QuotaExceeded:
        return None


async def test_many_at_one_limit_admit_exactly_what_fits(books: Books) -> None:
    held = await asyncio.gather(*(try_to_hold(books, user) for user in range(CALLERS)))
    assert sum(job is not None for job in held) == FITTING
    assert await books.counters("guild", "month") == (FITTING * PRICE, 0, 0)


async def test_checking_first_and_recording_later_would_overspend(books: Books) -> None:
    """The mistake that `hold` does not make: shown to fail, so that the test above can."""

    async def spent(tx: Tx) -> int:
        (row,) = await tx.fetch("SELECT COUNT(*) AS n FROM setting")
        return row.integer("n") * PRICE

    async def check_then_record(db: Database, number: int) -> None:
        if await db.read(spent) + PRICE > BUDGET.amount:
            return
        await db.write(
            lambda tx: tx.fetch(
                "INSERT INTO setting (name, content, changed_at) VALUES ($1, '', 0)", str(number)
            )
        )

    await asyncio.gather(*(check_then_record(books.db, number) for number in range(CALLERS)))
    assert await books.db.read(spent) > BUDGET.amount


async def test_a_whole_life_of_many_jobs_at_once_keeps_the_books(books: Books) -> None:
    chance = random.Random(3)

    async def life(user: int) -> int:
        held = await try_to_hold(books, user)
        if held is None:
            return 0
        (charge_id,) = held.charge_ids
        assert await books.ledger.dispatch(charge_id, lease_ms=MINUTE)
        actual = chance.randrange(PRICE + 1)
        tries = [books.ledger.settle(charge_id, actual=actual) for _ in range(3)]
        changes = [change.changed for change in await asyncio.gather(*tries)]
        assert sorted(changes) == [False, False, True]
        return actual

    total = sum(await asyncio.gather(*(life(user) for user in range(CALLERS))))
    assert await books.counters("guild", "month") == (0, total, 0)
    assert await books.counters("member", "open") == (0, 0, 0)


async def test_a_cancelled_hold_gives_its_money_back(database_url: str) -> None:
    chance = random.Random(5)
    kept: set[int] = set()

    async def caller(books: Books, user: int) -> None:
        held = await books.ledger.hold(books.job(ceiling=PRICE, user=user))
        kept.add(held.job_id)

    async with open_books(database_url) as books:
        tasks = [asyncio.create_task(caller(books, user)) for user in range(CALLERS)]
        waiting = list(tasks)
        while waiting:
            for task in chance.sample(waiting, min(chance.randrange(8), len(waiting))):
                task.cancel()
                waiting.remove(task)
            if waiting:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            waiting = [task for task in waiting if not task.done()]
        await asyncio.gather(*tasks, return_exceptions=True)
    # It is closed, so that every giving back has been done.
    async with open_books(database_url) as books:
        assert await books.counters("bot", "total") == (len(kept) * PRICE, 0, 0)
        assert await books.counters("member", "open") == (len(kept), 0, 0)
    assert 0 < len(kept) < CALLERS


async def test_a_cost_is_recorded_though_its_caller_is_cancelled(database_url: str) -> None:
    async with open_books(database_url) as books:
        jobs = [await books.sent(books.job(ceiling=PRICE, user=user)) for user in range(40)]
        tasks = [
            asyncio.create_task(books.ledger.settle(job.charge_ids[0], actual=10)) for job in jobs
        ]
        await asyncio.sleep(0)  # each has handed its cost over
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
    async with open_books(database_url) as books:
        assert await books.counters("bot", "total") == (0, 400, 0)
