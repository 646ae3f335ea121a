"""The operator's secret: from the settings, or made once beside the database.

It keys the counters of members, so that a person who has been erased cannot be told from them. Who
loses the file loses every running quota's memory, so it belongs into the backup.
"""

import os
import secrets
from pathlib import Path
from typing import Final

_BYTES: Final = 32


class NoSecret(Exception):
    """There is none that can be used; the message is a sentence with the remedy."""


def secret_for(given: str, database: Path | None) -> bytes:
    """Return what the settings say, else what is beside the database, which is made at first.

    Raises:
        NoSecret: none is set for a server's database, or the file can't be used.
    """
    if given:
        return given.encode()
    if database is None:
        raise NoSecret(
            "With PostgreSQL, SECRET_KEY must be set: 32 characters or more, the same for every "
            "process, for example what `openssl rand -hex 32` prints."
        )
    try:
        return load_or_make_secret(database.with_suffix(".key"))
    except (OSError, ValueError) as error:
        raise NoSecret(f"The secret beside the database cannot be used: {error}.") from error


def load_or_make_secret(path: Path) -> bytes:
    """Return the secret in `path`, making it (readable by its owner only) if there is none.

    Raises:
        OSError: the folder cannot be written.
        ValueError: the file is there and empty, so something went wrong before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        secret = path.read_text(encoding="ascii").strip().encode()
        if len(secret) < _BYTES:
            raise ValueError(f"{path} is damaged; restore it from a backup") from None
        return secret
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        made = secrets.token_hex(_BYTES)
        file.write(made + "\n")
        file.flush()
        os.fsync(file.fileno())
    return made.encode()
