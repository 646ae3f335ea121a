"""What Discord demands of a command's options: names, nesting, choices and ranges.

Source: Discord's documentation, "Application Command Object".
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from enum import IntEnum
from itertools import pairwise
from math import isfinite
from typing import Final

from sandbox.discord.rules.fields import MAX_SAFE_INTEGER, Fields, as_int, as_list, as_object


class OptionType(IntEnum):
    """`type` of a command's option."""

    SUBCOMMAND = 1
    GROUP = 2
    STRING = 3
    INTEGER = 4
    BOOLEAN = 5
    USER = 6
    CHANNEL = 7
    ROLE = 8
    MENTIONABLE = 9
    NUMBER = 10
    ATTACHMENT = 11


NESTING: Final = (OptionType.SUBCOMMAND, OptionType.GROUP)
TYPED: Final = (OptionType.STRING, OptionType.INTEGER, OptionType.NUMBER)
"""The types that may have choices or autocomplete."""
NAME_LENGTH: Final = 32
DESCRIPTION_LENGTH: Final = 100
CHOICE_LENGTH: Final = 100
TEXT_LENGTH: Final = 6000
"""Characters of a text option's value, unless the option says less."""
MOST_OPTIONS: Final = 25
MOST_CHOICES: Final = 25
LOCALES: Final = frozenset(
    re.findall(
        r"\S+",
        "id da de en-GB en-US es-ES es-419 fr hr it lt hu nl no pl pt-BR ro fi sv-SE vi tr cs el"
        " bg ru uk hi th zh-CN ja zh-TW ko ar he",
    )
)
_VALUES: Final = tuple(kind for kind in OptionType if kind not in NESTING)
_CHANNEL_TYPES: Final = (0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15)
# Combining signs of these two scripts belong to names though they are neither letters nor digits.
_DEVANAGARI: Final = range(0x0900, 0x0980)
_THAI: Final = range(0x0E00, 0x0E80)
_NOT_THAI: Final = 0x0E3F  # the baht sign: a currency sign of no script


def is_name(text: str) -> bool:
    """Tell whether `text` can name a slash command or an option (Discord's naming rule)."""
    return 1 <= len(text) <= NAME_LENGTH and text == text.lower() and all(map(_in_name, text))


def _in_name(char: str) -> bool:
    if char in "-_'" or unicodedata.category(char)[0] in "LN":
        return True
    point = ord(char)
    # The two dandas of the Devanagari block are shared by many scripts (script "Common").
    devanagari = point in _DEVANAGARI and char not in "\u0964\u0965\u0951\u0952"
    return devanagari or (
        point in _THAI and point != _NOT_THAI and unicodedata.name(char, "") != ""
    )


