"""Forgetting a person: their words go, their id becomes a tombstone, and every sum stays.

What is erased: prompts, offers, pictures that they gave or painted, where results are (addresses,
messages, channels of direct messages), and the person's id wherever it stands, as a member or as
who has changed a rule. What stays: money, and all that is keyed by `HMAC(secret, place, person)`,
so that counters, limits and blocks hold as before and being erased refills no quota. What others
wrote about them (the reason of a block) stays with the rule that it explains. Copies of the
database are their owner's to delete.

A tombstone is a random negative number, one for each erasure, that no id of Discord's is like.

Jobs are erased once they have ended: nothing open, and their answer delivered. Those that still
run when the erasure is asked for work on, and `resume` erases them later. What a person asks for
*after* an erasure is not concerned by it. A row of `setting` says that an erasure is not finished,
since when, and which tombstone it has; so one that a crash interrupts goes on where it was.

Works in transactions of a few jobs each, which lock the marker, then charges, jobs, and the months
in the order of their keys: the ledger's order, so nobody waits for anybody in a circle.
"""

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from bot.clock import Clock
from bot.ids import MOST_ID
from bot.storage.rows import Row, Store, Tx, first

_JOBS_AT_ONCE: Final = 20
"""So few that holds and settlements between two transactions wait for some milliseconds."""
_MARKER: Final = "erasure."
"""Before a user's id: the name of the row of `setting` that remembers an erasure."""

