"""Which answers an interaction allows, and what each answer may hold.

Source: Discord's documentation, "Receiving and Responding". When an answer comes too late or twice
is the server's business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from sandbox.discord.rules.messages import Before, CheckedMessage
from sandbox.discord.rules.uploads import Upload


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
    without it, 6 and 7 are refused. `focused_type` is the type (3, 4 or 10) of the option that an
    autocomplete asks about. Raises RuleViolation.
    """
    raise NotImplementedError


def check_choices(choices: object, *, option_type: int) -> tuple[dict[str, object], ...]:
    """Check the choices of an autocomplete answer for an option of type 3, 4 or 10.

    Raises RuleViolation.
    """
    raise NotImplementedError


def focused_option_type(
    command: Mapping[str, object], *, focused: str, subcommand: str = ""
) -> int:
    """Return the type of the option `focused` of a registered command (KeyError if it has none)."""
    raise NotImplementedError
