"""Uploaded files: sizes and the `attachments` list that names them.

Source: Discord's documentation, "Uploading Files". Where files are stored is the server's business.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from sandbox.discord.rules.fields import Fields
from sandbox.discord.rules.violations import (
    TOO_LARGE,
    TOO_MANY_ATTACHMENTS,
    Problems,
    RuleViolation,
)

FILE_LIMIT: Final = 10 * 1024 * 1024
"""Bytes that one file may have where no boost raises it."""
REQUEST_LIMIT: Final = 25 * 1024 * 1024
"""Bytes that the whole request may have."""
MOST_ATTACHMENTS: Final = 10
_NAME_LENGTH: Final = 1024
_DESCRIPTION: Final = 1024
_SPOILER: Final = "SPOILER_"


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a multipart body; `id` is the n of `files[n]` (in modals the attachment's id)."""

    id: int
    filename: str
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class AttachmentPlan:
    """One attachment of the message after the request, in order."""

    id: int
    """An `Upload.id` when `new`, else the kept attachment's id."""
    filename: str
    new: bool
    description: str | None = None
    """None on a kept attachment: it keeps the description that it has."""
    spoiler: bool = False


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
    total = sum(upload.size for upload in uploads) if request_size is None else request_size
    if total > request_limit or any(upload.size > file_limit for upload in uploads):
        raise RuleViolation(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE, "Request entity too large"
        )
    problems = Problems()
    if len({upload.id for upload in uploads}) != len(uploads):
        problems.add(("files",), "FILES_ID_DUPLICATED", "Two files have the same number")
    if len(uploads) > MOST_ATTACHMENTS:
        problems.add(
            ("files",), "BASE_TYPE_MAX_LENGTH", f"Must be {MOST_ATTACHMENTS} or fewer in length."
        )
    problems.raise_if_any()


def clean_filename(filename: str) -> str:
    """Return the name under which Discord stores a file: ASCII letters, digits, `_`, `-`, `.`."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", filename).strip(".") or "unknown"


def plan_attachments(
    fields: Fields, *, uploads: Sequence[Upload], kept: Mapping[int, str], new_message: bool
) -> list[AttachmentPlan]:
    """Work out a message's attachments from its body and the files beside it.

    `kept` are the attachments that an edited message has (id -> name). Without `attachments` all
    of both are there afterwards; with it, an edit keeps exactly what is listed. Raises
    RuleViolation (30015) for more than ten.
    """
    by_id = {upload.id: upload for upload in uploads}
    if fields.has("attachments") or (not new_message and "attachments" in fields.raw):
        plans = _listed(fields, by_id, kept)
        listed = {plan.id for plan in plans if plan.new}
        if new_message:
            plans += [_plan(upload) for upload in uploads if upload.id not in listed]
    else:
        plans = [_kept(key, name) for key, name in kept.items()]
        plans += [_plan(upload) for upload in uploads]
    if len(plans) > MOST_ATTACHMENTS:
        raise RuleViolation(
            HTTPStatus.BAD_REQUEST,
            TOO_MANY_ATTACHMENTS,
            f"Maximum number of attachments in a message reached ({MOST_ATTACHMENTS})",
        )
    return plans


def _plan(
    upload: Upload, *, filename: str | None = None, description: str | None = None
) -> AttachmentPlan:
    name = clean_filename(filename or upload.filename)
    spoiler = name.startswith(_SPOILER)
    return AttachmentPlan(
        id=upload.id, filename=name, new=True, description=description, spoiler=spoiler
    )


def _kept(number: int, filename: str, *, description: str | None = None) -> AttachmentPlan:
    spoiler = filename.startswith(_SPOILER)
    return AttachmentPlan(
        id=number, filename=filename, new=False, description=description, spoiler=spoiler
    )


def _listed(
    fields: Fields, uploads: Mapping[int, Upload], kept: Mapping[int, str]
) -> list[AttachmentPlan]:
    plans: list[AttachmentPlan] = []
    seen: set[int] = set()
    for index, each in enumerate(fields.items("attachments", high=MOST_ATTACHMENTS)):
        entry = Fields(each, path=(*fields.path, "attachments", index), problems=fields.problems)
        number = entry.snowflake("id", required=True)
        filename = entry.text("filename", low=1, high=_NAME_LENGTH)
        description = entry.text("description", high=_DESCRIPTION)
        if number is None:
            continue
        if number in seen:
            entry.fault("id", "ATTACHMENT_ID_DUPLICATED", "The attachment is listed twice")
        elif number in uploads:
            plans.append(_plan(uploads[number], filename=filename, description=description))
        elif number in kept:
            plans.append(_kept(number, kept[number], description=description))
        else:
            entry.fault("id", "ATTACHMENT_NOT_FOUND", "There is no such file in this request")
        seen.add(number)
    return plans
