"""How people, places and messages look in Discord's JSON: it reads the world, changes nothing."""

from datetime import UTC, datetime
from typing import Final

from sandbox.discord.messages import (
    Attachment,
    Forwarded,
    Message,
    MessageType,
    Sticker,
    media_of,
    walk,
)
from sandbox.discord.places import (
    Application,
    Channel,
    ChannelType,
    Guild,
    JsonObject,
    Member,
    Role,
    User,
)
from sandbox.discord.rules import InteractionType
from sandbox.discord.snowflakes import created_ms
from sandbox.discord.world import World

MESSAGE_CONTENT: Final = 1 << 15
"""The privileged intent without which others' words and files are kept from a bot."""


def timestamp(when_ms: int) -> str:
    """Return a moment (epoch ms) as Discord writes it."""
    return datetime.fromtimestamp(when_ms / 1000, UTC).isoformat(timespec="milliseconds")


def user_json(user: User) -> JsonObject:
    """Write a user."""
    return {
        "id": str(user.id),
        "username": user.username,
        "global_name": user.global_name,
        "discriminator": "0000" if user.bot else "0",
        "avatar": user.avatar,
        "bot": user.bot,
        "public_flags": 0,
        "avatar_decoration_data": None,
    }


def own_user_json(application: Application) -> JsonObject:
    """Write the bot as it sees itself."""
    return {
        **user_json(application.bot),
        "verified": True,
        "mfa_enabled": True,
        "email": None,
        "locale": "en-US",
        "flags": 0,
    }


def application_json(application: Application) -> JsonObject:
    """Write the application as its bot sees it."""
    team = None
    if application.team:
        team = {
            "id": str(application.id + 1),
            "name": f"{application.name} team",
            "icon": None,
            "owner_user_id": str(application.owner.id),
            "members": [
                {
                    "team_id": str(application.id + 1),
                    "membership_state": 2,
                    "permissions": ["*"],
                    "role": "admin",
                    "user": user_json(member),
                }
                for member in application.team
            ],
        }
    return {
        "id": str(application.id),
        "name": application.name,
        "icon": None,
        "description": application.description,
        "summary": "",
        "type": None,
        "verify_key": "0" * 64,
        "privacy_policy_url": application.privacy_policy_url,
        "flags": 0,
        "bot": user_json(application.bot),
        "bot_public": application.public,
        "bot_require_code_grant": False,
        "owner": user_json(application.owner),
        "team": team,
        "hook": True,
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "integration_types_config": {"0": {}} | ({"1": {}} if application.user_installs else {}),
        "approximate_guild_count": 0,
    }


def role_json(role: Role) -> JsonObject:
    """Write a role."""
    return {
        "id": str(role.id),
        "name": role.name,
        "color": role.color,
        "colors": {"primary_color": role.color, "secondary_color": None, "tertiary_color": None},
        "hoist": role.hoist,
        "icon": None,
        "unicode_emoji": None,
        "position": role.position,
        "permissions": str(int(role.permissions)),
        "managed": role.managed,
        "mentionable": role.mentionable,
        "flags": 0,
    }


def member_json(member: Member, *, permissions: int | None = None) -> JsonObject:
    """Write a member; `permissions` only in interactions and their resolved data."""
    result: JsonObject = {
        "user": user_json(member.user),
        "nick": member.nick,
        "avatar": None,
        "banner": None,
        "roles": [str(role_id) for role_id in member.role_ids],
        "joined_at": timestamp(member.joined_ms),
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
        "communication_disabled_until": None,
    }
    if permissions is not None:
        result["permissions"] = str(permissions)
    return result


def channel_json(world: World, channel: Channel) -> JsonObject:
    """Write a channel of a guild, a thread, direct messages or a group."""
    last = None if channel.last_message_id is None else str(channel.last_message_id)
    if channel.type is ChannelType.THREAD:
        return _thread_json(world, channel) | {"last_message_id": last}
    if channel.type is not ChannelType.TEXT:
        recipients = channel.people or (channel.recipient_id or 0,)
        private: JsonObject = {
            "id": str(channel.id),
            "type": int(channel.type),
            "recipients": [user_json(world.users[recipient]) for recipient in recipients],
            "last_message_id": last,
            "flags": 0,
        }
        if channel.type is ChannelType.GROUP:
            private |= {"name": None, "icon": None, "owner_id": str(channel.people[0])}
        return private
    return {
        "id": str(channel.id),
        "type": int(ChannelType.TEXT),
        "guild_id": str(channel.guild_id),
        "name": channel.name,
        "position": channel.position,
        "topic": channel.topic,
        "nsfw": channel.nsfw,
        "parent_id": None,
        "rate_limit_per_user": 0,
        "last_message_id": last,
        "flags": 0,
        "permission_overwrites": [
            {
                "id": str(overwrite.id),
                "type": int(overwrite.is_member),
                "allow": str(int(overwrite.allow)),
                "deny": str(int(overwrite.deny)),
            }
            for overwrite in channel.overwrites.values()
        ],
    }


