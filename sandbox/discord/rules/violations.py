"""How a broken rule is told: Discord's error body, and the tree of its `errors`.

This module owns the exceptions and the collector that every other rule file writes into. It knows
no rule by itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Final

INVALID_FORM_BODY: Final = 50035
"""Discord's JSON error code for a body that breaks a field's rule."""
EMPTY_MESSAGE: Final = 50006
TOO_LARGE: Final = 40005
TOO_MANY_ATTACHMENTS: Final = 30015
TOO_MANY_COMMANDS: Final = 30032
FORWARD_WITH_CONTENT: Final = 160011

Path = tuple[str | int, ...]
"""Where in a body a value stands: keys and list positions, outermost first."""


class RuleViolation(Exception):
    """Discord would refuse this request with `status` and `body()`.

    `errors` is the nested tree of the answer (empty for codes that have none).
    """

    def __init__(
        self, status: int, code: int, message: str, errors: dict[str, object] | None = None
    ) -> None:
        super().__init__(f"{status} {code}: {message} {errors or ''}".rstrip())
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors or {}

    def faults(self) -> list[tuple[str, str]]:
        """Return where each fault is (`components.0.label`) and Discord's word for it."""
        return list(_flatten(self.errors, ()))

    def body(self) -> dict[str, object]:
        """Return the JSON that Discord answers."""
        body: dict[str, object] = {"message": self.message, "code": self.code}
        if self.errors:
            body["errors"] = self.errors
        return body


def _flatten(node: Mapping[str, object], path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for key, value in node.items():
        if key == "_errors" and isinstance(value, list):
            yield from ((".".join(path), str(error["code"])) for error in value)
        elif isinstance(value, dict):
            yield from _flatten(value, (*path, key))


class InvocationError(Exception):
    """A person's own client would refuse what they typed; `option` is the option or field at fault.

    Nothing reaches the application: no interaction is made.
    """

    def __init__(self, option: str, reason: str) -> None:
        super().__init__(f"{option}: {reason}")
        self.option = option
        self.reason = reason


class Problems:
    """Collects the faults of one body, so that one answer names them all, as Discord's does."""

    def __init__(self) -> None:
        self._found: list[tuple[Path, str, str]] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, path: Iterable[str | int], code: str, message: str) -> None:
        """Remember that the value at `path` is wrong; `code` is Discord's word for it."""
        self._found.append((tuple(path), code, message))

    def tree(self) -> dict[str, object]:
        """Return Discord's nested `errors` object."""
        root: dict[str, object] = {}
        for path, code, message in self._found:
            node = root
            for step in path:
                inner = node.setdefault(str(step), {})
                if isinstance(inner, dict):
                    node = inner
            leaf = node.setdefault("_errors", [])
            if isinstance(leaf, list):
                leaf.append({"code": code, "message": message})
        return root

    def raise_if_any(self) -> None:
        """Raise the `RuleViolation` (400, 50035) when something was found."""
        if self._found:
            raise RuleViolation(
                HTTPStatus.BAD_REQUEST, INVALID_FORM_BODY, "Invalid Form Body", self.tree()
            )
