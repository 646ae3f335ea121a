"""What a person's client checks before it sends a command, and what it then sends.

Works on commands as `check_commands` returned them.
"""

from collections.abc import Mapping


def check_invocation(
    command: Mapping[str, object], options: Mapping[str, object], *, subcommand: str = ""
) -> list[dict[str, object]]:
    """Check typed `options` (by name) and return the interaction's `data.options`, in order.

    `subcommand` is `"sub"` or `"group sub"` for commands that have them; the answer is nested
    accordingly. Values: str for text; int (no bool) for integers; int or float for numbers; bool;
    a snowflake as int or str for user, channel, role, mentionable and attachment options, which
    becomes a str. Raises InvocationError naming the option.
    """
    raise NotImplementedError


def autocomplete_options(
    command: Mapping[str, object],
    options: Mapping[str, object],
    *,
    focused: str,
    subcommand: str = "",
) -> list[dict[str, object]]:
    """Return `data.options` of an autocomplete interaction, with `focused: true` on one option.

    `options` is what was typed so far, so required ones may be missing and limits are not applied;
    the focused one is sent as text, whatever its type, and is "" when absent from `options`.
    Raises InvocationError for unknown options, and when `focused` has no autocomplete.
    """
    raise NotImplementedError
