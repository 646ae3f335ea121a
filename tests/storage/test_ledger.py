"""What the ledger promises, one sentence at a time."""

import asyncio

import pytest

from bot.quotas import Limit, QuotaExceeded, Scope, Window
from bot.storage import ChargeState, DuplicateJob
from tests.storage.books import DAY, HOUR, MINUTE, NOON, Books, open_books

MEMBER_DAY = Limit(Scope.MEMBER, Window.DAY, 2500)


async def state_of(books: Books, job_id: int, index: int = 0) -> tuple[ChargeState, int | None]:
    job = await books.jobs.get(job_id)
    assert job is not None
    return job.charges[index].state, job.charges[index].actual


async def test_a_hold_reserves_the_ceiling_of_every_picture(books: Books) -> None:
    held = await books.ledger.hold(books.job(ceiling=1000, pictures=4))
    assert len(set(held.charge_ids)) == 4
    for scope in ("member", "channel", "guild", "ceiling", "person", "bot"):
        for period in ("day", "week", "month", "total"):
            assert await books.counters(scope, period) == (4000, 0, 0), (scope, period)
    assert await books.counters("member", "open") == (1, 0, 0)


async def test_a_direct_message_counts_for_its_person_and_the_bot_alone(books: Books) -> None:
    await books.ledger.hold(books.job(guild=0))
    assert await books.counters("dm") == (1000, 0, 0)
    assert await books.counters("person") == (1000, 0, 0)
    assert await books.counters("bot") == (1000, 0, 0)
    for scope in ("member", "channel", "guild", "ceiling"):
        assert await books.counters(scope) == (0, 0, 0)


async def test_settling_records_the_true_cost_and_frees_the_rest(books: Books) -> None:
    held = await books.sent(books.job(ceiling=1000))
    done = await books.ledger.settle(held.charge_ids[0], actual=400)
    assert (done.changed, done.overrun, done.job_closed) == (True, 0, True)
    assert await books.counters("guild", "month") == (0, 400, 0)
    assert await books.counters("member", "open") == (0, 0, 0)
    assert await state_of(books, held.job_id) == (ChargeState.SETTLED, 400)


async def test_a_cost_above_the_hold_is_recorded_in_full(books: Books) -> None:
    held = await books.sent(books.job(ceiling=600))
    done = await books.ledger.settle(held.charge_ids[0], actual=18_000)
    assert done.overrun == 17_400
    assert await books.counters("bot") == (0, 18_000, 17_400)


async def test_each_charge_of_a_batch_settles_by_itself(books: Books) -> None:
    held = await books.sent(books.job(pictures=4))
    one, two, three, four = held.charge_ids
    first = await books.ledger.settle(one, actual=900)
    assert await books.ledger.release(two, reason="moderation")
    assert await books.ledger.mark_unknown(three, reason="connection lost")
    last = await books.ledger.settle(four, actual=1100)
    assert (first.job_closed, last.job_closed) == (False, True)
    assert await books.counters("member") == (1000, 2000, 100)
    assert await books.counters("member", "open") == (0, 0, 0)


async def test_a_second_settlement_changes_nothing(books: Books) -> None:
    held = await books.sent(books.job())
    await books.ledger.settle(held.charge_ids[0], actual=500)
    again = await books.ledger.settle(held.charge_ids[0], actual=700)
    assert not again.changed
    assert not again.job_closed
    assert await books.counters("member") == (0, 500, 0)


async def test_what_was_never_sent_cannot_be_settled_or_become_unknown(books: Books) -> None:
    held = await books.ledger.hold(books.job())
    assert not (await books.ledger.settle(held.charge_ids[0], actual=500)).changed
    assert not await books.ledger.mark_unknown(held.charge_ids[0], reason="?")
    assert await state_of(books, held.job_id) == (ChargeState.HELD, None)


