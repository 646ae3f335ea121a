"""Several pictures of one prompt: one message, one charge each, and an honest count."""

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Person
from sandbox.house import House, button, explanation, pictures
from sandbox.imagerouter.faults import Fault

MINI = "papercut/fold-mini"
FAILED = Fault(error={"message": "The provider is on fire", "type": "provider_error"})

pytestmark = pytest.mark.usefixtures("nobody_waits")


@pytest.mark.parametrize("count", [1, 2, 3, 4])
async def test_a_batch_is_one_message_and_one_charge_for_each_picture(
    count: int, house: House, mira: Person, general: Channel, books: Books
) -> None:
    options = {"prompt": "a paper crane", "model": MINI, "count": count}
    ask = await mira.slash(general, "imagine", options)
    message = await pictures(mira, general, ask)

    sent = {answer.data for answer in house.imagerouter.answers}
    assert {attachment.data for attachment in message.attachments} == sent
    assert len(message.attachments) == len(house.imagerouter.requests) == count
    rows = books.charges()
    assert [(row["state"], row["actual"]) for row in rows] == [("settled", 1_300)] * count
    assert len({row["idem"] for row in rows}) == count


async def test_a_partial_batch_says_how_many_came_and_what_the_others_cost(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    house.imagerouter.faults.add(FAILED, times=2)
    options = {"prompt": "a paper crane", "model": MINI, "count": 4}
    ask = await mira.slash(general, "imagine", options)
    message = await pictures(mira, general, ask)

    assert len(message.attachments) == 2
    assert "**2 of 4.**" in message.text
    assert "The missing 2 cost nothing." in message.text
    assert "**$0.0026**" in message.text
    assert sorted(str(row["state"]) for row in books.charges()) == [
        "released",
        "released",
        "settled",
        "settled",
    ]


async def test_a_missing_picture_that_was_charged_is_told_with_its_cost(
    house: House, mira: Person, general: Channel
) -> None:
    house.imagerouter.faults.add(Fault(no_picture="empty"))
    options = {"prompt": "a paper crane", "model": MINI, "count": 2}
    ask = await mira.slash(general, "imagine", options)
    message = await pictures(mira, general, ask)

    assert "**1 of 2.**" in message.text
    assert "The missing one cost $0.0013 all the same." in message.text
    assert "**$0.0026**" in message.text


async def test_a_missing_picture_without_an_outcome_counts_at_most_its_ceiling(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    house.imagerouter.faults.add(Fault(end_early=True))
    options = {"prompt": "a paper crane", "model": "papercut/fold-large", "count": 2}
    ask = await mira.slash(general, "imagine", options)
    message = await pictures(mira, general, ask)

    assert "**1 of 2.**" in message.text
    assert "Outcome unknown; up to $0.08 counts against you" in message.text
    states = sorted((str(row["state"]), row["held"]) for row in books.charges())
    assert states == [("settled", 80_000), ("unknown", 80_000)]


async def test_the_missing_pictures_can_be_made_by_a_button(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    house.imagerouter.faults.add(FAILED, times=2)
    options = {"prompt": "a paper crane", "model": MINI, "count": 4}
    ask = await mira.slash(general, "imagine", options)
    message = await pictures(mira, general, ask)
    click = await mira.click(message, button(message, "Try the missing 2 again"))
    rest = await pictures(mira, general, click)

    assert len(rest.attachments) == 2
    assert house.imagerouter.requests[-1].fields["prompt"] == "a paper crane"
    assert house.imagerouter.requests[-1].fields["model"] == MINI
    assert sum(row["state"] == "settled" for row in books.charges()) == 4


async def test_a_batch_of_which_nothing_came_is_explained_and_costs_nothing(
    house: House, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    house.imagerouter.faults.add(FAILED, times=3)
    options = {"prompt": "a paper crane", "model": MINI, "count": 3}
    ask = await mira.slash(general, "imagine", options)
    told = await explanation(general, ask)

    assert "This cost you nothing." in told.text
    assert theo.messages(general) == []
    assert [row["state"] for row in books.charges()] == ["released"] * 3
    click = await mira.click(told, button(told, "Try again"))
    message = await pictures(mira, general, click)
    assert len(message.attachments) == 3
