"""What becomes of the charges that nobody closes."""

from typing import TypeVar

import pytest

from bot.quotas import Window
from bot.storage import ChargeState, Ledger, Swept, Who
from bot.storage.rows import LIMIT_S, Transaction
from tests.storage.books import MINUTE, Books

T = TypeVar("T")


async def states(books: Books, job_id: int) -> list[ChargeState]:
    job = await books.jobs.get(job_id)
    assert job is not None
    return [charge.state for charge in job.charges]


async def test_a_dead_processs_job_costs_what_was_sent_and_nothing_else(books: Books) -> None:
    dead = books.other_process()
    await dead.ledger.heartbeat()
    held = await dead.ledger.hold(dead.job(pictures=2))
    await dead.ledger.dispatch(held.charge_ids[0], lease_ms=60 * MINUTE)
    assert await books.ledger.sweep() == Swept()
    books.clock.now += 2 * MINUTE
    swept = await books.ledger.sweep()
    assert swept == Swept((held.job_id,), (held.charge_ids[0],), ())
    assert await states(books, held.job_id) == [ChargeState.UNKNOWN, ChargeState.RELEASED]
    assert await books.counters("member", "open") == (0, 0, 0)


async def test_at_start_every_other_process_is_dead_at_once(books: Books) -> None:
    dead = books.other_process()
    await dead.ledger.heartbeat()
    held = await dead.ledger.hold(dead.job())
    mine = await books.ledger.hold(books.job())
    assert (await books.ledger.sweep(adopt_all=True)).released_jobs == (held.job_id,)
    assert await books.jobs.open_deliveries() == [held.job_id]
    assert await states(books, mine.job_id) == [ChargeState.HELD]


async def test_a_job_waits_as_long_as_its_process_lives(books: Books) -> None:
    other = books.other_process()
    held = await books.ledger.hold(books.job())
    for _ in range(30):
        books.clock.now += MINUTE
        await books.ledger.heartbeat()
        assert await other.ledger.sweep() == Swept()
    assert await states(books, held.job_id) == [ChargeState.HELD]


@pytest.mark.parametrize("early_ms", [0, 1])
async def test_a_lease_that_runs_out_makes_the_outcome_unknown(books: Books, early_ms: int) -> None:
    held = await books.sent(books.job())
    books.clock.now += MINUTE - early_ms
    swept = await books.ledger.sweep()
    assert swept.unknown_charges == (() if early_ms else held.charge_ids)


async def test_the_answer_may_still_come_after_the_lease(books: Books) -> None:
    held = await books.sent(books.job())
    books.clock.now += 2 * MINUTE
    await books.ledger.sweep()
    done = await books.ledger.settle(held.charge_ids[0], actual=700)
    assert (done.changed, done.job_closed) == (True, False)
    assert await books.counters("member") == (0, 700, 0)


@pytest.mark.parametrize(("budget", "presses"), [(2001, False), (2000, True)])
async def test_a_sweep_names_the_jobs_whose_presumed_cost_may_be_half_of_a_budget(
    books: Books, budget: int, *, presses: bool
) -> None:
    await books.policies.set_limit(Who.channel(77, 770), Window.DAY, budget, by=1)
    held = await books.sent(books.job(ceiling=1000))
    books.clock.now += MINUTE
    assert (await books.ledger.sweep()).pressing_jobs == ()
    books.clock.now += 15 * MINUTE
    swept = await books.ledger.sweep()
    assert swept.presumed_charges == held.charge_ids
    assert swept.pressing_jobs == ((held.job_id,) if presses else ())


async def test_nothing_stays_unclosed_past_lease_and_grace(books: Books) -> None:
    dead = books.other_process()
    for process in (books, dead):
        for _ in range(70):
            await process.sent(process.job(pictures=2))
            await process.ledger.hold(process.job())
    books.clock.now += 2 * MINUTE
    await books.ledger.sweep()
    books.clock.now += 15 * MINUTE
    swept = await books.ledger.sweep()
    assert len(swept.presumed_charges) == 280
    rows = await books.db.read(
        lambda tx: tx.fetch("SELECT process FROM charge WHERE closed_at IS NULL")
    )
    assert {row.integer("process") for row in rows} == {books.process_id}
    assert len(rows) == 70


async def test_what_a_late_process_sends_during_the_sweep_is_not_taken_for_unsent(
    books: Books,
) -> None:
    """Between the sweeper's look and its change, the process it thought dead sends the charge."""
    late = books.other_process()
    await late.ledger.heartbeat()
    held = await late.ledger.hold(late.job())
    books.clock.now += 2 * MINUTE

    class Interrupted:
        """The database, on which somebody else is quicker after the first look."""

        async def write(
            self,
            run: Transaction[T],
            *,
            undo: Transaction[object] | None = None,
            limit_s: float = LIMIT_S,
        ) -> T:
            return await books.db.write(run, undo=undo, limit_s=limit_s)

        async def read(self, run: Transaction[T], *, limit_s: float = LIMIT_S) -> T:
            seen = await books.db.read(run, limit_s=limit_s)
            await late.ledger.dispatch(held.charge_ids[0], lease_ms=MINUTE)
            return seen

    ledger = Ledger(
        Interrupted(),
        clock=books.clock,
        secret=b"x",
        process_id=books.process_id,
        defaults=books.defaults,
    )
    assert await ledger.sweep() == Swept((), held.charge_ids, ())
    assert await states(books, held.job_id) == [ChargeState.UNKNOWN]
