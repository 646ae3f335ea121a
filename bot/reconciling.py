"""Comparing the ledger with what ImageRouter says that was spent.

The pure half says what two checks differ by and what could explain it; `Reconciler` asks both
sides; `Books` keeps checks, and mends by hand what an operator found. What is said of it stands in
`bot.reconciling_words`.

ImageRouter tells the usage of each key of the account, and not which key asked
(https://docs.imagerouter.io/api-reference/credits). So the key is the only active one, or the one
that an operator names once. An answer without a list of keys is taken for the whole account's.
"""

import asyncio
import logging
from collections.abc import Sequence
from enum import Enum, auto
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from bot.budget_alerts import BudgetAlerts
from bot.clock import Clock
from bot.errors import BotError
from bot.imagerouter import BadKey, Credits, ImageRouter, ImageRouterError, KeyUsage
from bot.money import Micros
from bot.storage import (
    WHOLE_ACCOUNT,
    Check,
    Doubts,
    HandSettling,
    ReadReconciliations,
    Reconciliations,
    SettledByHand,
)

_log = logging.getLogger(__name__)

UNIT: Final[Micros] = 100
"""ImageRouter rounds what it takes up to 1/10000 USD, and may name the cost before that."""
ANSWER_SECONDS: Final = 15
_SKEW_MS: Final = 60_000
"""Charges that closed so shortly before a check may have been written after it."""


class Obstacle(Enum):
    """Why nothing could be compared, and nothing was noted."""

    UNREACHABLE = auto()
    BAD_KEY = auto()
    NO_USAGE = auto()
    """The answer has no amount that was used."""
    WHICH_KEY = auto()
    """The account has several active keys."""
    NO_SUCH_KEY = auto()


class CannotReconcile(BotError):
    """Nothing could be compared; `keys` are those of the account, where they matter."""

    def __init__(self, obstacle: Obstacle, keys: Sequence[KeyUsage] = ()) -> None:
        super().__init__(obstacle.name)
        self.obstacle = obstacle
        self.keys = tuple(keys)


class Beginning(Enum):
    """Why a check is a baseline: what later ones are compared with."""

    FIRST = auto()
    OTHER_KEY = auto()
    WENT_DOWN = auto()
    """ImageRouter says that less has been used than before: it has counted anew."""
    WANTED = auto()


class Verdict(Enum):
    """What a drift means."""

    AGREES = auto()
    ROUNDED = auto()
    """Rounding to ImageRouter's unit alone may explain it."""
    EXPLAINABLE = auto()
    UNEXPLAINED = auto()


class Finding(Struct, frozen=True):
    """What a check found. Amounts in micro-USD."""

    now: Check
    key_name: str
    """As its owner called it; empty for the whole account."""
    beginning: Beginning | None
    """None when `now` was compared with `base`."""
    base: Check | None = None
    """The baseline before `now`, if there is one."""
    last: Check | None = None
    """The latest check before `now`; the baseline itself where there is no later one."""
    doubts: Doubts = field(default_factory=Doubts)
    """Since `base`."""

    @property
    def charged(self) -> Micros:
        """What ImageRouter took since the baseline."""
        return self.now.used - self.base.used if self.base else 0

    @property
    def recorded(self) -> Micros:
        """What the ledger counted since the baseline."""
        return self.now.ledger.recorded - self.base.ledger.recorded if self.base else 0

    @property
    def drift(self) -> Micros:
        """What ImageRouter took and the ledger did not count; negative the other way round."""
        return self.charged - self.recorded

    @property
    def came(self) -> Micros:
        """How much of the drift has come since the latest check."""
        return self.drift - _drift(self.base, self.last) if self.base and self.last else 0

    @property
    def rounding(self) -> Micros:
        """The most that rounding may add to what the ledger knows of."""
        return UNIT * self.doubts.paid_charges

    @property
    def least(self) -> Micros:
        """The lowest drift that charges could explain: the ledger counts what was not taken.

        Or what was taken before the baseline, while the charge was still open or unknown.
        """
        counted = self.doubts.presumed + self.doubts.late + self.doubts.late_overrun
        before = self.base.ledger.unsettled if self.base else 0
        return -(counted + before + self._moved)

    @property
    def most(self) -> Micros:
        """The highest drift that charges could explain: taken, and not counted by the ledger."""
        uncounted = self.now.ledger.unsettled + self.doubts.late_lowered
        return uncounted + self.rounding + self._moved

    @property
    def _moved(self) -> Micros:
        return self.now.moved + (self.base.moved if self.base else 0)

    @property
    def verdict(self) -> Verdict:
        """What the drift means."""
        if self.drift == 0:
            return Verdict.AGREES
        if 0 < self.drift <= self.rounding:
            return Verdict.ROUNDED
        return Verdict.EXPLAINABLE if self.least <= self.drift <= self.most else Verdict.UNEXPLAINED

    @property
    def unexplained(self) -> Micros:
        """How much of the drift no charge could explain."""
        return max(0, self.drift - self.most, self.least - self.drift)


