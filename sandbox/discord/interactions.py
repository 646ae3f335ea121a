"""Interactions from the moment a person acts: their token, their deadlines, their answers.

This is the state; what the bot sends to it is judged in `routes_callbacks.py` and
`routes_webhooks.py`, what starts it is `people.py`.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal

from sandbox.clock import SandboxClock
from sandbox.discord.events import EventKind, WorldEvent
from sandbox.discord.messages import Choice, Message, Modal
from sandbox.discord.permissions import Permission
from sandbox.discord.places import Channel, JsonObject, User
from sandbox.discord.rules import InteractionType
from sandbox.discord.signals import Signal
from sandbox.discord.world import World

TOKEN_LIFETIME_MS: Final = 15 * 60 * 1000
"""How long an interaction's token works."""
_KEPT_MS: Final = 2 * TOKEN_LIFETIME_MS


class Original(Enum):
    """What became of the first answer."""

    NONE = "none"
    LOADING = "loading"
    """A placeholder that was neither filled nor deleted."""
    DELETED_LOADING = "deleted_loading"
    """Deleted before it was ever filled: the next follow-up still takes its visibility."""
    SHOWN = "shown"
    DELETED = "deleted"


@dataclass(eq=False, slots=True)
class Interaction:
    """One interaction."""

    id: int
    token: str = field(repr=False)
    kind: InteractionType
    user: User
    channel: Channel
    name: str
    """What people see, e.g. `/imagine`."""
    created_ms: int
    payload: JsonObject = field(repr=False)
    """What the gateway sends."""
    source: Message | None = None
    """The message whose component was used, also for a modal that it opened."""
    focused_type: int | None = None
    """The type of the option that an autocomplete asks about."""
    from_menu: bool = False
    """Whether a command of the apps menu began it."""
    state: Literal["sent", "acknowledged", "failed"] = "sent"
    authorized_by: int | None = None
    """Whose own installation of the application it uses, if any."""
    is_outside: bool = False
    """Whether the bot is no part of the place: it has five follow-ups then."""
    private_only: bool = False
    """Whether every answer is for the person alone, whatever the bot says."""
    original: Message | None = None
    original_state: Original = Original.NONE
    original_ephemeral: bool = False
    follow_ups_sent: int = 0
    followups: list[Message] = field(default_factory=list)
    modal: Modal | None = None
    choices: tuple[Choice, ...] | None = None
    updated: bool = False
    """Whether the source message was changed through this interaction."""
    signal: Signal = field(default_factory=Signal, repr=False)


