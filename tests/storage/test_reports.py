"""Reports say what the ledger says, whatever happened, whichever table they read."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.quotas import QuotaExceeded, Window
from bot.reports import Report, Span, make_report, named_period, period_of_days
from bot.requests import ImageRequest
from bot.storage import (
    NOBODY,
    Erasure,
    Group,
    Outcomes,
    Output,
    Reports,
    Stretch,
    Sums,
    Who,
)
from bot.storage.rows import Row, Tx
from tests.storage.books import DAY, GENEROUS, HOUR, MINUTE, NOON, Books, held, open_books
from tests.storage.machines import examples_on

ZONES = ("UTC", "Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu")
GUILD = 77
MUST_HAPPEN = {
    *("dispatched settled", "dispatched released", "unknown presumed", "presumed settled"),
    *("released settled", "overrun", "erased", "zone", "role"),
}
"""A charge's last step, and whatever else a history may hold."""

NOTHING_LEFT = (
    "INSERT INTO usage_month (guild_id, month, user_id, charges, pictures, spent) "
    "VALUES ($1, $2, $3, 0, 0, 0)"
)
"""What a member's month was once all of it had been taken out: it is no line of a report."""

steps = st.one_of(
    st.tuples(
        st.just("ask"),
        st.sampled_from([11, 12, 13]),
        st.sampled_from(["a/one", "b/two"]),
        st.sampled_from([770, 771]),
        st.sampled_from(["imagine", "edit"]),
        st.integers(1, 2),
        st.sampled_from([0, 700, 1000]),
        st.booleans(),
    ),
    st.tuples(st.just("settle"), st.integers(0, 7), st.sampled_from([0, 1, 999, 1000, 5000])),
    st.tuples(st.just("release"), st.integers(0, 7)),
    st.tuples(st.just("lose"), st.integers(0, 7)),
    st.tuples(st.just("wait"), st.sampled_from([MINUTE, 16 * MINUTE, 7 * HOUR, DAY, 25 * DAY])),
    st.tuples(st.just("erase"), st.sampled_from([11, 12])),
    st.tuples(st.just("zone"), st.sampled_from(ZONES)),
)

ALL_OF_IT: list[tuple[object, ...]] = [
    ("zone", "Asia/Kathmandu"),
    *([("ask", 11, "a/one", 770, "imagine", 1, 1000, True), ("settle", 0, 5000)] * 2),
    ("ask", 12, "a/one", 771, "edit", 2, 700, False),
    *(("release", 0), ("settle", 0, 999)),
    *(("lose", 1), ("wait", 16 * MINUTE), ("wait", 16 * MINUTE), ("settle", 1, 999)),
    ("ask", 13, "b/two", 771, "edit", 2, 1000, False),
    *(("release", 0), ("lose", 1), ("wait", 16 * MINUTE), ("wait", 16 * MINUTE)),
    ("erase", 11),
]
"""A history in which each of these is the last step of some charge."""


