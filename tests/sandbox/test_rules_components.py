import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.discord.rules import (
    Before,
    Route,
    RuleViolation,
    Upload,
    assign_component_ids,
    check_edit,
    check_message,
)

Json = dict[str, object]
V2 = 1 << 15
UPLOAD = Upload(0, "boat.png", 100)


def button(number: int = 0, **fields: object) -> Json:
    return {"type": 2, "style": 1, "label": "Go", "custom_id": f"go:{number}", **fields}


def row(*components: Json) -> Json:
    return {"type": 1, "components": [*components]}


def select(**fields: object) -> Json:
    options = fields.pop("options", [{"label": "A", "value": "a"}])
    return {"type": 3, "custom_id": "pick", "options": options, **fields}


def text(content: str = "a boat", **fields: object) -> Json:
    return {"type": 10, "content": content, **fields}


def gallery(*urls: str) -> Json:
    return {"type": 12, "items": [{"media": {"url": url}} for url in urls]}


def section(*texts: Json, accessory: object = None) -> Json:
    return {"type": 9, "components": [*texts], "accessory": accessory or button()}


def container(*components: Json, **fields: object) -> Json:
    return {"type": 17, "components": [*components], **fields}


def check(*components: object, flags: int = V2) -> list[Json]:
    payload: Json = {"components": [*components], "flags": flags}
    if not flags:
        payload["content"] = "x"
    return check_message(payload, route=Route.WEBHOOK, uploads=[UPLOAD]).components


def faults_of(*components: object, flags: int = V2) -> list[tuple[str, str]]:
    with pytest.raises(RuleViolation) as caught:
        check(*components, flags=flags)
    return [
        (path.removeprefix("components").removeprefix("."), code)
        for path, code in caught.value.faults()
    ]


def test_components_are_stored_with_ids_and_defaults() -> None:
    shown = container(
        text(),
        gallery("attachment://boat.png", "https://example.com/a.png"),
        {"type": 13, "file": {"url": "attachment://boat.png"}},
        {"type": 14},
        section(text(), accessory={"type": 11, "media": {"url": "attachment://boat.png"}}),
        row(select()),
        accent_color=255,
    )
    assert check(shown, row(button())) == [
        {
            "type": 17,
            "id": 1,
            "accent_color": 255,
            "spoiler": False,
            "components": [
                {"type": 10, "id": 2, "content": "a boat"},
                {
                    "type": 12,
                    "id": 3,
                    "items": [
                        {"media": {"url": "attachment://boat.png"}, "spoiler": False},
                        {"media": {"url": "https://example.com/a.png"}, "spoiler": False},
                    ],
                },
                {
                    "type": 13,
                    "id": 4,
                    "file": {"url": "attachment://boat.png"},
                    "spoiler": False,
                },
                {"type": 14, "id": 5, "spacing": 1, "divider": True},
                {
                    "type": 9,
                    "id": 6,
                    "components": [{"type": 10, "id": 7, "content": "a boat"}],
                    "accessory": {
                        "type": 11,
                        "id": 8,
                        "media": {"url": "attachment://boat.png"},
                        "spoiler": False,
                    },
                },
                {
                    "type": 1,
                    "id": 9,
                    "components": [
                        {
                            "type": 3,
                            "id": 10,
                            "custom_id": "pick",
                            "min_values": 1,
                            "max_values": 1,
                            "disabled": False,
                            "options": [{"label": "A", "value": "a", "default": False}],
                        }
                    ],
                },
            ],
        },
        {
            "type": 1,
            "id": 11,
            "components": [
                {
                    "type": 2,
                    "id": 12,
                    "style": 1,
                    "label": "Go",
                    "custom_id": "go:0",
                    "disabled": False,
                }
            ],
        },
    ]


def test_version_1_takes_rows_only_and_five_of_them() -> None:
    rows = [row(button(number)) for number in range(6)]
    assert len(check(*rows[:5], flags=0)) == 5
    assert faults_of(*rows, flags=0) == [("", "BASE_TYPE_MAX_LENGTH")]
    assert faults_of(text(), flags=0) == [("0", "UNION_TYPE_CHOICES")]
    assert faults_of(container(text()), flags=0) == [("0", "UNION_TYPE_CHOICES")]


