"""What a person's client checks before it sends a command, and what it then sends.

Works on commands as `check_commands` returned them. Source: Discord's documentation, "Application
Commands", and "Application Command Data Structure".
"""

from collections.abc import Mapping
from math import isfinite

from sandbox.discord.rules.fields import MAX_SAFE_INTEGER, as_int, as_list, as_snowflake
from sandbox.discord.rules.options import TEXT_LENGTH, TYPED, OptionType, find_options
from sandbox.discord.rules.violations import InvocationError


def check_invocation(
    command: Mapping[str, object], options: Mapping[str, object], *, subcommand: str = ""
) -> list[dict[str, object]]:
    """Check typed `options` (by name) and return the interaction's `data.options`, in order.

    `subcommand` is `"sub"` or `"group sub"` for commands that have them; the answer is nested
    accordingly. Values: str for text; int (no bool) for integers; int or float for numbers; bool;
    a snowflake as int or str for user, channel, role, mentionable and attachment options, which
    becomes a str. Raises InvocationError naming the option.
    """
    known = _known(command, options, subcommand)
    sent: list[dict[str, object]] = []
    for name, option in known.items():
        if options.get(name) is None or options[name] == "":
            if option.get("required"):
                raise InvocationError(name, "this option is required")
            continue
        value = _check_value(name, option, options[name])
        sent.append({"name": name, "type": option["type"], "value": value})
    return _nest(sent, subcommand)


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
    known = _known(command, options, subcommand)
    if not known.get(focused, {}).get("autocomplete"):
        raise InvocationError(focused, "this option has no autocomplete")
    sent: list[dict[str, object]] = []
    for name, option in known.items():
        typed = options.get(name)
        if name == focused:
            text = "" if typed is None else str(typed)
            sent.append({"name": name, "type": option["type"], "value": text, "focused": True})
        elif typed is not None:
            value = typed if OptionType(_kind(option)) in _PLAIN else str(typed)
            sent.append({"name": name, "type": option["type"], "value": value})
    return _nest(sent, subcommand)


_PLAIN = (*TYPED, OptionType.BOOLEAN)
"""The types whose value is sent as it is; all others are ids."""


def _kind(option: Mapping[str, object]) -> int:
    return as_int(option.get("type")) or 0


def _known(
    command: Mapping[str, object], options: Mapping[str, object], subcommand: str
) -> dict[str, Mapping[str, object]]:
    try:
        known = {str(option["name"]): option for option in find_options(command, subcommand)}
    except KeyError as missing:
        name = str(missing.args[0]) or str(command.get("name"))
        raise InvocationError(name, "choose one of this command's subcommands") from None
    for name in options:
        if name not in known:
            raise InvocationError(name, "this command has no such option")
    return known


def _nest(sent: list[dict[str, object]], subcommand: str) -> list[dict[str, object]]:
    kinds = (OptionType.SUBCOMMAND, OptionType.GROUP)
    for kind, name in zip(kinds, reversed(subcommand.split()), strict=False):
        sent = [{"name": name, "type": int(kind), "options": sent}]
    return sent


def _check_value(name: str, option: Mapping[str, object], value: object) -> object:
    kind = OptionType(_kind(option))
    if kind == OptionType.STRING:
        _check_text(name, option, value)
    elif kind == OptionType.BOOLEAN:
        if not isinstance(value, bool):
            raise InvocationError(name, "choose true or false")
    elif kind in (OptionType.INTEGER, OptionType.NUMBER):
        _check_number(name, option, value)
    else:
        found = as_snowflake(value)
        if found is None:
            raise InvocationError(name, f"choose {_WANTED[kind]}")
        return str(found)
    choices = [choice for choice in as_list(option.get("choices")) if isinstance(choice, dict)]
    if choices and value not in [choice.get("value") for choice in choices]:
        raise InvocationError(name, "choose one of the choices")
    return value


_WANTED = {
    OptionType.USER: "a person",
    OptionType.CHANNEL: "a channel",
    OptionType.ROLE: "a role",
    OptionType.MENTIONABLE: "a person or a role",
    OptionType.ATTACHMENT: "a file",
}


def _check_text(name: str, option: Mapping[str, object], value: object) -> None:
    if not isinstance(value, str):
        raise InvocationError(name, "type some text")
    least = as_int(option.get("min_length")) or 0
    most = as_int(option.get("max_length")) or TEXT_LENGTH
    if not least <= len(value) <= most:
        raise InvocationError(name, f"type {least} to {most} characters")


def _check_number(name: str, option: Mapping[str, object], value: object) -> None:
    whole = option.get("type") == OptionType.INTEGER
    number = as_int(value) if whole or not isinstance(value, float) else value
    if number is None or not isfinite(number) or abs(number) > MAX_SAFE_INTEGER:
        raise InvocationError(name, "type a whole number" if whole else "type a number")
    least, most = option.get("min_value"), option.get("max_value")
    if isinstance(least, int | float) and number < least:
        raise InvocationError(name, f"type a number of at least {least}")
    if isinstance(most, int | float) and number > most:
        raise InvocationError(name, f"type a number of at most {most}")