async def test_a_charge_is_dispatched_once_and_never_after_its_release(books: Books) -> None:
    held = await books.ledger.hold(books.job(pictures=2))
    assert await books.ledger.dispatch(held.charge_ids[0], lease_ms=MINUTE)
    assert not await books.ledger.dispatch(held.charge_ids[0], lease_ms=MINUTE)
    assert await books.ledger.release(held.charge_ids[1], reason="cancelled")
    assert not await books.ledger.dispatch(held.charge_ids[1], lease_ms=MINUTE)
    assert not await books.ledger.dispatch(123, lease_ms=MINUTE)


async def test_a_job_whose_turn_has_come_is_held_and_sent_in_one_transaction(
    books: Books,
) -> None:
    held = await books.ledger.hold(books.job(pictures=2), dispatch_lease_ms=MINUTE)
    assert held.dispatched
    assert await state_of(books, held.job_id) == (ChargeState.DISPATCHED, None)
    assert not await books.ledger.dispatch(held.charge_ids[0], lease_ms=MINUTE)
    done = await books.ledger.settle(held.charge_ids[0], actual=400)
    assert (done.changed, done.job_closed) == (True, False)
    assert await books.ledger.release(held.charge_ids[1], reason="moderation")
    assert await books.counters("guild") == (0, 400, 0)
    assert await books.counters("member", "open") == (0, 0, 0)


async def test_what_was_sent_with_its_hold_becomes_unknown_after_its_lease(books: Books) -> None:
    held = await books.ledger.hold(books.job(), dispatch_lease_ms=MINUTE)
    books.clock.now += MINUTE + 1
    swept = await books.ledger.sweep()
    assert swept.unknown_charges == held.charge_ids


async def test_a_caller_cancelled_while_it_holds_and_sends_owes_nothing(
    database_url: str,
) -> None:
    async with open_books(database_url) as books:
        job = books.job()
        holding = asyncio.create_task(books.ledger.hold(job, dispatch_lease_ms=MINUTE))
        await asyncio.sleep(0)  # handed over, and not answered yet
        holding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await holding
    # It is closed, so that what the cancelled hold did has been undone.
    async with open_books(database_url) as books:
        stored = await books.jobs.get(job.id)
        assert stored is None or stored.charges[0].state is ChargeState.RELEASED
        assert await books.counters("bot") == (0, 0, 0)
        assert await books.counters("member", "open") == (0, 0, 0)


async def test_an_unknown_outcome_keeps_its_hold_but_not_its_slot(books: Books) -> None:
    held = await books.sent(books.job())
    assert await books.ledger.mark_unknown(held.charge_ids[0], reason="no answer")
    assert await books.counters("member") == (1000, 0, 0)
    assert await books.counters("member", "open") == (0, 0, 0)
    assert await books.ledger.pending(11) == 1000
    assert await books.ledger.pending(11, guild_id=78) == 0
    assert await books.ledger.spend(11) == 0


@pytest.mark.parametrize(("actual", "overrun"), [(700, 0), (1000, 0), (1300, 300)])
async def test_late_truth_replaces_what_was_presumed(
    books: Books, actual: int, overrun: int
) -> None:
    held = await books.sent(books.job())
    await books.ledger.mark_unknown(held.charge_ids[0], reason="no answer")
    books.clock.now += 15 * MINUTE
    assert (await books.ledger.sweep()).presumed_charges == held.charge_ids
    assert await books.counters("member", "total") == (0, 1000, 0)
    late = await books.ledger.settle(held.charge_ids[0], actual=actual)
    assert (late.changed, late.overrun, late.job_closed) == (True, overrun, False)
    assert await books.counters("member", "total") == (0, actual, overrun)
    assert await books.ledger.spend(11) == actual


async def test_late_truth_after_a_release_is_all_overrun(books: Books) -> None:
    held = await books.sent(books.job())
    await books.ledger.release(held.charge_ids[0], reason="provider said no")
    late = await books.ledger.settle(held.charge_ids[0], actual=300)
    assert (late.changed, late.overrun) == (True, 300)
    assert await books.counters("channel") == (0, 300, 300)


