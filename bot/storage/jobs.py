"""Jobs as people see them: what was asked, what came of it, and whether they have got it.

Reads everything, writes only delivery: money is the ledger's.
"""

import json
from collections.abc import Mapping
from functools import partial
from typing import Final, TypeAlias

from msgspec import Struct

from bot.clock import Clock
from bot.requests import Actor, ImageRequest, OutputFormat, Quality, ReplyRoute, with_inputs
from bot.storage._sweeper import ALIVE, alive_since
from bot.storage.models import Charge, ChargeState, Delivery, Job, JobSummary, Output
from bot.storage.records import TOOK
from bot.storage.rows import Row, Store, Tx, first

_MINE: Final = f"(process = $2 OR process NOT IN ({ALIVE}))"
"""The job is ours, or its process is dead: `$1` is `alive_since()`, `$2` our process."""

MessageLink: TypeAlias = tuple[int, int]
"""The ids of a channel and of a message in it."""


class Jobs:
    """Reads jobs and records their delivery. Every method may raise `LedgerUnavailable`."""

    def __init__(self, db: Store, *, clock: Clock, process_id: int) -> None:
        """`process_id`: the same as the ledger's."""
        self._db = db
        self._clock = clock
        self._process_id = process_id

    async def get(self, job_id: int) -> Job | None:
        """Read a job with its charges and outputs, bytes included."""
        return await self._db.read(partial(_read_job, job_id))

    async def set_reply(self, job_id: int, reply: ReplyRoute) -> bool:
        """Store where the answer goes. False when the job is closed already."""
        return await self._update(
            "UPDATE job SET reply_application = $2, reply_token = $3, reply_expires_at = $4, "
            "reply_channel = $5, reply_message = $6, reply_upload_limit = $7 "
            "WHERE id = $1 AND delivery = 'open' RETURNING id",
            job_id,
            reply.application_id,
            reply.token,
            reply.expires_at_ms,
            reply.channel_id,
            reply.message_id,
            reply.upload_limit,
        )

    async def mark_delivered(self, messages: Mapping[int, MessageLink | None]) -> set[int]:
        """Close jobs: link their messages where they left one, delete stored bytes and tokens.

        Returns the ids of those that were closed by this, and not before.
        """
        now_ms = self._clock.now_ms()

        async def close(tx: Tx) -> set[int]:
            found = set()
            for job_id, message in messages.items():
                link = message or (None, None)
                if await _close(tx, _Closed(job_id, Delivery.DELIVERED, now_ms, *link)):
                    found.add(job_id)
            return found

        return await self._db.write(close)

    async def unlink(self, job_id: int) -> None:
        """Forget a job's message, which was deleted; perhaps before its delivery was noted."""
        closed = _Closed(job_id, Delivery.DELIVERED, self._clock.now_ms())

        async def forget(tx: Tx) -> None:
            await _close(tx, closed)
            await tx.fetch(
                "UPDATE job SET message_channel = NULL, message_id = NULL WHERE id = $1", job_id
            )

        await self._db.write(forget)

    async def mark_undeliverable(self, job_id: int, *, reason: str) -> bool:
        """Close a job whose answer cannot reach anybody; deletes bytes and token likewise."""
        closed = _Closed(job_id, Delivery.UNDELIVERABLE, self._clock.now_ms(), reason=reason)

        async def close(tx: Tx) -> bool:
            return await _close(tx, closed)

        return await self._db.write(close)

    async def open_deliveries(self) -> list[int]:
        """List undelivered jobs of dead processes with nothing open, oldest first.

        After a sweep. Then `claim_delivery` and `get` each of them, one by one: bytes are heavy.
        """
        since = alive_since(self._clock.now_ms())

        async def find(tx: Tx) -> list[int]:
            rows = await tx.fetch(
                "SELECT id FROM job WHERE delivery = 'open' AND open_charges = 0 "
                f"AND process <> $2 AND {_MINE} ORDER BY created_at, id",
                since,
                self._process_id,
            )
            return [row.integer("id") for row in rows]

        return await self._db.read(find)

    async def claim_delivery(self, job_id: int) -> bool:
        """Become the process that delivers a job: ours, or one of a dead process.

        Of many processes that try, one gets True; within a process it stays True, so it is up to
        the process to deliver a job from one task only.
        """
        return await self._update(
            f"UPDATE job SET process = $2 WHERE id = $3 AND delivery = 'open' AND {_MINE} "
            "RETURNING id",
            alive_since(self._clock.now_ms()),
            self._process_id,
            job_id,
        )

    async def recent(self, user_id: int, *, limit: int = 10) -> list[JobSummary]:
        """List a person's newest jobs, newest first."""

        async def find(tx: Tx) -> list[JobSummary]:
            rows = await tx.fetch(
                "SELECT job.id, guild_id, channel_id, created_at, command, model, pictures, "
                "is_private, prompt, delivery, open_charges, message_channel, message_id, "
                "(SELECT COUNT(DISTINCT model) FROM charge WHERE job_id = job.id) AS models, "
                "(SELECT CAST(COALESCE(SUM(actual), 0) AS BIGINT) FROM charge "
                "WHERE job_id = job.id) AS spent, "
                "(SELECT CAST(COALESCE(SUM(held), 0) AS BIGINT) FROM charge "
                "WHERE job_id = job.id AND state = 'unknown') AS pending "
                "FROM job LEFT JOIN prompt ON prompt.job_id = job.id "
                "WHERE user_id = $1 ORDER BY created_at DESC, job.id DESC LIMIT $2",
                user_id,
                limit,
            )
            return [_summary(row) for row in rows]

        return await self._db.read(find)

    async def _update(self, sql: str, *values: int | str) -> bool:
        async def update(tx: Tx) -> bool:
            return bool(await tx.fetch(sql, *values))

        return await self._db.write(update)


