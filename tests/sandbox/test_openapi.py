import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from sandbox.discord.openapi import EXCEPTIONS, UNLISTED_ROUTES, RequestBodyChecker

Json = dict[str, object]

DOCUMENT: Final[Json] = {
    "openapi": "3.1.0",
    "paths": {
        "/channels/{channel_id}/messages": {
            "parameters": [{"name": "channel_id", "in": "path"}],
            "get": {},
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/x-www-form-urlencoded": {"schema": {"type": "boolean"}},
                        "application/json": {"schema": {"$ref": "#/components/schemas/Message"}},
                        "multipart/form-data": {"schema": {"type": "boolean"}},
                    },
                }
            },
        },
        "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}": {
            "patch": {
                "requestBody": {
                    "content": {"multipart/form-data": {"schema": {"required": ["files"]}}}
                }
            }
        },
        "/webhooks/{webhook_id}/{webhook_token}/messages/@original": {
            "patch": {
                "requestBody": {
                    "content": {
                        "multipart/form-data": {
                            "schema": {
                                "allOf": [
                                    {"$ref": "#/components/schemas/Message"},
                                    {"properties": {"files[0]": {"type": "string"}}},
                                ]
                            }
                        }
                    }
                }
            },
            "delete": {},
        },
        "/avatars": {
            "put": {"requestBody": {"content": {"image/png": {"schema": {"type": "boolean"}}}}}
        },
    },
    "components": {
        "schemas": {
            "SnowflakeType": {"type": "string", "pattern": "^(0|[1-9][0-9]*)$"},
            "Kinds": {"type": "integer", "oneOf": [{"const": 1}, {"const": 2}]},
            "Message": {
                "type": "object",
                "properties": {
                    "content": {"type": ["string", "null"], "maxLength": 5},
                    "reply_to": {"$ref": "#/components/schemas/SnowflakeType"},
                    "kind": {"$ref": "#/components/schemas/Kinds"},
                    "nonce": {"oneOf": [{"type": "integer"}, {"type": "string"}]},
                    "components": {
                        "type": "array",
                        "items": {
                            "oneOf": [
                                {"$ref": "#/components/schemas/Row"},
                                {"$ref": "#/components/schemas/Text"},
                            ]
                        },
                    },
                    "shape": {
                        "anyOf": [
                            {
                                "type": "object",
                                "required": ["type", "side"],
                                "properties": {
                                    "type": {"enum": [1]},
                                    "side": {"type": "integer"},
                                },
                            },
                            {
                                "type": "object",
                                "required": ["type"],
                                "properties": {"type": {"enum": [2]}},
                            },
                        ]
                    },
                },
            },
            "Row": {
                "type": "object",
                "required": ["type", "components"],
                "properties": {
                    "type": {"type": "integer", "enum": [1]},
                    "components": {
                        "type": "array",
                        "maxItems": 1,
                        "items": {"$ref": "#/components/schemas/Text"},
                    },
                },
            },
            "Text": {
                "type": "object",
                "required": ["type", "content"],
                "properties": {
                    "type": {"type": "integer", "enum": [10]},
                    "content": {"type": "string", "maxLength": 5},
                },
            },
        }
    },
}


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(DOCUMENT))
    return path


@pytest.fixture
def checker(document: Path) -> RequestBodyChecker:
    return RequestBodyChecker.load(document)


def post(checker: RequestBodyChecker, body: object) -> list[str]:
    return checker.check("POST", "/channels/12/messages", body)


def text(content: str) -> Json:
    return {"type": 10, "content": content}