def test_a_row_holds_five_buttons_or_one_select() -> None:
    assert check(row(*[button(number) for number in range(5)]))
    assert ("0.components", "BASE_TYPE_BAD_LENGTH") in faults_of(
        row(*[button(number) for number in range(6)])
    )
    assert faults_of(row()) == [("0.components", "BASE_TYPE_BAD_LENGTH")]
    width = "COMPONENT_LAYOUT_WIDTH_EXCEEDED"
    assert faults_of(row(select(), button())) == [("0.components.1", width)]
    assert faults_of(row(button(), select())) == [("0.components.1", width)]
    assert faults_of(row(select(), select(custom_id="q"))) == [("0.components.1", width)]


TYPE = "UNION_TYPE_CHOICES"


@pytest.mark.parametrize(
    ("component", "path"),
    [
        (container(container(text())), "0.components.0"),
        (container(button()), "0.components.0"),
        (row(text()), "0.components.0"),
        (row(row(button())), "0.components.0"),
        (section(button()), "0.components.0"),
        (section(text(), accessory=text()), "0.accessory"),
        (section(text(), accessory=select()), "0.accessory"),
        (button(), "0"),
        (select(), "0"),
        ({"type": 11, "media": {"url": "https://example.com/a.png"}}, "0"),
        ({"type": 18, "label": "x", "component": text()}, "0"),
        (row({"type": 4, "custom_id": "x", "style": 1}), "0.components.0"),
        ({"type": "10", "content": "x"}, "0"),
        ({"type": True}, "0"),
        ({}, "0"),
    ],
)
def test_components_stand_only_where_discord_allows_them(component: Json, path: str) -> None:
    assert faults_of(component) == [(path, TYPE)]


@pytest.mark.parametrize(
    ("component", "fault"),
    [
        (5, ("0", "MODEL_TYPE_CONVERT")),
        (text(""), ("0.content", "BASE_TYPE_REQUIRED")),
        (text(" \n"), ("0.content", "BASE_TYPE_REQUIRED")),
        (text(id=-1), ("0.id", "NUMBER_TYPE_MIN")),
        (text(id=2**31), ("0.id", "NUMBER_TYPE_MAX")),
        (container(), ("0.components", "BASE_TYPE_BAD_LENGTH")),
        (container(text(), accent_color=0x1000000), ("0.accent_color", "NUMBER_TYPE_MAX")),
        (container(text(), spoiler=1), ("0.spoiler", "BOOLEAN_TYPE_CONVERT")),
        (section(), ("0.components", "BASE_TYPE_BAD_LENGTH")),
        (section(*[text()] * 4), ("0.components", "BASE_TYPE_BAD_LENGTH")),
        ({"type": 9, "components": [text()]}, ("0.accessory", "BASE_TYPE_REQUIRED")),
        (gallery(), ("0.items", "BASE_TYPE_BAD_LENGTH")),
        (gallery(*["https://example.com/a"] * 11), ("0.items", "BASE_TYPE_BAD_LENGTH")),
        ({"type": 12, "items": [{}]}, ("0.items.0.media", "BASE_TYPE_REQUIRED")),
        (
            gallery("attachment://ship.png"),
            ("0.items.0.media.url", "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"),
        ),
        (gallery("data:image/png,x"), ("0.items.0.media.url", "URL_TYPE_INVALID_SCHEME")),
        (gallery("https://"), ("0.items.0.media.url", "URL_TYPE_INVALID_URL")),
        (
            gallery("https://example.com/" + "a" * 2048),
            ("0.items.0.media.url", "BASE_TYPE_BAD_LENGTH"),
        ),
        (
            {
                "type": 12,
                "items": [
                    {"media": {"url": "https://example.com/a"}, "description": "x" * 1025},
                ],
            },
            ("0.items.0.description", "BASE_TYPE_BAD_LENGTH"),
        ),
        (
            {"type": 13, "file": {"url": "https://example.com/a.png"}},
            ("0.file.url", "UNFURLED_MEDIA_ITEM_ATTACHMENT_REFERENCE_REQUIRED"),
        ),
        ({"type": 14, "spacing": 3}, ("0.spacing", "BASE_TYPE_CHOICES")),
    ],
)
def test_a_component_that_breaks_one_rule_is_refused_for_it(
    component: object, fault: tuple[str, str]
) -> None:
    assert faults_of(component) == [fault]


