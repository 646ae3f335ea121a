"""What goes to ImageRouter and what comes back, as plain typed data.

Money is in micro-USD, times in milliseconds, sizes in bytes. None always means "not told": an
amount that is not told is never treated as nothing. Owns no network and no JSON.
"""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from bot.hiding import repr_without
from bot.money import Micros

MAX_IMAGES: Final = 16
"""Input images that one edit may carry."""

MAX_FILE_BYTES: Final = 25 * 1024 * 1024 - 1
"""Largest input file: ImageRouter refuses 25 MiB exactly."""

MAX_PROMPT_UNITS: Final = 10_000
"""Longest prompt, in UTF-16 code units as ImageRouter counts."""

ResponseFormat: TypeAlias = Literal["url", "b64_json", "b64_ephemeral"]
"""How the picture comes back; ImageRouter stores no copy of a `b64_ephemeral` one."""

ByteSource: TypeAlias = Callable[[], AsyncIterator[bytes]]
"""Opens a new stream over the same bytes each time, so that a request may be sent again."""


class Upload(Struct, frozen=True):
    """One input file. Bytes and files are streamed; they are never copied as a whole.

    `size` must be given for a `ByteSource`, and is worked out for the other kinds.
    """

    filename: str
    media_type: str
    data: bytes | Path | ByteSource
    size: int | None = None

    def __repr__(self) -> str:
        return repr_without(self, "data")


class RemotePicture(Struct, frozen=True):
    """One picture of an answer: an address to `download`, or the bytes themselves; one is set.

    Nothing here tells the format: trust the first bytes only (bot.images).
    """

    url: str | None = None
    data: bytes | None = None

    def __repr__(self) -> str:
        return repr_without(self, "data")


class Generation(Struct, frozen=True):
    """A finished request: one picture or several, for one cost."""

    pictures: tuple[RemotePicture, ...]
    """At least one."""
    cost_micros: Micros | None
    """For all pictures together; None when the field was missing or absurd, which is not free."""
    latency_ms: int | None = None
    """As the server measured it."""
    created_ms: int | None = None
    """Epoch ms; the server sends seconds for some models."""


class ProviderPrice(Struct, frozen=True):
    """What one provider of a model charges for one picture. None where nothing usable is said."""

    provider: str
    minimum: Micros | None
    average: Micros | None
    """May lie below `minimum`: the catalogue does that."""
    maximum: Micros | None
    kind: str = ""
    """`fixed`, `calculated`, `post_generation`, or whatever else the catalogue says."""
    model_name: str = ""
    """The provider's own name for the model."""


class CatalogueModel(Struct, frozen=True):
    """One entry of the catalogue."""

    id: str
    """Case-sensitive, as ImageRouter wants it back."""
    providers: tuple[ProviderPrice, ...] = ()
    """The first is the one normally used."""
    edit: bool = False
    mask: bool = False
    quality: bool = False
    sizes: tuple[str, ...] = ()
    """`WIDTHxHEIGHT` and `auto`, as listed; not enforced by ImageRouter."""
    release_date: str | None = None
    """Usually `YYYY-MM-DD`, not always."""
    output: tuple[str, ...] = ("image",)

    @property
    def about_micros(self) -> Micros | None:
        """The usual price: the first provider's average."""
        return self.providers[0].average if self.providers else None

    @property
    def at_most_micros(self) -> Micros | None:
        """The highest price over all providers; None when any of them names none."""
        highest = [price.maximum for price in self.providers]
        known = [maximum for maximum in highest if maximum is not None]
        return max(known) if known and len(known) == len(highest) else None


class ModelsPage(Struct, frozen=True):
    """An answer of the catalogue, in its sort order."""

    models: tuple[CatalogueModel, ...]
    skipped: int = 0
    """Entries that made no sense and were left out."""
    etag: str | None = None
    """Give it back as `etag` next time."""
    not_modified: bool = False
    """The catalogue is as it was for the given `etag`; `models` is empty."""


class KeyUsage(Struct, frozen=True):
    """What one key of the account was used for. Which key asked, ImageRouter does not say."""

    id: str
    name: str
    """As its owner called it; empty where the answer names none."""
    used: Micros | None
    is_active: bool


class Credits(Struct, frozen=True):
    """The account's money; None where the answer said nothing usable."""

    remaining: Micros | None
    """May be negative."""
    used: Micros | None
    """Deposits less what remains, so that paying in is no spending."""
    deposits: Micros | None
    keys: tuple[KeyUsage, ...] = ()
    """Where they were asked for, and the answer has them."""


class KeyCheck(Struct, frozen=True):
    """The key works; `balance` is the account's money, None when the answer did not say."""

    balance: Micros | None


class Download(Struct, frozen=True):
    """The bytes of a picture."""

    data: bytes
    media_type: str
    """As the header says, lower case without parameters, or empty; the bytes decide, not this."""

    def __repr__(self) -> str:
        return repr_without(self, "data")
