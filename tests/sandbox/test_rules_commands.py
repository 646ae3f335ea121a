from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.discord.rules import (
    RuleViolation,
    check_command,
    check_command_patch,
    check_commands,
)

Json = dict[str, object]


def option(**fields: object) -> Json:
    return {"type": 3, "name": "text", "description": "Some text", **fields}


def command(*options: Json, **fields: object) -> Json:
    return {"name": "imagine", "description": "Make a picture", "options": [*options], **fields}


def faults_of(payload: object) -> list[tuple[str, str]]:
    with pytest.raises(RuleViolation) as caught:
        check_command(payload)
    assert (caught.value.status, caught.value.code) == (400, 50035)
    return caught.value.faults()


def test_a_stored_command_has_every_default_filled_in() -> None:
    [stored] = check_commands([{"name": "imagine", "description": "Make a picture"}])
    assert stored == {
        "type": 1,
        "name": "imagine",
        "name_localizations": None,
        "description": "Make a picture",
        "description_localizations": None,
        "options": [],
        "default_member_permissions": None,
        "dm_permission": True,
        "contexts": None,
        "integration_types": [0],
        "nsfw": False,
    }


def test_a_refusal_reads_as_discord_writes_it() -> None:
    with pytest.raises(RuleViolation) as caught:
        check_commands([command(option(description=""))])
    assert caught.value.body() == {
        "message": "Invalid Form Body",
        "code": 50035,
        "errors": {
            "0": {
                "options": {
                    "0": {
                        "description": {
                            "_errors": [
                                {"code": "BASE_TYPE_REQUIRED", "message": "This field is required"}
                            ]
                        }
                    }
                }
            }
        },
    }


NAME = "APPLICATION_COMMAND_INVALID_NAME"
TOO_LONG = "BASE_TYPE_BAD_LENGTH"


@pytest.mark.parametrize("name", ["imagine", "a-b_c'd", "bild2", "画像", "चित्र", "รูปภาพ", "ça"])
def test_names_of_letters_digits_and_three_signs_are_taken(name: str) -> None:
    assert check_command(command(name=name))["name"] == name


@pytest.mark.parametrize("name", ["Imagine", "two words", "dot.ted", "฿aht", "x😀"])
def test_names_with_capitals_blanks_or_signs_are_refused(name: str) -> None:
    assert faults_of(command(name=name)) == [("name", NAME)]


