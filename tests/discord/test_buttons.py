"""Buttons below a picture: they outlive restarts, and do only what the clicker may."""

import asyncio

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Message, Person
from sandbox.house import House, button, explanation, pictures
from sandbox.imagerouter.faults import Fault

MODEL = "papercut/fold-large"
WEEK_MS = 7 * 86_400_000

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


def forge(message: Message, label: str, other: str) -> None:
    """Give a button another id, as a hostile client would."""
    component = message.component(button(message, label))
    assert component is not None
    component["custom_id"] = other


@pytest.fixture
async def posted(mira: Person, general: Channel, house: House) -> Message:
    """A public picture of Mira's."""
    options = {"prompt": "a heron", "model": MODEL, "size": "1536x1024", "quality": "low"}
    ask = await mira.slash(general, "imagine", options)
    message = await pictures(mira, general, ask)
    await ask.followup()
    return message


async def test_again_repeats_the_request_at_the_cost_of_whoever_clicks(
    posted: Message, house: House, theo: Person, general: Channel, books: Books
) -> None:
    click = await theo.click(posted, button(posted, "Again"))
    message = await pictures(theo, general, click)
    whispered = await click.followup()

    first, second = house.imagerouter.requests
    assert first.fields == second.fields
    assert message.id != posted.id
    assert whispered.ephemeral_to == theo.user.id
    assert "You have spent $0.02 today." in whispered.text
    assert [row["user_id"] for row in books.charges()][1] == theo.user.id
    [job] = books.rows("SELECT * FROM job WHERE parent_id IS NOT NULL")
    assert job["user_id"] == theo.user.id


async def test_again_works_after_a_restart(
    posted: Message, house: House, mira: Person, general: Channel
) -> None:
    await house.restart_bot()
    click = await mira.click(posted, button(posted, "Again"))
    await pictures(mira, general, click)

    assert house.imagerouter.requests[1].fields["prompt"] == "a heron"


async def test_each_of_two_quick_clicks_is_answered_and_charged_by_itself(
    posted: Message, mira: Person, general: Channel, books: Books
) -> None:
    name = button(posted, "Again")
    clicks = await asyncio.gather(mira.click(posted, name), mira.click(posted, name))
    shown = [await pictures(mira, general, click) for click in clicks]

    assert len({message.id for message in shown}) == 2
    assert [row["state"] for row in books.charges()] == ["settled"] * 3


async def test_again_says_so_when_the_prompt_was_erased(
    posted: Message, house: House, mira: Person, general: Channel, books: Books
) -> None:
    books.change("DELETE FROM prompt")
    click = await mira.click(posted, button(posted, "Again"))
    told = await explanation(general, click)

    assert "That is not kept any more" in told.text
    assert told.ephemeral_to == mira.user.id
    assert len(house.imagerouter.requests) == 1


@pytest.mark.parametrize("other", ["again:1", "again:9999999999999999999", "again:0"])
async def test_an_id_that_is_nobodys_runs_nothing(
    other: str, posted: Message, house: House, mira: Person, general: Channel
) -> None:
    forge(posted, "Again", other)
    click = await mira.click(posted, other)
    told = await explanation(general, click)

    assert "That is not kept any more" in told.text
    assert len(house.imagerouter.requests) == 1


async def test_a_button_does_not_reach_the_job_of_another_message(
    posted: Message, house: House, mira: Person, theo: Person, general: Channel
) -> None:
    there = house.channel("lobby", guild="Night Owls")
    ask = await theo.slash(there, "imagine", {"prompt": "elsewhere", "model": MODEL})
    other = button(await pictures(theo, there, ask), "Again")
    forge(posted, "Again", other)
    told = await explanation(general, await mira.click(posted, other))

    assert "That is not kept any more" in told.text
    assert len(house.imagerouter.requests) == 2


@pytest.mark.parametrize("other", ["again:-1", "again:1;--", "offer:1:0:2", "nothing"])
async def test_a_custom_id_of_no_known_shape_reaches_nothing(
    other: str, posted: Message, house: House, mira: Person, books: Books
) -> None:
    house.discord.acknowledge_within = 0.3
    forge(posted, "Again", other)
    click = await mira.click(posted, other)
    await click.failed()

    assert len(books.charges()) == 1


