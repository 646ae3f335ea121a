"""A bot that is killed before it has told of a budget: another one tells, once."""

from pathlib import Path

import pytest

from bot.storage._alert_claims import CLAIM_MS
from sandbox.books import Books
from sandbox.discord import Channel, Message, Person
from sandbox.house import House, pictures
from sandbox.talk import told
from tests.discord.killing import doomed

LARGE = "papercut/fold-large"  # usually $0.04, at most $0.08
VECTOR = "papercut/vector-fold"  # $0.04


@pytest.fixture
async def alerts(servers: House) -> Channel:
    """Where it is said that half of $0.08 a month is spent."""
    ada, general, alerts = servers.person("ada"), servers.channel(), servers.channel("workshop")
    await servers.start_bot()
    await told(ada, general, "quota set", per="month", amount="0.08")
    await told(ada, general, "config alert-channel", channel=alerts)
    await servers.stop_bot()
    return alerts


def said(person: Person, alerts: Channel) -> list[str]:
    """The first lines of what was said there."""
    return [_title(message) for message in person.messages(alerts)]


def _title(message: Message) -> str:
    return message.text.splitlines()[0]


async def tell_again(house: House) -> None:
    """Start a bot and let it sweep once the claims of others are too old."""
    await house.start_bot()
    house.clock.advance(CLAIM_MS)
    for _ in range(2):
        await house.bot.services.recovery.sweep()


async def test_killed_while_it_tells(servers: House, alerts: Channel, tmp_path: Path) -> None:
    mira, general = servers.person("mira"), servers.channel()
    gate = servers.discord.faults.hold(f"POST /channels/{alerts.id}/messages", times=1)
    async with doomed(servers, tmp_path):
        ask = await mira.slash(general, "imagine", {"prompt": "a boat", "model": LARGE})
        await pictures(mira, general, ask)
        await gate.reached()

    await tell_again(servers)

    assert said(mira, alerts) == ["### 50% of a budget is spent"]


async def test_killed_while_one_of_two_pictures_is_still_out(
    servers: House, alerts: Channel, books: Books, tmp_path: Path
) -> None:
    mira, general = servers.person("mira"), servers.channel()
    gate = servers.imagerouter.faults.hold()
    async with doomed(servers, tmp_path):
        wanted = {"prompt": "a boat", "model": VECTOR, "count": 2}
        ask = await mira.slash(general, "imagine", wanted)
        await gate.reached()
        await books.until(lambda rows: any(row["state"] == "settled" for row in rows))
    gate.open()

    await tell_again(servers)

    await pictures(mira, general, ask)
    assert said(mira, alerts) == ["### 50% of a budget is spent"]