async def test_a_replayed_interaction_is_not_held_twice(books: Books) -> None:
    held = await books.ledger.hold(books.job(idem="interaction 1"))
    with pytest.raises(DuplicateJob) as refusal:
        await books.ledger.hold(books.job(idem="interaction 1"))
    assert refusal.value.job_id == held.job_id
    assert await books.counters("member") == (1000, 0, 0)


async def test_a_refusal_names_the_limit_that_binds_and_holds_nothing(books: Books) -> None:
    month = Limit(Scope.GUILD, Window.MONTH, 2400)
    await books.ledger.hold(books.job(ceiling=1500), [MEMBER_DAY, month])
    with pytest.raises(QuotaExceeded) as refusal:
        await books.ledger.hold(books.job(ceiling=600, pictures=2), [MEMBER_DAY, month])
    assert refusal.value.limit == month
    assert (refusal.value.left, refusal.value.needed) == (900, 1200)
    assert refusal.value.resets_at_ms == 1_785_542_400_000  # 2026-08-01T00:00Z
    assert await books.counters("bot") == (1500, 0, 0)


async def test_a_refused_job_leaves_no_trace_and_may_be_asked_for_again(books: Books) -> None:
    job = books.job(ceiling=3000)
    with pytest.raises(QuotaExceeded):
        await books.ledger.hold(job, [MEMBER_DAY])
    assert await books.jobs.get(job.id) is None
    assert (await books.ledger.hold(job)).job_id == job.id


async def test_a_limit_of_nothing_refuses_everything_that_costs(books: Books) -> None:
    none = Limit(Scope.MEMBER, Window.DAY, 0)
    with pytest.raises(QuotaExceeded) as refusal:
        await books.ledger.hold(books.job(ceiling=1), [none])
    assert refusal.value.left == 0
    await books.ledger.hold(books.job(ceiling=0), [none])


async def test_what_costs_nothing_passes_a_budget_that_was_overrun(books: Books) -> None:
    held = await books.sent(books.job(ceiling=2000), [MEMBER_DAY])
    await books.ledger.settle(held.charge_ids[0], actual=9000)
    await books.ledger.hold(books.job(ceiling=0), [MEMBER_DAY])
    with pytest.raises(QuotaExceeded):
        await books.ledger.hold(books.job(ceiling=1), [MEMBER_DAY])


async def test_a_rule_made_at_noon_knows_the_morning(books: Books) -> None:
    await books.ledger.hold(books.job(ceiling=2000))
    books.clock.now += HOUR
    with pytest.raises(QuotaExceeded) as refusal:
        await books.ledger.hold(books.job(ceiling=1000), [MEMBER_DAY])
    assert refusal.value.left == 500


async def test_the_next_day_begins_with_a_whole_allowance(books: Books) -> None:
    await books.ledger.hold(books.job(ceiling=2500), [MEMBER_DAY])
    books.clock.now = NOON + 12 * HOUR
    await books.ledger.hold(books.job(ceiling=2500), [MEMBER_DAY])


async def test_a_hold_is_settled_in_the_day_it_was_made_in(books: Books) -> None:
    held = await books.sent(books.job(ceiling=2500), [MEMBER_DAY])
    books.clock.now += DAY
    await books.ledger.settle(held.charge_ids[0], actual=2500)
    await books.ledger.hold(books.job(ceiling=2500), [MEMBER_DAY])
    assert await books.ledger.spend(11, since_ms=books.clock.now - HOUR) == 0
    assert await books.ledger.spend(11, since_ms=NOON) == 2500


async def test_members_windows_follow_the_guilds_time_zone(books: Books) -> None:
    await books.db.write(
        lambda tx: tx.fetch(
            "INSERT INTO guild_zone (guild_id, changed_at, zone, changed_by) "
            "VALUES (77, 0, 'Pacific/Auckland', 1)"
        )
    )
    with pytest.raises(QuotaExceeded) as member:
        await books.ledger.hold(books.job(ceiling=9000), [MEMBER_DAY])
    with pytest.raises(QuotaExceeded) as operator:
        await books.ledger.hold(books.job(ceiling=9000), [Limit(Scope.BOT, Window.DAY, 1)])
    assert member.value.resets_at_ms == NOON + DAY  # midnight in Auckland is noon in UTC
    assert operator.value.resets_at_ms == NOON + 12 * HOUR


