"""The append-only trail of changed rules: who, when, what, from, to."""

from dataclasses import dataclass

from bot.clock import Clock
from bot.ids import make_id
from bot.quotas import Target, Window
from bot.storage.policy_models import RuleChange, Who
from bot.storage.rows import Row, Tx


@dataclass(frozen=True, slots=True)
class Change:
    """What is about to be changed, and by whom."""

    what: str
    guild_id: int
    by: int
    who: Who | None = None
    window: Window | None = None
    reason: str = ""


async def record_change(
    tx: Tx, change: Change, *, before: int | str | None, after: int | str | None, clock: Clock
) -> None:
    """Write a line, in the transaction that makes the change."""
    who = change.who
    person = who is not None and who.target in {Target.MEMBER, Target.PERSON}
    await tx.fetch(
        "INSERT INTO rule_change (id, guild_id, changed_at, changed_by, what, target, subject_id, "
        "user_id, period, before, after, reason) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        make_id(clock),
        change.guild_id,
        clock.now_ms(),
        change.by,
        change.what,
        who.target.value if who else "",
        who.id or None if who and not person else None,
        who.id if who and person else None,
        change.window.value if change.window else "",
        None if before is None else str(before),
        None if after is None else str(after),
        change.reason,
    )


async def read_changes(guild_id: int, limit: int, tx: Tx) -> list[RuleChange]:
    """Read the latest lines, newest first."""
    rows = await tx.fetch(
        "SELECT * FROM rule_change WHERE guild_id = $1 ORDER BY changed_at DESC, id DESC LIMIT $2",
        guild_id,
        limit,
    )
    return [_line(row) for row in rows]


def _line(row: Row) -> RuleChange:
    target, period = row.text("target"), row.text("period")
    return RuleChange(
        changed_ms=row.integer("changed_at"),
        changed_by=row.integer("changed_by"),
        what=row.text("what"),
        target=Target(target) if target else None,
        subject_id=row.maybe_integer("subject_id"),
        user_id=row.maybe_integer("user_id"),
        window=Window(period) if period else None,
        before=row.maybe_text("before"),
        after=row.maybe_text("after"),
        reason=row.text("reason"),
    )
