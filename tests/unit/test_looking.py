"""What looks after something now and then."""

import asyncio

import pytest

from bot.errors import LedgerUnavailable
from bot.looking import keep_looking
from sandbox.clock import SandboxClock


async def test_no_look_that_fails_is_the_last_and_none_comes_before_it_is_ready(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outcomes: list[Exception | None] = [LedgerUnavailable("gone"), ZeroDivisionError(), None]
    ready, done = asyncio.Event(), asyncio.Event()

    async def look() -> None:
        assert ready.is_set()
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome
        done.set()

    words = "whether boats float"
    looking = asyncio.create_task(
        keep_looking(look, words, ready=ready, every_s=0.01, clock=SandboxClock())
    )
    await asyncio.sleep(0)
    ready.set()
    async with asyncio.timeout(5):
        await done.wait()
    looking.cancel()
    await asyncio.wait({looking})
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [
        ("WARNING", "It could not be looked whether boats float"),
        ("ERROR", "A fault while it was looked whether boats float"),
    ]
