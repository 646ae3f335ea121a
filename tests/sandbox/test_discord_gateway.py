"""The gateway: sessions, resumes, heartbeats, close codes, and guilds that come and go."""

import asyncio
import contextlib
import json
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
import pytest

from sandbox.discord import (
    Channel,
    DiscordServer,
    EventKind,
    Guild,
    NotPossibleError,
    Permission,
    Person,
)
from sandbox.tinybot import TinyBot

Interaction = discord.Interaction[Any]
Socket = aiohttp.ClientWebSocketResponse


@asynccontextmanager
async def socket_to(server: DiscordServer, query: str = "?v=10") -> AsyncIterator[Socket]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{server.gateway_url}{query}") as socket,
    ):
        yield socket


def identify(server: DiscordServer, **changes: object) -> dict[str, object]:
    data = {"token": server.token, "intents": 1, "properties": {}, **changes}
    return {"op": 2, "d": data}


async def ended(socket: Socket) -> int | None:
    async with asyncio.timeout(5):
        while not socket.closed:
            await socket.receive()
    return socket.close_code


async def test_the_bot_knows_its_guilds_when_it_is_ready(
    server: DiscordServer, bot: TinyBot, guild: Guild
) -> None:
    await bot.begin(server)
    assert {found.name for found in bot.guilds} == {"Paper Boat Society", "Night Owls"}
    found = bot.get_guild(guild.id)
    assert found is not None
    assert [channel.name for channel in found.text_channels] == ["general", "pictures", "workshop"]
    assert found.me.guild_permissions.attach_files
    assert found.member_count == 5
    assert (await bot.application_info()).owner.name == "oskar"


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"op": 2, "d": {"token": "wrong", "intents": 1}}, 4004),
        ({"op": 6, "d": {"token": "wrong", "session_id": "x", "seq": 1}}, 4004),
        ({"op": 8, "d": {}}, 4003),
        ({"d": {}}, 4002),
        ([], 4002),
    ],
)
async def test_wrong_first_words_close_the_connection(
    server: DiscordServer, payload: object, code: int
) -> None:
    async with socket_to(server) as socket:
        assert (await socket.receive_json())["op"] == 10
        await socket.send_json(payload)
        assert await ended(socket) == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"intents": 1 << 15}, 4014),
        ({"intents": 1 << 40}, 4013),
        ({"intents": None}, 4013),
        ({"shard": [1, 1]}, 4010),
    ],
)
async def test_wrong_identifications_close_the_connection(
    server: DiscordServer, changes: dict[str, object], code: int
) -> None:
    async with socket_to(server) as socket:
        await socket.receive_json()
        await socket.send_json(identify(server, **changes))
        assert await ended(socket) == code


async def test_other_versions_and_unknown_words_are_refused(server: DiscordServer) -> None:
    async with socket_to(server, "?v=6") as socket:
        assert await ended(socket) == 4012
    async with socket_to(server) as socket:
        await socket.receive_json()
        await socket.send_json(identify(server))
        await socket.send_json({"op": 99})
        assert await ended(socket) == 4001
    async with socket_to(server) as socket:
        await socket.receive_json()
        await socket.send_json(identify(server))
        await socket.send_json(identify(server))
        assert await ended(socket) == 4005


async def test_too_many_words_in_a_minute_close_the_connection(server: DiscordServer) -> None:
    async with socket_to(server) as socket:
        await socket.receive_json()
        for _ in range(121):
            await socket.send_json({"op": 1, "d": None})
        assert await ended(socket) == 4008


async def test_a_silent_client_is_cut_off(server: DiscordServer) -> None:
    server.heartbeat_interval_ms = 40
    async with socket_to(server) as socket:
        hello = await socket.receive_json()
        assert hello["d"]["heartbeat_interval"] == 40
        assert await ended(socket) == 4009


async def test_heartbeats_are_acknowledged_in_the_compressed_stream(
    server: DiscordServer,
) -> None:
    inflater = zlib.decompressobj()
    async with socket_to(server, "?v=10&encoding=json&compress=zlib-stream") as socket:
        hello = await socket.receive_bytes()
        assert hello.endswith(b"\x00\x00\xff\xff")
        assert json.loads(inflater.decompress(hello))["op"] == 10
        await socket.send_json({"op": 1, "d": None})
        assert json.loads(inflater.decompress(await socket.receive_bytes()))["op"] == 11


