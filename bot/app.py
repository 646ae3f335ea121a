"""The life of the process: connect, work, stop, and what is said to the operator meanwhile.

The command line is `bot.__main__`; what stops the process comes from there. What there is to be run
is built by `bot.graph`.
"""

import asyncio
import errno
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Final

import aiohttp
import discord

from bot import garbage
from bot.client import ImageBot, invite_link
from bot.errors import BotError, LedgerUnavailable
from bot.graph import build
from bot.ground import Parts, StartRefused
from bot.imagerouter import BadKey, ImageRouterError
from bot.money import format_usd
from bot.services import Services
from bot.settings import EXIT_CONFIG, Settings
from bot.storage import StorageError
from cogs.ui.errors import explain

_log = logging.getLogger(__name__)

_PAINTER_IS_OFF: Final = (
    "The mask painter is off. To offer it, set HTTP_PORT, and PUBLIC_URL to the address under "
    "which people reach that port."
)

_LONGEST_WITHOUT_A_LOOK_S: Final = 60.0
"""Until Python looks for garbage even if Discord can't be reached."""
_FIRST_ORDINARY_PORT: Final = 1024
_LAST_PORT: Final = 65_535
_USUAL_PORT: Final = 8080

Say = Callable[[str], None]
"""Tells the operator a line."""
Announce = Callable[[], Coroutine[Any, Any, None]]
"""Waits until the bot is ready, and says so."""


class DiscordUnreachable(StartRefused):
    """Discord does not answer, or does not let the bot in any more: later may be different."""

    exit_code = 1


async def run(
    settings: Settings, *, stop: asyncio.Event, say: Say, parts: Parts | None = None
) -> int:
    """Run the bot until `stop` is set; returns the exit code. The process is its own."""
    try:
        async with build(settings, parts) as bot, web_server(settings, bot):
            await live(bot, stop=stop, say=say, announce=lambda: _settle_in(bot, say))
    except (StorageError, LedgerUnavailable) as error:
        say(str(error))
        return EXIT_CONFIG
    except StartRefused as error:
        say(str(error))
        return error.exit_code
    return 0


async def clear_commands(settings: Settings, *, say: Say) -> int:
    """Remove the bot's commands from Discord, for whoever uninstalls it; returns the exit code."""
    # It never connects; without this one discord.py warns all the same.
    client = discord.Client(intents=discord.Intents(guilds=True))
    async with client:
        try:
            await client.login(settings.discord_token)
            application = await client.application_info()
            await client.http.bulk_upsert_global_commands(application.id, [])
        except discord.LoginFailure:
            say("Discord refuses DISCORD_TOKEN: copy it again from the Bot page.")
            return EXIT_CONFIG
        except (discord.HTTPException, OSError, aiohttp.ClientError) as error:
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
        keeping = group.create_task(services.keeper.run(bot.connected), name="keeper")
        watch = services.operator_watch.run(bot.connected)
        watching = group.create_task(watch, name="operator-watch")
        digests = group.create_task(services.digest_posts.run(bot.connected), name="digests")
        discord_task = group.create_task(_connect(bot), name="discord")
        announcing = group.create_task(announce(), name="announce")
        stopping: asyncio.Task[Any] = group.create_task(stop.wait(), name="stop")
        await asyncio.wait({stopping, discord_task}, return_when=asyncio.FIRST_COMPLETED)
        for task in (check, bot.warming, announcing, watching):
            task.cancel()
        asked = stop.is_set()
        await services.generation.drain(lambda sent: _tell_drain(sent, say, asked=asked))
        await services.recovery.finish()
        await services.digest_posts.finish()
        await services.generation.idle()  # who asked meanwhile is told that the bot stops
        for task in (recovery, keeping, digests, stopping):
            task.cancel()
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


async def settled(bot: ImageBot) -> None:
    """Wait until the bot is ready; what is there by then, or after a minute, is no garbage."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_LONGEST_WITHOUT_A_LOOK_S):
            await bot.connected.wait()
    garbage.look_from_now_on()
    await bot.connected.wait()


async def _settle_in(bot: ImageBot, say: Say) -> None:
    await settled(bot)
    await _announce(bot, say)


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
    if settings.http_port is None:
        _log.info(_PAINTER_IS_OFF)
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
                _cannot_listen(error, settings.http_host, settings.http_port)
            ) from error
        if settings.public_url is None:
            _log.info(_PAINTER_IS_OFF)
        else:
            painting.open(_on_port(settings.public_url, port))
        yield


def _on_port(url: str, port: int) -> str:
    return f"{url.removesuffix(':0')}:{port}" if url.endswith(":0") else url


def _in_words(error: BotError | None) -> tuple[str, str]:
    told = explain(error)
    return told.title, told.body


def _cannot_listen(error: OSError, host: str, port: int) -> str:
    """Name what is wrong with HTTP_HOST or HTTP_PORT, and what to do about it."""
    remedy = f"choose another HTTP_PORT, such as {other_port(port)}"
    # Where every address of a host fails, newer Pythons name no number.
    if isinstance(error, socket.gaierror) or error.errno in {None, errno.EADDRNOTAVAIL}:
        remedy = "HTTP_HOST has to be an address of this machine"
    return f"The web server can't listen on {host}, port {port} ({reason(error)}): {remedy}."


def other_port(port: int) -> int:
    """Suggest a port in place of one that can't be used: one that needs no special rights."""
    return port + 1 if _FIRST_ORDINARY_PORT <= port < _LAST_PORT else _USUAL_PORT


def reason(error: OSError) -> str:
    """The operating system's own words; asyncio puts longer ones into `strerror`."""
    if isinstance(error, socket.gaierror):  # with numbers of its own
        return error.strerror or str(error)
    return os.strerror(error.errno) if error.errno is not None else str(error)


async def _ledger_answers(bot: ImageBot) -> bool:
    try:
        await bot.services.ledger.heartbeat()
    except LedgerUnavailable:
        return False
    return True