def check_name(fields: Fields) -> str | None:
    """Check `name` of a slash command or an option."""
    name = fields.text("name", low=1, high=NAME_LENGTH, required=True)
    if name is not None and 1 <= len(name) <= NAME_LENGTH and not is_name(name):
        fields.fault("name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    return name


def check_localizations(fields: Fields, key: str, *, high: int, lower_case: bool = False) -> None:
    """Check a table of translations: known locales, 1 to `high` characters, names where asked."""
    if not fields.has(key):
        return
    table = Fields(fields.raw[key], path=(*fields.path, key), problems=fields.problems)
    for locale in table.raw:
        if locale not in LOCALES:
            table.fault(locale, "BASE_TYPE_CHOICES", "Value must be a locale that Discord knows.")
            continue
        text = table.text(locale, low=1, high=high, required=True)
        if lower_case and text and len(text) <= high and not is_name(text):
            table.fault(locale, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")


def longest(part: Mapping[str, object], key: str) -> int:
    """Return the length of the longest of `key` and its translations."""
    texts: list[object] = [part.get(key)]
    texts += (as_object(part.get(f"{key}_localizations")) or {}).values()
    return max(len(text) if isinstance(text, str) else 0 for text in texts)


def check_options(
    owner: Fields, *, allowed: Sequence[OptionType] = tuple(OptionType)
) -> list[dict[str, object]]:
    """Check `options` of a command, a group or a subcommand, and return them as stored.

    `allowed` are the types that may stand at this level.
    """
    found = owner.items("options", high=MOST_OPTIONS)
    options = [
        _check_option(
            Fields(each, path=(*owner.path, "options", index), problems=owner.problems), allowed
        )
        for index, each in enumerate(found)
    ]
    _check_level(owner, options)
    return options


def _check_level(owner: Fields, options: Sequence[Mapping[str, object]]) -> None:
    """Check what only shows when an option is seen beside its neighbours."""
    names: set[object] = set()
    for index, option in enumerate(options):
        if option["name"] in names:
            owner.problems.add(
                (*owner.path, "options", index, "name"),
                "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS",
                "Option name already exists",
            )
        names.add(option["name"])
    if len({option["type"] in NESTING for option in options}) > 1:
        owner.fault(
            "options",
            "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
            "Sub-command and sub-command group option types are mutually exclusive to all other"
            " types",
        )
        return
    for index, (before, after) in enumerate(pairwise(options)):
        if after.get("required") and not before.get("required"):
            owner.problems.add(
                (*owner.path, "options", index + 1),
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                "Required options must be placed before non-required options",
            )


def _check_option(fields: Fields, allowed: Sequence[OptionType]) -> dict[str, object]:
    name = check_name(fields)
    fields.text("description", low=1, high=DESCRIPTION_LENGTH, required=True)
    check_localizations(fields, "name_localizations", high=NAME_LENGTH, lower_case=True)
    check_localizations(fields, "description_localizations", high=DESCRIPTION_LENGTH)
    kind = fields.choice("type", tuple(allowed), required=True)
    option: dict[str, object] = {
        "type": kind,
        "name": name,
        **fields.kept(("description", "name_localizations", "description_localizations")),
    }
    if kind == OptionType.GROUP:
        option["options"] = check_options(fields, allowed=(OptionType.SUBCOMMAND,))
        if not option["options"]:
            fields.fault("options", "BASE_TYPE_REQUIRED", "This field is required")
    elif kind == OptionType.SUBCOMMAND:
        option["options"] = check_options(fields, allowed=_VALUES)
    elif kind is not None:
        option["required"] = fields.boolean("required")
        option.update(_check_value_rules(fields, OptionType(int(kind))))
    return option


def _check_value_rules(fields: Fields, kind: OptionType) -> dict[str, object]:
    """Check what limits an option's value, and return the rules that apply to its type."""
    rules: dict[str, object] = {}
    if kind in TYPED:
        rules |= _check_offers(fields, kind)
    if kind == OptionType.STRING:
        fields.whole("min_length", low=0, high=TEXT_LENGTH)
        fields.whole("max_length", low=1, high=TEXT_LENGTH)
        rules |= _check_range(fields, "min_length", "max_length")
    elif kind in (OptionType.INTEGER, OptionType.NUMBER):
        for key in ("min_value", "max_value"):
            if fields.has(key):
                _check_number(fields, key, kind)
        rules |= _check_range(fields, "min_value", "max_value")
    elif kind == OptionType.CHANNEL:
        found = fields.items("channel_types", high=len(_CHANNEL_TYPES))
        if not all(as_int(each) in _CHANNEL_TYPES for each in found):
            fields.fault("channel_types", "BASE_TYPE_CHOICES", "Unknown type of channel.")
        rules |= fields.kept(("channel_types",))
    return rules


def _check_offers(fields: Fields, kind: OptionType) -> dict[str, object]:
    """Check the values that an option offers by itself, or through autocomplete; never both."""
    offers: dict[str, object] = {}
    choices = _check_choices(fields, kind)
    if choices:
        offers["choices"] = choices
    if fields.boolean("autocomplete"):
        offers["autocomplete"] = True
        if choices:
            fields.fault(
                "autocomplete",
                "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_CHOICES",
                "An option with choices cannot have autocomplete",
            )
    return offers


def _check_range(fields: Fields, low: str, high: str) -> dict[str, object]:
    least, most = fields.raw.get(low), fields.raw.get(high)
    numbers = isinstance(least, int | float) and isinstance(most, int | float)
    if numbers and least > most:  # type: ignore[operator] # both were seen to be numbers
        fields.fault(low, "APPLICATION_COMMAND_OPTIONS_RANGE", f"{low} is greater than {high}")
    return fields.kept((low, high))


def _check_number(fields: Fields, key: str, kind: OptionType) -> None:
    value = fields.raw[key]
    if kind == OptionType.INTEGER:
        fields.whole(key, low=-MAX_SAFE_INTEGER, high=MAX_SAFE_INTEGER, required=True)
    elif isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        fields.fault(key, "NUMBER_TYPE_COERCE", f'Value "{value}" is not float.')
    elif abs(value) > MAX_SAFE_INTEGER:
        fields.fault(key, "NUMBER_TYPE_MAX", "Must be between -2^53 and 2^53.")


def check_choice(
    value: object, *, owner: Fields, path: Sequence[str | int], kind: OptionType
) -> dict[str, object]:
    """Check one choice (`name`, `value`) for an option of type `kind`, and return it."""
    choice = Fields(value, path=(*owner.path, *path), problems=owner.problems)
    choice.text("name", low=1, high=CHOICE_LENGTH, required=True)
    check_localizations(choice, "name_localizations", high=CHOICE_LENGTH)
    if kind == OptionType.STRING:
        choice.text("value", low=1, high=CHOICE_LENGTH, required=True)
    elif not choice.has("value"):
        choice.fault("value", "BASE_TYPE_REQUIRED", "This field is required")
    else:
        _check_number(choice, "value", kind)
    return choice.kept(("name", "name_localizations", "value"))


def _check_choices(fields: Fields, kind: OptionType) -> list[dict[str, object]]:
    choices = [
        check_choice(each, owner=fields, path=("choices", index), kind=kind)
        for index, each in enumerate(fields.items("choices", high=MOST_CHOICES))
    ]
    for key in ("name", "value"):
        seen: list[object] = []
        for index, choice in enumerate(choices):
            if choice.get(key) in seen:
                fields.problems.add(
                    (*fields.path, "choices", index),
                    f"APPLICATION_COMMAND_OPTIONS_CHOICE_{key.upper()}_ALREADY_EXISTS",
                    f"Option choice {key} already exists",
                )
            seen.append(choice.get(key))
    return choices


def find_options(command: Mapping[str, object], subcommand: str) -> list[Mapping[str, object]]:
    """Return the options of a stored command, or of its `"sub"` or `"group sub"`.

    Raises KeyError for a subcommand that it does not have, and for none where it has some.
    """
    level: Mapping[str, object] = command
    for name in subcommand.split():
        found = [
            option
            for option in as_list(level.get("options"))
            if isinstance(option, dict)
            and option.get("type") in NESTING
            and option.get("name") == name
        ]
        if not found:
            raise KeyError(name)
        level = found[0]
    options: list[Mapping[str, object]] = [
        option for option in as_list(level.get("options")) if isinstance(option, dict)
    ]
    if any(option.get("type") in NESTING for option in options):
        raise KeyError(subcommand)
    return options
