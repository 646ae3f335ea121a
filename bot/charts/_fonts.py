"""Which fonts a text needs: those with the letters that the library's own lacks. Worker only."""

import unicodedata
from functools import lru_cache
from typing import Final

from matplotlib import font_manager
from matplotlib.font_manager import FontProperties

OWN: Final = "DejaVu Sans"
"""Comes with the plotting library, so it is there on every machine."""
_ENOUGH: Final = 4
_WIDE: Final = (
    *("Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans JP", "Noto Sans SC", "Noto Sans KR"),
    *("Yu Gothic", "Meiryo", "Microsoft YaHei", "Malgun Gothic", "Nirmala UI", "Leelawadee UI"),
    *("Hiragino Sans", "PingFang SC", "Apple SD Gothic Neo", "Arial Unicode MS"),
    *("WenQuanYi Zen Hei", "Droid Sans Fallback", "Segoe UI", "Segoe UI Symbol", "Apple Symbols"),
)
"""Families with letters of many languages, of Debian, Windows and macOS; those of Noto follow."""


@lru_cache(maxsize=1)
def _installed() -> tuple[str, ...]:
    names = set(font_manager.get_font_names())
    rest = sorted(name for name in names if name.startswith("Noto Sans") and name not in _WIDE)
    return tuple(name for name in (*_WIDE, *rest) if name in names)


@lru_cache(maxsize=4096)
def _has(family: str, letter: str) -> bool:
    properties = FontProperties(family=[family])
    font = font_manager.get_font(font_manager.findfont(properties))
    return font.get_char_index(ord(letter)) != 0


def families(text: str) -> list[str]:
    """Return the families to draw a text with, the best first; few, since each is loaded."""
    chosen = [OWN]
    missing = {letter for letter in text if not _has(OWN, letter)}
    for family in _installed():
        if not missing or len(chosen) == _ENOUGH:
            break
        found = {letter for letter in missing if _has(family, letter)}
        if found:
            chosen.append(family)
            missing -= found
    return chosen


def without_lost_marks(text: str) -> str:
    """Leave out the marks on letters that no font has: each would be drawn as a box of its own."""
    return "".join(
        letter
        for letter in text
        if not unicodedata.combining(letter)
        or any(_has(family, letter) for family in (OWN, *_installed()))
    )