async def test_delete_removes_ones_own_picture(
    posted: Message, mira: Person, theo: Person, general: Channel
) -> None:
    click = await mira.click(posted, button(posted, "Delete"))
    await click.acknowledged()
    await gone(posted, general)

    assert theo.messages(general) == []


async def gone(message: Message, channel: Channel) -> None:
    """Wait until a message was deleted."""
    await channel.signal.until(
        lambda: True if message.deleted else None, timeout=10, complain=lambda: message.text
    )


async def test_a_moderator_may_delete_anybodys_picture(
    posted: Message, house: House, general: Channel
) -> None:
    await house.person("ada").click(posted, button(posted, "Delete"))

    await gone(posted, general)


async def test_nobody_else_may_delete_it_and_they_are_told_alone(
    posted: Message, theo: Person, general: Channel
) -> None:
    click = await theo.click(posted, button(posted, "Delete"))
    told = await click.followup()

    assert "Only the person who made this, or a moderator, can delete it." in told.text
    assert told.ephemeral_to == theo.user.id
    assert not posted.deleted


async def test_the_id_of_ones_own_job_does_not_delete_another_message(
    posted: Message, theo: Person, general: Channel
) -> None:
    ask = await theo.slash(general, "imagine", {"prompt": "mine", "model": MODEL})
    own = button(await pictures(theo, general, ask), "Delete")
    forge(posted, "Delete", own)
    told = await (await theo.click(posted, own)).followup()

    assert "Only the person who made this" in told.text
    assert not posted.deleted


async def test_two_quick_clicks_on_delete_are_no_fault(
    posted: Message, house: House, mira: Person, general: Channel
) -> None:
    name = button(posted, "Delete")
    clicks = [await mira.click(posted, name) for _ in range(2)]
    await gone(posted, general)
    await house.discord.wait_for_request("DELETE /webhooks/*/*/messages/@original", count=2)
    await house.stop_bot()

    assert [click.followups for click in clicks] == [[], []]


async def test_an_offer_is_only_for_whom_it_was_made(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    house.imagerouter.faults.add(Fault(error={"message": "no", "type": "provider_error"}))
    options = {"prompt": "two herons", "model": MODEL, "count": 2}
    ask = await mira.slash(general, "imagine", options)
    message = await pictures(mira, general, ask)
    click = await theo.click(message, button(message, "Try the missing one again"))
    told = await explanation(general, click)

    assert "That button is for somebody else" in told.text
    assert told.ephemeral_to == theo.user.id
    assert len(house.imagerouter.requests) == 2


async def test_an_offer_works_after_a_restart(house: House, mira: Person, general: Channel) -> None:
    ask = await mira.slash(general, "imagine", {"prompt": "a heron", "model": "fold-larg"})
    told = await explanation(general, ask)
    await house.restart_bot()
    click = await mira.click(told, button(told, "Use papercut/fold-large"))
    await pictures(mira, general, click)

    assert house.imagerouter.requests[0].fields["prompt"] == "a heron"


async def test_an_offer_that_has_expired_says_so(
    house: House, mira: Person, general: Channel
) -> None:
    ask = await mira.slash(general, "imagine", {"prompt": "a heron", "model": "fold-larg"})
    told = await explanation(general, ask)
    house.clock.advance(WEEK_MS + 1)
    click = await mira.click(told, button(told, "Use papercut/fold-large"))
    late = await explanation(general, click)

    assert "That is not kept any more" in late.text
    assert house.imagerouter.requests == []


@pytest.mark.parametrize("private", [False, True])
async def test_an_offer_that_is_clicked_twice_runs_once_and_both_clicks_are_answered(
    private: bool, house: House, mira: Person, general: Channel, books: Books
) -> None:
    options = {"prompt": "a heron", "model": "fold-larg", "private": private}
    ask = await mira.slash(general, "imagine", options)
    told = await ask.answer() if private else await explanation(general, ask)
    gate = house.imagerouter.faults.hold()
    name = button(told, "Use papercut/fold-large")
    first = await mira.click(told, name)
    await gate.reached()
    second = await mira.click(told, name)
    words = await second.answer() if private else await explanation(general, second)
    gate.open()
    await pictures(mira, general, first)

    assert "You pressed this already" in words.text
    assert words.ephemeral_to == mira.user.id
    assert [row["state"] for row in books.charges()] == ["settled"]
