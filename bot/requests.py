"""What a person asked for, as plain data: no Discord, no HTTP, no SQL.

A cog builds these from an interaction, and nothing below the cogs sees an interaction.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct, convert, to_builtins
from msgspec.structs import replace

from bot.hiding import repr_without

NO_GUILD: Final = 0
"""The `guild_id` of a direct message."""


class Quality(StrEnum):
    """How much effort the provider spends; `auto` leaves the choice to it."""

    AUTO = "auto"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class OutputFormat(StrEnum):
    """The picture format asked for; providers may answer with another one."""

    WEBP = "webp"
    JPEG = "jpeg"
    PNG = "png"


class Actor(Struct, frozen=True):
    """Who asks, and where: everything that quotas and policies look at."""

    user_id: int
    guild_id: int
    """`NO_GUILD` in a direct message, and in a server that does not have the bot."""
    channel_id: int
    """0 in a server that does not have the bot: no channel of theirs has limits here."""
    role_ids: tuple[int, ...] = ()
    is_operator: bool = False
    age_restricted: bool = False
    """Whether Discord lets only adults into the channel."""


class Area(StrEnum):
    """A part of a picture that needs no mask file to be named."""

    LEFT = "left"
    RIGHT = "right"
    TOP = "top"
    BOTTOM = "bottom"
    CENTER = "center"
    BORDER = "border"
    BACKGROUND = "background"
    """What is transparent in the picture already."""


class Source(Struct, frozen=True):
    """A picture that a person gave, as a place where it can be read, again if need be."""

    url: str
    """A link of Discord's, which dies after a day; empty for a painted mask."""
    filename: str
    size: int = 0
    """Bytes, as Discord tells; 0 when it does not."""
    channel_id: int = 0
    message_id: int = 0
    """The message that shows it and can renew its link; 0 when it came with a command."""
    mask_id: int = 0
    """A painted mask that is kept in the database."""
    borrowed: bool = False
    """Somebody else gave it with a command, where nobody but them and the bot has seen it."""

    @property
    def place(self) -> str:
        """What stays the same of its link when Discord signs it anew."""
        return self.url.partition("?")[0]


class ImageRequest(Struct, frozen=True):
    """One job: `count` pictures of one prompt by one model, from pictures if there are any."""

    command: str
    prompt: str
    model: str | None = None
    """A catalogue id, or None for the default."""
    size: str = "auto"
    """`auto` or `WIDTHxHEIGHT` in pixels."""
    quality: Quality = Quality.AUTO
    output_format: OutputFormat = OutputFormat.WEBP
    count: int = 1
    private: bool = False
    """Only the person sees it; neither ImageRouter nor the bot keeps prompt or picture."""
    images: tuple[Source, ...] = ()
    """What is edited; the first is the one that a mask or an area belongs to."""
    mask: Source | None = None
    area: Area | None = None
    invert: bool = False
    """Edit what the mask or the area leaves out."""
    mask_checked: bool = False
    """The person has seen that the mask covers nothing or everything, and wants it so."""
    models: tuple[str, ...] = ()
    """Models to compare, with a picture by each: in place of `model`, and as many as `count`."""

    def by_models(self, names: Sequence[str]) -> "ImageRequest":
        """Return the same wish for other models: compared when there are several."""
        models = tuple(names) if len(names) > 1 else ()
        model = None if models else names[0]
        return replace(self, model=model, models=models, count=len(names))

    def each(self) -> tuple["ImageRequest", ...]:
        """A request for each of the models that are compared; none when none are."""
        return tuple(self.by_models([name]) for name in self.models)

    @property
    def is_edit(self) -> bool:
        """Whether pictures go in."""
        return bool(self.images)

    @property
    def is_masked(self) -> bool:
        """Whether only a part may change."""
        return self.mask is not None or self.area is not None


_INPUTS: Final = ("images", "mask", "area", "invert", "mask_checked")


def inputs_of(request: ImageRequest) -> dict[str, Any]:
    """What an edit starts from, for JSON; `with_inputs` reads it."""
    return {name: value for name, value in to_builtins(request).items() if name in _INPUTS}


def with_inputs(request: ImageRequest, entry: Mapping[str, Any]) -> ImageRequest:
    """Return `request` with what `inputs_of` wrote."""
    area, mask = entry["area"], entry["mask"]
    return replace(
        request,
        images=tuple(Source(**each) for each in entry["images"]),
        mask=None if mask is None else Source(**mask),
        area=None if area is None else Area(area),
        invert=entry["invert"],
        mask_checked=entry["mask_checked"],
    )


def request_from(entry: Mapping[str, Any]) -> ImageRequest:
    """Rebuild a request from what `msgspec.to_builtins` and JSON have made of it."""
    return convert(entry, ImageRequest)


class ReplyRoute(Struct, frozen=True):
    """How to reach the message that answers an interaction, now or after a restart."""

    application_id: int
    token: str
    """The interaction's token; anyone who has it can write as the bot, so it is never shown."""
    expires_at_ms: int
    """When the token stops working, less a minute of margin (epoch ms)."""
    channel_id: int
    message_id: int
    """The deferred answer's message."""
    upload_limit: int
    """Bytes that one attachment may have there."""

    def __repr__(self) -> str:
        return repr_without(self, "token")
