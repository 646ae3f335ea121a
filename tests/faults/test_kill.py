"""kill -9 at random points of a process that spends at a local ImageRouter.

`KILLS=300 python -m pytest tests/faults/test_kill.py` kills it more often.
"""

import asyncio
import os
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.storage.rows import Row, Tx
from sandbox.clock import SandboxClock
from sandbox.imagerouter import Fault, ImageRouterServer, Price, SandboxModel
from tests.faults.spender import CEILING, MODEL, live
from tests.lives import new_life
from tests.storage.books import DAY, MINUTE, Books, StillClock, open_books, sqlite_url

KILLS = int(os.environ.get("KILLS", "120"))
BETWEEN_MS = 5 * MINUTE
"""From one life to the next: an unknown outcome is presumed three lives later."""
COST = 1300
REFUSAL_COST = 200
FAULTS = (
    Fault(drop="before_headers"),
    Fault(drop="in_body"),
    Fault(end_early=True),
    Fault(hide_cost=True),
    Fault(error={"message": "the provider is tired", "type": "provider_error"}),
    Fault(error={"message": "no", "type": "moderation"}, error_cost_micros=REFUSAL_COST),
)


@dataclass
class FarEnd:
    """What ImageRouter knows: which charge of ours each request was for."""

    server: ImageRouterServer
    names: dict[int, int] = field(default_factory=dict)
    """The charge's id by the request's index; the server itself forgets old requests."""

    @property
    def arrived(self) -> int:
        self.names |= {r.index: int(r.fields["prompt"]) for r in self.server.requests}
        return len(self.names)

    def costs(self) -> dict[int, list[int]]:
        """What was charged, by the id of our charge."""
        costs: dict[int, list[int]] = {}
        for charge in self.server.charges:
            costs.setdefault(self.names[charge.request_index], []).append(charge.cost_micros)
        return costs


async def one_life(end: FarEnd, url: str, chance: random.Random, life: int) -> None:
    """Let a process spend, and kill it: soon after its start, or when something has arrived."""
    server = end.server
    for fault in chance.sample(FAULTS, 2):
        server.faults.add(fault)
    process = new_life(live, url, server.base_url, server.api_key, life * BETWEEN_MS)
    until = end.arrived + chance.randrange(1, 25)
    await asyncio.to_thread(process.start)
    try:
        if chance.random() < 0.8:
            await server.wait_until(lambda: end.arrived >= until, timeout=30)
        # The moment is to be any moment at all: nothing is waited for here.
        await asyncio.sleep(chance.random() * 0.03)
        assert process.is_alive()
    finally:
        process.kill()
        await asyncio.to_thread(process.join)
        process.close()


async def charges(tx: Tx) -> list[Row]:
    return await tx.fetch("SELECT id, state, held, actual, closed_at FROM charge")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")
@pytest.mark.timeout(60 + 3 * KILLS)
async def test_every_cost_is_in_the_books_once_however_often_the_process_is_killed(
    tmp_path: Path,
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - pytest shows it when the test fails
    chance = random.Random(seed)
    model = SandboxModel(MODEL, (Price(provider="harbour", value="0.0013"),))
    async with ImageRouterServer(
        SandboxClock(),
        balance_micros=10**12,
        latency_ms=8,
        models=[model],
        requests_per_second=None,
    ) as server:
        end = FarEnd(server)
        for life in range(KILLS):
            await one_life(end, sqlite_url(tmp_path), chance, life)
    # The server has ended: what it would still charge, it has charged.
    assert end.arrived > KILLS
    after = StillClock(SandboxClock().now_ms() + KILLS * BETWEEN_MS)
    async with open_books(sqlite_url(tmp_path), after) as books:
        await check(books, end.costs())


async def check(books: Books, costs: dict[int, list[int]]) -> None:
    """Compare the books with what ImageRouter charged, once everything that was left is closed."""
    await books.ledger.sweep(adopt_all=True)
    left = [row for row in await books.db.read(charges) if row.maybe_integer("closed_at") is None]
    assert {row.text("state") for row in left} <= {"unknown"}
    books.clock.now += 15 * MINUTE
    await books.ledger.sweep()

    rows = {row.integer("id"): row for row in await books.db.read(charges)}
    assert costs.keys() <= rows.keys()
    assert all(row.maybe_integer("closed_at") is not None for row in rows.values())
    for charge_id, row in rows.items():
        charged = costs.get(charge_id, [])
        if row.text("state") == "settled":
            assert charged == [row.maybe_integer("actual")]
        elif row.text("state") == "presumed":
            assert row.maybe_integer("actual") == CEILING
            assert charged in ([], [COST], [REFUSAL_COST])
        else:
            assert (row.text("state"), charged) == ("released", [])
    reached = Counter(row.text("state") for row in rows.values())
    print(reached)  # noqa: T201 - pytest shows it when the test fails
    assert min(reached[state] for state in ("settled", "presumed", "released")) > 0

    books.clock.now += DAY
    assert await books.counters("member", "open") == (0, 0, 0)
    spent = sum(row.maybe_integer("actual") or 0 for row in rows.values())
    assert await books.counters("bot", "total") == (0, spent, 0)