EXCLUSIVE = "BUTTON_COMPONENT_FIELDS_MUTUALLY_EXCLUSIVE"
LINK: Json = {"type": 2, "style": 5, "label": "Open", "url": "https://example.com"}
PREMIUM: Json = {"type": 2, "style": 6, "sku_id": "1"}


@pytest.mark.parametrize(
    "fine", [button(), LINK, PREMIUM, button(label=None, emoji={"name": "⛵"})]
)
def test_buttons_of_every_style_are_taken(fine: Json) -> None:
    assert check(row(fine))


@pytest.mark.parametrize(
    ("broken", "key", "code"),
    [
        (button(style=7), "style", "BASE_TYPE_CHOICES"),
        (button(label="x" * 81), "label", "BASE_TYPE_MAX_LENGTH"),
        (button(label=None), "label", "BUTTON_COMPONENT_LABEL_REQUIRED"),
        (button(custom_id=None), "custom_id", "BASE_TYPE_REQUIRED"),
        (button(custom_id="x" * 101), "custom_id", "BASE_TYPE_BAD_LENGTH"),
        (button(url="https://example.com"), "url", EXCLUSIVE),
        (button(sku_id="1"), "sku_id", EXCLUSIVE),
        (button(disabled="yes"), "disabled", "BOOLEAN_TYPE_CONVERT"),
        (button(emoji={"name": "boat"}), "emoji.name", "COMPONENT_INVALID_EMOJI"),
        (button(emoji={"name": ""}), "emoji.name", "COMPONENT_INVALID_EMOJI"),
        ({**LINK, "url": None}, "url", "BASE_TYPE_REQUIRED"),
        ({**LINK, "url": "javascript:x"}, "url", "URL_TYPE_INVALID_SCHEME"),
        ({**LINK, "url": "http://localhost me"}, "url", "URL_TYPE_INVALID_URL"),
        ({**LINK, "url": "https://e.com/" + "x" * 512}, "url", "BASE_TYPE_BAD_LENGTH"),
        ({**LINK, "custom_id": "x"}, "custom_id", EXCLUSIVE),
        ({**PREMIUM, "label": "Buy"}, "label", EXCLUSIVE),
        ({**PREMIUM, "sku_id": None}, "sku_id", "BASE_TYPE_REQUIRED"),
    ],
)
def test_a_button_that_breaks_one_rule_is_refused_for_it(broken: Json, key: str, code: str) -> None:
    assert faults_of(row(broken)) == [(f"0.components.0.{key}", code)]


def option(number: int, **fields: object) -> Json:
    return {"label": f"Option {number}", "value": f"{number}", **fields}


@pytest.mark.parametrize(
    ("broken", "key", "code"),
    [
        (select(custom_id=""), "custom_id", "BASE_TYPE_REQUIRED"),
        (select(options=[]), "options", "BASE_TYPE_BAD_LENGTH"),
        (select(options=[option(n) for n in range(26)]), "options", "BASE_TYPE_BAD_LENGTH"),
        (select(placeholder="x" * 151), "placeholder", "BASE_TYPE_MAX_LENGTH"),
        (select(min_values=26, max_values=25), "min_values", "NUMBER_TYPE_MAX"),
        (select(max_values=0, min_values=0), "max_values", "NUMBER_TYPE_MIN"),
        (select(max_values=2), "options", "BASE_TYPE_BAD_LENGTH"),
        (select(options=[option(1, label="")]), "options.0.label", "BASE_TYPE_REQUIRED"),
        (select(options=[option(1, label="x" * 101)]), "options.0.label", "BASE_TYPE_BAD_LENGTH"),
        (select(options=[option(1, value="x" * 101)]), "options.0.value", "BASE_TYPE_BAD_LENGTH"),
        (
            select(options=[option(1, description="x" * 101)]),
            "options.0.description",
            "BASE_TYPE_MAX_LENGTH",
        ),
        (
            select(options=[option(1, emoji={"name": "boat"})]),
            "options.0.emoji.name",
            "COMPONENT_INVALID_EMOJI",
        ),
        (
            select(options=[option(1), option(1)]),
            "options.1.value",
            "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
        ),
        (
            select(options=[option(1, default=True), option(2, default=True)]),
            "options",
            "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES",
        ),
        (
            {"type": 5, "custom_id": "who", "default_values": [{"id": "1"}, {"id": "2"}]},
            "default_values",
            "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES",
        ),
    ],
)
def test_a_select_that_breaks_one_rule_is_refused_for_it(broken: Json, key: str, code: str) -> None:
    assert (f"0.components.0.{key}", code) in faults_of(row(broken))