@given(st.text(min_size=1, max_size=40))
def test_no_name_that_passes_has_a_capital_a_blank_or_33_characters(name: str) -> None:
    try:
        check_command(command(name=name))
    except RuleViolation:
        return
    assert len(name) <= 32
    assert name == name.lower()
    assert not any(char.isspace() for char in name)


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        ("text", ("", "MODEL_TYPE_CONVERT")),
        (command(name="a" * 33), ("name", TOO_LONG)),
        (command(name=7), ("name", "STRING_TYPE_CONVERT")),
        (command(description="x" * 101), ("description", TOO_LONG)),
        ({"name": "imagine"}, ("description", "BASE_TYPE_REQUIRED")),
        (command(type=4), ("type", "BASE_TYPE_CHOICES")),
        (command(contexts=[]), ("contexts", TOO_LONG)),
        (command(contexts=[3]), ("contexts", "BASE_TYPE_CHOICES")),
        (command(contexts=[1, 1]), ("contexts", "SET_TYPE_ALREADY_CONTAINS_VALUE")),
        (command(integration_types=[2]), ("integration_types", "BASE_TYPE_CHOICES")),
        (
            command(default_member_permissions="some"),
            ("default_member_permissions", "NUMBER_TYPE_COERCE"),
        ),
        (command(nsfw="yes"), ("nsfw", "BOOLEAN_TYPE_CONVERT")),
        (
            command(name_localizations={"xx": "bild"}),
            ("name_localizations.xx", "BASE_TYPE_CHOICES"),
        ),
        (command(name_localizations={"de": "Bild"}), ("name_localizations.de", NAME)),
        (
            command(description_localizations={"de": "x" * 101}),
            ("description_localizations.de", TOO_LONG),
        ),
        (
            command(option(name_localizations={"de": "Text"})),
            ("options.0.name_localizations.de", NAME),
        ),
        (
            command(option(description_localizations={"xx": "Text"})),
            ("options.0.description_localizations.xx", "BASE_TYPE_CHOICES"),
        ),
        (
            command(
                option(choices=[{"name": "x", "value": "x", "name_localizations": {"de": ""}}])
            ),
            ("options.0.choices.0.name_localizations.de", "BASE_TYPE_REQUIRED"),
        ),
        (command(*[option(name=f"o{n}") for n in range(26)]), ("options", "BASE_TYPE_MAX_LENGTH")),
        (command(option(name="Text")), ("options.0.name", NAME)),
        (command(option(type=12)), ("options.0.type", "BASE_TYPE_CHOICES")),
        (command(option(name="")), ("options.0.name", "BASE_TYPE_REQUIRED")),
        (
            command(option(), option()),
            ("options.1.name", "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS"),
        ),
        (
            command(option(), option(name="more", required=True)),
            ("options.1", "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"),
        ),
        (
            command(option(choices=[{"name": f"{n}", "value": f"{n}"} for n in range(26)])),
            ("options.0.choices", "BASE_TYPE_MAX_LENGTH"),
        ),
        (
            command(option(choices=[{"name": "x" * 101, "value": "x"}])),
            ("options.0.choices.0.name", TOO_LONG),
        ),
        (
            command(option(choices=[{"name": "x", "value": "x" * 101}])),
            ("options.0.choices.0.value", TOO_LONG),
        ),
        (
            command(option(choices=[{"name": "x", "value": 1}])),
            ("options.0.choices.0.value", "STRING_TYPE_CONVERT"),
        ),
        (
            command(option(type=4, choices=[{"name": "x", "value": 1.5}])),
            ("options.0.choices.0.value", "NUMBER_TYPE_COERCE"),
        ),
        (
            command(option(type=4, choices=[{"name": "x", "value": 2**53}])),
            ("options.0.choices.0.value", "NUMBER_TYPE_MAX"),
        ),
        (
            command(option(type=10, choices=[{"name": "x"}])),
            ("options.0.choices.0.value", "BASE_TYPE_REQUIRED"),
        ),
        (
            command(option(choices=[{"name": "x", "value": "1"}, {"name": "x", "value": "2"}])),
            ("options.0.choices.1", "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_ALREADY_EXISTS"),
        ),
        (
            command(option(choices=[{"name": "x", "value": "1"}, {"name": "y", "value": "1"}])),
            ("options.0.choices.1", "APPLICATION_COMMAND_OPTIONS_CHOICE_VALUE_ALREADY_EXISTS"),
        ),
        (
            command(option(choices=[{"name": "x", "value": "x"}], autocomplete=True)),
            ("options.0.autocomplete", "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_CHOICES"),
        ),
        (command(option(max_length=6001)), ("options.0.max_length", "NUMBER_TYPE_MAX")),
        (command(option(max_length=0)), ("options.0.max_length", "NUMBER_TYPE_MIN")),
        (command(option(min_length=-1)), ("options.0.min_length", "NUMBER_TYPE_MIN")),
        (
            command(option(min_length=5, max_length=4)),
            ("options.0.min_length", "APPLICATION_COMMAND_OPTIONS_RANGE"),
        ),
        (
            command(option(type=4, min_value=5, max_value=4)),
            ("options.0.min_value", "APPLICATION_COMMAND_OPTIONS_RANGE"),
        ),
        (command(option(type=4, min_value=0.5)), ("options.0.min_value", "NUMBER_TYPE_COERCE")),
        (
            command(option(type=7, channel_types=[99])),
            ("options.0.channel_types", "BASE_TYPE_CHOICES"),
        ),
    ],
)
def test_a_command_that_breaks_one_rule_is_refused_for_it(
    payload: object, fault: tuple[str, str]
) -> None:
    assert faults_of(payload) == [fault]


def sub(*options: Json, name: str = "show", kind: int = 1) -> Json:
    return option(type=kind, name=name, options=[*options])


def test_subcommands_and_groups_of_them_are_taken() -> None:
    stored = check_command(command(sub(option()), sub(sub(option()), name="set", kind=2)))
    assert stored["options"] == [
        {
            "type": 1,
            "name": "show",
            "description": "Some text",
            "options": [{"type": 3, "name": "text", "description": "Some text", "required": False}],
        },
        {
            "type": 2,
            "name": "set",
            "description": "Some text",
            "options": [
                {
                    "type": 1,
                    "name": "show",
                    "description": "Some text",
                    "options": [
                        {"type": 3, "name": "text", "description": "Some text", "required": False}
                    ],
                }
            ],
        },
    ]


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ([sub(), option()], ("options", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID")),
        ([sub(sub())], ("options.0.options.0.type", "BASE_TYPE_CHOICES")),
        ([sub(option(), kind=2)], ("options.0.options.0.type", "BASE_TYPE_CHOICES")),
        ([sub(sub(kind=2), kind=2)], ("options.0.options.0.type", "BASE_TYPE_CHOICES")),
        ([sub(kind=2)], ("options.0.options", "BASE_TYPE_REQUIRED")),
    ],
)
def test_subcommands_nest_in_one_way_only(options: list[Json], fault: tuple[str, str]) -> None:
    assert fault in faults_of(command(*options))


