"""Killed again and again at any moment, the bot still closes every message and loses no cost."""

import asyncio
import random
from collections import Counter
from pathlib import Path

from sandbox.books import Books
from sandbox.child import Child
from sandbox.discord import EventKind
from sandbox.house import House, waiting

KILLS = 6
PEOPLE = ("mira", "theo", "ada")
MINI = "papercut/fold-mini"
PRIVATE = "papercut/fold-large"
"""Used for private jobs only: their prompts are not stored, so the model tells them apart."""
ENDED = {EventKind.MESSAGE_CREATED, EventKind.MESSAGE_UPDATED, EventKind.MESSAGE_DELETED}


async def one_life(house: House, folder: Path, chance: random.Random, life: int) -> None:
    """Start the bot, give it work, and kill it after some change that people see."""
    changes = chance.randrange(1, 30)
    async with house.discord.world.subscribe() as events, Child(house.servers, folder) as child:
        await house.discord.wait_for_bot(20)
        for number, name in enumerate(PEOPLE * 2):
            private = chance.random() < 0.3
            options = {
                "prompt": f"boat {life}-{number}",
                "model": PRIVATE if private else MINI,
                "private": private,
                "count": chance.choice((1, 1, 2, 4)),
            }
            await house.person(name).slash(house.channel(), "imagine", options)
        try:
            async with asyncio.timeout(4):
                while changes:
                    event = await events.get()
                    changes -= event.kind in ENDED
        except TimeoutError:
            pass  # everything has happened already
        await child.kill()
    await house.discord.wait_until_bot_is_gone()


async def test_a_bot_that_is_killed_at_any_moment_loses_no_cost_and_leaves_nobody_waiting(
    servers: House, books: Books, tmp_path: Path
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - pytest shows it when the test fails
    chance = random.Random(seed)
    servers.imagerouter.latency_ms = 60
    servers.imagerouter.requests_per_second = None
    for life in range(KILLS):
        await one_life(servers, tmp_path, chance, life)

    await servers.start_bot()
    await servers.bot.services.recovery.sweep()
    await servers.stop_bot()

    told = "SELECT idem, delivery FROM job"
    jobs = {str(row["idem"]): row["delivery"] for row in books.rows(told)}
    assert set(jobs.values()) == {"delivered"}
    # Who was acknowledged and killed before the first commit is known to nobody any more.
    assert [m.text for m in waiting(servers) if str(m.interaction_id) in jobs] == []
    check_costs(servers, books)


def check_costs(house: House, books: Books) -> None:
    """Every charge of ImageRouter's is in the books once; where nobody knows, as unknown."""
    requests = {request.index: request for request in house.imagerouter.requests}

    def which(charge_prompt: str, model: str) -> str:
        return "private" if model == PRIVATE else charge_prompt

    charged = Counter(
        which(requests[charge.request_index].fields["prompt"], charge.model)
        for charge in house.imagerouter.charges
    )
    known: Counter[str] = Counter()
    possible: Counter[str] = Counter()
    rows = books.rows(
        "SELECT state, actual, charge.model, prompt FROM charge "
        "LEFT JOIN prompt ON prompt.job_id = charge.job_id"
    )
    for row in rows:
        name = which(str(row["prompt"]), str(row["model"]))
        assert row["state"] in {"settled", "unknown", "released"}
        if row["state"] == "settled":
            assert row["actual"] == (40_000 if name == "private" else 1_300)
            known[name] += 1
        possible[name] += row["state"] != "released"
    for name in charged | possible:
        assert known[name] <= charged[name] <= possible[name], name
    held = books.rows("SELECT SUM(held) AS held FROM charge WHERE state = 'unknown'")[0]["held"]
    buckets = "SELECT SUM(held) AS held, SUM(settled) AS settled FROM bucket "
    [day] = books.rows(buckets + "WHERE scope = 'bot' AND period = 'day'")
    assert day["held"] == (held or 0)
    settled = books.rows("SELECT SUM(actual) AS actual FROM charge")[0]["actual"]
    assert day["settled"] == (settled or 0)
