"""Writing down a new job: its row, its prompt, its counters and its charges."""

import json
from collections.abc import Sequence
from typing import Final, TypeAlias

from msgspec import Struct, field

from bot.clock import Clock
from bot.ids import make_ids
from bot.money import Micros
from bot.quotas import (
    Blocked,
    Defaults,
    Limit,
    NeedsConfirmation,
    Paused,
    PictureTooDear,
    Rules,
    Scope,
    Window,
    limits_for,
)
from bot.requests import Actor, ReplyRoute, inputs_of
from bot.storage._buckets import Counter, Pins, admit, counters_of
from bot.storage._charges import record
from bot.storage._rules import read_rules
from bot.storage.models import (
    ChargeState,
    Delivery,
    DuplicateJob,
    HeldJob,
    NewJob,
    PolicyChanged,
)
from bot.storage.promises import fulfil
from bot.storage.rows import Tx, Value, insert, insertion

_MOST_KNOWN: Final = 5_000
"""Sets of counters whose ids a process remembers."""
_Key: TypeAlias = tuple[int, ...]


class Admission(Struct, frozen=True):
    """A job that was held, and where its counters are."""

    job: HeldJob
    key: _Key
    pins: Pins


class Holder(Struct, frozen=True):
    """Who writes: what every hold of a process has in common."""

    secret: bytes
    process_id: int
    clock: Clock
    defaults: Defaults
    _known: dict[_Key, Pins] = field(default_factory=dict)

    def remember(self, admission: Admission) -> None:
        """Find its counters by their ids from now on. Only what is committed may come here."""
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[admission.key] = admission.pins

    async def hold(
        self,
        job: NewJob,
        given: Sequence[Limit] | None,
        now_ms: int,
        dispatch_lease_ms: int | None,
        tx: Tx,
    ) -> Admission:
        """Reserve a job's money; see `Ledger.hold`."""
        actor = job.actor
        rules = await read_rules(tx, actor, secret=self.secret, defaults=self.defaults)
        counters = counters_of(self.secret, actor, now_ms=now_ms, zones=rules.zones)
        labels = {c.window: c.bounds.label for c in counters if c.scope is counters[0].scope}
        key = _key(actor, counters)
        known = self._known.get(key)
        # First of all, so that a replay is known as one whatever the rules say by now.
        await self._insert_job(
            tx, job, day=labels[Window.DAY], month=labels[Window.MONTH], pins=known
        )
        if job.policy_version is not None and job.policy_version != rules.policy_version:
            raise PolicyChanged
        if job.request.is_edit and job.reply is not None:
            await fulfil(tx, job.reply)  # from here on the job says who waits
        limits = _admitting(rules, actor, now_ms) if given is None else given
        _check_price(limits, job.dearest)
        lease_until = None if dispatch_lease_ms is None else now_ms + dispatch_lease_ms
        charges = await self._insert_charges(tx, job, limits, now_ms, lease_until)
        amount = job.amount
        # Last, since everybody waits for the counters that everybody shares.
        pins = await admit(
            tx,
            counters,
            known=known,
            amount=amount,
            about=job.about,
            limits=[limit for limit in limits if limit.window is not Window.IMAGE],
            clock=self.clock,
        )
        if known is None:
            await tx.fetch("UPDATE job SET pins = $2 WHERE id = $1", job.id, pins.write())
        if given is None and amount > job.agreed and _is_dear(rules, amount):
            raise NeedsConfirmation(needed=amount, above=rules.confirm_above or 0, about=job.about)
        held = HeldJob(job.id, charges, dispatched=lease_until is not None)
        return Admission(held, key, pins)

    async def check(self, actor: Actor, price: Micros, now_ms: int, tx: Tx) -> None:
        """Refuse what no counter is needed for; see `Ledger.check`."""
        rules = await read_rules(tx, actor, secret=self.secret, defaults=self.defaults)
        _check_price(_admitting(rules, actor, now_ms), price)

    async def _insert_job(
        self, tx: Tx, job: NewJob, *, day: str, month: str, pins: Pins | None
    ) -> None:
        actor, request = job.actor, job.request
        columns: dict[str, Value] = {
            "id": job.id,
            "idem": job.idem,
            "parent_id": job.parent_id,
            "process": self.process_id,
            "guild_id": actor.guild_id,
            "channel_id": actor.channel_id,
            "user_id": actor.user_id,
            "command": request.command,
            "asked_model": request.model,
            "model": job.model,
            "size": request.size,
            "quality": request.quality.value,
            "output_format": request.output_format.value,
            "pictures": request.count,
            "is_private": int(request.private),
            "ceiling": job.dearest,
            "open_charges": len(job.charges),
            "day_label": day,
            "month_label": month,
            "pins": "" if pins is None else pins.write(),
            "created_at": job.created_ms,
            **_reply_columns(job.reply),
            "delivery": Delivery.OPEN.value,
            "undeliverable_reason": "",
        }
        inserted = await tx.fetch(
            f"{insertion('job', tuple(columns), 1)} ON CONFLICT (idem) DO NOTHING RETURNING id",
            *columns.values(),
        )
        if not inserted:
            (known,) = await tx.fetch("SELECT id FROM job WHERE idem = $1", job.idem)
            raise DuplicateJob(job.idem, known.integer("id"))
        if not request.private:
            await insert(tx, "prompt", ("job_id", "prompt"), [(job.id, request.prompt)])
            if request.is_edit:
                content = json.dumps(inputs_of(request))
                await insert(tx, "job_input", ("job_id", "content"), [(job.id, content)])

    async def _insert_charges(
        self,
        tx: Tx,
        job: NewJob,
        limits: Sequence[Limit],
        now_ms: int,
        lease_until: int | None,
    ) -> tuple[int, ...]:
        personal = {Scope.MEMBER, Scope.DM}
        roles = [limit.role_id for limit in limits if limit.scope in personal and limit.role_id]
        ids = tuple(make_ids(self.clock, len(job.charges)))
        steps = [ChargeState.HELD.value]
        if lease_until is not None:
            steps.append(ChargeState.DISPATCHED.value)
        rows: list[dict[str, Value]] = [
            {
                "id": charge_id,
                "job_id": job.id,
                "idem": f"{job.idem}:{place}",
                "place": place,
                "process": self.process_id,
                "guild_id": job.actor.guild_id,
                "channel_id": job.actor.channel_id,
                "user_id": job.actor.user_id,
                "command": job.request.command,
                "model": charge.model,
                "limit_role": roles[0] if roles else None,
                "state": steps[-1],
                "prior_state": "" if len(steps) == 1 else steps[-2],
                "held": charge.ceiling,
                "overrun": 0,
                "pictures": 0,
                "reason": "",
                "lease_until": lease_until,
                "created_at": now_ms,
                "changed_at": now_ms,
            }
            for place, (charge_id, charge) in enumerate(zip(ids, job.charges, strict=True))
        ]
        await insert(tx, "charge", tuple(rows[0]), [tuple(row.values()) for row in rows])
        changes = [(charge_id, step, 0) for charge_id in ids for step in steps]
        await record(tx, changes, now_ms, self.clock)
        return ids


