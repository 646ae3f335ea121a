"""`python -m bot` without a token: the sandbox, as a new user meets it."""

import signal
import socket
from pathlib import Path

import aiohttp
import pytest

from bot.settings import EXIT_CONFIG
from sandbox.child import Program
from sandbox.clock import SandboxClock
from sandbox.imagerouter import ImageRouterServer, Price, SandboxModel


@pytest.fixture
def port() -> int:
    """A port that is free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def sandbox(folder: Path, **environ: str) -> Program:
    return Program(["-m", "bot"], folder, environ)


async def test_without_a_token_the_sandbox_starts_serves_its_page_and_ends_well(
    tmp_path: Path, port: int
) -> None:
    async with sandbox(tmp_path, SANDBOX_PORT=str(port)) as program:
        ready = await program.printed("Sandbox ready:")
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}/") as page,
        ):
            assert page.status == 200
            assert "<title>" in await page.text()
        program.send(signal.SIGINT)
        assert await program.ended(timeout=15) == 0

    assert ready == f"Sandbox ready: http://127.0.0.1:{port}/"
    assert program.troubles == []
    made = {path.name for path in (tmp_path / "data").iterdir()}
    assert "sandbox.db" in made
    assert not any(name.startswith("bot.") for name in made)


async def test_a_sandbox_whose_port_is_taken_names_the_setting(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with sandbox(tmp_path, SANDBOX_PORT=str(port)) as program:
            assert await program.ended() == EXIT_CONFIG
    [sentence] = program.lines
    assert f"Port {port} can't be used (Address already in use)" in sentence
    assert f"SANDBOX_PORT={port + 1}" in sentence


async def test_the_real_imagerouter_in_the_sandbox_needs_a_key(tmp_path: Path) -> None:
    async with sandbox(tmp_path, SANDBOX_REAL_IMAGEROUTER="1") as program:
        assert await program.ended() == EXIT_CONFIG
    assert program.lines == ["SANDBOX_REAL_IMAGEROUTER=1 needs IMAGEROUTER_API_KEY as well."]


@pytest.mark.parametrize("real", [True, False])
async def test_a_key_alone_never_makes_the_sandbox_spend_money(
    real: bool, tmp_path: Path, port: int
) -> None:
    """The real ImageRouter is asked only where it was asked for by name, and the page says so."""
    async with ImageRouterServer(SandboxClock(), balance_micros=7_000_000) as elsewhere:
        environ = {
            "SANDBOX_PORT": str(port),
            "IMAGEROUTER_API_KEY": elsewhere.api_key,
            "IMAGEROUTER_BASE_URL": elsewhere.base_url,
            "IMAGEROUTER_POPULAR_URL": elsewhere.popular_url,
        }
        if real:
            environ["SANDBOX_REAL_IMAGEROUTER"] = "1"
        async with sandbox(tmp_path, **environ) as program:
            balance = await program.printed("ImageRouter balance:")
            await program.printed("Sandbox ready:")
            origin = f"http://127.0.0.1:{port}"
            async with (
                aiohttp.ClientSession(headers={"Origin": origin}) as session,
                session.ws_connect(f"{origin}/api/events?person=mira") as page,
            ):
                shown = await page.receive_json()

    assert (balance == "ImageRouter balance: $7.00") is real
    assert bool(elsewhere.calls) is real
    assert shown["world"]["real"] is real


async def test_real_models_and_invented_ones_are_kept_apart(tmp_path: Path, port: int) -> None:
    """A list that has hardly a name of the last one is not believed for hours."""
    models = [SandboxModel(f"elsewhere/{n}", (Price(value="0.01"),)) for n in range(9)]
    async with ImageRouterServer(SandboxClock(), models=models) as elsewhere:
        environ = {
            "SANDBOX_PORT": str(port),
            "IMAGEROUTER_API_KEY": elsewhere.api_key,
            "IMAGEROUTER_BASE_URL": elsewhere.base_url,
            "IMAGEROUTER_POPULAR_URL": elsewhere.popular_url,
        }
        for real in ("1", "0"):
            async with sandbox(tmp_path, **environ, SANDBOX_REAL_IMAGEROUTER=real) as program:
                await program.printed("Sandbox ready:")
                program.send(signal.SIGINT)
                assert await program.ended(timeout=15) == 0

    kept = {path.name: path.read_text() for path in (tmp_path / "data").glob("*models.json")}
    assert [name for name, text in kept.items() if "papercut/fold-mini" in text] == [
        "sandbox.models.json"
    ]
    assert [name for name, text in kept.items() if "elsewhere/1" in text] == [
        "sandbox.real-models.json"
    ]


async def test_settings_are_read_from_a_file_in_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DISCORD_TOKEN=from-the-file\n")
    async with sandbox(tmp_path) as program:
        assert await program.ended() == EXIT_CONFIG
    assert "IMAGEROUTER_API_KEY is not set" in program.output
