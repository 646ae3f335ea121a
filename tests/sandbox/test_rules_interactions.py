import pytest

from sandbox.discord.rules import (
    Before,
    CallbackType,
    InteractionType,
    RuleViolation,
    Upload,
    check_callback,
    check_choices,
)

Json = dict[str, object]
SOURCE = Before(content="old")
MODAL: Json = {
    "custom_id": "again",
    "title": "Again",
    "components": [
        {"type": 18, "label": "Prompt", "component": {"type": 4, "custom_id": "p", "style": 1}}
    ],
}
ANSWERS: dict[int, Json] = {
    1: {"type": 1},
    4: {"type": 4, "data": {"content": "hello"}},
    5: {"type": 5},
    6: {"type": 6},
    7: {"type": 7, "data": {"content": "new"}},
    8: {"type": 8, "data": {"choices": []}},
    9: {"type": 9, "data": MODAL},
    10: {"type": 10},
    12: {"type": 12},
}


def refusal(payload: object, interaction: InteractionType) -> RuleViolation:
    with pytest.raises(RuleViolation) as caught:
        check_callback(payload, interaction=interaction, source=SOURCE)
    return caught.value


@pytest.mark.parametrize(
    ("interaction", "allowed"),
    [
        (InteractionType.PING, {1}),
        (InteractionType.COMMAND, {4, 5, 9}),
        (InteractionType.COMPONENT, {4, 5, 6, 7, 9}),
        (InteractionType.AUTOCOMPLETE, {8}),
        (InteractionType.MODAL_SUBMIT, {4, 5, 6, 7}),
    ],
)
def test_each_interaction_takes_its_own_answers_only(
    interaction: InteractionType, allowed: set[int]
) -> None:
    # A command has no message that an answer could update.
    source = None if interaction is InteractionType.COMMAND else SOURCE
    for kind, payload in ANSWERS.items():
        if kind in allowed:
            answer = check_callback(payload, interaction=interaction, source=source)
            assert answer.kind == kind
        else:
            assert refusal(payload, interaction).faults() == [("type", "BASE_TYPE_CHOICES")]


@pytest.mark.parametrize("payload", [None, {}, {"type": "4"}, {"type": True}])
def test_an_answer_has_a_type(payload: object) -> None:
    assert refusal(payload, InteractionType.COMMAND).code == 50035


def test_a_modal_that_no_component_opened_has_no_message_to_update() -> None:
    with pytest.raises(RuleViolation):
        check_callback(ANSWERS[7], interaction=InteractionType.MODAL_SUBMIT)
    assert check_callback(ANSWERS[6], interaction=InteractionType.MODAL_SUBMIT).kind == 6


def test_a_message_is_checked_and_its_faults_stand_under_data() -> None:
    answer = check_callback(
        {"type": 4, "data": {"content": "hello", "flags": 64}},
        interaction=InteractionType.COMMAND,
        uploads=[Upload(0, "a.png", 1)],
    )
    assert answer.ephemeral
    assert answer.message is not None
    assert (answer.message.content, len(answer.message.attachments)) == ("hello", 1)
    broken = {"type": 4, "data": {"content": "x" * 2001}}
    assert refusal(broken, InteractionType.COMMAND).faults() == [
        ("data.content", "BASE_TYPE_MAX_LENGTH")
    ]
    assert refusal({"type": 4}, InteractionType.COMMAND).code == 50006


def test_an_update_changes_the_message_that_was_clicked() -> None:
    answer = check_callback(
        {"type": 7, "data": {"embeds": [{"title": "t"}]}},
        interaction=InteractionType.COMPONENT,
        source=SOURCE,
    )
    assert answer.message is not None
    assert (answer.message.content, len(answer.message.embeds)) == ("old", 1)
    broken = {"type": 7, "data": {"content": "x" * 2001}}
    assert refusal(broken, InteractionType.COMPONENT).faults() == [
        ("data.content", "BASE_TYPE_MAX_LENGTH")
    ]