_ACTED: Final = (
    ("guild", "paused_by"),
    ("guild_zone", "changed_by"),
    ("spending_rule", "set_by"),
    ("spending_grant", "granted_by"),
    ("blocked_member", "blocked_by"),
    ("model_rule", "set_by"),
    ("picture_channel", "set_by"),
    ("blocked_phrase", "set_by"),
    ("rule_change", "changed_by"),
)
"""Where it stands who has changed something; guilds first, as whoever changes a rule does."""
_CONCERNED: Final = ("spending_rule", "spending_grant", "blocked_member", "rule_change")
"""Where `user_id` only shows whom a rule is for; the rule itself goes by the keyed hash."""
_OWNED: Final = ("offer", "tray_picture", "paint_link", "mask", "preference", "promise")
"""What exists for one person's convenience only, and is deleted."""
_ENDED: Final = "user_id = $1 AND created_at <= $2 AND delivery <> 'open' AND open_charges = 0"
_SUMS: Final = ("charges", "pictures", "spent")


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did."""

    rows: Mapping[str, int]
    """How many rows were deleted or changed, by table; tables without any are left out."""
    waiting: int
    """Jobs that have not ended yet and will be erased by `resume` once they have."""


class Erasure:
    """Erases people. Every method may raise `LedgerUnavailable`; what was erased stays erased."""

    def __init__(self, db: Store, *, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def erase_person(self, user_id: int) -> Erased:
        """Forget everything that a person has asked for until now.

        Done again, it erases what has come since, under the same tombstone while the first is not
        finished and under a new one later.

        Raises:
            ValueError: no user's id.
        """
        if not 0 < user_id <= MOST_ID:
            raise ValueError(f"not a user: {user_id}")
        rows = await self._db.write(partial(_begin, user_id, self._clock.now_ms()))
        return await self._erase_jobs(user_id, rows)

    async def resume(self) -> int:
        """Go on with erasures that were interrupted or wait for jobs; returns how many still do.

        For the start, and every now and then.
        """
        unfinished = 0
        for user_id in await self._db.read(_unfinished):
            erased = await self._erase_jobs(user_id, Counter())
            unfinished += bool(erased.waiting)
        return unfinished

    async def _erase_jobs(self, user_id: int, rows: Counter[str]) -> Erased:
        while changed := await self._db.write(partial(_erase_some, user_id)):
            rows += changed
        waiting, changed = await self._db.write(partial(_finish, user_id))
        return Erased(dict(rows + changed), waiting)


@dataclass(frozen=True, slots=True)
class _Order:
    """An erasure that is not finished."""

    user_id: int
    tombstone: int
    asked_ms: int


async def _begin(user_id: int, now_ms: int, tx: Tx) -> Counter[str]:
    """Write the marker, and forget what is not about money: few rows, and nothing waits for it."""
    (row,) = await tx.fetch(
        "INSERT INTO setting (name, content, changed_at) VALUES ($1, $2, $3) "
        "ON CONFLICT (name) DO UPDATE SET changed_at = excluded.changed_at RETURNING content",
        f"{_MARKER}{user_id}",
        str(-1 - secrets.randbelow(MOST_ID)),
        now_ms,
    )
    tombstone, changed = int(row.text("content")), Counter[str]()
    for table, column in _ACTED:
        found = await tx.fetch(
            f"UPDATE {table} SET {column} = $2 WHERE {column} = $1 RETURNING {column}",
            user_id,
            tombstone,
        )
        changed[table] += len(found)
    for table in _CONCERNED:
        found = await tx.fetch(
            f"UPDATE {table} SET user_id = NULL WHERE user_id = $1 RETURNING user_id", user_id
        )
        changed[table] += len(found)
    for table in _OWNED:
        found = await tx.fetch(f"DELETE FROM {table} WHERE user_id = $1 RETURNING user_id", user_id)
        changed[table] += len(found)
    return +changed


async def _unfinished(tx: Tx) -> list[int]:
    rows = await tx.fetch(
        "SELECT name FROM setting WHERE name LIKE $1 ORDER BY changed_at", f"{_MARKER}%"
    )
    return [int(row.text("name").removeprefix(_MARKER)) for row in rows]


async def _locked(tx: Tx, user_id: int) -> _Order | None:
    """Read the marker and keep others out: of two processes that erase somebody, one waits."""
    row = await first(
        tx,
        "UPDATE setting SET content = content WHERE name = $1 RETURNING content, changed_at",
        f"{_MARKER}{user_id}",
    )
    if row is None:
        return None
    return _Order(user_id, int(row.text("content")), row.integer("changed_at"))


async def _erase_some(user_id: int, tx: Tx) -> Counter[str]:
    """Erase a few jobs that have ended; nothing when there are none, or the marker has gone."""
    order = await _locked(tx, user_id)
    if order is None:
        return Counter()
    found = await tx.fetch(
        f"SELECT id FROM job WHERE {_ENDED} ORDER BY created_at, id LIMIT $3",
        user_id,
        order.asked_ms,
        _JOBS_AT_ONCE,
    )
    jobs = [row.integer("id") for row in found]
    if not jobs:
        return Counter()
    changed = await _erase_charges(tx, order, jobs)
    for sums in await _sums(tx, jobs):
        changed["usage_month"] += await _move(tx, order, sums)
    return +changed


async def _erase_charges(tx: Tx, order: _Order, jobs: Sequence[int]) -> Counter[str]:
    """Erase jobs with all that hangs on them; their charges are locked first, as by everybody.

    The channel of a direct message belongs to one person, so it is as good as their id. A charge's
    reason may quote what was sent.
    """
    mine = ", ".join(f"${number}" for number in range(2, len(jobs) + 2))
    place = "channel_id = CASE WHEN guild_id = 0 THEN 0 ELSE channel_id END"
    charges = await tx.fetch(
        f"UPDATE charge SET user_id = $1, reason = '', {place} "
        f"WHERE job_id IN ({mine}) RETURNING id",
        order.tombstone,
        *jobs,
    )
    await tx.fetch(
        f"UPDATE job SET user_id = $1, {place}, undeliverable_reason = '', "
        "reply_application = NULL, reply_token = NULL, reply_expires_at = NULL, "
        "reply_channel = NULL, reply_message = NULL, reply_upload_limit = NULL, "
        f"message_channel = NULL, message_id = NULL WHERE id IN ({mine})",
        order.tombstone,
        *jobs,
    )
    changed = Counter(charge=len(charges), job=len(jobs))
    these = ", ".join(f"${number}" for number in range(1, len(jobs) + 1))
    for table in ("prompt", "job_input"):
        found = await tx.fetch(
            f"DELETE FROM {table} WHERE job_id IN ({these}) RETURNING job_id", *jobs
        )
        changed[table] += len(found)
    outputs = await tx.fetch(
        "DELETE FROM job_output WHERE charge_id IN "
        f"(SELECT id FROM charge WHERE job_id IN ({these})) RETURNING place",
        *jobs,
    )
    changed["job_output"] += len(outputs)
    return changed


async def _sums(tx: Tx, jobs: Sequence[int]) -> list[Row]:
    """Add up what jobs have put into each month, in the order in which months are locked."""
    these = ", ".join(f"${number}" for number in range(1, len(jobs) + 1))
    return await tx.fetch(
        "SELECT job.guild_id AS guild_id, month_label AS month, charge.model AS model, "
        "COUNT(actual) AS charges, CAST(SUM(charge.pictures) AS BIGINT) AS pictures, "
        "CAST(SUM(actual) AS BIGINT) AS spent "
        "FROM charge JOIN job ON job.id = job_id "
        f"WHERE actual IS NOT NULL AND job_id IN ({these}) "
        "GROUP BY job.guild_id, month_label, charge.model ORDER BY 1, 2, 3",
        *jobs,
    )


async def _move(tx: Tx, order: _Order, sums: Row) -> int:
    """Take sums out of a person's month and add them to the tombstone's; returns rows changed."""
    key = (sums.integer("guild_id"), sums.text("month"), sums.text("model"))
    amounts = tuple(sums.integer(name) for name in _SUMS)
    taken = await tx.fetch(
        "UPDATE usage_month SET charges = charges - $5, pictures = pictures - $6, "
        "spent = spent - $7 WHERE guild_id = $1 AND month = $2 AND model = $3 AND user_id = $4 "
        "RETURNING charges, pictures, spent",
        *key,
        order.user_id,
        *amounts,
    )
    if not any(row.integer(name) for row in taken for name in _SUMS):
        await tx.fetch(
            "DELETE FROM usage_month "
            "WHERE guild_id = $1 AND month = $2 AND model = $3 AND user_id = $4",
            *key,
            order.user_id,
        )
    await tx.fetch(
        "INSERT INTO usage_month (guild_id, month, model, user_id, charges, pictures, spent) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (guild_id, month, user_id, model) "
        "DO UPDATE SET charges = usage_month.charges + excluded.charges, "
        "pictures = usage_month.pictures + excluded.pictures, "
        "spent = usage_month.spent + excluded.spent",
        *key,
        order.tombstone,
        *amounts,
    )
    return 1


async def _finish(user_id: int, tx: Tx) -> tuple[int, Counter[str]]:
    """Delete the marker unless jobs still run (returned); what months are left over goes, too.

    Those are the months of jobs that are not in the database any more. They are locked before it
    is looked whether a job belongs to them: one that would be settled meanwhile waits.
    """
    order = await _locked(tx, user_id)
    if order is None:
        return 0, Counter()
    (open_jobs,) = await tx.fetch(
        "SELECT COUNT(*) AS jobs FROM job WHERE user_id = $1 AND created_at <= $2",
        user_id,
        order.asked_ms,
    )
    if open_jobs.integer("jobs"):
        return open_jobs.integer("jobs"), Counter()
    await tx.fetch("UPDATE usage_month SET spent = spent WHERE user_id = $1", user_id)
    left = await tx.fetch(
        "SELECT * FROM usage_month u WHERE user_id = $1 AND NOT EXISTS (SELECT 1 FROM job "
        "JOIN charge ON charge.job_id = job.id "
        "WHERE job.user_id = u.user_id AND job.guild_id = u.guild_id "
        "AND job.month_label = u.month AND charge.model = u.model) "
        "ORDER BY guild_id, month, model",
        user_id,
    )
    for sums in left:
        await _move(tx, order, sums)
    await tx.fetch("DELETE FROM setting WHERE name = $1", f"{_MARKER}{user_id}")
    return 0, +Counter({"usage_month": len(left)})
