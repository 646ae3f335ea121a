"""A process that does the same as others at the same moment.

Imported by the process that `tests.lives` forks, so it imports only what it needs.
"""

import asyncio
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Literal

from bot.quotas import Limit, QuotaExceeded, Scope, Window
from bot.storage.rows import Row, Tx
from tests.storage.books import Books, open_books

What = Literal["hold", "open", "settle", "check, then record"]
PRICE = 1000
FITTING = 37
BUDGET = Limit(Scope.GUILD, Window.MONTH, FITTING * PRICE + 500)


def live(database_url: str, what: What, charge_ids: Sequence[int], talk: Connection) -> None:
    """Open the database, say so, and wait for the word; at the end, say how often it went well."""
    asyncio.run(_live(database_url, what, charge_ids, talk))


async def _live(url: str, what: What, charge_ids: Sequence[int], talk: Connection) -> None:
    async with open_books(url) as books:
        talk.send("ready")
        talk.recv()
        if what == "hold":
            done = await _hold(books, 25, BUDGET)
        elif what == "open":
            done = await _hold(books, 10, Limit(Scope.MEMBER, Window.OPEN, 5))
        elif what == "settle":
            done = await _settle(books, charge_ids)
        else:
            done = await _check_then_record(books, 25)
        talk.send(done)


async def _hold(books: Books, tries: int, limit: Limit) -> int:
    admitted = 0

    async def one() -> None:
        nonlocal admitted
        try:
            await books.ledger.hold(books.job(ceiling=PRICE, user=11), [limit])
        except QuotaExceeded:
            return
        admitted += 1

    await asyncio.gather(*(one() for _ in range(tries)))
    return admitted


async def _settle(books: Books, charge_ids: Sequence[int]) -> int:
    changes = [books.ledger.settle(charge_id, actual=7) for charge_id in charge_ids]
    return sum(change.changed for change in await asyncio.gather(*changes))


async def _check_then_record(books: Books, tries: int) -> int:
    """Make the mistake: all look at the sum, and then those who found room write."""

    async def count(tx: Tx) -> int:
        (row,) = await tx.fetch("SELECT COUNT(*) AS n FROM setting")
        return row.integer("n")

    async def record(number: int) -> None:
        async def run(tx: Tx) -> list[Row]:
            name = f"{books.process_id} {number}"
            return await tx.fetch(
                "INSERT INTO setting (name, content, changed_at) VALUES ($1, '', 0)", name
            )

        await books.db.write(run)

    seen = await asyncio.gather(*(books.db.read(count) for _ in range(tries)))
    roomy = [number for number, n in enumerate(seen) if (n + 1) * PRICE <= BUDGET.amount]
    await asyncio.gather(*map(record, roomy))
    return len(roomy)
