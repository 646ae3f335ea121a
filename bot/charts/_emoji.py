"""Emoji in colour, one at a time, as small pictures. Runs in the worker only.

The plotting library takes fonts of outlines only, and those of colour emoji are pictures (FreeType
draws them, through Pillow). Where no such font is installed, nothing is in colour.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Final, Self

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font
from msgspec import Struct
from PIL import Image, ImageDraw, ImageFont, features

# Unicode's emoji-data.txt: what is shown as emoji by itself. All beyond the first 65,536 is taken
# for one; the rest of the first 65,536 only with a variation selector.
_BY_ITSELF: Final = (
    "\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1"
    "\u26aa\u26ab\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705"
    "\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50"
    "\u2b55\U0001f000-\U0001faff"
)
_ONE: Final = (
    f"(?:[{_BY_ITSELF}]\ufe0f?|[\u00a9\u00ae\u203c-\u3299]\ufe0f)"
    "[\U0001f3fb-\U0001f3ff]?[\U000e0020-\U000e007f]*"
)
EMOJI: Final = re.compile(
    f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|{_ONE}(?:\u200d{_ONE})*"
)
"""One emoji, however many characters it is made of (UTS #51, somewhat simplified)."""

_FILES: Final = re.compile(r"color.?emoji|seguiemj|noto.?colrv1|twemoji", re.IGNORECASE)
_SIZES: Final = (109, 160, 136, 128, 96)
"""Fonts of pictures have one size, mostly the first."""


class EmojiFont(Struct, frozen=True):
    """An installed font of colour emoji."""

    covers: FT2Font
    draws: ImageFont.FreeTypeFont

    @classmethod
    def open(cls, path: Path) -> Self | None:
        """Open a font; None when it can't be used."""
        engine = ImageFont.Layout.RAQM if features.check("raqm") else ImageFont.Layout.BASIC
        for size in _SIZES:
            try:
                return cls(FT2Font(path), ImageFont.truetype(path, size, layout_engine=engine))
            except (OSError, RuntimeError):
                continue
        return None

    def has(self, emoji: str) -> bool:
        """Whether it has a picture of its first character."""
        return self.covers.get_char_index(ord(emoji[0])) != 0

    def draw(self, emoji: str, height: int) -> Image.Image:
        """Draw one emoji, `height` pixels high."""
        # Without a shaper its parts would be drawn one over the other.
        text = emoji if features.check("raqm") else emoji[0]
        left, top, right, bottom = map(round, self.draws.getbbox(text))
        drawn = Image.new("RGBA", (max(1, right - left), max(1, bottom - top)))
        pen = ImageDraw.Draw(drawn)
        pen.text((-left, -top), text, font=self.draws, fill="white", embedded_color=True)
        width = max(1, min(2 * height, round(height * drawn.width / drawn.height)))
        return drawn.resize((width, height), Image.Resampling.LANCZOS)


@lru_cache(maxsize=1)
def emoji_font() -> EmojiFont | None:
    """Return this machine's font of colour emoji, looked for once."""
    for found in sorted(font_manager.findSystemFonts()):
        if _FILES.search(Path(found).name) and (font := EmojiFont.open(Path(found))):
            return font
    return None
