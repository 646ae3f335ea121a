"""Names in a chart: cleaned, cut to the room they have, with emoji in colour. Worker only."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, Literal

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from msgspec import Struct

from bot.charts._emoji import EMOJI, EmojiFont, emoji_font
from bot.charts._fonts import families, without_lost_marks
from bot.charts._look import DPI, INK
from bot.exports import plain

_LONGEST: Final = 120
"""Characters; nothing longer fits."""
_CUT: Final = "\u2026"
_MARK: Final = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f]"
_HEAPED: Final = re.compile(f"({_MARK}{{2}}){_MARK}+")
"""More marks on a letter than any language has."""
_EMOJI_HEIGHT: Final = 1.15
_EMOJI_DROP: Final = 0.2
"""How tall an emoji is, and how far it reaches below the line, as parts of the text's size."""
_EMOJI_GAP: Final = 0.08

Weight = Literal["normal", "bold"]


class Piece(Struct, frozen=True):
    """A part of a name that is drawn in one way."""

    text: str
    font: EmojiFont | None = None
    """What draws it, if it is one emoji."""


def pieces(text: str) -> Iterator[Piece]:
    """Cut a name into emoji and what is between them, in the order in which they are read."""
    end = 0
    for found in EMOJI.finditer(text):
        font = emoji_font()
        if font is None or not font.has(found[0]):
            continue
        if found.start() > end:
            yield Piece(text[end : found.start()])
        yield Piece(found[0], font)
        end = found.end()
    if end < len(text):
        yield Piece(text[end:])


def clean(name: str) -> str:
    """Return a name on one line, without what can't be seen or climbs over others; never empty."""
    line = " ".join(plain(name).split())[:_LONGEST]
    return _HEAPED.sub(r"\1", line) or "?"


def _runs_left(text: str) -> bool:
    """Whether the first letter that has a direction is one of Hebrew, Arabic and their like."""
    kinds = (unicodedata.bidirectional(letter) for letter in text)
    return next((kind for kind in kinds if kind in {"L", "R", "AL"}), "L") != "L"


class Labels:
    """Writes names onto a figure. Places and widths are in inches from the lower left corner."""

    def __init__(self, figure: Figure) -> None:
        self._figure = figure
        FigureCanvasAgg(figure)
        # Nothing is drawn by it: it measures.
        self._renderer = RendererAgg(1, 1, DPI)  # type: ignore[no-untyped-call]

    def width(self, text: str, size: float, weight: Weight = "normal") -> float:
        """Return how wide a text is."""
        return sum(self._piece_width(piece, size, weight) for piece in pieces(text))

    def fitted(self, text: str, width: float, size: float, weight: Weight = "normal") -> str:
        """Return as much of a name as there is room for."""
        name = without_lost_marks(clean(text))
        if self.width(name, size, weight) <= width:
            return name
        # Whole emoji and letters with their marks are kept or left out.
        ends = list(_ends(name))
        low, high = 0, len(ends)
        while low < high:
            middle = (low + high + 1) // 2
            part = name[: ends[middle - 1]].rstrip() + _CUT
            if self.width(part, size, weight) <= width:
                low = middle
            else:
                high = middle - 1
        return name[: ends[low - 1]].rstrip() + _CUT if low else _CUT

    def write(
        self,
        text: str,
        x: float,
        y: float,
        size: float,
        *,
        width: float,
        weight: Weight = "normal",
        color: str = INK,
        right: bool = False,
    ) -> None:
        """Write a name from `x` on (or up to it, if `right`), with its line at `y`."""
        name = self.fitted(text, width, size, weight)
        if right:
            x -= self.width(name, size, weight)
        parts = list(pieces(name))
        for piece in reversed(parts) if _runs_left(name) else parts:
            if piece.font is None:
                self._text(piece.text, x, y, size, weight, color)
            else:
                self._emoji(piece.font, piece.text, x, y, size)
            x += self._piece_width(piece, size, weight)

    def _piece_width(self, piece: Piece, size: float, weight: Weight) -> float:
        if piece.font is not None:
            return (_EMOJI_HEIGHT * 1.06 + _EMOJI_GAP) * size / 72
        font = FontProperties(family=families(piece.text), size=size, weight=weight)
        width, _, _ = self._renderer.get_text_width_height_descent(  # type: ignore[no-untyped-call]
            piece.text, font, ismath=False
        )
        return float(width) / DPI

    def _text(self, text: str, x: float, y: float, size: float, weight: Weight, color: str) -> None:
        across, up = self._figure.get_size_inches()
        self._figure.text(
            x / across,
            y / up,
            text,
            family=families(text),
            fontsize=size,
            fontweight=weight,
            color=color,
            parse_math=False,
            verticalalignment="baseline",
        )

    def _emoji(self, font: EmojiFont, text: str, x: float, y: float, size: float) -> None:
        drawn = font.draw(text, round(_EMOJI_HEIGHT * size / 72 * DPI))
        left = round(x * DPI + _EMOJI_GAP / 2 * size / 72 * DPI)
        below = round((y - _EMOJI_DROP * size / 72) * DPI)
        self._figure.figimage(np.asarray(drawn), left, below, zorder=5)


def _ends(text: str) -> Iterator[int]:
    """Yield where a text may be cut."""
    end = 0
    while end < len(text):
        found = EMOJI.match(text, end)
        end = found.end() if found else end + 1
        if end == len(text) or not unicodedata.combining(text[end]):
            yield end
