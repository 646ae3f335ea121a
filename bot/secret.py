"""The operator's secret: from the settings, or made once beside the database.

It keys the counters of members, so that a person who has been erased cannot be told from them. Who
loses the file loses every running quota's memory, so it belongs into the backup.
"""

import os
import secrets
from pathlib import Path
from typing import Final

_BYTES: Final = 32


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
