"""What a person can do in Discord's client; nothing here can do what a client could not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sandbox.discord.asks import Ask
from sandbox.discord.bodies import Body
from sandbox.discord.client import (
    Finder,
    NotPossibleError,
    brings,
    identifier,
    listed,
    usable_component,
)
from sandbox.discord.core import Core
from sandbox.discord.interactions import Interaction
from sandbox.discord.messages import (
    Attachment,
    Choice,
    Message,
    MessageFlag,
    Modal,
    Sticker,
    UploadedFile,
)
from sandbox.discord.payloads import Resolved, interaction_json
from sandbox.discord.permissions import Permission, may_write
from sandbox.discord.places import Channel, Command, JsonObject, User
from sandbox.discord.rules import (
    InteractionType,
    InvocationError,
    Route,
    RuleViolation,
    Upload,
    autocomplete_options,
    check_invocation,
    check_message,
    check_modal_submission,
    clean_filename,
    focused_option_type,
)

_ATTACHMENT = 11
_STRING_SELECT = 3
_BUTTON = 2


class Person:
    """One person in front of their client."""

    def __init__(self, core: Core, user: User) -> None:
        self._core = core
        self.user = user

    def commands_in(self, channel: Channel) -> list[Command]:
        """Return the commands that the client lists here, those of the apps menu included."""
        return listed(self._core.world, self.user, channel)

    async def autocomplete(
        self,
        channel: Channel,
        command: str | Command,
        options: Mapping[str, object],
        focused: str,
        *,
        subcommand: str = "",
        timeout: float = 5,
    ) -> list[Choice]:
        """Return the suggestions for the option `focused`, given what is typed so far.

        `command` may name a subcommand, too: `"group sub"`. Raises TimeoutError when the bot gives
        none in time, NotPossibleError where the client would not ask.
        """
        found, rest = self._find(channel, command, subcommand, kind=1)
        typed = {name: identifier(value) for name, value in options.items()}
        try:
            sent = autocomplete_options(found.data, typed, focused=focused, subcommand=rest)
            option_type = focused_option_type(found.data, focused=focused, subcommand=rest)
        except (InvocationError, KeyError) as error:
            raise NotPossibleError(str(error)) from error
        interaction = self._open(
            InteractionType.AUTOCOMPLETE,
            channel,
            f"/{found.name}",
            {**_head(found), "options": sent},
            command=found,
            focused_type=option_type,
        )
        answered = await interaction.signal.until(
            lambda: interaction if interaction.state != "sent" else None,
            timeout=timeout,
            complain=lambda: f"no suggestions for {focused} within {timeout} s",
        )
        if answered.choices is None:
            raise TimeoutError(f"loading suggestions for {focused} failed")
        return list(answered.choices)

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

        `command` may name a subcommand, too: `"group sub"`. Options by name: text, numbers, bools;
        users, roles and channels as objects or ids; an attachment option names a key of `files`.
        Raises NotPossibleError where the client would refuse.
        """
        found, rest = self._find(channel, command, subcommand, kind=1)
        values = {name: identifier(value) for name, value in (options or {}).items()}
        attachments: dict[int, Attachment] = {}
        finder = Finder(found, rest)
        for name, value in values.items():
            if finder.option_type(name) == _ATTACHMENT:
                attachment = self._upload(channel, _file(files or {}, name, value))
                attachments[attachment.id] = attachment
                values[name] = attachment.id
        try:
            sent = check_invocation(found.data, values, subcommand=rest)
            resolved = Resolved(self._core, channel).options(sent, attachments)
        except (InvocationError, LookupError) as error:
            raise NotPossibleError(f"/{found.name}: {error}") from error
        data = {**_head(found), "options": sent}
        if resolved:
            data["resolved"] = resolved
        name = " ".join(part for part in (found.name, rest) if part)
        kind = InteractionType.COMMAND
        return Ask(self._open(kind, channel, f"/{name}", data, command=found))

    async def apps_menu(
        self, channel: Channel, command: str | Command, target: Message | User
    ) -> Ask:
        """Use a command of the "Apps" menu on a message or a user."""
        on_message = isinstance(target, Message)
        found, _ = self._find(channel, command, "", kind=3 if on_message else 2)
        resolved = Resolved(self._core, channel)
        if isinstance(target, Message):
            self._see(target)
            meant = resolved.message(target)
        else:
            meant = resolved.add("user", str(target.id), {})
        data = {**_head(found), "target_id": str(target.id), "resolved": meant}
        kind = InteractionType.COMMAND
        return Ask(self._open(kind, channel, found.name, data, command=found, from_menu=True))

    async def click(self, message: Message, custom_id: str) -> Ask:
        """Click a button."""
        component = self._component(message, custom_id)
        if component["type"] != _BUTTON:
            raise NotPossibleError(f"{custom_id} is no button")
        data = {
            "custom_id": custom_id,
            "component_type": _BUTTON,
            "id": component["id"],
        }
        return self._use(message, component, data)

    async def choose(self, message: Message, custom_id: str, values: Sequence[object]) -> Ask:
        """Choose in a select menu: strings, or users, roles and channels (objects or ids)."""
        component = self._component(message, custom_id)
        if component["type"] == _BUTTON:
            raise NotPossibleError(f"{custom_id} is no select menu")
        chosen = [str(identifier(value)) for value in values]
        low, high = int(component.get("min_values", 1)), int(component.get("max_values", 1))
        if not low <= len(chosen) <= high:
            raise NotPossibleError(f"{custom_id} takes {low} to {high} values")
        data: JsonObject = {
            "custom_id": custom_id,
            "component_type": component["type"],
            "id": component["id"],
            "values": chosen,
        }
        if component["type"] == _STRING_SELECT:
            known = [str(option["value"]) for option in component["options"]]
            if not set(chosen) <= set(known) or len(set(chosen)) < len(chosen):
                raise NotPossibleError(f"{custom_id} offers {known}")
        else:
            asked = [{"type": component["type"], "values": chosen}]
            channel = self._core.world.channels[message.channel_id]
            try:
                data["resolved"] = Resolved(self._core, channel).components(asked, {})
            except (LookupError, ValueError) as error:
                raise NotPossibleError(f"{custom_id}: unknown value {error}") from error
        return self._use(message, component, data)

    async def submit(
        self,
        modal: Modal,
        values: Mapping[str, object],
        files: Mapping[str, UploadedFile | Sequence[UploadedFile]] | None = None,
    ) -> Ask:
        """Fill in a modal, by custom ids, and send it; files by the file upload's custom id.

        Raises NotPossibleError where the client would not send it.
        """
        if modal.user_id != self.user.id:
            raise NotPossibleError("this modal was shown to somebody else")
        channel = self._core.world.channels[modal.channel_id]
        attachments: dict[int, Attachment] = {}
        uploads: dict[str, list[Upload]] = {}
        for custom_id, given in (files or {}).items():
            for file in [given] if isinstance(given, UploadedFile) else given:
                attachment = self._upload(channel, file)
                attachments[attachment.id] = attachment
                upload = Upload(attachment.id, attachment.filename, attachment.size)
                uploads.setdefault(custom_id, []).append(upload)
        form: JsonObject = {
            "custom_id": modal.custom_id,
            "title": modal.title,
            "components": modal.components,
        }
        filled = {
            custom_id: [identifier(one) for one in value]
            if isinstance(value, list | tuple)
            else value
            for custom_id, value in values.items()
        }
        try:
            components = check_modal_submission(
                form, filled, uploads, file_limit=self._file_limit(channel)
            )
            resolved = Resolved(self._core, channel).components(components, attachments)
        except (InvocationError, LookupError) as error:
            raise NotPossibleError(f"{modal.title}: {error}") from error
        data: JsonObject = {"custom_id": modal.custom_id, "components": components}
        if resolved:
            data["resolved"] = resolved
        interaction = self._open(
            InteractionType.MODAL_SUBMIT,
            channel,
            modal.title,
            data,
            source=modal.source,
            authorized_by=modal.authorized_by,
        )
        return Ask(interaction)

    async def say(
        self,
        channel: Channel,
        text: str = "",
        *,
        files: Sequence[UploadedFile] = (),
        stickers: Sequence[Sticker] = (),
        reply_to: Message | None = None,
        embeds: Sequence[JsonObject] = (),
        components: Sequence[JsonObject] = (),
    ) -> Message:
        """Write a message.

        A link to a picture of the web (`DiscordServer.publish`) gets an embed. Embeds of one's own
        and components (version 2) are for bots: other applications than ours. Raises
        NotPossibleError where the client, or for bots Discord, would refuse.
        """
        said: JsonObject = {"content": text}
        if stickers:
            said["sticker_ids"] = [str(sticker.id) for sticker in stickers]
        if reply_to is not None:
            self._see(reply_to)
            said["message_reference"] = {"message_id": str(reply_to.id)}
        if (embeds or components) and not self.user.bot:
            raise NotPossibleError("people write no embeds and no components")
        if embeds:
            said["embeds"] = list(embeds)
        if components:
            said |= {"components": list(components), "flags": int(MessageFlag.COMPONENTS_V2)}
        return self._write(channel, said, files, stickers=stickers)

    async def forward(self, message: Message, channel: Channel) -> Message:
        """Forward a message as it is now to a channel."""
        self._see(message)
        if message.ephemeral_to is not None or message.loading:
            raise NotPossibleError("this message cannot be forwarded")
        reference = {"type": 1, "message_id": str(message.id)}
        return self._write(channel, {"message_reference": reference}, forwarded=message)

    def _write(
        self,
        channel: Channel,
        said: JsonObject,
        files: Sequence[UploadedFile] = (),
        *,
        stickers: Sequence[Sticker] = (),
        forwarded: Message | None = None,
    ) -> Message:
        world = self._core.world
        permissions = world.permissions(self.user, channel)
        if not may_write(permissions, channel):
            raise NotPossibleError(f"{self.user.username} may not write in {channel.name}")
        for file in files:
            self._check_size(channel, file)
        uploads = [Upload(n, file.filename, len(file.data)) for n, file in enumerate(files)]
        try:
            checked = check_message(said, route=Route.CHANNEL, uploads=uploads)
        except RuleViolation as violation:
            raise NotPossibleError(str(violation)) from violation
        if permissions & Permission.EMBED_LINKS and not checked.embeds:
            checked = replace(checked, embeds=self._core.post.previews(checked.content))
        body = Body(uploads=tuple(uploads), files=dict(enumerate(files)))
        return self._core.post.new(
            channel, self.user, checked, body, stickers=stickers, forwarded=forwarded
        )

    async def delete(self, message: Message) -> None:
        """Delete a message: one's own, or with Manage Messages anybody's."""
        channel = self._see(message)
        may_manage = self._core.world.permissions(self.user, channel) & Permission.MANAGE_MESSAGES
        if message.ephemeral_to is not None:
            raise NotPossibleError("a message that only one person sees can only be dismissed")
        if message.author is not self.user and not may_manage:
            raise NotPossibleError(f"{self.user.username} may not delete this message")
        self._core.post.delete(message)
        self._core.desk.message_changed(message)

    def messages(self, channel: Channel) -> list[Message]:
        """Return the messages that this person sees in a channel, oldest first."""
        world = self._core.world
        if not world.permissions(self.user, channel) & Permission.VIEW_CHANNEL:
            return []
        return [
            message
            for message in world.history.get(channel.id, ())
            if message.ephemeral_to in (None, self.user.id)
        ]

    async def wait_for(
        self, channel: Channel, predicate: Callable[[Message], bool], timeout: float = 10
    ) -> Message:
        """Wait for a message that this person sees and `predicate` accepts; the oldest one wins."""

        def look() -> Message | None:
            return next((m for m in self.messages(channel) if predicate(m)), None)

        def complain() -> str:
            seen = [
                f"{m.author.name}: {'is thinking' if m.loading else m.text!r}"
                for m in self.messages(channel)[-10:]
            ]
            return f"{self.user.name} saw no such message within {timeout} s, but {seen}"

        return await channel.signal.until(look, timeout=timeout, complain=complain)

    # What the client does behind it

    def _find(
        self, channel: Channel, command: str | Command, subcommand: str, *, kind: int
    ) -> tuple[Command, str]:
        commands = [c for c in self.commands_in(channel) if c.type == kind]
        if isinstance(command, Command):
            if command.id not in [known.id for known in commands]:
                raise NotPossibleError(f"{command.name} is not offered here")
            return command, subcommand
        name, _, rest = command.partition(" ") if kind == 1 else (command, "", "")
        for known in commands:
            if known.name == name:
                return known, rest or subcommand
        offered = [known.name for known in commands]
        raise NotPossibleError(f"{name} is not offered here; there are {offered}")

    def _see(self, message: Message) -> Channel:
        channel = self._core.world.channels[message.channel_id]
        if message not in self.messages(channel):
            raise NotPossibleError(f"{self.user.username} does not see this message")
        return channel

    def _component(self, message: Message, custom_id: str) -> JsonObject:
        self._see(message)
        return usable_component(self._core.world, message, custom_id)

    def _use(self, message: Message, component: JsonObject, data: JsonObject) -> Ask:
        channel = self._core.world.channels[message.channel_id]
        name = str(component.get("label") or component["custom_id"])
        return Ask(self._open(InteractionType.COMPONENT, channel, name, data, source=message))

    def _upload(self, channel: Channel, file: UploadedFile) -> Attachment:
        self._check_size(channel, file)
        core = self._core
        return core.cdn.keep(
            file,
            snowflakes=core.world.snowflakes,
            channel_id=channel.id,
            ephemeral=True,
            filename=clean_filename(file.filename),
        )

    def _file_limit(self, channel: Channel) -> int:
        """Return the bytes that one file may have: the person's limit, or a boosted guild's."""
        guild = self._core.world.guild_of(channel)
        return max(self.user.upload_limit, guild.upload_limit if guild is not None else 0)

    def _check_size(self, channel: Channel, file: UploadedFile) -> None:
        if len(file.data) > self._file_limit(channel):
            raise NotPossibleError(f"{file.filename} is too big for {self.user.username}'s client")

    def _open(
        self,
        kind: InteractionType,
        channel: Channel,
        name: str,
        data: JsonObject,
        *,
        source: Message | None = None,
        command: Command | None = None,
        authorized_by: int | None = None,
        focused_type: int | None = None,
        from_menu: bool = False,
    ) -> Interaction:
        """Start an interaction: with a `command`, through a component of `source`, or a modal."""
        guild = self._core.world.guild_of(channel)
        if guild is not None and guild.is_down:
            raise NotPossibleError(f"{guild.name} is down")
        if command is not None and brings(self.user, command.data):
            authorized_by = self.user.id
        elif source is not None:
            authorized_by = source.authorized_by

        def payload(interaction_id: int, token: str) -> JsonObject:
            return interaction_json(
                self._core,
                interaction_id=interaction_id,
                token=token,
                kind=kind,
                user=self.user,
                channel=channel,
                data=data,
                source=source,
                authorized_by=authorized_by,
            )

        return self._core.desk.open(
            kind=kind,
            user=self.user,
            channel=channel,
            name=name,
            data=payload,
            source=source,
            focused_type=focused_type,
            from_menu=from_menu,
            authorized_by=authorized_by,
        )


def _head(command: Command) -> JsonObject:
    head: JsonObject = {"id": str(command.id), "name": command.name, "type": command.type}
    if command.guild_id is not None:
        head["guild_id"] = str(command.guild_id)
    return head


def _file(files: Mapping[str, UploadedFile], option: str, key: object) -> UploadedFile:
    if str(key) not in files:
        raise NotPossibleError(f"option {option} names the file {key!r}, which is not in files")
    return files[str(key)]
