import asyncio
import random

import pytest

from bot.errors import QueueFull, ShuttingDown
from bot.scheduler import Place, Scheduler


def scheduler(per_member: int = 2, in_process: int = 4, max_waiting: int = 10) -> Scheduler:
    return Scheduler(per_member=per_member, in_process=in_process, max_waiting=max_waiting)


class Work:
    """Jobs that hold their slot until they are told to finish, and a record of who began."""

    def __init__(self, queue: Scheduler) -> None:
        self.queue = queue
        self.begun: list[str] = []
        self.finish: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str, member: int) -> None:
        self.finish[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._run(name, self.queue.enter(member)))

    async def _run(self, name: str, place: Place) -> None:
        async with self.queue.slot(place):
            self.begun.append(name)
            await self.finish[name].wait()

    async def end(self, name: str) -> None:
        self.finish[name].set()
        await self.tasks[name]
        await settle()

    async def end_all(self) -> None:
        for event in self.finish.values():
            event.set()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_jobs_run_first_come_first_served() -> None:
    work = Work(scheduler(in_process=1))
    for name, member in [("a", 1), ("b", 2), ("c", 3)]:
        work.start(name, member)
    await settle()
    assert work.begun == ["a"]
    await work.end("a")
    assert work.begun == ["a", "b"]
    await work.end_all()
    assert work.begun == ["a", "b", "c"]


async def test_a_member_with_their_share_is_passed_over_and_keeps_their_place() -> None:
    work = Work(scheduler(per_member=1, in_process=2))
    for name, member in [("a1", 1), ("a2", 1), ("a3", 1), ("b1", 2)]:
        work.start(name, member)
    await settle()
    assert work.begun == ["a1", "b1"]
    await work.end("a1")
    assert work.begun == ["a1", "b1", "a2"]
    await work.end_all()


async def test_a_cancelled_waiter_leaves_no_hole() -> None:
    queue = scheduler(in_process=1)
    work = Work(queue)
    work.start("a", 1)
    work.start("b", 2)
    work.start("c", 3)
    await settle()
    work.tasks["b"].cancel()
    await settle()
    assert queue.waiting == 1
    await work.end("a")
    assert work.begun == ["a", "c"]
    await work.end_all()
    assert queue.running == 0


async def test_a_job_cancelled_as_its_turn_comes_gives_the_slot_back() -> None:
    queue = scheduler(in_process=1)
    work = Work(queue)
    work.start("a", 1)
    unlucky = queue.enter(2)
    # Registered before anybody waits for the turn, so it cancels before the waiter wakes up.
    unlucky.turn.add_done_callback(lambda _: waiter.cancel())

    async def hold_slot() -> None:
        async with queue.slot(unlucky):
            pytest.fail("a cancelled job ran")

    waiter = asyncio.create_task(hold_slot())
    work.start("c", 3)
    await settle()

    await work.end("a")

    assert waiter.cancelled()
    assert work.begun == ["a", "c"]
    await work.end_all()
    assert queue.running == 0


async def test_a_full_queue_refuses_before_anything_is_held() -> None:
    queue = scheduler(in_process=1, max_waiting=1)
    work = Work(queue)
    work.start("a", 1)
    queue.check_room(2)
    work.start("b", 2)
    with pytest.raises(QueueFull) as caught:
        queue.check_room(3)
    assert caught.value.waiting == 1
    await work.end_all()


async def test_a_member_with_their_share_can_not_queue_without_end() -> None:
    queue = scheduler(per_member=1, in_process=4, max_waiting=1)
    work = Work(queue)
    work.start("a1", 1)
    work.start("a2", 1)
    with pytest.raises(QueueFull):
        queue.check_room(1)
    queue.check_room(2)  # who need not wait is welcome, however many others do
    await work.end_all()


async def test_closing_sends_the_waiting_away_and_lets_the_running_finish() -> None:
    queue = scheduler(in_process=1)
    work = Work(queue)
    work.start("a", 1)
    work.start("b", 2)
    await settle()
    queue.close()
    with pytest.raises(ShuttingDown):
        await work.tasks["b"]
    with pytest.raises(ShuttingDown):
        queue.enter(3)
    assert queue.running == 1
    await work.end("a")
    assert queue.running == 0


async def test_no_slot_is_lost_or_doubled_under_random_cancellation() -> None:
    rng = random.Random(20)
    queue = scheduler(per_member=2, in_process=3, max_waiting=1000)
    highest = 0

    async def job(member: int) -> None:
        nonlocal highest
        async with queue.slot(queue.enter(member)):
            highest = max(highest, queue.running)
            for _ in range(rng.randrange(4)):
                await asyncio.sleep(0)

    tasks = [asyncio.create_task(job(rng.randrange(6))) for _ in range(300)]
    for task in rng.sample(tasks, 100):
        for _ in range(rng.randrange(3)):
            await asyncio.sleep(0)
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (queue.running, queue.waiting) == (0, 0)
    assert highest == 3
