"""What a process tells its operator's tools: logs without secrets, and its health."""

import json
import socket
from pathlib import Path

import aiohttp

from sandbox.child import Child
from sandbox.house import House, explanation, pictures

EDIT = "PATCH /webhooks/*/*/messages/*"
WHISPER = "POST /webhooks/*/*"
HELD = "a prompt with a very secret word"


def interaction_tokens(house: House) -> set[str]:
    """Every interaction token that the bot has used."""
    parts = [request.path.split("/") for request in house.discord.requests]
    return {path[3] for path in parts if path[1] in {"webhooks", "interactions"} and len(path) > 3}


async def test_logs_are_json_lines_and_hold_no_key_no_token_and_no_prompt(
    servers: House, tmp_path: Path
) -> None:
    mira, general = servers.person("mira"), servers.channel()
    faults = servers.discord.faults
    environ = {"LOG_FORMAT": "json", "LOG_LEVEL": "DEBUG"}
    async with Child(servers.servers, tmp_path, environ=environ) as child:
        await child.printed("Connected as ")
        servers.imagerouter.faults.error(f"Upstream said no to {servers.imagerouter.api_key}")
        await explanation(general, await mira.slash(general, "imagine", {"prompt": HELD}))
        faults.status(EDIT, 500, times=2)
        faults.drop(EDIT)
        faults.status(EDIT, 429, headers={"Retry-After": "0.01", "Via": "1.1"})
        faults.status(WHISPER, 403, body={"code": 50013, "message": "Missing Permissions"})
        await pictures(mira, general, await mira.slash(general, "imagine", {"prompt": HELD}), 30)
        servers.imagerouter.faults.status(401, '{"error": {"message": "bad key"}}')
        await explanation(general, await mira.slash(general, "imagine", {"prompt": HELD}))
        faults.drop("POST /interactions/*/*/callback")
        torn = await mira.slash(general, "imagine", {"prompt": HELD, "private": True})
        await torn.answer()

    assert len(child.errors) > 3
    entries = [json.loads(line) for line in child.errors]
    assert {"time", "level", "logger", "message"} <= set.intersection(*map(set, entries))
    tokens = interaction_tokens(servers)
    assert len(tokens) >= 3
    for secret in (servers.imagerouter.api_key, servers.discord.token, "secret word", *tokens):
        assert secret not in child.output


async def test_health_is_503_until_discord_is_connected_and_200_then(
    servers: House, tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    gate = servers.discord.faults.hold("PUT /applications/*/commands")
    async with (
        Child(servers.servers, tmp_path, environ={"HTTP_PORT": str(port)}) as child,
        aiohttp.ClientSession() as session,
    ):
        await gate.reached(timeout=20)
        async with session.get(f"http://127.0.0.1:{port}/healthz") as early:
            assert early.status == 503
            assert await early.json() == {"ok": False, "discord": False, "ledger": True}
        gate.open()
        await child.printed("Connected as ")
        async with session.get(f"http://127.0.0.1:{port}/healthz") as late:
            assert late.status == 200
            assert await late.json() == {"ok": True, "discord": True, "ledger": True}


async def test_a_port_for_health_that_is_taken_is_one_sentence(
    servers: House, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with Child(servers.servers, tmp_path, environ={"HTTP_PORT": str(port)}) as child:
            assert await child.ended() == 78
    [sentence] = child.lines
    assert f"can't listen on 127.0.0.1, port {port} (Address already in use): " in sentence
    assert sentence.endswith(f"choose another HTTP_PORT, such as {port + 1}.")


async def test_a_host_for_health_that_there_is_not_is_one_sentence(
    servers: House, tmp_path: Path
) -> None:
    # Of the addresses for documentation, which no machine has.
    environ = {"HTTP_PORT": "0", "HTTP_HOST": "192.0.2.1"}
    async with Child(servers.servers, tmp_path, environ=environ) as child:
        assert await child.ended() == 78
    told = child.lines[-1]
    assert told.startswith("The web server can't listen on 192.0.2.1, port 0 (")
    assert told.endswith("): HTTP_HOST has to be an address of this machine.")