def _thread_json(world: World, thread: Channel) -> JsonObject:
    count = len(world.history[thread.id]) if thread.id in world.history else 0
    begun = timestamp(created_ms(thread.id))
    return {
        "id": str(thread.id),
        "type": int(ChannelType.THREAD),
        "guild_id": str(thread.guild_id),
        "parent_id": str(thread.parent_id),
        "owner_id": str(thread.owner_id),
        "name": thread.name,
        "rate_limit_per_user": 0,
        "message_count": count,
        "total_message_sent": count,
        "member_count": 1,
        "flags": 0,
        "thread_metadata": {
            "archived": False,
            "auto_archive_duration": 10080,
            "archive_timestamp": begun,
            "create_timestamp": begun,
            "locked": False,
        },
    }


def guild_json(guild: Guild) -> JsonObject:
    """Write a guild as `GET /guilds/{id}` returns it."""
    return {
        "id": str(guild.id),
        "name": guild.name,
        "icon": guild.icon,
        "splash": None,
        "discovery_splash": None,
        "banner": None,
        "description": None,
        "owner_id": str(guild.owner_id),
        "region": "deprecated",
        "afk_channel_id": None,
        "afk_timeout": 300,
        "verification_level": 1,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "roles": [role_json(role) for role in guild.roles.values()],
        "emojis": [],
        "stickers": [],
        "features": [],
        "mfa_level": 0,
        "nsfw_level": 0,
        "application_id": None,
        "system_channel_id": str(next(iter(guild.channels))) if guild.channels else None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "public_updates_channel_id": None,
        "vanity_url_code": None,
        "premium_tier": guild.premium_tier,
        "premium_subscription_count": 0,
        "premium_progress_bar_enabled": False,
        "preferred_locale": guild.locale,
        "widget_enabled": False,
        "max_members": 500_000,
        "incidents_data": None,
    }


