"""Settling a charge by hand, on both engines: once, by the ledger's own arrow, with a trail."""

import asyncio

import pytest

from bot.requests import NO_GUILD
from bot.storage import (
    AboveHold,
    ChargeState,
    Erasure,
    HandSettling,
    Kind,
    NotSettleable,
    Output,
    RuleChange,
    SettledByHand,
    Trail,
)
from tests.storage.books import DAY, MINUTE, Books

OSKAR, GUILD = 2, 77
WHY = "ImageRouter's list says so"


@pytest.fixture
def by_hand(books: Books) -> HandSettling:
    return HandSettling(books.db, clock=books.clock)


async def lost(books: Books, *, guild: int = GUILD, user: int = 11) -> int:
    """Send a charge of 1,000 whose answer never comes."""
    [charge_id] = (await books.sent(books.job(guild=guild, user=user))).charge_ids
    assert await books.ledger.mark_unknown(charge_id, reason="lost")
    return charge_id


async def presumed(books: Books) -> int:
    charge_id = await lost(books)
    books.clock.now += 16 * MINUTE
    assert (await books.ledger.sweep()).presumed_charges == (charge_id,)
    return charge_id


async def released(books: Books) -> int:
    [charge_id] = (await books.sent(books.job())).charge_ids
    assert await books.ledger.release(charge_id, reason="refused")
    return charge_id


async def settle(by_hand: HandSettling, charge_id: int, actual: int = 400) -> SettledByHand:
    return await by_hand.settle(charge_id, actual=actual, by=OSKAR, reason=WHY)


async def trail(books: Books, guild: int = GUILD) -> list[RuleChange]:
    page = await books.policies.trail(Trail(guild, kind=Kind.CHARGE))
    return list(page.changes)


async def test_an_unknown_outcome_becomes_what_it_cost_and_its_hold_is_freed(
    books: Books, by_hand: HandSettling
) -> None:
    charge_id = await lost(books)
    assert await books.counters("guild") == (1000, 0, 0)
    done = await settle(by_hand, charge_id)
    assert (done.before.state, done.settlement.overrun) == (ChargeState.UNKNOWN, 0)
    assert await books.counters("guild") == (0, 400, 0)
    assert await books.ledger.spend(11) == 400


async def test_what_was_presumed_too_high_is_corrected_downwards(
    books: Books, by_hand: HandSettling
) -> None:
    charge_id = await presumed(books)
    assert await books.ledger.spend(11) == 1000
    await settle(by_hand, charge_id)
    assert await books.ledger.spend(11) == 400
    assert await books.counters("bot") == (0, 400, 0)
    found = await by_hand.find(charge_id)
    assert found is not None
    entries = [(entry.kind, entry.delta) for entry in found.entries]
    assert entries[-2:] == [("presumed", 1000), ("settled", -600)]


async def test_the_excess_over_a_presumed_hold_is_an_overrun(
    books: Books, by_hand: HandSettling
) -> None:
    charge_id = await presumed(books)
    done = await by_hand.settle(charge_id, actual=1700, by=OSKAR, reason=WHY, above_hold=True)
    assert done.settlement.overrun == 700
    assert await books.counters("guild") == (0, 1700, 700)


async def test_all_of_what_a_released_charge_did_cost_is_an_overrun(
    books: Books, by_hand: HandSettling
) -> None:
    charge_id = await released(books)
    done = await settle(by_hand, charge_id)
    assert done.settlement.overrun == 400
    assert await books.counters("guild") == (0, 400, 400)


async def test_a_cost_above_the_hold_is_a_slip_unless_somebody_says_so(
    books: Books, by_hand: HandSettling
) -> None:
    charge_id = await lost(books)
    with pytest.raises(AboveHold) as refusal:
        await settle(by_hand, charge_id, 1001)
    assert (refusal.value.cost, refusal.value.held) == (1001, 1000)
    assert await books.counters("guild") == (1000, 0, 0)
    assert await trail(books) == []


@pytest.mark.parametrize("actual", [-1, 10**16])
async def test_what_is_no_amount_is_refused(
    books: Books, by_hand: HandSettling, actual: int
) -> None:
    charge_id = await lost(books)
    with pytest.raises(ValueError, match="not an amount"):
        await by_hand.settle(charge_id, actual=actual, by=OSKAR, reason=WHY, above_hold=True)