class _Closed(Struct, frozen=True):
    """How a job ends."""

    job_id: int
    delivery: Delivery
    now_ms: int
    channel_id: int | None = None
    message_id: int | None = None
    reason: str = ""


async def _close(tx: Tx, closed: _Closed) -> bool:
    """Close a job; False when it was closed before."""
    job = await first(
        tx,
        "UPDATE job SET delivery = $2, message_channel = $3, message_id = $4, "
        "undeliverable_reason = $5, delivered_at = $6, reply_token = NULL "
        "WHERE id = $1 AND delivery = 'open' RETURNING id",
        closed.job_id,
        closed.delivery.value,
        closed.channel_id,
        closed.message_id,
        closed.reason,
        closed.now_ms,
    )
    if job is None:
        return False
    await tx.fetch(
        "UPDATE job_output SET data = NULL WHERE data IS NOT NULL "
        "AND charge_id IN (SELECT id FROM charge WHERE job_id = $1)",
        closed.job_id,
    )
    return True


async def _read_job(job_id: int, tx: Tx) -> Job | None:
    job = await first(
        tx,
        "SELECT job.*, prompt, job_input.content AS inputs FROM job "
        "LEFT JOIN prompt ON prompt.job_id = job.id "
        "LEFT JOIN job_input ON job_input.job_id = job.id WHERE job.id = $1",
        job_id,
    )
    if job is None:
        return None
    outputs: dict[int, list[Output]] = {}
    for row in await tx.fetch(
        "SELECT charge_id, url, data, media_type FROM job_output "
        "WHERE charge_id IN (SELECT id FROM charge WHERE job_id = $1) ORDER BY charge_id, place",
        job_id,
    ):
        output = Output(row.maybe_text("url"), row.maybe_blob("data"), row.maybe_text("media_type"))
        outputs.setdefault(row.integer("charge_id"), []).append(output)
    charges = await tx.fetch(
        f"SELECT charge.*, {TOOK} FROM charge WHERE job_id = $1 ORDER BY place", job_id
    )
    return _job(job, tuple(_charge(row, outputs.get(row.integer("id"), [])) for row in charges))


def _charge(row: Row, outputs: list[Output]) -> Charge:
    return Charge(
        id=row.integer("id"),
        index=row.integer("place"),
        model=row.text("model"),
        state=ChargeState(row.text("state")),
        held=row.integer("held"),
        actual=row.maybe_integer("actual"),
        overrun=row.integer("overrun"),
        pictures=row.integer("pictures"),
        reason=row.text("reason"),
        outputs=tuple(outputs),
        took_ms=row.maybe_integer("took"),
    )


def _job(row: Row, charges: tuple[Charge, ...]) -> Job:
    prompt = row.maybe_text("prompt")
    return Job(
        id=row.integer("id"),
        idem=row.text("idem"),
        parent_id=row.maybe_integer("parent_id"),
        actor=Actor(
            user_id=row.integer("user_id"),
            guild_id=row.integer("guild_id"),
            channel_id=row.integer("channel_id"),
        ),
        request=_request(row, charges),
        prompt=prompt,
        model=row.text("model"),
        ceiling=row.integer("ceiling"),
        created_ms=row.integer("created_at"),
        charges=charges,
        delivery=Delivery(row.text("delivery")),
        reply=_reply(row),
        message_channel_id=row.maybe_integer("message_channel"),
        message_id=row.maybe_integer("message_id"),
        undeliverable_reason=row.text("undeliverable_reason"),
    )


def _request(row: Row, charges: tuple[Charge, ...]) -> ImageRequest:
    models = tuple(charge.model for charge in charges)
    request = ImageRequest(
        command=row.text("command"),
        prompt=row.maybe_text("prompt") or "",
        model=row.maybe_text("asked_model"),
        size=row.text("size"),
        quality=Quality(row.text("quality")),
        output_format=OutputFormat(row.text("output_format")),
        count=row.integer("pictures"),
        private=bool(row.integer("is_private")),
        models=models if len(set(models)) > 1 else (),
    )
    inputs = row.maybe_text("inputs")
    return request if inputs is None else with_inputs(request, json.loads(inputs))


def _reply(row: Row) -> ReplyRoute | None:
    if row.maybe_integer("reply_application") is None:
        return None
    return ReplyRoute(
        application_id=row.integer("reply_application"),
        token=row.maybe_text("reply_token") or "",
        expires_at_ms=row.integer("reply_expires_at"),
        channel_id=row.integer("reply_channel"),
        message_id=row.integer("reply_message"),
        upload_limit=row.integer("reply_upload_limit"),
    )


def _summary(row: Row) -> JobSummary:
    return JobSummary(
        id=row.integer("id"),
        guild_id=row.integer("guild_id"),
        channel_id=row.integer("channel_id"),
        created_ms=row.integer("created_at"),
        command=row.text("command"),
        model=row.text("model"),
        models=row.integer("models"),
        count=row.integer("pictures"),
        private=bool(row.integer("is_private")),
        prompt=row.maybe_text("prompt"),
        delivery=Delivery(row.text("delivery")),
        spent=row.integer("spent"),
        pending=row.integer("pending"),
        open_charges=row.integer("open_charges"),
        message_channel_id=row.maybe_integer("message_channel"),
        message_id=row.maybe_integer("message_id"),
    )
