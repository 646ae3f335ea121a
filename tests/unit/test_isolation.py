"""Tests see no settings and no secrets of this machine, and reach nothing outside it."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("host", ["192.0.2.1", "10.0.0.1", "169.254.169.254"])
def test_connecting_to_another_machine_is_refused_before_anything_is_sent(
    host: str, outside_attempts: list[str]
) -> None:
    with (
        socket.socket() as client,
        pytest.raises(AssertionError, match="this machine only"),
    ):
        client.connect((host, 443))
    assert len(outside_attempts) == 1
    outside_attempts.clear()


def test_looking_up_a_name_asks_nobody(outside_attempts: list[str]) -> None:
    with pytest.raises(AssertionError, match="this machine only"):
        socket.getaddrinfo("example.com", 443)
    assert outside_attempts == ["look-up of 'example.com'"]
    outside_attempts.clear()


def test_datagrams_to_another_machine_are_refused(outside_attempts: list[str]) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        pytest.raises(AssertionError, match="this machine only"),
    ):
        sender.sendto(b"hello", ("192.0.2.1", 53))
    outside_attempts.clear()


async def test_asyncio_is_guarded_as_well(outside_attempts: list[str]) -> None:
    with pytest.raises(AssertionError, match="this machine only"):
        await asyncio.open_connection("example.com", 443)
    assert outside_attempts
    outside_attempts.clear()


async def test_servers_on_this_machine_are_reached() -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("localhost", port)
        assert await reader.read() == b"hello"
        writer.close()
        await writer.wait_closed()


def run_pytest_in(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the tests in `folder` under the real conftest.py, in a process of their own."""
    (folder / "conftest.py").write_bytes((ROOT / "tests" / "conftest.py").read_bytes())
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_test_whose_code_hides_the_refusal_fails_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "test_hidden.py").write_text(
        "import contextlib, socket\n"
        "def test_hidden():\n"
        "    with contextlib.suppress(BaseException):\n"
        "        socket.getaddrinfo('example.com', 443)\n"
    )
    answer = run_pytest_in(tmp_path)
    assert answer.returncode == 1
    assert "reached for the outside world" in answer.stdout


def test_settings_and_secrets_of_the_machine_are_gone_before_any_test_is_read(
    tmp_path: Path,
) -> None:
    (tmp_path / "test_seen.py").write_text(
        "import os\n"
        "SEEN = dict(os.environ)\n"
        "def test_seen():\n"
        "    assert 'SECRETVALUE' not in SEEN.values()\n"
        "    assert SEEN['REQUIRE_BROWSER'] == 'kept'\n"
    )
    names = [
        "DISCORD_TOKEN",
        "IMAGEROUTER_API_KEY",
        "IMAGEROUTER_BASE_URL",
        "DATABASE_URL",
        "DEFAULT_MODEL",
        "OPERATOR_IDS",
        "PUBLIC_URL",
        "HTTP_PORT",
        "SANDBOX_PORT",
        "SANDBOX_REAL_IMAGEROUTER",
        "LOG_FORMAT",
        "SECRET_KEY",
        "GITHUB_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "PGPASSWORD",
        "DEFAULT_MEMBER_DAILY_USD",
    ]
    answer = run_pytest_in(tmp_path, REQUIRE_BROWSER="kept", **dict.fromkeys(names, "SECRETVALUE"))
    assert answer.returncode == 0, answer.stdout
