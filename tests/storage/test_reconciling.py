"""The ledger beside ImageRouter, for any history: drift is what one took and the other lacks.

ImageRouter is the local one over a real socket; it takes whole units, as the real one does.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.imagerouter import ImageRouter
from bot.reconciling import Finding, Reconciler, Verdict
from bot.storage import (
    ChargeState,
    Erasure,
    HandSettling,
    Output,
    Reconciliations,
    Retention,
)
from bot.storage.rows import Tx
from sandbox.imagerouter import ImageRouterServer
from tests.storage.books import DAY, MINUTE, Books, open_books
from tests.storage.machines import examples_on

HELD: Final = 1000
UNIT: Final = 100
COSTS: Final = st.sampled_from([0, 1, 99, 100, 250, 940, 1000])
Act = tuple[str, int, int]
ACTS: Final = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("send", "send", "send", "charge", "answer", "answer", "answer", "release"),
                *("lose", "lose", "truth", "hand", "wait", "other use", "pay in", "check"),
            ]
        ),
        st.integers(0, 5),
        COSTS,
    ),
    min_size=16,
    max_size=40,
)


@dataclass
class Sent:
    """A charge as ImageRouter and its sender each know it."""

    charge_id: int
    cost: int | None = None
    """What ImageRouter says that it cost; None while it has taken nothing."""
    state: ChargeState = ChargeState.DISPATCHED
    counted: int = 0


@dataclass
class Town:
    """The books, an ImageRouter, and what really happened."""

    books: Books
    server: ImageRouterServer
    router: ImageRouter
    store: Reconciliations
    hands: HandSettling
    sent: list[Sent] = field(default_factory=list)
    others: int = 0
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    base: tuple[int, int, int] | None = None
    """At the first check: billed, counted, and what others had used."""

    @property
    def billed(self) -> int:
        """What ImageRouter has taken for charges of ours."""
        return sum(-(-(each.cost or 0) // UNIT) * UNIT for each in self.sent)

    @property
    def counted(self) -> int:
        return sum(each.counted for each in self.sent)

    def pick(self, number: int, *states: ChargeState) -> Sent | None:
        fitting = [each for each in self.sent if each.state in states]
        return fitting[number % len(fitting)] if fitting else None

    async def check(self, *, anew: bool = False) -> Finding:
        reconciler = Reconciler(router=self.router, store=self.store, clock=self.books.clock)
        found = await reconciler.compare(anew=anew)
        await self.store.add(found.now)
        self.books.clock.now += 1
        return found

    async def entries(self) -> int:
        """Add up the whole audit trail."""

        async def run(tx: Tx) -> int:
            (row,) = await tx.fetch(
                "SELECT CAST(COALESCE(SUM(delta), 0) AS BIGINT) AS total FROM entry"
            )
            return row.integer("total")

        return await self.books.db.read(run)

    async def send(self) -> Sent:
        guild = 0 if len(self.sent) % 3 == 2 else 77 + len(self.sent) % 2
        job = self.books.job(ceiling=HELD, guild=guild, user=11 + len(self.sent) % 2)
        self.sent.append(Sent((await self.books.sent(job)).charge_ids[0]))
        return self.sent[-1]

    def charge(self, sent: Sent, cost: int) -> None:
        self.server.account.charge("some/model", cost, request_index=0)
        sent.cost = cost

    async def settle(self, sent: Sent) -> None:
        sent.state, sent.counted = ChargeState.SETTLED, sent.cost or 0
        outputs = [Output(url="https://a.example/b")]
        done = await self.books.ledger.settle(
            sent.charge_id, actual=sent.cost or 0, outputs=outputs
        )
        assert done.changed

    async def lose(self, sent: Sent) -> None:
        sent.state = ChargeState.UNKNOWN
        assert await self.books.ledger.mark_unknown(sent.charge_id, reason="lost")

    async def wait(self) -> None:
        """Let what is unknown count as spent; what is on its way may go on."""
        for each in self.sent:
            if each.state is ChargeState.DISPATCHED:
                await self.lose(each)
        self.books.clock.now += 16 * MINUTE
        await self.books.ledger.sweep()
        for each in self.sent:
            if each.state is ChargeState.UNKNOWN:
                each.state, each.counted = ChargeState.PRESUMED, HELD


@asynccontextmanager
async def open_town(url: str) -> AsyncIterator[Town]:
    async with (
        open_books(url) as books,
        ImageRouterServer(books.clock, requests_per_second=None) as server,
        ImageRouter(
            api_key=server.api_key, base_url=server.base_url, requests_per_second=None
        ) as router,
    ):
        store = Reconciliations(books.db, clock=books.clock)
        yield Town(books, server, router, store, HandSettling(books.db, clock=books.clock))


@pytest.fixture
async def town(database_url: str) -> AsyncIterator[Town]:
    async with open_town(database_url) as opened:
        yield opened


async def act(town: Town, what: str, number: int, cost: int) -> None:
    """Let something happen, if it can."""
    if what in {"charge", "answer", "release", "lose"}:
        running = town.pick(number, ChargeState.DISPATCHED)
        if running is not None:
            await act_on_running(town, running, what, cost)
    elif what in {"truth", "hand"}:
        doubtful = town.pick(number, ChargeState.UNKNOWN, ChargeState.PRESUMED)
        if doubtful is not None:
            await find_out(town, doubtful, by_hand=what == "hand")
    else:
        await act_on_all(town, what, cost)


async def act_on_running(town: Town, running: Sent, what: str, cost: int) -> None:
    match what:
        case "charge" if running.cost is None:
            town.charge(running, cost)
        case "answer":
            if running.cost is None:
                town.charge(running, cost)
            await town.settle(running)
        case "release" if running.cost is None:
            running.state = ChargeState.RELEASED
            assert await town.books.ledger.release(running.charge_id, reason="refused")
        case "lose":
            await town.lose(running)


async def find_out(town: Town, doubtful: Sent, *, by_hand: bool) -> None:
    """Let the truth come at last, from ImageRouter or by an operator."""
    if not by_hand:
        await town.settle(doubtful)
        return
    actual = doubtful.counted = doubtful.cost or 0
    doubtful.state = ChargeState.SETTLED
    await town.hands.settle(doubtful.charge_id, actual=actual, by=2, reason="looked up")


async def act_on_all(town: Town, what: str, cost: int) -> None:
    match what:
        case "send":
            await town.send()
        case "wait":
            await town.wait()
        case "other use":
            town.server.account.charge("some/model", 10 * HELD, request_index=0)
            town.others += 10 * HELD
        case "pay in":
            town.server.account.deposit(cost)
        case "check":
            await compare(town)


async def compare(town: Town) -> Finding:
    """Check, and hold what is found against what really happened."""
    found = await town.check()
    assert found.now.ledger.recorded == town.counted == await town.entries()
    if town.base is None:
        assert found.beginning is not None
        town.base = (town.billed, town.counted, town.others)
        return found
    billed, counted, others = town.base
    foreign = town.others - others
    assert found.beginning is None
    town.verdicts[found.verdict] += 1
    assert found.charged == town.billed - billed + foreign
    assert found.recorded == town.counted - counted
    assert found.drift == found.charged - found.recorded
    open_now = [each for each in town.sent if each.state is ChargeState.DISPATCHED]
    assert found.now.ledger.open_charges == len(open_now)
    assert found.now.ledger.open_amount == len(open_now) * HELD
    if not foreign:
        assert found.verdict is not Verdict.UNEXPLAINED
        assert found.unexplained == 0
    return found


@pytest.mark.timeout(400)
def test_for_any_history_the_drift_is_what_was_charged_and_not_counted(
    engine: str, new_url: Callable[[], str]
) -> None:
    verdicts: Counter[Verdict] = Counter()

    async def play(acts: list[Act]) -> None:
        async with open_town(new_url()) as town:
            for number, each in enumerate([*acts[:6], ("check", 0, 0), *acts[6:]]):
                town.books.clock.now += MINUTE * 2 if number % 2 else 1
                await act(town, *each)
            await compare(town)
            verdicts.update(town.verdicts)

    @settings(
        max_examples=examples_on(engine, 40),
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(acts=ACTS)
    def histories(acts: list[Act]) -> None:
        asyncio.run(play(acts))

    histories()
    assert set(verdicts) == set(Verdict)


async def test_a_first_check_compares_nothing_and_notes_both_sides(town: Town) -> None:
    sent = await town.send()
    town.charge(sent, 400)
    found = await town.check()
    assert (found.now.is_baseline, found.now.used, found.drift) == (True, 400, 0)
    kept = await town.store.latest(baseline=True)
    assert kept == found.now
    assert (kept.ledger.recorded, kept.ledger.open_charges, kept.ledger.open_amount) == (0, 1, 1000)


async def test_what_was_on_its_way_at_the_first_check_explains_what_is_counted_later(
    town: Town,
) -> None:
    sent = await town.send()
    town.charge(sent, 400)
    await town.check()
    await town.settle(sent)
    found = await town.check()
    assert (found.charged, found.recorded, found.verdict) == (0, 400, Verdict.EXPLAINABLE)


async def test_a_lost_answer_is_named_and_settling_it_by_hand_mends_the_books(town: Town) -> None:
    await town.check()
    sent = await town.send()
    town.charge(sent, 400)
    await town.lose(sent)
    found = await town.check()
    assert (found.drift, found.verdict) == (400, Verdict.EXPLAINABLE)
    assert [each.charge_id for each in found.doubts.listed] == [sent.charge_id]
    await town.wait()
    found = await town.check()
    assert (found.drift, found.came, found.verdict) == (-600, -1000, Verdict.EXPLAINABLE)
    await town.hands.settle(sent.charge_id, actual=400, by=2, reason="looked up")
    found = await town.check()
    assert (found.drift, found.came, found.verdict) == (0, 600, Verdict.AGREES)


async def test_paying_in_is_no_spending(town: Town) -> None:
    await town.check()
    town.server.account.deposit(10**9)
    found = await town.check()
    assert (found.charged, found.verdict) == (0, Verdict.AGREES)


async def test_another_use_of_the_key_is_explained_by_nothing(town: Town) -> None:
    await town.check()
    sent = await town.send()
    town.charge(sent, 450)
    await town.settle(sent)
    assert (await town.check()).verdict is Verdict.ROUNDED  # 500 were taken
    town.server.account.charge("some/model", 7000, request_index=0)
    found = await town.check()
    assert (found.drift, found.unexplained) == (7050, 6950)
    assert found.verdict is Verdict.UNEXPLAINED


async def test_a_drift_is_left_behind_when_an_operator_begins_anew(town: Town) -> None:
    await town.check()
    town.server.account.charge("some/model", 7000, request_index=0)
    begun = await town.check(anew=True)
    assert (begun.now.is_baseline, begun.drift) == (True, 7000)
    assert (await town.check()).verdict is Verdict.AGREES


async def test_late_truth_counts_when_it_came_and_not_when_its_charge_was_made(town: Town) -> None:
    sent = await town.send()
    await town.lose(sent)
    await town.wait()
    town.charge(sent, 300)
    town.books.clock.now += DAY
    await town.check()
    await town.settle(sent)
    found = await town.check()
    assert (found.charged, found.recorded, found.verdict) == (0, -700, Verdict.EXPLAINABLE)
    assert (found.doubts.late_charges, found.doubts.late_lowered) == (1, 700)


async def test_an_overrun_is_listed_and_counted_in_full(town: Town) -> None:
    await town.check()
    sent = await town.send()
    town.charge(sent, 4000)
    await town.settle(sent)
    found = await town.check()
    assert (found.drift, found.doubts.overrun) == (0, 3000)
    assert [each.overrun for each in found.doubts.listed] == [3000]


async def test_erasing_people_and_guilds_and_forgetting_words_moves_neither_side(
    town: Town,
) -> None:
    books = town.books
    await town.check()
    sent = [await town.send() for _ in range(6)]
    for each in sent[:3]:
        town.charge(each, 200)
        await town.settle(each)
    town.charge(sent[3], 900)
    await town.lose(sent[3])
    for row in await books.db.read(lambda tx: tx.fetch("SELECT id FROM job")):
        await books.jobs.mark_delivered({row.integer("id"): (1, 1)})
    before = await town.check()

    erasure = Erasure(books.db, clock=books.clock)
    await erasure.erase_person(11)
    await erasure.erase_guild(77)
    books.clock.now += DAY
    await Retention(books.db, clock=books.clock).sweep(78, days=0)
    after = await town.check()
    assert after.now.ledger == before.now.ledger
    assert (after.charged, after.recorded, after.drift) == (1500, 600, 900)
    assert after.doubts == before.doubts

    by_hand = HandSettling(books.db, clock=books.clock)
    await by_hand.settle(sent[3].charge_id, actual=900, by=2, reason="the list says so")
    assert (await town.check()).verdict is Verdict.AGREES
