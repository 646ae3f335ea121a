"""What guilds set about models, on both engines: kept, counted as versions, checked in the hold."""

import asyncio

import pytest
from msgspec.structs import replace

from bot.errors import InvalidOption
from bot.policy import Effect, ModelPolicy, ModelRule, Reach
from bot.storage import DuplicateJob, ModelPolicies, Option, PolicyChanged, RuleChange, Trail
from bot.storage.model_policies import MOST_PHRASES
from tests.storage.books import Books

GUILD, OTHER, ADA = 77, 78, 5
RULE = ModelRule(Reach.GUILD, 0, Effect.DENY, "openai/*")
FOR_ROLE = ModelRule(Reach.ROLE, 31, Effect.ALLOW, "*:free")
IN_CHANNEL = ModelRule(Reach.CHANNEL, 770, Effect.ALLOW, "acme/*")


@pytest.fixture
def store(books: Books) -> ModelPolicies:
    return ModelPolicies(books.db, clock=books.clock)


async def changes(books: Books) -> list[RuleChange]:
    return list((await books.policies.trail(Trail(GUILD))).changes)


async def test_a_guild_that_has_set_nothing_has_the_empty_policy(store: ModelPolicies) -> None:
    assert await store.read(GUILD) == ModelPolicy()


async def test_everything_that_is_set_is_read_again_and_of_that_guild_alone(
    books: Books, store: ModelPolicies
) -> None:
    for rule in (RULE, FOR_ROLE, IN_CHANNEL):
        assert await store.add_rule(GUILD, rule, by=ADA)
    assert await store.add_channel(GUILD, 770, by=ADA)
    assert await store.add_phrase(GUILD, "casino*", by=ADA)
    assert await store.allow_private(GUILD, allowed=False, by=ADA)
    assert await store.set_default(GUILD, "acme/fold", by=ADA) is None
    await books.policies.configure(GUILD, Option.LOG_CHANNEL, 990, by=ADA)

    policy = await store.read(GUILD)
    assert set(policy.rules) == {RULE, FOR_ROLE, IN_CHANNEL}
    assert policy.channels == {770}
    assert policy.blocked_phrases == ("casino*",)
    assert not policy.private_allowed
    assert policy.default_model == "acme/fold"
    assert policy.log_channel == 990
    assert policy.version == 7
    assert await store.read(OTHER) == ModelPolicy()


async def test_what_changes_nothing_leaves_no_trace(books: Books, store: ModelPolicies) -> None:
    await store.add_rule(GUILD, RULE, by=ADA)
    before, trail = await store.read(GUILD), await changes(books)

    assert not await store.add_rule(GUILD, RULE, by=ADA)
    assert not await store.remove_rule(GUILD, FOR_ROLE, by=ADA)
    assert not await store.remove_channel(GUILD, 770, by=ADA)
    assert not await store.clear_channels(GUILD, by=ADA)
    assert not await store.remove_phrase(GUILD, "casino", by=ADA)
    assert not await store.allow_private(GUILD, allowed=True, by=ADA)
    assert await store.set_default(GUILD, None, by=ADA) is None
    assert await store.read(GUILD) == before
    assert await changes(books) == trail


async def test_everything_can_be_removed_again(store: ModelPolicies) -> None:
    await store.add_rule(GUILD, FOR_ROLE, by=ADA)
    await store.add_channel(GUILD, 770, by=ADA)
    await store.add_channel(GUILD, 771, by=ADA)
    await store.add_phrase(GUILD, "casino", by=ADA)
    await store.allow_private(GUILD, allowed=False, by=ADA)
    await store.set_default(GUILD, "acme/fold", by=ADA)

    assert await store.remove_rule(GUILD, FOR_ROLE, by=ADA)
    assert await store.remove_channel(GUILD, 771, by=ADA)
    assert await store.clear_channels(GUILD, by=ADA)
    assert await store.remove_phrase(GUILD, "casino", by=ADA)
    assert await store.allow_private(GUILD, allowed=True, by=ADA)
    assert await store.set_default(GUILD, None, by=ADA) == "acme/fold"
    assert await store.read(GUILD) == ModelPolicy(version=12)


async def test_every_change_has_a_line_in_the_trail(books: Books, store: ModelPolicies) -> None:
    await store.add_rule(GUILD, FOR_ROLE, by=ADA)
    books.clock.now += 1
    await store.remove_rule(GUILD, FOR_ROLE, by=ADA)
    books.clock.now += 1
    await store.add_channel(GUILD, 770, by=ADA)
    books.clock.now += 1
    await store.allow_private(GUILD, allowed=False, by=ADA)
    told = [
        (line.what, line.subject_id, line.before, line.after)
        for line in reversed(await changes(books))
    ]
    assert told == [
        ("models", 31, None, "allow *:free"),
        ("models", 31, "allow *:free", None),
        ("channels", 770, None, "on"),
        ("private", None, "on", "off"),
    ]


async def test_lists_have_an_end(store: ModelPolicies) -> None:
    for number in range(MOST_PHRASES):
        await store.add_phrase(GUILD, f"word{number}", by=ADA)
    with pytest.raises(InvalidOption, match="remove some"):
        await store.add_phrase(GUILD, "one more", by=ADA)
    policy = await store.read(GUILD)
    assert len(policy.blocked_phrases) == MOST_PHRASES
    assert policy.version == MOST_PHRASES


async def test_a_hold_that_was_judged_by_older_rules_is_refused_and_holds_nothing(
    books: Books, store: ModelPolicies
) -> None:
    await books.ledger.hold(replace(books.job(), policy_version=0))
    await store.add_rule(GUILD, RULE, by=ADA)
    stale = replace(books.job(idem="once"), policy_version=0)
    counted = await books.counters("guild")
    with pytest.raises(PolicyChanged):
        await books.ledger.hold(stale)
    assert await books.counters("guild") == counted
    assert await books.jobs.get(stale.id) is None

    await books.ledger.hold(replace(stale, policy_version=1))
    await books.ledger.hold(replace(books.job(guild=OTHER), policy_version=0))


async def test_a_replay_is_known_as_one_whatever_was_changed_meanwhile(
    books: Books, store: ModelPolicies
) -> None:
    job = replace(books.job(idem="once"), policy_version=0)
    await books.ledger.hold(job)
    await store.add_rule(GUILD, RULE, by=ADA)
    again = replace(books.job(idem="once"), policy_version=0)
    with pytest.raises(DuplicateJob) as known:
        await books.ledger.hold(again)
    assert known.value.job_id == job.id


async def test_changes_at_once_are_all_kept_and_each_is_a_version(store: ModelPolicies) -> None:
    await asyncio.gather(*(store.add_channel(GUILD, 700 + number, by=ADA) for number in range(12)))
    policy = await store.read(GUILD)
    assert (len(policy.channels), policy.version) == (12, 12)
