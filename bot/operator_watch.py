"""Look now and then at what the operator should know before people notice it.

ImageRouter's credits, and models that bring hardly any pictures. Each is told once, until it is
well again; that one process of several tells it is `bot.storage.Alarms`'. What fails all at once,
such as a key that is refused, is raised where it fails.
"""

import asyncio
import logging
import random
import zlib
from typing import Final

from bot.alerts import Alerts
from bot.cards import FailingModel, LowBalance, OperatorCard
from bot.clock import Clock
from bot.imagerouter import ImageRouter, ImageRouterError
from bot.looking import keep_looking
from bot.money import Micros
from bot.records import ModelRecords
from bot.storage import Alarm, Alarms, Ledger, Try

_log = logging.getLogger(__name__)

LOOK_S: Final = 60
"""How often the models are looked at."""
BALANCE_MS: Final = 30 * 60_000
"""How often ImageRouter is asked for the balance, by all processes together."""
_LATEST_MS: Final = BALANCE_MS * 6 // 5
"""When it is asked at the latest; at some time before, so that bots don't ask in step."""
_HOUR_MS: Final = 3_600_000
_FEWEST: Final = 10
"""Tries within an hour that tell something."""
_WELL: Final = 0.8
"""The share of tries that bring a picture once a model works again."""
_BALANCE: Final = "balance"
_MODEL: Final = "model:"
_NEVER: Final = Alarm(raised_ms=None, well_ms=0)


class OperatorWatch:
    """Owns no task: `run` is one, of whoever starts it."""

    def __init__(
        self,
        *,
        alarms: Alarms,
        alerts: Alerts,
        router: ImageRouter,
        ledger: Ledger,
        records: ModelRecords,
        clock: Clock,
        low_balance: Micros,
        default_model: str | None,
    ) -> None:
        """`low_balance`: below so much it is told (micro-USD); 0 never asks."""
        self._alarms = alarms
        self._alerts = alerts
        self._router = router
        self._ledger = ledger
        self._records = records
        self._clock = clock
        self._low_balance = low_balance
        self._default_model = default_model
        self._balance_due_ms = 0
        self._looking = asyncio.Lock()

    async def run(self, ready: asyncio.Event) -> None:
        """Look for ever, once `ready` (Discord is connected): there is nobody to tell before."""
        words = "at what the operator should know"
        await keep_looking(self.look, words, ready=ready, every_s=LOOK_S, clock=self._clock)

    async def look(self) -> None:
        """Look once, and tell what is new. Raises LedgerUnavailable."""
        async with self._looking:
            await self._look_at_models()
            now = self._clock.now_ms()
            if self._low_balance and not 0 < self._balance_due_ms - now <= _LATEST_MS:
                self._balance_due_ms = now + random.randint(BALANCE_MS, _LATEST_MS)  # noqa: S311 - no secret
                await self._look_at_balance()

    async def _look_at_balance(self) -> None:
        # A turn of another process is one for all; also of one that ended a minute ago.
        if not await self._alarms.take_turn(_BALANCE, every_ms=BALANCE_MS):
            return
        try:
            left = (await self._router.credits()).remaining
        except ImageRouterError as error:
            _log.info("The balance could not be read: %r", error)
            return
        if left is None:
            return
        if left >= self._low_balance:
            await self._alarms.end(_BALANCE)
        elif await self._alarms.start(_BALANCE):
            _log.warning("ImageRouter's balance is low")
            card = LowBalance(left, self._low_balance, await self._ledger.pace())
            await self._tell(_BALANCE, card)

    async def _look_at_models(self) -> None:
        await self._records.refresh()
        now = self._clock.now_ms()
        hour_ago = now - _HOUR_MS
        alarms = await self._alarms.all()
        for what, alarm in alarms.items():
            model = what.removeprefix(_MODEL)
            if model != what and alarm.raised_ms is not None:
                tries = self._records.since(alarm.raised_ms).get(model, [])
                if _is_well(tries, hour_ago):
                    await self._alarms.end(what)
        for model, tries in self._records.since(hour_ago).items():
            what = f"{_MODEL}{model}"
            alarm = alarms.get(what, _NEVER)
            if not alarm.stands(now):
                await self._judge(what, model, [t for t in tries if t.closed_ms > alarm.well_ms])

    async def _judge(self, what: str, model: str, tries: list[Try]) -> None:
        """Tell of a model, of which no alarm stands, if it has failed too often."""
        failed = sum(not each.made for each in tries)
        if len(tries) < _FEWEST or failed * 2 < len(tries) or not await self._alarms.start(what):
            return
        _log.warning("%s has failed %d of %d times", model, failed, len(tries))
        card = FailingModel(model, len(tries), failed, model == self._default_model)
        await self._tell(what, card)

    async def _tell(self, what: str, card: OperatorCard) -> None:
        """Tell it; what Discord does not take just now is told at a later look.

        So is what this process does not live to note as told, by whichever process looks then.
        """
        hour = self._clock.now_ms() // _HOUR_MS
        nonce = f"w{zlib.crc32(what.encode())}-{hour}"
        if await self._alerts.tell_operators(card, nonce=nonce):
            await self._alarms.told(what)
        else:
            await self._alarms.give_back(what)


def _is_well(tries: list[Try], hour_ago: int) -> bool:
    """Whether most of what was tried within the hour has worked, or of the last ten tries.

    `tries` are all since the model was told of, so that what was told is not counted once more.
    """
    lately = sum(each.closed_ms > hour_ago for each in tries)
    newest = tries[-max(lately, _FEWEST) :]
    return len(newest) >= _FEWEST and sum(each.made for each in newest) >= _WELL * len(newest)