def _key(actor: Actor, counters: Sequence[Counter]) -> _Key:
    """Tell counters from others: whose they are, and when they began."""
    starts = [counter.bounds.start_ms for counter in counters]
    return (actor.user_id, actor.guild_id, actor.channel_id, *starts)


def _admitting(rules: Rules, actor: Actor, now_ms: int) -> tuple[Limit, ...]:
    """Return the limits that a job of `actor` must keep, if it may be asked for at all."""
    if rules.blocked is not None:
        raise Blocked(rules.blocked)
    if rules.paused is not None:
        raise Paused(rules.paused)
    return limits_for(rules, actor, now_ms=now_ms)


def _check_price(limits: Sequence[Limit], price: Micros) -> None:
    """Refuse a picture that may cost more than any limit on prices allows; the lowest binds."""
    prices = [limit for limit in limits if limit.window is Window.IMAGE]
    lowest = min(prices, key=lambda limit: limit.amount, default=None)
    if lowest is not None and price > lowest.amount:
        raise PictureTooDear(lowest, price=price)


def _is_dear(rules: Rules, amount: Micros) -> bool:
    """Whether the guild wants people to be asked before a job that may cost `amount`."""
    return rules.confirm_above is not None and amount > rules.confirm_above


def _reply_columns(reply: ReplyRoute | None) -> dict[str, Value]:
    if reply is None:
        return {}
    return {
        "reply_application": reply.application_id,
        "reply_token": reply.token,
        "reply_expires_at": reply.expires_at_ms,
        "reply_channel": reply.channel_id,
        "reply_message": reply.message_id,
        "reply_upload_limit": reply.upload_limit,
    }
