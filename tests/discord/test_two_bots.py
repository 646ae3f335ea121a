"""Two bots on one PostgreSQL: each leaves the other's work alone, and inherits it when it dies."""

import asyncio
import signal
import time
from contextlib import AsyncExitStack
from pathlib import Path

from sandbox.child import Child
from sandbox.discord import Message
from sandbox.house import House
from sandbox.postgres import PostgresServer
from sandbox.talk import mail, make

SECRET = "the same secret for every process of it"
LARGE = "papercut/fold-large"
_DEAD_AFTER_MS = 90_000


def states(postgres: PostgresServer, database: str) -> list[str]:
    return postgres.run("SELECT state FROM charge ORDER BY id", database=database)


async def test_a_bot_closes_what_a_dead_one_left_and_nothing_of_a_living_one(
    servers: House, postgres: PostgresServer, tmp_path: Path
) -> None:
    database = postgres.create()
    environ = {"DATABASE_URL": postgres.url(database), "SECRET_KEY": SECRET}
    mira, general = servers.person("mira"), servers.channel("general")
    gate = servers.imagerouter.faults.hold()
    folders = [tmp_path / name for name in ("first", "second", "third")]
    for folder in folders:
        folder.mkdir()
    async with Child(servers.servers, folders[0], environ=environ) as first:
        await first.printed("Connected as")
        await mira.slash(general, "imagine", {"prompt": "a paper boat", "model": LARGE})
        await gate.reached()
        assert states(postgres, database) == ["dispatched"]

        # While the first lives, a second one starts, sweeps, and touches nothing.
        async with Child(servers.servers, folders[1], environ=environ) as second:
            await second.printed("Connected as")
            # Its first sweep begins with a heartbeat, later than the one of its start.
            swept = (
                "SELECT id FROM process WHERE seen_at > started_at "
                "AND id = (SELECT MAX(id) FROM process)"
            )
            deadline = time.monotonic() + 15
            while not await asyncio.to_thread(postgres.run, swept, database=database):
                assert time.monotonic() < deadline
            assert states(postgres, database) == ["dispatched"]
        await first.kill()

    # The clock of its heartbeats moves on; nobody wants to sit through it.
    postgres.run(f"UPDATE process SET seen_at = seen_at - {_DEAD_AFTER_MS}", database=database)
    async with Child(servers.servers, folders[2], environ=environ) as third:
        await third.printed("Connected as")

        def told(message: Message) -> bool:
            return "Outcome unknown; up to $0.08 counts against you." in message.text

        await mira.wait_for(general, told, timeout=20)
        assert states(postgres, database) == ["unknown"]
    gate.open()


async def test_without_a_common_secret_the_bot_does_not_start(
    servers: House, postgres: PostgresServer, tmp_path: Path
) -> None:
    environ = {"DATABASE_URL": postgres.url(postgres.create())}
    async with Child(servers.servers, tmp_path, environ=environ) as bot:
        assert await bot.ended() == 78
    assert "SECRET_KEY must be set" in bot.output
    assert bot.output.count("\n") == 0


async def test_of_two_bots_one_posts_the_digest_and_one_tells_of_a_low_balance(
    servers: House, postgres: PostgresServer, tmp_path: Path
) -> None:
    database = postgres.create()
    environ = {"DATABASE_URL": postgres.url(database), "SECRET_KEY": SECRET}
    guild, board = servers.guild(), servers.channel("workshop")
    mira, oskar = servers.person("mira"), servers.person("oskar")
    folders = [tmp_path / name for name in ("first", "second", "third")]
    for folder in folders:
        folder.mkdir()

    async with Child(servers.servers, folders[0], environ=environ) as first:
        await first.printed("Connected as")
        await make(mira, servers.channel(), LARGE)
    # What was made was made yesterday, and the digest of that is wanted.
    settled = int(time.time()) - 360  # a day is reported some minutes after its end
    yesterday = settled // 86_400 * 86_400_000 - 43_200_000
    columns = "guild_id, period, channel_id, set_by, set_at, covered_until, try_at"
    wanted = f"INSERT INTO digest ({columns})"
    day = time.strftime("%Y-%m-%d", time.gmtime(yesterday / 1000))
    for statement in (
        f"UPDATE charge SET created_at = {yesterday}",
        f"UPDATE job SET created_at = {yesterday}, day_label = '{day}'",
        f"UPDATE usage_day SET day = '{day}'",
        f"{wanted} VALUES ({guild.id}, 'day', {board.id}, 1, {yesterday}, {yesterday}, 0)",
        "DELETE FROM alarm",
    ):
        postgres.run(statement, database=database)
    servers.imagerouter.account.balance_micros = 1_000_000

    async with AsyncExitStack() as stack:
        bots = [
            await stack.enter_async_context(Child(servers.servers, folder, environ=environ))
            for folder in folders[1:]
        ]
        for bot in bots:
            await bot.printed("Connected as")
        await mira.wait_for(board, lambda m: "Spending on" in m.text, timeout=60)
        await oskar.wait_for(mail(servers, oskar), lambda m: "balance is low" in m.text, timeout=60)
        for bot in bots:  # each has looked at everything that there is when it stops
            bot.send(signal.SIGTERM)
            assert await bot.ended(timeout=60) == 0
    assert sum("Spending on" in m.text for m in mira.messages(board)) == 1
    alerts = [m for m in oskar.messages(mail(servers, oskar)) if "balance is low" in m.text]
    assert len(alerts) == 1
    assert servers.imagerouter.calls.count("GET /v1/credits") == 2  # the first bot's, and one