class History:
    """Lets things happen to a ledger, in the order in which they are named."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.charges: list[int] = []

    async def happen(self, kind: str, *how: object) -> None:
        await getattr(self, kind)(*how)

    async def ask(
        self,
        user: int,
        model: str,
        channel: int,
        command: str,
        pictures: int,
        price: int,
        favoured: bool,
    ) -> None:
        roles = (5,) if favoured else ()
        job = self.books.job(
            user=user, model=model, channel=channel, pictures=pictures, ceiling=price, roles=roles
        )
        request: ImageRequest = replace(job.request, command=command)
        with suppress(QuotaExceeded):
            sent = await self.books.ledger.hold(
                replace(job, request=request), dispatch_lease_ms=MINUTE
            )
            self.charges += sent.charge_ids

    def chosen(self, number: int) -> int:
        return self.charges[-1 - number % len(self.charges)] if self.charges else 0

    async def settle(self, number: int, actual: int) -> None:
        await self.books.ledger.settle(self.chosen(number), actual=actual)

    async def release(self, number: int) -> None:
        await self.books.ledger.release(self.chosen(number), reason="free")

    async def lose(self, number: int) -> None:
        await self.books.ledger.mark_unknown(self.chosen(number), reason="lost")

    async def wait(self, ms: int) -> None:
        self.books.clock.now += ms
        await self.books.ledger.sweep()

    async def erase(self, user: int) -> None:
        ended = await self.rows(f"SELECT id FROM job WHERE user_id = {user} AND open_charges = 0")
        for job in ended:
            await self.books.jobs.mark_delivered({job.integer("id"): (770, 1)})
        await Erasure(self.books.db, clock=self.books.clock).erase_person(user)

    async def zone(self, name: str) -> None:
        await self.books.policies.set_timezone(GUILD, name, by=1)

    async def rows(self, sql: str) -> list[Row]:
        async def run(tx: Tx) -> list[Row]:
            return await tx.fetch(sql)

        return await self.books.db.read(run)


async def audit_trail(history: History, stretch: Stretch) -> list[tuple[dict[Group, object], Sums]]:
    """Read what each charge of a stretch came to: the sum of its entries, and what it is about."""
    rows = await history.rows(
        "SELECT charge.*, day_label, (SELECT CAST(SUM(delta) AS BIGINT) FROM entry "
        "WHERE charge_id = charge.id) AS came_to FROM charge JOIN job ON job.id = job_id "
        f"WHERE charge.guild_id = {GUILD} AND state IN ('settled', 'presumed')"
    )
    return [
        (
            {
                Group.MEMBER: max(0, row.integer("user_id")),
                Group.ROLE: row.maybe_integer("limit_role") or 0,
                Group.MODEL: row.text("model"),
                Group.CHANNEL: row.integer("channel_id"),
                Group.COMMAND: row.text("command"),
                Group.DAY: row.text("day_label"),
            },
            Sums(1, row.integer("pictures"), row.integer("came_to")),
        )
        for row in rows
        if stretch.start_ms <= row.integer("created_at") < stretch.end_ms
    ]


def added(sums: Iterable[Sums]) -> Sums:
    return sum(sums, start=Sums())


async def seen(history: History) -> Counter[str]:
    """Count what has happened that reports could stumble over."""
    rows = await history.rows("SELECT * FROM charge")
    zones = await history.rows("SELECT * FROM guild_zone")
    found = Counter({"zone": len(zones)})
    for row in rows:
        found[f"{row.text('prior_state')} {row.text('state')}"] += 1
        found["overrun"] += row.integer("overrun") > 0
        found["erased"] += row.integer("user_id") < 0
        found["role"] += row.maybe_integer("limit_role") is not None
    return found


async def compare(history: History) -> None:
    """Compare reports of every kind with the audit trail."""
    books = history.books
    now = books.clock.now
    reports = Reports(books.db, defaults=GENEROUS)
    zones = await reports.zones(GUILD)
    today = date.fromisoformat(named_period(Span.TODAY, now_ms=now, zones=zones).label)
    periods = [named_period(span, now_ms=now, zones=zones) for span in Span]
    periods += [
        period_of_days(date(2026, 7, 29), today, now_ms=now, zones=zones),
        period_of_days(date(2026, 8, 2), date(2026, 9, 11), now_ms=now, zones=zones),
        period_of_days(date(2026, 7, 1), date(2026, 9, 30), now_ms=now, zones=zones),
    ]
    cut = Stretch(NOON + HOUR, now + 1)
    periods.append(replace(periods[0], stretch=cut, window=None))
    for period in periods:
        truth = await audit_trail(history, period.stretch)
        before = added(sums for _, sums in await audit_trail(history, period.before))
        for group in Group:
            report = await make_report(reports, GUILD, period, group, now_ms=now)
            by_key: dict[object, list[Sums]] = defaultdict(list)
            for about, sums in truth:
                by_key[about[group]].append(sums)
            assert {part.key: part.sums for part in report.answer.parts} == {
                key: added(sums) for key, sums in by_key.items()
            }
            assert added(part.sums for part in report.answer.parts) == report.total
            assert report.total == added(sums for _, sums in truth)
            assert report.answer.spent_before == before.spent
        lines = [
            line async for page in reports.charges(GUILD, period.stretch, page=2) for line in page
        ]
        assert sum(line.spent or 0 for line in lines) == report.total.spent
        days = await reports.days_by_model(GUILD, period.stretch)
        if period.stretch is not cut and period.window is not Window.MONTH:
            assert sum(day.spent for day in days) == report.total.spent


@pytest.mark.timeout(400)
def test_any_history_adds_up_to_its_audit_trail(engine: str, new_url: Callable[[], str]) -> None:
    happened: Counter[str] = Counter()

    @settings(
        max_examples=examples_on(engine, 30),
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @example(ALL_OF_IT)
    @given(st.lists(steps, min_size=8, max_size=40))
    def check(history: list[tuple[object, ...]]) -> None:
        async def run() -> None:
            async with open_books(new_url()) as books:
                await books.policies.set_limit(Who.role(GUILD, 5), Window.DAY, 10**9, by=1)
                happening = History(books)
                for kind, *how in history:
                    await happening.happen(str(kind), *how)
                await compare(happening)
                happened.update(await seen(happening))

        asyncio.run(run())

    check()
    assert not MUST_HAPPEN - (+happened).keys()


async def test_who_was_erased_is_one_line_and_every_sum_stays(books: Books) -> None:
    for user in (11, 12, 13):
        sent = await books.sent(books.job(user=user, ceiling=1000))
        await books.ledger.settle(sent.charge_ids[0], actual=user)
        await books.jobs.mark_delivered({sent.job_id: (770, 1)})
    for user in (11, 12):
        await Erasure(books.db, clock=books.clock).erase_person(user)
    made = await this_month(books, Group.MEMBER)
    assert [(part.key, part.sums.spent) for part in made.answer.parts] == [(0, 23), (13, 13)]
    assert made.total.spent == 36


@pytest.mark.parametrize("months", [1, 2])
async def test_who_spent_most_comes_first_and_the_erased_among_them_as_one(
    books: Books, months: int
) -> None:
    for _ in range(months):
        for user, actual in ((11, 40), (12, 30), (13, 50), (15, 90), (14, 50), (16, 0)):
            sent = await books.sent(books.job(user=user, ceiling=1000))
            picture = Output(url="https://a/b")
            await books.ledger.settle(sent.charge_ids[0], actual=actual, outputs=[picture])
            await books.jobs.mark_delivered({sent.job_id: (770, 1)})
        unpaid = await books.sent(books.job(user=17, ceiling=1000))
        await books.ledger.release(unpaid.charge_ids[0], reason="refused")
        books.clock.now += 31 * DAY
    await books.db.write(lambda tx: tx.fetch(NOTHING_LEFT, GUILD, "2026-07", 18))
    for user in (11, 12):
        await Erasure(books.db, clock=books.clock).erase_person(user)
    period = period_of_days(
        date(2026, 7, 1), date(2026, 6 + months, 31), now_ms=books.clock.now, zones=()
    )
    reports = Reports(books.db, defaults=GENEROUS)
    made = await make_report(reports, GUILD, period, Group.MEMBER, now_ms=books.clock.now)
    assert [(part.key, part.sums) for part in made.answer.parts] == [
        (15, Sums(months, months, 90 * months)),
        (NOBODY, Sums(2 * months, 2 * months, 70 * months)),
        (13, Sums(months, months, 50 * months)),
        (14, Sums(months, months, 50 * months)),
        (16, Sums(months, months, 0)),
    ]


async def test_what_runs_or_is_not_known_is_pending_and_no_failure(books: Books) -> None:
    await held(books, ceiling=300)
    lost = await books.sent(books.job(ceiling=500, pictures=2))
    await books.ledger.mark_unknown(lost.charge_ids[0], reason="lost")
    await books.ledger.release(lost.charge_ids[1], reason="refused")
    never_sent = await held(books, ceiling=9000)
    await books.ledger.release(never_sent.charge_ids[0], reason="cancelled")
    done = await books.sent(books.job(ceiling=700))
    await books.ledger.settle(done.charge_ids[0], actual=1000, outputs=[Output(url="https://a/b")])
    outcomes = (await this_month(books, Group.DAY)).answer.outcomes
    assert outcomes == Outcomes(jobs=4, finished=2, succeeded=1, pending=800)


async def test_the_budget_is_the_lowest_that_everybody_shares(books: Books) -> None:
    assert (await this_month(books, Group.DAY)).answer.budget == GENEROUS.guild_month
    await books.policies.set_limit(Who.ceiling(GUILD), Window.MONTH, 8000, by=1)
    await books.policies.set_limit(Who.guild(GUILD), Window.MONTH, 5000, by=1)
    await books.policies.set_limit(Who.guild(GUILD), Window.DAY, 10, by=1)
    assert (await this_month(books, Group.DAY)).answer.budget == 5000
    await books.policies.set_limit(Who.guild(GUILD), Window.MONTH, 9000, by=1)
    assert (await this_month(books, Group.DAY)).answer.budget == 8000


async def test_other_guilds_have_no_part_in_a_report(books: Books) -> None:
    for guild in (77, 78, 0):
        sent = await books.sent(books.job(guild=guild, channel=guild * 10))
        await books.ledger.settle(sent.charge_ids[0], actual=100)
    for group in Group:
        made = await this_month(books, group)
        assert (made.total.spent, len(made.answer.parts)) == (100, 1)


async def test_guilds_are_listed_by_what_they_spent_in_a_month(books: Books) -> None:
    for guild, actual in ((77, 100), (78, 300), (0, 5), (77, 50)):
        sent = await books.sent(books.job(guild=guild))
        await books.ledger.settle(sent.charge_ids[0], actual=actual)
    reports = Reports(books.db, defaults=GENEROUS)
    month = named_period(Span.MONTH, now_ms=NOON, zones=()).label
    found = [
        (part.key, part.sums.spent, part.sums.charges) for part in await reports.by_guild(month)
    ]
    assert found == [(78, 300, 1), (77, 150, 2), (0, 5, 1)]
    assert await reports.by_guild("2000-01") == []


async def this_month(books: Books, group: Group) -> Report:
    period = named_period(Span.MONTH, now_ms=books.clock.now, zones=())
    reports = Reports(books.db, defaults=GENEROUS)
    return await make_report(reports, GUILD, period, group, now_ms=books.clock.now)


async def test_days_that_are_cut_in_two_count_as_far_as_they_go(books: Books) -> None:
    for number in range(10):  # at 12:00, 20:00, 04:00, ...
        sent = await books.sent(books.job())
        await books.ledger.settle(sent.charge_ids[0], actual=2**number)
        books.clock.now += 8 * HOUR
    reports = Reports(books.db, defaults=GENEROUS)
    today = named_period(Span.TODAY, now_ms=NOON, zones=())
    cut = Stretch(NOON + 1, NOON + 3 * DAY)  # without the first, and without the last one
    made = await make_report(
        reports, GUILD, replace(today, stretch=cut), Group.DAY, now_ms=books.clock.now
    )
    assert made.total == Sums(8, 0, 2**9 - 2)
    assert sum(part.sums.spent for part in made.answer.parts) == 2**9 - 2
    assert [day.spent for day in await reports.days_by_model(GUILD, cut)] == [
        4 + 8 + 16,
        32 + 64 + 128,
    ]
