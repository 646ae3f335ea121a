from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.discord.rules import (
    InvocationError,
    autocomplete_options,
    check_command,
    check_invocation,
    focused_option_type,
)

Json = dict[str, object]

IMAGINE: Final = check_command(
    {
        "name": "imagine",
        "description": "Make a picture",
        "options": [
            {"type": 3, "name": "prompt", "description": "What", "required": True},
            {"type": 3, "name": "model", "description": "Which", "autocomplete": True},
            {
                "type": 3,
                "name": "quality",
                "description": "How",
                "choices": [{"name": "High", "value": "high"}],
            },
            {"type": 4, "name": "count", "description": "N", "min_value": 1, "max_value": 4},
            {"type": 5, "name": "private", "description": "Only you"},
            {"type": 10, "name": "strength", "description": "0 to 1", "min_value": 0.5},
            {"type": 11, "name": "image", "description": "A file"},
            {"type": 3, "name": "tag", "description": "Tag", "min_length": 2, "max_length": 4},
        ],
    }
)
LIMITS: Final = check_command(
    {
        "name": "limits",
        "description": "Limits",
        "options": [
            {"type": 1, "name": "show", "description": "Show"},
            {
                "type": 2,
                "name": "set",
                "description": "Set",
                "options": [
                    {
                        "type": 1,
                        "name": "member",
                        "description": "A member's",
                        "options": [
                            {"type": 6, "name": "who", "description": "Whose", "required": True},
                            {
                                "type": 4,
                                "name": "cents",
                                "description": "How much",
                                "autocomplete": True,
                            },
                        ],
                    }
                ],
            },
        ],
    }
)


def test_options_are_sent_in_the_commands_order_with_their_types() -> None:
    typed = {"private": False, "count": 4, "prompt": "a boat", "strength": 1, "image": 77}
    assert check_invocation(IMAGINE, typed) == [
        {"name": "prompt", "type": 3, "value": "a boat"},
        {"name": "count", "type": 4, "value": 4},
        {"name": "private", "type": 5, "value": False},
        {"name": "strength", "type": 10, "value": 1},
        {"name": "image", "type": 11, "value": "77"},
    ]


@pytest.mark.parametrize(
    ("typed", "option"),
    [
        ({}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": "x" * 6001}, "prompt"),
        ({"prompt": "x", "colour": "red"}, "colour"),
        ({"prompt": "x", "quality": "best"}, "quality"),
        ({"prompt": "x", "count": 0}, "count"),
        ({"prompt": "x", "count": 5}, "count"),
        ({"prompt": "x", "count": True}, "count"),
        ({"prompt": "x", "count": 1.5}, "count"),
        ({"prompt": "x", "count": "2"}, "count"),
        ({"prompt": "x", "private": 1}, "private"),
        ({"prompt": "x", "strength": 0.4}, "strength"),
        ({"prompt": "x", "strength": float("nan")}, "strength"),
        ({"prompt": "x", "strength": 2**60}, "strength"),
        ({"prompt": "x", "image": "boat.png"}, "image"),
        ({"prompt": "x", "tag": "a"}, "tag"),
        ({"prompt": "x", "tag": "abcde"}, "tag"),
    ],
)
def test_a_value_that_the_option_does_not_take_never_leaves_the_client(
    typed: Json, option: str
) -> None:
    with pytest.raises(InvocationError) as caught:
        check_invocation(IMAGINE, typed)
    assert caught.value.option == option


def test_a_prompt_may_have_6000_characters() -> None:
    assert check_invocation(IMAGINE, {"prompt": "x" * 6000})


@given(st.integers())
def test_a_number_is_sent_only_within_its_range(count: int) -> None:
    try:
        sent = check_invocation(IMAGINE, {"prompt": "x", "count": count})
    except InvocationError:
        assert not 1 <= count <= 4
    else:
        assert sent[1] == {"name": "count", "type": 4, "value": count}
        assert 1 <= count <= 4


def test_subcommands_are_sent_nested_in_their_group() -> None:
    assert check_invocation(LIMITS, {}, subcommand="show") == [
        {"name": "show", "type": 1, "options": []}
    ]
    assert check_invocation(LIMITS, {"who": "7"}, subcommand="set member") == [
        {
            "name": "set",
            "type": 2,
            "options": [
                {
                    "name": "member",
                    "type": 1,
                    "options": [{"name": "who", "type": 6, "value": "7"}],
                }
            ],
        }
    ]


@pytest.mark.parametrize("subcommand", ["", "set", "hide", "set role", "set member more"])
def test_a_command_with_subcommands_runs_only_by_one_of_them(subcommand: str) -> None:
    with pytest.raises(InvocationError):
        check_invocation(LIMITS, {}, subcommand=subcommand)


def test_autocomplete_sends_what_was_typed_so_far_with_one_option_focused() -> None:
    sent = autocomplete_options(IMAGINE, {"model": "fl", "count": 9, "image": 7}, focused="model")
    assert sent == [
        {"name": "model", "type": 3, "value": "fl", "focused": True},
        {"name": "count", "type": 4, "value": 9},
        {"name": "image", "type": 11, "value": "7"},
    ]


def test_a_focused_number_is_sent_as_the_text_typed() -> None:
    [group] = autocomplete_options(LIMITS, {"cents": 5}, focused="cents", subcommand="set member")
    assert group["options"] == [
        {
            "name": "member",
            "type": 1,
            "options": [{"name": "cents", "type": 4, "value": "5", "focused": True}],
        }
    ]


def test_an_untouched_focused_option_is_sent_empty() -> None:
    assert autocomplete_options(IMAGINE, {}, focused="model") == [
        {"name": "model", "type": 3, "value": "", "focused": True}
    ]


@pytest.mark.parametrize(("typed", "focused"), [({}, "prompt"), ({}, "nope"), ({"no": 1}, "model")])
def test_only_known_options_with_autocomplete_ask_for_choices(typed: Json, focused: str) -> None:
    with pytest.raises(InvocationError):
        autocomplete_options(IMAGINE, typed, focused=focused)


def test_the_type_of_a_focused_option_is_found_in_its_subcommand() -> None:
    assert focused_option_type(IMAGINE, focused="model") == 3
    assert focused_option_type(LIMITS, focused="cents", subcommand="set member") == 4
    with pytest.raises(KeyError):
        focused_option_type(LIMITS, focused="cents", subcommand="show")
