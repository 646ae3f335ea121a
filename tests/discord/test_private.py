"""`private`: only one person sees it, and neither ImageRouter nor the bot keeps any of it."""

from pathlib import Path

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Message, Person
from sandbox.house import House, button, pictures
from sandbox.imagerouter.faults import Fault
from tests.disk import on_disk

SECRET = "the surprise for Theo: a lighthouse cake"
MODEL = "papercut/fold-large"

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


async def ask_privately(
    mira: Person, channel: Channel, says: str, **options: object
) -> tuple[Message, list[Message]]:
    """Ask, and wait until the answer `says` something; also every message that came of it."""
    asked = {"prompt": SECRET, "model": MODEL, "private": True, **options}
    ask = await mira.slash(channel, "imagine", asked)
    answer = await mira.wait_for(
        channel, lambda m: m.interaction_id == ask.id and not m.loading and says in m.text
    )
    return answer, [answer, *ask.followups]


async def test_a_private_picture_is_seen_by_its_person_alone(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    answer, messages = await ask_privately(mira, general, "Only you can see this")

    assert [a.data for a in answer.attachments] == [house.imagerouter.answers[0].data]
    assert all(message.ephemeral_to == mira.user.id for message in messages)
    assert theo.messages(general) == []
    assert house.person("ada").messages(general) == []


async def test_imagerouter_is_asked_to_keep_no_copy(
    house: House, mira: Person, general: Channel
) -> None:
    await ask_privately(mira, general, "Only you can see this")

    [request] = house.imagerouter.requests
    assert request.fields["response_format"] == "b64_ephemeral"
    assert [answer.url for answer in house.imagerouter.answers] == [None]


async def test_the_spend_is_told_inside_the_answer(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    answer, messages = await ask_privately(mira, general, "Only you can see this")

    assert "You have spent $0.04 today." in answer.text
    assert "**$0.04**" in answer.text
    assert len(messages) == 1
    assert [row["actual"] for row in books.charges()] == [40_000]


async def test_neither_prompt_nor_picture_is_ever_in_the_bots_files(
    house: House, mira: Person, general: Channel, tmp_path: Path
) -> None:
    await ask_privately(mira, general, "Only you can see this")
    picture = house.imagerouter.answers[0].data

    kept = on_disk(tmp_path)
    assert MODEL.encode() in kept
    assert SECRET.encode() not in kept
    assert picture[len(picture) // 2 :][:64] not in kept
    assert b"/storage/" not in kept


async def test_a_public_prompt_is_found_by_the_same_search(
    house: House, mira: Person, general: Channel, tmp_path: Path
) -> None:
    ask = await mira.slash(general, "imagine", {"prompt": SECRET, "model": MODEL})
    await pictures(mira, general, ask)

    assert SECRET.encode() in on_disk(tmp_path)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"size": "huge"}, "`size` can't be used like that"),
        ({"model": "papercut/fold-larg"}, "No such model"),
        ({"model": "inkwell/quill-xl"}, "Nobody knows what this model costs"),
    ],
)
async def test_a_private_refusal_stays_private(
    option: dict[str, object],
    says: str,
    mira: Person,
    theo: Person,
    general: Channel,
    tmp_path: Path,
) -> None:
    answer, messages = await ask_privately(mira, general, says, **option)

    assert "This cost you nothing." in answer.text
    assert SECRET in answer.text
    assert all(message.ephemeral_to == mira.user.id for message in messages)
    assert theo.messages(general) == []
    assert SECRET.encode() not in on_disk(tmp_path)


async def test_a_private_failure_stays_private_and_its_button_too(
    house: House, mira: Person, theo: Person, general: Channel, tmp_path: Path
) -> None:
    house.imagerouter.faults.error("The provider is on fire")
    failed, _ = await ask_privately(mira, general, "The model failed")
    click = await mira.click(failed, button(failed, "Try again"))
    message = await pictures(mira, general, click)

    assert message.ephemeral_to == mira.user.id
    assert house.imagerouter.requests[-1].fields["response_format"] == "b64_ephemeral"
    assert theo.messages(general) == []
    assert SECRET.encode() not in on_disk(tmp_path)


async def test_a_private_offer_is_forgotten_at_a_restart_and_says_so(
    house: House, mira: Person, general: Channel
) -> None:
    house.imagerouter.faults.error("The provider is on fire")
    failed, _ = await ask_privately(mira, general, "The model failed")
    await house.restart_bot()
    click = await mira.click(failed, button(failed, "Try again"))
    told = await mira.wait_for(
        general, lambda m: m.interaction_id == click.id and "not kept any more" in m.text
    )

    assert told.ephemeral_to == mira.user.id
    assert len(house.imagerouter.requests) == 1


async def test_a_private_batch_with_a_gap_offers_the_rest_privately(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    house.imagerouter.faults.add(Fault(error={"message": "no", "type": "provider_error"}))
    answer, _ = await ask_privately(mira, general, "**1 of 2.**", count=2)
    click = await mira.click(answer, button(answer, "Try the missing one again"))
    rest = await pictures(mira, general, click)

    assert rest.ephemeral_to == mira.user.id
    assert theo.messages(general) == []


async def test_a_private_job_has_no_public_buttons_and_no_words_in_usage(
    house: House, mira: Person, general: Channel
) -> None:
    answer, _ = await ask_privately(mira, general, "Only you can see this")
    ask = await mira.slash(general, "usage")
    usage = await ask.answer()

    assert [button.label for button in answer.buttons] == ["Edit", "Paint area"]
    assert "private" in usage.text
    assert SECRET not in usage.text
