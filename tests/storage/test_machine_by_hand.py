"""The ledger against its plain model, with an operator who settles charges by hand in between."""

from collections import Counter
from collections.abc import Callable
from typing import ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from bot.quotas import Scope
from bot.storage import AboveHold, ChargeState, HandSettling, NotSettleable
from tests.storage.books import MINUTE
from tests.storage.comparisons import AMOUNTS
from tests.storage.machines import CHOICES, Choice, run_machine
from tests.storage.test_machine import (
    DISPATCHED,
    PRESUMED,
    RELEASED,
    SETTLED,
    UNKNOWN,
    LedgerMachine,
    ModelCharge,
)


class HandMachine(LedgerMachine):
    """Random events, and charges that are settled by hand: what can be, once, and nothing else."""

    reached: ClassVar[Counter[tuple[ChargeState, ChargeState]]] = Counter()
    reached_late: ClassVar[Counter[tuple[ChargeState, ChargeState]]] = Counter()
    happened: ClassVar[Counter[str]] = Counter()
    refusals: ClassVar[Counter[Scope]] = Counter()
    compared: ClassVar[Counter[int]] = Counter()
    by_hand: ClassVar[Counter[ChargeState | type[Exception]]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[ModelCharge] = []

    def change(self, charge: ModelCharge, to: ChargeState, *, actual: int = 0) -> bool:
        changed = super().change(charge, to, actual=actual)
        if changed and to is DISPATCHED:
            self.sent.append(charge)
        return changed

    @precondition(LedgerMachine.some)
    @rule(choice=CHOICES, actual=st.sampled_from((*AMOUNTS, 9000)), above_hold=st.booleans())
    def settle_by_hand(self, choice: Choice, actual: int, *, above_hold: bool) -> None:
        self.by_operator(*self.pick(choice, SETTLED), actual=actual, above_hold=above_hold)

    @initialize(
        state=st.sampled_from([RELEASED, UNKNOWN, PRESUMED]), actual=st.sampled_from([0, 1, 300])
    )
    def one_is_settled_by_hand(self, state: ChargeState, actual: int) -> None:
        known = set(self.charges)
        self.hold(user=11, guild=77, pictures=1, ceiling=1000, rules=[], cap=None)
        [mine] = self.charges.keys() - known
        ledger = self.books.ledger
        assert self.runner.run(ledger.dispatch(mine, lease_ms=MINUTE))
        assert self.change(self.charges[mine], DISPATCHED)
        if state is RELEASED:
            assert self.runner.run(ledger.release(mine, reason="free"))
            assert self.change(self.charges[mine], RELEASED)
        else:
            assert self.runner.run(ledger.mark_unknown(mine, reason="lost"))
            assert self.change(self.charges[mine], UNKNOWN)
        if state is PRESUMED:
            self.time_passes_and_the_sweeper_comes(ms=16 * MINUTE)
        for cost in (9000, actual):  # the first is above what was held, which has to be meant
            self.by_operator(mine, self.charges[mine], actual=cost, above_hold=False)

    def by_operator(
        self, charge_id: int, charge: ModelCharge, *, actual: int, above_hold: bool
    ) -> None:
        was_sent = any(each is charge for each in self.sent)
        hands = HandSettling(self.books.db, clock=self.clock)
        settling = hands.settle(
            charge_id, actual=actual, by=2, reason="looked up", above_hold=above_hold
        )
        refusal: type[Exception] | None = None
        if charge.state not in {UNKNOWN, PRESUMED, RELEASED} or not was_sent:
            refusal = NotSettleable
        elif actual > charge.held and not above_hold:
            refusal = AboveHold
        if refusal is not None:
            with pytest.raises(refusal):
                self.runner.run(settling)
            type(self).by_hand[refusal] += 1
            return
        type(self).by_hand[charge.state] += 1
        done = self.runner.run(settling)
        assert done.before.state is charge.state
        assert self.change(charge, SETTLED, actual=actual)
        assert done.settlement.overrun == charge.overrun


EVERY_KIND = {UNKNOWN, PRESUMED, RELEASED, NotSettleable, AboveHold}
"""What a charge may be that an operator settles, and why it may not be settled."""


@pytest.mark.timeout(400)
def test_settling_by_hand_leaves_the_books_of_the_model(
    engine: str, new_url: Callable[[], str]
) -> None:
    HandMachine.new_url = new_url
    HandMachine.by_hand.clear()
    run_machine(HandMachine, engine, examples=25, steps=30)
    assert set(HandMachine.by_hand) == EVERY_KIND
