"""One job of several models: held together or not at all, each at its own price, settled alone."""

import pytest
from msgspec.structs import replace

from bot.quotas import PictureTooDear, QuotaExceeded, Window
from bot.storage import Charge, ChargeState, Erasure, NewCharge, Who
from bot.storage.rows import Tx
from tests.storage.books import HOUR, MINUTE, Books, open_books

ADMIN = 1
THREE = (("paper/cheap", 300), ("paper/dear", 2500), ("glass/middling", 1000))


async def charges_of(books: Books, job_id: int) -> tuple[Charge, ...]:
    job = await books.jobs.get(job_id)
    assert job is not None
    return job.charges


async def models(books: Books) -> list[tuple[str, int, int, int]]:
    """What the roll-ups say: of which model, how many charges and pictures, how much."""

    async def read(tx: Tx) -> list[tuple[str, int, int, int]]:
        return [
            (
                row.text("name"),
                row.integer("charges"),
                row.integer("pictures"),
                row.integer("spent"),
            )
            for row in await tx.fetch(
                "SELECT * FROM usage_day WHERE kind = 'model' AND charges > 0 ORDER BY name"
            )
        ]

    return await books.db.read(read)


async def months(books: Books) -> list[tuple[bool, int, int]]:
    """What the months say: whether they are a living person's, how many charges, how much."""

    async def read(tx: Tx) -> list[tuple[bool, int, int]]:
        return [
            (row.integer("user_id") > 0, row.integer("charges"), row.integer("spent"))
            for row in await tx.fetch("SELECT * FROM usage_month ORDER BY user_id")
        ]

    return await books.db.read(read)


async def test_every_model_is_held_at_its_own_ceiling_in_one_hold(books: Books) -> None:
    held = await books.ledger.hold(books.job(compared=THREE))

    found = await charges_of(books, held.job_id)
    assert [(charge.model, charge.held) for charge in found] == list(THREE)
    assert [charge.id for charge in found] == list(held.charge_ids)
    for scope in ("member", "channel", "guild", "ceiling", "person", "bot"):
        assert await books.counters(scope) == (3800, 0, 0)
    assert await books.counters("member", "open") == (1, 0, 0)


async def test_a_job_knows_which_models_it_compares(books: Books) -> None:
    held = await books.ledger.hold(books.job(compared=THREE))
    job = await books.jobs.get(held.job_id)

    assert job is not None
    assert job.request.models == ("paper/cheap", "paper/dear", "glass/middling")
    assert (job.request.count, job.ceiling) == (3, 2500)
    [line] = await books.jobs.recent(11)
    assert (line.model, line.models, line.count) == ("paper/cheap", 3, 3)
    books.clock.now += MINUTE
    plain = await books.ledger.hold(books.job(pictures=3))
    batch = await books.jobs.get(plain.job_id)
    assert batch is not None
    assert batch.request.models == ()
    assert (await books.jobs.recent(11, limit=1))[0].models == 1


async def test_when_the_sum_does_not_fit_nothing_at_all_is_held(books: Books) -> None:
    await books.policies.set_limit(Who.guild(77), Window.DAY, 3799, by=ADMIN)
    with pytest.raises(QuotaExceeded) as refusal:
        await books.ledger.hold(books.job(compared=THREE))

    assert (refusal.value.needed, refusal.value.left) == (3800, 3799)
    assert await books.counters("bot") == (0, 0, 0)
    await books.policies.set_limit(Who.guild(77), Window.DAY, 3800, by=ADMIN)
    await books.ledger.hold(books.job(compared=THREE))


async def test_a_limit_on_prices_looks_at_the_dearest_model(books: Books) -> None:
    await books.policies.set_limit(Who.guild(77), Window.IMAGE, 2499, by=ADMIN)
    with pytest.raises(PictureTooDear) as refusal:
        await books.ledger.hold(books.job(compared=THREE))
    assert refusal.value.price == 2500
    await books.policies.set_limit(Who.guild(77), Window.IMAGE, 2500, by=ADMIN)
    await books.ledger.hold(books.job(compared=THREE))


