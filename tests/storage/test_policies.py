"""Rules as people set them, and what they do to the next hold."""

import asyncio

import pytest

from bot.money import MAX_MICROS
from bot.quotas import (
    Blocked,
    Defaults,
    NeedsConfirmation,
    Paused,
    PictureTooDear,
    Scope,
    Target,
    Window,
)
from bot.requests import NO_GUILD
from bot.storage import DuplicateJob, GuildConfig, Option, SetLimit, Trail, TrailPage, Who
from tests.storage.books import DAY, HOUR, NOON, Books, held, open_books, refused

ADMIN, OPERATOR = 1, 2
BOOSTER = 4242
MIDNIGHT = NOON + 12 * HOUR


# What is set binds the next hold


async def test_without_any_rule_the_defaults_hold(database_url: str) -> None:
    async with open_books(database_url, defaults=Defaults()) as books:
        await held(books, ceiling=500_000)
        member = await refused(books, ceiling=1)
        assert (member.limit.scope, member.limit.amount) == (Scope.MEMBER, 500_000)
        assert (await refused(books, ceiling=1, guild=0)).limit.scope is Scope.DM


@pytest.mark.parametrize(
    ("who", "scope"),
    [
        (Who.member(77, 11), Scope.MEMBER),
        (Who.role(77, BOOSTER), Scope.MEMBER),
        (Who.each_member(77), Scope.MEMBER),
        (Who.channel(77, 770), Scope.CHANNEL),
        (Who.guild(77), Scope.GUILD),
        (Who.ceiling(77), Scope.CEILING),
        (Who.any_guild(), Scope.CEILING),
        (Who.person(11), Scope.PERSON),
        (Who.everybody(), Scope.BOT),
    ],
)
@pytest.mark.parametrize("window", [Window.DAY, Window.WEEK, Window.MONTH, Window.TOTAL])
async def test_a_limit_binds_whom_it_is_for(
    books: Books, who: Who, scope: Scope, window: Window
) -> None:
    assert await books.policies.set_limit(who, window, 1500, by=ADMIN) is None
    await held(books, ceiling=1000, roles=(BOOSTER,))
    refusal = await refused(books, ceiling=600, roles=(BOOSTER,))
    assert (refusal.limit.scope, refusal.limit.window) == (scope, window)
    assert (refusal.limit.source, refusal.limit.amount) == (who.target, 1500)
    assert (refusal.left, refusal.needed) == (500, 600)

    assert await books.policies.set_limit(who, window, None, by=ADMIN) == 1500
    await held(books, ceiling=600, roles=(BOOSTER,))


async def test_a_limit_for_direct_messages_binds_there_alone(books: Books) -> None:
    await books.policies.set_limit(Who.direct_messages(), Window.DAY, 0, by=OPERATOR)
    assert (await refused(books, guild=0)).limit.scope is Scope.DM
    await held(books)


@pytest.mark.parametrize(
    "who",
    [
        Who.member(77, 12),
        Who.member(78, 11),
        Who.role(77, 4243),
        Who.role(78, BOOSTER),
        Who.each_member(78),
        Who.channel(77, 771),
        Who.guild(78),
        Who.ceiling(78),
        Who.person(12),
        Who.direct_messages(),
    ],
)
async def test_a_limit_binds_nobody_else(books: Books, who: Who) -> None:
    await books.policies.set_limit(who, Window.DAY, 0, by=ADMIN)
    await held(books, roles=(BOOSTER,))


async def test_a_pooled_limit_is_spent_together_and_a_roles_by_each_holder(books: Books) -> None:
    await books.policies.set_limit(Who.role(77, BOOSTER), Window.DAY, 1000, by=ADMIN)
    await books.policies.set_limit(Who.channel(77, 770), Window.DAY, 2500, by=ADMIN)
    await held(books, user=11, roles=(BOOSTER,))
    await held(books, user=12, roles=(BOOSTER,))
    assert (await refused(books, user=11, roles=(BOOSTER,))).limit.scope is Scope.MEMBER
    assert (await refused(books, user=13, roles=(BOOSTER,))).limit.scope is Scope.CHANNEL
    await held(books, user=13, roles=(BOOSTER,), channel=771)