def test_a_select_cannot_ask_for_more_than_it_allows() -> None:
    broken = select(options=[option(1), option(2), option(3)], min_values=3, max_values=2)
    assert faults_of(row(broken)) == [("0.components.0.min_values", "NUMBER_TYPE_MAX")]


def test_a_custom_id_appears_once_in_a_message() -> None:
    twice = "COMPONENT_CUSTOM_ID_DUPLICATED"
    assert faults_of(row(button(), button())) == [("0.components.1.custom_id", twice)]
    nested = container(section(text(), accessory=button()), row(select(custom_id="go:0")))
    assert faults_of(nested) == [("0.components.1.components.0.custom_id", twice)]


def test_a_component_id_appears_once_but_zero_means_any() -> None:
    assert faults_of(text(id=3), text(id=3)) == [("1.id", "COMPONENT_ID_DUPLICATED")]
    assert [each["id"] for each in check(text(id=0), text(id=0), text(id=1))] == [2, 3, 1]


def test_forty_components_fit_nested_ones_and_accessories_included() -> None:
    full = [container(section(text()), *[text()] * 7)] * 1  # 1 + 3 + 7
    rest = [text()] * 28
    many = [*full, *rest, text()]
    assert check(*many)
    assert faults_of(*many, text()) == [("", "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED")]


def test_all_texts_together_have_4000_characters() -> None:
    assert check(text("x" * 2000), container(section(text("y" * 2000))))
    assert faults_of(text("x" * 2000), container(section(text("y" * 2001)))) == [
        ("", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED")
    ]
    assert ("0.content", "BASE_TYPE_BAD_LENGTH") in faults_of(text("x" * 4001))


def test_texts_of_many_bytes_make_discord_fail() -> None:
    fits = "絵" * 3386  # 10,158 bytes, and 12 for the component
    assert check(text(fits))
    with pytest.raises(RuleViolation) as caught:
        check(text(fits + "x"))
    assert (caught.value.status, caught.value.code) == (500, 0)


def test_a_kept_file_can_be_shown_and_a_removed_one_cannot() -> None:
    before = Before(components=[text()], flags=V2, attachments={7: "old.png", 8: "gone.png"})
    shown: Json = {"components": [gallery("attachment://old.png")], "attachments": [{"id": "7"}]}
    assert check_edit(shown, route=Route.WEBHOOK, before=before).components[0]["type"] == 12
    with pytest.raises(RuleViolation) as caught:
        check_edit(
            {**shown, "components": [gallery("attachment://gone.png")]},
            route=Route.WEBHOOK,
            before=before,
        )
    assert caught.value.faults() == [
        (
            "components.0.items.0.media.url",
            "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
        )
    ]


def test_a_file_that_no_component_shows_is_fine() -> None:
    assert check(text())


IDS = st.none() | st.integers(min_value=0, max_value=8)


@given(st.lists(st.tuples(IDS, st.lists(IDS, max_size=3)), max_size=5))
def test_assigned_ids_are_unique_and_given_ones_stay(
    tree: list[tuple[int | None, list[int | None]]],
) -> None:
    given_ids = [each for top, inner in tree for each in [top, *inner] if each]
    if len(set(given_ids)) != len(given_ids):
        return
    components: list[Json] = [
        {"type": 17, "id": top, "components": [{"type": 10, "id": each} for each in inner]}
        for top, inner in tree
    ]
    assigned: list[object] = []
    for component in assign_component_ids(components):
        assigned.append(component["id"])
        inner = component["components"]
        assert isinstance(inner, list)
        assigned += [each["id"] for each in inner]
    wanted = [each for top, inner in tree for each in [top, *inner]]
    assert len(set(assigned)) == len(assigned)
    assert all(not want or want == got for want, got in zip(wanted, assigned, strict=True))
    chosen = [got for want, got in zip(wanted, assigned, strict=True) if not want]
    free = [number for number in range(1, 40) if number not in wanted]
    assert chosen == free[: len(chosen)]
