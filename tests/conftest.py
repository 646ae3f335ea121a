"""What holds for every test: no settings or secrets from outside, and no way to reach it.

Owns the two guards, where tests have their files, and the one PostgreSQL server; other fixtures
stand in the conftest.py beside the tests of their part of the project. Nothing of the project is
read before the guards stand.
`bot.settings` is left alone on purpose, so that a broken import there fails its own tests only.
"""

import ipaddress
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from sandbox.postgres import PostgresServer

# Machines are shared and slow at times: how long an example takes proves nothing.
settings.register_profile("unhurried", settings(settings.default, deadline=None))
settings.load_profile("unhurried")

_ENV_EXAMPLE: Final = Path(__file__).parent.parent / ".env.example"

_SECRET_NAME: Final = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|_KEY$|^KEY$|_DSN$|^PG")
_SETTING_NAME: Final = re.compile(
    r"^(?:DISCORD|IMAGEROUTER|SANDBOX|DATABASE|DEFAULT|OPERATOR|PUBLIC|HTTP|LOG)_(?!PROXY)"
)
_FOR_TESTS: Final = frozenset({"DISCORD_OPENAPI", "REQUIRE_BROWSER", "REQUIRE_POSTGRES"})


def _is_foreign(name: str, documented: frozenset[str]) -> bool:
    """Whether a test must not see the environment variable `name`."""
    if name in _FOR_TESTS:
        return False
    found = _SECRET_NAME.search(name) or _SETTING_NAME.search(name)
    return found is not None or name in documented


def _documented_settings() -> frozenset[str]:
    """Return every name in `.env.example`, which is tested to be complete."""
    if not _ENV_EXAMPLE.exists():
        return frozenset()
    text = _ENV_EXAMPLE.read_text(encoding="utf-8")
    return frozenset(re.findall(r"^#?\s*([A-Z][A-Z0-9_]+)=", text, flags=re.MULTILINE))


_documented = _documented_settings()
for _name in [name for name in os.environ if _is_foreign(name, _documented)]:
    del os.environ[_name]


class OutsideWorldError(AssertionError):
    """A test tried to talk to something that is not this machine."""


_attempts: list[str] = []


def _stays_here(host: object) -> bool:
    """Whether `host`, as given to the socket module, is this machine."""
    if host is None or host == "":
        return True
    text = host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else str(host)
    if text == "localhost" or text.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _is_number(host: object) -> bool:
    """Whether `host` is an address, so that looking it up asks nobody."""
    try:
        ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return False
    return True


def _guard(event: str, arguments: tuple[object, ...]) -> None:
    """Forbid connections, datagrams and name look-ups that leave this machine."""
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]
        if isinstance(address, tuple) and not _stays_here(address[0]):
            _refuse(f"{event} to {address[0]!r}")
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = arguments[0]
        if not _stays_here(host) and not _is_number(host):
            _refuse(f"look-up of {host!r}")


def _refuse(what: str) -> None:
    _attempts.append(what)
    raise OutsideWorldError(f"{what}: tests talk to this machine only")


sys.addaudithook(_guard)


def pytest_configure() -> None:
    """Let tests have their files in memory where they fit: a commit waits for a disk."""
    from sandbox.memory import folder_in_memory

    folder = folder_in_memory()
    if folder is not None:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))


@pytest.fixture(autouse=True)
def outside_attempts() -> Iterator[list[str]]:
    """Fail the test that reached for the outside, even when the code under test hid the error."""
    _attempts.clear()
    yield _attempts
    if _attempts:
        pytest.fail(f"reached for the outside world: {', '.join(_attempts)}")


@pytest.fixture(scope="session")
def postgres() -> Iterator["PostgresServer"]:
    """A server for all tests that do no harm to it."""
    from sandbox.postgres import PostgresServer
    from tests.postgres import skip_without_postgres

    skip_without_postgres()
    with PostgresServer() as server:
        yield server
