"""Erasing jobs that have ended, a few at a time, and moving what they put into the months."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from bot.storage._charges import SUMS, add_to_month
from bot.storage._erasing import Erasable, Order, locked, read, unmark
from bot.storage._forget import forget_copies, forget_words, marks
from bot.storage.rows import Row, Tx, first

_JOBS_AT_ONCE: Final = 20
"""So few that holds and settlements between two transactions wait for some milliseconds."""
_ENDED: Final = "delivery <> 'open' AND open_charges = 0"
_FOUND: Final = {
    Erasable.PERSON: (
        "SELECT id, created_at FROM job WHERE user_id = $1 AND created_at >= $2 "
        f"AND created_at <= $3 AND {_ENDED} ORDER BY created_at, id LIMIT $4"
    ),
    # By the index of charges: jobs have none that begins with their guild.
    Erasable.GUILD: (
        "SELECT DISTINCT job.id AS id, charge.created_at AS created_at "
        "FROM charge JOIN job ON job.id = job_id WHERE charge.guild_id = $1 "
        "AND charge.created_at >= $2 AND charge.created_at <= $3 AND charge.user_id > 0 "
        f"AND {_ENDED} ORDER BY 2, 1 LIMIT $4"
    ),
}
"""Jobs that are not erased yet, from a time on: those before have been looked at."""
_WAITING: Final = {
    Erasable.PERSON: "SELECT COUNT(*) AS jobs FROM job WHERE user_id = $1 AND created_at <= $2",
    Erasable.GUILD: (
        "SELECT COUNT(DISTINCT job_id) AS jobs FROM charge "
        "WHERE guild_id = $1 AND created_at <= $2 AND user_id > 0"
    ),
}
_PLACE: Final = "channel_id = CASE WHEN guild_id = 0 THEN 0 ELSE channel_id END"
"""The channel of a direct message belongs to one person, so it is as good as their id. Those of a
guild stay, like its roles: its days are added up by them."""


async def next_ended(kind: Erasable, subject_id: int, after_ms: int, tx: Tx) -> int | None:
    """Return when the next job that can be erased was asked for; None when there is none.

    Only reads, since it may have to go through all that a guild ever asked for.
    """
    order = await read(tx, kind, subject_id)
    if order is None:
        return None
    found = await first(tx, _FOUND[kind], subject_id, after_ms, order.asked_ms, 1)
    return None if found is None else found.integer("created_at")


async def erase_some(
    kind: Erasable, subject_id: int, after_ms: int, tx: Tx
) -> tuple[Counter[str], int | None]:
    """Erase a few jobs that have ended; returns what was changed, and from when to go on.

    That is None when there are no more, or the marker has gone.
    """
    order = await locked(tx, kind, subject_id)
    if order is None:
        return Counter(), None
    found = await tx.fetch(_FOUND[kind], subject_id, after_ms, order.asked_ms, _JOBS_AT_ONCE)
    if not found:
        return Counter(), None
    jobs = sorted({row.integer("id") for row in found})
    changed = await _erase(tx, order, jobs)
    return +changed, max(row.integer("created_at") for row in found)


async def _erase(tx: Tx, order: Order, jobs: Sequence[int]) -> Counter[str]:
    """Erase jobs with all that hangs on them; their charges are locked first, as by everybody."""
    these = marks(len(jobs))
    await tx.fetch(f"UPDATE charge SET reason = '' WHERE job_id IN ({these})", *jobs)
    sums = await _sums(tx, jobs)
    copies = await forget_copies(tx, jobs)
    if order.removal_id is not None:
        await _hand_over(tx, order.removal_id, jobs)
    changed = await forget_words(tx, jobs)
    mine = marks(len(jobs), after=1)
    for table, key in (("charge", "job_id"), ("job", "id")):
        await tx.fetch(
            f"UPDATE {table} SET user_id = $1, {_PLACE} WHERE {key} IN ({mine})",
            order.tombstone,
            *jobs,
        )
    for row in sums:
        changed["usage_month"] += await _move(tx, order, row)
    return changed + copies


async def _hand_over(tx: Tx, removal_id: int, jobs: Sequence[int]) -> None:
    """Give the links to messages with results to who deletes these, while it still wants them.

    What only its person sees can't be deleted by anybody else.
    """
    await tx.fetch(
        "INSERT INTO removal_message (removal_id, message_id, channel_id) "
        "SELECT removal.id, job.message_id, job.message_channel FROM job "
        "JOIN removal ON removal.id = $1 "
        f"WHERE job.id IN ({marks(len(jobs), after=1)}) AND job.message_id IS NOT NULL "
        "AND job.message_channel IS NOT NULL "
        "AND (is_private = 0 OR message_channel <> COALESCE(job.reply_channel, 0)) "
        "ON CONFLICT (removal_id, message_id) DO NOTHING",
        removal_id,
        *jobs,
    )


async def _sums(tx: Tx, jobs: Sequence[int]) -> list[Row]:
    """Add up what jobs have put into each month, in the order in which months are locked."""
    return await tx.fetch(
        "SELECT job.guild_id AS guild_id, month_label AS month, job.user_id AS user_id, "
        "COUNT(actual) AS charges, CAST(SUM(charge.pictures) AS BIGINT) AS pictures, "
        "CAST(SUM(actual) AS BIGINT) AS spent "
        "FROM charge JOIN job ON job.id = job_id "
        f"WHERE actual IS NOT NULL AND job_id IN ({marks(len(jobs))}) "
        "GROUP BY job.guild_id, month_label, job.user_id ORDER BY 1, 2, 3",
        *jobs,
    )


async def _move(tx: Tx, order: Order, sums: Row) -> int:
    """Take sums out of a person's month and add them to the tombstone's; returns rows changed."""
    month = (sums.integer("guild_id"), sums.text("month"))
    key = (*month, sums.integer("user_id"))
    amounts = tuple(sums.integer(name) for name in SUMS)
    taken = await tx.fetch(
        "UPDATE usage_month SET charges = charges - $4, pictures = pictures - $5, "
        "spent = spent - $6 WHERE guild_id = $1 AND month = $2 AND user_id = $3 "
        "RETURNING charges, pictures, spent",
        *key,
        *amounts,
    )
    if not any(row.integer(name) for row in taken for name in SUMS):
        await tx.fetch(
            "DELETE FROM usage_month WHERE guild_id = $1 AND month = $2 AND user_id = $3", *key
        )
    await add_to_month(tx, *month, order.tombstone, amounts)
    return 1


async def waiting(kind: Erasable, subject_id: int, tx: Tx) -> tuple[Order | None, int]:
    """Return the order as it is now, and how many jobs it waits for. Only reads, likewise."""
    order = await read(tx, kind, subject_id)
    if order is None:
        return None, 0
    (open_jobs,) = await tx.fetch(_WAITING[kind], subject_id, order.asked_ms)
    return order, open_jobs.integer("jobs")


async def finish(seen: Order, tx: Tx) -> Counter[str]:
    """Delete the marker of an order that waits for no job; what months are left over goes, too.

    Those are the months of jobs that are not in the database any more. They are locked before it
    is looked whether a job belongs to them: one that would be settled meanwhile waits. An order
    that was widened since it was `seen` is not finished.
    """
    kind, subject_id = seen.kind, seen.subject_id
    order = await locked(tx, kind, subject_id)
    if order is None or order.asked_ms != seen.asked_ms:
        return Counter()
    whose = f"{kind.column} = $1 AND user_id > 0"
    await tx.fetch(f"UPDATE usage_month SET spent = spent WHERE {whose}", subject_id)
    left = await tx.fetch(
        f"SELECT * FROM usage_month u WHERE {whose} AND NOT EXISTS (SELECT 1 FROM job "
        "WHERE job.user_id = u.user_id AND job.guild_id = u.guild_id "
        "AND job.month_label = u.month) ORDER BY guild_id, month, user_id",
        subject_id,
    )
    for sums in left:
        await _move(tx, order, sums)
    await unmark(tx, order)
    return +Counter({"usage_month": len(left)})
