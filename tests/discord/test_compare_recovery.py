"""A comparison whose bot is killed: the next start tells of each model what is true of it."""

from pathlib import Path

import pytest

from sandbox.books import Books
from sandbox.discord import Ask, Channel, Message, Person
from sandbox.house import House, button, explanation, pictures, waiting
from tests.discord.killing import doomed

MINI = "papercut/fold-mini"  # $0.0013
LARGE = "papercut/fold-large"  # usually $0.04, at most $0.08
VECTOR = "papercut/vector-fold"  # $0.04
CEILINGS = {MINI: "$0.0013", LARGE: "$0.08", VECTOR: "$0.04"}
MINUTE = 60_000


@pytest.fixture
def mira(servers: House) -> Person:
    """A member."""
    return servers.person("mira")


@pytest.fixture
def general(servers: House) -> Channel:
    """A channel in which everybody may talk."""
    return servers.channel()


async def compare(person: Person, channel: Channel, *models: str, **options: object) -> Ask:
    """Ask for a heron by each of `models`."""
    named = {f"model{number}": model for number, model in enumerate(models, 1)}
    return await person.slash(channel, "compare", {"prompt": "a heron", **named, **options})


def line_of(message: Message, model: str) -> str:
    """What the message says of a model."""
    name = f"**{model.replace('-', chr(92) + '-')}**"
    [line] = [line for line in message.text.splitlines() if name in line]
    return line


async def test_what_was_answered_is_shown_and_what_was_out_is_unknown(
    servers: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    gate = servers.imagerouter.faults.hold()
    async with doomed(servers, tmp_path):
        ask = await compare(mira, general, MINI, LARGE, VECTOR)
        await gate.reached()
        await books.until(lambda rows: sum(row["state"] == "settled" for row in rows) == 2)
    gate.open()

    await servers.start_bot()

    message = await pictures(mira, general, ask)
    assert len(message.attachments) == 2
    assert "The bot was restarted in between." in message.text
    rows = {str(row["model"]): row for row in books.charges()}
    assert list(rows) == [MINI, LARGE, VECTOR]
    [lost] = [model for model, row in rows.items() if row["state"] == "unknown"]
    assert f"**Up to {CEILINGS[lost]} counts against you.**" in line_of(message, lost)
    for model in rows.keys() - {lost}:
        assert line_of(message, model).startswith("`")
        assert " s · " not in line_of(message, model)
    again = await mira.click(message, button(message, "Again"))
    assert len((await pictures(mira, general, again)).attachments) == 3

    servers.clock.advance(15 * MINUTE)
    await servers.bot.services.recovery.sweep()
    presumed = [row for row in books.charges() if row["state"] == "presumed"]
    assert [(row["model"], row["actual"]) for row in presumed] == [(lost, rows[lost]["held"])]
    days = books.rows("SELECT name, charges FROM usage_day WHERE kind = 'model' ORDER BY name")
    assert [(row["name"], row["charges"]) for row in days] == [
        (LARGE, 2),
        (MINI, 2),
        (VECTOR, 2),
    ]
    await servers.stop_bot()
    assert waiting(servers) == []


async def test_a_comparison_that_only_waited_is_free_and_can_be_run_again(
    servers: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    gate = servers.imagerouter.faults.hold()
    async with doomed(servers, tmp_path, MEMBER_JOBS="1"):
        await mira.slash(general, "imagine", {"prompt": "a boat", "model": MINI})
        await gate.reached()
        ask = await compare(mira, general, MINI, LARGE)
        await mira.wait_for(general, lambda m: "Waiting for a free place" in m.text)
    gate.open()

    await servers.start_bot()

    why = await explanation(general, ask)
    assert "Restarted; this cost nothing." in why.text
    for model in (MINI, LARGE):
        assert "**It cost nothing.** Restarted" in line_of(why, model)
    states = [(row["command"], row["state"]) for row in books.charges()]
    assert states == [("imagine", "unknown"), ("compare", "released"), ("compare", "released")]
    click = await mira.click(why, button(why, "Try again"))
    message = await pictures(mira, general, click)
    assert [line_of(message, model)[:3] for model in (MINI, LARGE)] == ["`1`", "`2`"]
    await servers.stop_bot()
    assert waiting(servers) == []


async def test_a_private_comparison_is_lost_and_what_each_cost_is_told(
    servers: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    gate = servers.imagerouter.faults.hold()
    async with doomed(servers, tmp_path):
        ask = await compare(mira, general, MINI, VECTOR, private=True)
        await gate.reached()
        await books.until(lambda rows: any(row["state"] == "settled" for row in rows))
    gate.open()

    await servers.start_bot()

    told = await mira.wait_for(
        general, lambda m: m.interaction_id == ask.id and "counts against you" in m.text
    )
    [made] = [str(row["model"]) for row in books.charges() if row["state"] == "settled"]
    assert f"It cost {CEILINGS[made]} all the same." in line_of(told, made)
    assert "Your private picture is lost" in line_of(told, made)
    assert f"This cost {CEILINGS[made]}." in told.text
    await servers.stop_bot()
