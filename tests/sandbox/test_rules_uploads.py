import pytest

from sandbox.discord.rules import (
    AttachmentPlan,
    Before,
    Route,
    RuleViolation,
    Upload,
    check_edit,
    check_message,
    check_uploads,
)

Json = dict[str, object]
MIB = 1024 * 1024


def upload(number: int, filename: str = "boat.png", size: int = 100) -> Upload:
    return Upload(number, filename, size)


def refusal(uploads: list[Upload], request_size: int | None = None) -> RuleViolation:
    with pytest.raises(RuleViolation) as caught:
        check_uploads(uploads, request_size=request_size)
    return caught.value


def test_a_file_of_ten_mebibytes_fits_and_one_byte_more_does_not() -> None:
    check_uploads([upload(0, size=10 * MIB)])
    refused = refusal([upload(0, size=10 * MIB + 1)])
    assert (refused.status, refused.body()) == (
        413,
        {"message": "Request entity too large", "code": 40005},
    )


def test_a_boosted_guild_takes_larger_files() -> None:
    check_uploads([upload(0, size=20 * MIB)], file_limit=50 * MIB)


def test_all_files_of_a_request_have_25_mebibytes_together() -> None:
    three = [upload(number, size=8 * MIB) for number in range(3)]
    check_uploads([*three, upload(3, size=1 * MIB)])
    assert refusal([*three, upload(3, size=1 * MIB + 1)]).status == 413
    assert refusal(three, 25 * MIB + 1).status == 413


def test_a_request_has_ten_files_with_numbers_of_their_own() -> None:
    check_uploads([upload(number) for number in range(10)])
    assert refusal([upload(number) for number in range(11)]).faults() == [
        ("files", "BASE_TYPE_MAX_LENGTH")
    ]
    assert refusal([upload(0), upload(0)]).faults() == [("files", "FILES_ID_DUPLICATED")]


def plans(payload: Json, *uploads: Upload) -> list[AttachmentPlan]:
    return check_message(payload, route=Route.WEBHOOK, uploads=uploads).attachments


def edited(payload: Json, *uploads: Upload) -> list[AttachmentPlan]:
    before = Before(content="x", attachments={7: "old.png", 8: "SPOILER_two.png"})
    return check_edit(payload, route=Route.WEBHOOK, before=before, uploads=uploads).attachments


OLD = AttachmentPlan(id=7, filename="old.png", new=False)
OLD_SPOILER = AttachmentPlan(id=8, filename="SPOILER_two.png", new=False, spoiler=True)


def test_files_make_a_message_and_are_attached_without_being_listed() -> None:
    assert plans({}, upload(0), upload(1, "SPOILER_x.png")) == [
        AttachmentPlan(id=0, filename="boat.png", new=True),
        AttachmentPlan(id=1, filename="SPOILER_x.png", new=True, spoiler=True),
    ]


def test_the_list_names_describes_and_orders_new_files() -> None:
    listed: Json = {
        "attachments": [
            {"id": 1, "filename": "second.png", "description": "A ship"},
            {"id": "0"},
        ]
    }
    assert plans(listed, upload(0), upload(1)) == [
        AttachmentPlan(id=1, filename="second.png", new=True, description="A ship"),
        AttachmentPlan(id=0, filename="boat.png", new=True),
    ]


def test_file_names_are_stored_in_plain_letters() -> None:
    assert plans({}, upload(0, "my böat (1).png"))[0].filename == "my_b_at_1_.png"
    assert plans({}, upload(0, "../.."))[0].filename == "_"
    assert plans({}, upload(0, "..."))[0].filename == "unknown"


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ({}, ("attachments.0.id", "BASE_TYPE_REQUIRED")),
        ({"id": "x"}, ("attachments.0.id", "NUMBER_TYPE_COERCE")),
        ({"id": 5}, ("attachments.0.id", "ATTACHMENT_NOT_FOUND")),
        ({"id": 0, "filename": ""}, ("attachments.0.filename", "BASE_TYPE_BAD_LENGTH")),
        (
            {"id": 0, "description": "x" * 1025},
            ("attachments.0.description", "BASE_TYPE_MAX_LENGTH"),
        ),
    ],
)
def test_an_entry_that_breaks_one_rule_is_refused_for_it(
    entry: Json, fault: tuple[str, str]
) -> None:
    with pytest.raises(RuleViolation) as caught:
        plans({"attachments": [entry]}, upload(0))
    assert caught.value.faults() == [fault]


def test_one_file_is_listed_once() -> None:
    with pytest.raises(RuleViolation) as caught:
        plans({"attachments": [{"id": 0}, {"id": 0}]}, upload(0))
    assert caught.value.faults() == [("attachments.1.id", "ATTACHMENT_ID_DUPLICATED")]


def test_an_edit_without_a_list_adds_to_what_is_there() -> None:
    new = AttachmentPlan(id=0, filename="boat.png", new=True)
    assert edited({}) == [OLD, OLD_SPOILER]
    assert edited({}, upload(0)) == [OLD, OLD_SPOILER, new]


def test_an_edit_with_a_list_keeps_what_is_listed_and_no_more() -> None:
    assert edited({"attachments": []}) == []
    assert edited({"attachments": [{"id": "8"}]}, upload(0)) == [OLD_SPOILER]
    assert edited({"attachments": [{"id": "7"}, {"id": 0}]}, upload(0)) == [
        OLD,
        AttachmentPlan(id=0, filename="boat.png", new=True),
    ]


def test_a_message_has_ten_attachments_kept_ones_included() -> None:
    files = [upload(number) for number in range(9)]
    assert len(edited({}, *files[:8])) == 10
    with pytest.raises(RuleViolation) as caught:
        edited({}, *files)
    assert caught.value.code == 30015
