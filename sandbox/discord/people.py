"""What a person can do in Discord's client; nothing here can do what a client could not."""

from collections.abc import Callable, Mapping, Sequence

from sandbox.discord.asks import Ask
from sandbox.discord.core import Core
from sandbox.discord.messages import Choice, Message, Modal, UploadedFile
from sandbox.discord.places import Channel, Command, User


class NotPossibleError(Exception):
    """The person's own client would not let them do this; nothing reaches the bot."""


class Person:
    """One person in front of their client."""

    def __init__(self, core: Core, user: User) -> None:
        self._core = core
        self.user = user

    def commands_in(self, channel: Channel) -> list[Command]:
        """Return the commands that the client lists here, context-menu commands included."""
        raise NotImplementedError

    async def autocomplete(
        self,
        channel: Channel,
        command: str | Command,
        options: Mapping[str, object],
        focused: str,
        *,
        timeout: float = 5,
    ) -> list[Choice]:
        """Return the suggestions for the option `focused`, given what is typed so far.

        `command` may name a subcommand: `"group sub"`. Raises TimeoutError when the bot gives
        none in time, NotPossibleError where the client would not ask.
        """
        raise NotImplementedError

    async def slash(
        self,
        channel: Channel,
        command: str | Command,
        options: Mapping[str, object] | None = None,
        *,
        files: Mapping[str, UploadedFile] | None = None,
        subcommand: str = "",
    ) -> Ask:
        """Use a slash command.

        Options by name: text, numbers, bools; users, roles and channels as objects or ids; an
        attachment option names a key of `files`. Raises NotPossibleError where the client would.
        """
        raise NotImplementedError

    async def apps_menu(
        self, channel: Channel, command: str | Command, target: Message | User
    ) -> Ask:
        """Use a command of the "Apps" menu on a message or a user."""
        raise NotImplementedError

    async def click(self, message: Message, custom_id: str) -> Ask:
        """Click a button."""
        raise NotImplementedError

    async def choose(self, message: Message, custom_id: str, values: Sequence[object]) -> Ask:
        """Choose in a select menu: strings, or users, roles and channels (objects or ids)."""
        raise NotImplementedError

    async def submit(
        self,
        modal: Modal,
        values: Mapping[str, object],
        files: Mapping[str, UploadedFile | Sequence[UploadedFile]] | None = None,
    ) -> Ask:
        """Fill in a modal, by custom ids, and send it; files by the file upload's custom id."""
        raise NotImplementedError

    async def say(
        self, channel: Channel, text: str, *, files: Sequence[UploadedFile] = ()
    ) -> Message:
        """Write a message."""
        raise NotImplementedError

    def messages(self, channel: Channel) -> list[Message]:
        """Return the messages that this person sees in a channel, oldest first."""
        raise NotImplementedError

    async def wait_for(
        self, channel: Channel, predicate: Callable[[Message], bool], timeout: float = 10
    ) -> Message:
        """Wait for a message that this person sees and `predicate` accepts; the oldest one wins."""
        raise NotImplementedError
