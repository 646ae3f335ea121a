"""Messages as people see them, and the parts they are made of; plain data with a few readers.

How a message comes about and changes is `posting.py`; how it looks on the wire is `wire.py`.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Final, Self

from sandbox.discord.places import JsonObject, User

_SELECTS: Final = frozenset({3, 5, 6, 7, 8})
_BUTTON: Final = 2
_TEXT_DISPLAY: Final = 10


class MessageFlag(IntFlag):
    """The message flags that the sandbox sets or reads."""

    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    HAS_SNAPSHOT = 1 << 14
    """It forwards another message."""
    COMPONENTS_V2 = 1 << 15


class MessageType(IntEnum):
    """The message types that the sandbox makes."""

    DEFAULT = 0
    REPLY = 19
    SLASH_COMMAND = 20
    MENU_COMMAND = 23


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file that somebody sends."""

    filename: str
    data: bytes = field(repr=False)
    content_type: str | None = None
    """None: guessed from the name, as Discord does."""
    description: str | None = None


@dataclass(eq=False, slots=True)
class Attachment:
    """A file that Discord keeps; its links are signed and die after a day, the id lives on."""

    id: int
    filename: str
    content_type: str
    data: bytes = field(repr=False)
    channel_id: int
    link: Callable[["Attachment"], str] = field(repr=False)
    """Makes a fresh signed link; given by the CDN."""
    width: int | None = None
    """Pixels; None when it is no picture."""
    height: int | None = None
    description: str | None = None
    ephemeral: bool = False
    spoiler: bool = False

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data)

    @property
    def url(self) -> str:
        """A link that works for 24 hours from now, by the sandbox's clock."""
        return self.link(self)

    @property
    def proxy_url(self) -> str:
        """The same by way of the media proxy."""
        return self.link(self)


class StickerFormat(IntEnum):
    """What a sticker is made of; `LOTTIE` is drawn by clients and has no still."""

    PNG = 1
    APNG = 2
    LOTTIE = 3
    GIF = 4


@dataclass(frozen=True, slots=True)
class Sticker:
    """A sticker; messages name it, the CDN has it."""

    id: int
    name: str
    format: StickerFormat
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Button:
    """A button that a person can see."""

    label: str
    custom_id: str | None
    url: str | None
    disabled: bool
    style: int


@dataclass(frozen=True, slots=True)
class Select:
    """A select menu that a person can see."""

    custom_id: str
    type: int
    """3 strings, 5 users, 6 roles, 7 mentionables, 8 channels."""
    options: tuple[JsonObject, ...]
    placeholder: str
    min_values: int
    max_values: int
    disabled: bool


