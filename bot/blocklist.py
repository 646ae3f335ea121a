"""Words and phrases that a prompt may not have, in a language that no text can make slow.

An entry is one word or several; each has to be in the prompt as a whole word, in that order, side
by side. `*` within a word stands for any letters of that word: `paint*`, `*brush`, `*ink*`. Case,
accents, width and punctuation make no difference. There is nothing to nest and nothing to repeat,
so a search takes time in proportion to the prompt's length for each entry, whatever they are.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from bot.wildcards import is_like, pieces_of

MOST_PHRASE: Final = 60
"""Characters of an entry."""
MOST_IN_FILE: Final = 2_000
_KEEPERS: Final = frozenset("*")


def words_of(text: str, *, keep: frozenset[str] = frozenset()) -> list[str]:
    """Cut a text into its words, as they are compared; `keep` are signs that belong to words."""
    plain = unicodedata.normalize("NFKD", text)
    # Accents, and signs that nobody sees but that would cut a word: joiners, soft hyphens.
    shown = "".join(sign for sign in plain if unicodedata.category(sign) not in {"Mn", "Cf"})
    folded = unicodedata.normalize("NFKC", shown).casefold()
    return "".join(s if s.isalnum() or s in keep else " " for s in folded).split()


def checked_phrase(typed: str) -> str | None:
    """Return what somebody typed as an entry; None when it has no word, or is too long."""
    words = words_of(typed, keep=_KEEPERS)
    phrase = " ".join(words)
    if not words or len(phrase) > MOST_PHRASE or any(not word.strip("*") for word in words):
        return None
    return phrase


def read_blocklist(path: Path) -> "Blocklist":
    """Read a file with an entry a line; empty lines and those that begin with `#` are none.

    Raises:
        OSError: it can't be read.
        ValueError: it is no UTF-8 text, has too many lines, or one that is no entry.
    """
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    phrases = []
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        phrase = checked_phrase(line)
        if phrase is None:
            raise ValueError(f"line {number} is no phrase of up to {MOST_PHRASE} characters")
        phrases.append(phrase)
    if len(phrases) > MOST_IN_FILE:
        raise ValueError(f"it has {len(phrases)} entries, and {MOST_IN_FILE} are the most")
    return Blocklist(phrases)


class Blocklist:
    """Entries that are looked for together."""

    def __init__(self, phrases: Iterable[str] = ()) -> None:
        """`phrases` come from `checked_phrase`."""
        known = dict.fromkeys(phrases)
        self._fixed = [f" {phrase} " for phrase in known if "*" not in phrase]
        self._open = [
            [pieces_of(word) for word in phrase.split()] for phrase in known if "*" in phrase
        ]

    def __len__(self) -> int:
        return len(self._fixed) + len(self._open)

    def find(self, prompt: str) -> str | None:
        """Return the words of `prompt` that an entry blocks; None when it has none.

        Takes some milliseconds for long prompts: not for the event loop.
        """
        words = words_of(prompt)
        text = f" {' '.join(words)} "
        for fixed in self._fixed:
            if fixed in text:
                return fixed.strip()
        for phrase in self._open:
            if all(piece in text for word in phrase for piece in word):
                found = _find(phrase, words)
                if found is not None:
                    return found
        return None


def _find(phrase: Sequence[Sequence[str]], words: Sequence[str]) -> str | None:
    """Find words side by side of which each is as `phrase` says."""
    for place in range(len(words) - len(phrase) + 1):
        here = words[place : place + len(phrase)]
        if all(map(is_like, phrase, here)):
            return " ".join(here)
    return None
