"""`python -m bot erase`: erase a person who has left, or a guild, from the command line.

Writes to the database, so with SQLite the bot must not run; PostgreSQL's is shared with it. Asks
before it does anything.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TextIO

from bot.clock import Clock, SystemClock
from bot.erased import ErasedList
from bot.errors import LedgerUnavailable
from bot.ids import MOST_ID
from bot.privacy import Privacy
from bot.secret import NoSecret, secret_for
from bot.settings import EXIT_CONFIG, Settings
from bot.storage import (
    BESIDE_NO_FILE,
    DatabaseInUse,
    Erasable,
    Erased,
    Erasure,
    StorageError,
    open_database,
    sqlite_path,
)

EXIT_REFUSED: Final = 1
"""The exit code when nobody said yes."""

_WHAT: Final = {
    "job": "jobs lost their words, pictures and links",
    "charge": "charges",
    "usage_month": "sums of a month lost their name",
    "prompt": "prompts",
    "job_input": "lists of given pictures",
    "job_output": "addresses of results",
    "mask": "painted masks",
    "tray_picture": "pictures in trays",
    "offer": "offers of buttons",
    "paint_link": "links to the mask painter",
    "preference": "personal settings",
    "promise": "answers that were waited for",
    "guild": "settings of a server",
    "guild_zone": "time zones lost who set them",
    "spending_rule": "limits",
    "spending_grant": "grants",
    "blocked_member": "blocks",
    "model_rule": "rules on models",
    "picture_channel": "channels for pictures",
    "blocked_phrase": "blocked phrases",
    "digest": "digests, or who set them",
    "rule_change": "lines of the audit trail",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the subcommand's options."""
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--user", type=_id, metavar="ID", help="a person, in every server")
    whom.add_argument("--guild", type=_id, metavar="ID", help="a server, with all it has set")
    parser.add_argument("--yes", action="store_true", help="do not ask; for scripts")


def _id(text: str) -> int:
    """Read an id of Discord's."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= MOST_ID:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no id of Discord's")
    return int(text)


def erase(settings: Settings, chosen: argparse.Namespace) -> int:
    """Ask, erase, and tell what was erased; returns the exit code."""
    kind = Erasable.PERSON if chosen.user is not None else Erasable.GUILD
    subject_id: int = chosen.user if kind is Erasable.PERSON else chosen.guild
    if not chosen.yes and not agrees(kind, subject_id, terminal=sys.stdin):
        sys.stderr.write("Nothing was erased.\n")
        return EXIT_REFUSED
    return asyncio.run(erase_subject(settings, kind, subject_id, out=sys.stdout, faults=sys.stderr))


def agrees(
    kind: Erasable, subject_id: int, *, ask: Callable[[str], str] = input, terminal: TextIO
) -> bool:
    """Ask on the terminal; without one nobody can say yes."""
    if not terminal.isatty():
        sys.stderr.write("There is no terminal to ask on: say --yes if you are sure.\n")
        return False
    whom = "the person" if kind is Erasable.PERSON else "the server"
    try:
        said = ask(
            f"Erase everything that {whom} {subject_id} has asked for and set? Sums of money stay, "
            "without names. This can't be undone. Type yes: "
        )
    except EOFError:
        return False
    return said.strip().casefold() == "yes"


async def erase_subject(
    settings: Settings,
    kind: Erasable,
    subject_id: int,
    *,
    out: TextIO,
    faults: TextIO,
    clock: Clock | None = None,
) -> int:
    """Erase somebody and write what that did to `out`; returns the exit code."""
    clock = clock or SystemClock()
    try:
        path = _file_of(settings)
        async with open_database(settings.database_url, clock=clock) as database:
            secret = secret_for(settings.secret_key, path)
            file = (path or BESIDE_NO_FILE).with_suffix(".erased")
            privacy = Privacy(
                Erasure(database, clock=clock),
                database=database,
                erased=ErasedList(file, secret=secret),
                clock=clock,
            )
            await privacy.reapply()
            erasing = privacy.erase_person if kind is Erasable.PERSON else privacy.erase_guild
            done = await erasing(subject_id)
    except DatabaseInUse as error:
        print(error, file=faults)
        print("Stop the bot, erase, and start it again.", file=faults)
        return EXIT_CONFIG
    except (StorageError, LedgerUnavailable, NoSecret) as error:
        print(error, file=faults)
        return EXIT_CONFIG
    out.writelines(f"{line}\n" for line in _told(kind, subject_id, done))
    return 0


def _file_of(settings: Settings) -> Path | None:
    """Return the file of the database, if it is one.

    Raises:
        StorageError: it is not there; opening it would make it.
    """
    path = sqlite_path(settings.database_url)
    if path is not None and not path.is_file():
        raise StorageError(f"There is no database at {path}, so nobody is in it.")
    return path


def _told(kind: Erasable, subject_id: int, done: Erased) -> list[str]:
    whom = f"The person {subject_id}" if kind is Erasable.PERSON else f"The server {subject_id}"
    if not done.rows and not done.waiting:
        return [f"{whom} is not in the database: there was nothing to erase."]
    lines = [f"{whom} is erased. Deleted, or without names:"]
    lines += [f"  {rows:>9,}  {_WHAT[table]}" for table, rows in sorted(done.rows.items())]
    if done.waiting:
        jobs = "job has" if done.waiting == 1 else "jobs have"
        lines.append(
            f"{done.waiting} {jobs} not ended: the bot erases them by itself once they have."
        )
    lines.append(
        "Sums, counters and limits stay. Messages in Discord, what ImageRouter got, and your own "
        "backups are not touched: a backup that is restored is erased again at the start."
    )
    return lines
