"""What a person says about a picture beside its prompt, or has said once for every picture.

Plain data: who keeps it is `bot.preferences`, who asks for it are the commands.
"""

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import TypeAlias

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


@dataclass(frozen=True, slots=True)
class Wishes:
    """Options of a picture; None where nothing is said."""

    model: str | None = None
    size: str | None = None
    quality: Quality | None = None
    output_format: OutputFormat | None = None
    private: bool | None = None

    def or_else(self, others: "Wishes") -> "Wishes":
        """Return these wishes, and where they say nothing those of `others`."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        said = {name: value for name, value in own.items() if value is not None}
        return replace(others, **said)

    def request(self, command: str, prompt: str, *, count: int = 1) -> ImageRequest:
        """Make a request of them; what they leave open is as it is for everybody."""
        return self.fill(ImageRequest(command, prompt, self.model, count=count))

    def fill(self, request: ImageRequest) -> ImageRequest:
        """Return `request` with these options, but for the model."""
        return replace(
            request,
            size=request.size if self.size is None else self.size,
            quality=self.quality or request.quality,
            output_format=self.output_format or request.output_format,
            private=request.private if self.private is None else self.private,
        )