class InteractionDesk:
    """Opens interactions, finds them by token, and lets them fail when nobody answers."""

    def __init__(
        self,
        world: World,
        clock: SandboxClock,
        *,
        send: Callable[[Interaction], None],
    ) -> None:
        self._world = world
        self._clock = clock
        self._send = send
        self._by_token: dict[str, Interaction] = {}
        self._by_id: dict[int, Interaction] = {}
        self._open: dict[int, tuple[Interaction, asyncio.TimerHandle]] = {}
        self._stop_listening = clock.listen(self._time_moved)
        self.acknowledge_within = 3.0
        """Seconds that the bot has for its first answer; tests may shorten them."""

    def open(
        self,
        *,
        kind: InteractionType,
        user: User,
        channel: Channel,
        name: str,
        data: Callable[[int, str], JsonObject],
        source: Message | None = None,
        focused_type: int | None = None,
        from_menu: bool = False,
        authorized_by: int | None = None,
    ) -> Interaction:
        """Start an interaction and send it to the bot.

        `data(id, token)` builds the payload for the gateway.
        """
        self._forget_old()
        interaction_id = self._world.snowflakes.make()
        token = secrets.token_urlsafe(48)
        interaction = Interaction(
            id=interaction_id,
            token=token,
            kind=kind,
            user=user,
            channel=channel,
            name=name,
            created_ms=self._clock.now_ms(),
            payload=data(interaction_id, token),
            source=source,
            focused_type=focused_type,
            from_menu=from_menu,
            authorized_by=authorized_by,
            is_outside=not self._world.bot_is_part_of(channel),
            private_only=self._must_whisper(user, channel),
        )
        self._by_token[token] = interaction
        self._by_id[interaction.id] = interaction
        timer = asyncio.get_running_loop().call_later(
            self.acknowledge_within, self._fail, interaction
        )
        self._open[interaction.id] = (interaction, timer)
        self._send(interaction)
        return interaction

    def _must_whisper(self, user: User, channel: Channel) -> bool:
        """Tell whether a guild without the bot keeps what people bring along to themselves."""
        if channel.guild_id is None or self._world.bot_is_part_of(channel):
            return False
        return not self._world.permissions(user, channel) & Permission.USE_EXTERNAL_APPS

    def find(self, token: str) -> Interaction | None:
        """Return the interaction of a token, expired or not."""
        return self._by_token.get(token)

    def get(self, interaction_id: int | None) -> Interaction | None:
        """Return an interaction by id."""
        return None if interaction_id is None else self._by_id.get(interaction_id)

    def expired(self, interaction: Interaction) -> bool:
        """Tell whether an interaction's token has stopped working."""
        return self._clock.now_ms() - interaction.created_ms >= TOKEN_LIFETIME_MS

    def acknowledge(self, interaction: Interaction) -> None:
        """Record that the bot answered in time."""
        interaction.state = "acknowledged"
        self._settle(interaction)

    def changed(self, interaction: Interaction) -> None:
        """Tell those who wait for an interaction that something about it is new."""
        interaction.signal.fire()
        self._world.bulletin.emit(
            WorldEvent(
                EventKind.INTERACTION,
                interaction.channel.id,
                interaction.channel.guild_id,
                user_id=interaction.user.id,
                interaction_id=interaction.id,
            )
        )

    def message_changed(self, message: Message, *, by: Interaction | None = None) -> None:
        """Follow an answer that was edited or deleted: `by` an interaction's webhook, or else."""
        for interaction in {self.get(message.interaction_id), by}:
            if interaction is None or interaction.original is not message:
                continue
            was_loading = interaction.original_state is Original.LOADING
            interaction.original_state = (
                Original.SHOWN
                if not message.deleted
                else Original.DELETED_LOADING
                if was_loading
                else Original.DELETED
            )
            interaction.signal.fire()

    def close(self) -> None:
        """Stop all timers."""
        self._stop_listening()
        for _, timer in self._open.values():
            timer.cancel()
        self._open.clear()

    def _settle(self, interaction: Interaction) -> None:
        entry = self._open.pop(interaction.id, None)
        if entry is not None:
            entry[1].cancel()
        self.changed(interaction)

    def _fail(self, interaction: Interaction) -> None:
        if interaction.state != "sent":
            return
        interaction.state = "failed"
        self._settle(interaction)
        if interaction.kind is not InteractionType.AUTOCOMPLETE:
            text = (
                "The application did not respond"
                if interaction.kind is InteractionType.COMMAND
                else "This interaction failed"
                if interaction.kind is InteractionType.COMPONENT
                else "Something went wrong. Try again."
            )
            self._world.notice(interaction.channel, interaction.user, text)

    def _time_moved(self) -> None:
        now = self._clock.now_ms()
        for interaction, _ in tuple(self._open.values()):
            if now - interaction.created_ms >= self.acknowledge_within * 1000:
                self._fail(interaction)

    def _forget_old(self) -> None:
        """Drop the oldest interactions once their token is long dead."""
        limit = self._clock.now_ms() - _KEPT_MS
        while self._by_id:
            oldest = next(iter(self._by_id.values()))
            if oldest.created_ms > limit:
                return
            del self._by_id[oldest.id]
            del self._by_token[oldest.token]


def choices_of(raw: tuple[Mapping[str, object], ...]) -> tuple[Choice, ...]:
    """Return an autocomplete answer as choices."""
    return tuple(
        Choice(str(item["name"]), value)
        for item in raw
        if isinstance(value := item["value"], str | int | float)
    )
