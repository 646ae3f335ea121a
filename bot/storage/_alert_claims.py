"""Who tells what a counter has reached: each threshold of it once.

A claim is a lease: who did not live to say that it is told loses it, and another one tells.
"""

from typing import Final

from bot.storage.rows import Tx

CLAIM_MS: Final = 10 * 60_000
"""How long whoever claimed a threshold has to tell it."""


async def claim(tx: Tx, bucket_id: int, percent: int, *, job_id: int, now_ms: int) -> bool:
    """Write down who tells a threshold, by the job that reached it: of many that try, one may."""
    won = await tx.fetch(
        "INSERT INTO budget_alert (bucket_id, percent, sent_at, job_id) "
        "VALUES ($1, $2, $3, $4) ON CONFLICT (bucket_id, percent) DO UPDATE "
        "SET sent_at = excluded.sent_at, job_id = excluded.job_id "
        "WHERE budget_alert.told_at IS NULL AND budget_alert.sent_at <= $5 "
        "RETURNING percent",
        bucket_id,
        percent,
        now_ms,
        job_id,
        now_ms - CLAIM_MS,
    )
    return bool(won)


async def renew(bucket_id: int, percent: int, claimed_ms: int, now_ms: int, tx: Tx) -> bool:
    """Begin the lease of a claim anew; False when it was lost, so that others tell it."""
    kept = await tx.fetch(
        "UPDATE budget_alert SET sent_at = $4 WHERE bucket_id = $1 AND percent = $2 "
        "AND sent_at = $3 AND told_at IS NULL RETURNING percent",
        bucket_id,
        percent,
        claimed_ms,
        now_ms,
    )
    return bool(kept)


async def give_back(bucket_id: int, percent: int, tx: Tx) -> None:
    """Forget that a threshold was claimed, because it could not be told; anybody may claim it."""
    await tx.fetch(
        "DELETE FROM budget_alert WHERE bucket_id = $1 AND percent = $2", bucket_id, percent
    )


async def mark_told(bucket_id: int, percent: int, now_ms: int, tx: Tx) -> None:
    """Write down that a claimed threshold is told."""
    await tx.fetch(
        "UPDATE budget_alert SET told_at = $3 WHERE bucket_id = $1 AND percent = $2",
        bucket_id,
        percent,
        now_ms,
    )


async def untold(now_ms: int, tx: Tx) -> list[int]:
    """List the jobs that reached thresholds of running windows which nobody has told in time."""
    rows = await tx.fetch(
        "SELECT DISTINCT job_id FROM budget_alert JOIN bucket ON bucket.id = bucket_id "
        "WHERE told_at IS NULL AND sent_at <= $1 AND job_id IS NOT NULL AND end_at > $2 "
        "AND NOT EXISTS (SELECT 1 FROM budget_alert AS higher "
        "WHERE higher.bucket_id = bucket.id AND higher.percent > budget_alert.percent)",
        now_ms - CLAIM_MS,
        now_ms,
    )
    return [row.integer("job_id") for row in rows]
