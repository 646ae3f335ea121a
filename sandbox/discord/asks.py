"""An interaction as the person who started it sees it: sent, acknowledged or failed, answered."""

from collections.abc import Callable
from typing import Literal, TypeAlias, TypeVar

from sandbox.discord.interactions import Interaction, Original
from sandbox.discord.messages import Message, Modal

_T = TypeVar("_T")

State: TypeAlias = Literal["sent", "acknowledged", "failed"]


class Ask:
    """One use of a command, a component or a modal.

    A wait that is not satisfied ends in a TimeoutError that tells what was visible instead.
    """

    def __init__(self, interaction: Interaction) -> None:
        self._interaction = interaction

    @property
    def id(self) -> int:
        """The interaction's id."""
        return self._interaction.id

    @property
    def state(self) -> State:
        """Where it stands."""
        return self._interaction.state

    @property
    def message(self) -> Message | None:
        """The answer, placeholder included; for updates of a message with components, that one."""
        return self._interaction.original

    @property
    def modal(self) -> Modal | None:
        """The modal that was shown as the answer."""
        return self._interaction.modal

    @property
    def followups(self) -> list[Message]:
        """Further messages of this interaction, in order."""
        return list(self._interaction.followups)

    async def acknowledged(self, timeout: float = 5) -> None:
        """Wait until the bot has acknowledged it."""
        await self._until(lambda: True if self.state == "acknowledged" else None, timeout, "answer")

    async def failed(self, timeout: float = 5) -> None:
        """Wait until the client says "The application did not respond"."""
        await self._until(lambda: True if self.state == "failed" else None, timeout, "failure")

    async def answer(self, timeout: float = 10) -> Message:
        """Wait for the answer; a placeholder is none until it has become a real message."""
        return await self._until(self._answer, timeout, "message")

    async def followup(self, n: int = 0, timeout: float = 10) -> Message:
        """Wait for the n-th further message (the first is 0)."""

        def look() -> Message | None:
            followups = self._interaction.followups
            return followups[n] if len(followups) > n else None

        return await self._until(look, timeout, f"follow-up {n}")

    async def form(self, timeout: float = 5) -> Modal:
        """Wait for the modal that the bot shows."""
        return await self._until(lambda: self.modal, timeout, "modal")

    def _answer(self) -> Message | None:
        interaction = self._interaction
        message = interaction.original
        if message is None or interaction.original_state is not Original.SHOWN:
            return None
        if message is interaction.source and not interaction.updated:
            return None
        return message

    async def _until(self, look: Callable[[], _T | None], timeout: float, wanted: str) -> _T:
        def complain() -> str:
            seen = self.describe()
            return f"no {wanted} for {self._interaction.name} within {timeout} s; {seen}"

        return await self._interaction.signal.until(look, timeout=timeout, complain=complain)

    def describe(self) -> str:
        """Tell in one line how it looks to its person."""
        interaction = self._interaction
        parts = [f"state {interaction.state}", f"answer {interaction.original_state.value}"]
        if interaction.original is not None:
            parts.append(f"text {interaction.original.text!r}")
        if interaction.modal is not None:
            parts.append(f"modal {interaction.modal.title!r}")
        parts.extend(f"follow-up {message.text!r}" for message in interaction.followups)
        return ", ".join(parts)
