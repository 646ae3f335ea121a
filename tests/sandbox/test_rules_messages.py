import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.discord.rules import (
    AttachmentPlan,
    Before,
    Route,
    RuleViolation,
    Upload,
    check_edit,
    check_message,
)

Json = dict[str, object]
V2 = 1 << 15
EPHEMERAL = 1 << 6
TEXT: Json = {"type": 10, "content": "a boat"}
ROW: Json = {
    "type": 1,
    "components": [{"type": 2, "style": 1, "label": "Go", "custom_id": "go"}],
}


def faults_of(payload: object, *, route: Route = Route.CHANNEL) -> list[tuple[str, str]]:
    with pytest.raises(RuleViolation) as caught:
        check_message(payload, route=route)
    assert (caught.value.status, caught.value.code) == (400, 50035)
    return caught.value.faults()


def edit_faults(payload: object, before: Before) -> list[tuple[str, str]]:
    with pytest.raises(RuleViolation) as caught:
        check_edit(payload, route=Route.WEBHOOK, before=before)
    return caught.value.faults()


def test_a_plain_message_is_stored_as_sent_without_outer_blanks() -> None:
    message = check_message({"content": " hello\n"}, route=Route.CHANNEL)
    assert (message.content, message.embeds, message.components, message.flags) == (
        "hello",
        [],
        [],
        0,
    )


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        ([], ("", "MODEL_TYPE_CONVERT")),
        ({"content": "x" * 2001}, ("content", "BASE_TYPE_MAX_LENGTH")),
        ({"content": 5}, ("content", "STRING_TYPE_CONVERT")),
        ({"content": "x", "tts": "no"}, ("tts", "BOOLEAN_TYPE_CONVERT")),
        ({"content": "x", "nonce": "n" * 26}, ("nonce", "BASE_TYPE_MAX_LENGTH")),
        ({"content": "x", "nonce": 1.5}, ("nonce", "NUMBER_TYPE_COERCE")),
        ({"content": "x", "nonce": 2**63}, ("nonce", "NUMBER_TYPE_MAX")),
        ({"content": "x", "enforce_nonce": 1}, ("enforce_nonce", "BOOLEAN_TYPE_CONVERT")),
        ({"content": "x", "flags": "4"}, ("flags", "NUMBER_TYPE_COERCE")),
        ({"content": "x", "components": {}}, ("components", "LIST_TYPE_CONVERT")),
        ({"content": "x", "sticker_ids": [1, 2, 3, 4]}, ("sticker_ids", "BASE_TYPE_MAX_LENGTH")),
        (
            {"content": "x", "message_reference": {"channel_id": 1}},
            ("message_reference.message_id", "BASE_TYPE_REQUIRED"),
        ),
        (
            {"content": "x", "message_reference": {"message_id": "one"}},
            ("message_reference.message_id", "NUMBER_TYPE_COERCE"),
        ),
        (
            {"content": "x", "message_reference": {"message_id": 1, "type": 2}},
            ("message_reference.type", "BASE_TYPE_CHOICES"),
        ),
        (
            {"content": "x", "message_reference": {"message_id": 1, "channel_id": "here"}},
            ("message_reference.channel_id", "NUMBER_TYPE_COERCE"),
        ),
        (
            {"content": "x", "message_reference": {"message_id": 1, "fail_if_not_exists": 0}},
            ("message_reference.fail_if_not_exists", "BOOLEAN_TYPE_CONVERT"),
        ),
        (
            {"content": "x", "allowed_mentions": {"parse": [], "replied_user": "no"}},
            ("allowed_mentions.replied_user", "BOOLEAN_TYPE_CONVERT"),
        ),
        (
            {"content": "x", "allowed_mentions": {"parse": ["all"]}},
            ("allowed_mentions.parse.0", "BASE_TYPE_CHOICES"),
        ),
        (
            {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
            ("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"),
        ),
        (
            {"content": "x", "allowed_mentions": {"parse": ["roles"], "roles": ["1"]}},
            ("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"),
        ),
        (
            {"content": "x", "allowed_mentions": {"users": ["mira"]}},
            ("allowed_mentions.users.0", "NUMBER_TYPE_COERCE"),
        ),
        (
            {"content": "x", "allowed_mentions": {"users": list(range(101))}},
            ("allowed_mentions.users", "BASE_TYPE_MAX_LENGTH"),
        ),
    ],
)
def test_a_message_that_breaks_one_rule_is_refused_for_it(
    payload: object, fault: tuple[str, str]
) -> None:
    assert faults_of(payload) == [fault]


def test_2000_characters_a_nonce_of_25_and_a_reply_are_taken() -> None:
    message = check_message(
        {
            "content": "x" * 2000,
            "nonce": "n" * 25,
            "enforce_nonce": True,
            "message_reference": {"message_id": "9", "channel_id": "1"},
            "allowed_mentions": {"parse": ["users"], "users": [], "roles": ["4"]},
        },
        route=Route.CHANNEL,
    )
    assert (message.nonce, message.enforce_nonce, message.reference_id) == ("n" * 25, True, 9)