async def test_losing_a_role_never_gives_back_what_was_spent(books: Books) -> None:
    await books.policies.set_limit(Who.role(77, BOOSTER), Window.DAY, 3000, by=ADMIN)
    await books.policies.set_limit(Who.each_member(77), Window.DAY, 1000, by=ADMIN)
    await held(books, ceiling=2000, roles=(BOOSTER,))
    assert (await refused(books, ceiling=1)).left == 0
    await held(books, ceiling=1000, roles=(BOOSTER,))
    assert (await refused(books, ceiling=1, roles=(BOOSTER,))).limit.role_id == BOOSTER


async def test_the_role_that_allowed_a_charge_is_noted(books: Books) -> None:
    await books.policies.set_limit(Who.role(77, BOOSTER), Window.DAY, 3000, by=ADMIN)
    await held(books, roles=(BOOSTER, 5))
    rows = await books.db.read(lambda tx: tx.fetch("SELECT limit_role FROM charge"))
    assert [row.maybe_integer("limit_role") for row in rows] == [BOOSTER]


async def test_a_rule_made_at_noon_knows_the_morning(books: Books) -> None:
    await held(books, ceiling=900)
    await books.policies.set_limit(Who.guild(77), Window.DAY, 1000, by=ADMIN)
    assert (await refused(books, ceiling=101)).left == 100


async def test_a_rule_lowered_below_what_is_spent_leaves_nothing(books: Books) -> None:
    await held(books, ceiling=900)
    await books.policies.set_limit(Who.guild(77), Window.DAY, 500, by=ADMIN)
    assert (await refused(books, ceiling=1)).left == 0
    await held(books, ceiling=0)


@pytest.mark.parametrize(
    "who",
    [
        Who.member(77, 11),
        Who.role(77, BOOSTER),
        Who.channel(77, 770),
        Who.guild(77),
        Who.ceiling(77),
        Who.any_guild(),
        Who.person(11),
        Who.everybody(),
    ],
)
async def test_a_picture_may_cost_as_much_as_the_lowest_limit_on_prices(
    books: Books, who: Who
) -> None:
    await books.policies.set_limit(who, Window.IMAGE, 10_000, by=ADMIN)
    await books.policies.set_limit(Who.channel(77, 770), Window.IMAGE, 12_000, by=ADMIN)
    lowest = 12_000 if who.target is Target.CHANNEL else 10_000
    await held(books, ceiling=lowest, pictures=4, roles=(BOOSTER,))
    with pytest.raises(PictureTooDear) as refusal:
        await held(books, ceiling=lowest + 1, roles=(BOOSTER,))
    assert (refusal.value.limit.amount, refusal.value.price) == (lowest, lowest + 1)


async def test_open_jobs_are_limited_by_the_settings(database_url: str) -> None:
    async with open_books(database_url, defaults=Defaults(open_jobs=2)) as books:
        first = await books.sent(books.job())
        await held(books)
        assert (await refused(books)).limit.window is Window.OPEN
        await books.ledger.settle(first.charge_ids[0], actual=1)
        await held(books)


async def test_of_two_admins_who_set_the_same_limit_the_later_wins(books: Books) -> None:
    who = Who.guild(77)
    await asyncio.gather(
        *(books.policies.set_limit(who, Window.DAY, n, by=ADMIN) for n in range(1, 6))
    )
    [limit] = await books.policies.limits(77)
    changes = (await books.policies.trail(Trail(77))).changes
    afters = {change.after for change in changes}
    assert afters == {"1", "2", "3", "4", "5"}
    assert {change.before for change in changes} == {None, *afters} - {str(limit.amount)}


