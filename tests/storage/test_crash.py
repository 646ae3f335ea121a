"""kill -9 at random moments: what was promised is in the books, and the books are in order."""

import asyncio
import random
from contextlib import suppress
from multiprocessing import Pipe
from pathlib import Path

from bot.storage import ChargeState, Output
from bot.storage.rows import Row, Tx
from tests.lives import new_life
from tests.storage import spender
from tests.storage.books import DAY, MINUTE, NOON, Books, open_books, sqlite_url

ROUNDS = 12


def run_and_kill(url: str, now_ms: int, lines: int) -> list[list[str]]:
    """Let a process spend, kill it after so many lines, and return all that it said."""
    heard, said = Pipe(duplex=False)
    process = new_life(spender.live, url, now_ms, said)
    process.start()
    said.close()
    with heard:
        whole = [heard.recv_bytes().decode().split() for _ in range(lines)]
        process.kill()
        process.join()
        with suppress(EOFError):
            while True:
                whole.append(heard.recv_bytes().decode().split())
    process.close()
    return whole


def bytes_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def charges(tx: Tx) -> list[Row]:
    return await tx.fetch("SELECT id, state, actual, held FROM charge")


async def test_a_kill_at_any_moment_loses_no_cost(database_url: str) -> None:
    chance = random.Random(9)
    url = database_url
    said: list[list[str]] = []
    for round_number in range(ROUNDS):
        # Each round sees the next day, so that the books hold several windows.
        now = NOON + round_number * DAY
        said += await asyncio.to_thread(run_and_kill, url, now, chance.randrange(1, 400))
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


async def test_what_was_settled_before_a_crash_can_be_delivered_after_it(
    database_url: str,
) -> None:
    async with open_books(database_url) as before:
        held = await before.sent(before.job(pictures=3))
        output = Output(data=b"picture", media_type="image/png")
        await before.ledger.settle(held.charge_ids[0], actual=900, outputs=[output])
        before.clock.now += 1
        never_sent = await before.ledger.hold(before.job())
    async with open_books(database_url) as after:
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
