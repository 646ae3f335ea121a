"""Components that messages and modals share: ids, custom ids, selects and their options.

Source: Discord's documentation, "Component Reference".
"""

import unicodedata
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Final

from sandbox.discord.rules.fields import Fields, as_int, as_list, as_object
from sandbox.discord.rules.violations import Problems


class ComponentType(IntEnum):
    """`type` of a component."""

    ACTION_ROW = 1
    BUTTON = 2
    STRING_SELECT = 3
    TEXT_INPUT = 4
    USER_SELECT = 5
    ROLE_SELECT = 6
    MENTIONABLE_SELECT = 7
    CHANNEL_SELECT = 8
    SECTION = 9
    TEXT_DISPLAY = 10
    THUMBNAIL = 11
    MEDIA_GALLERY = 12
    FILE = 13
    SEPARATOR = 14
    CONTAINER = 17
    LABEL = 18
    FILE_UPLOAD = 19
    RADIO_GROUP = 21
    CHECKBOX_GROUP = 22
    CHECKBOX = 23


SELECTS: Final = (
    ComponentType.STRING_SELECT,
    ComponentType.USER_SELECT,
    ComponentType.ROLE_SELECT,
    ComponentType.MENTIONABLE_SELECT,
    ComponentType.CHANNEL_SELECT,
)
CUSTOM_ID_LENGTH: Final = 100
OPTION_TEXT: Final = 100
"""Characters of an option's label, value and description."""
SELECT_OPTIONS: Final = 25
_PLACEHOLDER: Final = 150
_EMOJI_NAME: Final = 32
_LARGEST_ID: Final = 2**31 - 1
_KEYCAP: Final = "\N{COMBINING ENCLOSING KEYCAP}"


class Register:
    """What may appear once only in a message or modal: component ids and custom ids."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self._ids: set[int] = set()
        self._custom_ids: set[str] = set()

    def component(self, fields: Fields) -> None:
        """Check `id`; 0 means that Discord shall choose one."""
        number = fields.whole("id", low=0, high=_LARGEST_ID)
        if not number:
            return
        if number in self._ids:
            fields.fault("id", "COMPONENT_ID_DUPLICATED", "Component id cannot be duplicated")
        self._ids.add(number)

    def custom_id(self, fields: Fields, *, required: bool = True) -> None:
        """Check `custom_id`."""
        custom_id = fields.text("custom_id", low=1, high=CUSTOM_ID_LENGTH, required=required)
        if custom_id is None:
            return
        if custom_id in self._custom_ids:
            fields.fault(
                "custom_id",
                "COMPONENT_CUSTOM_ID_DUPLICATED",
                "Component custom id cannot be duplicated",
            )
        self._custom_ids.add(custom_id)


def component_type(fields: Fields, allowed: Sequence[ComponentType]) -> ComponentType | None:
    """Return the component's type when it may stand here; else note the fault at the component."""
    kind = as_int(fields.raw.get("type"))
    if kind is not None and kind in allowed:
        return ComponentType(kind)
    choices = ", ".join(str(int(each)) for each in allowed)
    fields.problems.add(
        fields.path, "UNION_TYPE_CHOICES", f'Value of field "type" must be one of ({choices},).'
    )
    return None


def check_emoji(fields: Fields) -> None:
    """Check `emoji`: a custom one by id, or one Unicode emoji by name."""
    if not fields.has("emoji"):
        return
    emoji = Fields(fields.raw["emoji"], path=(*fields.path, "emoji"), problems=fields.problems)
    number = emoji.snowflake("id")
    name = emoji.text("name", high=_EMOJI_NAME) or ""
    pictographic = any(unicodedata.category(char) == "So" for char in name) or _KEYCAP in name
    words = any(char.isalpha() for char in name)
    if number is None and (words or not pictographic):
        emoji.fault("name", "COMPONENT_INVALID_EMOJI", "Invalid emoji")


