"""How messages come about, change and go: checked JSON and files become what people see.

The rules decide whether a body is allowed (`sandbox.discord.rules`), the routes whether the bot
may; this is what happens then.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from sandbox.discord.bodies import Body
from sandbox.discord.cdn import Cdn
from sandbox.discord.events import EventKind
from sandbox.discord.interactions import Interaction
from sandbox.discord.messages import (
    Attachment,
    Forwarded,
    Message,
    MessageFlag,
    MessageType,
    Sticker,
    UploadedFile,
    media_of,
    walk,
)
from sandbox.discord.places import Channel, JsonObject, User
from sandbox.discord.rules import Before, CheckedMessage, InteractionType, pings
from sandbox.discord.world import World

_LINK: Final = re.compile(r"(?<!<)https?://[^\s<>]+")
_MOST_PREVIEWS: Final = 5
_REFERENCE: Final = "attachment://"
_LASTING: Final = MessageFlag.EPHEMERAL | MessageFlag.LOADING | MessageFlag.HAS_SNAPSHOT
"""Flags that no edit changes."""
_LOADED, _NOT_FOUND = 2, 3
"""`loading_state` of a media item."""


class Post:
    """Writes into the world's channels."""

    def __init__(self, world: World, cdn: Cdn) -> None:
        self._world = world
        self._cdn = cdn

    def new(
        self,
        channel: Channel,
        author: User,
        checked: CheckedMessage,
        body: Body,
        *,
        interaction: Interaction | None = None,
        ephemeral: bool = False,
        stickers: Sequence[Sticker] = (),
        forwarded: Message | None = None,
    ) -> Message:
        """Post a new message; `forwarded` is the one that it passes on."""
        message = self._blank(channel, author, interaction, ephemeral=ephemeral)
        message.nonce = checked.nonce
        message.stickers = tuple(stickers)
        if forwarded is not None:
            message.forwarded = Forwarded.of(forwarded)
            message.flags |= MessageFlag.HAS_SNAPSHOT
        elif checked.reference_id is not None:
            message.type, message.reply_to = MessageType.REPLY, checked.reference_id
        self._fill(message, checked, body.files)
        self._world.message_changed(EventKind.MESSAGE_CREATED, message)
        return message

    def placeholder(self, interaction: Interaction, *, ephemeral: bool) -> Message:
        """Post the "is thinking" message of a deferred answer."""
        message = self._blank(
            interaction.channel, self._world.bot, interaction, ephemeral=ephemeral
        )
        message.flags |= MessageFlag.LOADING
        self._world.message_changed(EventKind.MESSAGE_CREATED, message)
        return message

    def edit(self, message: Message, checked: CheckedMessage, body: Body) -> None:
        """Change a message; a placeholder becomes a real message by it."""
        was_loading, before = message.loading, message.attachments
        self._fill(message, checked, body.files)
        self._cdn.forget(gone for gone in before if gone not in message.attachments)
        message.flags &= ~MessageFlag.LOADING
        if not was_loading:
            message.edited_ms = self._world.clock.now_ms()
        self._world.message_changed(EventKind.MESSAGE_UPDATED, message)

    def previews(self, text: str) -> list[dict[str, object]]:
        """Return the embeds that Discord makes of the links to pictures in a text."""
        urls = [url for url in dict.fromkeys(_LINK.findall(text)) if self._cdn.published(url)]
        previews: list[dict[str, object]] = [
            {"type": "image", "url": url, "thumbnail": {"url": url}} for url in urls
        ]
        return previews[:_MOST_PREVIEWS]

    def delete(self, message: Message) -> None:
        """Take a message away, with its files."""
        self._cdn.forget(message.attachments)
        self._world.message_changed(EventKind.MESSAGE_DELETED, message)

    def _blank(
        self,
        channel: Channel,
        author: User,
        interaction: Interaction | None,
        *,
        ephemeral: bool,
    ) -> Message:
        message = Message(
            id=self._world.snowflakes.make(),
            channel_id=channel.id,
            author=author,
            created_ms=self._world.clock.now_ms(),
        )
        if interaction is None:
            return message
        if ephemeral:
            message.flags |= MessageFlag.EPHEMERAL
            message.ephemeral_to = interaction.user.id
        message.interaction_id = interaction.id
        message.interaction_name = interaction.name
        message.interaction_type = int(interaction.kind)
        message.interaction_user = interaction.user
        message.authorized_by = interaction.authorized_by
        if interaction.original is not None:
            message.type, message.reply_to = MessageType.REPLY, interaction.original.id
        elif interaction.kind is InteractionType.COMMAND:
            message.type = (
                MessageType.MENU_COMMAND if interaction.from_menu else MessageType.SLASH_COMMAND
            )
        elif interaction.source is not None:
            message.type, message.reply_to = MessageType.REPLY, interaction.source.id
        return message

    def _fill(
        self, message: Message, checked: CheckedMessage, files: Mapping[int, UploadedFile]
    ) -> None:
        """Give a message its new whole content; its visibility stays what it is."""
        kept = {attachment.id: attachment for attachment in message.attachments}
        message.attachments = [
            self._cdn.keep(
                files[plan.id],
                snowflakes=self._world.snowflakes,
                channel_id=message.channel_id,
                ephemeral=message.ephemeral_to is not None,
                description=plan.description,
                filename=plan.filename,
            )
            if plan.new
            else kept[plan.id]
            for plan in checked.attachments
        ]
        message.flags = (checked.flags & ~_LASTING) | (message.flags & _LASTING)
        message.content = checked.content
        message.stored_embeds = [dict(embed) for embed in checked.embeds]
        message.stored_components = [dict(component) for component in checked.components]
        for component in walk(message.stored_components):
            for media in media_of(component):
                self._resolve(media, message.attachments)
            if isinstance(component.get("file"), dict):
                _describe_file(component, message.attachments)
        for embed in message.stored_embeds:
            for key in ("image", "thumbnail"):
                if isinstance(embed.get(key), dict):
                    embed[key] = dict(embed[key])
                    self._resolve(embed[key], message.attachments)
        self._ping(message, checked)

    def _resolve(self, media: JsonObject, attachments: list[Attachment]) -> None:
        """Let a media item name the attachment that its `url` means, if it means one."""
        url = str(media.get("url") or "")
        found: Attachment | None = None
        if url.startswith(_REFERENCE):
            name = url.removeprefix(_REFERENCE)
            found = next((a for a in reversed(attachments) if a.filename == name), None)
        else:
            linked = self._cdn.find(url)
            found = linked if linked in attachments else None
        media.pop("attachment_id", None)
        if found is None:
            self._resolve_outside(media, url)
            return
        media.update(
            url=f"{_REFERENCE}{found.filename}",
            attachment_id=str(found.id),
            content_type=found.content_type,
            width=found.width,
            height=found.height,
            loading_state=_LOADED,
            flags=0,
        )

    def _resolve_outside(self, media: JsonObject, url: str) -> None:
        """Let a media item of the web have what the media proxy knows of it."""
        picture = self._cdn.published(url)
        media["proxy_url"] = self._cdn.proxied(url)
        media["loading_state"] = _LOADED if picture is not None else _NOT_FOUND
        if picture is not None:
            media |= {
                "width": picture.width,
                "height": picture.height,
                "content_type": picture.content_type,
                "flags": 0,
            }

    def _ping(self, message: Message, checked: CheckedMessage) -> None:
        said: JsonObject = {"content": checked.content, "components": checked.components}
        if checked.reference_id is not None:
            said["message_reference"] = {"message_id": str(checked.reference_id)}
        found = pings(said, checked.allowed_mentions)
        message.pinged_everyone = found.everyone
        message.pinged = frozenset(user for user in found.users if user in self._world.users)
        message.pinged_roles = frozenset(found.roles)
        if found.replied_user and message.reply_to is not None:
            replied = self._world.message(message.channel_id, message.reply_to)
            if replied is not None:
                message.pinged |= {replied.author.id}


def before(message: Message) -> Before:
    """Return a stored message as the rules want to see what an edit changes."""
    return Before(
        content=message.content,
        embeds=message.stored_embeds,
        components=message.stored_components,
        flags=int(message.flags),
        attachments={attachment.id: attachment.filename for attachment in message.attachments},
    )


def _describe_file(component: JsonObject, attachments: list[Attachment]) -> None:
    """Add to a file component what Discord tells about its file."""
    attachment_id = component["file"].get("attachment_id")
    for attachment in attachments:
        if str(attachment.id) == attachment_id:
            component["name"], component["size"] = attachment.filename, attachment.size
