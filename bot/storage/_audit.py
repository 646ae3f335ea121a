"""The append-only trail of changed rules: who, when, what, from, to."""

from msgspec import Struct

from bot.clock import Clock
from bot.ids import make_id
from bot.quotas import Target, Window
from bot.requests import NO_GUILD
from bot.storage.policy_models import Kind, RuleChange, Trail, TrailPage, Who
from bot.storage.rows import Row, Tx, Value


class Change(Struct, frozen=True):
    """What is about to be changed, and by whom."""

    what: Kind
    guild_id: int
    by: int
    who: Who | None = None
    window: Window | None = None
    reason: str = ""
    subject_id: int | None = None
    """What it is about where that is neither a person nor a place: a charge."""
    by_operator: bool = False
    """Whoever changes it does so as the operator, in a guild; their other rules say so anyway."""


async def record_change(
    tx: Tx, change: Change, *, before: int | str | None, after: int | str | None, clock: Clock
) -> None:
    """Write a line, in the transaction that makes the change."""
    who = change.who
    person = who is not None and who.target in {Target.MEMBER, Target.PERSON}
    await tx.fetch(
        "INSERT INTO rule_change (id, guild_id, changed_at, changed_by, what, target, subject_id, "
        "user_id, period, before, after, reason, by_operator) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        make_id(clock),
        change.guild_id,
        clock.now_ms(),
        change.by,
        change.what.value,
        who.target.value if who else "",
        who.id or None if who and not person else change.subject_id,
        who.id if who and person else None,
        change.window.value if change.window else "",
        None if before is None else str(before),
        None if after is None else str(after),
        change.reason,
        int(change.by_operator or change.guild_id == NO_GUILD or _is_operators(who)),
    )


def _is_operators(who: Who | None) -> bool:
    return who is not None and who.target.is_operators


async def read_trail(wanted: Trail, tx: Tx) -> TrailPage:
    """Read a page, newest first, and count the lines that there are."""
    values: list[Value] = []

    def mark(value: Value) -> str:
        values.append(value)
        return f"${len(values)}"

    if wanted.guild_id is None:
        conditions = ["by_operator = 1"]
    else:
        conditions = [f"guild_id = {mark(wanted.guild_id)}"]
    if wanted.kind is not None:
        conditions.append(f"what = {mark(wanted.kind.value)}")
    if wanted.person is not None:
        person = mark(wanted.person)
        # Who is an operator is nobody's business in a guild.
        own = "" if wanted.guild_id is None else " AND by_operator = 0"
        conditions.append(f"((changed_by = {person}{own}) OR user_id = {person})")
    where = " AND ".join(conditions)
    (count,) = await tx.fetch(f"SELECT COUNT(*) AS many FROM rule_change WHERE {where}", *values)
    rows = await tx.fetch(
        f"SELECT * FROM rule_change WHERE {where} "
        f"ORDER BY changed_at DESC, id DESC LIMIT {mark(wanted.size)} OFFSET {mark(wanted.offset)}",
        *values,
    )
    return TrailPage(tuple(_line(row) for row in rows), count.integer("many"))


def _line(row: Row) -> RuleChange:
    target, period = row.text("target"), row.text("period")
    return RuleChange(
        guild_id=row.integer("guild_id"),
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
        by_operator=row.integer("by_operator") == 1,
    )
