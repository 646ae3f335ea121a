"""Checks request bodies against Discord's published OpenAPI file, where there is one.

The file is named by `DISCORD_OPENAPI`; it and `jsonschema` are for developers, users need neither.
The file allows things that Discord refuses (forty components in a modal); `rules` knows those.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

EXCEPTIONS: Final[Mapping[str, tuple[str, dict[str, object]]]] = {
    "SnowflakeType": (
        "Discord takes ids as numbers, too (documentation, 'ID Serialization'); discord.py does so",
        {"type": ["string", "integer"], "pattern": "^(0|[1-9][0-9]*)$", "minimum": 0},
    ),
}
"""Schemas of the file that are stricter than Discord: name -> (why, what is used instead)."""

UNLISTED_ROUTES: Final[Mapping[tuple[str, str], str]] = {
    ("POST", "/attachments/refresh-urls"): (
        "Discord serves it to bots (it gives fresh links to files), but its file leaves it out."
    ),
}
"""Routes of Discord's that the file does not list: (method, path) -> why they are known."""

# A multipart body's `payload_json` has the multipart schema, which adds optional files only.
_PREFERRED: Final = ("application/json", "multipart/form-data")
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_SENTENCE: Final = 200
"""Characters of one fault's sentence."""


class RequestBodyChecker:
    """Finds a request's schema and tells where its JSON body departs from it."""

    def __init__(self, document: Mapping[str, object]) -> None:
        self._validator_class = _validator_class()
        self._document = _mapping(_quicker(_with_exceptions(document), document))
        self._routes = _Routes(self._document)
        self._find_validator = lru_cache(maxsize=None)(self._make_validator)
        # Every bot registers the same commands, and to look through them takes a good part of its
        # start.
        self._find_faults = lru_cache(maxsize=64)(self._faults)

    @staticmethod
    def load(path: Path) -> "RequestBodyChecker":
        """Read the OpenAPI file at `path`.

        Raises RuntimeError with a clear sentence when `jsonschema` is missing, or the file cannot
        be read or is no OpenAPI document.
        """
        try:
            return _made_from(path.read_bytes())
        except (OSError, ValueError) as fault:
            raise RuntimeError(f"DISCORD_OPENAPI: {path} cannot be read as JSON: {fault}") from None
        except TypeError:
            raise RuntimeError(f"DISCORD_OPENAPI: {path} is no OpenAPI document") from None

    def check(self, method: str, path: str, body: object) -> list[str]:
        """Return one sentence for each fault of `body`, empty when it is fine.

        `path` is concrete and without `/api/v10`, e.g. `/webhooks/1/abc/messages/@original`; the
        `payload_json` of a multipart body is checked as JSON. `body` is None for a request without
        one. An unknown route is a fault; a body on a route that documents none is left alone.
        """
        if (method.upper(), path) in UNLISTED_ROUTES:
            return []
        template = self._routes.find(method, path)
        if template is None:
            return [f"{method.upper()} {path}: Discord documents no such route"]
        operation = self._routes.operations[template][method.lower()]
        if body is None:
            required = _mapping(operation.get("requestBody")).get("required") is True
            return [f"{method.upper()} {template}: a body is required"] if required else []
        return list(self._find_faults(template, method.lower(), json.dumps(body)))

    def _faults(self, template: str, method: str, body: str) -> tuple[str, ...]:
        validator = self._find_validator(template, method)
        return () if validator is None else _sentences(validator.iter_errors(json.loads(body)))

    def _make_validator(self, template: str, method: str) -> "Draft202012Validator | None":
        content = _mapping(
            _mapping(self._routes.operations[template][method].get("requestBody")).get("content")
        )
        kind = next((each for each in _PREFERRED if each in content), None)
        if kind is None:
            return None
        schema = _mapping(_mapping(content[kind]).get("schema"))
        # References stay inside the document, so the schema travels with the parts it may name.
        return self._validator_class({**schema, "components": self._document["components"]})


@lru_cache(maxsize=2)
def _made_from(content: bytes) -> RequestBodyChecker:
    """Make a checker once for all servers: that takes longer than the rest of their start.

    Raises ValueError when the content is no JSON, and TypeError when it is no OpenAPI document.
    """
    document = json.loads(content)
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise TypeError("no OpenAPI document")
    return RequestBodyChecker(document)


