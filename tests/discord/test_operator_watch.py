"""What the operator hears before people notice: credits that run out, models that fail."""

from collections.abc import Awaitable, Callable

import pytest

from bot.storage import Alarms
from sandbox.discord import Channel, Message, Person
from sandbox.house import House, explanation
from sandbox.talk import mail, make

OpenHouse = Callable[..., Awaitable[House]]

PIPPIN = "orchard/pippin"  # $0.0002, always
LARGE = "papercut/fold-large"  # usually $0.04
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
USD = 1_000_000


async def asked_for_balance(house: House) -> None:
    """Let so much time go by that the bot asks for the balance, and see that it has."""
    await house.bot.services.operator_watch.look()
    before = house.imagerouter.calls.count("GET /v1/credits")
    await looked(house, 40 * MINUTE_MS)
    assert house.imagerouter.calls.count("GET /v1/credits") == before + 1


async def looked(house: House, after_ms: int = 2 * MINUTE_MS) -> None:
    """Wait until the bot has looked after whatever was to be looked after, some time later."""
    await house.bot.services.operator_watch.look()
    house.clock.advance(after_ms)
    await house.bot.services.operator_watch.look()


async def of_operator(house: House, words: str, count: int = 1) -> Message:
    """Wait until the operator has got so many messages with these words; return the newest."""
    oskar = house.person("oskar")
    box = mail(house, oskar)

    def is_last(message: Message) -> bool:
        return words in message.text and found(house, words) >= count

    await oskar.wait_for(box, is_last)
    return [m for m in oskar.messages(box) if words in m.text][-1]


def found(house: House, words: str) -> int:
    """How many messages with these words the operator has got."""
    oskar = house.person("oskar")
    return sum(words in m.text for m in oskar.messages(mail(house, oskar)))


