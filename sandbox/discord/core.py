"""The parts of one local Discord that its routes, its gateway and its people share."""

from dataclasses import dataclass

from sandbox.clock import SandboxClock
from sandbox.discord.world import World


@dataclass(slots=True)
class Core:
    """One local Discord without its sockets."""

    clock: SandboxClock
    world: World
