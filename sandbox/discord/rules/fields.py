"""Reads the fields of one JSON object and notes each fault under Discord's name for it.

Owned here: the form checks every rule is made of (type, length, range, choice). What a field means
is known to the callers only.
"""

from collections.abc import Collection, Iterable
from typing import Final

from sandbox.discord.rules.violations import Path, Problems

MAX_SAFE_INTEGER: Final = 2**53 - 1
"""The largest whole number of Discord's JSON (`Int53Type` of its OpenAPI file)."""

REQUIRED: Final = ("BASE_TYPE_REQUIRED", "This field is required")


def as_object(value: object) -> dict[str, object] | None:
    """Return `value` when it is a JSON object, else None."""
    return value if isinstance(value, dict) else None


def as_list(value: object) -> list[object]:
    """Return `value` when it is a JSON array, else an empty list."""
    return value if isinstance(value, list) else []


def as_int(value: object) -> int | None:
    """Return `value` when it is a whole number and no bool, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def as_snowflake(value: object) -> int | None:
    """Return the id that `value` holds, as a number or as decimal digits, else None."""
    number = as_int(value)
    if number is None and isinstance(value, str) and value.isascii() and value.isdigit():
        number = int(value) if len(value) <= len(str(2**64)) else None
    return number if number is not None and 0 <= number < 2**64 else None


def length_fault(low: int, high: int) -> tuple[str, str]:
    """Return Discord's code and sentence for a length outside `low` to `high`."""
    if low == 0:
        return "BASE_TYPE_MAX_LENGTH", f"Must be {high} or fewer in length."
    return "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length."


class Fields:
    """One JSON object at `path`; anything else is noted as a fault and read as empty."""

    def __init__(self, value: object, *, path: Iterable[str | int], problems: Problems) -> None:
        self.path: Path = tuple(path)
        self.problems = problems
        found = as_object(value)
        if found is None:
            problems.add(
                self.path, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType"
            )
        self.is_object = found is not None
        self.raw: dict[str, object] = found or {}

    def fault(self, key: str | int, code: str, message: str) -> None:
        """Note a fault at `key` of this object."""
        self.problems.add((*self.path, key), code, message)

    def has(self, key: str) -> bool:
        """Tell whether `key` is there and not null."""
        return self.raw.get(key) is not None

    def kept(self, keys: Iterable[str]) -> dict[str, object]:
        """Return the named fields that are there and not null."""
        return {key: self.raw[key] for key in keys if self.has(key)}

    def _missing(self, key: str, *, required: bool) -> bool:
        if self.has(key):
            return False
        if required and self.is_object:
            self.fault(key, *REQUIRED)
        return True

    def text(self, key: str, *, low: int = 0, high: int, required: bool = False) -> str | None:
        """Read text of `low` to `high` characters (code points; blanks alone count as none)."""
        if self._missing(key, required=required):
            return None
        value = self.raw[key]
        if not isinstance(value, str):
            self.fault(key, "STRING_TYPE_CONVERT", f'Could not interpret "{value}" as string.')
            return None
        length = len(value) if value.strip() else 0
        if low and not length and required:
            self.fault(key, *REQUIRED)
        elif not low <= length <= high:
            self.fault(key, *length_fault(low, high))
        return value

    def whole(self, key: str, *, low: int, high: int, required: bool = False) -> int | None:
        """Read a whole number from `low` to `high`."""
        if self._missing(key, required=required):
            return None
        value = as_int(self.raw[key])
        if value is None:
            self.fault(key, "NUMBER_TYPE_COERCE", f'Value "{self.raw[key]}" is not int.')
        elif value < low:
            message = f"int value should be greater than or equal to {low}."
            self.fault(key, "NUMBER_TYPE_MIN", message)
        elif value > high:
            message = f"int value should be less than or equal to {high}."
            self.fault(key, "NUMBER_TYPE_MAX", message)
        return value

    def choice(
        self, key: str, choices: Collection[int | str], *, required: bool = False
    ) -> int | str | None:
        """Read one of `choices`."""
        if self._missing(key, required=required):
            return None
        value = self.raw[key]
        if isinstance(value, int | str) and not isinstance(value, bool) and value in choices:
            return value
        allowed = ", ".join(str(one) for one in sorted(choices, key=str))
        self.fault(key, "BASE_TYPE_CHOICES", f"Value must be one of ({allowed}).")
        return None

    def boolean(self, key: str, *, default: bool = False) -> bool:
        """Read true or false."""
        if not self.has(key):
            return default
        value = self.raw[key]
        if not isinstance(value, bool):
            self.fault(key, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
            return default
        return value

    def items(self, key: str, *, low: int = 0, high: int, required: bool = False) -> list[object]:
        """Read an array of `low` to `high` items."""
        if self._missing(key, required=required):
            return []
        value = self.raw[key]
        if not isinstance(value, list):
            self.fault(key, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
            return []
        if not low <= len(value) <= high:
            self.fault(key, *length_fault(low, high))
        return value

    def snowflake(self, key: str, *, required: bool = False) -> int | None:
        """Read an id, a number or decimal digits."""
        if self._missing(key, required=required):
            return None
        value = as_snowflake(self.raw[key])
        if value is None:
            self.fault(key, "NUMBER_TYPE_COERCE", f'Value "{self.raw[key]}" is not snowflake.')
        return value
