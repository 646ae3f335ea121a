"""/operator reconcile and settle: the books beside ImageRouter's, and what mends them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Person
from sandbox.house import House, pictures
from sandbox.imagerouter import Fault
from sandbox.talk import mail, make, refused, told
from tests.houses import strict_house

LARGE = "papercut/fold-large"  # usually $0.04, at most $0.08
MINI = "papercut/fold-mini"  # usually $0.0013, at most $0.0026
MINUTE_MS = 60_000

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A house whose bot asks ImageRouter for credits only when somebody compares the books."""
    async with strict_house(tmp_path, environ={"LOW_BALANCE_USD": "0"}) as opened:
        yield opened


@pytest.fixture
def home(house: House, oskar: Person) -> Channel:
    """The operator's direct messages with the bot."""
    return mail(house, oskar)


async def checked(oskar: Person, home: Channel, **options: object) -> str:
    return await told(oskar, home, "operator reconcile", **options)


async def lose(house: House, mira: Person, general: Channel) -> None:
    """Let ImageRouter charge $0.04 for a picture whose answer never comes."""
    house.imagerouter.faults.add(Fault(end_early=True))
    await refused(mira, general, LARGE)


async def offered(oskar: Person, home: Channel) -> list[str]:
    """What can be settled by hand."""
    found = await oskar.autocomplete(home, "operator settle", {"charge": ""}, "charge")
    return [str(choice.value) for choice in found]


async def test_ordinary_jobs_leave_no_drift(
    house: House, oskar: Person, mira: Person, theo: Person, home: Channel, general: Channel
) -> None:
    await make(mira, general, LARGE)
    text = await checked(oskar, home)
    assert "### A first reading of the books" in text
    assert (
        "ImageRouter says that $0.04 has been used with the key Sandbox; the ledger counts $0.04"
        in text
    )

    await make(theo, general, MINI)
    await make(mira, house.channel("lobby", guild="Night Owls"), LARGE)
    await make(mira, mail(house, mira), MINI)
    house.imagerouter.account.deposit(50_000_000)
    house.clock.advance(MINUTE_MS)
    text = await checked(oskar, home)
    assert "### The books agree" in text
    assert "ImageRouter has charged $0.0426 with the key Sandbox" in text
    assert "the ledger has counted $0.0426." in text
    assert "Charges to look at" not in text


async def test_a_lost_answer_is_named_and_settling_it_by_hand_mends_the_books(
    house: House, oskar: Person, mira: Person, home: Channel, general: Channel, books: Books
) -> None:
    await checked(oskar, home)
    await lose(house, mira, general)
    house.clock.advance(MINUTE_MS)
    text = await checked(oskar, home)
    assert "### The books differ by $0.04" in text
    assert "So $0.04 was charged that the ledger does not count." in text
    assert "- 1 unknown outcome, up to $0.08: perhaps charged, and not counted yet" in text
    [charge] = await offered(oskar, home)
    assert f"- {charge} unknown · up to $0.08 · papercut/fold\\-large" in text
    assert "· Paper Boat Society ·" in text

    house.clock.advance(16 * MINUTE_MS)
    await house.bot.services.recovery.sweep()
    text = await checked(oskar, home)
    assert "So the ledger counts $0.04 that ImageRouter did not charge." in text
    assert "- 1 presumed outcome, $0.08: counted without an answer" in text
    assert "$0.08 less was charged than counted." in text

    text = await told(
        oskar, home, "operator settle", charge=charge, cost="0.04", reason="in its *list*"
    )
    assert "### Settled\n$0.08 were counted for it without an answer. It did cost **$0.04**" in text
    assert "Why: in its \\*list\\*" in text
    assert "**settled** · held $0.08 · counts $0.04" in text
    assert "presumed +$0.08" in text
    assert "settled -$0.04" in text
    house.clock.advance(MINUTE_MS)
    assert "### The books agree" in await checked(oskar, home)
    [row] = books.charges()
    assert (row["state"], row["actual"], row["overrun"]) == ("settled", 40_000, 0)
    assert books.rows("SELECT SUM(spent) AS spent FROM usage_month") == [{"spent": 40_000}]


async def test_a_charge_is_settled_by_hand_once(
    house: House, oskar: Person, mira: Person, home: Channel, general: Channel, books: Books
) -> None:
    await lose(house, mira, general)
    [charge] = await offered(oskar, home)
    options = {"charge": charge, "reason": "as its list says"}
    assert "### Settled" in await told(oskar, home, "operator settle", cost="0.03", **options)
    text = await told(oskar, home, "operator settle", cost="0.02", **options)
    assert "### Not settled\nIt is settled already, and a charge is settled once." in text
    assert [row["actual"] for row in books.charges()] == [30_000]
    assert await offered(oskar, home) == []


