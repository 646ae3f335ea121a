"""Deleting the bot's own messages for somebody who was erased, one by one, as Discord lets it.

Owns the tasks. Which messages are left is in the database, so a restart goes on where it was; the
person's private message shows how far it is, as long as its token lives.
"""

import asyncio
import logging
from typing import Final, Protocol

from bot.cards import MessageGone, RouteBusy, RouteClosed, UploadTooLarge
from bot.clock import Clock
from bot.errors import LedgerUnavailable
from bot.ids import MOST_ID
from bot.storage import Removal, Removals

_log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 60
_AT_ONCE: Final = 10
"""Messages between two edits of what the person sees."""


class Posts(Protocol):
    """Discord, as far as it is needed here.

    Every method raises `RouteClosed`, `RouteBusy`, `MessageGone` or `UploadTooLarge`.
    """

    async def delete(self, channel_id: int, message_id: int) -> None:
        """Delete one of the bot's messages, with its own token."""
        ...

    async def show(self, removal: Removal, *, ended: bool) -> None:
        """Show in the person's private message how far it is; `ended`: for now, or for good."""
        ...


class Remover:
    """Works on removals: `run` is a task of whoever starts it, and owns those of each removal."""

    def __init__(self, removals: Removals, *, posts: Posts, clock: Clock) -> None:
        self._removals = removals
        self._posts = posts
        self._clock = clock
        self._wanted = asyncio.Event()
        self._working: set[int] = set()

    def begin(self) -> None:
        """Look at once for what there is to do."""
        self._wanted.set()

    async def run(self) -> None:
        """Work on what is left, for ever, side by side."""
        async with asyncio.TaskGroup() as group:
            while True:
                for removal_id in await self._due():
                    self._working.add(removal_id)
                    group.create_task(self._safely(removal_id), name=f"removal {removal_id}")
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._wanted.wait()
                except TimeoutError:
                    continue
                finally:
                    self._wanted.clear()

    async def _due(self) -> list[int]:
        try:
            due = await self._removals.due()
        except LedgerUnavailable:
            _log.exception("Messages that are to be deleted could not be read")
            return []
        return [each for each in due if each not in self._working]

    async def _safely(self, removal_id: int) -> None:
        try:
            await self._remove(removal_id)
        except LedgerUnavailable:
            _log.exception("Removal %d goes on later", removal_id)
        finally:
            self._working.discard(removal_id)

    async def _remove(self, removal_id: int) -> None:
        """Delete what is left of one removal; what Discord is too busy for waits for the next time.

        Another process may work on it once this one is silent; deleting twice does no harm.
        """
        if not await self._removals.claim(removal_id):
            return
        before = MOST_ID
        while page := await self._removals.messages(removal_id, before=before, limit=_AT_ONCE):
            for channel_id, message_id in page:
                await self._delete(removal_id, channel_id, message_id)
                before = message_id
            await self._show(await self._removals.keep(removal_id), ended=False)
        state = await self._removals.let_go(removal_id)
        await self._show(state, ended=True)
        _log.info("Deleted the messages of removal %d", removal_id)

    async def _delete(self, removal_id: int, channel_id: int, message_id: int) -> None:
        deleted = True
        try:
            await self._posts.delete(channel_id, message_id)
        except MessageGone:
            _log.debug("Message %d was deleted already", message_id)
        except (RouteClosed, UploadTooLarge) as error:
            _log.info("Message %d can't be deleted: %r", message_id, error)
            deleted = False
        except RouteBusy as error:
            _log.info("Message %d is deleted later: %r", message_id, error)
            return
        await self._removals.done(removal_id, message_id, deleted=deleted)

    async def _show(self, state: Removal | None, *, ended: bool) -> None:
        if state is None or not state.reply.message_id:
            return
        if state.reply.expires_at_ms <= self._clock.now_ms():
            return
        try:
            await self._posts.show(state, ended=ended)
        except (RouteClosed, RouteBusy, UploadTooLarge) as error:
            _log.info("How far removal %d is could not be shown: %r", state.id, error)
