"""Comparisons for the machines of random events: jobs of several models, and what each spent."""

from hypothesis import strategies as st

from bot.storage import Database
from bot.storage.rows import Tx

AMOUNTS = (0, 1, 300, 1000, 2500)
Wanted = list[tuple[str, int]]
"""The model and the ceiling of each charge of a job."""
COMPARED: st.SearchStrategy[Wanted] = st.builds(
    lambda ceilings: [(f"some/model-{place}", ceiling) for place, ceiling in enumerate(ceilings)],
    st.lists(st.sampled_from(AMOUNTS), min_size=2, max_size=4),
)
"""A picture by each of several models, at prices of their own."""


async def sums_of_models(db: Database) -> dict[str, tuple[int, int]]:
    """Read what the roll-ups say of each model: spent, and of how many charges."""

    async def read(tx: Tx) -> dict[str, tuple[int, int]]:
        rows = await tx.fetch(
            "SELECT name AS model, CAST(SUM(spent) AS BIGINT) AS spent, "
            "CAST(SUM(charges) AS BIGINT) AS charges FROM usage_day "
            "WHERE kind = 'model' GROUP BY name HAVING SUM(charges) > 0"
        )
        return {row.text("model"): (row.integer("spent"), row.integer("charges")) for row in rows}

    return await db.read(read)
