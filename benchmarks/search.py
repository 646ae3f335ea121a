"""Finding models among many: how long a search takes, and what it adds to an autocomplete."""

import asyncio
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, Scale, percentile
from benchmarks.invented import model_ids, typed_texts
from benchmarks.processes import Bot, Servers
from bot.catalog import Catalog
from bot.clock import SystemClock
from bot.imagerouter import CatalogueModel, ModelsPage, ProviderPrice

SIZES: Final = {1_000: 1.0, 10_000: 5.0}
"""Models, and the milliseconds that 99 of 100 searches may take."""

_TRIES: Final = 3
"""The best counts: other programs on the machine are not what is measured."""

_BATCHES: Final = 20
"""In which the two bots take turns, so that both meet the same machine."""


def search(scale: Scale) -> list[Figure]:
    """Search 1,000 and 10,000 models in this process, then over the wire."""
    return [*asyncio.run(_in_process(scale)), *_round_trip(scale)]


async def _in_process(scale: Scale) -> list[Figure]:
    figures, tails, means = list[Figure](), list[float](), list[float]()
    for size, limit in SIZES.items():
        took = await _took_ms(size, scale.searches)
        tails.append(percentile(took, 0.99))
        means.append(statistics.fmean(took))
        figures += [
            Figure(f"search of {size:,} models, p99", tails[-1], "ms", limit),
            Figure("  mean", means[-1], "ms"),
            Figure("  the slowest", max(took), "ms"),
        ]
    fewest, most = SIZES
    growth = most / fewest
    return [
        *figures,
        Figure(
            f"searches with {growth:g} times the models, mean", means[1] / means[0], "x", growth
        ),
        Figure("  p99", tails[1] / tails[0], "x", growth),
    ]


async def _took_ms(size: int, count: int) -> list[float]:
    ids = model_ids(size)
    catalog = Catalog(_Shelf(ids), clock=SystemClock(), cache_path=None, unpriced_ceiling=None)
    await catalog.load()
    texts = typed_texts(ids, count)
    # One pass after the other: what was typed a moment ago would only be looked up again.
    passes = [[_once_ms(catalog, text) for text in texts] for _ in range(1 + _TRIES)]
    return [min(took) for took in zip(*passes[1:], strict=True)]


def _once_ms(catalog: Catalog, text: str) -> float:
    """Return the CPU time of one search; it waits for nothing, so that is all of its time."""
    begin = time.thread_time_ns()
    catalog.search(text, images=0)
    return (time.thread_time_ns() - begin) / 1e6


class _Shelf:
    """Stands for ImageRouter: nothing is fetched while time is taken."""

    def __init__(self, ids: list[str]) -> None:
        price = ProviderPrice(provider="p", minimum=1_000, average=1_300, maximum=5_000)
        self._models = tuple(
            CatalogueModel(id=model_id, providers=(price,), edit=place % 2 == 0)
            for place, model_id in enumerate(ids)
        )

    async def models(self, *, etag: str | None = None) -> ModelsPage:
        return ModelsPage(models=self._models, etag=etag)

    async def model(self, model_id: str) -> CatalogueModel | None:
        return next((model for model in self._models if model.id == model_id), None)

    async def popular_models(self) -> list[str]:
        return [model.id for model in self._models[:10]]


def _round_trip(scale: Scale) -> list[Figure]:
    """Ask both bots for suggestions, in turns; each has a local Discord of its own."""
    took: dict[str, list[float]] = {"easel": [], "least_suggest": []}
    ratios = []
    with ExitStack() as stack:
        discords = {}
        for kind in took:
            home = stack.enter_context(tempfile.TemporaryDirectory())
            servers = stack.enter_context(Servers("benchmarks.suggestions"))
            stack.enter_context(Bot(kind, servers.addresses, home=Path(home)))
            servers.suggest(scale.warm_up)
            discords[kind] = servers
        for _ in range(_BATCHES):
            batch = {
                kind: servers.suggest(scale.commands // 10).acknowledged_ms
                for kind, servers in discords.items()
            }
            for kind, each in batch.items():
                took[kind] += each
            ratios.append(
                statistics.median(batch["easel"]) / statistics.median(batch["least_suggest"])
            )
    ratio = statistics.median(ratios)
    return [
        Figure("autocomplete against a constant list, round trip", ratio, "x", 1.3),
        Figure("  of Easel, median", statistics.median(took["easel"]), "ms"),
        Figure("  of Easel, p99", percentile(took["easel"], 0.99), "ms"),
        Figure("  of a constant list, median", statistics.median(took["least_suggest"]), "ms"),
        Figure("  of a constant list, p99", percentile(took["least_suggest"], 0.99), "ms"),
    ]
