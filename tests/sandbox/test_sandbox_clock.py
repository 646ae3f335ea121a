"""The clock that everything in a sandbox shares."""

import asyncio
import time

import pytest

from sandbox.clock import SandboxClock
from sandbox.discord import default_world


def test_it_runs_with_real_time_and_can_be_advanced() -> None:
    clock = SandboxClock()
    assert abs(clock.now_ms() - time.time_ns() // 1_000_000) < 1_000
    before = clock.now_ms()
    clock.advance(86_400_000)
    assert 86_400_000 <= clock.now_ms() - before < 86_401_000


def test_it_never_runs_backwards() -> None:
    with pytest.raises(ValueError, match="backwards"):
        SandboxClock().advance(-1)


async def test_a_sleeper_wakes_when_time_is_advanced() -> None:
    clock = SandboxClock()
    sleeper = asyncio.create_task(clock.sleep_until(clock.now_ms() + 3_600_000))
    await asyncio.sleep(0)
    clock.advance(3_000_000)
    await asyncio.sleep(0)
    assert not sleeper.done()
    clock.advance(700_000)
    async with asyncio.timeout(5):
        await sleeper


async def test_a_sleeper_wakes_in_real_time_too() -> None:
    clock = SandboxClock()
    async with asyncio.timeout(5):
        await clock.sleep_until(clock.now_ms() + 20)
        await clock.sleep_until(0)


def test_the_default_world_has_the_same_ids_at_every_start() -> None:
    first, second = default_world(SandboxClock()), default_world(SandboxClock())
    assert list(first.channels) == list(second.channels)
    assert list(first.users) == list(second.users)
    assert first.snowflakes.make() > max(first.channels)
