"""When Python looks for cycles of objects that nobody uses: not while the bot starts.

Everything else goes by itself. A look goes through what is new, now and then through all there is,
and holds up whatever runs meanwhile.
"""

import gc


def put_off() -> None:
    """Don't look until `look_from_now_on`: imports make nothing but what stays."""
    gc.disable()


def look_from_now_on() -> None:
    """Look for what becomes useless from now on; what is there already is never looked at again."""
    gc.freeze()
    gc.enable()