async def test_standing_tells_which_prices_would_be_taken_together(books: Books) -> None:
    await books.policies.set_limit(Who.guild(77), Window.DAY, 3000, by=ADMIN)
    await books.policies.set_limit(Who.channel(77, 770), Window.IMAGE, 2000, by=ADMIN)
    standing = await books.policies.standing(books.job().actor)

    assert standing.takes([1000, 2000])
    assert not standing.takes([1001, 2000])
    assert not standing.takes([2001])
    assert standing.takes([0, 0])
    assert standing.dearest == 2000


async def test_each_model_settles_by_itself_into_sums_of_its_own(books: Books) -> None:
    held = await books.sent(books.job(compared=THREE))
    cheap, dear, middling = held.charge_ids
    assert not (await books.ledger.settle(cheap, actual=250)).job_closed
    assert await books.ledger.release(dear, reason="moderated")
    assert await books.ledger.mark_unknown(middling, reason="lost")

    assert await books.counters("guild") == (1000, 250, 0)
    assert await books.counters("member", "open") == (0, 0, 0)
    assert await models(books) == [("paper/cheap", 1, 0, 250)]
    late = await books.ledger.settle(middling, actual=1800)
    assert late.overrun == 800
    assert await books.counters("guild") == (0, 2050, 800)
    assert await models(books) == [
        ("glass/middling", 1, 0, 1800),
        ("paper/cheap", 1, 0, 250),
    ]
    assert await months(books) == [(True, 2, 2050)]


async def test_the_sweeper_presumes_each_model_at_its_own_ceiling(database_url: str) -> None:
    async with open_books(database_url) as books:
        held = await books.sent(books.job(compared=THREE))
        waiting = await books.ledger.hold(books.job(compared=THREE[:2]))
        await books.ledger.settle(held.charge_ids[0], actual=300)
        books.clock.now += HOUR
        survivor = books.other_process()
        swept = await survivor.ledger.sweep()
        assert swept.released_jobs == (waiting.job_id,)
        assert set(swept.unknown_charges) == set(held.charge_ids[1:])

        books.clock.now += 16 * MINUTE
        swept = await survivor.ledger.sweep()
        assert set(swept.presumed_charges) == set(held.charge_ids[1:])
        found = await charges_of(books, held.job_id)
        assert [(c.model, c.state, c.actual) for c in found] == [
            ("paper/cheap", ChargeState.SETTLED, 300),
            ("paper/dear", ChargeState.PRESUMED, 2500),
            ("glass/middling", ChargeState.PRESUMED, 1000),
        ]
        assert await models(books) == [
            ("glass/middling", 1, 0, 1000),
            ("paper/cheap", 1, 0, 300),
            ("paper/dear", 1, 0, 2500),
        ]


async def test_erasing_a_person_moves_their_sums_and_leaves_those_of_the_models(
    books: Books,
) -> None:
    held = await books.sent(books.job(compared=THREE))
    for charge_id, cost in zip(held.charge_ids, (1, 20, 300), strict=True):
        await books.ledger.settle(charge_id, actual=cost)
    await books.jobs.mark_delivered({held.job_id: None})
    waits = await books.sent(books.job(compared=THREE))
    for charge_id in waits.charge_ids:
        await books.ledger.settle(charge_id, actual=1000)
    erasure = Erasure(books.db, clock=books.clock)
    assert (await erasure.erase_person(11)).waiting == 1

    assert await months(books) == [(False, 3, 321), (True, 3, 3000)]
    await books.jobs.mark_delivered({waits.job_id: None})
    assert await erasure.resume() == 0
    assert await months(books) == [(False, 6, 3321)]
    assert await models(books) == [
        ("glass/middling", 2, 0, 1300),
        ("paper/cheap", 2, 0, 1001),
        ("paper/dear", 2, 0, 1020),
    ]


async def test_charges_that_are_no_amounts_or_too_few_are_refused(books: Books) -> None:
    job = books.job(compared=THREE)
    for charges in (
        (),
        job.charges[:2],
        (*job.charges[:2], NewCharge("paper/odd", -1)),
        (*job.charges[:2], NewCharge("paper/odd", 10**18)),
    ):
        with pytest.raises(ValueError, match="cannot hold"):
            await books.ledger.hold(replace(job, charges=charges))
    assert await books.counters("bot") == (0, 0, 0)
