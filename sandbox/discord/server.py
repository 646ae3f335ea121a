"""The local Discord as one HTTP server: REST, gateway and CDN on a port of 127.0.0.1."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.clock import SandboxClock
from sandbox.discord.faults import Faults
from sandbox.discord.people import Person
from sandbox.discord.places import Application, User
from sandbox.discord.world import World


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request of the bot, as the server saw it."""

    method: str
    path: str
    """Below `/api/v10`."""
    route: str
    """The path's template, e.g. `/channels/{channel_id}/messages`."""
    status: int
    """0 when the connection was dropped without an answer."""
    body_summary: str
    """The JSON, shortened, and the names and sizes of files."""


class DiscordServer:
    """A local Discord; an async context manager."""

    rest_url: str
    """`http://127.0.0.1:PORT/api/v10`."""
    gateway_url: str
    """`ws://127.0.0.1:PORT/gateway`."""
    cdn_url: str
    """`http://127.0.0.1:PORT/cdn`."""
    token: str
    """The only bot token that is accepted."""
    world: World
    faults: Faults
    requests: list[RecordedRequest]
    """What the bot sent, oldest first (the last ten thousand)."""
    openapi_problems: list[str]
    """Where bodies departed from Discord's OpenAPI file; such requests were refused."""
    rate_limits: bool
    """Whether rate limits are enforced."""
    acknowledge_within: float
    """Seconds that the bot has for the first answer to an interaction (3)."""

    def __init__(
        self,
        clock: SandboxClock,
        *,
        application: Application | None = None,
        world: World | None = None,
        openapi_path: Path | None = None,
        port: int = 0,
    ) -> None:
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        """Listen."""
        raise NotImplementedError

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close every connection and stop."""
        raise NotImplementedError

    def person(self, who: str | User) -> Person:
        """Return a person's client, by username (`mira`, `theo`, `ada`, `oskar`) or user."""
        raise NotImplementedError

    async def wait_for_request(
        self, pattern: str, timeout: float = 10, *, count: int = 1
    ) -> RecordedRequest:
        """Wait for the `count`-th answered request that fits a pattern (see `Faults`).

        Past requests count. Raises TimeoutError with the requests that came instead.
        """
        raise NotImplementedError

    async def wait_for_bot(self, timeout: float = 10) -> None:
        """Wait until a gateway session is ready."""
        raise NotImplementedError


@contextmanager
def connect_discord_py(server: DiscordServer) -> Iterator[None]:
    """Point discord.py at `server` while the block runs (three class attributes)."""
    raise NotImplementedError