async def fail(house: House, general: Channel, times: int, words: str = "GPU lost") -> None:
    """Let Mira try a model in vain, four pictures at a time."""
    mira = house.person("mira")
    house.imagerouter.faults.error(words, times=times)
    asked = {"prompt": "a wren", "model": PIPPIN, "count": 4}
    for _ in range(times // 4):
        await explanation(general, await mira.slash(general, "imagine", asked))
    await house.bot.services.generation.idle()


async def work(house: House, general: Channel, times: int) -> None:
    """Let Mira make pictures with the same model."""
    for _ in range(times):
        await make(house.person("mira"), general, PIPPIN)
    await house.bot.services.generation.idle()


# The balance


async def test_a_low_balance_is_told_once_until_it_was_above(
    house: House, mira: Person, general: Channel
) -> None:
    await make(mira, general, LARGE)
    house.clock.advance(DAY_MS)
    account = house.imagerouter.account
    account.balance_micros = int(4.9 * USD)
    await asked_for_balance(house)
    told = await of_operator(house, "balance is low")
    assert "**$4.90** of credits are left." in told.text
    assert "about $0.04 a day, so this lasts for about 122 days." in told.text
    assert "below $5.00 (`LOW_BALANCE_USD`)" in told.text

    account.balance_micros = 3 * USD
    await asked_for_balance(house)
    await house.restart_bot()
    await asked_for_balance(house)
    account.deposit(2 * USD)  # $5.00 is not below $5.00
    await asked_for_balance(house)
    account.balance_micros = USD
    await asked_for_balance(house)
    told = await of_operator(house, "balance is low", count=2)
    assert "**$1.00** of credits are left." in told.text
    assert found(house, "balance is low") == 2


async def test_a_bot_that_has_spent_nothing_does_not_say_how_long_it_lasts(house: House) -> None:
    await looked(house, 0)
    house.imagerouter.account.balance_micros = 0
    await asked_for_balance(house)
    told = await of_operator(house, "balance is low")
    assert "**$0.00** of credits is left. Add credits at" in told.text


async def test_the_balance_is_asked_for_no_oftener_than_needed(house: House) -> None:
    await asked_for_balance(house)
    calls = house.imagerouter.calls
    before = calls.count("GET /v1/credits")
    for _ in range(5):
        await looked(house, 5 * MINUTE_MS)
    await house.restart_bot()
    await looked(house, 0)
    assert calls.count("GET /v1/credits") == before
    await asked_for_balance(house)
    assert calls.count("GET /v1/credits") == before + 1


async def test_an_operator_who_wants_no_word_of_the_balance_gets_none(
    open_house: OpenHouse,
) -> None:
    house = await open_house(LOW_BALANCE_USD="0")
    house.imagerouter.account.balance_micros = 0
    await looked(house, DAY_MS)
    assert "GET /v1/credits" not in house.imagerouter.calls


async def test_what_discord_did_not_take_is_told_at_the_next_look(house: House) -> None:
    await looked(house, 0)
    house.imagerouter.account.balance_micros = USD
    house.discord.faults.drop("POST /users/@me/channels", times=20)
    await asked_for_balance(house)
    house.discord.faults.clear()
    assert found(house, "balance is low") == 0
    await asked_for_balance(house)
    await of_operator(house, "balance is low")


async def test_what_a_bot_that_ended_did_not_live_to_tell_is_told_after_all(
    house: House, general: Channel
) -> None:
    await looked(house, 0)
    alarms = Alarms(house.bot.services.database, clock=house.clock)
    assert await alarms.start("balance")  # and it is killed before it tells it
    assert await alarms.start(f"model:{PIPPIN}")
    await fail(house, general, 12)
    house.imagerouter.account.balance_micros = USD
    await house.restart_bot()
    await asked_for_balance(house)
    await of_operator(house, "balance is low")
    await of_operator(house, "hardly brings any pictures")
    await asked_for_balance(house)
    assert found(house, "balance is low") == 1
    assert found(house, "hardly brings") == 1


@pytest.mark.parametrize("answer", ["", "{}", '{"remaining_credits": "a lot"}', "[1]"])
async def test_an_odd_answer_about_the_balance_alarms_nobody(answer: str, house: House) -> None:
    await looked(house, 0)
    house.imagerouter.account.balance_micros = USD
    house.imagerouter.faults.status(200, answer, on="credits")
    await asked_for_balance(house)
    assert found(house, "balance is low") == 0
    await asked_for_balance(house)
    await of_operator(house, "balance is low")
    assert found(house, "balance is low") == 1


# Models


async def test_a_model_that_fails_is_told_of_once_until_it_works_again(
    house: House, general: Channel
) -> None:
    await fail(house, general, 12)
    await looked(house)
    told = await of_operator(house, "hardly brings any pictures")
    assert "12 of 12 tries with **orchard/pippin**" in told.text.replace("\\", "")
    assert "It is the bot's default" not in told.text

    await fail(house, general, 12)
    await house.restart_bot()
    await looked(house)
    assert found(house, "hardly brings") == 1

    # It works again; what failed before is within the hour still, and forgiven.
    house.clock.advance(HOUR_MS)
    await work(house, general, 10)
    await looked(house)
    assert found(house, "hardly brings") == 1

    await fail(house, general, 12)
    await looked(house)
    await of_operator(house, "hardly brings any pictures", count=2)


async def test_a_few_failures_and_refused_prompts_tell_nothing_of_a_model(
    house: House, general: Channel
) -> None:
    await fail(house, general, 8)
    await fail(house, general, 12, "Flagged by content moderation")
    await looked(house)
    assert found(house, "hardly brings") == 0
    await fail(house, general, 4)
    await looked(house)
    told = await of_operator(house, "hardly brings")
    assert "12 of 12 tries" in told.text


async def test_a_model_that_works_half_the_time_is_none_that_fails_too_often(
    house: House, general: Channel
) -> None:
    await fail(house, general, 8)
    await work(house, general, 9)
    await looked(house)
    assert found(house, "hardly brings") == 0


async def test_the_operator_hears_that_it_is_the_default(open_house: OpenHouse) -> None:
    house = await open_house(DEFAULT_MODEL=PIPPIN)
    await fail(house, house.channel(), 12)
    await looked(house)
    told = await of_operator(house, "hardly brings any pictures")
    assert "name another one in `DEFAULT_MODEL`" in told.text