# Grants


async def test_a_grant_is_extra_in_the_running_windows_and_gone_with_them(books: Books) -> None:
    await books.policies.set_limit(Who.each_member(77), Window.DAY, 1000, by=ADMIN)
    await books.policies.set_limit(Who.each_member(77), Window.MONTH, 1500, by=ADMIN)
    await books.policies.grant(77, 11, 800, reason="won the contest", by=ADMIN)
    await held(books, ceiling=1800)
    refusal = await refused(books, ceiling=1)
    assert (refusal.limit.amount, refusal.limit.granted, refusal.left) == (1800, 800, 0)
    assert (await refused(books, ceiling=1001, user=12)).limit.amount == 1000

    books.clock.now += DAY  # the month's extra remains: 2300 less 1800
    refusal = await refused(books, ceiling=501)
    assert (refusal.limit.window, refusal.left) == (Window.MONTH, 500)
    await held(books, ceiling=500)


async def test_a_grant_is_for_one_guild_and_leaves_pooled_limits_alone(books: Books) -> None:
    for guild in (77, 78):
        await books.policies.set_limit(Who.each_member(guild), Window.DAY, 1000, by=ADMIN)
    await books.policies.set_limit(Who.guild(77), Window.DAY, 1200, by=ADMIN)
    await books.policies.grant(77, 11, 5000, reason="", by=ADMIN)
    assert (await refused(books, ceiling=1201)).limit.scope is Scope.GUILD
    assert (await refused(books, ceiling=1001, guild=78)).limit.scope is Scope.MEMBER


# Blocks and pauses


async def test_a_block_holds_in_its_guild_and_only_there(books: Books) -> None:
    assert await books.policies.block(77, 11, reason="spam", by=ADMIN)
    assert not await books.policies.block(77, 11, reason="again", by=ADMIN)
    with pytest.raises(Blocked) as refusal:
        await held(books, ceiling=0)
    assert refusal.value.reason == "spam"
    await held(books, guild=78)
    await held(books, guild=0)
    await held(books, user=12)
    assert [(b.user_id, b.reason) for b in await books.policies.blocked(77)] == [(11, "spam")]

    assert not await books.policies.unblock(78, 11, by=ADMIN)
    assert await books.policies.unblock(77, 11, by=ADMIN)
    assert not await books.policies.unblock(77, 11, by=ADMIN)
    await held(books)


async def test_a_pause_stops_new_holds_where_it_was_said(books: Books) -> None:
    running = await books.sent(books.job())
    assert await books.policies.pause(77, by=ADMIN)
    assert not await books.policies.pause(77, by=ADMIN)
    with pytest.raises(Paused) as refusal:
        await held(books)
    assert refusal.value.scope is Scope.GUILD
    await held(books, guild=78)
    assert (await books.ledger.settle(running.charge_ids[0], actual=5)).changed

    assert await books.policies.pause(NO_GUILD, by=OPERATOR)
    for guild in (77, 78, 0):
        with pytest.raises(Paused) as refusal:
            await held(books, guild=guild)
        assert refusal.value.scope is Scope.BOT
    assert await books.policies.resume(NO_GUILD, by=OPERATOR)
    await held(books, guild=0)
    assert await books.policies.resume(77, by=ADMIN)
    assert not await books.policies.resume(77, by=ADMIN)
    await held(books)


async def test_rules_blocks_and_pauses_survive_a_restart(database_url: str) -> None:
    async with open_books(database_url) as books:
        await books.policies.set_limit(Who.guild(77), Window.DAY, 5, by=ADMIN)
        await books.policies.block(78, 11, reason="", by=ADMIN)
        await books.policies.pause(79, by=ADMIN)
    async with open_books(database_url) as books:
        await refused(books)
        with pytest.raises(Blocked):
            await held(books, guild=78)
        with pytest.raises(Paused):
            await held(books, guild=79)


