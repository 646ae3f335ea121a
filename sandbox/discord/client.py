"""What Discord's client shows and allows before anything is sent: lists of commands, components."""

from sandbox.discord.messages import Message
from sandbox.discord.permissions import ALL_PERMISSIONS, Permission
from sandbox.discord.places import Channel, Command, Context, JsonObject, Member, Role, User
from sandbox.discord.world import World

_GUILD_INSTALL, _USER_INSTALL = 0, 1


class NotPossibleError(Exception):
    """The person's own client would not let them do this; nothing reaches the bot."""


class Finder:
    """Looks up options of one command or subcommand."""

    def __init__(self, command: Command, subcommand: str) -> None:
        options = command.options
        for name in subcommand.split():
            inner = next((option for option in options if option["name"] == name), None)
            options = list((inner or {}).get("options") or [])
        self._types = {str(o["name"]): int(o["type"]) for o in options}

    def option_type(self, name: str) -> int | None:
        """Return an option's type; None when there is none of that name."""
        return self._types.get(name)


def listed(world: World, user: User, channel: Channel) -> list[Command]:
    """Return the commands that a person's client lists in a channel.

    Honoured are permission to use commands, where the application is installed (in the guild, or
    by this person), `default_member_permissions` and what admins have changed of them, `contexts`
    and `nsfw`.
    """
    bits = world.permissions(user, channel)
    guild = world.guild_of(channel)
    if not bits & Permission.USE_APPLICATION_COMMANDS:
        return []
    scope = guild if world.bot_is_part_of(channel) else None
    return [
        command
        for command in world.command_list(scope)
        if _allowed_in(command.data, channel.context)
        and (
            brings(user, command.data)
            or (world.bot_is_part_of(channel) and supports(command.data, _GUILD_INSTALL))
        )
        and (
            scope is None
            or _permitted(command.data, bits)
            or _shown_to(world, scope.members[user.id], command)
        )
        and (guild is None or channel.nsfw or not command.data.get("nsfw"))
    ]


def supports(command: JsonObject, installation: int) -> bool:
    """Tell whether a command is there for guilds (0) or people (1) who installed it."""
    return installation in (command.get("integration_types") or (_GUILD_INSTALL,))


def brings(user: User, command: JsonObject) -> bool:
    """Tell whether a person has a command wherever they are."""
    return user.has_installed and supports(command, _USER_INSTALL)


def _allowed_in(command: JsonObject, context: Context) -> bool:
    contexts = command.get("contexts")
    if contexts is not None:
        return context in contexts
    return context is Context.GUILD or (
        context is Context.BOT_DM and command.get("dm_permission") is not False
    )


def _permitted(command: JsonObject, bits: int) -> bool:
    needed = command.get("default_member_permissions")
    if needed is None or bits == ALL_PERMISSIONS:
        return True
    return int(needed) != 0 and bits & int(needed) == int(needed)


def _shown_to(world: World, member: Member, command: Command) -> bool:
    """Whether the guild's admins show a command to a role that the member has."""
    shown = {role for name, role in world.shown_commands if name == command.name}
    return not shown.isdisjoint(member.role_ids)


def usable_component(world: World, message: Message, custom_id: str) -> JsonObject:
    """Return a component that can be clicked or chosen in; raises NotPossibleError."""
    component = message.component(custom_id)
    if component is None:
        offered = [button.custom_id for button in message.buttons if button.custom_id]
        offered += [select.custom_id for select in message.selects]
        raise NotPossibleError(f"the message has no {custom_id}; it has {offered}")
    if component.get("disabled"):
        raise NotPossibleError(f"{custom_id} is disabled")
    inside = world.bot_is_part_of(world.channels[message.channel_id])
    if not inside and message.authorized_by is None:
        raise NotPossibleError("the application has left this server")
    return component


def identifier(value: object) -> object:
    """Return the id of a user, member, role or channel; other values as they are."""
    if isinstance(value, Member):
        return value.user.id
    return value.id if isinstance(value, User | Role | Channel) else value
