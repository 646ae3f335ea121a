"""The parts of one local Discord that its routes, its gateway and its people share."""

from pathlib import Path

from sandbox.clock import SandboxClock
from sandbox.discord.cdn import Cdn
from sandbox.discord.gateway import Gateway
from sandbox.discord.interactions import InteractionDesk
from sandbox.discord.openapi import RequestBodyChecker
from sandbox.discord.posting import Post
from sandbox.discord.ratelimits import RateLimits
from sandbox.discord.world import World


class Core:
    """One local Discord without its sockets."""

    def __init__(
        self, clock: SandboxClock, world: World, *, token: str, openapi_path: Path | None
    ) -> None:
        self.clock = clock
        self.world = world
        self.token = token
        self.cdn = Cdn(clock)
        self.post = Post(world, self.cdn)
        self.limits = RateLimits()
        self.gateway = Gateway(world, token=token)
        self.desk = InteractionDesk(world, clock, send=self.gateway.send_interaction)
        self.checker = None if openapi_path is None else RequestBodyChecker.load(openapi_path)
        self.openapi_problems: list[str] = []

    def close(self) -> None:
        """Stop timers and let go of the clock and the world."""
        self.desk.close()
        self.gateway.close()
