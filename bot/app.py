"""The composition root: settings -> database -> services -> client, and the life of the process.

Opens every resource with `async with` and hands it to what needs it, so that a test builds the same
graph with other parts. The command line is `bot.__main__`; what stops the process comes from there.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import discord

from bot.alerts import Alerts
from bot.bookkeeping import Bookkeeper
from bot.budget_alerts import BudgetAlerts
from bot.catalog import Catalog
from bot.charging import Charger
from bot.client import ImageBot, invite_link
from bot.clock import Clock, SystemClock
from bot.delivery import Delivery, Patience
from bot.downloads import Downloads
from bot.errors import BotError, LedgerUnavailable
from bot.generation import Generation
from bot.ids import make_id
from bot.imagerouter import BadKey, ImageRouter, ImageRouterError
from bot.images import ImageTools
from bot.inputs import Inputs
from bot.money import format_usd
from bot.offers import Offers
from bot.painting import Painting
from bot.quotas import Defaults
from bot.recovery import Recovery
from bot.scheduler import Scheduler
from bot.secret import load_or_make_secret
from bot.services import Services
from bot.settings import EXIT_CONFIG, Settings
from bot.storage import (
    Jobs,
    Ledger,
    MaskStore,
    OfferStore,
    PaintLinks,
    Policies,
    StorageError,
    open_database,
    sqlite_path,
)
from bot.telling import Teller
from cogs.ui.buttons import ALL as DYNAMIC_ITEMS
from cogs.ui.errors import explain
from cogs.ui.messenger import DiscordMessenger
from cogs.ui.pictures import discord_hosts
from cogs.ui.presence import DiscordPresence
from cogs.ui.renewal import DiscordRenewal
from cogs.ui.tree import Tree

_log = logging.getLogger(__name__)

BESIDE_NO_FILE: Final = Path("data", "bot.db")
"""Where the cached list of models is kept when the database is not a file: beside where it would
be by default. Processes may share it, since it is replaced whole."""
COGS: Final = (
    "cogs.imagine",
    "cogs.edit",
    "cogs.edit_menus",
    "cogs.usage",
    "cogs.setup",
    "cogs.quota",
    "cogs.config",
    "cogs.operator",
    "cogs.welcome",
)

Say = Callable[[str], None]
"""Tells the operator a line."""
Announce = Callable[[], Coroutine[Any, Any, None]]
"""Waits until the bot is ready, and says so."""


class StartRefused(Exception):
    """The bot can't start as it is set up; the message is a sentence with the remedy."""

    exit_code = EXIT_CONFIG