@pytest.mark.parametrize(
    ("data", "ephemeral"), [(None, False), ({"flags": 64}, True), ({"flags": 1 << 15}, False)]
)
def test_a_deferral_says_only_whether_it_is_private(data: object, *, ephemeral: bool) -> None:
    answer = check_callback({"type": 5, "data": data}, interaction=InteractionType.COMMAND)
    assert (answer.kind, answer.ephemeral) == (CallbackType.DEFERRED_MESSAGE, ephemeral)


def test_a_deferral_takes_no_other_flags() -> None:
    refused = refusal({"type": 5, "data": {"flags": 128}}, InteractionType.COMMAND)
    assert refused.faults() == [("data.flags", "MESSAGE_FLAGS_INVALID")]


def test_a_modal_is_checked_under_data() -> None:
    answer = check_callback(ANSWERS[9], interaction=InteractionType.COMMAND)
    assert answer.modal is not None
    assert answer.modal["title"] == "Again"
    broken = {"type": 9, "data": {**MODAL, "title": ""}}
    assert refusal(broken, InteractionType.COMMAND).faults() == [
        ("data.title", "BASE_TYPE_REQUIRED")
    ]
    assert refusal({"type": 9}, InteractionType.COMMAND).faults() == [
        ("data", "MODEL_TYPE_CONVERT")
    ]


def choices(number: int) -> list[Json]:
    return [{"name": f"Model {n}", "value": f"model/{n}"} for n in range(number)]


def test_autocomplete_answers_with_up_to_25_choices() -> None:
    answer = check_callback(
        {"type": 8, "data": {"choices": choices(25)}}, interaction=InteractionType.AUTOCOMPLETE
    )
    assert len(answer.choices) == 25
    broken = {"type": 8, "data": {"choices": choices(26)}}
    assert refusal(broken, InteractionType.AUTOCOMPLETE).faults() == [
        ("data.choices", "BASE_TYPE_MAX_LENGTH")
    ]
    assert refusal({"type": 8}, InteractionType.AUTOCOMPLETE).faults() == [
        ("data", "MODEL_TYPE_CONVERT")
    ]


@pytest.mark.parametrize(
    ("choice", "option_type", "fault"),
    [
        ("x", 3, ("choices.0", "MODEL_TYPE_CONVERT")),
        ({"value": "x"}, 3, ("choices.0.name", "BASE_TYPE_REQUIRED")),
        ({"name": "", "value": "x"}, 3, ("choices.0.name", "BASE_TYPE_REQUIRED")),
        ({"name": "x" * 101, "value": "x"}, 3, ("choices.0.name", "BASE_TYPE_BAD_LENGTH")),
        ({"name": "x", "value": "x" * 101}, 3, ("choices.0.value", "BASE_TYPE_BAD_LENGTH")),
        ({"name": "x", "value": 5}, 3, ("choices.0.value", "STRING_TYPE_CONVERT")),
        ({"name": "x", "value": "5"}, 4, ("choices.0.value", "NUMBER_TYPE_COERCE")),
        ({"name": "x", "value": 5.5}, 4, ("choices.0.value", "NUMBER_TYPE_COERCE")),
        ({"name": "x", "value": -(2**53)}, 4, ("choices.0.value", "NUMBER_TYPE_MIN")),
        ({"name": "x", "value": 1e300}, 10, ("choices.0.value", "NUMBER_TYPE_MAX")),
        ({"name": "x", "value": "5"}, 10, ("choices.0.value", "NUMBER_TYPE_COERCE")),
    ],
)
def test_a_choice_has_a_name_and_a_value_of_the_options_type(
    choice: object, option_type: int, fault: tuple[str, str]
) -> None:
    with pytest.raises(RuleViolation) as caught:
        check_choices([choice], option_type=option_type)
    assert caught.value.faults() == [fault]


def test_numbers_are_offered_as_numbers() -> None:
    assert check_choices([{"name": "Half", "value": 0.5}], option_type=10) == (
        {"name": "Half", "value": 0.5},
    )
    answer = check_callback(
        {"type": 8, "data": {"choices": [{"name": "Two", "value": 2}]}},
        interaction=InteractionType.AUTOCOMPLETE,
        focused_type=4,
    )
    assert answer.choices == ({"name": "Two", "value": 2},)
