"""What the ledger says beside what ImageRouter says: readings, checks, and doubtful charges.

Knows nothing of ImageRouter; comparing is `bot.reconciling`. What the ledger has counted is read
from one counter, the bot's own over all time: every change of a charge adds to it what it adds to
the audit trail, in the same transaction. So two readings differ by exactly the entries that were
committed between them, whatever the clocks of several processes say, and late truth counts when it
came.
"""

from functools import partial
from typing import Final

from msgspec import Struct

from bot.clock import Clock
from bot.ids import make_id
from bot.money import Micros
from bot.storage.models import ChargeState
from bot.storage.rows import Reader, Row, Store, Tx, first

WHOLE_ACCOUNT: Final = ""
"""Instead of a key's id: ImageRouter does not tell its keys apart."""
MOST_LISTED: Final = 15
_LIMIT_S: Final = 30.0
DOUBTFUL: Final = (
    "(state = 'presumed' OR overrun > 0 "
    "OR (state = 'settled' AND prior_state IN ('presumed', 'released')))"
)
"""As the index `charge_doubtful` has it."""


class Reading(Struct, frozen=True):
    """What the ledger said at one moment. Amounts in micro-USD."""

    recorded: Micros
    """All that ever counted as spent, in every guild and outside them."""
    open_charges: int
    """Held or sent: ImageRouter may have charged what the ledger does not know yet."""
    open_amount: Micros
    """The most that those may cost."""
    unknown_charges: int
    unknown_amount: Micros

    @property
    def unsettled(self) -> Micros:
        """The most that ImageRouter may take for what the ledger does not count yet."""
        return self.open_amount + self.unknown_amount


class Check(Struct, frozen=True):
    """ImageRouter and the ledger, side by side."""

    checked_ms: int
    is_baseline: bool
    """Later checks are compared with this one."""
    key_id: str
    """Whose usage it is: a key's id, or `WHOLE_ACCOUNT`."""
    used: Micros
    moved: Micros
    """What the ledger recorded while ImageRouter was asked."""
    ledger: Reading


class Doubtful(Struct, frozen=True):
    """A charge whose amount in the ledger may not be what ImageRouter took."""

    charge_id: int
    guild_id: int
    model: str
    state: ChargeState
    prior: ChargeState
    """The state that it came from."""
    held: Micros
    actual: Micros | None
    overrun: Micros
    created_ms: int


class Doubts(Struct, frozen=True):
    """What could explain a drift since a moment: sums over all such charges, and the newest."""

    presumed_charges: int = 0
    presumed: Micros = 0
    """Counted as spent since then, without an answer."""
    overruns: int = 0
    overrun: Micros = 0
    late_charges: int = 0
    late: Micros = 0
    """Cost of what was released or presumed first; of charges from before that moment alone."""
    late_lowered: Micros = 0
    """By how much such a truth was less than what had been presumed."""
    late_overrun: Micros = 0
    """Overruns of the other charges from before that moment."""
    paid_charges: int = 0
    """Charges that ended since then and cost something: each may have been rounded."""
    listed: tuple[Doubtful, ...] = ()
    """Unknown ones first, then the newest; at most `MOST_LISTED`."""


class ReadReconciliations:
    """Reads. Every method may raise `LedgerUnavailable`."""

    def __init__(self, db: Reader) -> None:
        self._db = db

    async def reading(self) -> Reading:
        """Return what the ledger says now, on one snapshot."""
        return await self._db.read(_read_ledger, limit_s=_LIMIT_S)

    async def latest(self, *, baseline: bool) -> Check | None:
        """Return the latest check, or the latest baseline; None before the first one."""
        return await self._db.read(partial(_latest, baseline))

    async def doubts(self, since_ms: int) -> Doubts:
        """Find what could explain a drift that has come since then."""
        return await self._db.read(partial(_doubts, since_ms), limit_s=_LIMIT_S)


class Reconciliations(ReadReconciliations):
    """Reads, and keeps checks."""

    def __init__(self, db: Store, *, clock: Clock) -> None:
        super().__init__(db)
        self._store = db
        self._clock = clock

    async def add(self, check: Check) -> None:
        """Keep a check."""
        ledger = check.ledger
        values = (
            make_id(self._clock),
            check.checked_ms,
            int(check.is_baseline),
            check.key_id,
            check.used,
            ledger.recorded,
            check.moved,
            ledger.open_charges,
            ledger.open_amount,
            ledger.unknown_charges,
            ledger.unknown_amount,
        )

        async def run(tx: Tx) -> None:
            await tx.fetch(
                "INSERT INTO reconciliation (id, checked_at, is_baseline, key_id, used, recorded, "
                "moved, open_charges, open_amount, unknown_charges, unknown_amount) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                *values,
            )

        await self._store.write(run)