@pytest.mark.parametrize("payload", [{}, {"content": ""}, {"content": " \n"}, {"embeds": []}])
def test_an_empty_message_is_refused(payload: Json) -> None:
    with pytest.raises(RuleViolation) as caught:
        check_message(payload, route=Route.WEBHOOK)
    assert caught.value.body() == {"message": "Cannot send an empty message", "code": 50006}


def test_a_forward_carries_nothing_of_its_own() -> None:
    forward: Json = {"message_reference": {"message_id": 1, "type": 1}}
    assert check_message(forward, route=Route.CHANNEL).reference_id == 1
    with pytest.raises(RuleViolation) as caught:
        check_message({**forward, "content": "look"}, route=Route.CHANNEL)
    assert caught.value.code == 160011


@pytest.mark.parametrize(
    ("route", "flags", "taken"),
    [
        (Route.CHANNEL, 4 | 4096, True),
        (Route.CHANNEL, EPHEMERAL, False),
        (Route.WEBHOOK, EPHEMERAL, True),
        (Route.CALLBACK, EPHEMERAL, True),
        (Route.WEBHOOK, 128, False),
    ],
)
def test_only_some_flags_can_be_set_and_only_answers_can_be_private(
    route: Route, flags: int, *, taken: bool
) -> None:
    payload: Json = {"content": "x", "flags": flags}
    if taken:
        assert check_message(payload, route=route).flags == flags
    else:
        assert faults_of(payload, route=route) == [("flags", "MESSAGE_FLAGS_INVALID")]


LEGACY = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("content", "hello"),
        ("embeds", [{"title": "t"}]),
        ("poll", {"question": {"text": "?"}}),
        ("sticker_ids", ["1"]),
    ],
)
def test_a_version_2_message_has_no_content_embeds_poll_or_stickers(
    key: str, value: object
) -> None:
    payload: Json = {"flags": V2, "components": [TEXT], key: value}
    assert faults_of(payload) == [(key, LEGACY)]


def test_an_edit_keeps_what_it_does_not_name() -> None:
    before = Before(
        content="old", embeds=[{"title": "t"}], components=[ROW], flags=64, attachments={5: "a.png"}
    )
    message = check_edit({}, route=Route.WEBHOOK, before=before)
    assert (message.content, message.flags) == ("old", 64)
    assert (message.embeds, message.components) == ([{"title": "t"}], [ROW])
    assert message.attachments == [AttachmentPlan(id=5, filename="a.png", new=False)]


def test_an_edit_to_nothing_is_refused_as_empty() -> None:
    with pytest.raises(RuleViolation) as caught:
        check_edit({"content": None}, route=Route.WEBHOOK, before=Before(content="old"))
    assert caught.value.code == 50006


def test_an_edit_adds_a_poll_through_a_webhook_only() -> None:
    poll: Json = {"content": None, "poll": {"question": {"text": "?"}}}
    assert check_edit(poll, route=Route.WEBHOOK, before=Before(content="old")).content == ""
    with pytest.raises(RuleViolation) as caught:
        check_edit(poll, route=Route.CHANNEL, before=Before(content="old"))
    assert caught.value.code == 50006


def test_an_edit_can_turn_a_placeholder_into_a_version_2_message() -> None:
    placeholder = Before(flags=EPHEMERAL | 128)
    message = check_edit(
        {"flags": V2, "components": [TEXT]}, route=Route.WEBHOOK, before=placeholder
    )
    assert message.flags == EPHEMERAL | 128 | V2


def test_old_content_must_go_when_an_edit_switches_to_version_2() -> None:
    before = Before(content="old", embeds=[{"title": "t"}], has_poll=True, has_stickers=True)
    switch: Json = {"flags": V2, "components": [TEXT]}
    assert edit_faults(switch, before) == [
        ("content", LEGACY),
        ("embeds", LEGACY),
        ("poll", LEGACY),
        ("sticker_ids", LEGACY),
    ]
    gone: Json = {"content": None, "embeds": None, "poll": None, "sticker_ids": []}
    assert check_edit({**switch, **gone}, route=Route.WEBHOOK, before=before).content == ""


def test_the_version_2_flag_cannot_be_taken_back() -> None:
    before = Before(components=[TEXT], flags=V2)
    assert edit_faults({"flags": 0}, before) == [
        ("flags", "MESSAGE_CANNOT_REMOVE_COMPONENTS_V2_FLAG")
    ]


def test_an_edit_without_flags_stays_a_version_2_message() -> None:
    message = check_edit(
        {"components": [TEXT]}, route=Route.WEBHOOK, before=Before(components=[TEXT], flags=V2)
    )
    assert message.flags == V2