def _drift(base: Check, later: Check) -> Micros:
    return later.used - base.used - (later.ledger.recorded - base.ledger.recorded)


def key_of(told: Credits, *, named: str | None, known: str | None) -> KeyUsage:
    """Find the bot's key in ImageRouter's answer.

    Args:
        told: the answer.
        named: the name or id that an operator has typed.
        known: the id of the latest check.

    Raises:
        CannotReconcile: it can't be told.
    """
    if named:
        wanted = named.strip().casefold()
        found = [key for key in told.keys if wanted in {key.id.casefold(), key.name.casefold()}]
        if len(found) != 1:
            raise CannotReconcile(Obstacle.NO_SUCH_KEY, told.keys)
        return found[0]
    if not told.keys:
        return KeyUsage(WHOLE_ACCOUNT, "", told.used, is_active=True)
    active = [key for key in told.keys if key.is_active]
    mine = [key for key in active if key.id == known] or active
    if len(mine) != 1:
        raise CannotReconcile(Obstacle.WHICH_KEY, active or told.keys)
    return mine[0]


class Reconciler:
    """Compares. Every method may raise `CannotReconcile` or `LedgerUnavailable`."""

    def __init__(
        self,
        *,
        router: ImageRouter,
        store: ReadReconciliations,
        clock: Clock,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._router = router
        self._store = store
        self._clock = clock
        self._answer_seconds = answer_seconds

    async def keys(self) -> tuple[KeyUsage, ...]:
        """Return the keys of the account."""
        return (await self._ask()).keys

    async def compare(self, *, named: str | None = None, anew: bool = False) -> Finding:
        """Compare with the last baseline, or make one; nothing is kept.

        Args:
            named: the bot's key, as an operator calls it.
            anew: take whatever drift there is as it is, and begin from here.
        """
        last = await self._store.latest(baseline=False)
        base = await self._store.latest(baseline=True)
        before = await self._store.reading()
        told = await self._ask()
        after = await self._store.reading()
        key = key_of(told, named=named, known=last.key_id if last else None)
        if key.used is None:
            raise CannotReconcile(Obstacle.NO_USAGE)
        now = Check(
            checked_ms=self._clock.now_ms(),
            is_baseline=False,
            key_id=key.id,
            used=key.used,
            moved=abs(after.recorded - before.recorded),
            ledger=after,
        )
        beginning = _beginning(now, last) or (Beginning.WANTED if anew else None)
        doubts = Doubts() if base is None else await self._store.doubts(base.checked_ms - _SKEW_MS)
        now = replace(now, is_baseline=beginning is not None)
        return Finding(now, key.name, beginning, base, last, doubts)

    async def _ask(self) -> Credits:
        try:
            async with asyncio.timeout(self._answer_seconds):
                return await self._router.credits(by_api_key=True)
        except BadKey:
            raise CannotReconcile(Obstacle.BAD_KEY) from None
        except (ImageRouterError, TimeoutError) as error:
            _log.warning("What ImageRouter was used for could not be read: %r", error)
            raise CannotReconcile(Obstacle.UNREACHABLE) from None


def _beginning(now: Check, last: Check | None) -> Beginning | None:
    if last is None:
        return Beginning.FIRST
    if now.key_id != last.key_id:
        return Beginning.OTHER_KEY
    return Beginning.WENT_DOWN if now.used < last.used else None


class Books:
    """What an operator does about the books. Every method may raise `LedgerUnavailable`."""

    def __init__(
        self,
        *,
        reconciler: Reconciler,
        checks: Reconciliations,
        settling: HandSettling,
        budgets: BudgetAlerts,
    ) -> None:
        self.reconciler = reconciler
        self.charges = settling
        self._checks = checks
        self._budgets = budgets

    async def reconcile(self, *, named: str | None = None, anew: bool = False) -> Finding:
        """Compare, and keep the check. Raises `CannotReconcile`; then nothing was kept."""
        found = await self.reconciler.compare(named=named, anew=anew)
        await self._checks.add(found.now)
        return found

    async def settle(
        self, charge_id: int, *, actual: Micros, by: int, reason: str, above_hold: bool
    ) -> SettledByHand:
        """Record what a charge did cost. Raises `NotSettleable`, `AboveHold`."""
        done = await self.charges.settle(
            charge_id, actual=actual, by=by, reason=reason, above_hold=above_hold
        )
        if done.settlement.presses_budget:
            await self._budgets.check(done.before.job_id)
        return done
