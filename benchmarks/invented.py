"""Catalogues of any size, with names put together as real ones are, and what people type.

Vendors have several families, each in many versions and variants, so that most words are shared by
hundreds of models. What is typed: the beginnings of names, words in any order, slips, vendors,
words that many names have, nonsense.
"""

import random
from collections.abc import Iterator
from itertools import islice
from typing import Final

_SEED: Final = 1_905

_SYLLABLES: Final = (
    *("au", "bri", "chro", "dal", "en", "flu", "gra", "hun", "ide", "ju", "kan", "lu", "mid"),
    *("nor", "ovi", "pho", "qua", "rec", "sta", "tur", "ul", "ver", "wan", "xi", "yu", "ze"),
)
_ENDINGS: Final = ("ro", "max", "na", "ra", "ge", "ton", "la", "dia", "ri", "gen", "cast", "dream")
_KINDS: Final = ("image", "diffusion", "flux", "vision", "art", "edit", "paint", "photo", "anime")
_VARIANTS: Final = ("pro", "max", "ultra", "turbo", "fast", "mini", "dev", "lite", "xl", "base")
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz "
_TYPED_WRONG: Final = "aeioustlx3"


def model_ids(count: int) -> list[str]:
    """Invent different ids, the same every time."""
    names = _names(random.Random(_SEED))
    ids: dict[str, None] = {}
    while len(ids) < count:
        ids[next(names)] = None
    return list(ids)


def typed_texts(ids: list[str], count: int) -> list[str]:
    """Type as people do who look for one of these models, the same every time."""
    return list(islice(_typed(ids, random.Random(_SEED)), count))


def _names(chance: random.Random) -> Iterator[str]:
    while True:
        vendor = _word(chance) + chance.choice(("", "-ai", "-labs", "AI"))
        for _ in range(chance.randrange(1, 6)):
            family = _word(chance) + chance.choice(("", "-")) + chance.choice(_KINDS)
            for _ in range(chance.randrange(1, 9)):
                whole, part = chance.randrange(1, 9), chance.randrange(1, 9)
                version = chance.choice(("", f"-{whole}", f"-v{whole}", f"-{whole}.{part}"))
                variant = chance.choice(("", "-" + chance.choice(_VARIANTS)))
                yield f"{vendor}/{family}{version}{variant}{chance.choice(('', '', '', ':free'))}"


def _word(chance: random.Random) -> str:
    beginning = chance.choices(_SYLLABLES, k=chance.randrange(1, 3))
    return "".join(beginning) + chance.choice(_ENDINGS)


def _typed(ids: list[str], chance: random.Random) -> Iterator[str]:
    while True:
        vendor, _, short = chance.choice(ids).partition("/")
        words = short.replace(":", "-").split("-")
        slip = chance.randrange(len(short))
        yield short[: chance.randrange(1, len(short) + 1)]
        yield short[: chance.randrange(1, 4)]
        yield " ".join(chance.sample(words, min(len(words), 2)))
        yield short[:slip] + chance.choice(_TYPED_WRONG) + short[slip + 1 :]
        yield short[:slip] + short[slip + 1 :]
        yield f"{vendor} {words[-1]}"
        yield chance.choice((vendor, *_KINDS, *_VARIANTS))
        yield "".join(chance.choices(_LETTERS, k=12))