class DiscordUnreachable(StartRefused):
    """Discord does not answer, or does not let the bot in any more: later may be different."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Parts:
    """What a test or the sandbox builds in another way."""

    clock: Clock = field(default_factory=SystemClock)
    patience: Patience = field(default_factory=Patience)
    guild_ready_timeout: float = 2.0
    """Seconds without a new guild after which Discord has named them all."""


@asynccontextmanager
async def build(settings: Settings, parts: Parts | None = None) -> AsyncIterator[ImageBot]:
    """Open everything that the bot needs, and give the bot, not yet connected to Discord.

    Raises:
        StartRefused: the database or the secret cannot be used.
    """
    parts = parts or Parts()
    clock = parts.clock
    path = sqlite_path(settings.database_url)  # None: a server's, which other processes may share
    secret = _secret(settings, path)
    process_id = make_id(clock)
    rate = settings.imagerouter_requests_per_second or None
    async with (
        open_database(settings.database_url, clock=clock) as database,
        ImageRouter(
            api_key=settings.imagerouter_api_key,
            base_url=settings.imagerouter_base_url,
            popular_url=settings.imagerouter_popular_url,
            requests_per_second=rate,
        ) as router,
        ImageTools() as tools,
        Downloads(allow_loopback=discord_hosts().on_this_machine) as downloads,
        Catalog(
            router,
            clock=clock,
            cache_path=(path or BESIDE_NO_FILE).with_suffix(".models.json"),
            unpriced_ceiling=settings.unpriced_model_ceiling,
            refresh_s=settings.catalog_refresh_seconds,
        ) as catalog,
        AsyncExitStack() as stack,
    ):
        defaults = _defaults(settings)
        ledger = Ledger(
            database, clock=clock, secret=secret, process_id=process_id, defaults=defaults
        )
        policies = Policies(database, clock=clock, secret=secret, defaults=defaults)
        jobs = Jobs(database, clock=clock, process_id=process_id)
        messenger, renewal, presence = DiscordMessenger(), DiscordRenewal(), DiscordPresence()
        masks = MaskStore(database, clock=clock)
        inputs = await stack.enter_async_context(
            Inputs(
                downloads=downloads,
                tools=tools,
                masks=masks,
                renew=renewal,
                hosts=discord_hosts(),
                folder=(path or BESIDE_NO_FILE).with_suffix(".inputs"),
                clock=clock,
            )
        )
        alerts = Alerts(messenger=messenger, clock=clock)
        offers = Offers(OfferStore(database, clock=clock), clock=clock)
        delivery = Delivery(
            messenger=messenger,
            jobs=jobs,
            router=router,
            tools=tools,
            clock=clock,
            patience=parts.patience,
        )
        budgets = BudgetAlerts(policies=policies, messenger=messenger, alerts=alerts)
        teller = Teller(
            delivery=delivery,
            ledger=ledger,
            jobs=jobs,
            policies=policies,
            offers=offers,
            catalog=catalog,
            default_model=settings.default_model,
            clock=clock,
        )
        charger = Charger(
            ledger=ledger,
            books=Bookkeeper(ledger, alerts=alerts, budgets=budgets),
            jobs=jobs,
            router=router,
            catalog=catalog,
            alerts=alerts,
        )
        generation = Generation(
            ledger=ledger,
            charger=charger,
            teller=teller,
            catalog=catalog,
            inputs=inputs,
            scheduler=Scheduler(
                per_member=settings.member_jobs,
                in_process=settings.process_jobs,
                max_waiting=settings.max_waiting_jobs,
            ),
            delivery=delivery,
            budgets=budgets,
            clock=clock,
            default_model=settings.default_model,
        )
        recovery = Recovery(
            ledger=ledger,
            jobs=jobs,
            charger=charger,
            teller=teller,
            budgets=budgets,
            alone=path is not None,
        )
        painting = Painting(
            links=PaintLinks(database, clock=clock),
            masks=masks,
            pictures=inputs,
            jobs=generation,
            catalog=catalog,
            presence=presence,
            clock=clock,
            secret=secret,
            default_model=settings.default_model,
        )
        services = Services(
            settings=settings,
            clock=clock,
            database=database,
            ledger=ledger,
            jobs=jobs,
            policies=policies,
            catalog=catalog,
            router=router,
            generation=generation,
            teller=teller,
            inputs=inputs,
            tools=tools,
            delivery=delivery,
            recovery=recovery,
            offers=offers,
            painting=painting,
            alerts=alerts,
        )
        await ledger.heartbeat()
        bot = ImageBot(
            services,
            cogs=COGS,
            tree_cls=Tree,
            dynamic_items=DYNAMIC_ITEMS,
            guild_ready_timeout=parts.guild_ready_timeout,
        )
        messenger.connect(bot)
        renewal.connect(bot)
        presence.connect(bot)
        async with painting, bot:
            try:
                yield bot
            finally:
                await alerts.close()


def _defaults(settings: Settings) -> Defaults:
    return Defaults(
        member_day=settings.default_member_daily,
        guild_month=settings.default_guild_monthly,
        bot_month=settings.operator_monthly,
        dm_day=settings.default_dm_daily or 0,
        open_jobs=settings.member_open_jobs,
    )


def _secret(settings: Settings, database: Path | None) -> bytes:
    if settings.secret_key:
        return settings.secret_key.encode()
    if database is None:
        raise StartRefused(
            "With PostgreSQL, SECRET_KEY must be set: 32 characters or more, the same for every "
            "process, for example what `openssl rand -hex 32` prints."
        )
    try:
        return load_or_make_secret(database.with_suffix(".key"))
    except (OSError, ValueError) as error:
        raise StartRefused(f"The secret beside the database cannot be used: {error}.") from error


async def run(settings: Settings, *, stop: asyncio.Event, say: Say, parts: Parts = Parts()) -> int:
    """Run the bot until `stop` is set; returns the exit code."""
    try:
        async with build(settings, parts) as bot, web_server(settings, bot):
            await live(bot, stop=stop, say=say)
    except (StorageError, LedgerUnavailable) as error:
        say(str(error))
        return EXIT_CONFIG
    except StartRefused as error:
        say(str(error))
        return error.exit_code
    return 0


async def clear_commands(settings: Settings, *, say: Say) -> int:
    """Remove the bot's commands from Discord, for whoever uninstalls it; returns the exit code."""
    client = discord.Client(intents=discord.Intents.none())
    async with client:
        try:
            await client.login(settings.discord_token)
            application = await client.application_info()
            await client.http.bulk_upsert_global_commands(application.id, [])
        except discord.LoginFailure:
            say("Discord refuses DISCORD_TOKEN: copy it again from the Bot page.")
            return EXIT_CONFIG
        except (discord.HTTPException, OSError) as error:
            say(f"Discord could not be asked: {error}. Try again.")
            return 1
    say("The commands are removed. Revoke the token and the key, and delete the data folder.")
    return 0


