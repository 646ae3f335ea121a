"""The ledger against a plain model of it: any order of events, the same books.

The model knows no SQL and no shared arithmetic: it keeps a list of charges, and works out what
every counter must hold by looking at all of them anew.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from bot.quotas import Defaults, Limit, QuotaExceeded, Scope, Window
from bot.requests import Actor
from bot.storage import ChargeState, Erasure, HeldJob, NewJob, Settlement
from bot.storage._buckets import subject_of
from bot.storage.rows import Row, Tx
from tests.storage.books import (
    DAY,
    GENEROUS,
    HOUR,
    MINUTE,
    SECRET,
    Books,
    audit,
    open_books,
)
from tests.storage.comparisons import AMOUNTS, COMPARED, Wanted, sums_of_models
from tests.storage.machines import CHOICES, Choice, run_machine

HELD, DISPATCHED, SETTLED = ChargeState.HELD, ChargeState.DISPATCHED, ChargeState.SETTLED
RELEASED, UNKNOWN, PRESUMED = ChargeState.RELEASED, ChargeState.UNKNOWN, ChargeState.PRESUMED

TRANSITIONS = {
    (HELD, DISPATCHED),
    (HELD, RELEASED),
    (DISPATCHED, SETTLED),
    (DISPATCHED, RELEASED),
    (DISPATCHED, UNKNOWN),
    (UNKNOWN, SETTLED),
    (UNKNOWN, RELEASED),
    (UNKNOWN, PRESUMED),
    (PRESUMED, SETTLED),
    (RELEASED, SETTLED),
}
AFTER_ERASURE = {(was, to) for was, to in TRANSITIONS if was not in {HELD, DISPATCHED}}
"""What may happen to a charge whose person has been erased: only jobs that have ended are."""
ERASED = -1
"""Whose charges the model says they are then."""
Key = tuple[str, str, str, int]
"""Scope, subject, window, and when it began (epoch ms)."""


@dataclass
class ModelCharge:
    job_id: int
    user: int
    guild: int
    held: int
    keys: tuple[Key, ...]
    model: str = "some/model"
    state: ChargeState = HELD
    actual: int = 0
    overrun: int = 0
    created_at: int = 0
    changed_at: int = 0
    lease: int = 0


def keys_of(actor: Actor, now_ms: int) -> tuple[Key, ...]:
    """Name every money counter of a hold made now, in UTC."""
    day = datetime.fromtimestamp(now_ms / 1000, UTC).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    starts = {
        "day": day,
        "week": day - timedelta(days=day.weekday()),
        "month": day.replace(day=1),
        "total": datetime.fromtimestamp(0, UTC),
    }
    scopes = (
        (Scope.MEMBER, Scope.CHANNEL, Scope.GUILD, Scope.CEILING) if actor.guild_id else (Scope.DM,)
    )
    return tuple(
        (scope.value, subject_of(SECRET, scope, actor), period, int(start.timestamp()) * 1000)
        for scope in (*scopes, Scope.PERSON, Scope.BOT)
        for period, start in starts.items()
    )


class LedgerMachine(RuleBasedStateMachine):
    """Random events, on a real database and on the model."""

    reached: ClassVar[Counter[tuple[ChargeState, ChargeState]]] = Counter()
    reached_late: ClassVar[Counter[tuple[ChargeState, ChargeState]]] = Counter()
    happened: ClassVar[Counter[str]] = Counter()
    refusals: ClassVar[Counter[Scope]] = Counter()
    compared: ClassVar[Counter[int]] = Counter()
    new_url: ClassVar[Callable[[], str]]
    defaults: ClassVar[Defaults] = GENEROUS

    def __init__(self) -> None:
        super().__init__()
        self.charges: dict[int, ModelCharge] = {}
        self.delivered: set[int] = set()
        self.asked: dict[int, int] = {}
        self.once_erased: set[int] = set()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        opening = open_books(type(self).new_url(), defaults=self.defaults)
        self.books: Books = self.runner.run(self.stack.enter_async_context(opening))
        self.clock = self.books.clock

    def teardown(self) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.close()

    # What the model knows

    def keys(self, actor: Actor) -> tuple[Key, ...]:
        """Name every money counter of a hold made now."""
        return keys_of(actor, self.clock.now)

    def used(self, key: Key) -> tuple[int, int, int]:
        """Work out a money counter: held, settled, overrun."""
        mine = [charge for charge in self.charges.values() if key in charge.keys]
        reserved = [c.held for c in mine if c.state in {HELD, DISPATCHED, UNKNOWN}]
        return sum(reserved), sum(c.actual for c in mine), sum(c.overrun for c in mine)

    def open_jobs(self, user: int, guild: int) -> int:
        jobs = {
            charge.job_id
            for charge in self.charges.values()
            if (charge.user, charge.guild) == (user, guild) and charge.state in {HELD, DISPATCHED}
        }
        return len(jobs)

    def change(self, charge: ModelCharge, to: ChargeState, *, actual: int = 0) -> bool:
        """Move a charge in the model; False when there is no such arrow."""
        if (charge.state, to) not in TRANSITIONS:
            return False
        type(self).reached[charge.state, to] += 1
        type(self).reached_late[charge.state, to] += charge.user == ERASED
        if to is SETTLED:
            covered = 0 if charge.state is RELEASED else charge.held
            charge.overrun = max(0, actual - covered)
        charge.actual = charge.held if to is PRESUMED else actual
        charge.state, charge.changed_at = to, self.clock.now
        return True

    def pick(self, choice: Choice, to: ChargeState) -> tuple[int, ModelCharge]:
        """Choose a charge that can become `to`, from each state alike, or any charge at all."""
        fitting, erased, state_number, number = choice
        ids = [i for i, c in self.charges.items() if c.user == ERASED] if erased else []
        ids = ids or list(self.charges)
        states = sorted({s for i in ids if ((s := self.charges[i].state), to) in TRANSITIONS})
        if fitting and states:
            state = states[state_number % len(states)]
            ids = [i for i in ids if self.charges[i].state is state]
        charge_id = ids[-1 - number % len(ids)]
        return charge_id, self.charges[charge_id]

    def some(self) -> bool:
        return bool(self.charges)

    # What happens

    @initialize(
        users=st.lists(st.sampled_from([11, 12]), min_size=1, max_size=4),
        ordinary=st.lists(st.sampled_from([None, 300, 1000, 9000]), max_size=2),
        late=st.booleans(),
    )
    def some_were_sent_before(
        self, users: list[int], *, ordinary: list[int | None], late: bool
    ) -> None:
        for user in users:
            self.hold(user=user, guild=77, pictures=2, ceiling=1000, rules=[], cap=None)
            self.dispatch((True, False, 0, 0))
        for actual in ordinary:
            self.dispatch((True, False, 0, 0))
            if actual is None:
                self.release((True, False, 0, 0))
            else:
                self.settle((True, False, 0, 0), actual=actual)
        if late:  # the truth of one came when it was presumed
            self.lose_the_answer((True, False, 0, 0))
            self.time_passes_and_the_sweeper_comes(ms=16 * MINUTE)
            self.settle((True, False, 0, 0), actual=300)

    @initialize(
        user=st.sampled_from([11, 12]),
        delivered=st.booleans(),
        truths=st.lists(st.sampled_from([SETTLED, RELEASED, PRESUMED]), max_size=3),
        corrected=st.booleans(),
    )
    def somebody_was_erased_before_the_truth_came(
        self, user: int, *, delivered: bool, truths: list[ChargeState], corrected: bool
    ) -> None:
        known = set(self.charges)
        self.hold(user=user, guild=77, pictures=2, ceiling=2500, rules=[], cap=None)
        ledger = self.books.ledger
        lost, free = self.charges.keys() - known
        assert self.runner.run(ledger.dispatch(lost, lease_ms=MINUTE))
        assert self.runner.run(ledger.mark_unknown(lost, reason="lost"))
        assert self.runner.run(ledger.release(free, reason="free"))
        assert self.change(self.charges[lost], DISPATCHED)
        assert self.change(self.charges[lost], UNKNOWN)
        assert self.change(self.charges[free], RELEASED)
        self.erase(user=user, delivered=delivered, anew=True)
        self.erase(user=user, delivered=True, anew=False)
        for number, truth in enumerate(truths):
            if truth is SETTLED:  # first of all what is unknown, which comes last in the alphabet
                self.settle((True, True, -1 - number, 0), actual=300)
            elif truth is RELEASED:
                self.release((True, True, number, 0))
            else:
                self.time_passes_and_the_sweeper_comes(ms=16 * MINUTE)
        if corrected:
            self.settle((True, True, 0, 0), actual=300)

    @rule(
        user=st.sampled_from([11, 12]),
        guild=st.sampled_from([77, 78, 0]),
        pictures=st.integers(1, 3),
        ceiling=st.sampled_from(AMOUNTS),
        rules=st.lists(
            st.tuples(
                st.sampled_from([Scope.MEMBER, Scope.CHANNEL, Scope.GUILD, Scope.BOT]),
                st.sampled_from([Window.DAY, Window.WEEK, Window.MONTH, Window.TOTAL]),
                st.sampled_from([0, 2500, 6000, 20_000]),
            ),
            max_size=2,
        ),
        cap=st.sampled_from([None, None, 1, 3]),
    )
    def hold(
        self,
        *,
        user: int,
        guild: int,
        pictures: int,
        ceiling: int,
        rules: list[tuple[Scope, Window, int]],
        cap: int | None,
    ) -> None:
        job = self.books.job(
            ceiling=ceiling, pictures=pictures, user=user, guild=guild, channel=guild * 10
        )
        personal = Scope.MEMBER if guild else Scope.DM
        limits = [
            Limit(scope if guild or scope is Scope.BOT else Scope.DM, window, amount)
            for scope, window, amount in rules
        ]
        if cap is not None:
            limits.append(Limit(personal, Window.OPEN, cap))
        self.hold_within(job, limits)

    @rule(
        user=st.sampled_from([11, 12]),
        guild=st.sampled_from([77, 0]),
        wanted=COMPARED,
        most=st.sampled_from([None, 2500, 6000]),
    )
    def compare(self, *, user: int, guild: int, wanted: Wanted, most: int | None) -> None:
        job = self.books.job(compared=wanted, user=user, guild=guild, channel=guild * 10)
        limits = [] if most is None else [Limit(Scope.BOT, Window.DAY, most)]
        self.hold_within(job, limits)

    def hold_within(self, job: NewJob, limits: list[Limit]) -> None:
        keys = self.keys(job.actor)
        broken = [limit for limit in limits if not self.fits(limit, keys, job.actor, job.amount)]
        if broken:
            with pytest.raises(QuotaExceeded) as refusal:
                self.runner.run(self.books.ledger.hold(job, limits))
            assert refusal.value.limit in broken
            type(self).refusals[refusal.value.limit.scope] += 1
            return
        held = self.runner.run(self.books.ledger.hold(job, limits))
        self.add(held, job, keys)
        for limit in limits:
            if limit.window is not Window.OPEN and job.amount:
                (key,) = [k for k in keys if (k[0], k[2]) == (limit.scope, limit.window)]
                reserved, settled, overrun = self.used(key)
                assert settled - overrun + reserved <= limit.amount

    def add(self, held: HeldJob, job: NewJob, keys: tuple[Key, ...]) -> None:
        """Add to the model what was held."""
        who = (job.id, job.actor.user_id, job.actor.guild_id)
        for charge_id, charge in zip(held.charge_ids, job.charges, strict=True):
            self.charges[charge_id] = ModelCharge(
                *who, charge.ceiling, keys, charge.model, created_at=self.clock.now
            )
        type(self).compared[len({charge.model for charge in job.charges})] += 1

    def fits(self, limit: Limit, keys: tuple[Key, ...], actor: Actor, amount: int) -> bool:
        if limit.window is Window.OPEN:
            return self.open_jobs(actor.user_id, actor.guild_id) + 1 <= limit.amount
        (key,) = [k for k in keys if (k[0], k[2]) == (limit.scope, limit.window)]
        reserved, settled, _ = self.used(key)
        return amount == 0 or reserved + settled + amount <= limit.amount

    @precondition(some)
    @rule(choice=CHOICES)
    def dispatch(self, choice: Choice) -> None:
        charge_id, charge = self.pick(choice, DISPATCHED)
        done = self.runner.run(self.books.ledger.dispatch(charge_id, lease_ms=MINUTE))
        assert done == self.change(charge, DISPATCHED)
        if done:
            charge.lease = self.clock.now + MINUTE

    @precondition(some)
    @rule(choice=CHOICES, actual=st.sampled_from((*AMOUNTS, 9000)))
    def settle(self, choice: Choice, actual: int) -> None:
        charge_id, charge = self.pick(choice, SETTLED)
        was_open = charge.state is DISPATCHED
        done: Settlement = self.runner.run(self.books.ledger.settle(charge_id, actual=actual))
        assert done.changed == self.change(charge, SETTLED, actual=actual)
        assert done.overrun == (charge.overrun if done.changed else 0)
        siblings = [c for c in self.charges.values() if c.job_id == charge.job_id]
        if done.changed:
            self.note_settlement(charge, actual, {c.state for c in siblings})
        nothing_open = not any(c.state in {HELD, DISPATCHED} for c in siblings)
        assert done.job_closed == (done.changed and was_open and nothing_open)

    def note_settlement(self, charge: ModelCharge, actual: int, states: set[ChargeState]) -> None:
        happened, held = type(self).happened, charge.held
        happened["below" if actual < held else "above" if actual > held else "at"] += 1
        happened["batch that failed in part"] += RELEASED in states
        now = self.keys(Actor(charge.user, charge.guild, charge.guild * 10))
        today = {key for key in now if key[0] == Scope.BOT and key[2] == Window.DAY}
        happened["window rolled over"] += today.isdisjoint(charge.keys)

    @precondition(some)
    @rule(choice=CHOICES)
    def release(self, choice: Choice) -> None:
        charge_id, charge = self.pick(choice, RELEASED)
        done = self.runner.run(self.books.ledger.release(charge_id, reason="free"))
        assert done == self.change(charge, RELEASED)

    @precondition(some)
    @rule(choice=CHOICES)
    def lose_the_answer(self, choice: Choice) -> None:
        charge_id, charge = self.pick(choice, UNKNOWN)
        done = self.runner.run(self.books.ledger.mark_unknown(charge_id, reason="lost"))
        assert done == self.change(charge, UNKNOWN)

    @rule(ms=st.sampled_from([0, MINUTE // 2, MINUTE, 16 * MINUTE, 7 * HOUR, DAY, 20 * DAY]))
    def time_passes_and_the_sweeper_comes(self, ms: int) -> None:
        self.clock.now += ms
        swept = self.runner.run(self.books.ledger.sweep())
        due = {
            charge_id: UNKNOWN if charge.state is DISPATCHED else PRESUMED
            for charge_id, charge in self.charges.items()
            if (charge.state is DISPATCHED and charge.lease <= self.clock.now)
            or (charge.state is UNKNOWN and charge.changed_at <= self.clock.now - 15 * MINUTE)
        }
        for charge_id, to in due.items():
            assert self.change(self.charges[charge_id], to)
        assert set(swept.unknown_charges) == {i for i, to in due.items() if to is UNKNOWN}
        assert set(swept.presumed_charges) == {i for i, to in due.items() if to is PRESUMED}

    @rule(
        user=st.sampled_from([11, 12]),
        delivered=st.sampled_from([True, True, False]),
        anew=st.sampled_from([True, True, False]),
    )
    def erase(self, user: int, *, delivered: bool, anew: bool) -> None:
        """Erase somebody, or go on with everybody whose erasure waits for jobs."""
        if delivered:
            self.deliver_what_has_ended(user)
        erasure = Erasure(self.books.db, clock=self.clock)
        if anew:
            self.asked[user] = self.clock.now
            done = self.runner.run(erasure.erase_person(user))
            erased, waiting = self.forget(user)
            assert (done.rows.get("job", 0), done.waiting) == (erased, waiting)
            type(self).happened["erased"] += erased
            type(self).happened["waiting"] += waiting
        else:
            unfinished = self.runner.run(erasure.resume())
            outcomes = [self.forget(user) for user in list(self.asked)]
            assert unfinished == sum(bool(waiting) for _, waiting in outcomes)
            type(self).happened["resumed"] += sum(erased for erased, _ in outcomes)

    def deliver_what_has_ended(self, user: int) -> None:
        mine = {c.job_id for c in self.charges.values() if c.user == user}
        for job_id in sorted(mine - self.still_open() - self.delivered):
            assert self.runner.run(self.books.jobs.mark_delivered({job_id: (770, 1)}))
            self.delivered.add(job_id)

    def still_open(self) -> set[int]:
        return {c.job_id for c in self.charges.values() if c.state in {HELD, DISPATCHED}}

    def forget(self, user: int) -> tuple[int, int]:
        """Erase in the model; returns how many jobs were erased, and how many wait."""
        charges = [
            charge
            for charge in self.charges.values()
            if charge.user == user and charge.created_at <= self.asked[user]
        ]
        ended = self.delivered - self.still_open()
        waiting = {charge.job_id for charge in charges} - ended
        for charge in charges:
            charge.user = ERASED if charge.job_id in ended else user
        if not waiting:
            del self.asked[user]
        erased = {charge.job_id for charge in charges} & ended
        self.once_erased |= {user} if erased else set()
        return len(erased), len(waiting)

    # What must hold

    @invariant()
    def the_counters_are_the_models(self) -> None:
        async def read(tx: Tx) -> list[Row]:
            return await tx.fetch("SELECT * FROM bucket")

        found: dict[Key, tuple[int, int, int]] = {}
        for row in self.runner.run(self.books.db.read(read)):
            key = (
                row.text("scope"),
                row.text("subject"),
                row.text("period"),
                row.integer("start_at"),
            )
            found[key] = (row.integer("held"), row.integer("settled"), row.integer("overrun"))
        slots = {key: value[0] for key, value in found.items() if key[2] == "open"}
        money = {key: value for key, value in found.items() if key[2] != "open"}
        expected = {key for charge in self.charges.values() for key in charge.keys}
        assert money == {key: self.used(key) for key in expected}
        assert sum(slots.values()) == sum(
            self.open_jobs(user, guild) for user in (11, 12) for guild in (77, 78, 0)
        )

    @invariant()
    def the_books_are_in_order(self) -> None:
        assert self.runner.run(audit(self.books.db)) == []

    @invariant()
    def every_model_has_its_own_sums(self) -> None:
        told = self.runner.run(sums_of_models(self.books.db))
        counted = [c for c in self.charges.values() if c.state in {SETTLED, PRESUMED}]
        for model in {charge.model for charge in counted}:
            mine = [charge.actual for charge in counted if charge.model == model]
            assert told[model] == (sum(mine), len(mine))

    @invariant()
    def people_are_told_what_the_model_knows(self) -> None:
        spent: defaultdict[int, int] = defaultdict(int)
        pending: defaultdict[int, int] = defaultdict(int)
        for charge in self.charges.values():
            spent[charge.user] += charge.actual
            pending[charge.user] += charge.held if charge.state is UNKNOWN else 0
        for user in (11, 12):
            ledger = self.books.ledger
            assert self.runner.run(ledger.spend(user)) == spent[user]
            assert self.runner.run(ledger.spend(user, since_ms=0)) == spent[user]
            assert self.runner.run(ledger.pending(user)) == pending[user]

        async def read(tx: Tx) -> list[Row]:
            return await tx.fetch("SELECT spent FROM usage_month WHERE user_id < 0")

        tombs = self.runner.run(self.books.db.read(read))
        assert sum(row.integer("spent") for row in tombs) == spent[ERASED]


@pytest.mark.timeout(400)
def test_any_order_of_events_leaves_the_books_of_the_model(
    engine: str, new_url: Callable[[], str]
) -> None:
    LedgerMachine.new_url = new_url
    LedgerMachine.reached.clear()
    LedgerMachine.reached_late.clear()
    LedgerMachine.happened.clear()
    LedgerMachine.refusals.clear()
    LedgerMachine.compared.clear()
    run_machine(LedgerMachine, engine, examples=60, steps=40)
    assert set(LedgerMachine.reached) == TRANSITIONS
    assert set(+LedgerMachine.reached_late) == AFTER_ERASURE
    assert set(+LedgerMachine.happened) == {
        *("below", "at", "above", "batch that failed in part", "window rolled over"),
        *("erased", "waiting", "resumed"),
    }
    assert {Scope.MEMBER, Scope.DM, Scope.BOT} <= set(LedgerMachine.refusals)
    assert max(LedgerMachine.compared) > 1
