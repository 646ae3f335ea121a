"""A local Discord over real sockets.

A server (REST, gateway, CDN) that is as strict as Discord, the world behind it, and people who use
the bot as they would in Discord's client.
"""

from sandbox.discord.asks import Ask
from sandbox.discord.client import NotPossibleError
from sandbox.discord.events import EventKind, WorldEvent
from sandbox.discord.faults import Faults, Gate
from sandbox.discord.front import RecordedRequest
from sandbox.discord.messages import (
    Attachment,
    Button,
    Choice,
    Message,
    MessageFlag,
    Modal,
    Select,
    Sticker,
    StickerFormat,
    UploadedFile,
)
from sandbox.discord.people import Person
from sandbox.discord.permissions import Permission
from sandbox.discord.places import (
    Application,
    Channel,
    ChannelType,
    Command,
    Guild,
    JsonObject,
    Member,
    Role,
    User,
)
from sandbox.discord.server import DiscordServer, connect_discord_py
from sandbox.discord.town import default_world
from sandbox.discord.world import World

__all__ = [
    "Application",
    "Ask",
    "Attachment",
    "Button",
    "Channel",
    "ChannelType",
    "Choice",
    "Command",
    "DiscordServer",
    "EventKind",
    "Faults",
    "Gate",
    "Guild",
    "JsonObject",
    "Member",
    "Message",
    "MessageFlag",
    "Modal",
    "NotPossibleError",
    "Permission",
    "Person",
    "RecordedRequest",
    "Role",
    "Select",
    "Sticker",
    "StickerFormat",
    "UploadedFile",
    "User",
    "World",
    "WorldEvent",
    "connect_discord_py",
    "default_world",
]