def check_options(fields: Fields, *, low: int, high: int) -> list[dict[str, object]]:
    """Check `options` of a select or a group: `low` to `high`, each value once."""
    values: set[object] = set()
    options: list[dict[str, object]] = []
    for index, each in enumerate(fields.items("options", low=low, high=high, required=True)):
        option = Fields(each, path=(*fields.path, "options", index), problems=fields.problems)
        option.text("label", low=1, high=OPTION_TEXT, required=True)
        value = option.text("value", low=1, high=OPTION_TEXT, required=True)
        option.text("description", high=OPTION_TEXT)
        check_emoji(option)
        if value is not None and value in values:
            option.fault(
                "value",
                "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                "The specified option value is already used",
            )
        values.add(value)
        kept = option.kept(("label", "value", "description", "emoji"))
        options.append({**kept, "default": option.boolean("default")})
    return options


def check_amounts(fields: Fields, *, most: int, high: int) -> tuple[int, int]:
    """Check `min_values` and `max_values` (at most `most`); return them, or 1 and `high`."""
    low = fields.whole("min_values", low=0, high=most)
    top = fields.whole("max_values", low=1, high=most)
    least, largest = 1 if low is None else low, high if top is None else top
    if least > largest:
        fields.fault("min_values", "NUMBER_TYPE_MAX", "min_values is greater than max_values.")
    return least, largest


def check_defaults(fields: Fields, options: Sequence[Mapping[str, object]], *, high: int) -> None:
    """Refuse more options set by `default` than a person could choose."""
    if sum(option.get("default") is True for option in options) > high:
        fields.fault("options", *_TOO_MANY_DEFAULTS)


_TOO_MANY_DEFAULTS: Final = (
    "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES",
    "There are more default values than can be chosen",
)


def check_select(fields: Fields, kind: ComponentType, register: Register) -> dict[str, object]:
    """Check a select menu of any type, and return it as stored."""
    register.custom_id(fields)
    fields.text("placeholder", high=_PLACEHOLDER)
    low, high = check_amounts(fields, most=SELECT_OPTIONS, high=1)
    select: dict[str, object] = {
        "type": int(kind),
        **fields.kept(("id", "custom_id", "placeholder", "channel_types", "default_values")),
        "min_values": low,
        "max_values": high,
        "disabled": fields.boolean("disabled"),
    }
    if kind == ComponentType.STRING_SELECT:
        # Discord asks for as many options as may be chosen, and says so as a length of `options`.
        options = check_options(fields, low=max(1, low, high), high=SELECT_OPTIONS)
        check_defaults(fields, options, high=high)
        select["options"] = options
    elif len(fields.items("default_values", high=SELECT_OPTIONS)) > high:
        fields.fault("default_values", *_TOO_MANY_DEFAULTS)
    return select


def assign_component_ids(components: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Return copies in which every component, nested ones too, has an `id`, as Discord does.

    An absent id, or 0, becomes the next number from 1 that nobody in the message uses, parents
    before their children.
    """
    used: set[int] = set()
    for component in components:
        _collect_ids(component, used)
    following = 0

    def with_id(component: Mapping[str, object]) -> dict[str, object]:
        nonlocal following
        copy = dict(component)
        if not as_int(copy.get("id")):
            following += 1
            while following in used:
                following += 1
            copy["id"] = following
        for key in _NESTS:
            inner = copy.get(key)
            if isinstance(inner, list):
                copy[key] = [with_id(each) for each in inner if isinstance(each, dict)]
            elif isinstance(inner, dict):
                copy[key] = with_id(inner)
        return copy

    return [with_id(component) for component in components]


_NESTS: Final = ("components", "accessory", "component")
"""Where a component holds others."""


def inner_components(component: Mapping[str, object]) -> list[dict[str, object]]:
    """Return the components that stand directly inside this one."""
    inner: list[dict[str, object]] = []
    for key in _NESTS:
        value = component.get(key)
        found = as_list(value) if isinstance(value, list) else [value]
        inner += [each for one in found if (each := as_object(one)) is not None]
    return inner


def _collect_ids(component: Mapping[str, object], used: set[int]) -> None:
    number = as_int(component.get("id"))
    if number:
        used.add(number)
    for each in inner_components(component):
        _collect_ids(each, used)