async def test_open_jobs_are_capped_and_a_closed_one_makes_room(books: Books) -> None:
    cap = Limit(Scope.MEMBER, Window.OPEN, 2)
    first = await books.sent(books.job(pictures=2), [cap])
    await books.ledger.hold(books.job(), [cap])
    with pytest.raises(QuotaExceeded) as refusal:
        await books.ledger.hold(books.job(), [cap])
    assert (refusal.value.limit, refusal.value.left) == (cap, 0)
    assert (refusal.value.needed, refusal.value.resets_at_ms) == (1, None)
    await books.ledger.hold(books.job(user=12), [cap])
    await books.ledger.settle(first.charge_ids[0], actual=1)
    with pytest.raises(QuotaExceeded):
        await books.ledger.hold(books.job(), [cap])
    await books.ledger.settle(first.charge_ids[1], actual=1)
    await books.ledger.hold(books.job(), [cap])


async def test_two_charges_that_close_at_once_free_their_slot_once(books: Books) -> None:
    held = await books.sent(books.job(pictures=2))
    done = await asyncio.gather(
        *(books.ledger.settle(charge_id, actual=10) for charge_id in held.charge_ids)
    )
    assert sorted(change.job_closed for change in done) == [False, True]
    assert await books.counters("member", "open") == (0, 0, 0)


async def test_a_limit_that_cannot_apply_is_an_error_and_not_ignored(books: Books) -> None:
    with pytest.raises(ValueError, match="do not apply"):
        await books.ledger.hold(books.job(guild=0), [MEMBER_DAY])


@pytest.mark.parametrize(("ceiling", "pictures"), [(-1, 1), (10**16, 1), (1, 0), (1, 101)])
async def test_amounts_beyond_reason_are_refused(books: Books, ceiling: int, pictures: int) -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        await books.ledger.hold(books.job(ceiling=ceiling, pictures=pictures))
    with pytest.raises(ValueError, match="not an amount"):
        await books.ledger.settle(1, actual=-1)


async def test_the_role_behind_a_limit_is_noted_on_the_charge(books: Books) -> None:
    boosters = Limit(Scope.MEMBER, Window.DAY, 5000, role_id=4242)
    await books.ledger.hold(books.job(), [Limit(Scope.GUILD, Window.MONTH, 9000), boosters])
    rows = await books.db.read(lambda tx: tx.fetch("SELECT limit_role FROM charge"))
    assert [row.maybe_integer("limit_role") for row in rows] == [4242]


async def test_spending_is_told_by_place_and_by_time(books: Books) -> None:
    for guild, actual in ((77, 100), (78, 30), (0, 5)):
        held = await books.sent(books.job(guild=guild))
        await books.ledger.settle(held.charge_ids[0], actual=actual)
        books.clock.now += HOUR
    assert await books.ledger.spend(11) == 135
    assert await books.ledger.spend(11, guild_id=78) == 30
    assert await books.ledger.spend(11, since_ms=NOON + HOUR) == 35
    assert await books.ledger.spend(11, guild_id=77, since_ms=NOON + HOUR) == 0
    assert await books.ledger.spend(12) == 0


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_sums_are_read_through_an_index(books: Books) -> None:
    for table, where in (
        ("charge", "user_id = 1 AND created_at >= 2"),
        ("usage_month", "user_id = 1"),
    ):
        sql = f"EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE {where}"
        plan = await books.db.read(lambda tx, sql=sql: tx.fetch(sql))  # type: ignore[misc]  # bound early
        assert all("SEARCH" in row.text("detail") for row in plan)