async def live(
    bot: ImageBot, *, stop: asyncio.Event, say: Say, announce: Announce | None = None
) -> None:
    """Connect, work until `stop` is set, then wait for what was sent and leave.

    `announce` says that the bot is ready, once it is.

    Raises:
        StartRefused: Discord or ImageRouter refuses the bot.
    """
    try:
        await _live(bot, stop=stop, say=say, announce=announce or (lambda: _announce(bot, say)))
    except BaseExceptionGroup as group:
        refused = group.subgroup(StartRefused)
        if refused is None:
            raise
        raise _first_leaf(refused) from None


async def _live(bot: ImageBot, *, stop: asyncio.Event, say: Say, announce: Announce) -> None:
    services = bot.services
    async with asyncio.TaskGroup() as group:
        check = group.create_task(_check_key(services, say), name="check-key")
        bot.warming = group.create_task(services.catalog.load(), name="load-catalogue")
        recovery = group.create_task(services.recovery.run(bot.connected), name="recovery")
        discord_task = group.create_task(_connect(bot), name="discord")
        announcing = group.create_task(announce(), name="announce")
        stopping: asyncio.Task[Any] = group.create_task(stop.wait(), name="stop")
        await asyncio.wait({stopping, discord_task}, return_when=asyncio.FIRST_COMPLETED)
        for task in (check, bot.warming, announcing):
            task.cancel()
        asked = stop.is_set()
        await services.generation.drain(lambda sent: _tell_drain(sent, say, asked=asked))
        await services.recovery.finish()
        await services.generation.idle()  # who asked meanwhile is told that the bot stops
        recovery.cancel()
        stopping.cancel()
        await bot.close()
        if (refused := await discord_task) is not None:
            raise refused


