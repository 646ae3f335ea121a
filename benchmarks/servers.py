"""The far ends in a process of their own: a local Discord with people, and a local ImageRouter.

Rate limits are off, so that the bot is what is measured. `python -m benchmarks.servers` prints its
addresses as one line of JSON, then reads orders and prints what came of each, line by line. All
times are measured here, where a person's client would.
"""

import asyncio
import io
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Final

from PIL import Image

from benchmarks import Addresses, Load
from sandbox.clock import SandboxClock
from sandbox.discord import Ask, DiscordServer, UploadedFile
from sandbox.imagerouter import DEFAULT_MODELS, Fault, ImageRouterServer, Price

PROMPT: Final = "a paper boat on a quiet sea at dawn, drawn with a fine pen"
PEOPLE: Final = ("mira", "theo", "ada")
LONGEST_S: Final = 60.0
"""How long a person waits for an answer before the run counts as broken."""

_BALANCE_MICROS: Final = 1_000_000_000
_DRAWN_ONCE: Final = "test/test"


class Crowd:
    """People who use `/imagine` and `/edit`."""

    def __init__(self, discord: DiscordServer, router: ImageRouterServer) -> None:
        self._discord = discord
        self._router = router
        channels = discord.world.channels.values()
        self._channels = [channel for channel in channels if channel.guild_id is not None]
        self._asked = 0

    async def one_after_the_other(
        self, count: int, pictures: Sequence[UploadedFile] = (), made: bytes | None = None
    ) -> Load:
        """Ask `count` times, each time after the last word about the one before.

        `made` is what ImageRouter makes of every prompt, if not its usual picture.
        """
        load = Load()
        if made is not None:
            self._router.faults.add(Fault(picture=made), times=count)
        with self._counted(load):
            for _ in range(count):
                shown = await self._ask(load, pictures)
                # A picture that was converted or linked would not be what is measured.
                load.failed += made is not None and shown not in (made, None)
                self._check_sent(load, pictures)
        return load

    def _check_sent(self, load: Load, pictures: Sequence[UploadedFile]) -> None:
        """Count it as failed when the pictures did not arrive as they were; then forget them."""
        if pictures:
            sent = [file.data for file in self._router.requests[-1].files]
            load.failed += sent != [picture.data for picture in pictures]
            self._router.requests.clear()

    async def steadily(self, *, per_second: float, count: int) -> Load:
        """Ask `count` times at a steady rate, however long the answers take."""
        load = Load()
        loop = asyncio.get_running_loop()
        start = loop.time()
        with self._counted(load):
            async with asyncio.TaskGroup() as group:
                for number in range(count):
                    await asyncio.sleep(start + number / per_second - loop.time())
                    group.create_task(self._ask(load))
        return load

    async def _ask(self, load: Load, pictures: Sequence[UploadedFile] = ()) -> bytes | None:
        """Ask once; the picture that came, or None when that counts as failed."""
        person = self._discord.person(PEOPLE[self._asked % len(PEOPLE)])
        channel = self._channels[self._asked % len(self._channels)]
        self._asked += 1
        start = time.perf_counter()
        if pictures:
            names = ["image", *(f"image{number}" for number in range(2, len(pictures) + 1))]
            options = dict(zip(names, names, strict=True))
            ask = await person.slash(
                channel,
                "edit",
                {**options, "prompt": PROMPT, "model": _DRAWN_ONCE},
                files=dict(zip(names, pictures, strict=True)),
            )
        else:
            ask = await person.slash(channel, "imagine", {"prompt": PROMPT})
        try:
            await ask.acknowledged(LONGEST_S)
            load.acknowledged_ms.append(_since(start))
            shown = await self._last_word(ask)
            load.finished_ms.append(_since(start))
        except TimeoutError as error:
            print(error, file=sys.stderr)
            load.failed += 1
            return None
        return shown

    async def _last_word(self, ask: Ask) -> bytes:
        """Wait for the private follow-up, which comes after the picture, and for the picture."""
        await ask.followup(0, LONGEST_S)
        message = await ask.answer(LONGEST_S)
        if not message.attachments:
            raise TimeoutError(f"no picture: {message.text!r:.200}")
        return message.attachments[0].data

    def _counted(self, load: Load) -> "_Counting":
        return _Counting(self._discord, self._router, load)


class _Counting:
    """Counts the calls to both servers while the block runs."""

    def __init__(self, discord: DiscordServer, router: ImageRouterServer, load: Load) -> None:
        self._discord, self._router, self._load = discord, router, load

    def __enter__(self) -> None:
        self._discord.requests.clear()
        self._router.calls.clear()

    def __exit__(self, *_: object) -> None:
        routes = [f"{request.method} {request.route}" for request in self._discord.requests]
        calls = ["/".join(call.split("/")[:2]) for call in self._router.calls]
        self._load.calls = dict(Counter([*routes, *calls]))


def noise(number: int, size: int) -> UploadedFile:
    """Return a picture of about `size` bytes; every other one is a JPEG, as photos are."""
    kind, bytes_a_pixel = (("png", 3.0), ("jpeg", 1.41))[number % 2]
    side = round((size / bytes_a_pixel) ** 0.5)
    picture = Image.frombytes("RGB", (side, side), os.urandom(3 * side * side))
    buffer = io.BytesIO()
    picture.save(buffer, kind, quality=97, compress_level=0)
    return UploadedFile(f"{number}.{kind}", buffer.getvalue())


def _since(start: float) -> float:
    return (time.perf_counter() - start) * 1000


async def _serve() -> None:
    clock = SandboxClock()
    models = [
        # Its picture is drawn once; here it has a price, so that the books have work to do.
        replace(model, prices=(Price(value="0.0013"),)) if model.id == _DRAWN_ONCE else model
        for model in DEFAULT_MODELS
    ]
    async with (
        DiscordServer(clock) as discord,
        ImageRouterServer(
            clock, balance_micros=_BALANCE_MICROS, models=models, requests_per_second=None
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
        crowd = Crowd(discord, router)
        while line := await asyncio.to_thread(sys.stdin.readline):
            order = json.loads(line)
            router.latency_ms = order.get("latency_ms", 0)
            pictures = [noise(number, size) for number, size in enumerate(order.get("sizes", ()))]
            if per_second := order.get("per_second"):
                load = await crowd.steadily(per_second=per_second, count=order["count"])
            else:
                made = noise(0, order["made"]).data if "made" in order else None
                load = await crowd.one_after_the_other(order["count"], pictures, made)
            print(json.dumps(asdict(load)), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve())
