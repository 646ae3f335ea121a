"""The pictures that people give: from where Discord keeps them to files that can be sent.

Owns fetching, the order of judging, and the folder in which files lie until their job is over. What
bytes are worth is judged by `bot.images`; a dead link is renewed, and every error put into words,
by those above.
"""

from bot.inputs._inputs import DISCORD_HOSTS, Basket, Inputs
from bot.inputs._parts import INPUT_BYTES, JOB_BYTES, InputLimits, Masks, Renew, Tools

__all__ = [
    "DISCORD_HOSTS",
    "INPUT_BYTES",
    "JOB_BYTES",
    "Basket",
    "InputLimits",
    "Inputs",
    "Masks",
    "Renew",
    "Tools",
]
