"""Forgetting what jobs say and show, whosever they are: for erasures, and when its time is over.

Money stays: a charge keeps its amounts, and a job its model, size and day. Whoever calls passes a
few jobs that have ended, and holds no lock that comes after those of charges and jobs.
"""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict

from bot.requests import Source
from bot.storage.rows import Tx

_AT_ONCE: Final = 500
"""Jobs that one statement names, at most."""


def marks(count: int, *, after: int = 0) -> str:
    """Write `$1, $2, ...` for a list, after so many other values."""
    return ", ".join(f"${number}" for number in range(after + 1, after + count + 1))


async def forget_words(tx: Tx, jobs: Sequence[int]) -> Counter[str]:
    """Delete the prompts, given pictures, masks, results and links to messages of jobs.

    A charge's reason may quote what was sent.
    """
    these = marks(len(jobs))
    charges = await tx.fetch(
        f"UPDATE charge SET reason = '' WHERE job_id IN ({these}) RETURNING id", *jobs
    )
    await tx.fetch(
        "UPDATE job SET undeliverable_reason = '', "
        "reply_application = NULL, reply_token = NULL, reply_expires_at = NULL, "
        "reply_channel = NULL, reply_message = NULL, reply_upload_limit = NULL, "
        f"message_channel = NULL, message_id = NULL WHERE id IN ({these})",
        *jobs,
    )
    changed = Counter(charge=len(charges), job=len(jobs))
    masks = (await _shown_by(tx, jobs)).masks
    if masks:
        gone = await tx.fetch(
            f"DELETE FROM mask WHERE id IN ({marks(len(masks))}) RETURNING id", *masks
        )
        changed["mask"] += len(gone)
    for table in ("prompt", "job_input"):
        found = await tx.fetch(
            f"DELETE FROM {table} WHERE job_id IN ({these}) RETURNING job_id", *jobs
        )
        changed[table] += len(found)
    outputs = await tx.fetch(
        "DELETE FROM job_output WHERE charge_id IN "
        f"(SELECT id FROM charge WHERE job_id IN ({these})) RETURNING place",
        *jobs,
    )
    changed["job_output"] += len(outputs)
    return +changed


async def forget_copies(tx: Tx, jobs: Sequence[int]) -> Counter[str]:
    """Take what jobs say and show out of those that other people have made from them.

    Whoever presses **Again** repeats the words, and the links to the pictures that were given;
    whoever edits a result links to it. A prompt that is not the same is the other's own. To be
    called while the jobs still have their words.
    """
    these = marks(len(jobs))
    found = await tx.fetch(
        f"WITH RECURSIVE below (id) AS (SELECT id FROM job WHERE parent_id IN ({these}) "
        "UNION SELECT job.id FROM job JOIN below ON job.parent_id = below.id) "
        f"SELECT id FROM below WHERE id NOT IN ({these})",
        *jobs,
    )
    others = [row.integer("id") for row in found]
    changed = Counter[str]()
    shown = await _shown_by(tx, jobs) if others else _Shown()
    for first in range(0, len(others), _AT_ONCE):
        some = others[first : first + _AT_ONCE]
        words = await tx.fetch(
            f"DELETE FROM prompt WHERE job_id IN ({marks(len(some), after=len(jobs))}) "
            f"AND prompt IN (SELECT prompt FROM prompt WHERE job_id IN ({these})) "
            "RETURNING job_id",
            *jobs,
            *some,
        )
        changed["prompt"] += len(words)
        changed["job_input"] += await _take_out(tx, shown, some)
    return +changed


class _Shown(Struct, frozen=True):
    """What leads to the pictures of some jobs."""

    places: frozenset[str] = frozenset()
    masks: frozenset[int] = frozenset()
    messages: frozenset[int] = frozenset()

    def has(self, entry: dict[str, Any]) -> bool:
        """Whether a stored source is one of them."""
        source = Source(**entry)
        return (
            source.place in self.places
            or source.mask_id in self.masks
            or source.message_id in self.messages
        )


async def _shown_by(tx: Tx, jobs: Sequence[int]) -> _Shown:
    """Find what jobs were given, and where their results are."""
    these = marks(len(jobs))
    sources = list[Source]()
    for row in await tx.fetch(f"SELECT content FROM job_input WHERE job_id IN ({these})", *jobs):
        content = _read(row.text("content"))
        entries = [*content["images"], content["mask"]]
        sources += [Source(**each) for each in entries if each is not None]
    results = await tx.fetch(
        f"SELECT message_id FROM job WHERE id IN ({these}) AND message_id IS NOT NULL", *jobs
    )
    return _Shown(
        places=frozenset(each.place for each in sources if each.url),
        masks=frozenset(each.mask_id for each in sources if each.mask_id),
        messages=frozenset(row.integer("message_id") for row in results),
    )


async def _take_out(tx: Tx, shown: _Shown, jobs: Sequence[int]) -> int:
    """Put an empty source in place of each that is erased, so that an edit stays an edit."""
    changed = 0
    for row in await tx.fetch(
        f"SELECT job_id, content FROM job_input WHERE job_id IN ({marks(len(jobs))})", *jobs
    ):
        content = _read(row.text("content"))
        cleaned = {
            **content,
            "images": [_without(shown, each) for each in content["images"]],
            "mask": content["mask"] and _without(shown, content["mask"]),
        }
        if cleaned != content:
            await tx.fetch(
                "UPDATE job_input SET content = $2 WHERE job_id = $1",
                row.integer("job_id"),
                json.dumps(cleaned),
            )
            changed += 1
    return changed


def _without(shown: _Shown, entry: dict[str, Any]) -> dict[str, Any]:
    return asdict(Source("", "erased")) if shown.has(entry) else entry


def _read(text: str) -> dict[str, Any]:
    """Read what an edit started from; what can't be read has nothing to be found in it."""
    try:
        content: dict[str, Any] = json.loads(text)
    except ValueError:
        return {"images": [], "mask": None}
    return content