@dataclass(eq=False, slots=True)
class Message:
    """One message, the same object through all its edits."""

    id: int
    channel_id: int
    author: User
    created_ms: int
    content: str = ""
    stored_embeds: list[JsonObject] = field(default_factory=list, repr=False)
    stored_components: list[JsonObject] = field(default_factory=list, repr=False)
    """Components whose media name the attachments by id; see `components`."""
    attachments: list[Attachment] = field(default_factory=list)
    stickers: tuple[Sticker, ...] = ()
    flags: int = 0
    type: int = MessageType.DEFAULT
    ephemeral_to: int | None = None
    """The only user who sees it; None when it is for everybody."""
    deleted: bool = False
    edited_ms: int | None = None
    interaction_id: int | None = None
    interaction_name: str = ""
    """The command or component that brought it about, as people see it, e.g. `/imagine`."""
    interaction_type: int = 0
    interaction_user: User | None = None
    authorized_by: int | None = None
    """Whose own installation of the application it comes from, if from any."""
    nonce: str | int | None = None
    forwarded: "Forwarded | None" = None
    reply_to: int | None = None
    """The message that this one answers."""
    pinged: frozenset[int] = frozenset()
    """Users who were notified by name."""
    pinged_roles: frozenset[int] = frozenset()
    pinged_everyone: bool = False
    """Whether it would notify everyone, were its author allowed to; roles likewise."""

    @property
    def loading(self) -> bool:
        """Whether it still says "is thinking"."""
        return bool(self.flags & MessageFlag.LOADING)

    @property
    def edited_at(self) -> int | None:
        """When it was last edited, in milliseconds since the Unix epoch; None if never."""
        return self.edited_ms

    @property
    def components(self) -> list[JsonObject]:
        """The components as Discord returns them, with links that work now."""
        by_id = {attachment.id: attachment for attachment in self.attachments}
        return [linked(component, by_id) for component in self.stored_components]

    @property
    def embeds(self) -> list[JsonObject]:
        """The embeds as Discord returns them, with links that work now."""
        by_id = {attachment.id: attachment for attachment in self.attachments}
        return [linked(embed, by_id) for embed in self.stored_embeds]

    @property
    def text(self) -> str:
        """The content and all text displays, in order, one a line."""
        displays = (
            str(component["content"])
            for component in walk(self.stored_components)
            if component.get("type") == _TEXT_DISPLAY
        )
        return "\n".join(part for part in (self.content, *displays) if part)

    @property
    def buttons(self) -> list[Button]:
        """Every button, in reading order."""
        return [
            Button(
                label=str(component.get("label") or ""),
                custom_id=component.get("custom_id"),
                url=component.get("url"),
                disabled=bool(component.get("disabled")),
                style=int(component["style"]),
            )
            for component in walk(self.stored_components)
            if component.get("type") == _BUTTON
        ]

    @property
    def selects(self) -> list[Select]:
        """Every select menu, in reading order."""
        return [
            Select(
                custom_id=str(component["custom_id"]),
                type=int(component["type"]),
                options=tuple(component.get("options") or ()),
                placeholder=str(component.get("placeholder") or ""),
                min_values=int(component.get("min_values", 1)),
                max_values=int(component.get("max_values", 1)),
                disabled=bool(component.get("disabled")),
            )
            for component in walk(self.stored_components)
            if component.get("type") in _SELECTS
        ]

    def component(self, custom_id: str) -> JsonObject | None:
        """Return the component with that custom id, or None."""
        for component in walk(self.stored_components):
            if component.get("custom_id") == custom_id:
                return component
        return None


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A message that another one forwards, as it was then; its files are still the first one's."""

    message_id: int
    channel_id: int
    snapshot: Message

    @classmethod
    def of(cls, message: Message) -> Self:
        """Take a snapshot."""
        return cls(message.id, message.channel_id, copy(message))


@dataclass(frozen=True, slots=True)
class Modal:
    """A form that the bot showed to one person."""

    custom_id: str
    title: str
    components: list[JsonObject]
    """As the bot sent them, ids filled in."""
    interaction_id: int
    """The interaction that it answered."""
    user_id: int
    channel_id: int
    source: Message | None = field(default=None, repr=False)
    """The message whose component opened it, if one did."""
    authorized_by: int | None = None
    """Whose own installation of the application it comes from, if from any."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One suggestion of an autocomplete."""

    name: str
    value: str | int | float


def walk(components: Sequence[JsonObject]) -> Iterator[JsonObject]:
    """Yield every component, parents before children, in reading order."""
    for component in components:
        yield component
        children = component.get("components")
        if isinstance(children, list):
            yield from walk(children)
        for key in ("accessory", "component"):
            child = component.get(key)
            if isinstance(child, dict):
                yield from walk([child])


def media_of(component: JsonObject) -> Iterator[JsonObject]:
    """Yield the media items that this component itself shows (not those of its children)."""
    for key in ("media", "file"):
        media = component.get(key)
        if isinstance(media, dict):
            yield media
    items = component.get("items")
    if isinstance(items, list):
        for item in items:
            yield item["media"]


def linked(value: JsonObject, attachments: dict[int, Attachment]) -> JsonObject:
    """Return a deep copy of a component in which media carry fresh links."""
    result: JsonObject = {}
    for key, inner in value.items():
        if isinstance(inner, dict):
            result[key] = linked(inner, attachments)
        elif isinstance(inner, list):
            result[key] = [linked(i, attachments) if isinstance(i, dict) else i for i in inner]
        else:
            result[key] = inner
    attachment_id = result.get("attachment_id")
    if attachment_id is not None:
        attachment = attachments.get(int(attachment_id))
        if attachment is not None:
            result["url"] = attachment.url
            result["proxy_url"] = attachment.proxy_url
    return result