async def test_a_cost_above_the_hold_has_to_be_meant(
    house: House, oskar: Person, mira: Person, home: Channel, general: Channel, books: Books
) -> None:
    await lose(house, mira, general)
    [charge] = await offered(oskar, home)
    options = {"charge": charge, "cost": "0.4", "reason": "as its list says"}
    text = await told(oskar, home, "operator settle", **options)
    assert "That is more than the $0.08 that were held for it." in text
    assert [row["state"] for row in books.charges()] == ["unknown"]
    text = await told(oskar, home, "operator settle", above_hold=True, **options)
    assert "$0.32 of it had not been held: an overrun." in text
    assert [(row["actual"], row["overrun"]) for row in books.charges()] == [(400_000, 320_000)]


async def test_what_was_taken_for_free_may_turn_out_to_have_cost_something(
    house: House, oskar: Person, mira: Person, home: Channel, general: Channel, books: Books
) -> None:
    await checked(oskar, home)
    house.imagerouter.faults.error("Your request was rejected by the safety system")
    await refused(mira, general, LARGE)
    house.imagerouter.account.charge(LARGE, 40_000, request_index=0)
    house.clock.advance(MINUTE_MS)
    text = await checked(oskar, home)
    assert "At least $0.04 is explained by no charge of this bot." in text
    [charge] = await offered(oskar, home)
    text = await told(oskar, home, "operator settle", charge=charge, cost="0.04", reason="listed")
    assert "It was taken to have cost nothing." in text
    house.clock.advance(MINUTE_MS)
    assert "### The books agree" in await checked(oskar, home)


async def test_settling_by_hand_fills_budgets_and_says_so(
    house: House, ada: Person, oskar: Person, mira: Person, home: Channel, general: Channel
) -> None:
    alerts = house.channel("workshop")
    await told(ada, general, "config alert-channel", channel=alerts)
    await told(ada, general, "quota set", per="month", amount="0.10")
    await lose(house, mira, general)
    [charge] = await offered(oskar, home)
    await told(oskar, home, "operator settle", charge=charge, cost="0.06", reason="listed")
    told_of = await ada.wait_for(alerts, lambda m: "a month for this server" in m.text)
    assert "50% of a budget is spent" in told_of.text
    assert "$0.06 of $0.10 a month for this server is spent." in told_of.text


async def test_charges_that_are_on_their_way_are_said(
    house: House, oskar: Person, mira: Person, home: Channel, general: Channel
) -> None:
    await checked(oskar, home)
    gate = house.imagerouter.faults.hold()
    ask = await mira.slash(general, "imagine", {"prompt": "a kite", "model": LARGE})
    await gate.reached()
    house.clock.advance(MINUTE_MS)
    text = await checked(oskar, home)
    assert "1 charge is open just now, up to $0.08" in text
    gate.open()
    await pictures(mira, general, ask)
    house.clock.advance(MINUTE_MS)
    text = await checked(oskar, home)
    assert "### The books agree" in text
    assert "is open just now" not in text


async def test_another_use_of_the_key_is_named_as_what_nothing_explains(
    house: House, oskar: Person, home: Channel
) -> None:
    await checked(oskar, home)
    house.imagerouter.account.charge(LARGE, 120_000, request_index=0)
    house.clock.advance(MINUTE_MS)
    text = await checked(oskar, home)
    assert "### The books differ by $0.12" in text
    assert "At least $0.12 is explained by no charge of this bot. Does anything else use" in text

    house.clock.advance(MINUTE_MS)
    text = await checked(oskar, home, anew=True)
    assert "### Begun anew\nA difference of $0.12 is left as it is." in text
    house.clock.advance(MINUTE_MS)
    assert "### The books agree" in await checked(oskar, home)


async def test_nothing_is_noted_while_imagerouter_is_down(
    house: House, oskar: Person, home: Channel, books: Books
) -> None:
    house.imagerouter.faults.status(500, "<html>", on="credits", times=20)
    text = await checked(oskar, home)
    assert "### Not compared\nImageRouter could not be asked just now." in text
    assert "Nothing was noted." in text
    house.imagerouter.faults.clear()
    house.imagerouter.faults.status(200, "{}", on="credits")
    assert "does not say how much has been used. Nothing was noted." in await checked(oskar, home)
    house.imagerouter.faults.status(401, '{"error": {"message": "no"}}', on="credits")
    assert "ImageRouter refuses the key." in await checked(oskar, home)
    assert books.rows("SELECT * FROM reconciliation") == []
    await house.lose_imagerouter()
    assert "could not be asked just now" in await checked(oskar, home)


