"""How a value shows itself where some of its fields must not stand: in logs and in errors."""

from typing import Final

from msgspec import Struct

_HIDDEN: Final = "..."


def repr_without(value: Struct, *hidden: str) -> str:
    """Return what `repr` would, with `...` for the fields that are secret or huge."""
    shown = (
        f"{name}={_HIDDEN if name in hidden else repr(getattr(value, name))}"
        for name in value.__struct_fields__
    )
    return f"{type(value).__name__}({', '.join(shown)})"