def test_a_body_that_fits_its_schema_has_no_faults(checker: RequestBodyChecker) -> None:
    body = {
        "content": "hello",
        "kind": 2,
        "nonce": "n",
        "components": [text("a"), {"type": 1, "components": [text("b")]}],
        "shape": {"type": 1, "side": 4},
        "unknown": True,
    }
    assert post(checker, body) == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ([], "body: [] is not of type 'object'"),
        ({"content": "too long"}, "content: 'too long' is too long"),
        ({"kind": 3}, "kind: 3 is not one of [1, 2]"),
        ({"nonce": 1.5}, "nonce: 1.5 is not valid under any of the given schemas"),
        ({"reply_to": "me"}, "reply_to: 'me' does not match '^(0|[1-9][0-9]*)$'"),
        ({"components": [text("too long")]}, "components.0.content: 'too long' is too long"),
        ({"components": [{"type": 1}]}, "components.0: 'components' is a required property"),
        (
            {"components": [{"type": 1, "components": [text("too long")]}]},
            "components.0.components.0.content: 'too long' is too long",
        ),
        ({"components": [{"type": 3}]}, "components.0.type: 3 is not one of [1, 10]"),
        ({"components": [{}]}, "components.0: 'type' is a required property"),
        ({"components": [7]}, "components.0: 7 is not of type 'object'"),
        ({"shape": {"type": 1, "side": "x"}}, "shape.side: 'x' is not of type 'integer'"),
        (
            {"shape": {"type": 9}},
            "shape: {'type': 9} is not valid under any of the given schemas",
        ),
    ],
)
def test_a_fault_is_told_where_it_is(checker: RequestBodyChecker, body: object, fault: str) -> None:
    assert post(checker, body) == [fault]


def test_every_fault_is_told_and_long_ones_are_cut(checker: RequestBodyChecker) -> None:
    faults = post(checker, {"content": "x" * 500, "kind": 0})
    assert len(faults) == 2
    assert max(map(len, faults)) == 200


def test_a_missing_body_is_a_fault_only_where_one_is_required(checker: RequestBodyChecker) -> None:
    assert post(checker, None) == ["POST /channels/{channel_id}/messages: a body is required"]
    assert checker.check("PATCH", "/webhooks/1/abc/messages/@original", None) == []
    assert checker.check("DELETE", "/webhooks/1/abc/messages/@original", None) == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/channels/12"),
        ("POST", "/channels/12/messages/"),
        ("POST", "/channels//messages"),
        ("DELETE", "/channels/12/messages"),
        ("PARAMETERS", "/channels/12/messages"),
    ],
)
def test_a_route_that_is_not_in_the_document_is_a_fault(
    checker: RequestBodyChecker, method: str, path: str
) -> None:
    assert checker.check(method, path, {}) == [f"{method} {path}: Discord documents no such route"]


def test_the_original_answer_is_no_message_id(checker: RequestBodyChecker) -> None:
    assert checker.check("patch", "/webhooks/1/abc/messages/@original", {"content": "hi"}) == []
    assert checker.check("PATCH", "/webhooks/1/abc/messages/5", {"content": "hi"}) == [
        "body: 'files' is a required property"
    ]


def test_a_multipart_schema_checks_the_json_part(checker: RequestBodyChecker) -> None:
    original = "/webhooks/1/abc/messages/@original"
    assert checker.check("PATCH", original, {"content": "too long"}) == [
        "content: 'too long' is too long"
    ]


def test_a_body_on_a_route_without_json_is_left_alone(checker: RequestBodyChecker) -> None:
    assert checker.check("PUT", "/avatars", {"any": "thing"}) == []
    assert checker.check("GET", "/channels/12/messages", {"any": "thing"}) == []


def test_ids_may_be_numbers_although_the_document_wants_text(checker: RequestBodyChecker) -> None:
    assert post(checker, {"reply_to": "12"}) == post(checker, {"reply_to": 12}) == []
    assert post(checker, {"reply_to": -1}) == ["reply_to: -1 is less than the minimum of 0"]


def test_routes_known_to_be_missing_from_the_document_are_let_through(
    checker: RequestBodyChecker,
) -> None:
    assert UNLISTED_ROUTES
    for (method, path), why in UNLISTED_ROUTES.items():
        assert len(why) > 20
        assert checker.check(method, path, {}) == []


def test_every_exception_says_why() -> None:
    for why, schema in EXCEPTIONS.values():
        assert len(why) > 20
        assert schema


