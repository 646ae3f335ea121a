"""Jobs that wait their turn say so, run later, and are refused kindly when too many wait."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sandbox.books import Books
from sandbox.discord import Ask, Message, UploadedFile
from sandbox.house import House, button, explanation, pictures
from tests.discord.edits import png

OpenHouse = Callable[..., Awaitable[House]]
MODEL = "papercut/fold-mini"


async def ask(house: House, who: str, prompt: str) -> Ask:
    """Let somebody ask in #general."""
    options = {"prompt": prompt, "model": MODEL}
    return await house.person(who).slash(house.channel("general"), "imagine", options)


async def saying(house: House, one: Ask, words: str) -> Message:
    """Wait until the answer says something."""
    return await house.person("ada").wait_for(
        house.channel("general"), lambda m: m.interaction_id == one.id and words in m.text
    )


async def finished(house: House, one: Ask) -> Message:
    """Wait for the pictures."""
    return await pictures(house.person("ada"), house.channel("general"), one)


async def test_a_members_second_job_waits_says_so_and_runs_when_the_first_is_done(
    open_house: OpenHouse, books: Books
) -> None:
    house = await open_house(MEMBER_JOBS="1")
    gate = house.imagerouter.faults.hold()
    first = await ask(house, "mira", "the first")
    await gate.reached()
    second = await ask(house, "mira", "the second")
    waiting = await saying(house, second, "Waiting for a free place")

    assert "You are next" in waiting.text
    assert [r.fields["prompt"] for r in house.imagerouter.requests] == ["the first"]
    assert sorted(str(row["state"]) for row in books.charges()) == ["dispatched", "held"]
    gate.open()
    await finished(house, first)
    assert (await finished(house, second)).id == waiting.id


async def test_a_member_who_waits_does_not_keep_others_waiting(open_house: OpenHouse) -> None:
    house = await open_house(MEMBER_JOBS="1")
    gate = house.imagerouter.faults.hold()
    first = await ask(house, "mira", "the first")
    await gate.reached()
    second = await ask(house, "mira", "the second")
    await saying(house, second, "Waiting for a free place")
    other = await ask(house, "theo", "of somebody else")
    await finished(house, other)

    gate.open()
    await finished(house, first)
    await finished(house, second)


async def test_those_who_wait_are_told_how_many_are_before_them_and_run_in_order(
    open_house: OpenHouse,
) -> None:
    house = await open_house(PROCESS_JOBS="1")
    gate = house.imagerouter.faults.hold()
    people = ["mira", "theo", "ada"]
    asks = [await ask(house, "oskar", "the first")]
    await gate.reached()
    for before, who in enumerate(people):
        asks.append(await ask(house, who, f"of {who}"))
        words = f"{before} before you" if before else "You are next"
        await saying(house, asks[-1], words)

    gate.open()
    for one in asks:
        await finished(house, one)
    prompts = [request.fields["prompt"] for request in house.imagerouter.requests]
    assert prompts == ["the first", "of mira", "of theo", "of ada"]


@pytest.mark.parametrize(
    ("most", "says"),
    [
        (0, "Every place is taken, and nobody may wait."),
        (1, "One job waits already, and no more may."),
        (2, "2 jobs wait already, and no more may."),
    ],
)
async def test_when_too_many_wait_the_next_is_refused_and_may_try_again_by_a_button(
    most: int, says: str, open_house: OpenHouse, books: Books
) -> None:
    house = await open_house(PROCESS_JOBS="1", MAX_WAITING_JOBS=str(most))
    general, theo = house.channel("general"), house.person("theo")
    gate = house.imagerouter.faults.hold()
    asks = [await ask(house, "mira", "the first")]
    await gate.reached()
    for number in range(most):
        asks.append(await ask(house, "mira", f"waiting {number}"))
        await saying(house, asks[-1], "Waiting for a free place")
    refused = await ask(house, "theo", "one too many")
    told = await explanation(general, refused)

    assert "Too many pictures are waiting" in told.text
    assert says in told.text
    assert "This cost you nothing." in told.text
    assert len(books.charges()) == most + 1
    gate.open()
    for one in asks:
        await finished(house, one)
    name = button(told, "Try again")
    await finished(house, await theo.click(told, name))


async def test_a_bot_that_stops_sends_waiting_jobs_home_for_free(
    open_house: OpenHouse, books: Books
) -> None:
    house = await open_house(PROCESS_JOBS="1")
    gate = house.imagerouter.faults.hold()
    first = await ask(house, "mira", "the first")
    await gate.reached()
    second = await ask(house, "theo", "waiting")
    await saying(house, second, "You are next")
    house.begin_stop()
    told = await explanation(house.channel("general"), second)
    gate.open()
    await finished(house, first)

    assert "this cost nothing" in told.text
    assert sorted(str(row["state"]) for row in books.charges()) == ["released", "settled"]


async def test_edits_that_fetched_their_pictures_together_fill_the_queue_no_further(
    open_house: OpenHouse,
) -> None:
    house = await open_house(MEMBER_JOBS="1", PROCESS_JOBS="1", MAX_WAITING_JOBS="1")
    general = house.channel("general")
    working = house.imagerouter.faults.hold()
    fetching = house.discord.faults.hold("GET /cdn/*/*/*/*")
    asks = []
    for who in ("mira", "theo", "ada"):
        given = {"a": UploadedFile("boat.png", png())}
        options = {"image": "a", "prompt": "x", "model": "mosaic/tessera-brush"}
        asks.append(await house.person(who).slash(general, "edit", options, files=given))
    await fetching.reached(count=3)
    fetching.open()
    told = [asyncio.create_task(each.followup()) for each in asks]
    done, left = await asyncio.wait(told, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    assert ["Too many pictures are waiting" in task.result().text for task in done] == [True]
    assert house.bot.services.generation.in_flight == 1
    working.open()
    for task in left:
        assert "This cost $" in (await task).text
