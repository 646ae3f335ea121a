"""When Python looks for cycles of objects that nobody uses: not while it starts, then rarely.

Everything else goes by itself. A look goes through what was made since the last one, now and then
through all there is, and holds up whatever runs meanwhile.
"""

import gc
from typing import Final

_YOUNG_OBJECTS: Final = 2_000
"""New objects after which it looks: Python's 700 are less than a few commands, and going through
more than so many would hold up the event loop for too long."""


def put_off() -> None:
    """Don't look until `look_from_now_on`: imports make nothing but what stays."""
    gc.disable()


def look_from_now_on() -> None:
    """Look for what becomes useless from now on; what is there already is never looked at again."""
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS)
    gc.enable()
