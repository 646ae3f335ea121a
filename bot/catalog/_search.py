"""Find models by what people type. Pure, and quick enough to answer at every key press."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.catalog._models import Model

_MAX_TYPED: Final = 100
"""Characters looked at; no id is longer."""
_MAX_WORDS: Final = 8
"""Words looked at; no id has as many, and each is compared with every model."""

_WORD: Final = re.compile(r"[a-z]+|[0-9]+(?:\.[0-9]+)*|[^\W\d_a-z]+")
_REFINED: Final = 24
"""Candidates that are compared letter by letter; the rest fell behind before."""

_LEAST_ALIKE: Final = 0.45


@dataclass(frozen=True, slots=True)
class _Entry:
    words: tuple[str, ...]
    joined: str
    short: str
    pairs: frozenset[str]


class Index:
    """Searches a fixed list of models, and gives their places in it.

    Earlier ones win where two match equally well.
    """

    def __init__(self, models: Sequence[Model]) -> None:
        self._entries = [_entry(model) for model in models]

    def search(self, text: str) -> list[int]:
        """Return all places that match every word typed, the best first; all for no words."""
        words = _words(text)[:_MAX_WORDS]
        scored = [
            (-score, place)
            for place, entry in enumerate(self._entries)
            if (score := _score(entry, words)) is not None
        ]
        return [place for _, place in sorted(scored)]

    def alike(self, text: str) -> list[int]:
        """Return the places of names spelled most nearly like `text`, the best first."""
        typed = "".join(_words(text))
        pairs = _pairs(typed)
        if not pairs:
            return []
        rough = sorted(
            (
                (2 * common / (len(pairs) + len(entry.pairs)), -place, entry)
                for place, entry in enumerate(self._entries)
                if (common := len(pairs & entry.pairs))
            ),
            key=lambda item: item[:2],
            reverse=True,
        )[:_REFINED]
        matcher = difflib.SequenceMatcher(autojunk=False, b=typed)
        fine = []
        for _, place, entry in rough:
            likeness = 0.0
            for name in (entry.short, entry.joined):
                matcher.set_seq1(name)
                likeness = max(likeness, matcher.ratio())
            if likeness >= _LEAST_ALIKE:
                fine.append((likeness, place))
        return [-place for _, place in sorted(fine, reverse=True)]


def _entry(model: Model) -> _Entry:
    words = tuple(_words(model.id))
    short = "".join(_words(model.short_name))
    return _Entry(words, "".join(words), short, _pairs(short))


def _words(text: str) -> list[str]:
    return _WORD.findall(text[:_MAX_TYPED].casefold())


def _pairs(text: str) -> frozenset[str]:
    """Neighbouring letters, with the first and last marked: alike words share most of them."""
    return (
        frozenset(f" {text} "[at : at + 2] for at in range(len(text) + 1)) if text else frozenset()
    )


def _score(entry: _Entry, words: Sequence[str]) -> int | None:
    """How well every word matches, or None when one does not: whole 4, beginning 3, inside 1."""
    total = 0
    for word in words:
        if word in entry.words:
            total += 4
        elif any(own.startswith(word) for own in entry.words):
            total += 3
        elif word in entry.joined:
            total += 1
        else:
            return None
    if words and entry.short.startswith("".join(words)):
        total += 2
    return total
