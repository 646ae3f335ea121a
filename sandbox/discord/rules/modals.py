"""What Discord demands of a modal.

Source: Discord's documentation, "Component Reference" and "Receiving and Responding". What a person
fills in is `submissions.py`.
"""

from typing import Final

from sandbox.discord.rules.fields import REQUIRED, Fields
from sandbox.discord.rules.parts import (
    SELECTS,
    ComponentType,
    Register,
    assign_component_ids,
    check_amounts,
    check_defaults,
    check_options,
    check_select,
    component_type,
)
from sandbox.discord.rules.violations import Path, Problems

TITLE_LENGTH: Final = 45
CUSTOM_ID_LENGTH: Final = 100
MOST_COMPONENTS: Final = 5
"""At the top of a modal; the OpenAPI file allows forty, Discord does not."""
TEXT_LENGTH: Final = 4000
"""Characters that a text input may hold."""
MOST_FILES: Final = 10
_LABEL: Final = 45
_DESCRIPTION: Final = 100
_PLACEHOLDER: Final = 100
_GROUP_OPTIONS: Final = 10
_LEAST_RADIO: Final = 2
_STYLES: Final = (1, 2)
_TOP: Final = (ComponentType.LABEL, ComponentType.TEXT_DISPLAY, ComponentType.ACTION_ROW)
_IN_LABEL: Final = (
    ComponentType.TEXT_INPUT,
    *SELECTS,
    ComponentType.FILE_UPLOAD,
    ComponentType.RADIO_GROUP,
    ComponentType.CHECKBOX_GROUP,
    ComponentType.CHECKBOX,
)


def check_modal(data: object, *, path: Path = ()) -> dict[str, object]:
    """Check the `data` of a modal answer (type 9).

    Returns `custom_id`, `title` and `components` with ids assigned and defaults filled in.
    Raises RuleViolation; `path` is where the modal stands in the body.
    """
    problems = Problems()
    fields = Fields(data, path=path, problems=problems)
    fields.text("custom_id", low=1, high=CUSTOM_ID_LENGTH, required=True)
    fields.text("title", low=1, high=TITLE_LENGTH, required=True)
    found = fields.items("components", low=1, high=MOST_COMPONENTS, required=True)
    register = Register(problems)
    components = [
        _check_top(Fields(each, path=(*path, "components", index), problems=problems), register)
        for index, each in enumerate(found)
    ]
    problems.raise_if_any()
    return {
        **fields.kept(("custom_id", "title")),
        "components": assign_component_ids(components),
    }


def _check_top(fields: Fields, register: Register) -> dict[str, object]:
    kind = component_type(fields, _TOP) if fields.is_object else None
    if kind is None:
        return {}
    register.component(fields)
    component: dict[str, object] = {"type": int(kind), **fields.kept(("id",))}
    if kind == ComponentType.TEXT_DISPLAY:
        fields.text("content", low=1, high=TEXT_LENGTH, required=True)
        return {**component, **fields.kept(("content",))}
    if kind == ComponentType.ACTION_ROW:
        return {**component, "components": _check_row(fields, register)}
    fields.text("label", low=1, high=_LABEL, required=True)
    fields.text("description", low=1, high=_DESCRIPTION)
    component.update(fields.kept(("label", "description")))
    if not fields.has("component"):
        fields.fault("component", *REQUIRED)
        return component
    inner = Fields(
        fields.raw["component"], path=(*fields.path, "component"), problems=fields.problems
    )
    return {**component, "component": _check_labelled(inner, register)}


def _check_row(fields: Fields, register: Register) -> list[dict[str, object]]:
    """Check the older form: one text input in a row, with a label of its own."""
    row: list[dict[str, object]] = []
    found = fields.items("components", low=1, high=MOST_COMPONENTS, required=True)
    for index, each in enumerate(found):
        inner = Fields(each, path=(*fields.path, "components", index), problems=fields.problems)
        if component_type(inner, (ComponentType.TEXT_INPUT,)) is None:
            continue
        if index:
            inner.problems.add(
                inner.path,
                "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
                "The specified component exceeds the maximum width",
            )
        register.component(inner)
        inner.text("label", low=1, high=_LABEL, required=True)
        row.append({**_check_text_input(inner, register), **inner.kept(("label",))})
    return row


def _check_labelled(fields: Fields, register: Register) -> dict[str, object]:
    kind = component_type(fields, _IN_LABEL) if fields.is_object else None
    if kind is None:
        return {}
    register.component(fields)
    if kind == ComponentType.TEXT_INPUT:
        return _check_text_input(fields, register)
    required = fields.boolean("required", default=True)
    component: dict[str, object] = {"type": int(kind), **fields.kept(("id", "custom_id"))}
    if kind == ComponentType.CHECKBOX:
        register.custom_id(fields)
        return {**component, "default": fields.boolean("default")}
    if kind in SELECTS:
        if fields.boolean("disabled"):
            fields.fault(
                "disabled", "COMPONENT_DISABLED_IN_MODAL", "A modal's component cannot be disabled"
            )
        return {**check_select(fields, kind, register), "required": required}
    register.custom_id(fields)
    component["required"] = required
    if kind == ComponentType.FILE_UPLOAD:
        low, high = check_amounts(fields, most=MOST_FILES, high=1)
        return {**component, "min_values": low, "max_values": high}
    if kind == ComponentType.RADIO_GROUP:
        options = check_options(fields, low=_LEAST_RADIO, high=_GROUP_OPTIONS)
        check_defaults(fields, options, high=1)
        return {**component, "options": options}
    options = check_options(fields, low=1, high=_GROUP_OPTIONS)
    low, high = check_amounts(fields, most=_GROUP_OPTIONS, high=max(1, len(options)))
    check_defaults(fields, options, high=high)
    return {**component, "options": options, "min_values": low, "max_values": high}


def _check_text_input(fields: Fields, register: Register) -> dict[str, object]:
    register.custom_id(fields)
    fields.choice("style", _STYLES, required=True)
    fields.text("placeholder", high=_PLACEHOLDER)
    low = fields.whole("min_length", low=0, high=TEXT_LENGTH)
    high = fields.whole("max_length", low=1, high=TEXT_LENGTH)
    if low is not None and high is not None and low > high:
        fields.fault("min_length", "NUMBER_TYPE_MAX", "min_length is greater than max_length.")
    value = fields.text("value", high=TEXT_LENGTH) or ""
    if value and not (low or 0) <= len(value) <= (TEXT_LENGTH if high is None else high):
        fields.fault(
            "value", "BASE_TYPE_BAD_LENGTH", "The value is outside min_length to max_length."
        )
    return {
        "type": int(ComponentType.TEXT_INPUT),
        **fields.kept(("id", "custom_id", "style", "placeholder", "value")),
        "required": fields.boolean("required", default=True),
        "min_length": low or 0,
        "max_length": TEXT_LENGTH if high is None else high,
    }
