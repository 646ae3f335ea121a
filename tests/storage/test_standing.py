"""Time zones that guilds choose, and what people are told of their limits without spending."""

import pytest

from bot.errors import InvalidOption
from bot.quotas import (
    PictureTooDear,
    QuotaExceeded,
    Scope,
    Window,
)
from bot.requests import NO_GUILD, Actor
from bot.storage import Who
from tests.storage.books import DAY, HOUR, NOON, Books, held, refused

ADMIN, OPERATOR = 1, 2
BOOSTER = 4242
MIDNIGHT = NOON + 12 * HOUR


# Time zones


async def test_a_new_guild_gets_its_time_zone_at_once(books: Books) -> None:
    assert await books.policies.set_timezone(77, "Pacific/Auckland", by=ADMIN) == NOON
    await books.policies.set_limit(Who.guild(77), Window.DAY, 5, by=ADMIN)
    refusal = await refused(books)
    assert refusal.resets_at_ms == NOON + DAY  # midnight in Auckland is noon in UTC


async def test_a_guild_that_has_spent_waits_for_the_end_of_its_day(books: Books) -> None:
    await held(books, ceiling=1)
    assert await books.policies.set_timezone(77, "Pacific/Auckland", by=ADMIN) == MIDNIGHT
    await books.policies.set_limit(Who.guild(77), Window.DAY, 5, by=ADMIN)
    assert (await refused(books)).resets_at_ms == MIDNIGHT
    books.clock.now = MIDNIGHT
    # What is left until noon, when Auckland's next day begins, joins that day.
    assert (await refused(books)).resets_at_ms == MIDNIGHT + 36 * HOUR


async def test_flipping_the_time_zone_never_refills(books: Books) -> None:
    await books.policies.set_limit(Who.each_member(77), Window.DAY, 1000, by=ADMIN)
    await held(books)
    zones = ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu", "UTC")
    for hour in range(11):
        books.clock.now = NOON + hour * HOUR
        await books.policies.set_timezone(77, zones[hour % 4], by=ADMIN)
        assert (await refused(books, ceiling=1)).left == 0


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "", "../../etc/passwd", "europe/berlin"])
async def test_a_time_zone_that_nobody_knows_is_refused(books: Books, zone: str) -> None:
    with pytest.raises(InvalidOption):
        await books.policies.set_timezone(77, zone, by=ADMIN)
    assert await books.policies.zones(77) == []


# How somebody stands


async def test_standing_tells_every_limit_and_spends_nothing(books: Books) -> None:
    await books.policies.set_limit(Who.each_member(77), Window.DAY, 1000, by=ADMIN)
    await books.policies.set_limit(Who.channel(77, 770), Window.IMAGE, 400, by=ADMIN)
    job = await books.sent(books.job(ceiling=300))
    await books.ledger.settle(job.charge_ids[0], actual=200)
    await held(books, ceiling=100)
    actor = Actor(11, 77, 770)

    standing = await books.policies.standing(actor, price=350, count=2)
    by_kind = {(h.limit.scope, h.limit.window): h for h in standing.limits}
    day = by_kind[Scope.MEMBER, Window.DAY]
    assert (day.used, day.left, day.needed, day.fits) == (300, 700, 700, True)
    assert (day.starts_ms, day.resets_at_ms) == (NOON - 12 * HOUR, MIDNIGHT)
    tally = standing.tallies[Scope.GUILD, Window.WEEK]
    assert (tally.spent, tally.held, tally.used) == (200, 100, 300)
    assert by_kind[Scope.MEMBER, Window.OPEN].used == 1
    assert standing.fits
    assert standing.binding is day
    assert standing.affordable == 350
    assert await books.counters("member") == (100, 200, 0)

    dear = await books.policies.standing(actor, price=401)
    assert not dear.fits
    assert dear.binding is not None
    assert dear.binding.limit == by_kind[Scope.CHANNEL, Window.IMAGE].limit


@pytest.mark.parametrize("price", [1, 250, 251, 400, 401, 5000])
async def test_standing_and_holding_are_of_one_mind(books: Books, price: int) -> None:
    await books.policies.set_limit(Who.each_member(77), Window.DAY, 1000, by=ADMIN)
    await books.policies.set_limit(Who.guild(77), Window.MONTH, 750, by=ADMIN)
    await books.policies.set_limit(Who.everybody(), Window.IMAGE, 400, by=OPERATOR)
    await held(books, ceiling=250)
    standing = await books.policies.standing(Actor(11, 77, 770), price=price, count=2)
    assert standing.fits == (price <= standing.affordable)
    job = books.job(ceiling=price, pictures=2)
    if standing.fits:
        await books.ledger.hold(job)
    else:
        assert standing.binding is not None
        with pytest.raises((QuotaExceeded, PictureTooDear)) as refusal:
            await books.ledger.hold(job)
        assert isinstance(refusal.value, QuotaExceeded | PictureTooDear)
        assert refusal.value.limit == standing.binding.limit


async def test_standing_says_that_somebody_is_blocked_or_paused(books: Books) -> None:
    await books.policies.block(77, 11, reason="rude", by=ADMIN)
    await books.policies.pause(NO_GUILD, by=OPERATOR)
    standing = await books.policies.standing(Actor(11, 77, 770))
    assert (standing.rules.blocked, standing.rules.paused) == ("rude", Scope.BOT)
    assert not standing.fits