def test_limits_that_do_not_belong_to_an_options_type_are_dropped() -> None:
    stored = check_command(command(option(type=5, min_length=3, max_value=1, autocomplete=True)))
    assert stored["options"] == [
        {"type": 5, "name": "text", "description": "Some text", "required": False}
    ]


def test_all_text_of_a_command_is_at_most_8000_characters() -> None:
    def big(last: int) -> Json:
        choices = [{"name": f"{n:0100}", "value": f"{n:0100}"} for n in range(25)]
        return {
            "name": "c",
            "description": "d",
            "options": [
                {"type": 3, "name": "a", "description": "x" * 100, "choices": choices},
                {"type": 3, "name": "b", "description": "x" * 100, "choices": choices[:13]},
                {"type": 3, "name": "c", "description": "x" * 100},
                {"type": 3, "name": "d", "description": "x" * last},
            ],
        }

    # 2 of the command, 5000 + 101, 2600 + 101, 101 and 1 + last: 7906 + last.
    check_command(big(94))
    assert faults_of(big(95)) == [("", "APPLICATION_COMMAND_TOO_LARGE")]


def test_of_translations_only_the_longest_counts_for_the_8000() -> None:
    choice = {"value": "v", "name": "n", "name_localizations": {"de": "x" * 99, "fr": "x" * 99}}
    full = [dict(choice, name=f"n{n}", value=f"v{n}") for n in range(25)]
    options = [option(name=f"o{n}", choices=full) for n in range(3)]
    check_command(command(*options))  # about 7,600; twice that if every translation counted


@pytest.mark.parametrize("kind", [2, 3])
def test_menu_commands_may_have_capitals_and_blanks_but_no_description_or_options(
    kind: int,
) -> None:
    assert check_command({"type": kind, "name": "Use as Picture"})["description"] == ""
    payload = command(option(), type=kind, name="Use as Picture")
    assert [path for path, _code in faults_of(payload)] == ["description", "options"]


def test_two_commands_of_one_name_and_type_are_refused_in_one_overwrite() -> None:
    check_commands([command(), {"type": 3, "name": "imagine"}])
    with pytest.raises(RuleViolation) as caught:
        check_commands([command(), command()])
    assert caught.value.faults() == [("1.name", "APPLICATION_COMMANDS_DUPLICATE_NAME")]


def test_an_overwrite_is_a_list() -> None:
    with pytest.raises(RuleViolation) as caught:
        check_commands({"name": "imagine"})
    assert caught.value.faults() == [("", "LIST_TYPE_CONVERT")]


def slash(number: int) -> Json:
    return {"name": f"c{number}", "description": "d"}


def menu(kind: int) -> Callable[[int], Json]:
    return lambda number: {"type": kind, "name": f"c{number}"}


@pytest.mark.parametrize(("make", "most"), [(slash, 100), (menu(2), 15), (menu(3), 15)])
def test_a_scope_holds_100_slash_commands_and_15_of_each_menu(
    make: Callable[[int], Json], most: int
) -> None:
    stored = check_commands([make(number) for number in range(most)])
    with pytest.raises(RuleViolation) as caught:
        check_commands([make(number) for number in range(most + 1)])
    assert (caught.value.code, caught.value.body().get("errors")) == (30032, None)
    check_command(make(0), registered=stored)  # replaces its namesake
    with pytest.raises(RuleViolation) as caught:
        check_command(make(most), registered=stored)
    assert caught.value.code == 30032


def test_a_patch_changes_what_it_names_and_never_the_type() -> None:
    [current] = check_commands([command(option())])
    changed = check_command_patch({"description": "New", "type": 3}, current=current)
    assert changed == {**current, "description": "New"}


def test_a_patch_is_checked_like_a_new_command() -> None:
    first, second = check_commands([command(), command(name="usage")])
    with pytest.raises(RuleViolation) as caught:
        check_command_patch({"name": "Usage"}, current=first)
    assert caught.value.faults() == [("name", NAME)]
    with pytest.raises(RuleViolation) as caught:
        check_command_patch({"name": "usage"}, current=first, registered=[first, second])
    assert caught.value.faults() == [("name", "APPLICATION_COMMANDS_DUPLICATE_NAME")]


@pytest.mark.parametrize("given_bits", ["32", 32])
def test_permissions_are_taken_as_text_or_number_and_kept_as_text(given_bits: object) -> None:
    stored = check_command(command(default_member_permissions=given_bits))
    assert stored["default_member_permissions"] == "32"