class _Routes:
    """Matches concrete paths with the document's templates."""

    def __init__(self, document: Mapping[str, object]) -> None:
        self.operations: dict[str, dict[str, Mapping[str, object]]] = {}
        for template, methods in _mapping(document["paths"]).items():
            self.operations[template] = {
                method: _mapping(operation)
                for method, operation in _mapping(methods).items()
                if method in _METHODS
            }
        # Literal segments before parameters: `@original` is no message id.
        self._patterns = [
            (_pattern(template), template)
            for template in sorted(self.operations, key=lambda each: (each.count("{"), each))
        ]
        self.find = lru_cache(maxsize=1024)(self._find)

    def _find(self, method: str, path: str) -> str | None:
        for pattern, template in self._patterns:
            if method.lower() in self.operations[template] and pattern.fullmatch(path):
                return template
        return None


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^}]+\}", template)
    return re.compile("[^/]+".join(map(re.escape, parts)))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _with_exceptions(document: Mapping[str, object]) -> dict[str, object]:
    components = dict(_mapping(document.get("components")))
    schemas = dict(_mapping(components.get("schemas")))
    schemas |= {name: schema for name, (_why, schema) in EXCEPTIONS.items() if name in schemas}
    return {**document, "components": {**components, "schemas": schemas}}


def _quicker(value: object, document: Mapping[str, object]) -> object:
    """Rewrite choices so that one look at the value decides, where that means the same.

    A `oneOf` of constants becomes an `enum`; a `oneOf` of objects that are told apart by their
    `type` asks for that first. Checking a message of many components takes a seventh of the time.
    """
    if isinstance(value, list):
        return [_quicker(each, document) for each in value]
    if not isinstance(value, dict):
        return value
    quick = {key: _quicker(each, document) for key, each in value.items()}
    choices = value.get("oneOf")
    if isinstance(choices, list) and "enum" not in value and "allOf" not in value:
        constants = [_mapping(choice).get("const") for choice in choices]
        branches = [_discriminator(choice, document) for choice in choices]
        if None not in constants:
            del quick["oneOf"]
            quick["enum"] = constants
        elif None not in branches and len(set(branches)) == len(branches) > 1:
            del quick["oneOf"]
            quick |= {
                "type": "object",
                "required": ["type"],
                "properties": {"type": {"enum": branches}},
                "allOf": [
                    {
                        "if": {
                            "type": "object",
                            "required": ["type"],
                            "properties": {"type": {"const": kind}},
                        },
                        "then": choice,
                    }
                    for kind, choice in zip(branches, choices, strict=True)
                ],
            }
    return quick


def _discriminator(choice: object, document: Mapping[str, object]) -> object:
    """Return the one value of `type` that an object of this schema must have, or None."""
    name = str(_mapping(choice).get("$ref", "")).removeprefix("#/components/schemas/")
    schemas = _mapping(_mapping(document.get("components")).get("schemas"))
    schema = _mapping(schemas.get(name))
    values = _mapping(_mapping(schema.get("properties")).get("type")).get("enum")
    required = schema.get("required")
    certain = isinstance(required, list) and "type" in required
    return values[0] if certain and isinstance(values, list) and len(values) == 1 else None


def _validator_class() -> "type[Draft202012Validator]":
    try:
        # A development dependency, and slow to import: only where a file is to be checked against.
        from jsonschema import Draft202012Validator
    except ImportError:
        raise RuntimeError(
            "DISCORD_OPENAPI is set, but the package jsonschema is not installed: install the"
            " development dependencies, or unset DISCORD_OPENAPI"
        ) from None
    return Draft202012Validator


def _sentences(errors: Iterable["ValidationError"]) -> tuple[str, ...]:
    found: list[str] = []
    for error in errors:
        for deepest in _deepest(error):
            place = ".".join(map(str, deepest.absolute_path)) or "body"
            sentence = f"{place}: {deepest.message}"
            if len(sentence) > _SENTENCE:
                sentence = sentence[: _SENTENCE - 1] + "…"
            found.append(sentence)
    return tuple(found)


def _deepest(error: "ValidationError") -> "list[ValidationError]":
    """Follow a failed choice to the branch that was meant: the one whose `type` fits."""
    if not error.context:
        return [error]
    branches: dict[object, list[ValidationError]] = {}
    for each in error.context:
        branches.setdefault(each.relative_schema_path[0], []).append(each)
    best = min(branches.values(), key=_unlikeliness)
    if _unlikeliness(best)[0]:
        return [error]
    return [deepest for each in best for deepest in _deepest(each)]


def _unlikeliness(branch: "Sequence[ValidationError]") -> tuple[bool, int]:
    """Order branches: first those whose `type` (of a component, or of JSON) fits the value."""
    wrong = any(
        (len(each.relative_path) == 1 and each.relative_path[0] == "type")
        or (not each.relative_path and each.validator in ("type", "const"))
        for each in branch
    )
    return wrong, len(branch)
