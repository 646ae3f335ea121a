"""What a person says about a picture beside its prompt, or has said once for every picture.

Plain data: who keeps it is `bot.preferences`, who asks for it are the commands.
"""

from enum import StrEnum
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from bot.requests import ImageRequest, OutputFormat, Quality


class Wish(StrEnum):
    """An option that a person may set once for every picture."""

    MODEL = "model"
    SIZE = "size"
    QUALITY = "quality"
    FORMAT = "format"
    PRIVATE = "private"


WishValue: TypeAlias = str | bool | None
"""What an option is set to: yes or no for privacy, else a text; None: nothing."""


class Wishes(Struct, frozen=True):
    """Options of a picture; None where nothing is said."""

    model: str | None = None
    size: str | None = None
    quality: Quality | None = None
    output_format: OutputFormat | None = None
    private: bool | None = None

    def or_else(self, others: "Wishes") -> "Wishes":
        """Return these wishes, and where they say nothing those of `others`."""
        return Wishes(
            model=others.model if self.model is None else self.model,
            size=others.size if self.size is None else self.size,
            quality=others.quality if self.quality is None else self.quality,
            output_format=others.output_format
            if self.output_format is None
            else self.output_format,
            private=others.private if self.private is None else self.private,
        )

    def request(self, command: str, prompt: str, *, count: int = 1) -> ImageRequest:
        """Make a request of them; what they leave open is as it is for everybody."""
        return self.fill(ImageRequest(command, prompt, self.model, count=count))

    def fill(self, request: ImageRequest) -> ImageRequest:
        """Return `request` with these options, but for the model."""
        options: dict[str, Any] = {
            "size": self.size,
            "quality": self.quality,
            "output_format": self.output_format,
            "private": self.private,
        }
        said = {name: value for name, value in options.items() if value is not None}
        return replace(request, **said) if said else request
