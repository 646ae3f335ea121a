"""The far ends for suggestions: a local Discord, and an ImageRouter that lists 1,000 models.

`python -m benchmarks.suggestions` speaks as `benchmarks.servers` does: it prints its addresses,
then reads orders and prints what came of each. A person types, and waits for each answer: names of
models letter by letter, and words that many names have, so most of it was typed before.
"""

import asyncio
import json
import random
import sys
import time
from dataclasses import asdict
from itertools import cycle
from typing import Final

from benchmarks import Addresses, Load
from benchmarks.invented import model_ids
from sandbox.clock import SandboxClock
from sandbox.discord import Channel, DiscordServer, Person
from sandbox.imagerouter import DEFAULT_MODELS, ImageRouterServer, Price, SandboxModel

SHOWN: Final = 25
"""Suggestions in every answer, so that both bots send as much."""

_MODELS: Final = 1_000 - len(DEFAULT_MODELS)
_WORDS: Final = ("", "i", "image", "turbo", "art", "free", "v3", "dream", "labs", "ur")
_NAMES: Final = 200
_SEED: Final = 1_905
_LONGEST_S: Final = 30.0


async def _serve() -> None:
    clock = SandboxClock()
    invented = [SandboxModel(name, (Price(value="0.0013"),)) for name in model_ids(_MODELS)]
    async with (
        DiscordServer(clock) as discord,
        ImageRouterServer(
            clock, models=[*DEFAULT_MODELS, *invented], requests_per_second=None
        ) as router,
    ):
        discord.rate_limits = False
        addresses = Addresses(
            rest_url=discord.rest_url,
            gateway_url=discord.gateway_url,
            cdn_url=discord.cdn_url,
            token=discord.token,
            imagerouter_url=router.base_url,
            popular_url=router.popular_url,
            api_key=router.api_key,
        )
        print(json.dumps(asdict(addresses)), flush=True)
        person = discord.person("mira")
        channel = next(each for each in discord.world.channels.values() if each.guild_id)
        texts = cycle(_typed(model_ids(_MODELS)))
        while line := await asyncio.to_thread(sys.stdin.readline):
            load = Load()
            for _ in range(json.loads(line)["count"]):
                load.acknowledged_ms.append(await _suggested_ms(person, channel, next(texts)))
            print(json.dumps(asdict(load)), flush=True)


def _typed(ids: list[str]) -> list[str]:
    """Return what is typed: every beginning of a name that leaves enough to be suggested."""
    shorts = [name.partition("/")[2] for name in ids]
    texts = list[str]()
    for short in random.Random(_SEED).sample(shorts, _NAMES):
        texts.append(_WORDS[len(texts) % len(_WORDS)])
        for length in range(1, len(short) + 1):
            if sum(other.startswith(short[:length]) for other in shorts) < SHOWN:
                break
            texts.append(short[:length])
    return texts


async def _suggested_ms(person: Person, channel: Channel, text: str) -> float:
    """Type, and return how long the answer took; the models may have to be loaded at first."""
    async with asyncio.timeout(_LONGEST_S):
        while True:
            start = time.perf_counter()
            options = {"prompt": "a paper boat", "model": text}
            shown = await person.autocomplete(channel, "imagine", options, "model")
            took = (time.perf_counter() - start) * 1000
            if len(shown) == SHOWN:
                return took
            await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(_serve())
