"""Discord's rules as pure functions: look at JSON, raise what Discord would answer, or normalise.

Nothing here opens a socket, keeps state or knows the time. The server decides when a rule applies.
"""

from sandbox.discord.rules.commands import check_command, check_command_patch, check_commands
from sandbox.discord.rules.interactions import (
    CallbackType,
    CheckedCallback,
    InteractionType,
    check_callback,
    check_choices,
    focused_option_type,
)
from sandbox.discord.rules.invocations import autocomplete_options, check_invocation
from sandbox.discord.rules.mentions import Pings, pings
from sandbox.discord.rules.messages import (
    Before,
    CheckedMessage,
    Route,
    check_edit,
    check_message,
)
from sandbox.discord.rules.modals import check_modal
from sandbox.discord.rules.parts import assign_component_ids
from sandbox.discord.rules.submissions import check_modal_submission
from sandbox.discord.rules.uploads import (
    FILE_LIMIT,
    REQUEST_LIMIT,
    AttachmentPlan,
    Upload,
    check_uploads,
    clean_filename,
)
from sandbox.discord.rules.violations import InvocationError, RuleViolation

__all__ = [
    "FILE_LIMIT",
    "REQUEST_LIMIT",
    "AttachmentPlan",
    "Before",
    "CallbackType",
    "CheckedCallback",
    "CheckedMessage",
    "InteractionType",
    "InvocationError",
    "Pings",
    "Route",
    "RuleViolation",
    "Upload",
    "assign_component_ids",
    "autocomplete_options",
    "check_callback",
    "check_choices",
    "check_command",
    "check_command_patch",
    "check_commands",
    "check_edit",
    "check_invocation",
    "check_message",
    "check_modal",
    "check_modal_submission",
    "check_uploads",
    "clean_filename",
    "focused_option_type",
    "pings",
]