def test_an_edit_cannot_make_a_message_private() -> None:
    before = Before(content="x")
    assert edit_faults({"flags": EPHEMERAL}, before) == [("flags", "MESSAGE_FLAGS_INVALID")]
    private = Before(content="x", flags=EPHEMERAL)
    assert (
        check_edit({"flags": EPHEMERAL | 4}, route=Route.WEBHOOK, before=private).flags
        == EPHEMERAL | 4
    )


@pytest.mark.parametrize(
    ("embed", "fault"),
    [
        ({}, ("embeds.0.description", "BASE_TYPE_REQUIRED")),
        ("text", ("embeds.0", "MODEL_TYPE_CONVERT")),
        ({"title": "x" * 257}, ("embeds.0.title", "BASE_TYPE_MAX_LENGTH")),
        ({"description": "x" * 4097}, ("embeds.0.description", "BASE_TYPE_MAX_LENGTH")),
        (
            {"fields": [{"name": "n", "value": "v"}] * 26},
            ("embeds.0.fields", "BASE_TYPE_MAX_LENGTH"),
        ),
        (
            {"fields": [{"name": "x" * 257, "value": "v"}]},
            ("embeds.0.fields.0.name", "BASE_TYPE_BAD_LENGTH"),
        ),
        (
            {"fields": [{"name": "n", "value": "x" * 1025}]},
            ("embeds.0.fields.0.value", "BASE_TYPE_BAD_LENGTH"),
        ),
        (
            {"fields": [{"name": "n", "value": " "}]},
            ("embeds.0.fields.0.value", "BASE_TYPE_REQUIRED"),
        ),
        ({"footer": {"text": "x" * 2049}}, ("embeds.0.footer.text", "BASE_TYPE_BAD_LENGTH")),
        ({"author": {"name": "x" * 257}}, ("embeds.0.author.name", "BASE_TYPE_BAD_LENGTH")),
        (
            {"author": {"name": "n", "url": "ftp://x"}},
            ("embeds.0.author.url", "URL_TYPE_INVALID_SCHEME"),
        ),
        (
            {"footer": {"text": "t", "icon_url": "data:x"}},
            ("embeds.0.footer.icon_url", "URL_TYPE_INVALID_SCHEME"),
        ),
        (
            {"fields": [{"name": "n", "value": "v", "inline": 1}]},
            ("embeds.0.fields.0.inline", "BOOLEAN_TYPE_CONVERT"),
        ),
        ({"title": "t", "color": 0x1000000}, ("embeds.0.color", "NUMBER_TYPE_MAX")),
        ({"title": "t", "url": "ftp://x"}, ("embeds.0.url", "URL_TYPE_INVALID_SCHEME")),
        ({"image": {"url": "data:x"}}, ("embeds.0.image.url", "URL_TYPE_INVALID_SCHEME")),
    ],
)
def test_an_embed_that_breaks_one_rule_is_refused_for_it(
    embed: object, fault: tuple[str, str]
) -> None:
    assert faults_of({"embeds": [embed]}) == [fault]


def test_embeds_are_ten_with_6000_characters_in_all() -> None:
    half: Json = {"title": "t" * 200, "description": "d" * 2800}
    full: Json = {
        "author": {"name": "a" * 100},
        "footer": {"text": "f" * 900},
        "fields": [{"name": "n" * 250, "value": "v" * 750}] * 2,
    }
    message = check_message({"embeds": [half, full]}, route=Route.CHANNEL)
    assert [embed["type"] for embed in message.embeds] == ["rich", "rich"]
    assert faults_of({"embeds": [half, full, {"title": "x"}]}) == [
        ("embeds", "MAX_EMBED_SIZE_EXCEEDED")
    ]
    assert faults_of({"embeds": [{"title": "t"}] * 11}) == [("embeds", "BASE_TYPE_MAX_LENGTH")]


@given(st.text(max_size=2100))
def test_what_is_stored_has_1_to_2000_characters(content: str) -> None:
    try:
        message = check_message({"content": content}, route=Route.CHANNEL)
    except RuleViolation:
        assert len(content) > 2000 or not content.strip()
    else:
        assert 1 <= len(message.content) <= 2000


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=10,
)
FIELDS = st.sampled_from(
    [
        *("content", "embeds", "components", "flags", "attachments", "allowed_mentions", "nonce"),
        *("message_reference", "poll", "sticker_ids", "tts", "enforce_nonce"),
    ]
)


@given(st.dictionaries(FIELDS, JSON_VALUES), st.sampled_from(Route))
def test_no_json_brings_the_checker_down(payload: Json, route: Route) -> None:
    try:
        check_message(payload, route=route, uploads=[Upload(0, "a.png", 1)])
    except RuleViolation:
        return