async def test_a_replay_is_known_as_one_even_when_blocked_meanwhile(books: Books) -> None:
    job = books.job()
    await books.ledger.hold(job)
    await books.policies.block(77, 11, reason="", by=ADMIN)
    with pytest.raises(DuplicateJob):
        await books.ledger.hold(job)


# Asking first


async def test_a_dear_job_is_asked_about_and_held_only_once_confirmed(books: Books) -> None:
    await books.policies.configure(77, Option.CONFIRM_ABOVE, 3000, by=ADMIN)
    await held(books, ceiling=1000, pictures=3)
    with pytest.raises(NeedsConfirmation) as question:
        await held(books, ceiling=1000, pictures=4)
    assert (question.value.needed, question.value.above) == (4000, 3000)
    with pytest.raises(NeedsConfirmation):
        await held(books, ceiling=1001, pictures=4, agreed=4000)  # dearer than was agreed
    assert await books.counters("member") == (3000, 0, 0)
    await held(books, ceiling=1000, pictures=4, agreed=4000)
    await held(books, ceiling=1000, pictures=4, guild=78)


async def test_nobody_is_asked_about_what_would_be_refused_anyway(books: Books) -> None:
    await books.policies.configure(77, Option.CONFIRM_ABOVE, 10, by=ADMIN)
    await books.policies.set_limit(Who.guild(77), Window.DAY, 500, by=ADMIN)
    await refused(books, ceiling=1000)
    await refused(books, ceiling=1000, agreed=1000)


# What is shown


async def test_limits_are_listed_by_guild_with_who_set_them(books: Books) -> None:
    await books.policies.set_limit(Who.member(77, 11), Window.DAY, 5, by=ADMIN)
    await books.policies.set_limit(Who.channel(77, 770), Window.IMAGE, 6, by=ADMIN)
    await books.policies.set_limit(Who.ceiling(77), Window.MONTH, 7, by=OPERATOR)
    await books.policies.set_limit(Who.person(11), Window.DAY, 8, by=OPERATOR)
    assert set(await books.policies.limits(77)) == {
        SetLimit(Who.member(77, 11), Window.DAY, 5, ADMIN, NOON),
        SetLimit(Who.channel(77, 770), Window.IMAGE, 6, ADMIN, NOON),
        SetLimit(Who.ceiling(77), Window.MONTH, 7, OPERATOR, NOON),
    }
    assert await books.policies.limits(78) == []
    assert await books.policies.limits(NO_GUILD) == [
        SetLimit(Who.person(11), Window.DAY, 8, OPERATOR, NOON)
    ]


async def test_members_are_stored_by_a_keyed_hash(books: Books) -> None:
    await books.policies.set_limit(Who.member(77, 11), Window.DAY, 5, by=ADMIN)
    await books.policies.block(77, 11, reason="", by=ADMIN)
    await books.policies.grant(77, 11, 5, reason="", by=ADMIN)
    subjects = set()
    for table in ("spending_rule", "blocked_member", "spending_grant"):
        rows = await books.db.read(lambda tx, t=table: tx.fetch(f"SELECT subject FROM {t}"))  # type: ignore[misc]  # bound early
        subjects |= {row.text("subject") for row in rows}
    [subject] = subjects
    assert len(subject) == 32
    assert subject != "11"


