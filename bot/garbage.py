"""When Python looks for cycles of objects that nobody uses: rarely, since few are made.

Everything else goes by itself. A look goes through all modules and holds up whatever runs.
"""

import gc
from typing import Final

_YOUNG_OBJECTS: Final = 4_000
"""New objects after which it looks: Python's 700 are less than a command, and going through more
than so many would hold up the event loop for too long."""


def look_rarely() -> None:
    """Begin with that; before the large imports, which make nothing but what stays."""
    gc.set_threshold(_YOUNG_OBJECTS)


def leave_alone() -> None:
    """Never look again at what is there now: for when all is there that stays."""
    gc.freeze()
