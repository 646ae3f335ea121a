"""Which answers an interaction allows, and what each answer may hold.

Source: Discord's documentation, "Receiving and Responding". When an answer comes too late or twice
is the server's business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sandbox.discord.rules.fields import Fields, as_int
from sandbox.discord.rules.messages import (
    COMPONENTS_V2,
    EPHEMERAL,
    SUPPRESS_EMBEDS,
    SUPPRESS_NOTIFICATIONS,
    Before,
    CheckedMessage,
    Route,
    check_edit,
    check_message,
)
from sandbox.discord.rules.modals import check_modal
from sandbox.discord.rules.options import MOST_CHOICES, OptionType, check_choice, find_options
from sandbox.discord.rules.uploads import Upload
from sandbox.discord.rules.violations import Path, Problems

_DEFER_FLAGS: Final = EPHEMERAL | SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | COMPONENTS_V2
"""What a deferral may carry; Discord heeds only the first (discord/discord-api-docs#7910)."""


class InteractionType(IntEnum):
    """`type` of an interaction."""

    PING = 1
    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL_SUBMIT = 5


class CallbackType(IntEnum):
    """`type` of an answer."""

    PONG = 1
    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE_MESSAGE = 7
    AUTOCOMPLETE_RESULT = 8
    MODAL = 9


ALLOWED: Final[Mapping[InteractionType, frozenset[CallbackType]]] = {
    InteractionType.PING: frozenset({CallbackType.PONG}),
    InteractionType.COMMAND: frozenset(
        {CallbackType.MESSAGE, CallbackType.DEFERRED_MESSAGE, CallbackType.MODAL}
    ),
    InteractionType.COMPONENT: frozenset(
        {
            CallbackType.MESSAGE,
            CallbackType.DEFERRED_MESSAGE,
            CallbackType.DEFERRED_UPDATE,
            CallbackType.UPDATE_MESSAGE,
            CallbackType.MODAL,
        }
    ),
    InteractionType.AUTOCOMPLETE: frozenset({CallbackType.AUTOCOMPLETE_RESULT}),
    InteractionType.MODAL_SUBMIT: frozenset(
        {
            CallbackType.MESSAGE,
            CallbackType.DEFERRED_MESSAGE,
            CallbackType.DEFERRED_UPDATE,
            CallbackType.UPDATE_MESSAGE,
        }
    ),
}
"""Answers of an application without activities or purchases (which add 12 and 13)."""


_WITHOUT_DATA: Final = (
    CallbackType.MESSAGE,
    CallbackType.DEFERRED_MESSAGE,
    CallbackType.UPDATE_MESSAGE,
)
"""Answers whose `data` may be absent, as if it were empty."""


@dataclass(frozen=True, slots=True)
class CheckedCallback:
    """One answer, checked; which field is set follows from `kind`."""

    kind: CallbackType
    message: CheckedMessage | None = None
    """MESSAGE and UPDATE_MESSAGE."""
    ephemeral: bool = False
    """MESSAGE and DEFERRED_MESSAGE."""
    choices: tuple[dict[str, object], ...] = ()
    """AUTOCOMPLETE_RESULT."""
    modal: dict[str, object] | None = None
    """MODAL."""


def check_callback(
    payload: object,
    *,
    interaction: InteractionType,
    source: Before | None = None,
    focused_type: int | None = None,
    uploads: Sequence[Upload] = (),
) -> CheckedCallback:
    """Check the body of `POST /interactions/{id}/{token}/callback`.

    `source` is the message whose component was used (also for a modal that was opened by one);
    without it, 7 is refused. `focused_type` is the type (3, 4 or 10; default 3) of the option that
    an autocomplete asks about. Raises RuleViolation.
    """
    problems = Problems()
    fields = Fields(payload, path=(), problems=problems)
    allowed = ALLOWED[interaction]
    if source is None:
        allowed -= {CallbackType.UPDATE_MESSAGE}
    found = fields.choice("type", [int(each) for each in allowed], required=True)
    problems.raise_if_any()
    kind = CallbackType(int(found or 0))
    data = fields.raw.get("data")
    if data is None and kind in _WITHOUT_DATA:
        data = {}
    if kind is CallbackType.MESSAGE:
        message = check_message(data, route=Route.CALLBACK, uploads=uploads, path=("data",))
        ephemeral = bool(message.flags & EPHEMERAL)
        return CheckedCallback(kind, message=message, ephemeral=ephemeral)
    if kind is CallbackType.DEFERRED_MESSAGE:
        return CheckedCallback(kind, ephemeral=_check_deferral(data))
    if kind is CallbackType.UPDATE_MESSAGE and source is not None:
        message = check_edit(
            data, route=Route.CALLBACK, before=source, uploads=uploads, path=("data",)
        )
        return CheckedCallback(kind, message=message)
    if kind is CallbackType.AUTOCOMPLETE_RESULT:
        choices = _check_result(data, option_type=focused_type or OptionType.STRING)
        return CheckedCallback(kind, choices=choices)
    if kind is CallbackType.MODAL:
        return CheckedCallback(kind, modal=check_modal(data, path=("data",)))
    return CheckedCallback(kind)


def _check_deferral(data: object) -> bool:
    problems = Problems()
    fields = Fields(data, path=("data",), problems=problems)
    flags = fields.whole("flags", low=0, high=2**31 - 1) or 0
    if flags & ~_DEFER_FLAGS:
        fields.fault("flags", "MESSAGE_FLAGS_INVALID", "These flags cannot be set here")
    problems.raise_if_any()
    return bool(flags & EPHEMERAL)


def _check_result(data: object, *, option_type: int) -> tuple[dict[str, object], ...]:
    problems = Problems()
    fields = Fields(data, path=("data",), problems=problems)
    problems.raise_if_any()
    return check_choices(fields.raw.get("choices"), option_type=option_type, path=fields.path)


def check_choices(
    choices: object, *, option_type: int, path: Path = ()
) -> tuple[dict[str, object], ...]:
    """Check the choices of an autocomplete answer for an option of type 3, 4 or 10.

    Raises RuleViolation; `path` is where `choices` stands in the body.
    """
    problems = Problems()
    fields = Fields({"choices": choices}, path=path, problems=problems)
    checked = tuple(
        check_choice(each, owner=fields, path=("choices", index), kind=OptionType(option_type))
        for index, each in enumerate(fields.items("choices", high=MOST_CHOICES))
    )
    problems.raise_if_any()
    return checked


def focused_option_type(
    command: Mapping[str, object], *, focused: str, subcommand: str = ""
) -> int:
    """Return the type of the option `focused` of a registered command (KeyError if it has none)."""
    for option in find_options(command, subcommand):
        if option.get("name") == focused:
            return as_int(option.get("type")) or 0
    raise KeyError(focused)