async def test_an_answer_without_a_list_of_keys_is_taken_for_the_whole_account(
    house: House, oskar: Person, home: Channel
) -> None:
    house.imagerouter.faults.status(200, '{"credit_usage": "1.5000"}', on="credits")
    text = await checked(oskar, home)
    assert "$1.50 has been used by the whole account (it tells no keys apart)" in text


async def test_a_replaced_key_and_a_count_that_was_reset_begin_anew(
    house: House, oskar: Person, mira: Person, home: Channel, general: Channel
) -> None:
    await make(mira, general, LARGE)
    await checked(oskar, home)
    await house.stop_bot()
    house.imagerouter.replace_key("another-key")
    await house.start_bot()
    house.clock.advance(MINUTE_MS)
    text = await checked(oskar, home)
    assert "### Another key, another beginning" in text
    assert "$0.00 has been used with the key Sandbox, again;" in text
    await make(mira, general, LARGE)
    house.clock.advance(MINUTE_MS)
    assert "### The books agree" in await checked(oskar, home)

    house.imagerouter.account.keys[-1].used_micros = 0
    house.clock.advance(MINUTE_MS)
    text = await checked(oskar, home)
    assert "### ImageRouter counts anew" in text
    assert "ImageRouter said that $0.04 had been used by <t:" in text
    assert "and now it says less" in text


async def test_of_several_keys_the_bots_own_is_named_once(
    house: House, oskar: Person, mira: Person, home: Channel, general: Channel
) -> None:
    other = house.imagerouter.account.add_key("*A website*", "its-secret")
    house.imagerouter.account.charge(LARGE, 900_000, request_index=0, key=other)
    text = await checked(oskar, home)
    assert "Say it once, with `key`: Sandbox, \\*A website\\*. Nothing was noted." in text
    assert "called so. There are Sandbox," in await checked(oskar, home, key="sand")
    found = await oskar.autocomplete(home, "operator reconcile", {"key": "sand"}, "key")
    assert [choice.name for choice in found] == ["Sandbox"]

    await checked(oskar, home, key="sandbox")
    await make(mira, general, LARGE)
    house.imagerouter.account.charge(LARGE, 900_000, request_index=0, key=other)
    house.clock.advance(MINUTE_MS)
    assert "### The books agree" in await checked(oskar, home)


async def test_whoever_is_no_operator_learns_nothing_and_changes_nothing(
    house: House, ada: Person, oskar: Person, mira: Person, general: Channel, books: Books
) -> None:
    await lose(house, mira, general)
    [charge] = await offered(oskar, mail(house, oskar))
    settle: dict[str, object] = {"charge": charge, "cost": "0", "reason": "please"}
    asked: list[tuple[str, dict[str, object]]] = [
        ("reconcile", {}),
        ("settle", settle),
        ("charge", {"charge": charge}),
        ("audit", {}),
    ]
    for name, options in asked:
        for person, place in ((ada, general), (mira, mail(house, mira))):
            text = await told(person, place, f"operator {name}", **options)
            assert "the operator of this bot, who pays" in text
    for name, option in (("settle", "charge"), ("charge", "charge"), ("reconcile", "key")):
        found = await ada.autocomplete(general, f"operator {name}", {option: ""}, option)
        assert found == []
    assert [row["state"] for row in books.charges()] == ["unknown"]
    assert books.rows("SELECT * FROM reconciliation") == []


@pytest.mark.parametrize("charge", ["0", "-1", "nine", "9" * 20, "١٢", "1; DROP TABLE charge"])
async def test_what_is_no_charge_is_refused(oskar: Person, home: Channel, charge: str) -> None:
    text = await told(oskar, home, "operator settle", charge=charge, cost="1", reason="so")
    assert "`charge` can't be used like that" in text


async def test_a_charge_that_is_not_there_and_odd_costs_are_refused(
    house: House, oskar: Person, mira: Person, home: Channel, general: Channel, books: Books
) -> None:
    settle = "operator settle"
    assert "no such charge" in await told(oskar, home, settle, charge="12", cost="1", reason="so")
    assert "no such charge" in await told(oskar, home, "operator charge", charge="12")
    await lose(house, mira, general)
    [charge] = await offered(oskar, home)
    for cost in ("-1", "1,5", "free", "0.0000001"):
        text = await told(oskar, home, settle, charge=charge, cost=cost, reason="so")
        assert "`cost` can't be used like that" in text
    assert [row["state"] for row in books.charges()] == ["unknown"]
