from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.discord.rules import (
    InvocationError,
    RuleViolation,
    Upload,
    check_modal,
    check_modal_submission,
)

Json = dict[str, object]


def field(kind: int, **fields: object) -> Json:
    return {"type": kind, "custom_id": "it", **fields}


def typed(**fields: object) -> Json:
    return {**field(4, style=1), **fields}


def label(component: object, **fields: object) -> Json:
    return {"type": 18, "label": "Prompt", "component": component, **fields}


def modal(*components: object, **fields: object) -> Json:
    return {"custom_id": "again", "title": "Again", "components": [*components], **fields}


def options(number: int, **fields: object) -> list[Json]:
    return [{"label": f"Option {n}", "value": f"{n}", **fields} for n in range(number)]


def faults_of(data: object) -> list[tuple[str, str]]:
    with pytest.raises(RuleViolation) as caught:
        check_modal(data)
    assert caught.value.code == 50035
    return caught.value.faults()


def test_a_modal_is_stored_with_ids_and_defaults() -> None:
    stored = check_modal(modal(label(typed(value="a boat")), {"type": 10, "content": "Read me"}))
    assert stored == {
        "custom_id": "again",
        "title": "Again",
        "components": [
            {
                "type": 18,
                "id": 1,
                "label": "Prompt",
                "component": {
                    "type": 4,
                    "id": 2,
                    "custom_id": "it",
                    "style": 1,
                    "value": "a boat",
                    "required": True,
                    "min_length": 0,
                    "max_length": 4000,
                },
            },
            {"type": 10, "id": 3, "content": "Read me"},
        ],
    }


def in_label(**labelled: object) -> Json:
    return modal(label(typed(), **labelled))


PLACE = "components.0.component"


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (None, ("", "MODEL_TYPE_CONVERT")),
        (modal(label(typed()), title=""), ("title", "BASE_TYPE_REQUIRED")),
        (modal(label(typed()), title="x" * 46), ("title", "BASE_TYPE_BAD_LENGTH")),
        (modal(label(typed()), custom_id="x" * 101), ("custom_id", "BASE_TYPE_BAD_LENGTH")),
        (modal(), ("components", "BASE_TYPE_BAD_LENGTH")),
        (
            modal(*[label(typed(custom_id=f"{n}")) for n in range(6)]),
            ("components", "BASE_TYPE_BAD_LENGTH"),
        ),
        (modal(typed()), ("components.0", "UNION_TYPE_CHOICES")),
        (modal({}), ("components.0", "UNION_TYPE_CHOICES")),
        (modal(label(typed()), {"type": 10}), ("components.1.content", "BASE_TYPE_REQUIRED")),
        (in_label(label=""), ("components.0.label", "BASE_TYPE_REQUIRED")),
        (in_label(label="x" * 46), ("components.0.label", "BASE_TYPE_BAD_LENGTH")),
        (in_label(description="x" * 101), ("components.0.description", "BASE_TYPE_BAD_LENGTH")),
        (modal(label(None)), (PLACE, "BASE_TYPE_REQUIRED")),
        (modal(label({"type": 2})), (PLACE, "UNION_TYPE_CHOICES")),
        (
            modal(label(typed(), id=4), label(typed(custom_id="b"), id=4)),
            ("components.1.id", "COMPONENT_ID_DUPLICATED"),
        ),
        (
            modal(label(typed()), label(typed())),
            ("components.1.component.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED"),
        ),
        (modal(label(typed(custom_id=None))), (f"{PLACE}.custom_id", "BASE_TYPE_REQUIRED")),
        (modal(label(typed(style=3))), (f"{PLACE}.style", "BASE_TYPE_CHOICES")),
        (
            modal(label(typed(placeholder="x" * 101))),
            (f"{PLACE}.placeholder", "BASE_TYPE_MAX_LENGTH"),
        ),
        (modal(label(typed(max_length=4001))), (f"{PLACE}.max_length", "NUMBER_TYPE_MAX")),
        (modal(label(typed(max_length=0))), (f"{PLACE}.max_length", "NUMBER_TYPE_MIN")),
        (modal(label(typed(min_length=4001))), (f"{PLACE}.min_length", "NUMBER_TYPE_MAX")),
        (
            modal(label(typed(min_length=3, max_length=2))),
            (f"{PLACE}.min_length", "NUMBER_TYPE_MAX"),
        ),
        (
            modal(label(typed(value="x" * 4001, max_length=4000))),
            (f"{PLACE}.value", "BASE_TYPE_MAX_LENGTH"),
        ),
        (
            modal(label(typed(value="abc", max_length=2))),
            (f"{PLACE}.value", "BASE_TYPE_BAD_LENGTH"),
        ),
        (modal(label(typed(required="no"))), (f"{PLACE}.required", "BOOLEAN_TYPE_CONVERT")),
        (modal(label(field(19, max_values=11))), (f"{PLACE}.max_values", "NUMBER_TYPE_MAX")),
        (modal(label(field(19, min_values=-1))), (f"{PLACE}.min_values", "NUMBER_TYPE_MIN")),
        (
            modal(label(field(19, min_values=3, max_values=2))),
            (f"{PLACE}.min_values", "NUMBER_TYPE_MAX"),
        ),
        (modal(label(field(21, options=options(1)))), (f"{PLACE}.options", "BASE_TYPE_BAD_LENGTH")),
        (
            modal(label(field(21, options=options(11)))),
            (f"{PLACE}.options", "BASE_TYPE_BAD_LENGTH"),
        ),
        (
            modal(label(field(21, options=options(2, default=True)))),
            (f"{PLACE}.options", "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES"),
        ),
        (modal(label(field(22, options=[]))), (f"{PLACE}.options", "BASE_TYPE_BAD_LENGTH")),
        (
            modal(label(field(22, options=options(11)))),
            (f"{PLACE}.options", "BASE_TYPE_BAD_LENGTH"),
        ),
        (
            modal(label(field(22, options=options(3, default=True), max_values=2))),
            (f"{PLACE}.options", "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES"),
        ),
        (modal(label(field(23, default=1))), (f"{PLACE}.default", "BOOLEAN_TYPE_CONVERT")),
        (
            modal(label(field(3, options=options(2), disabled=True))),
            (f"{PLACE}.disabled", "COMPONENT_DISABLED_IN_MODAL"),
        ),
        (modal(label(field(3, options=[]))), (f"{PLACE}.options", "BASE_TYPE_BAD_LENGTH")),
    ],
)
def test_a_modal_that_breaks_one_rule_is_refused_for_it(
    data: object, fault: tuple[str, str]
) -> None:
    assert fault in faults_of(data)


