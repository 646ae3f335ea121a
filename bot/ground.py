"""What the graph stands on: settings, secret, database, and what reaches out of the process.

Opened with `async with`; what is built on it is `bot.graph`'s.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct, field

from bot.blocklist import Blocklist, read_blocklist
from bot.bookkeeping import DELAYS
from bot.cards import Messenger
from bot.catalog import Catalog
from bot.clock import Clock, SystemClock
from bot.delivery import Patience
from bot.downloads import Downloads
from bot.ids import make_id
from bot.imagerouter import ImageRouter
from bot.images import ImageTools
from bot.secret import NoSecret, secret_for
from bot.settings import EXIT_CONFIG, Settings
from bot.storage import (
    BESIDE_NO_FILE,
    Database,
    Ledger,
    open_database,
    sqlite_path,
)
from cogs.ui.pictures import discord_hosts


class StartRefused(Exception):
    """The bot can't start as it is set up; the message is a sentence with the remedy."""

    exit_code = EXIT_CONFIG


class Parts(Struct, frozen=True):
    """What a test or the sandbox builds in another way."""

    clock: Clock = field(default_factory=SystemClock)
    patience: Patience = field(default_factory=Patience)
    insistence: Sequence[float] = DELAYS
    """Seconds between the tries to record what became of a charge."""
    ledger: type[Ledger] = Ledger
    messenger: Messenger | None = None
    """Who says things to people; None is Discord."""
    fonts: Path | None = None
    """Where charts keep what they know of the machine's fonts; None is beside the database."""
    models: Path | None = None
    """Where the list of models is kept; None is beside the database."""
    guild_ready_timeout: float = 2.0
    """Seconds without a new guild after which Discord has named them all."""


class Ground(Struct, frozen=True):
    """What everything else stands on."""

    settings: Settings
    parts: Parts
    path: Path | None
    """The database's file; None where it is a server's, which other processes may share."""
    secret: bytes
    blocklist: Blocklist
    """The operator's own, which is read once."""
    process_id: int
    database: Database
    router: ImageRouter
    tools: ImageTools
    downloads: Downloads
    catalog: Catalog

    @property
    def clock(self) -> Clock:
        """The one clock of the process."""
        return self.parts.clock

    @property
    def alone(self) -> bool:
        """Whether no other process may have this database open."""
        return self.path is not None

    def beside(self, suffix: str) -> Path:
        """Name a file or folder beside the database."""
        return _beside(self.path, suffix)


@asynccontextmanager
async def open_ground(settings: Settings, parts: Parts) -> AsyncIterator[Ground]:
    """Open what everything else stands on.

    Raises:
        StartRefused: the database or the secret cannot be used.
    """
    path, clock = sqlite_path(settings.database_url), parts.clock
    secret, blocklist = _secret(settings, path), _blocklist(settings)
    async with (
        open_database(settings.database_url, clock=clock) as database,
        _router(settings) as router,
        ImageTools() as tools,
        Downloads(allow_loopback=discord_hosts().on_this_machine) as downloads,
        Catalog(
            router,
            clock=clock,
            cache_path=parts.models or _beside(path, ".models.json"),
            unpriced_ceiling=settings.unpriced_model_ceiling,
            refresh_s=settings.catalog_refresh_seconds,
        ) as catalog,
    ):
        yield Ground(
            settings=settings,
            parts=parts,
            path=path,
            secret=secret,
            blocklist=blocklist,
            process_id=make_id(clock),
            database=database,
            router=router,
            tools=tools,
            downloads=downloads,
            catalog=catalog,
        )


def _blocklist(settings: Settings) -> Blocklist:
    """The operator's own list, which is read once."""
    path = settings.prompt_blocklist_file
    if path is None:
        return Blocklist()
    try:
        return read_blocklist(Path(path))
    except (OSError, ValueError) as error:
        raise StartRefused(f"PROMPT_BLOCKLIST_FILE can't be used: {error}.") from error


def _router(settings: Settings) -> ImageRouter:
    try:
        return ImageRouter(
            api_key=settings.imagerouter_api_key,
            base_url=settings.imagerouter_base_url,
            popular_url=settings.imagerouter_popular_url,
            requests_per_second=settings.imagerouter_requests_per_second or None,
        )
    except ValueError as error:
        raise StartRefused(f"ImageRouter can't be used as it is set up: {error}.") from error


def _secret(settings: Settings, database: Path | None) -> bytes:
    try:
        return secret_for(settings.secret_key, database)
    except NoSecret as error:
        raise StartRefused(str(error)) from error


def _beside(path: Path | None, suffix: str) -> Path:
    return (path or BESIDE_NO_FILE).with_suffix(suffix)
