"""What Discord demands of application commands when an application registers them.

Source: Discord's documentation, "Application Commands". Who may invoke a command is not decided
here, and what they type is `invocations.py`. The options themselves are `options.py`.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from sandbox.discord.rules.fields import Fields, as_int, as_list
from sandbox.discord.rules.options import (
    DESCRIPTION_LENGTH,
    check_localizations,
    check_name,
    check_options,
    longest,
)
from sandbox.discord.rules.violations import TOO_MANY_COMMANDS, Problems, RuleViolation

CHAT_INPUT: Final = 1
USER: Final = 2
MESSAGE: Final = 3
MOST: Final = {CHAT_INPUT: 100, USER: 15, MESSAGE: 15}
"""How many commands of each type one scope may hold (Discord's documentation; 130 in all)."""
TOTAL_TEXT: Final = 8000
"""Characters of all names, descriptions and choice values of one command."""
_NAME_LENGTH: Final = 32
_CONTEXTS: Final = (0, 1, 2)
_INTEGRATIONS: Final = (0, 1)


def check_commands(payload: object) -> list[dict[str, object]]:
    """Check the body of a bulk overwrite (`PUT .../commands`).

    Returns the commands as Discord stores them: defaults filled in (`type`, `contexts`, `nsfw`,
    `options`, `description`, ...), without `id`, `application_id` and `version`.
    Raises RuleViolation.
    """
    problems = Problems()
    if not isinstance(payload, list):
        problems.add((), "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    commands = [
        _check(each, path=(index,), problems=problems)
        for index, each in enumerate(as_list(payload))
    ]
    seen: set[tuple[object, object]] = set()
    for index, command in enumerate(commands):
        key = (command["type"], command["name"])
        if key in seen:
            problems.add(
                (index, "name"),
                "APPLICATION_COMMANDS_DUPLICATE_NAME",
                "Application command names must be unique",
            )
        seen.add(key)
    problems.raise_if_any()
    _check_room(commands)
    return commands


def check_command(
    payload: object, *, registered: Sequence[Mapping[str, object]] = ()
) -> dict[str, object]:
    """Check the body of `POST .../commands`, given the commands `registered` in that scope.

    A registered command of the same name and type is replaced, so it does not count.
    Returns the command as `check_commands` does. Raises RuleViolation.
    """
    problems = Problems()
    command = _check(payload, path=(), problems=problems)
    problems.raise_if_any()
    others = [each for each in registered if _key(each) != _key(command)]
    _check_room([*others, command])
    return command


def check_command_patch(
    patch: object,
    *,
    current: Mapping[str, object],
    registered: Sequence[Mapping[str, object]] = (),
) -> dict[str, object]:
    """Check the body of `PATCH .../commands/{id}`; `registered` includes `current`.

    Returns the whole command after the change; its type can't change. Raises RuleViolation.
    """
    problems = Problems()
    changes = dict(Fields(patch, path=(), problems=problems).raw)
    changes.pop("type", None)
    command = _check({**current, **changes}, path=(), problems=problems)
    if any(_key(each) == _key(command) and _key(each) != _key(current) for each in registered):
        problems.add(
            ("name",),
            "APPLICATION_COMMANDS_DUPLICATE_NAME",
            "Application command names must be unique",
        )
    problems.raise_if_any()
    return command


def _key(command: Mapping[str, object]) -> tuple[object, object]:
    return command.get("type", CHAT_INPUT), command.get("name")


def _check_room(commands: Sequence[Mapping[str, object]]) -> None:
    for kind, most in MOST.items():
        if sum(command.get("type", CHAT_INPUT) == kind for command in commands) > most:
            raise RuleViolation(
                HTTPStatus.BAD_REQUEST,
                TOO_MANY_COMMANDS,
                f"Maximum number of application commands reached ({most})",
            )


def _check(value: object, *, path: tuple[str | int, ...], problems: Problems) -> dict[str, object]:
    fields = Fields(value, path=path, problems=problems)
    given = fields.choice("type", tuple(MOST))
    kind = given if given is not None else CHAT_INPUT
    options: list[dict[str, object]] = []
    if kind == CHAT_INPUT:
        name = check_name(fields)
        fields.text("description", low=1, high=DESCRIPTION_LENGTH, required=True)
        check_localizations(fields, "description_localizations", high=DESCRIPTION_LENGTH)
        options = check_options(fields)
    else:
        name = fields.text("name", low=1, high=_NAME_LENGTH, required=True)
        _check_menu(fields)
    check_localizations(
        fields, "name_localizations", high=_NAME_LENGTH, lower_case=kind == CHAT_INPUT
    )
    command: dict[str, object] = {
        "type": kind,
        "name": name,
        "name_localizations": fields.raw.get("name_localizations"),
        "description": fields.raw.get("description") or "",
        "description_localizations": fields.raw.get("description_localizations"),
        "options": options,
        "default_member_permissions": _permissions(fields),
        "dm_permission": fields.boolean("dm_permission", default=True),
        "contexts": _numbers(fields, "contexts", _CONTEXTS),
        "integration_types": _numbers(fields, "integration_types", _INTEGRATIONS) or [0],
        "nsfw": fields.boolean("nsfw"),
    }
    if _size(command) > TOTAL_TEXT:
        problems.add(
            path,
            "APPLICATION_COMMAND_TOO_LARGE",
            f"Command exceeds maximum size ({TOTAL_TEXT})",
        )
    return command


def _check_menu(fields: Fields) -> None:
    if fields.raw.get("description"):
        message = "Context menu commands cannot have description"
        fields.fault("description", "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION", message)
    if fields.raw.get("options"):
        message = "Context menu commands cannot have options"
        fields.fault("options", "APPLICATION_COMMAND_CONTEXT_MENU_OPTIONS", message)


def _permissions(fields: Fields) -> str | None:
    """Read a bit set, digits or a number; Discord stores and returns it as digits."""
    bits = fields.snowflake("default_member_permissions")
    return None if bits is None else str(bits)


def _numbers(fields: Fields, key: str, allowed: Sequence[int]) -> list[int] | None:
    if not fields.has(key):
        return None
    found = fields.items(key, low=1, high=len(allowed))
    numbers = [number for each in found if (number := as_int(each)) is not None]
    if len(numbers) != len(found) or not set(numbers) <= set(allowed):
        choices = ", ".join(map(str, allowed))
        fields.fault(key, "BASE_TYPE_CHOICES", f"Value must be one of ({choices}).")
    elif len(set(numbers)) != len(numbers):
        fields.fault(key, "SET_TYPE_ALREADY_CONTAINS_VALUE", "The set already contains this value")
    return numbers


def _size(part: Mapping[str, object]) -> int:
    """Count the characters that fall under `TOTAL_TEXT`; of translations only the longest."""
    size = longest(part, "name") + longest(part, "description")
    for choice in as_list(part.get("choices")):
        if isinstance(choice, dict):
            size += longest(choice, "name") + len(str(choice.get("value", "")))
    return size + sum(
        _size(option) for option in as_list(part.get("options")) if isinstance(option, dict)
    )
