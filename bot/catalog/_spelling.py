"""How many slips lie between what was typed and a name. Pure."""

from typing import Final

_MAX_LETTERS: Final = 64


class Typed:
    """Letters that somebody typed, to be compared with many names.

    The distance counts letters too many, too few, other ones, and neighbours swapped. It is worked
    out for all prefixes at once in the bits of an integer, as H. Hyyrö describes in "A Bit-Vector
    Algorithm for Computing Levenshtein and Damerau Edit Distances" (2003).
    """

    def __init__(self, letters: str) -> None:
        letters = letters[:_MAX_LETTERS]
        self.letters = letters
        self._places: dict[str, int] = {}
        for place, letter in enumerate(letters):
            self._places[letter] = self._places.get(letter, 0) | 1 << place

    def slips_within(self, name: str) -> int:
        """Return the least distance to any part of `name`."""
        count = len(self.letters)
        full, last = (1 << count) - 1, 1 << count >> 1
        more, less = full, 0  # where the distance grows, or shrinks, from one prefix to the next
        same, before, slips = 0, 0, count
        fewest = count
        for letter in name:
            here = self._places.get(letter, 0)
            swapped = ((~same & here) << 1) & before
            same = (((here & more) + more) ^ more) | here | less | swapped
            grows = less | (full & ~(same | more))
            shrinks = same & more
            if grows & last:
                slips += 1
            elif shrinks & last:
                slips -= 1
                fewest = min(fewest, slips)
            # Nothing is shifted in: a part may begin anywhere in the name at no cost.
            grows <<= 1
            more = ((shrinks << 1) | ~(same | grows)) & full
            less = same & grows & full
            before = here
        return fewest
