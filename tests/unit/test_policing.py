"""What is kept in memory of a guild's rules: read once, forgotten when it changes, never stale."""

import asyncio

import pytest

from bot.blocklist import Blocklist
from bot.clock import SystemClock
from bot.errors import LedgerUnavailable, PromptBlocked
from bot.policing import Policing
from bot.policy import Effect, ModelPolicy, ModelRule, Reach
from bot.requests import NO_GUILD, Actor
from bot.storage import ModelPolicies
from bot.storage.rows import Store

GUILD, OTHER = 77, 78
MIRA = Actor(11, GUILD, 700)
DENIED = ModelPolicy(version=1, rules=(ModelRule(Reach.GUILD, 0, Effect.DENY, "acme/*"),))


class Shelf(ModelPolicies):
    """A store that answers when it is told to, and counts."""

    def __init__(self, db: Store) -> None:
        super().__init__(db, clock=SystemClock())
        self.now = ModelPolicy()
        self.reads = 0
        self.open = asyncio.Event()
        self.open.set()
        self.asked = asyncio.Event()
        self.broken = False

    async def read(self, guild_id: int) -> ModelPolicy:
        self.reads += 1
        found = self.now
        self.asked.set()
        await self.open.wait()
        if self.broken:
            raise LedgerUnavailable
        return found


class NoDatabase:
    """Nothing is ever asked of it."""

    async def write(self, *_: object, **__: object) -> None:
        raise AssertionError

    async def read(self, *_: object, **__: object) -> None:
        raise AssertionError


@pytest.fixture
async def shelf() -> Shelf:
    return Shelf(NoDatabase())  # type: ignore[arg-type]  # it is not used at all


async def test_a_guild_is_read_once_however_many_ask(shelf: Shelf) -> None:
    policing = Policing(shelf)
    shelf.open.clear()
    asking = [asyncio.create_task(policing.allowed(MIRA)) for _ in range(20)]
    await shelf.asked.wait()
    shelf.open.set()
    assert {allowed.policy for allowed in await asyncio.gather(*asking)} == {ModelPolicy()}
    await policing.for_guild(GUILD)
    assert shelf.reads == 1
    await policing.for_guild(OTHER)
    assert shelf.reads == 2


async def test_outside_guilds_nothing_is_read(shelf: Shelf) -> None:
    assert await Policing(shelf).for_guild(NO_GUILD) == ModelPolicy()
    assert shelf.reads == 0


async def test_what_is_forgotten_is_read_again(shelf: Shelf) -> None:
    policing = Policing(shelf)
    await policing.for_guild(GUILD)
    shelf.now = DENIED
    policing.forget_guild(OTHER)
    assert await policing.for_guild(GUILD) == ModelPolicy()
    policing.forget_guild(GUILD)
    assert await policing.for_guild(GUILD) == DENIED


async def test_what_another_process_may_have_changed_by_now_is_read_again(shelf: Shelf) -> None:
    policing = Policing(shelf, trusted_s=0)
    await policing.for_guild(GUILD)
    shelf.now = DENIED
    assert await policing.for_guild(GUILD) == DENIED


async def test_what_was_read_before_a_change_is_not_kept_after_it(shelf: Shelf) -> None:
    policing = Policing(shelf)
    shelf.open.clear()
    early = asyncio.create_task(policing.for_guild(GUILD))
    await shelf.asked.wait()
    shelf.now = DENIED
    policing.forget_guild(GUILD)
    shelf.open.set()
    assert await early == ModelPolicy()
    assert await policing.for_guild(GUILD) == DENIED


async def test_lists_are_shown_while_the_database_is_away_and_jobs_are_not_judged(
    shelf: Shelf,
) -> None:
    policing = Policing(shelf)
    shelf.broken = True
    shown = await policing.shown(MIRA)
    assert (shown.policy, shown.actor) == (ModelPolicy(), MIRA)
    with pytest.raises(LedgerUnavailable):
        await policing.allowed(MIRA)
    shelf.broken = False
    shelf.now = DENIED
    assert (await policing.shown(MIRA)).policy == DENIED


async def test_a_prompt_is_looked_through_for_the_operator_and_for_its_guild(shelf: Shelf) -> None:
    policing = Policing(shelf, blocklist=Blocklist(["casino*"]))
    shelf.now = ModelPolicy(version=1, blocked_phrases=("quince",))
    for guild_id in (GUILD, NO_GUILD):
        for prompt in ("two casinos", "two casinos " + "and a gull " * 400):
            with pytest.raises(PromptBlocked) as refused:
                await policing.check_prompt(guild_id, prompt)
            assert (refused.value.found, refused.value.by_operator) == ("casinos", True)
    with pytest.raises(PromptBlocked) as refused:
        await policing.check_prompt(GUILD, "a Quince")
    assert (refused.value.found, refused.value.by_operator) == ("quince", False)
    assert "quince" not in str(refused.value)
    await policing.check_prompt(NO_GUILD, "a quince")