async def test_every_change_leaves_a_line_and_what_changes_nothing_leaves_none(
    books: Books,
) -> None:
    policies = books.policies
    await policies.set_limit(Who.role(77, BOOSTER), Window.DAY, 5, by=ADMIN)
    await policies.set_limit(Who.role(77, BOOSTER), Window.DAY, 5, by=3)
    await policies.set_limit(Who.role(77, BOOSTER), Window.DAY, 9, by=ADMIN)
    await policies.set_limit(Who.role(77, BOOSTER), Window.DAY, None, by=3)
    await policies.set_limit(Who.role(77, BOOSTER), Window.DAY, None, by=3)
    await policies.grant(77, 11, 40, reason="a prize", by=ADMIN)
    await policies.block(77, 11, reason="rude", by=ADMIN)
    await policies.unblock(77, 11, by=ADMIN)
    await policies.pause(77, by=ADMIN)
    await policies.pause(77, by=3)
    await policies.configure(77, Option.ALERT_CHANNEL, 770, by=ADMIN)
    await policies.set_timezone(77, "Europe/Berlin", by=ADMIN)
    await policies.set_timezone(77, "Europe/Berlin", by=3)
    lines = [
        (c.what, c.changed_by, c.subject_id, c.user_id, c.before, c.after, c.reason)
        for c in reversed((await policies.trail(Trail(77))).changes)
    ]
    assert sorted(lines, key=str) == sorted(
        [
            ("limit", ADMIN, BOOSTER, None, None, "5", ""),
            ("limit", ADMIN, BOOSTER, None, "5", "9", ""),
            ("limit", 3, BOOSTER, None, "9", None, ""),
            ("grant", ADMIN, None, 11, None, "40", "a prize"),
            ("block", ADMIN, None, 11, "off", "on", "rude"),
            ("block", ADMIN, None, 11, "on", "off", ""),
            ("pause", ADMIN, None, None, "off", "on", ""),
            ("alert_channel", ADMIN, None, None, None, "770", ""),
            ("timezone", ADMIN, None, None, None, "Europe/Berlin", ""),
        ],
        key=str,
    )
    assert await policies.trail(Trail(78)) == TrailPage((), 0)


async def test_a_guild_finds_what_it_has_set_for_itself(books: Books) -> None:
    assert await books.policies.config(77) == GuildConfig()
    for option, value in ((Option.MANAGERS, 5), (Option.LOG_CHANNEL, 6)):
        assert await books.policies.configure(77, option, value, by=ADMIN) is None
    await books.policies.configure(77, Option.CONFIRM_ABOVE, 0, by=ADMIN)
    await books.policies.set_timezone(77, "Asia/Tokyo", by=ADMIN)
    await books.policies.pause(77, by=ADMIN)
    assert await books.policies.config(77) == GuildConfig(
        zone="Asia/Tokyo",
        manager_role=5,
        log_channel=6,
        confirm_above=0,
        paused_ms=NOON,
        paused_by=ADMIN,
    )
    assert await books.policies.configure(77, Option.MANAGERS, None, by=ADMIN) == 5
    assert (await books.policies.config(77)).manager_role is None
    assert await books.policies.config(78) == GuildConfig()


@pytest.mark.parametrize(
    ("who", "window", "amount"),
    [
        (Who.guild(77), Window.DAY, -1),
        (Who.guild(77), Window.DAY, MAX_MICROS + 1),
        (Who.guild(77), Window.OPEN, 5),
        (Who.guild(0), Window.DAY, 5),
        (Who.member(77, 0), Window.DAY, 5),
        (Who(Target.BOT, guild_id=77), Window.DAY, 5),
        (Who(Target.GUILD, guild_id=77, id=9), Window.DAY, 5),
    ],
)
async def test_a_rule_without_a_meaning_is_an_error(
    books: Books, who: Who, window: Window, amount: int
) -> None:
    with pytest.raises(ValueError, match=r"rule for|amount|setting"):
        await books.policies.set_limit(who, window, amount, by=ADMIN)
    with pytest.raises(ValueError, match="cannot grant"):
        await books.policies.grant(77, 11, 0, reason="", by=ADMIN)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_rules_are_read_through_indexes(books: Books) -> None:
    for table in ("spending_rule", "spending_grant", "blocked_member", "guild_zone", "rule_change"):
        sql = f"EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE guild_id = 1"
        plan = await books.db.read(lambda tx, sql=sql: tx.fetch(sql))  # type: ignore[misc]  # bound early
        assert all("SEARCH" in row.text("detail") for row in plan), table
