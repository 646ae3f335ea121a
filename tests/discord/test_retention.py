"""/config retention: how long a server keeps prompts and links to pictures."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, NotPossibleError, Person
from sandbox.house import House, button, explanation
from sandbox.talk import answered, mail, make, told
from tests.disk import on_disk

DAY_MS = 86_400_000
OpenHouse = Callable[..., Awaitable[House]]


def prompts(books: Books) -> int:
    return len(books.rows("SELECT 1 FROM prompt"))


async def test_what_is_older_loses_its_words_and_its_buttons_say_so(
    house: House, ada: Person, mira: Person, general: Channel, books: Books
) -> None:
    message = await make(mira, general, "test/test")
    text = await told(ada, general, "config retention", keep="7")
    assert "**7 days.**" in text
    house.clock.advance(6 * DAY_MS)
    await make(mira, general, "test/test")
    await house.bot.services.keeper.tidy()
    assert prompts(books) == 2
    house.clock.advance(2 * DAY_MS)
    await house.bot.services.keeper.tidy()
    assert prompts(books) == 1

    ask = await mira.click(message, button(message, "Again"))
    assert "not kept" in (await explanation(general, ask)).text.lower()
    usage = await told(mira, general, "usage")
    assert "erased" in usage
    assert not message.deleted


async def test_it_shows_what_is_set_and_lands_in_the_audit_trail(
    house: House, ada: Person, mira: Person, general: Channel, books: Books
) -> None:
    assert "Until somebody erases them" in await told(ada, general, "config retention")
    await told(ada, general, "config retention", keep="90")
    assert "**90 days.**" in await told(ada, general, "config retention")
    await told(ada, general, "config retention", keep="off")
    assert "**Until somebody erases them.**" in await told(ada, general, "config retention")
    await told(ada, general, "config retention", keep="default")
    assert "what the operator" in await told(ada, general, "config retention")
    trail = books.rows("SELECT before, after FROM rule_change WHERE what = 'retention_days'")
    assert [(row["before"], row["after"]) for row in trail] == [
        (None, "90"),
        ("90", "0"),
        ("0", None),
    ]
    with pytest.raises(NotPossibleError):
        await mira.slash(general, "config retention")


async def test_where_a_server_sets_nothing_the_operators_days_hold(
    open_house: OpenHouse, books: Books
) -> None:
    house = await open_house(DEFAULT_RETENTION_DAYS="30")
    ada, mira = house.person("ada"), house.person("mira")
    general, there = house.channel(), house.channel("lobby", guild="Night Owls")
    for place in (general, there, mail(house, mira)):
        await make(mira, place, "test/test")
    assert "**30 days (what the operator" in await told(ada, general, "config retention")
    await told(ada, there, "config retention", keep="off")
    assert "after **30 days**" in await told(mira, mail(house, mira), "privacy about")
    house.clock.advance(31 * DAY_MS)
    await house.bot.services.keeper.tidy()
    assert prompts(books) == 1  # where it is off


async def test_no_file_has_a_byte_of_what_is_kept_no_longer(
    house: House, ada: Person, mira: Person, general: Channel, tmp_path: Path
) -> None:
    await make(mira, general, "test/test")  # "a gull"
    await told(ada, general, "config retention", keep="7")
    assert b"a gull" in on_disk(tmp_path)
    house.clock.advance(8 * DAY_MS)
    await house.bot.services.keeper.tidy()
    assert b"a gull" not in on_disk(tmp_path)


async def test_it_is_done_at_the_start_and_nobody_has_to_ask(
    open_house: OpenHouse, books: Books
) -> None:
    house = await open_house(DEFAULT_RETENTION_DAYS="7")
    await make(house.person("mira"), house.channel(), "test/test")
    assert prompts(books) == 1
    await house.stop_bot()
    house.clock.advance(8 * DAY_MS)
    await house.start_bot()
    await books.until(lambda _: prompts(books) == 0)


async def test_what_a_client_makes_up_is_refused(
    house: House, ada: Person, general: Channel, books: Books
) -> None:
    with pytest.raises(NotPossibleError):
        await answered(ada, general, "config retention", keep="-1")
    assert books.rows("SELECT 1 FROM rule_change") == []
