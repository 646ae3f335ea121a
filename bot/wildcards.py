"""`*` in a pattern, which stands for anything. Pure, and never slow.

Each piece between two `*` is looked for once, from left to right, so that no pattern and no text
can make it take longer than the two of them are long.
"""

from collections.abc import Sequence


def pieces_of(pattern: str) -> tuple[str, ...]:
    """Cut a pattern at its `*`."""
    return tuple(pattern.split("*"))


def is_like(pieces: Sequence[str], text: str) -> bool:
    """Whether `text` has these pieces in order, the first at its start, the last at its end."""
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return text == first
    if len(text) < len(first) + len(last):
        return False
    if not (text.startswith(first) and text.endswith(last)):
        return False
    place, end = len(first), len(text) - len(last)
    for piece in pieces[1:-1]:
        found = text.find(piece, place, end)
        if found < 0:
            return False
        place = found + len(piece)
    return True
