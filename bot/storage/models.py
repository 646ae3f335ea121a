"""What the ledger and the job store take and give: plain data, no SQL.

Money is micro-USD, times are epoch ms (UTC), sizes are bytes. Owns no behaviour.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from bot.errors import BotError
from bot.hiding import repr_without
from bot.money import Micros
from bot.requests import Actor, ImageRequest, ReplyRoute

MAX_CHARGES_PER_JOB: Final = 100
"""More pictures in one job than any command offers: a larger count is a fault, not a wish."""


class DuplicateJob(BotError):
    """A job with this `idem` is already in the books; it is `job_id`. Nothing was held again."""

    def __init__(self, idem: str, job_id: int) -> None:
        super().__init__(idem)
        self.idem = idem
        self.job_id = job_id


class PolicyChanged(BotError):
    """The guild's rules on models were changed after the job was judged: judge it anew."""


class ChargeState(StrEnum):
    """Where one provider request stands; the arrows are drawn in `bot.storage.ledger`."""

    HELD = "held"
    """Money is reserved, nothing was sent. Open."""
    DISPATCHED = "dispatched"
    """The request may be on its way; its outcome is awaited. Open."""
    SETTLED = "settled"
    """The provider's true cost is recorded."""
    RELEASED = "released"
    """It cost nothing, as far as anybody knows."""
    UNKNOWN = "unknown"
    """It was sent and no answer came: the held amount still counts."""
    PRESUMED = "presumed"
    """No answer came in time, so the held amount counts as spent until the truth turns up."""


class Delivery(StrEnum):
    """Whether the person has got the answer to a job."""

    OPEN = "open"
    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"


class NewCharge(Struct, frozen=True):
    """One request to ImageRouter that a job wants to send."""

    model: str
    """The catalogue id that will be used, chosen already."""
    ceiling: Micros
    """The most that it may cost, which is what is held for it."""


class NewJob(Struct, frozen=True):
    """A job that asks for money."""

    id: int
    """From `bot.ids.make_id`."""
    idem: str
    """What makes a replay recognisable: the interaction's id, or a painted mask's link."""
    actor: Actor
    request: ImageRequest
    """The prompt of a private request is never stored."""
    charges: tuple[NewCharge, ...]
    """One for each of `request.count` pictures, in their order; all are held, or none."""
    reply: ReplyRoute | None
    """Where the answer goes; None until the interaction's answer exists (see `set_reply`)."""
    created_ms: int
    parent_id: int | None = None
    """The job whose result this one repeats or edits."""
    about: Micros | None = None
    """What the whole job usually costs, where anybody knows; told in refusals."""
    agreed: Micros = 0
    """What the person has said that the whole job may cost."""
    policy_version: int | None = None
    """The guild's rules on models that it was judged by; None: by none."""

    @property
    def model(self) -> str:
        """The model of the first picture; of all of them, unless models are compared."""
        return self.charges[0].model

    @property
    def dearest(self) -> Micros:
        """The most that any one picture may cost."""
        return max(charge.ceiling for charge in self.charges)

    @property
    def amount(self) -> Micros:
        """The most that the whole job may cost."""
        return sum(charge.ceiling for charge in self.charges)


class HeldJob(Struct, frozen=True):
    """A job whose money is reserved; `charge_ids` are in the order of the pictures."""

    job_id: int
    charge_ids: tuple[int, ...]
    dispatched: bool = False
    """The charges are marked as sent already: send each, and `dispatch` none."""


class Output(Struct, frozen=True):
    """One picture that a charge brought: its URL at the provider, or its bytes."""

    url: str | None = None
    data: bytes | None = None
    media_type: str | None = None

    def __repr__(self) -> str:
        return repr_without(self, "data")


class Settlement(Struct, frozen=True):
    """What settling did."""

    changed: bool
    """False: the cost was recorded before (or the charge was never sent); nothing was added."""
    overrun: Micros
    """How much of the cost no reservation covered: above the hold, or after a release."""
    job_closed: bool
    """True for exactly one change in a job's life: the one that closed its last open charge."""
    spent_today: Micros | None = None
    """By the job's person, everywhere, since midnight where they are, as `/usage` counts it; None
    where nobody asked."""
    presses_budget: bool = False
    """The cost went into a pooled budget of which half or more is spent, or into the day of a
    member who has spent much: see `Policies.crossed` and `Policies.spiked`."""


class Swept(Struct, frozen=True):
    """What a sweep changed."""

    released_jobs: tuple[int, ...] = ()
    """Jobs with charges that were never sent and now cost nothing."""
    unknown_charges: tuple[int, ...] = ()
    """Charges that were sent and whose outcome nobody awaits any more."""
    presumed_charges: tuple[int, ...] = ()
    """Charges that now count as spent at the held amount."""
    pressing_jobs: tuple[int, ...] = ()
    """Jobs whose presumed charges press on a pooled budget: see `Policies.crossed`."""


class Charge(Struct, frozen=True):
    """One provider request of a job."""

    id: int
    index: int
    """0-based, the order of the pictures."""
    model: str
    state: ChargeState
    held: Micros
    """What was reserved for it, whatever its state is now."""
    actual: Micros | None
    """What counts as spent; None while nothing does. For `presumed`, the held amount."""
    overrun: Micros
    pictures: int
    """How many it brought, kept or not."""
    reason: str
    """Why it was released or is unknown; empty otherwise."""
    outputs: tuple[Output, ...]
    """The pictures it brought; the bytes are gone once the job is delivered, and private jobs
    never have any."""
    took_ms: int | None
    """From sending it to its answer; None where there is none, or it came late."""


class Job(Struct, frozen=True):
    """Everything known about a job: enough to close its message truthfully after a crash."""

    id: int
    idem: str
    parent_id: int | None
    actor: Actor
    """Without roles and operator mark, which are not kept."""
    request: ImageRequest
    """As asked; the prompt is empty when it was private or has been erased."""
    prompt: str | None
    """None: private, or erased."""
    model: str
    """That of the first picture; `request.models` has all of them where models are compared."""
    ceiling: Micros
    """The most that any one picture may cost."""
    created_ms: int
    charges: tuple[Charge, ...]
    delivery: Delivery
    reply: ReplyRoute | None
    """Its token is empty once it expired or the job was closed."""
    message_channel_id: int | None
    """Where the result was posted, with `message_id`; None before delivery."""
    message_id: int | None
    undeliverable_reason: str

    @property
    def private(self) -> bool:
        """Whether only the person may see it, and nothing of it is kept."""
        return self.request.private

    @property
    def spent(self) -> Micros:
        """What counts as spent by now."""
        return sum(charge.actual or 0 for charge in self.charges)

    @property
    def pending(self) -> Micros:
        """What may still turn out to be spent: unknown outcomes, at the held amount."""
        return sum(c.held for c in self.charges if c.state is ChargeState.UNKNOWN)

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The pictures of all its charges, in order."""
        return tuple(output for charge in self.charges for output in charge.outputs)


class JobSummary(Struct, frozen=True):
    """A line in a person's list of jobs."""

    id: int
    guild_id: int
    channel_id: int
    created_ms: int
    command: str
    model: str
    """That of the first picture."""
    models: int
    """How many different ones it asked."""
    count: int
    private: bool
    prompt: str | None
    delivery: Delivery
    spent: Micros
    pending: Micros
    """Unknown outcomes, at the held amount."""
    open_charges: int
    """Charges that wait or run."""
    message_channel_id: int | None
    message_id: int | None
