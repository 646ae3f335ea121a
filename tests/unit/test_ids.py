"""Ids: ascending with time, and no process makes one twice."""

from concurrent.futures import ThreadPoolExecutor
from itertools import chain, pairwise

from bot.ids import MOST_ID, make_id, make_ids

NOON = 1_790_000_000_000
MANY = 20_000
"""So many random ids of one millisecond would nearly certainly meet."""


class Stopped:
    """A clock that stands still."""

    def __init__(self, now: int) -> None:
        self.now = now

    def now_ms(self) -> int:
        return self.now

    async def sleep_until(self, when_ms: int) -> None:
        raise NotImplementedError


def test_ids_of_one_millisecond_never_meet() -> None:
    clock = Stopped(NOON)

    def some(_: int) -> list[int]:
        return [*make_ids(clock, 25), make_id(clock)]

    with ThreadPoolExecutor(4) as threads:
        made = list(chain.from_iterable(threads.map(some, range(MANY // 26))))

    assert len(set(made)) == len(made)


def test_ids_ascend_with_time() -> None:
    made = [make_id(Stopped(NOON + passed // 3)) for passed in range(3_000)]

    assert all(before < after for before, after in pairwise(made))
    assert 0 < made[0] < made[-1] < MOST_ID


def test_a_millisecond_that_comes_back_begins_anywhere() -> None:
    first, between, again = (
        make_id(Stopped(NOON)),
        make_id(Stopped(NOON + 1)),
        make_id(Stopped(NOON)),
    )

    assert between > first
    assert again != first + 1
