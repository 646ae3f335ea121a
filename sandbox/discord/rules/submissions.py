"""What a person's client checks before it sends a filled-in modal, and what it then sends.

Works on modals as `check_modal` returned them. Source: Discord's documentation, "Component
Reference" (the interaction structures).
"""

from collections.abc import Mapping, Sequence

from sandbox.discord.rules.fields import as_int, as_list, as_object, as_snowflake
from sandbox.discord.rules.parts import SELECTS, ComponentType, inner_components
from sandbox.discord.rules.uploads import FILE_LIMIT, Upload
from sandbox.discord.rules.violations import InvocationError


def check_modal_submission(
    modal: Mapping[str, object],
    values: Mapping[str, object],
    files: Mapping[str, Sequence[Upload]] | None = None,
    *,
    file_limit: int = FILE_LIMIT,
) -> list[dict[str, object]]:
    """Check what a person filled in, by `custom_id`; return the interaction's `data.components`.

    `modal` is what `check_modal` returned. Values: str for a text input and a radio group (or
    None), list[str] for selects and checkbox groups, bool for a checkbox. Files of a file upload
    come in `files`, each with its attachment id and at most `file_limit` bytes; the answer's
    `values` are those ids as str. What is left out keeps the default that the modal gave. Raises
    InvocationError naming the `custom_id`.
    """
    form = _Form(values, files or {}, file_limit)
    components = as_list(modal.get("components"))
    sent = [form.top(each) for each in components if isinstance(each, dict)]
    form.refuse_unknown()
    return sent


class _Form:
    """One filled-in form; remembers which fields the modal has."""

    def __init__(
        self,
        values: Mapping[str, object],
        files: Mapping[str, Sequence[Upload]],
        file_limit: int,
    ) -> None:
        self._values = values
        self._files = files
        self._file_limit = file_limit
        self._known: set[str] = set()

    def top(self, component: Mapping[str, object]) -> dict[str, object]:
        """Answer one component of the modal's top level, with what stands in it."""
        sent: dict[str, object] = {"type": component["type"], "id": component["id"]}
        inner = [self._field(each) for each in inner_components(component)]
        if component["type"] == ComponentType.LABEL:
            sent["component"] = inner[0]
        elif component["type"] == ComponentType.ACTION_ROW:
            sent["components"] = inner
        return sent

    def refuse_unknown(self) -> None:
        """Raise InvocationError for a value or files that no field of the modal takes."""
        for name in (*self._values, *self._files):
            if name not in self._known:
                raise InvocationError(name, "this form has no such field")

    def _field(self, field: Mapping[str, object]) -> dict[str, object]:
        name = str(field["custom_id"])
        self._known.add(name)
        kind = as_int(field["type"])
        sent: dict[str, object] = {"type": kind, "id": field["id"], "custom_id": name}
        if kind == ComponentType.FILE_UPLOAD:
            sent["values"] = self._uploaded(name, field)
        elif name in self._files:
            raise InvocationError(name, "this field takes no files")
        elif kind == ComponentType.TEXT_INPUT:
            sent["value"] = self._text(name, field)
        elif kind == ComponentType.CHECKBOX:
            sent["value"] = self._checkbox(name, field)
        elif kind == ComponentType.RADIO_GROUP:
            chosen = self._chosen(name, field, low=1, high=1)
            sent["value"] = chosen[0] if chosen else None
        else:
            low, high = as_int(field["min_values"]) or 0, as_int(field["max_values"]) or 1
            sent["values"] = self._chosen(name, field, low=low, high=high)
        return sent

    def _text(self, name: str, field: Mapping[str, object]) -> str:
        value = self._values.get(name, field.get("value") or "")
        if not isinstance(value, str):
            raise InvocationError(name, "type some text")
        if not value:
            if field["required"]:
                raise InvocationError(name, "this field is required")
            return value
        low, high = as_int(field["min_length"]) or 0, as_int(field["max_length"]) or 0
        if not low <= len(value) <= high:
            raise InvocationError(name, f"type {low} to {high} characters")
        return value

    def _checkbox(self, name: str, field: Mapping[str, object]) -> bool:
        value = self._values.get(name, field.get("default"))
        if not isinstance(value, bool):
            raise InvocationError(name, "tick it or leave it")
        return value

    def _chosen(self, name: str, field: Mapping[str, object], *, low: int, high: int) -> list[str]:
        options = [each for one in as_list(field.get("options")) if (each := as_object(one))]
        value: object = self._values.get(name, _default_choice(field, options))
        if field["type"] == ComponentType.RADIO_GROUP and not isinstance(value, list):
            value = [] if value is None else [value]
        if not isinstance(value, list):
            raise InvocationError(name, "choose from the list")
        chosen = [str(each) for each in value]
        if field["type"] in SELECTS and field["type"] != ComponentType.STRING_SELECT:
            if any(as_snowflake(each) is None for each in chosen):
                raise InvocationError(name, "choose from the list")
        elif not set(chosen) <= {str(option["value"]) for option in options}:
            raise InvocationError(name, "choose from the list")
        _check_amount(name, field, len(chosen), low=low, high=high)
        if len(set(chosen)) != len(chosen):
            raise InvocationError(name, "choose each thing once")
        return chosen

    def _uploaded(self, name: str, field: Mapping[str, object]) -> list[str]:
        if name in self._values:
            raise InvocationError(name, "this field takes files")
        uploads = self._files.get(name, ())
        low, high = as_int(field["min_values"]) or 0, as_int(field["max_values"]) or 1
        _check_amount(name, field, len(uploads), low=low, high=high)
        for upload in uploads:
            if upload.size > self._file_limit:
                raise InvocationError(name, f"{upload.filename} is too large")
        return [str(upload.id) for upload in uploads]


def _default_choice(
    field: Mapping[str, object], options: Sequence[Mapping[str, object]]
) -> list[object]:
    chosen = [option["value"] for option in options if option.get("default")]
    presets = [each for one in as_list(field.get("default_values")) if (each := as_object(one))]
    return chosen + [preset.get("id") for preset in presets]


def _check_amount(
    name: str, field: Mapping[str, object], amount: int, *, low: int, high: int
) -> None:
    """Refuse a wrong number of things; only a field that is not required may stay empty."""
    if not amount:
        if field["required"]:
            raise InvocationError(name, "this field is required")
        return
    if not low <= amount <= high:
        raise InvocationError(name, f"choose {low} to {high}")
