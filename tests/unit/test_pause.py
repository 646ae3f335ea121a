"""Pauses of what looks after something now and then."""

import asyncio

from bot.clock import pause
from sandbox.clock import SandboxClock


class StuckClock:
    """A clock that was set far back."""

    def now_ms(self) -> int:
        return 0

    async def sleep_until(self, when_ms: int) -> None:
        await asyncio.Event().wait()


async def test_a_clock_that_is_set_back_makes_nobody_wait_longer() -> None:
    async with asyncio.timeout(5):
        await pause(StuckClock(), 0.01)


async def test_a_clock_that_is_moved_on_ends_the_pause() -> None:
    clock = SandboxClock()
    pausing = asyncio.create_task(pause(clock, 3_600))
    await asyncio.sleep(0)
    clock.advance(3_599_000)
    await asyncio.sleep(0)
    assert not pausing.done()
    clock.advance(1_000)
    async with asyncio.timeout(5):
        await pausing
