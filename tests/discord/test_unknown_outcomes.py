"""Sent, and nobody knows how it ended: held, explained, and counted after a quarter of an hour."""

import pytest

from bot.quotas import Window
from bot.storage import Option, Who
from sandbox.books import Books
from sandbox.discord import Channel, Person
from sandbox.house import House, explanation
from sandbox.imagerouter.faults import Fault

LARGE = "papercut/fold-large"

ENDINGS = {
    "the stream ends without an answer": Fault(end_early=True),
    "the connection breaks after the headers": Fault(drop="after_headers"),
    "the connection breaks in the answer": Fault(drop="in_body"),
    "the connection breaks before the headers": Fault(drop="before_headers"),
    "the answer is no JSON": Fault(after_heartbeats=b"thanks, bye"),
    "the answer is something else": Fault(after_heartbeats=b'{"picture": 1}'),
    "the money is gone": Fault(error={"message": "Failed to postlog usage", "type": "internal"}),
    "nothing but a server's failure": Fault(status=500, body=b"{}"),
}

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


@pytest.mark.parametrize("ending", list(ENDINGS))
async def test_an_unknown_outcome_is_held_and_explained_to_its_person_alone(
    ending: str, house: House, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    house.imagerouter.faults.add(ENDINGS[ending])
    ask = await mira.slash(general, "imagine", {"prompt": "a ghost ship", "model": LARGE})
    told = await explanation(general, ask)

    assert "Outcome unknown; up to $0.08 counts against you." in told.text
    assert "cost you nothing" not in told.text
    assert "a ghost ship" in told.text
    assert theo.messages(general) == []
    assert len(house.imagerouter.requests) == 1
    rows = [(row["state"], row["held"], row["actual"]) for row in books.charges()]
    assert rows == [("unknown", 80_000, None)]


async def test_an_unknown_outcome_offers_no_button_that_might_pay_twice(
    house: House, mira: Person, general: Channel
) -> None:
    house.imagerouter.faults.add(Fault(end_early=True))
    ask = await mira.slash(general, "imagine", {"prompt": "a ghost ship", "model": LARGE})
    told = await explanation(general, ask)

    assert "kept aside for 15 minutes" in told.text
    assert told.buttons == []


async def test_after_a_quarter_of_an_hour_it_counts_as_spent(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    house.imagerouter.faults.add(Fault(end_early=True))
    ask = await mira.slash(general, "imagine", {"prompt": "a ghost ship", "model": LARGE})
    await explanation(general, ask)

    house.clock.advance(14 * 60_000)
    await house.bot.services.recovery.sweep()
    assert [row["state"] for row in books.charges()] == ["unknown"]
    house.clock.advance(2 * 60_000)
    await house.bot.services.recovery.sweep()

    assert [(row["state"], row["actual"]) for row in books.charges()] == [("presumed", 80_000)]
    usage = await (await mira.slash(general, "usage")).answer()
    assert "**In all** $0.08" in usage.text


async def test_a_budget_that_fills_up_with_what_is_presumed_is_told_of(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    policies, guild = house.bot.services.policies, house.guild().id
    alerts = house.channel("workshop")
    await policies.set_limit(Who.guild(guild), Window.MONTH, 160_000, by=theo.user.id)
    await policies.configure(guild, Option.ALERT_CHANNEL, alerts.id, by=theo.user.id)
    house.imagerouter.faults.add(Fault(end_early=True))
    ask = await mira.slash(general, "imagine", {"prompt": "a ghost ship", "model": LARGE})
    await explanation(general, ask)

    recovery = house.bot.services.recovery
    await recovery.sweep()
    assert theo.messages(alerts) == []
    house.clock.advance(16 * 60_000)
    await recovery.sweep()
    await recovery.sweep()

    (told,) = theo.messages(alerts)
    assert told.text.splitlines()[0] == "### 50% of a budget is spent"
    assert "$0.08 of $0.16 a month for this server is spent." in told.text


async def test_usage_tells_what_may_still_count(
    house: House, mira: Person, general: Channel
) -> None:
    house.imagerouter.faults.add(Fault(end_early=True))
    ask = await mira.slash(general, "imagine", {"prompt": "a ghost ship", "model": LARGE})
    await explanation(general, ask)
    usage = await (await mira.slash(general, "usage")).answer()

    assert "Up to $0.08 more may count: an outcome is unknown." in usage.text
    assert "**Today** $0.00" in usage.text
