"""Uploaded files: sizes and the `attachments` list that names them.

Source: Discord's documentation, "Uploading Files".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

FILE_LIMIT: Final = 10 * 1024 * 1024
"""Bytes that one file may have where no boost raises it."""
REQUEST_LIMIT: Final = 25 * 1024 * 1024
"""Bytes that the whole request may have."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a multipart body: `id` is the n of `files[n]` (in modals: the attachment's id)."""

    id: int
    filename: str
    size: int
    """Bytes."""


def check_uploads(
    uploads: Sequence[Upload],
    *,
    file_limit: int = FILE_LIMIT,
    request_size: int | None = None,
    request_limit: int = REQUEST_LIMIT,
) -> None:
    """Refuse files that are too big (413, code 40005), too many, or share one id.

    `request_size` is the whole body's length in bytes (default: the files' sum).
    Raises RuleViolation.
    """
    raise NotImplementedError
