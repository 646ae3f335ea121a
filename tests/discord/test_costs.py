"""What is recorded, whatever happens: every cost, once, in full, and never twice."""

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Person
from sandbox.house import House, explanation, pictures
from sandbox.imagerouter.faults import Fault

LARGE = "papercut/fold-large"

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


@pytest.mark.parametrize("answer", ["empty", "null"])
async def test_a_cost_without_a_picture_is_recorded_and_told(
    answer: str, house: House, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    house.imagerouter.faults.add(Fault(no_picture="empty" if answer == "empty" else "null"))
    ask = await mira.slash(general, "imagine", {"prompt": "a snail", "model": LARGE})
    told = await explanation(general, ask)

    assert "Charged, but no picture came" in told.text
    assert "This cost $0.04." in told.text
    assert "a snail" in told.text
    assert theo.messages(general) == []
    assert [(row["state"], row["actual"]) for row in books.charges()] == [("settled", 40_000)]


async def test_an_error_with_a_cost_is_recorded_and_told(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    house.imagerouter.faults.error("Upstream broke after billing", cost_micros=30_000)
    ask = await mira.slash(general, "imagine", {"prompt": "a snail", "model": LARGE})
    told = await explanation(general, ask)

    assert "This cost $0.03." in told.text
    assert [(row["state"], row["actual"]) for row in books.charges()] == [("settled", 30_000)]


async def test_a_price_that_is_not_told_counts_at_its_ceiling_and_never_as_free(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    house.imagerouter.faults.add(Fault(hide_cost=True))
    ask = await mira.slash(general, "imagine", {"prompt": "a snail", "model": LARGE})
    message = await pictures(mira, general, ask)
    whispered = await ask.followup()

    assert "price unknown" in message.text
    assert "up to $0.08 counts against you" in message.text
    assert "free" not in message.text + whispered.text
    assert "Up to $0.08 may count." in whispered.text
    assert [(row["state"], row["held"]) for row in books.charges()] == [("unknown", 80_000)]

    house.clock.advance(15 * 60_000 + 1)
    await house.bot.services.recovery.sweep()
    assert [(row["state"], row["actual"]) for row in books.charges()] == [("presumed", 80_000)]


async def test_a_cost_above_what_was_held_is_recorded_in_full_and_the_operator_is_told(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    # Other bots refused such a cost, and did not record it: jobs for free, again and again.
    options = {"prompt": "a gust", "model": "northwind/gale-turbo"}
    ask = await mira.slash(general, "imagine", options)
    message = await pictures(mira, general, ask)

    assert "**$0.018**" in message.text
    [row] = books.charges()
    assert (row["held"], row["actual"], row["overrun"]) == (600, 18_000, 17_400)
    oskar = house.person("oskar")
    mail = house.discord.world.direct_channel(oskar.user)
    alert = await oskar.wait_for(mail, lambda m: "cost more than was held" in m.text)
    assert "northwind/gale\\-turbo: $0\\.018 instead of $0\\.0006".replace(":", "\\:") in alert.text


async def test_a_free_model_costs_nothing_and_says_so(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    options = {"prompt": "a dandelion", "model": "lumenfield/aurora-2-mini:free"}
    ask = await mira.slash(general, "imagine", options)
    message = await pictures(mira, general, ask)

    assert "**free**" in message.text
    assert [(row["state"], row["actual"]) for row in books.charges()] == [("settled", 0)]


async def test_a_prompt_that_is_refused_is_asked_once_and_never_charged(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    # Other bots charged before each try of a retry loop.
    house.imagerouter.faults.error("Your request was rejected by the safety system")
    ask = await mira.slash(general, "imagine", {"prompt": "something rude", "model": LARGE})
    await explanation(general, ask)

    assert len(house.imagerouter.requests) == 1
    assert house.imagerouter.charges == []
    assert [(row["state"], row["actual"]) for row in books.charges()] == [("released", None)]


async def test_a_request_that_is_tried_again_is_charged_once(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    house.imagerouter.faults.status(503, "upstream connect error", times=1)
    ask = await mira.slash(general, "imagine", {"prompt": "a snail", "model": LARGE})
    await pictures(mira, general, ask)

    assert len(house.imagerouter.requests) == 2
    assert len(house.imagerouter.charges) == 1
    assert [(row["state"], row["actual"]) for row in books.charges()] == [("settled", 40_000)]


async def test_jobs_that_run_side_by_side_each_hold_their_price_while_they_run(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    # Other bots checked, awaited the answer, and recorded afterwards: all the checks passed.
    gates = [house.imagerouter.faults.hold() for _ in range(2)]
    asks = [
        await mira.slash(general, "imagine", {"prompt": f"kite {n}", "model": LARGE})
        for n in range(2)
    ]
    for gate in gates:
        await gate.reached()

    held = books.rows(
        "SELECT held FROM bucket WHERE scope = 'member' AND period = 'day' AND held > 0"
    )
    assert [row["held"] for row in held] == [160_000]
    for gate in gates:
        gate.open()
    for ask in asks:
        await pictures(mira, general, ask)
    assert [row["actual"] for row in books.charges()] == [40_000, 40_000]


async def test_dear_and_cheap_pictures_count_as_what_they_cost(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    for model in ("orchard/pippin", "driftwood/slow-tide"):
        ask = await mira.slash(general, "imagine", {"prompt": "a pear", "model": model})
        whispered = await ask.followup()

    assert "You have spent $0.0802 today." in whispered.text
    assert [row["actual"] for row in books.charges()] == [200, 80_000]


async def test_what_was_spent_is_known_after_a_restart(
    house: House, mira: Person, general: Channel
) -> None:
    options = {"prompt": "a pear", "model": "driftwood/slow-tide"}
    ask = await mira.slash(general, "imagine", options)
    await ask.followup()
    await house.restart_bot()
    ask = await mira.slash(general, "imagine", options)
    whispered = await ask.followup()

    assert "You have spent $0.16 today." in whispered.text
