"""The local Discord's people, places and messages as the JSON that the page draws.

Ids are strings, because JavaScript's numbers cannot hold them; times are epoch milliseconds. What
a person may not see is left out here, so that the page never has to hide anything.
"""

from collections.abc import Iterator, Sequence

from sandbox.discord import (
    Attachment,
    Channel,
    Command,
    DiscordServer,
    Message,
    MessageFlag,
    Modal,
    Permission,
    Person,
    Sticker,
    StickerFormat,
    User,
    World,
)
from sandbox.discord.places import JsonObject

_SHOWN = 200
"""Messages that a channel opens with; nobody scrolls further back in a sandbox."""
_COMMAND_INTERACTION = 2
_SUBCOMMAND = 1
_GROUP = 2


def world_view(discord: DiscordServer, user: User) -> JsonObject:
    """Return everything around the chat: people, guilds with channels, direct messages, groups."""
    world = discord.world
    return {
        "person": user.username,
        "people": [_person(world, one) for one in people_of(world)],
        "bot": _author(world.bot, world.bot.name),
        "online": discord.core.gateway.online,
        "now_ms": world.clock.now_ms(),
        "guilds": [
            {
                "id": str(guild.id),
                "name": guild.name,
                "channels": [
                    {
                        "id": str(channel.id),
                        "name": channel.name,
                        "threads": [
                            {"id": str(thread.id), "name": thread.name}
                            for thread in guild.threads.values()
                            if thread.parent_id == channel.id
                        ],
                    }
                    for channel in sorted(guild.channels.values(), key=lambda one: one.position)
                    if may_see(world, user, channel)
                ],
            }
            for guild in world.guilds.values()
            if user.id in guild.members
        ],
        "direct": {"id": str(world.direct_channel(user).id), "name": world.bot.name},
        "groups": [
            {"id": str(channel.id), "name": _others(world, user, channel)}
            for channel in world.channels.values()
            if user.id in channel.people
        ],
        "installed": user.has_installed,
        "installable": world.application.user_installs,
    }


def room_view(discord: DiscordServer, person: Person, channel: Channel) -> JsonObject:
    """Return one channel: its messages, the commands usable there, and names for mentions."""
    world = discord.world
    guild = world.guild_of(channel)
    if channel.people:
        title = _others(world, person.user, channel)
        about = f"A talk of yours. {world.bot.name} is no part of it, but may be in your account."
    elif guild is None:
        title, about = f"@{world.bot.name}", "Messages between you and the bot."
    elif channel.parent_id is not None:
        parent = guild.channels[channel.parent_id]
        title, about = f"#{parent.name} / {channel.name}", f"A thread in #{parent.name}."
    else:
        title, about = f"#{channel.name}", channel.topic or f"A channel of {guild.name}."
    return {
        "id": str(channel.id),
        "title": title,
        "about": about,
        "messages": [
            message_view(discord, person.user, one) for one in person.messages(channel)[-_SHOWN:]
        ],
        "commands": [
            entry for one in person.commands_in(channel) for entry in command_entries(one)
        ],
        "people": _around(world, channel, person.user),
        "names": _names(world),
    }


def message_view(discord: DiscordServer, viewer: User, message: Message) -> JsonObject:
    """Return one message as `viewer` sees it."""
    world = discord.world
    return {
        "id": str(message.id),
        "channel_id": str(message.channel_id),
        "author": _author(message.author, _name_in(world, message)),
        **_content(message, discord.cdn_url),
        "forwarded": None
        if message.forwarded is None
        else _content(message.forwarded.snapshot, discord.cdn_url),
        "ephemeral": message.ephemeral_to is not None,
        "loading": message.loading,
        "created_ms": message.created_ms,
        "edited_ms": message.edited_ms,
        "interaction": _interaction(message, viewer),
        "reply": _reply(world, viewer, message),
        "pinged": viewer.id in message.pinged or message.pinged_everyone,
    }


def _content(message: Message, cdn_url: str) -> JsonObject:
    """Return what a message holds, which is also what a forwarded one shows."""
    return {
        "content": message.content,
        "embeds": message.embeds,
        "components": message.components,
        "layout": bool(message.flags & MessageFlag.COMPONENTS_V2),
        "attachments": [_attachment(one) for one in message.attachments],
        "stickers": [_sticker(one, cdn_url) for one in message.stickers],
    }


def _sticker(sticker: Sticker, cdn_url: str) -> JsonObject:
    drawn = sticker.format is StickerFormat.LOTTIE
    return {
        "name": sticker.name,
        "url": None if drawn else f"{cdn_url}/stickers/{sticker.id}.png",
    }


def modal_view(modal: Modal, key: str) -> JsonObject:
    """Return a modal; `key` is how the page names it when it is filled in."""
    return {"key": key, "title": modal.title, "components": modal.components}


def may_see(world: World, user: User, channel: Channel) -> bool:
    """Tell whether `user` can open `channel`."""
    return bool(world.permissions(user, channel) & Permission.VIEW_CHANNEL)


