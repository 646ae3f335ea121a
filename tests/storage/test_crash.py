"""kill -9 at random moments: what was promised is in the books, and the books are in order."""

import asyncio
import random
import subprocess
import sys
from pathlib import Path

from bot.storage import ChargeState, Output
from bot.storage.rows import Row, Tx
from tests.storage.books import DAY, MINUTE, NOON, Books, open_books, sqlite_url

ROOT = Path(__file__).parents[2]
ROUNDS = 12

SPENDER = """
import asyncio, os, sys
from itertools import count
from tests.storage.books import MINUTE, StillClock, open_books

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

async def spend(books, worker):
    for number in count():
        job = books.job(pictures=2, user=worker)
        held = await books.ledger.hold(job)
        for charge_id in held.charge_ids:
            assert await books.ledger.dispatch(charge_id, lease_ms=MINUTE)
            say("sent", charge_id)
            cost = 700 + number % 500
            say("charged", charge_id, cost)
            done = await books.ledger.settle(charge_id, actual=cost)
            assert done.changed
            say("settled", charge_id, cost)

async def main():
    async with open_books(sys.argv[1], StillClock(int(sys.argv[2]))) as books:
        await asyncio.gather(*(spend(books, worker) for worker in range(8)))

asyncio.run(main())
"""


def run_and_kill(command: list[str], lines: int) -> list[list[str]]:
    """Run a process, kill it after so many lines, and return all that it said."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline().split() for _ in range(lines)]
        process.kill()
        rest, _ = process.communicate()
        return said + [line.split() for line in rest.splitlines()]


def bytes_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def charges(tx: Tx) -> list[Row]:
    return await tx.fetch("SELECT id, state, actual, held FROM charge")


async def test_a_kill_at_any_moment_loses_no_cost(tmp_path: Path) -> None:
    chance = random.Random(9)
    url = sqlite_url(tmp_path)
    said: list[list[str]] = []
    for round_number in range(ROUNDS):
        # Each round sees the next day, so that the books hold several windows.
        now = NOON + round_number * DAY
        command = [sys.executable, "-c", SPENDER, url, str(now)]
        said += await asyncio.to_thread(run_and_kill, command, chance.randrange(1, 400))
    async with open_books(url) as books:
        books.clock.now += ROUNDS * DAY
        await books.ledger.sweep(adopt_all=True)
        await check(books, said)
        books.clock.now += 15 * MINUTE
        await books.ledger.sweep()
        rows = await books.db.read(charges)
        assert {row.text("state") for row in rows} <= {"settled", "released", "presumed"}


async def check(books: Books, said: list[list[str]]) -> None:
    """Compare the books with what the killed processes had said before."""
    rows = {row.integer("id"): row for row in await books.db.read(charges)}
    settled = {int(words[1]): int(words[2]) for words in said if words[:1] == ["settled"]}
    charged = {int(words[1]): int(words[2]) for words in said if words[:1] == ["charged"]}
    assert len(settled) > ROUNDS
    for charge_id, cost in settled.items():
        assert rows[charge_id].maybe_integer("actual") == cost
    for charge_id, cost in charged.items():
        row = rows[charge_id]
        if row.text("state") == "settled":
            assert row.maybe_integer("actual") == cost
        else:
            assert row.text("state") == "unknown"
    unsent = rows.keys() - {int(words[1]) for words in said if words[:1] == ["sent"]}
    # Between the commit of a dispatch and its "sent", a process may die: that is unknown, too.
    assert all(rows[charge_id].text("state") in {"released", "unknown"} for charge_id in unsent)


async def test_what_was_settled_before_a_crash_can_be_delivered_after_it(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    async with open_books(url) as before:
        held = await before.sent(before.job(pictures=3))
        output = Output(data=b"picture", media_type="image/png")
        await before.ledger.settle(held.charge_ids[0], actual=900, outputs=[output])
        before.clock.now += 1
        never_sent = await before.ledger.hold(before.job())
    async with open_books(url) as after:
        await after.ledger.sweep(adopt_all=True)
        assert await after.jobs.open_deliveries() == [held.job_id, never_sent.job_id]
        assert await after.jobs.claim_delivery(held.job_id)
        job = await after.jobs.get(held.job_id)
        assert job is not None
        assert [charge.state for charge in job.charges] == [
            ChargeState.SETTLED,
            ChargeState.UNKNOWN,
            ChargeState.UNKNOWN,
        ]
        assert (job.outputs, job.spent, job.pending) == ((output,), 900, 2000)


async def test_no_byte_of_a_private_prompt_reaches_the_disk(tmp_path: Path) -> None:
    secret = "a wish that nobody may read"
    async with open_books(sqlite_url(tmp_path)) as books:
        for private in (True, False):
            job = books.job(private=private, prompt=secret if private else "an open wish")
            held = await books.sent(job)
            await books.ledger.settle(
                held.charge_ids[0], actual=1, outputs=[Output(data=secret.encode())] * private
            )
        during = bytes_in(tmp_path)
    after = bytes_in(tmp_path)
    assert b"an open wish" in during
    assert b"an open wish" in after
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        assert secret.encode(encoding) not in during
        assert secret.encode(encoding) not in after
