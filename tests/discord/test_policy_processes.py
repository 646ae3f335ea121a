"""The rules of a server and the settings of the operator, and rules of several processes."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from sandbox.child import Child
from sandbox.discord import Channel, Person
from sandbox.house import House, explanation, pictures
from sandbox.postgres import PostgresServer
from sandbox.talk import mail, make, refused, told

MINI, LARGE = "papercut/fold-mini", "papercut/fold-large"
FREE = "lumenfield/aurora-2-mini:free"
SECRET = "the same secret for every process of it"

OpenHouse = Callable[..., Awaitable[House]]

# What another process of the bot does when somebody uses `/config models` there.
ELSEWHERE = """
import asyncio, sys
from bot.clock import SystemClock
from bot.policy import Effect, ModelRule, Reach
from bot.storage import ModelPolicies, open_database

async def main(url, guild_id, what, pattern):
    clock = SystemClock()
    async with open_database(url, clock=clock) as database:
        store = ModelPolicies(database, clock=clock)
        rule = ModelRule(Reach.GUILD, 0, Effect.DENY, pattern)
        change = store.add_rule if what == "deny" else store.remove_rule
        assert await change(int(guild_id), rule, by=1)

asyncio.run(main(*sys.argv[1:]))
"""


async def elsewhere(url: str, house: House, what: str, pattern: str) -> None:
    """Let another process change the rules, and end."""
    words = (sys.executable, "-c", ELSEWHERE, url, str(house.guild().id), what, pattern)
    process = await asyncio.create_subprocess_exec(*words, cwd=Path(__file__).parents[2])
    assert await asyncio.wait_for(process.wait(), 30) == 0


async def made_by(house: House, person: Person, channel: Channel, **options: object) -> str:
    """Let somebody make a picture, and return the model that ImageRouter was asked for."""
    ask = await person.slash(channel, "imagine", {"prompt": "a quince", **options})
    await pictures(person, channel, ask)
    return str(house.imagerouter.requests[-1].fields["model"])


async def models(ada: Person, where: Channel, action: str, pattern: str) -> str:
    """Change the lists of models; `where` is only where it is typed."""
    return await told(ada, where, "config models", action=action, models=pattern)


async def test_no_process_admits_a_job_by_rules_that_another_one_has_changed(
    open_house: OpenHouse, postgres: PostgresServer
) -> None:
    url = postgres.url(postgres.create())
    house = await open_house(DATABASE_URL=url, SECRET_KEY=SECRET, DEFAULT_MODEL=MINI)
    mira, general = house.person("mira"), house.channel("general")
    await make(mira, general, LARGE)  # by now this process knows the rules by heart

    await elsewhere(url, house, "deny", "papercut/*")
    assert "You can't use this model here" in (await refused(mira, general, LARGE)).text
    assert len(house.imagerouter.requests) == 1
    await elsewhere(url, house, "deny", FREE)
    named = await made_by(house, mira, general)  # the default is denied, and so is the cheapest
    assert named not in {MINI, FREE}

    await elsewhere(url, house, "remove", "papercut/*")
    await make(mira, general, LARGE)


async def test_a_list_that_can_not_be_read_keeps_the_bot_from_starting(
    servers: House, tmp_path: Path
) -> None:
    environ = {"PROMPT_BLOCKLIST_FILE": str(tmp_path / "nowhere.txt")}
    async with Child(servers.servers, tmp_path, environ=environ) as bot:
        assert await bot.ended() == 78
    assert "PROMPT_BLOCKLIST_FILE can't be used" in bot.output


async def test_the_servers_default_goes_before_the_bots_where_it_is_allowed(
    open_house: OpenHouse,
) -> None:
    house = await open_house(DEFAULT_MODEL=LARGE)
    ada, mira, general = house.person("ada"), house.person("mira"), house.channel("general")
    text = await told(ada, general, "config default-model", model="Papercut/FOLD-mini")
    assert "Who names no model gets **papercut/fold\\-mini**" in text
    assert await made_by(house, mira, general) == MINI

    await models(ada, general, "deny", "*mini")
    assert await made_by(house, mira, general) == LARGE
    await models(ada, general, "deny", "papercut/*")
    assert await made_by(house, mira, general) == FREE
    assert "Not here, though:" in await told(ada, general, "config default-model", model=MINI)
    assert "of its own" in await told(ada, general, "config default-model")
    assert "no model “nothing/like\\-it”" in await told(
        ada, general, "config default-model", model="nothing/like-it"
    )


async def test_the_operators_list_holds_everywhere_even_in_direct_messages(
    open_house: OpenHouse, tmp_path: Path
) -> None:
    file = tmp_path / "blocked.txt"
    file.write_text("# never\nquince*\n", encoding="utf-8")
    house = await open_house(PROMPT_BLOCKLIST_FILE=str(file), DEFAULT_DM_DAILY_USD="1")
    mira = house.person("mira")
    for channel in (house.channel("general"), mail(house, mira)):
        ask = await mira.slash(channel, "imagine", {"prompt": "quinces", "model": MINI})
        said = await explanation(channel, ask)
        assert "The operator of this bot does not allow “quinces”" in said.text
    assert house.imagerouter.requests == []