def sees(user: User, message: Message) -> bool:
    """Tell whether `message` is shown to `user` in a channel that they can open."""
    return message.ephemeral_to in (None, user.id)


def people_of(world: World) -> list[User]:
    """Everyone whom one can be: members, then administrators, then operators; stable."""
    people = [user for user in world.users.values() if not user.bot]
    return sorted(people, key=lambda user: (_rank(world, user), user.id))


def _rank(world: World, user: User) -> int:
    if _operates(world, user):
        return 2
    return 1 if _administrates(world, user) else 0


def _operates(world: World, user: User) -> bool:
    return user in (world.application.owner, *world.application.team)


def _administrates(world: World, user: User) -> bool:
    return any(world.is_administrator(guild, user) for guild in world.guilds.values())


def _person(world: World, user: User) -> JsonObject:
    if _operates(world, user):
        marks = ["operator"]
    elif _administrates(world, user):
        marks = ["admin"]
    else:
        marks = ["member", *_role_names(world, user)]
    return {"key": user.username, "name": user.name, "marks": marks}


def _role_names(world: World, user: User) -> Iterator[str]:
    for guild in world.guilds.values():
        member = guild.members.get(user.id)
        for role_id in member.role_ids if member else ():
            yield guild.roles[role_id].name.lower()


def _author(user: User, name: str) -> JsonObject:
    return {"id": str(user.id), "name": name, "bot": user.bot}


def _name_in(world: World, message: Message) -> str:
    guild = world.guild_of(world.channels[message.channel_id])
    member = guild.members.get(message.author.id) if guild else None
    return member.name if member else message.author.name


def _attachment(attachment: Attachment) -> JsonObject:
    return {
        "id": str(attachment.id),
        "filename": attachment.filename,
        "content_type": attachment.content_type,
        "size": attachment.size,
        "url": attachment.url,
        "width": attachment.width,
        "height": attachment.height,
        "description": attachment.description,
        "spoiler": attachment.spoiler,
    }


def _interaction(message: Message, viewer: User) -> JsonObject | None:
    """Who used which command; answers to buttons are shown as replies instead."""
    if message.interaction_user is None or message.interaction_type != _COMMAND_INTERACTION:
        return None
    return {
        "user": message.interaction_user.name,
        "command": message.interaction_name,
        "own": message.interaction_user is viewer,
    }


def _reply(world: World, viewer: User, message: Message) -> JsonObject | None:
    if message.reply_to is None:
        return None
    first = world.message(message.channel_id, message.reply_to)
    if first is None or not sees(viewer, first):
        return {"author": None, "text": "Original message was deleted"}
    lines = first.text.strip().splitlines() or ["Click to see the message"]
    return {
        "author": _name_in(world, first),
        "text": lines[0].lstrip("#>-* ")[:120],
        "id": str(first.id),
    }


def command_entries(command: Command) -> Iterator[JsonObject]:
    """Yield a command, or each of its subcommands, as one entry of the page's list."""
    leaves = _leaves(command.name, command.description, command.options)
    for name, description, options in leaves:
        yield {
            "id": str(command.id),
            "name": name,
            "description": description,
            "type": command.type,
            "options": options,
        }


def _leaves(
    name: str, description: str, options: Sequence[JsonObject]
) -> Iterator[tuple[str, str, Sequence[JsonObject]]]:
    if not any(option["type"] in (_SUBCOMMAND, _GROUP) for option in options):
        yield name, description, options
        return
    for option in options:
        yield from _leaves(
            f"{name} {option['name']}", str(option["description"]), option.get("options") or []
        )


def _around(world: World, channel: Channel, viewer: User) -> JsonObject:
    """Whom and what a select or an option can name in this place."""
    guild = world.guild_of(channel)
    if guild is None:
        inside = [world.users[one] for one in channel.people] or [viewer, world.bot]
        return {"users": [_named(user) for user in inside], "roles": [], "channels": []}
    return {
        "users": [{"id": str(one.user.id), "name": one.name} for one in guild.members.values()],
        "roles": [
            {"id": str(role.id), "name": role.name}
            for role in guild.roles.values()
            if role.id != guild.id
        ],
        "channels": [
            {"id": str(channel.id), "name": channel.name}
            for channel in (*guild.channels.values(), *guild.threads.values())
            if may_see(world, viewer, channel)
        ],
    }


def _others(world: World, user: User, channel: Channel) -> str:
    """Name a talk of people as those of them call it."""
    return ", ".join(world.users[one].name for one in channel.people if one != user.id)


def _named(user: User) -> JsonObject:
    return {"id": str(user.id), "name": user.name}


def _names(world: World) -> JsonObject:
    return {
        "users": {str(user.id): user.name for user in world.users.values()},
        "roles": {
            str(role.id): role.name
            for guild in world.guilds.values()
            for role in guild.roles.values()
        },
        "channels": {str(channel.id): channel.name for channel in world.channels.values()},
    }
