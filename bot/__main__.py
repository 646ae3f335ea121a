"""The command line: `python -m bot` and its subcommands.

Without a subcommand it is the real bot where `DISCORD_TOKEN` is set, and the sandbox otherwise.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

from dotenv import dotenv_values

from bot import garbage
from bot.logs import set_up_logging
from bot.settings import EXIT_CONFIG, Settings, SettingsError

EXIT_INTERRUPTED: Final = 130

Body = Callable[[asyncio.Event], Coroutine[Any, Any, int]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; returns the exit code."""
    garbage.put_off()
    try:
        return _run_command(arguments)
    finally:
        garbage.look_from_now_on()  # for a caller that goes on


def _run_command(arguments: Sequence[str] | None) -> int:
    from bot import erasing, reporting  # large imports, as are those of what is run

    parser = argparse.ArgumentParser(prog="python -m bot", description="The picture bot.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("run", help="start the real bot")
    commands.add_parser("sandbox", help="start the sandbox, which needs no account")
    commands.add_parser("clear-commands", help="remove the bot's commands from Discord")
    reporting.add_arguments(commands.add_parser("report", help="what a server has spent"))
    erasing.add_arguments(commands.add_parser("erase", help="erase a person or a server"))
    options = parser.parse_args(arguments)
    chosen = options.command
    try:
        settings = Settings.from_env(_environment())
    except UnicodeDecodeError:
        _say("The file .env is not written in UTF-8: save it anew as UTF-8 text.")
        return EXIT_CONFIG
    except OSError as error:
        _say(f"The file .env can't be read: {error}.")
        return EXIT_CONFIG
    except SettingsError as error:
        for fault in error.faults:
            _say(fault)
        return EXIT_CONFIG
    set_up_logging(settings.log_format, settings.log_level)
    if chosen is None:
        chosen = "run" if settings.discord_token else "sandbox"
    if chosen == "run":
        return _run(settings)
    if chosen == "sandbox":
        return _sandbox(settings)
    garbage.look_from_now_on()
    match chosen:
        case "report":
            return reporting.report(settings, options)
        case "erase":
            return erasing.erase(settings, options)
        case _:
            return _clear_commands(settings)


def _environment() -> Mapping[str, str]:
    """What `.env` in the working directory says, and over it what the environment says."""
    from_file = {name: value or "" for name, value in dotenv_values(".env").items()}
    return {**from_file, **os.environ}


def _run(settings: Settings) -> int:
    from bot.app import run

    if not settings.discord_token:
        _say("DISCORD_TOKEN is not set: put the bot's token into .env, or run the sandbox.")
        return EXIT_CONFIG
    if not settings.imagerouter_api_key:
        _say("IMAGEROUTER_API_KEY is not set: make a key at https://imagerouter.io/api-keys.")
        return EXIT_CONFIG
    return _until_stopped(lambda stop: run(settings, stop=stop, say=_say))


def _sandbox(settings: Settings) -> int:
    from sandbox.app import run_sandbox

    return _until_stopped(lambda stop: run_sandbox(settings, stop=stop, say=_say))


def _clear_commands(settings: Settings) -> int:
    from bot.app import clear_commands

    if not settings.discord_token:
        _say("DISCORD_TOKEN is not set: the commands to clear belong to its application.")
        return EXIT_CONFIG
    try:
        return asyncio.run(clear_commands(settings, say=_say))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _say(line: str) -> None:
    print(line, flush=True)


def _until_stopped(body: Body) -> int:
    """Run `body` with an event that the first SIGINT or SIGTERM sets; a second ends at once."""

    async def guarded() -> int:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def on_signal() -> None:
            if stop.is_set():
                # Every commit is on the disk, and the next start closes what is open.
                os._exit(EXIT_INTERRUPTED)
            stop.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, on_signal)
            except NotImplementedError:  # Windows: handlers run between two bytecodes
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(on_signal))
        return await body(stop)

    try:
        return asyncio.run(guarded())
    except KeyboardInterrupt:  # before the handlers were in place
        return EXIT_INTERRUPTED
    except Exception:
        logging.getLogger(__name__).exception("The bot ended with a fault")
        return 1


if __name__ == "__main__":
    sys.exit(main())
