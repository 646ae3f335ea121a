"""People whose answer takes very long are told where it will come, while that is still possible."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from bot.cards import Progress
from bot.lateness import NOTICE_MS, Lateness
from bot.outcomes import Assignment
from bot.requests import Actor, ImageRequest, ReplyRoute
from sandbox.clock import SandboxClock

MINUTE = 60_000
LIFE = 14 * MINUTE


@dataclass
class Told:
    """Shows notices to nobody, and remembers of which jobs."""

    jobs: list[int] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def show(self, card: Progress) -> None:
        self.jobs.append(card.job.id)
        self.changed.set()

    async def next(self) -> list[int]:
        """Wait until somebody is told, and return of which jobs people were told."""
        async with asyncio.timeout(10):
            await self.changed.wait()
        self.changed.clear()
        return self.jobs


@pytest.fixture
def clock() -> SandboxClock:
    return SandboxClock()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def lateness(clock: SandboxClock, told: Told) -> AsyncIterator[Lateness]:
    lateness = Lateness(told.show, clock=clock)
    yield lateness
    await lateness.close()


def waiting(job_id: int, clock: SandboxClock, *, life_ms: int = LIFE) -> Progress:
    """What the person of a job is told whose token lives for so long from now on."""
    reply = ReplyRoute(4, "token", clock.now_ms() + life_ms, 3, 5, upload_limit=10_000_000)
    request = ImageRequest("imagine", "a boat")
    return Progress(Assignment(job_id, Actor(1, 2, 3), request, "m", reply), 0, late=True)


async def test_a_job_that_ended_in_time_tells_nothing_and_the_next_one_is_still_watched(
    lateness: Lateness, clock: SandboxClock, told: Told
) -> None:
    async with lateness.watching(waiting(1, clock)):
        await asyncio.sleep(0)  # the one task that watches has begun to wait
    clock.advance(MINUTE)
    async with lateness.watching(waiting(2, clock)):
        clock.advance(LIFE - NOTICE_MS - MINUTE)
        async with lateness.watching(waiting(3, clock)):
            clock.advance(MINUTE)
            assert await told.next() == [2]
            clock.advance(LIFE)
            assert await told.next() == [2, 3]


async def test_whose_token_dies_first_is_told_first_whoever_came_first(
    lateness: Lateness, clock: SandboxClock, told: Told
) -> None:
    async with (
        lateness.watching(waiting(1, clock)),
        lateness.watching(waiting(2, clock, life_ms=5 * MINUTE)),
    ):
        await asyncio.sleep(0)  # the one task that watches has begun to wait
        clock.advance(5 * MINUTE)
        assert await told.next() == [2]
        clock.advance(LIFE)
        assert await told.next() == [2, 1]


async def test_each_is_told_once(lateness: Lateness, clock: SandboxClock, told: Told) -> None:
    async with lateness.watching(waiting(1, clock)):
        clock.advance(LIFE)
        await told.next()
        async with lateness.watching(waiting(2, clock)):
            clock.advance(LIFE)
            assert await told.next() == [1, 2]