def test_the_older_form_is_one_labelled_input_in_a_row() -> None:
    old = typed(label="Prompt")
    stored = check_modal(modal({"type": 1, "components": [old]}))
    sent = check_modal_submission(stored, {"it": "a boat"})
    assert sent == [
        {
            "type": 1,
            "id": 1,
            "components": [{"type": 4, "id": 2, "custom_id": "it", "value": "a boat"}],
        }
    ]
    assert faults_of(modal({"type": 1, "components": [typed()]})) == [
        ("components.0.components.0.label", "BASE_TYPE_REQUIRED")
    ]
    two = [old, typed(label="More", custom_id="more")]
    assert faults_of(modal({"type": 1, "components": two})) == [
        ("components.0.components.1", "COMPONENT_LAYOUT_WIDTH_EXCEEDED")
    ]
    assert faults_of(modal({"type": 1, "components": [field(19)]})) == [
        ("components.0.components.0", "UNION_TYPE_CHOICES")
    ]


@pytest.mark.parametrize(
    "second",
    [
        label(typed(custom_id="two", id=9)),
        {"type": 1, "components": [typed(custom_id="two", label="Two", id=9)]},
    ],
)
def test_a_component_id_appears_once_in_a_modal_at_any_depth(second: Json) -> None:
    found = faults_of(modal(label(typed(), id=9), second))
    assert [code for _path, code in found] == ["COMPONENT_ID_DUPLICATED"]


@pytest.mark.parametrize(
    "second", [field(19), field(21, options=options(2)), field(22, options=options(2)), field(23)]
)
def test_a_custom_id_appears_once_in_a_modal_whatever_bears_it(second: Json) -> None:
    found = faults_of(modal(label(typed()), label(second)))
    assert found == [("components.1.component.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED")]


