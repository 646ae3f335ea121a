"""What Discord demands of a message, new or edited, on every route that carries one.

Source: Discord's documentation, "Messages Resource". Components, embeds and files have rule files
of their own; who may write where is the server's business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import Final

from sandbox.discord.rules.components import MOST_COMPONENTS, check_components
from sandbox.discord.rules.embeds import MOST_EMBEDS, check_embeds
from sandbox.discord.rules.fields import Fields, as_int, as_list
from sandbox.discord.rules.mentions import check_allowed_mentions
from sandbox.discord.rules.parts import assign_component_ids
from sandbox.discord.rules.uploads import AttachmentPlan, Upload, plan_attachments
from sandbox.discord.rules.violations import (
    EMPTY_MESSAGE,
    FORWARD_WITH_CONTENT,
    Path,
    Problems,
    RuleViolation,
)

CONTENT_LENGTH: Final = 2000
NONCE_LENGTH: Final = 25
SUPPRESS_EMBEDS: Final = 1 << 2
EPHEMERAL: Final = 1 << 6
SUPPRESS_NOTIFICATIONS: Final = 1 << 12
COMPONENTS_V2: Final = 1 << 15
_EDITABLE: Final = SUPPRESS_EMBEDS | COMPONENTS_V2
_BY_BOT: Final = _EDITABLE | SUPPRESS_NOTIFICATIONS
_MOST_STICKERS: Final = 3
_FORWARD: Final = 1
_INT64: Final = 2**63


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
    payload: object, *, route: Route, uploads: Sequence[Upload] = (), path: Path = ()
) -> CheckedMessage:
    """Check a new message. Raises RuleViolation (50035, or 50006 when it is empty).

    Sizes of uploads are `check_uploads`' business. `path` is where the message stands in the body.
    """
    settable = _BY_BOT if route is Route.CHANNEL else _BY_BOT | EPHEMERAL
    return _Check(
        payload, before=None, polls=True, settable=settable, uploads=uploads, path=path
    ).run()


def check_edit(
    payload: object,
    *,
    route: Route,
    before: Before,
    uploads: Sequence[Upload] = (),
    path: Path = (),
) -> CheckedMessage:
    """Check an edit of `before`; what the payload leaves out stays. Raises RuleViolation.

    Flags that the message has already may be sent along; only embeds' suppression and components
    v2 can be changed, and the latter only be switched on. The bot's own route takes no poll.
    """
    settable = _EDITABLE | before.flags
    return _Check(
        payload,
        before=before,
        polls=route is not Route.CHANNEL,
        settable=settable,
        uploads=uploads,
        path=path,
    ).run()


class _Check:
    """One pass over one message body."""

    def __init__(
        self,
        payload: object,
        *,
        before: Before | None,
        polls: bool,
        settable: int,
        uploads: Sequence[Upload],
        path: Path,
    ) -> None:
        self._problems = Problems()
        self._fields = Fields(payload, path=path, problems=self._problems)
        self._new = before is None
        self._before = before or Before()
        self._polls = polls
        self._settable = settable
        self._uploads = uploads

    def run(self) -> CheckedMessage:
        fields = self._fields
        flags = self._flags()
        content = self._content()
        embeds = self._embeds()
        attachments = plan_attachments(
            fields,
            uploads=self._uploads,
            kept=self._before.attachments,
            new_message=self._new,
        )
        components = self._components(flags, attachments)
        poll = self._before.has_poll
        if self._polls and "poll" in fields.raw:
            poll = fields.has("poll")
        stickers = bool(fields.items("sticker_ids", high=_MOST_STICKERS)) or (
            self._before.has_stickers and "sticker_ids" not in fields.raw
        )
        message = CheckedMessage(
            content=content,
            embeds=embeds,
            components=components,
            flags=flags,
            attachments=attachments,
            allowed_mentions=check_allowed_mentions(fields),
            nonce=self._nonce(),
            enforce_nonce=fields.boolean("enforce_nonce"),
            tts=fields.boolean("tts"),
            reference_id=self._reference(),
        )
        if flags & COMPONENTS_V2:
            legacy = {"content": content, "embeds": embeds, "poll": poll, "sticker_ids": stickers}
            self._refuse_legacy(legacy)
        self._problems.raise_if_any()
        if not (content or embeds or components or attachments or poll or stickers):
            self._refuse_empty()
        return message

    def _content(self) -> str:
        if "content" not in self._fields.raw:
            return self._before.content
        return (self._fields.text("content", high=CONTENT_LENGTH) or "").strip()

    def _embeds(self) -> list[dict[str, object]]:
        fields = self._fields
        if "embeds" not in fields.raw:
            return [dict(embed) for embed in self._before.embeds]
        found = fields.items("embeds", high=MOST_EMBEDS)
        return check_embeds(found, path=(*fields.path, "embeds"), problems=self._problems)

    def _flags(self) -> int:
        fields = self._fields
        given = fields.whole("flags", low=0, high=2**31 - 1)
        before = self._before.flags
        if given is None:
            return before
        if given & ~self._settable:
            fields.fault("flags", "MESSAGE_FLAGS_INVALID", "These flags cannot be set here")
        if before & ~given & COMPONENTS_V2:
            fields.fault(
                "flags",
                "MESSAGE_CANNOT_REMOVE_COMPONENTS_V2_FLAG",
                "The IS_COMPONENTS_V2 flag cannot be removed from a message",
            )
        return given if self._new else (before & ~_EDITABLE) | (given & _EDITABLE)

    def _components(
        self, flags: int, attachments: Sequence[AttachmentPlan]
    ) -> list[dict[str, object]]:
        fields = self._fields
        if "components" not in fields.raw:
            return [dict(component) for component in self._before.components]
        # So many may stand at the top of the form; the rules of each version say more.
        found = fields.items("components", high=MOST_COMPONENTS)
        checked = check_components(
            found,
            path=(*fields.path, "components"),
            problems=self._problems,
            version2=bool(flags & COMPONENTS_V2),
            files={plan.filename for plan in attachments},
        )
        return assign_component_ids(checked)

    def _refuse_legacy(self, legacy: Mapping[str, object]) -> None:
        for key, value in legacy.items():
            if value:
                self._fields.fault(
                    key,
                    "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                    f"The '{key}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
                )

    def _refuse_empty(self) -> None:
        if self._fields.has("message_reference") and self._is_forward():
            return
        raise RuleViolation(HTTPStatus.BAD_REQUEST, EMPTY_MESSAGE, "Cannot send an empty message")

    def _nonce(self) -> str | int | None:
        value = self._fields.raw.get("nonce")
        if not isinstance(value, str):
            if not self._fields.has("nonce"):
                return None
            return self._fields.whole("nonce", low=-_INT64, high=_INT64 - 1)
        return self._fields.text("nonce", high=NONCE_LENGTH)

    def _is_forward(self) -> bool:
        reference = self._fields.raw.get("message_reference")
        return isinstance(reference, dict) and as_int(reference.get("type")) == _FORWARD

    def _reference(self) -> int | None:
        fields = self._fields
        if not fields.has("message_reference"):
            return None
        reference = Fields(
            fields.raw["message_reference"],
            path=(*fields.path, "message_reference"),
            problems=self._problems,
        )
        reference.choice("type", (0, _FORWARD))
        for key in ("guild_id", "channel_id"):
            reference.snowflake(key)
        reference.boolean("fail_if_not_exists")
        if self._is_forward() and (
            fields.raw.get("content") or as_list(fields.raw.get("embeds")) or self._uploads
        ):
            raise RuleViolation(
                HTTPStatus.BAD_REQUEST,
                FORWARD_WITH_CONTENT,
                "Forward messages cannot have additional content",
            )
        return reference.snowflake("message_id", required=True)
