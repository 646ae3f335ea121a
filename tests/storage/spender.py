"""A process that spends for as long as it lives, and says what it knows to be in the books.

Imported by the process that `tests.lives` forks, so it imports only what it needs.
"""

import asyncio
from itertools import count
from multiprocessing.connection import Connection

from tests.storage.books import MINUTE, Books, StillClock, open_books

CALLERS = 8


def live(database_url: str, now_ms: int, said: Connection) -> None:
    """Spend until killed."""
    asyncio.run(_live(database_url, now_ms, said))


async def _live(database_url: str, now_ms: int, said: Connection) -> None:
    async with open_books(database_url, StillClock(now_ms)) as books:
        await asyncio.gather(*(_spend(books, user, said) for user in range(CALLERS)))


async def _spend(books: Books, user: int, said: Connection) -> None:
    for number in count():
        held = await books.ledger.hold(books.job(pictures=2, user=user))
        for charge_id in held.charge_ids:
            assert await books.ledger.dispatch(charge_id, lease_ms=MINUTE)
            said.send_bytes(f"sent {charge_id}".encode())
            cost = 700 + number % 500
            said.send_bytes(f"charged {charge_id} {cost}".encode())
            done = await books.ledger.settle(charge_id, actual=cost)
            assert done.changed
            said.send_bytes(f"settled {charge_id} {cost}".encode())