def test_the_document_itself_is_never_changed() -> None:
    before = copy.deepcopy(DOCUMENT)
    assert post(RequestBodyChecker(DOCUMENT), {"content": "hi"}) == []
    assert before == DOCUMENT


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"paths": []}'])
def test_a_file_that_is_no_openapi_document_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(content)
    with pytest.raises(RuntimeError, match=r"DISCORD_OPENAPI: .*broken\.json"):
        RequestBodyChecker.load(path)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"DISCORD_OPENAPI: .*nowhere\.json"):
        RequestBodyChecker.load(tmp_path / "nowhere.json")


def test_a_missing_jsonschema_is_one_clear_sentence(document: Path) -> None:
    script = (
        "import sys, pathlib; sys.modules['jsonschema'] = None\n"
        "from sandbox.discord.openapi import RequestBodyChecker\n"
        f"RequestBodyChecker.load(pathlib.Path({str(document)!r}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert "the package jsonschema is not installed" in done.stderr


PUBLISHED: Final = Path(os.environ.get("DISCORD_OPENAPI", "") or "no such file")


@pytest.fixture(scope="module")
def published() -> RequestBodyChecker:
    if not PUBLISHED.is_file():
        pytest.skip("DISCORD_OPENAPI names no file")
    return RequestBodyChecker.load(PUBLISHED)


LAYOUT: Final[list[Json]] = [
    {
        "type": 17,
        "accent_color": None,
        "spoiler": False,
        "components": [
            {"type": 10, "content": "a boat"},
            {"type": 12, "items": [{"media": {"url": "attachment://a.png"}, "spoiler": False}]},
            {"type": 1, "components": [{"type": 2, "style": 2, "label": "b", "custom_id": "q"}]},
        ],
    }
]
MESSAGE: Final[Json] = {
    "components": LAYOUT,
    "flags": 1 << 15,
    "attachments": [{"id": 0, "filename": "a.png"}],
    "allowed_mentions": {"parse": [], "replied_user": False},
    "tts": False,
}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/gateway/bot", None),
        ("PATCH", "/webhooks/1/abc/messages/@original", MESSAGE),
        ("PATCH", "/webhooks/1/abc/messages/5", MESSAGE),
        ("POST", "/webhooks/1/abc", MESSAGE),
        ("POST", "/channels/1/messages", {**MESSAGE, "nonce": "n", "enforce_nonce": True}),
        ("PATCH", "/channels/1/messages/2", MESSAGE),
        ("POST", "/interactions/1/abc/callback", {"type": 5, "data": {"flags": 64}}),
        ("POST", "/interactions/1/abc/callback", {"type": 4, "data": MESSAGE}),
        (
            "POST",
            "/interactions/1/abc/callback",
            {"type": 8, "data": {"choices": [{"name": "n", "value": "v"}]}},
        ),
        ("POST", "/users/@me/channels", {"recipient_id": 5}),
        (
            "PUT",
            "/applications/1/commands",
            [
                {
                    "type": 1,
                    "name": "imagine",
                    "description": "Make a picture",
                    "options": [
                        {"type": 3, "name": "prompt", "description": "What", "required": True}
                    ],
                    "default_member_permissions": None,
                    "contexts": None,
                    "integration_types": None,
                }
            ],
        ),
    ],
)
def test_what_the_bot_sends_fits_discords_published_file(
    published: RequestBodyChecker, method: str, path: str, body: object
) -> None:
    assert published.check(method, path, body) == []


@pytest.mark.usefixtures("published")
def test_routes_kept_as_unlisted_are_really_missing_from_the_published_file() -> None:
    listed = json.loads(PUBLISHED.read_bytes())["paths"]
    assert [path for _method, path in UNLISTED_ROUTES if path in listed] == []


def test_the_published_file_finds_a_fault_deep_in_a_layout(published: RequestBodyChecker) -> None:
    broken = json.loads(json.dumps(MESSAGE).replace('"label": "b"', f'"label": "{"b" * 81}"'))
    for path, body in [
        ("/webhooks/1/abc", broken),
        ("/interactions/1/abc/callback", {"type": 4, "data": broken}),
    ]:
        [fault] = published.check("POST", path, body)
        assert "components.0.components.2.components.0.label: 'bbb" in fault
