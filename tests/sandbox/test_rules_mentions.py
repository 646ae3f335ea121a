import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.discord.rules import Pings, pings

Json = dict[str, object]
EVERYBODY = "@everyone, <@1>, <@!2> and <@&3>"
ALL = Pings(everyone=True, users=frozenset({1, 2}), roles=frozenset({3}))


def test_without_allowed_mentions_everything_pings() -> None:
    assert pings({"content": EVERYBODY}) == ALL
    assert pings({"content": "look @here"}) == Pings(everyone=True)


@pytest.mark.parametrize(
    "component",
    [
        {"type": 10, "content": EVERYBODY},
        {"type": 17, "components": [{"type": 10, "content": EVERYBODY}]},
        {"type": 9, "components": [{"type": 10, "content": EVERYBODY}], "accessory": {"type": 2}},
    ],
)
def test_text_displays_ping_at_any_depth(component: Json) -> None:
    assert pings({"components": [component]}) == ALL


def test_embeds_and_labels_never_ping() -> None:
    label = {"type": 2, "label": EVERYBODY}
    payload: Json = {
        "embeds": [{"description": EVERYBODY}],
        "components": [{"type": 1, "components": [label]}],
    }
    assert not pings(payload)


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        ({"parse": []}, Pings()),
        ({"parse": ["everyone"]}, Pings(everyone=True)),
        ({"parse": ["users"]}, Pings(users=frozenset({1, 2}))),
        ({"parse": ["roles"]}, Pings(roles=frozenset({3}))),
        ({"users": ["2", "9"]}, Pings(users=frozenset({2}))),
        ({"parse": [], "roles": [3]}, Pings(roles=frozenset({3}))),
        ({}, ALL),
    ],
)
def test_allowed_mentions_decide_who_is_pinged(allowed: Json, expected: Pings) -> None:
    assert pings({"content": EVERYBODY, "allowed_mentions": allowed}) == expected
    assert pings({"content": EVERYBODY}, allowed) == expected


@pytest.mark.parametrize(
    ("allowed", "pinged"),
    [(None, True), ({"parse": []}, False), ({"parse": [], "replied_user": True}, True)],
)
def test_a_reply_pings_its_author_when_allowed(allowed: object, *, pinged: bool) -> None:
    payload: Json = {
        "content": "hi",
        "message_reference": {"message_id": "1"},
        "allowed_mentions": allowed,
    }
    assert pings(payload) == Pings(replied_user=pinged)


def test_a_mention_in_code_counts_on_the_side_of_caution() -> None:
    assert pings({"content": "`<@1>` \\@everyone"})


@given(st.text(alphabet="<@!&>0123456789everyonh`\\ "))
def test_no_text_pings_when_nothing_is_allowed(content: str) -> None:
    shown: Json = {"type": 10, "content": content}
    assert not pings({"content": content, "components": [shown]}, {"parse": []})
