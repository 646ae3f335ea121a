"""Nine mistakes that other picture bots made with money, each as a test that fails on it.

Told through Discord, as members and admins would run into them. The ledger's own tests
(`tests/storage`) hold the same against races, kills and cancellation.
"""

import pytest

from bot.quotas import Window
from bot.storage import Who
from sandbox.books import Books
from sandbox.discord import Channel, Permission, Person
from sandbox.house import House, pictures
from sandbox.talk import make, refused, told

LARGE = "papercut/fold-large"  # usually $0.04, at most $0.08
TIDE = "driftwood/slow-tide"  # always $0.08
MINI = "papercut/fold-mini"  # usually $0.0013, at most $0.0026
GALE = "northwind/gale-turbo"  # said to cost $0.0006, and charged at $0.018
SPENT = "SELECT settled FROM bucket WHERE scope = 'member' AND period = 'day' AND settled > 0"
COUNTED = "SELECT settled, held FROM bucket ORDER BY id"

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


async def ten_cents_a_day(house: House, *, guild: str = "Paper Boat Society") -> None:
    """What each member may spend."""
    who = Who.each_member(house.guild(guild).id)
    await house.bot.services.policies.set_limit(who, Window.DAY, 100_000, by=1)


async def test_1_a_cost_above_what_was_left_is_recorded_and_not_given_away(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    """Refused, and not recorded: whoever was near the limit overshot it again and again."""
    who = Who.each_member(house.guild().id)
    await house.bot.services.policies.set_limit(who, Window.DAY, 10_000, by=1)
    await make(mira, general, GALE)
    assert [row["settled"] for row in books.rows(SPENT)] == [18_000]
    assert "**$0.00** is left" in (await refused(mira, general, GALE)).text
    assert len(house.imagerouter.charges) == 1


@pytest.mark.parametrize("tries", [1, 3])
async def test_2_a_request_that_is_sent_again_is_charged_once_and_a_refused_one_never(
    tries: int, house: House, mira: Person, general: Channel, books: Books
) -> None:
    """Charged before each try: one refused prompt cost four pictures."""
    house.imagerouter.faults.status(503, "upstream connect error", times=tries - 1)
    house.imagerouter.faults.error("Your request was rejected by the safety system")
    await refused(mira, general, LARGE)
    assert len(house.imagerouter.requests) == tries
    assert [(row["state"], row["actual"]) for row in books.charges()] == [("released", None)]
    assert books.rows(SPENT) == []

    house.imagerouter.faults.status(503, "upstream connect error", times=tries - 1)
    await make(mira, general, LARGE)
    assert [row["settled"] for row in books.rows(SPENT)] == [40_000]


async def test_3_many_who_ask_at_once_do_not_all_pass_the_same_check(
    house: House, mira: Person, general: Channel
) -> None:
    """Checked, then awaited the answer, then recorded: everything asked meanwhile passed."""
    await ten_cents_a_day(house)
    gate = house.imagerouter.faults.hold()
    first = await mira.slash(general, "imagine", {"prompt": "a gull", "model": TIDE})
    await gate.reached()
    for _ in range(3):
        assert "**$0.02** is left" in (await refused(mira, general, TIDE)).text
    gate.open()
    await pictures(mira, general, first)
    assert len(house.imagerouter.requests) == 1


async def test_4_a_dear_picture_counts_for_more_than_a_cheap_one(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    """One unit a picture, whatever it cost: 0.41 USD counted like 0.006."""
    await ten_cents_a_day(house)
    house.discord.rate_limits = False
    for _ in range(8):
        await make(mira, general, MINI)
    await make(mira, general, TIDE)
    assert "your own limit" in (await refused(mira, general, TIDE)).text
    assert [row["settled"] for row in books.rows(SPENT)] == [8 * 1_300 + 80_000]


@pytest.mark.parametrize("broken", ["bucket", "charge", "entry"])
async def test_5_a_job_and_what_it_takes_from_the_budget_are_written_together_or_not_at_all(
    broken: str, house: House, mira: Person, general: Channel, books: Books
) -> None:
    """Moved a balance by two writes: what came between them made or lost money."""
    await make(mira, general, LARGE)
    before = (books.rows(COUNTED), books.charges(), books.rows("SELECT id FROM job"))
    sort = "UPDATE" if broken == "bucket" else "INSERT"
    books.change(
        f"CREATE TRIGGER broken BEFORE {sort} ON {broken} "
        "BEGIN SELECT RAISE(ABORT, 'no more room'); END"
    )
    await refused(mira, general, LARGE)
    assert (books.rows(COUNTED), books.charges(), books.rows("SELECT id FROM job")) == before
    assert len(house.imagerouter.requests) == 1

    books.change("DROP TRIGGER broken")
    await make(mira, general, LARGE)
    assert [row["settled"] for row in books.rows(SPENT)] == [80_000]


async def test_6_what_one_member_has_used_up_is_not_used_up_for_the_others(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    """One key for everybody: whoever came first locked all the others out."""
    await ten_cents_a_day(house)
    await ten_cents_a_day(house, guild="Night Owls")
    await make(mira, general, TIDE)
    await refused(mira, general, TIDE)
    await make(theo, general, TIDE)
    await make(mira, house.channel("lobby", guild="Night Owls"), TIDE)


async def test_7_an_admin_of_one_server_blocks_frees_and_limits_nobody_in_another(
    house: House, ada: Person, mira: Person, theo: Person, books: Books
) -> None:
    """Asked whether somebody is an admin anywhere: any of them ruled everywhere."""
    general, lobby = house.channel("general"), house.channel("lobby", guild="Night Owls")
    # Theo manages the other server, and is an ordinary member of this one.
    owls = house.guild("Night Owls")
    manager = house.discord.world.add_role(
        owls, "Keeper", permissions=Permission.MANAGE_GUILD | Permission.VIEW_CHANNEL
    )
    house.discord.world.set_roles(owls, theo.user, [manager])
    await told(ada, general, "quota set", per="day", amount="0.10", each_member=True)
    await make(mira, general, TIDE)

    await told(theo, lobby, "quota grant", member=mira.user, amount="5", reason="other server")
    await told(theo, lobby, "quota set", per="day", amount="5", member=mira.user)
    assert "your own limit of $0.10 a day" in (await refused(mira, general, TIDE)).text
    await told(theo, lobby, "quota block", member=mira.user)
    await told(theo, lobby, "config pause")
    assert "your own limit of $0.10 a day" in (await refused(mira, general, TIDE)).text
    assert not [c for c in theo.commands_in(general) if c.name in {"quota", "config"}]
    rows = books.rows("SELECT DISTINCT guild_id FROM rule_change WHERE what != 'limit'")
    assert [row["guild_id"] for row in rows] == [lobby.guild_id]


async def test_8_limits_blocks_and_what_was_spent_outlive_a_restart(
    house: House, ada: Person, mira: Person, theo: Person, general: Channel
) -> None:
    """Kept them in memory: a restart gave everybody everything back."""
    await told(ada, general, "quota set", per="day", amount="0.10", each_member=True)
    await told(ada, general, "quota block", member=theo.user)
    await make(mira, general, TIDE)
    await house.restart_bot()
    assert "**$0.02** is left" in (await refused(mira, general, TIDE)).text
    assert "An admin has blocked you here" in (await refused(theo, general, TIDE)).text


async def test_9_jobs_that_still_run_count_for_how_many_somebody_may_have(
    house: House, mira: Person, general: Channel
) -> None:
    """Recorded a cooldown only after success: what ran in parallel, or failed, never met it."""
    gates = [house.imagerouter.faults.hold() for _ in range(2)]
    asks = [
        await mira.slash(general, "imagine", {"prompt": f"gull {n}", "model": "test/test"})
        for n in range(3)
    ]
    for gate in gates:  # two run, and the third waits for its turn
        await gate.reached()
    await mira.wait_for(general, lambda m: "Waiting for a free place" in m.text)
    told = await refused(mira, general, "test/test")
    assert "At most 3 of your jobs may wait or run at once." in told.text
    for gate in gates:
        gate.open()
    for ask in asks:
        await pictures(mira, general, ask)
    await make(mira, general, "test/test")