async def _read_ledger(tx: Tx) -> Reading:
    counter = await first(
        tx,
        "SELECT settled FROM bucket WHERE scope = 'bot' AND subject = '' AND period = 'total'",
    )
    sums = {
        row.text("kind"): (row.integer("many"), row.integer("amount"))
        for row in await tx.fetch(
            "SELECT CASE WHEN state = 'unknown' THEN 'unknown' ELSE 'open' END AS kind, "
            "COUNT(*) AS many, CAST(SUM(held) AS BIGINT) AS amount "
            "FROM charge WHERE closed_at IS NULL GROUP BY 1"
        )
    }
    return Reading(
        0 if counter is None else counter.integer("settled"),
        *sums.get("open", (0, 0)),
        *sums.get("unknown", (0, 0)),
    )


async def _latest(baseline: bool, tx: Tx) -> Check | None:  # noqa: FBT001 - for `partial`
    row = await first(
        tx,
        f"SELECT * FROM reconciliation {'WHERE is_baseline = 1 ' if baseline else ''}"
        "ORDER BY checked_at DESC, id DESC LIMIT 1",
    )
    if row is None:
        return None
    return Check(
        checked_ms=row.integer("checked_at"),
        is_baseline=row.integer("is_baseline") == 1,
        key_id=row.text("key_id"),
        used=row.integer("used"),
        moved=row.integer("moved"),
        ledger=Reading(
            row.integer("recorded"),
            row.integer("open_charges"),
            row.integer("open_amount"),
            row.integer("unknown_charges"),
            row.integer("unknown_amount"),
        ),
    )


async def _doubts(since_ms: int, tx: Tx) -> Doubts:
    late = "state = 'settled' AND prior_state IN ('presumed', 'released')"
    older = f"{late} AND created_at < $1"
    sums = {
        "presumed_charges": "CASE WHEN state = 'presumed' THEN 1 ELSE 0 END",
        "presumed": "CASE WHEN state = 'presumed' THEN actual ELSE 0 END",
        "overruns": "CASE WHEN overrun > 0 THEN 1 ELSE 0 END",
        "overrun": "overrun",
        "late_charges": f"CASE WHEN {late} THEN 1 ELSE 0 END",
        "late": f"CASE WHEN {older} THEN actual ELSE 0 END",
        "late_lowered": f"CASE WHEN {older} AND prior_state = 'presumed' AND actual < held "
        "THEN held - actual ELSE 0 END",
        "late_overrun": f"CASE WHEN created_at < $1 AND NOT ({late}) THEN overrun ELSE 0 END",
    }
    columns = ", ".join(
        f"CAST(COALESCE(SUM({what}), 0) AS BIGINT) AS {name}" for name, what in sums.items()
    )
    (found,) = await tx.fetch(
        f"SELECT {columns} FROM charge WHERE closed_at >= $1 AND {DOUBTFUL}", since_ms
    )
    (paid,) = await tx.fetch(
        "SELECT COUNT(*) AS many FROM charge "
        "WHERE closed_at >= $1 AND state = 'settled' AND actual > 0",
        since_ms,
    )
    unknown = await tx.fetch(
        "SELECT * FROM charge WHERE closed_at IS NULL AND state = 'unknown' "
        "ORDER BY created_at DESC, id DESC LIMIT $1",
        MOST_LISTED,
    )
    closed = await tx.fetch(
        f"SELECT * FROM charge WHERE closed_at >= $1 AND {DOUBTFUL} "
        "ORDER BY closed_at DESC, id DESC LIMIT $2",
        since_ms,
        MOST_LISTED,
    )
    return Doubts(
        **{name: found.integer(name) for name in sums},
        paid_charges=paid.integer("many"),
        listed=tuple(_doubtful(row) for row in (*unknown, *closed)[:MOST_LISTED]),
    )


def _doubtful(row: Row) -> Doubtful:
    return Doubtful(
        charge_id=row.integer("id"),
        guild_id=row.integer("guild_id"),
        model=row.text("model"),
        state=ChargeState(row.text("state")),
        prior=ChargeState(row.text("prior_state")),
        held=row.integer("held"),
        actual=row.maybe_integer("actual"),
        overrun=row.integer("overrun"),
        created_ms=row.integer("created_at"),
    )
