"""What Discord demands of a message, new or edited, on every route that carries one.

Source: Discord's documentation, "Messages Resource" and "Component Reference".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from sandbox.discord.rules.uploads import Upload


class Route(Enum):
    """On which route a message travels; what may be set differs."""

    CHANNEL = "channel"
    """`POST` or `PATCH /channels/{id}/messages`, by the bot's own token."""
    WEBHOOK = "webhook"
    """`POST` or `PATCH /webhooks/...`: follow-ups and their edits, by an interaction's token."""
    CALLBACK = "callback"
    """`POST /interactions/.../callback` of type 4 (new) or 7 (edit)."""


@dataclass(frozen=True, slots=True)
class Before:
    """The message that an edit changes, as stored."""

    content: str = ""
    embeds: Sequence[Mapping[str, object]] = ()
    components: Sequence[Mapping[str, object]] = ()
    flags: int = 0
    attachments: Mapping[int, str] = field(default_factory=dict)
    """Attachment id -> file name."""
    has_poll: bool = False
    has_stickers: bool = False


@dataclass(frozen=True, slots=True)
class AttachmentPlan:
    """One attachment of the message after the request, in order."""

    id: int
    """An `Upload.id` when `new`, else the kept attachment's id."""
    filename: str
    new: bool
    description: str | None = None
    spoiler: bool = False


@dataclass(frozen=True, slots=True)
class CheckedMessage:
    """The whole message as it will be after the request (for an edit: unchanged parts included)."""

    content: str
    embeds: list[dict[str, object]]
    components: list[dict[str, object]]
    """With ids assigned and defaults filled in, `attachment://` references still as sent."""
    flags: int
    attachments: list[AttachmentPlan]
    allowed_mentions: dict[str, object] | None
    """None: absent from the request."""
    nonce: str | int | None = None
    enforce_nonce: bool = False
    tts: bool = False
    reference_id: int | None = None
    """The message that this one replies to."""


def check_message(
    payload: object, *, route: Route, uploads: Sequence[Upload] = ()
) -> CheckedMessage:
    """Check a new message. Raises RuleViolation (50035, or 50006 when it is empty).

    Sizes of uploads are `check_uploads`' business.
    """
    raise NotImplementedError


def check_edit(
    payload: object, *, route: Route, before: Before, uploads: Sequence[Upload] = ()
) -> CheckedMessage:
    """Check an edit of `before`; what the payload leaves out stays. Raises RuleViolation."""
    raise NotImplementedError