async def test_of_many_who_settle_one_charge_one_does_and_it_is_told_once(
    books: Books, by_hand: HandSettling
) -> None:
    charge_id = await lost(books)
    tries = [settle(by_hand, charge_id, amount) for amount in (100, 200, 300, 400)]
    truth = asyncio.create_task(books.ledger.settle(charge_id, actual=500))
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    by_hands = [each for each in outcomes if isinstance(each, SettledByHand)]
    refused = [each for each in outcomes if isinstance(each, NotSettleable)]
    assert len(by_hands) + (await truth).changed == 1
    assert len(by_hands) + len(refused) == 4
    assert {refusal.state for refusal in refused} == {ChargeState.SETTLED}
    assert len(await trail(books)) == len(by_hands)
    held, spent, _ = await books.counters("guild")
    assert held == 0
    assert spent in {100, 200, 300, 400, 500}


async def test_a_truth_that_comes_after_it_changes_nothing(
    books: Books, by_hand: HandSettling
) -> None:
    charge_id = await lost(books)
    await settle(by_hand, charge_id)
    assert not (await books.ledger.settle(charge_id, actual=900)).changed
    assert await books.ledger.spend(11) == 400


async def test_what_is_open_or_was_never_sent_or_is_not_there_is_refused(
    books: Books, by_hand: HandSettling
) -> None:
    [waiting] = (await books.ledger.hold(books.job())).charge_ids
    [running] = (await books.sent(books.job())).charge_ids
    [unsent] = (await books.ledger.hold(books.job())).charge_ids
    await books.ledger.release(unsent, reason="cancelled")
    states = (ChargeState.HELD, ChargeState.DISPATCHED, ChargeState.RELEASED, None)
    for charge_id, state in zip((waiting, running, unsent, 12345), states, strict=True):
        with pytest.raises(NotSettleable) as refusal:
            await settle(by_hand, charge_id)
        assert refusal.value.state is state
    assert await trail(books) == []


async def test_the_trail_says_who_when_from_what_to_what_and_why(
    books: Books, by_hand: HandSettling
) -> None:
    counted, free, unknown = await presumed(books), await released(books), await lost(books)
    for charge_id in (unknown, counted, free):
        await settle(by_hand, charge_id)
        books.clock.now += 1
    lines = [
        (line.subject_id, line.changed_by, line.by_operator, line.before, line.after, line.reason)
        for line in reversed(await trail(books))
    ]
    assert lines == [
        (unknown, OSKAR, True, "unknown 1000", "400", WHY),
        (counted, OSKAR, True, "presumed 1000", "400", WHY),
        (free, OSKAR, True, "released 0", "400", WHY),
    ]


async def test_outside_guilds_the_trail_is_the_operators(
    books: Books, by_hand: HandSettling
) -> None:
    charge_id = await lost(books, guild=NO_GUILD)
    await settle(by_hand, charge_id)
    [line] = await trail(books, NO_GUILD)
    assert (line.subject_id, line.before, line.after) == (charge_id, "unknown 1000", "400")


async def test_the_operators_id_is_erased_and_the_charge_of_an_erased_person_is_settled(
    books: Books, by_hand: HandSettling
) -> None:
    charge_id = await lost(books)
    job = await by_hand.find(charge_id)
    assert job is not None
    await books.jobs.mark_delivered({job.job_id: (770, 1)})
    erasure = Erasure(books.db, clock=books.clock)
    await erasure.erase_person(11)
    await settle(by_hand, charge_id)
    await erasure.erase_person(OSKAR)
    [line] = await trail(books)
    assert line.changed_by < 0
    found = await by_hand.find(charge_id)
    assert found is not None
    assert (found.user_id, found.actual) == (0, 400)


async def test_what_can_be_settled_is_offered_unknown_outcomes_first(
    books: Books, by_hand: HandSettling
) -> None:
    old = await released(books)
    books.clock.now += 8 * DAY
    counted = await presumed(books)
    free, unknown = await released(books), await lost(books)
    done = await books.sent(books.job())
    await books.ledger.settle(done.charge_ids[0], actual=1, outputs=[Output(url="https://a.b/c")])
    await books.ledger.hold(books.job())
    assert [each.id for each in await by_hand.candidates()] == [unknown, counted, free]
    assert [each.id for each in await by_hand.candidates(str(counted))] == [counted]
    assert await by_hand.candidates(str(old)) == []
    assert [each.id for each in await by_hand.candidates("%_nonsense")] == [unknown, counted, free]


async def test_no_more_are_offered_than_discord_shows(books: Books, by_hand: HandSettling) -> None:
    for _ in range(3):
        sent = await books.sent(books.job(pictures=10))
        for charge_id in sent.charge_ids:
            await books.ledger.mark_unknown(charge_id, reason="lost")
    assert len(await by_hand.candidates()) == 25