async def test_an_acknowledgement_never_overtakes_the_client_that_notes_when_it_asked(
    server: DiscordServer,
) -> None:
    # discord.py would warn of a connection that is a whole interval behind.
    now = asyncio.get_running_loop().time
    async with socket_to(server) as socket:
        await socket.receive_json()
        asked = now()
        await socket.send_json({"op": 1, "d": None})
        assert (await socket.receive_json())["op"] == 11
        assert now() - asked >= 0.015


async def test_guilds_are_split_over_shards(server: DiscordServer) -> None:
    seen: list[set[str]] = []
    for number in range(2):
        async with socket_to(server) as socket:
            await socket.receive_json()
            await socket.send_json(identify(server, shard=[number, 2]))
            ready = await socket.receive_json()
            seen.append({guild["id"] for guild in ready["d"]["guilds"]})
    by_rule = [
        {str(g) for g in server.world.guilds if (g >> 22) % 2 == number} for number in range(2)
    ]
    assert seen == by_rule


async def test_a_wrong_token_cannot_log_in(server: DiscordServer) -> None:
    async with discord.Client(intents=discord.Intents.default()) as client:
        with pytest.raises(discord.LoginFailure):
            await client.start("wrong")


async def test_a_privileged_intent_must_be_switched_on(server: DiscordServer) -> None:
    intents = discord.Intents.default()
    intents.message_content = True
    async with discord.AutoShardedClient(intents=intents) as client:
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await client.start(server.token)
    server.world.application.privileged_intents = 1 << 15
    async with discord.Client(intents=intents) as client:
        running = asyncio.create_task(client.start(server.token))
        await server.wait_for_bot()
        await client.close()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def test_what_happens_during_a_dropped_connection_is_replayed(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    @bot.tree.command(description="Say pong")
    async def ping(interaction: Interaction) -> None:
        await interaction.response.send_message("pong")

    await bot.begin(server)
    session = bot.shards[0]._parent.ws.session_id
    resumed = asyncio.create_task(bot.wait_for("shard_resumed", timeout=10))
    async with server.world.subscribe() as events:
        server.faults.drop_gateway()
        async with asyncio.timeout(5):
            while (await events.get()).kind is not EventKind.BOT_OFFLINE:
                pass
        ask = await mira.slash(channel, "ping")
        assert (await ask.answer()).text == "pong"
    await resumed
    assert bot.shards[0]._parent.ws.session_id == session


async def test_a_close_that_can_be_resumed_is_resumed(server: DiscordServer, bot: TinyBot) -> None:
    await bot.begin(server)
    resumed = asyncio.create_task(bot.wait_for("shard_resumed", timeout=10))
    await asyncio.sleep(0)
    server.faults.close_gateway(4000)
    await resumed
    again = asyncio.create_task(bot.wait_for("shard_resumed", timeout=10))
    await asyncio.sleep(0)
    server.core.gateway.ask_all_to_reconnect()
    await again


async def test_a_lost_session_begins_anew(server: DiscordServer) -> None:
    async with socket_to(server) as socket:
        await socket.receive_json()
        resume = {"token": server.token, "session_id": "unheard of", "seq": 3}
        await socket.send_json({"op": 6, "d": resume})
        assert await socket.receive_json() == {"op": 9, "d": False}
        await socket.send_json(identify(server))
        assert (await socket.receive_json())["t"] == "READY"


async def test_a_resume_replays_what_was_missed_in_order(
    server: DiscordServer, guild: Guild
) -> None:
    async with socket_to(server) as socket:
        await socket.receive_json()
        await socket.send_json(identify(server))
        ready = await socket.receive_json()
        session = ready["d"]["session_id"]
        await socket.close(code=4000)
    server.world.add_role(guild, "Painter")
    for claimed, answer in ((99, 4007), (1, None)):
        async with socket_to(server) as socket:
            await socket.receive_json()
            resume = {"token": server.token, "session_id": session, "seq": claimed}
            await socket.send_json({"op": 6, "d": resume})
            if answer is not None:
                assert await ended(socket) == answer
                continue
            events = [await socket.receive_json() for _ in range(4)]
            assert [event["t"] for event in events] == [
                "GUILD_CREATE",
                "GUILD_CREATE",
                "GUILD_ROLE_CREATE",
                "RESUMED",
            ]
            assert [event["s"] for event in events] == [2, 3, 4, 5]


async def test_a_goodbye_ends_the_session(server: DiscordServer) -> None:
    async with socket_to(server) as socket:
        await socket.receive_json()
        await socket.send_json(identify(server))
        session = (await socket.receive_json())["d"]["session_id"]
        async with server.world.subscribe() as events:
            await socket.close(code=1000)
            async with asyncio.timeout(5):
                assert (await events.get()).kind is EventKind.BOT_OFFLINE
    async with socket_to(server) as socket:
        await socket.receive_json()
        resume = {"token": server.token, "session_id": session, "seq": 1}
        await socket.send_json({"op": 6, "d": resume})
        assert (await socket.receive_json())["op"] == 9


async def test_the_bot_learns_of_guilds_that_it_leaves_and_joins(
    server: DiscordServer, bot: TinyBot, guild: Guild, mira: Person, channel: Channel
) -> None:
    @bot.tree.command(description="Say pong")
    async def ping(interaction: Interaction) -> None:
        await interaction.response.send_message("pong")

    await bot.begin(server)
    left = asyncio.create_task(bot.wait_for("guild_remove", timeout=5))
    await asyncio.sleep(0)
    server.world.bot_leaves(guild)
    assert (await left).id == guild.id
    assert mira.commands_in(channel) == []
    with pytest.raises(discord.Forbidden):
        await bot.fetch_channel(channel.id)
    joined = asyncio.create_task(bot.wait_for("guild_join", timeout=5))
    await asyncio.sleep(0)
    server.world.bot_joins(guild)
    assert (await joined).id == guild.id
    assert [command.name for command in mira.commands_in(channel)] == ["ping"]


async def test_a_guild_that_is_down_is_not_one_that_was_left(
    server: DiscordServer, bot: TinyBot, guild: Guild, mira: Person, channel: Channel
) -> None:
    @bot.tree.command(description="Say pong")
    async def ping(interaction: Interaction) -> None:
        await interaction.response.send_message("pong")

    await bot.begin(server)
    removed = asyncio.create_task(bot.wait_for("guild_remove", timeout=30))
    down = asyncio.create_task(bot.wait_for("guild_unavailable", timeout=5))
    await asyncio.sleep(0)
    server.world.guild_outage(guild)
    assert (await down).id == guild.id
    assert [each.id for each in bot.guilds if each.unavailable] == [guild.id]
    with pytest.raises(NotPossibleError):
        await mira.slash(channel, "ping")
    server.world.add_role(guild, "unheard of")
    up = asyncio.create_task(bot.wait_for("guild_available", timeout=5))
    await asyncio.sleep(0)
    server.world.guild_recovers(guild)
    assert "unheard of" in [role.name for role in (await up).roles]
    assert (await (await mira.slash(channel, "ping")).answer()).content == "pong"

    server.world.guild_outage(guild)
    assert not removed.done()
    server.world.bot_leaves(guild)  # in the middle of it
    assert (await removed).id == guild.id
    server.world.guild_recovers(guild)
    assert bot.get_guild(guild.id) is None


async def test_a_session_that_begins_in_an_outage_knows_the_guild_by_its_id(
    server: DiscordServer, bot: TinyBot, guild: Guild
) -> None:
    server.world.guild_outage(guild)
    await bot.begin(server)
    found = bot.get_guild(guild.id)
    assert found is not None
    assert found.unavailable


async def test_changed_permissions_reach_the_bots_cache(
    server: DiscordServer, bot: TinyBot, guild: Guild, channel: Channel
) -> None:
    await bot.begin(server)
    updated = asyncio.create_task(bot.wait_for("guild_channel_update", timeout=5))
    await asyncio.sleep(0)
    server.world.set_overwrite(channel, server.world.bot, deny=Permission.SEND_MESSAGES)
    _, after = await updated
    assert not after.permissions_for(after.guild.me).send_messages
    changed = asyncio.create_task(bot.wait_for("guild_role_update", timeout=5))
    await asyncio.sleep(0)
    role = guild.roles[guild.members[server.world.bot.id].role_ids[0]]
    server.world.set_role_permissions(role, int(Permission.ADMINISTRATOR))
    await changed
    assert after.permissions_for(after.guild.me).send_messages


async def test_members_can_be_asked_for_by_id(
    server: DiscordServer, bot: TinyBot, guild: Guild, mira: Person
) -> None:
    await bot.begin(server)
    found = bot.get_guild(guild.id)
    assert found is not None
    (member,) = await found.query_members(user_ids=[mira.user.id])
    assert member.name == "mira"
    assert (await found.fetch_member(mira.user.id)).name == "mira"


async def test_a_compression_that_the_sandbox_does_not_speak_is_answered_in_plain_text(
    server: DiscordServer,
) -> None:
    async with socket_to(server, "?v=10&encoding=json&compress=zstd-stream") as socket:
        message = await socket.receive()
        assert message.type is aiohttp.WSMsgType.TEXT
        assert json.loads(message.data)["op"] == 10
