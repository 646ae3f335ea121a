"""Callers that are cancelled anywhere in a job's life: no half write, and the others go on."""

import asyncio
import random
from collections import Counter

import pytest

from bot.quotas import Limit, QuotaExceeded, Scope, Window
from bot.storage import ChargeState
from tests.storage.books import DAY, MINUTE, Books, audit

BUDGET = Limit(Scope.GUILD, Window.MONTH, 60_000)
PRICE = 500
JOBS = 160


class Life:
    """One caller's job of two pictures, and how far it has come."""

    def __init__(self, books: Books, number: int, chance: random.Random) -> None:
        self._books = books
        self._number = number
        self.job_id = 0
        self._chance = chance
        self.step = "begun"
        self.settled: list[int] = []
        """What the caller was told that it has cost."""

    async def run(self) -> None:
        books, chance = self._books, self._chance
        job = books.job(ceiling=PRICE, pictures=2, user=self._number % 7)
        self.job_id = job.id
        lease = MINUTE if self._number % 2 else None
        try:
            held = await books.ledger.hold(job, [BUDGET], dispatch_lease_ms=lease)
        except QuotaExceeded:
            self.step = "refused"
            return
        self.step = "held"
        for charge_id in held.charge_ids:
            assert held.dispatched or await books.ledger.dispatch(charge_id, lease_ms=MINUTE)
        self.step = "sent"
        for charge_id in held.charge_ids:
            ending = chance.randrange(3)
            if ending == 0:
                await books.ledger.release(charge_id, reason="moderation")
            elif ending == 1:
                await books.ledger.mark_unknown(charge_id, reason="no answer")
            else:
                cost = chance.randrange(1, 700)
                assert (await books.ledger.settle(charge_id, actual=cost)).changed
                self.settled.append(cost)
        self.step = "ended"


@pytest.mark.parametrize("seed", range(4))
async def test_callers_cancelled_anywhere_leave_the_books_in_order(books: Books, seed: int) -> None:
    chance = random.Random(seed)
    lives = [Life(books, number, chance) for number in range(JOBS)]
    tasks = [asyncio.create_task(life.run()) for life in lives]
    doomed = tasks[::2]
    while pending := [task for task in doomed if not task.done()]:
        chance.choice(pending).cancel()
        if chance.random() < 0.1:
            await books.ledger.heartbeat()  # the writer has served all who asked before
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
    await asyncio.gather(*tasks, return_exceptions=True)

    assert all(task.exception() is None for task in tasks[1::2])
    assert {life.step for life in lives[1::2]} <= {"ended", "refused"}
    steps = Counter(life.step for life, task in zip(lives, tasks, strict=True) if task.cancelled())
    assert steps.total() > JOBS // 10
    # Who was cancelled before a hold was answered knows of none, and owes nothing.
    await books.ledger.heartbeat()
    unanswered = [
        await books.jobs.get(life.job_id)
        for life, task in zip(lives, tasks, strict=True)
        if task.cancelled() and life.step == "begun"
    ]
    charges = [charge for job in unanswered if job is not None for charge in job.charges]
    assert {charge.state for charge in charges} <= {ChargeState.RELEASED}
    assert await audit(books.db) == []
    _, settled, _ = await books.counters("bot", "total")
    assert settled >= sum(sum(life.settled) for life in lives)

    # What nobody waits for any more is closed by its lease, and nothing is open after that.
    later = books.other_process()
    books.clock.now += DAY
    await later.ledger.sweep(adopt_all=True)
    books.clock.now += 15 * MINUTE
    await later.ledger.sweep()
    assert await books.counters("member", "open") == (0, 0, 0)
    held, *_ = await books.counters("bot", "total")
    assert held == 0
