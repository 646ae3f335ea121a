"""A whole sandbox in one object: local servers and the real bot, for tests, scripts and benchmarks.

The bot is built by `bot.graph` and runs as a task; `restart` and `leave` end it as a signal would.
Only waiting times that nobody wants to sit through are shorter than in real life.
"""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from msgspec.structs import replace

from bot.app import live, web_server
from bot.client import ImageBot
from bot.delivery import Patience
from bot.graph import build
from bot.ground import Parts
from bot.settings import Settings
from sandbox.app import Servers, servers, with_web
from sandbox.clock import SandboxClock
from sandbox.discord import Ask, Channel, DiscordServer, Guild, Message, Person
from sandbox.imagerouter import ImageRouterServer

_T = TypeVar("_T")

IMPATIENT: Final = Patience(delays=(0.05, 0.1, 0.2), downloads=(0.02, 0.05), notes=0)
"""For tests that inject faults: the same tries, without the minutes between them; and for those
that read the books: they know of a delivery before its person is told what it cost."""
_FONTS: Final = Path(tempfile.gettempdir()) / "easel-fonts"
"""Listed once for all houses: that takes longer than a chart."""
_START_SECONDS: Final = 20
_STOP_SECONDS: Final = 20
_WORKING: Final = (" works on ", " work on ", "Waiting for a free place")


class House:
    """`async with House(folder) as house`: servers up, bot connected, commands synced."""

    def __init__(
        self,
        folder: Path,
        *,
        environ: dict[str, str] | None = None,
        start: bool = True,
        patience: Patience = IMPATIENT,
    ) -> None:
        """`environ` is what the bot's settings are read from; `folder` holds its database."""
        self._folder = folder
        self._patience = patience
        self._environ = environ or {}
        self._start = start
        self._stack = AsyncExitStack()
        self._servers: Servers | None = None
        self._bot: ImageBot | None = None
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.said: list[str] = []
        """What the bot told the operator on the terminal."""

    async def __aenter__(self) -> Self:
        """Start the servers, and the bot unless `start` is off."""
        async with AsyncExitStack() as stack:
            self._servers = await stack.enter_async_context(servers())
            if self._start:
                stack.push_async_callback(self.stop_bot)
                await self.start_bot()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the bot, then the servers. Nothing is held back any more that a test held."""
        if self._servers is not None:
            self.discord.faults.clear()
            self.imagerouter.faults.clear()
        await self.stop_bot()
        await self._stack.aclose()

    @property
    def servers(self) -> Servers:
        """The other ends of the bot's sockets."""
        return _given(self._servers, "the house is not open")

    @property
    def bot(self) -> ImageBot:
        """The running bot."""
        return _given(self._bot, "the bot does not run")

    @property
    def clock(self) -> SandboxClock:
        """The one clock of bot and servers."""
        return self.servers.clock

    @property
    def discord(self) -> DiscordServer:
        """The local Discord."""
        return self.servers.discord

    @property
    def imagerouter(self) -> ImageRouterServer:
        """The local ImageRouter."""
        return _given(self.servers.imagerouter, "a house never uses the real one")

    @property
    def settings(self) -> Settings:
        """What the bot is started with."""
        own = Settings.from_env(self._environ)
        beside = f"sqlite:///{self._folder / 'bot.db'}"
        url = own.database_url if "DATABASE_URL" in self._environ else beside
        turned = self.servers.settings_for(own, database_url=url)
        mine = replace(
            turned,
            operator_ids=own.operator_ids,
            secret_key=own.secret_key,
            shard_ids=own.shard_ids,
            shard_count=own.shard_count,
        )
        return with_web(mine)

    def person(self, name: str) -> Person:
        """A person's client, by username."""
        return self.discord.person(name)

    def guild(self, name: str = "Paper Boat Society") -> Guild:
        """A guild by its name."""
        return next(g for g in self.discord.world.guilds.values() if g.name == name)

    def channel(self, name: str = "general", *, guild: str = "Paper Boat Society") -> Channel:
        """A guild's channel by its name."""
        return next(c for c in self.guild(guild).channels.values() if c.name == name)

    async def start_bot(self) -> None:
        """Build the bot and wait until it is connected; raises what kept it from starting."""
        self._stop = asyncio.Event()
        connected = asyncio.Event()
        self._task = asyncio.create_task(self._run(connected), name="bot")
        waiting = asyncio.create_task(connected.wait())
        done, _ = await asyncio.wait(
            {self._task, waiting}, timeout=_START_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        waiting.cancel()
        if self._task in done:
            self._task.result()
        if not connected.is_set():
            raise TimeoutError("the bot did not connect")

    async def lose_imagerouter(self) -> None:
        """From now on nobody listens where ImageRouter was."""
        await self.imagerouter.__aexit__(None, None, None)

    def begin_stop(self) -> None:
        """Tell the bot to end, as SIGTERM does; `stop_bot` waits until it has."""
        self._stop.set()

    async def stop_bot(self) -> None:
        """End the bot as SIGTERM does; nothing if it does not run."""
        self.begin_stop()
        if self._task is not None:
            task, self._task = self._task, None
            await asyncio.wait_for(task, _STOP_SECONDS)
        self._bot = None

    async def ended(self, timeout: float = _STOP_SECONDS) -> BaseException | None:
        """Wait until the bot has ended by itself, and return why if it was a fault."""
        if self._task is None:
            raise RuntimeError("the bot does not run")
        task, self._task, self._bot = self._task, None, None
        await asyncio.wait({task}, timeout=timeout)
        return task.exception()

    async def kill_bot(self) -> None:
        """End the bot with no drain and no goodbye, as far as that goes inside a process."""
        if self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._bot = None

    async def restart_bot(self) -> None:
        """Stop the bot and start a new one on the same database."""
        await self.stop_bot()
        await self.start_bot()

    async def _run(self, connected: asyncio.Event) -> None:
        settings = self.settings
        parts = Parts(
            clock=self.clock, patience=self._patience, fonts=_FONTS, guild_ready_timeout=0
        )
        async with build(settings, parts) as bot, web_server(settings, bot):
            self._bot = bot

            async def announce() -> None:
                await bot.connected.wait()
                connected.set()

            await live(bot, stop=self._stop, say=self.said.append, announce=announce)


async def pictures(person: Person, channel: Channel, ask: Ask, timeout: float = 10) -> Message:
    """Wait until the answer to `ask` shows pictures."""
    return await person.wait_for(
        channel, lambda m: m.interaction_id == ask.id and bool(m.attachments), timeout
    )


async def explanation(channel: Channel, ask: Ask, timeout: float = 10) -> Message:
    """Wait for the private words about `ask`, and until its public placeholder is gone."""
    told = await ask.followup(timeout=timeout)

    def placeholder_is_gone() -> bool | None:
        return True if ask.message is not None and ask.message.deleted else None

    await channel.signal.until(placeholder_is_gone, timeout=timeout, complain=ask.describe)
    return told


def button(message: Message, label: str) -> str:
    """The custom id of the button that says `label` (LookupError with those that there are)."""
    found = {each.label: each.custom_id for each in message.buttons if each.custom_id}
    if label not in found:
        raise LookupError(f"no button {label!r}; there are {sorted(found)}")
    return found[label]


def waiting(house: House) -> list[Message]:
    """Messages that still say that somebody works on them, wherever they are."""
    return [
        message
        for history in house.discord.world.history.values()
        for message in history
        if message.loading or any(words in message.text for words in _WORKING)
    ]


def _given(value: _T | None, otherwise: str) -> _T:
    if value is None:
        raise RuntimeError(otherwise)
    return value