FORM: Final = check_modal(
    modal(
        label(field(21, custom_id="one", options=options(3))),
        label(field(22, custom_id="some", options=options(3), min_values=2, required=False)),
        label(field(23, custom_id="tick", default=True)),
        label(field(3, custom_id="pick", options=options(4), max_values=2, required=False)),
        label(field(19, custom_id="files", max_values=2, required=False)),
    )
)


def submit(values: Json, **files: list[Upload]) -> dict[str, object]:
    """Fill the form in and return what is sent, by custom id."""
    sent: dict[str, object] = {}
    for component in check_modal_submission(FORM, {"one": "0", **values}, files):
        inner = component["component"]
        assert isinstance(inner, dict)
        sent[inner["custom_id"]] = inner.get("values", inner.get("value"))
    return sent


def test_every_field_is_sent_with_what_the_person_chose() -> None:
    values: Json = {"some": ["0", "2"], "tick": False, "pick": ["3"]}
    assert submit(values, files=[Upload(77, "a.png", 9)]) == {
        "one": "0",
        "some": ["0", "2"],
        "tick": False,
        "pick": ["3"],
        "files": ["77"],
    }


def test_what_is_left_out_keeps_its_default_or_stays_empty() -> None:
    assert submit({}) == {"one": "0", "some": [], "tick": True, "pick": [], "files": []}
    default = check_modal(
        modal(
            label(field(21, options=[*options(2), {"label": "x", "value": "x", "default": True}]))
        )
    )
    [sent] = check_modal_submission(default, {})
    assert sent["component"] == {"type": 21, "id": 2, "custom_id": "it", "value": "x"}


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"one": None}, "one"),
        ({"one": "9"}, "one"),
        ({"one": ["0", "1"]}, "one"),
        ({"some": ["0"]}, "some"),
        ({"some": ["0", "9"]}, "some"),
        ({"some": "0"}, "some"),
        ({"some": ["0", "0"]}, "some"),
        ({"tick": "yes"}, "tick"),
        ({"pick": ["0", "1", "2"]}, "pick"),
        ({"pick": "3"}, "pick"),
        ({"files": ["77"]}, "files"),
        ({"other": "x"}, "other"),
    ],
)
def test_a_choice_that_the_form_does_not_offer_is_not_sent(values: Json, name: str) -> None:
    with pytest.raises(InvocationError) as caught:
        submit(values)
    assert caught.value.option == name


def test_files_are_counted_and_measured() -> None:
    three = [Upload(number, "a.png", 9) for number in range(3)]
    for files in ({"files": three}, {"one": three[:1]}, {"nowhere": three[:1]}):
        with pytest.raises(InvocationError):
            submit({}, **files)
    with pytest.raises(InvocationError) as caught:
        submit({}, files=[Upload(1, "a.png", 10 * 1024 * 1024 + 1)])
    assert caught.value.option == "files"


@pytest.mark.parametrize("kind", [19, 22])
def test_a_required_field_needs_something_even_if_it_takes_none(kind: int) -> None:
    fields: Json = {"options": options(2)} if kind == 22 else {}
    form = check_modal(modal(label(field(kind, min_values=0, **fields))))
    with pytest.raises(InvocationError):
        check_modal_submission(form, {})


def test_people_are_chosen_by_id() -> None:
    form = check_modal(modal(label(field(5, default_values=[{"id": "7", "type": "user"}]))))
    [sent] = check_modal_submission(form, {})
    assert sent["component"] == {"type": 5, "id": 2, "custom_id": "it", "values": ["7"]}
    with pytest.raises(InvocationError):
        check_modal_submission(form, {"it": ["mira"]})


@given(text=st.text(max_size=8), required=st.booleans())
def test_text_is_sent_when_it_has_the_length_that_the_modal_wants(
    text: str, *, required: bool
) -> None:
    form = check_modal(modal(label(typed(min_length=2, max_length=4, required=required))))
    try:
        check_modal_submission(form, {"it": text})
    except InvocationError:
        assert not 2 <= len(text) <= 4
        assert text or required
    else:
        assert 2 <= len(text) <= 4 or (not text and not required)


def test_text_is_text() -> None:
    with pytest.raises(InvocationError):
        check_modal_submission(check_modal(modal(label(typed()))), {"it": 5})