def guild_create_json(world: World, guild: Guild) -> JsonObject:
    """Write a guild as the gateway sends it: without privileged intents, only the bot is in it."""
    return {
        **guild_json(guild),
        "joined_at": timestamp(guild.bot_joined_ms),
        "large": False,
        "unavailable": False,
        "member_count": len(guild.members),
        "voice_states": [],
        "members": [member_json(guild.members[world.bot.id])],
        "channels": [channel_json(world, channel) for channel in guild.channels.values()],
        "threads": [channel_json(world, thread) for thread in guild.threads.values()],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def attachment_json(attachment: Attachment) -> JsonObject:
    """Write an attachment, with a link that works now."""
    result: JsonObject = {
        "id": str(attachment.id),
        "filename": attachment.filename,
        "size": attachment.size,
        "url": attachment.url,
        "proxy_url": attachment.proxy_url,
        "content_type": attachment.content_type,
        "flags": 0,
    }
    if attachment.width is not None:
        result["width"] = attachment.width
        result["height"] = attachment.height
    if attachment.description is not None:
        result["description"] = attachment.description
    if attachment.ephemeral:
        result["ephemeral"] = True
    return result


def shown_inside(message: Message) -> set[int]:
    """Return the ids of attachments that embeds or components of a message show.

    Discord leaves those out of `attachments` (discord/discord-api-docs#8277).
    """
    media = [item for component in walk(message.stored_components) for item in media_of(component)]
    for embed in message.stored_embeds:
        media.extend(part for part in embed.values() if isinstance(part, dict))
    return {int(item["attachment_id"]) for item in media if item.get("attachment_id") is not None}


def sticker_json(sticker: Sticker) -> JsonObject:
    """Write a sticker as messages name it."""
    return {"id": str(sticker.id), "name": sticker.name, "format_type": int(sticker.format)}


def is_readable(world: World, message: Message, *, intents: int) -> bool:
    """Tell whether a bot with these `intents` is told what a message holds, unasked.

    Without the privileged one: what it wrote, direct messages, and what mentions it. A person who
    uses a command on a message, or a button on it, shows it all (Discord's documentation, "Message
    Content Intent").
    """
    return (
        bool(intents & MESSAGE_CONTENT)
        or world.channels[message.channel_id].guild_id is None
        or message.author is world.bot
        or world.bot.id in message.pinged
    )


def message_json(world: World, message: Message, *, readable: bool = True) -> JsonObject:
    """Write a message; not `readable`: for a bot without the message content intent."""
    result: JsonObject = {
        "id": str(message.id),
        "channel_id": str(message.channel_id),
        "author": user_json(message.author),
        "tts": False,
        "mention_everyone": message.pinged_everyone,
        "pinned": False,
        **_content_json(world, message),
    }
    if not readable:
        result |= {"content": "", "attachments": [], "embeds": [], "components": []}
    if message.forwarded is not None:
        result["message_reference"] = _forward_reference(world, message.forwarded)
        snapshot = _content_json(world, message.forwarded.snapshot)
        result["message_snapshots"] = [{"message": snapshot}] if readable else []
    if message.nonce is not None:
        result["nonce"] = message.nonce
    if message.reply_to is not None:
        result["message_reference"] = _reference(world, message)
    if message.interaction_id is not None:
        result["application_id"] = str(world.application.id)
        result["webhook_id"] = str(world.application.id)
        result["interaction_metadata"] = _metadata(world, message)
    return result


def _content_json(world: World, message: Message) -> JsonObject:
    """Write what a message holds, which is also what a forwarded one tells."""
    inside = shown_inside(message)
    result: JsonObject = {
        "content": message.content,
        "timestamp": timestamp(message.created_ms),
        "edited_timestamp": None if message.edited_ms is None else timestamp(message.edited_ms),
        "mentions": [user_json(world.users[user]) for user in sorted(message.pinged)],
        "mention_roles": [str(role) for role in sorted(message.pinged_roles)],
        "attachments": [
            attachment_json(attachment)
            for attachment in message.attachments
            if attachment.id not in inside
        ],
        "embeds": message.embeds,
        "components": message.components,
        "type": int(message.type),
        "flags": int(message.flags),
    }
    if message.stickers:
        result["sticker_items"] = [sticker_json(sticker) for sticker in message.stickers]
    return result


def _forward_reference(world: World, forwarded: Forwarded) -> JsonObject:
    reference = {
        "type": 1,
        "message_id": str(forwarded.message_id),
        "channel_id": str(forwarded.channel_id),
    }
    guild_id = world.channels[forwarded.channel_id].guild_id
    return reference if guild_id is None else reference | {"guild_id": str(guild_id)}


def _reference(world: World, message: Message) -> JsonObject:
    reference = {
        "type": 0,
        "message_id": str(message.reply_to),
        "channel_id": str(message.channel_id),
    }
    guild_id = world.channels[message.channel_id].guild_id
    if guild_id is not None:
        reference["guild_id"] = str(guild_id)
    return reference


def _metadata(world: World, message: Message) -> JsonObject:
    user = message.interaction_user or world.bot
    metadata: JsonObject = {
        "id": str(message.interaction_id),
        "type": message.interaction_type,
        "user": user_json(user),
        "authorizing_integration_owners": owners(
            world, world.channels[message.channel_id], message.authorized_by
        ),
    }
    if message.type in (MessageType.SLASH_COMMAND, MessageType.MENU_COMMAND):
        metadata["name"] = message.interaction_name.removeprefix("/")
    elif message.interaction_type == InteractionType.COMPONENT:
        metadata["interacted_message_id"] = str(message.reply_to or message.id)
    elif message.reply_to is not None:
        metadata["original_response_message_id"] = str(message.reply_to)
    return metadata


def owners(world: World, channel: Channel, authorized_by: int | None) -> JsonObject:
    """Return whose installations of the application answer in a channel.

    "0" is the guild's, or 0 in direct messages with the bot; "1" the person's who brought it along.
    """
    found: JsonObject = {}
    if world.bot_is_part_of(channel):
        found["0"] = str(channel.guild_id or 0)
    if authorized_by is not None:
        found["1"] = str(authorized_by)
    return found
