"""Rate limits, injected faults, the record of requests, and a clean end."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest

from sandbox.clock import SandboxClock
from sandbox.discord import Channel, DiscordServer, Person, connect_discord_py
from sandbox.tinybot import TinyBot

Interaction = discord.Interaction[Any]


async def test_the_sixth_message_in_five_seconds_is_refused_with_a_time(
    server: DiscordServer, channel: Channel
) -> None:
    headers = {"Authorization": f"Bot {server.token}"}
    url = f"{server.rest_url}/channels/{channel.id}/messages"
    async with aiohttp.ClientSession(headers=headers) as session:
        for left in (4, 3, 2, 1, 0):
            async with session.post(url, json={"content": "x"}) as response:
                assert response.status == 200
                assert response.headers["X-RateLimit-Remaining"] == str(left)
                assert response.headers["X-RateLimit-Limit"] == "5"
        async with session.post(url, json={"content": "x"}) as response:
            assert response.status == 429
            body = await response.json()
            assert response.headers["Via"]
            assert 0 < body["retry_after"] <= 5
            assert int(response.headers["Retry-After"]) >= body["retry_after"]
            assert (body["global"], body["message"]) == (False, "You are being rate limited.")


async def test_everything_together_is_limited_too_but_not_interactions(
    server: DiscordServer,
) -> None:
    headers = {"Authorization": f"Bot {server.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:

        async def ask(user: int) -> tuple[int, bool]:
            async with session.get(f"{server.rest_url}/users/{user}") as response:
                return response.status, "X-RateLimit-Global" in response.headers

        async def channel(n: int) -> tuple[int, bool]:
            async with session.get(f"{server.rest_url}/channels/{n}") as response:
                return response.status, "X-RateLimit-Global" in response.headers

        answers = await asyncio.gather(*(channel(n) for n in range(60)))
        assert (429, True) in answers
        webhook = f"{server.rest_url}/webhooks/1/token"
        async with session.post(webhook, json={"content": "x"}) as response:
            assert response.status == 401
        assert (await ask(1))[0] == 429


async def test_discord_py_waits_for_a_webhooks_limit_by_itself(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    @bot.tree.command(description="Restless")
    async def restless(interaction: Interaction) -> None:
        await interaction.response.defer()
        server.faults.status(
            "PATCH /webhooks/*/*/messages/*",
            429,
            body={"message": "slow down", "retry_after": 0.05, "global": False},
            headers={"Retry-After": "1"},
        )
        await interaction.edit_original_response(content="patient")

    await bot.begin(server)
    ask = await mira.slash(channel, "restless")
    assert (await ask.answer()).text == "patient"
    statuses = [r.status for r in server.requests if r.method == "PATCH"]
    assert statuses == [429, 200]


async def test_without_limits_nothing_waits(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    server.rate_limits = False
    await bot.begin(server)
    there = bot.get_channel(channel.id)
    assert isinstance(there, discord.TextChannel)
    async with asyncio.timeout(4):
        await asyncio.gather(*(there.send(str(n)) for n in range(30)))
    assert len(mira.messages(channel)) == 30


async def test_only_the_right_token_is_let_in(server: DiscordServer) -> None:
    async with aiohttp.ClientSession() as session:
        for headers in ({}, {"Authorization": "Bot x"}, {"Authorization": server.token}):
            async with session.get(f"{server.rest_url}/users/@me", headers=headers) as response:
                assert response.status == 401
                assert response.headers["Content-Type"] == "application/json"
        async with session.get(f"{server.rest_url}/nothing/here") as response:
            assert (response.status, (await response.json())["code"]) == (404, 0)
        url = f"{server.rest_url}/users/@me/channels"
        right = {"Authorization": f"Bot {server.token}"}
        async with session.post(url, data=b"{", headers=right) as response:
            assert (await response.json())["code"] == 50109


async def test_a_held_request_waits_for_its_gate(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    @bot.tree.command(description="Held")
    async def held(interaction: Interaction) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content="through")

    await bot.begin(server)
    gate = server.faults.hold("PATCH /webhooks/*/*/messages/@original")
    ask = await mira.slash(channel, "held")
    await gate.reached()
    assert ask.message is not None
    assert ask.message.loading
    gate.open()
    assert (await ask.answer()).text == "through"


async def test_a_dropped_request_was_not_carried_out_unless_it_says_so(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    await bot.begin(server)
    there = bot.get_channel(channel.id)
    assert isinstance(there, discord.TextChannel)
    server.faults.drop("POST /channels/*/messages")
    with pytest.raises((aiohttp.ClientError, OSError)):
        await there.send("lost")
    assert mira.messages(channel) == []
    server.faults.drop("POST /channels/*/messages", after=True)
    with pytest.raises((aiohttp.ClientError, OSError)):
        await there.send("posted, but nobody told the bot")
    assert len(mira.messages(channel)) == 1
    assert [r.status for r in server.requests if "messages" in r.path] == [0, 0]


async def test_a_status_is_answered_as_often_as_asked(
    server: DiscordServer, bot: TinyBot, channel: Channel
) -> None:
    await bot.begin(server)
    server.faults.status("GET /channels/*", 403, times=2, body={"message": "no", "code": 50001})
    for _ in range(2):
        with pytest.raises(discord.Forbidden) as refusal:
            await bot.fetch_channel(channel.id)
        assert refusal.value.code == 50001
    assert (await bot.fetch_channel(channel.id)).id == channel.id


async def test_requests_are_recorded_and_can_be_waited_for(
    server: DiscordServer, bot: TinyBot, channel: Channel
) -> None:
    await bot.begin(server)
    there = bot.get_channel(channel.id)
    assert isinstance(there, discord.TextChannel)
    waiting = asyncio.create_task(server.wait_for_request("POST /channels/*/messages", count=2))
    await there.send("one")
    await there.send("two")
    request = await waiting
    assert request.route == "/channels/{channel_id}/messages"
    assert (request.status, '"two"' in request.body_summary) == (200, True)
    with pytest.raises(TimeoutError, match="there were"):
        await server.wait_for_request("DELETE /channels/*", timeout=0.01)


async def test_waiting_in_vain_tells_what_was_visible(
    server: DiscordServer, channel: Channel, mira: Person, theo: Person
) -> None:
    await theo.say(channel, "anybody here?")
    with pytest.raises(TimeoutError, match=r"Theo: 'anybody here\?'"):
        await mira.wait_for(channel, lambda message: "bot" in message.text, timeout=0.01)


async def test_discord_py_is_put_back_where_it_was(clock: SandboxClock) -> None:
    before = discord.http.Route.BASE
    async with DiscordServer(clock) as server:
        with connect_discord_py(server):
            assert server.rest_url == discord.http.Route.BASE
        assert before == discord.http.Route.BASE


async def test_a_taken_port_is_told(clock: SandboxClock) -> None:
    async with DiscordServer(clock) as server:
        with pytest.raises(OSError, match="in use"):
            await DiscordServer(clock, port=server.port).__aenter__()


async def test_avatars_and_icons_are_drawn(server: DiscordServer, mira: Person) -> None:
    async with aiohttp.ClientSession() as session:
        for path in (f"avatars/{mira.user.id}/abc.png", "icons/1/abc.png", "embed/avatars/0.png"):
            async with session.get(f"{server.cdn_url}/{path}") as response:
                assert response.status == 200
                assert (await response.read()).startswith(b"\x89PNG")


def described(folder: Path, method: str, path: str, request_body: object) -> Path:
    """A file that describes one route."""
    operation = {"requestBody": request_body}
    document = {"openapi": "3.1.0", "paths": {path: {method: operation}}}
    file = folder / "openapi.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


async def test_a_body_that_the_rules_refuse_gets_discords_tree_of_errors(
    clock: SandboxClock, tmp_path: Path
) -> None:
    content = {"application/json": {"schema": {"type": "object", "required": ["nonce"]}}}
    route = "/channels/{channel_id}/messages"
    file = described(tmp_path, "post", route, {"content": content})
    async with DiscordServer(clock, openapi_path=file) as server:
        channel = server.world.channel(server.world.guild("Paper Boat Society"), "pictures")
        headers = {"Authorization": f"Bot {server.token}"}
        url = f"{server.rest_url}/channels/{channel.id}/messages"
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(url, json={"content": "x" * 4001}) as response,
        ):
            refused = await response.json()
            assert (response.status, refused["code"]) == (400, 50035)
        assert "content" in refused["errors"]


async def test_a_body_that_is_missing_departs_from_the_published_description(
    clock: SandboxClock, tmp_path: Path
) -> None:
    file = described(tmp_path, "post", "/channels/{channel_id}/typing", {"required": True})
    async with DiscordServer(clock, openapi_path=file) as server:
        channel = server.world.channel(server.world.guild("Paper Boat Society"), "pictures")
        headers = {"Authorization": f"Bot {server.token}"}
        url = f"{server.rest_url}/channels/{channel.id}/typing"
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(url) as response,
        ):
            assert response.status == 400
        (problem,) = server.openapi_problems
        assert problem.endswith("a body is required")


async def test_a_body_that_departs_from_the_published_description_is_refused_and_kept(
    clock: SandboxClock, tmp_path: Path
) -> None:
    body = {"type": "object", "properties": {"recipient_id": {"type": "string"}}}
    content = {"application/json": {"schema": body}}
    file = described(tmp_path, "post", "/users/@me/channels", {"content": content})
    async with DiscordServer(clock, openapi_path=file) as server:
        mira = server.world.user("mira")
        headers = {"Authorization": f"Bot {server.token}"}
        url = f"{server.rest_url}/users/@me/channels"
        async with aiohttp.ClientSession(headers=headers) as session:
            async with session.post(url, json={"recipient_id": str(mira.id)}) as response:
                assert response.status == 200
            assert server.openapi_problems == []
            async with session.post(url, json={"recipient_id": mira.id}) as response:
                assert response.status == 400
                assert (await response.json())["code"] == 50035
        (problem,) = server.openapi_problems
        assert problem.startswith("POST ")