def _first_leaf(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _tell_drain(sent: int, say: Say, *, asked: bool) -> None:
    if sent:
        jobs = "one job" if sent == 1 else f"{sent} jobs"
        say(f"Stopping: waiting for {jobs} sent to ImageRouter. Again ends at once.")
    elif asked:
        say("Stopping.")


async def _connect(bot: ImageBot) -> StartRefused | None:
    """Stay connected until the bot is closed; returns why that was not possible, if so.

    discord.py reconnects by itself; what comes out of it here is what it does not try again.
    """
    try:
        await bot.start(bot.services.settings.discord_token)
    except discord.LoginFailure:
        return StartRefused(
            "Discord refuses DISCORD_TOKEN: copy it again from the Bot page of your application."
        )
    except discord.ConnectionClosed as error:
        return DiscordUnreachable(f"Discord ended the connection for good (code {error.code}).")
    except (discord.HTTPException, discord.GatewayNotFound, OSError, aiohttp.ClientError) as error:
        if bot.is_closed():  # stopped while it was connecting
            return None
        _log.warning("Discord can't be reached: %r", error)
        return DiscordUnreachable("Discord can't be reached just now. Start the bot again later.")
    return None


async def _check_key(services: Services, say: Say) -> None:
    """Tell the balance. That ImageRouter is down stops nobody; a refused key does."""
    try:
        checked = await services.router.check_key()
    except BadKey as error:
        raise StartRefused(
            "ImageRouter refuses IMAGEROUTER_API_KEY: make one at https://imagerouter.io/api-keys."
        ) from error
    except ImageRouterError as error:
        _log.warning("ImageRouter could not be asked for the balance: %r", error)
        say("ImageRouter can't be reached just now; the bot starts all the same.")
        return
    if checked.balance is None:
        say("ImageRouter takes the key and tells no balance.")
    else:
        say(f"ImageRouter balance: {format_usd(checked.balance)}")


async def _announce(bot: ImageBot, say: Say) -> None:
    await bot.connected.wait()
    guilds = len(bot.guilds)
    say(f"Connected as {bot.user} in {guilds} server{'' if guilds == 1 else 's'}.")
    if bot.application_id is not None:
        say(f"Invite: {invite_link(bot.application_id)}")


@asynccontextmanager
async def web_server(settings: Settings, bot: ImageBot) -> AsyncIterator[None]:
    """Serve `/healthz` where a port is set, and the mask painter where it has an address, too.

    A `PUBLIC_URL` with port 0 stands for the port that is listened on: for the sandbox.

    Raises:
        StartRefused: the port can't be used.
    """
    if settings.http_port is None or settings.public_url is None:
        _log.info(
            "The mask painter is off. To offer it, set HTTP_PORT, and PUBLIC_URL to the address "
            "under which people reach that port."
        )
    if settings.http_port is None:
        yield
        return
    from bot.web import PainterPages, serve  # costs time and memory that not every bot need spend

    async def health() -> Mapping[str, bool]:
        return {"discord": bot.is_connected(), "ledger": await _ledger_answers(bot)}

    painting = bot.services.painting
    pages = PainterPages(painting, explain=_in_words) if settings.public_url else None
    if pages is not None:
        await pages.read()
    async with AsyncExitStack() as stack:
        serving = serve(
            health,
            host=settings.http_host,
            port=settings.http_port,
            pages=pages.routes() if pages else (),
        )
        try:
            port = await stack.enter_async_context(serving)
        except OSError as error:
            raise StartRefused(
                f"Port {settings.http_port} of HTTP_PORT can't be used: {reason(error)}."
            ) from error
        if settings.public_url is not None:
            painting.open(_on_port(settings.public_url, port))
        yield


def _on_port(url: str, port: int) -> str:
    return f"{url.removesuffix(':0')}:{port}" if url.endswith(":0") else url


def _in_words(error: BotError | None) -> tuple[str, str]:
    told = explain(error)
    return told.title, told.body


def reason(error: OSError) -> str:
    """The operating system's own words; asyncio puts longer ones into `strerror`."""
    return os.strerror(error.errno) if error.errno is not None else str(error)


async def _ledger_answers(bot: ImageBot) -> bool:
    try:
        await bot.services.ledger.heartbeat()
    except LedgerUnavailable:
        return False
    return True
