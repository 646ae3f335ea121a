"""Anybody's words as labels: on one line, in their room, in every script there is a font for."""

import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from matplotlib.figure import Figure
from matplotlib.image import FigureImage

from bot.charts import _figure
from bot.charts._emoji import EMOJI, emoji_font
from bot.charts._fonts import families, without_lost_marks
from bot.charts._labels import Labels, clean, pieces
from bot.charts._look import DPI, TEXT_PT
from tests.charts.charts import HOSTILE, NAMES, chart

pytestmark = pytest.mark.filterwarnings("ignore:Glyph:UserWarning")

EMOJI_FONT = emoji_font()
WIDE_FONT = families("漢") != families("a")
needs_emoji = pytest.mark.skipif(EMOJI_FONT is None, reason="no font of colour emoji is installed")
needs_cjk = pytest.mark.skipif(not WIDE_FONT, reason="no font with CJK letters is installed")


def test_this_machine_has_the_fonts_that_continuous_integration_installs() -> None:
    if shutil.which("dpkg") is None:
        pytest.skip("not Debian")
    assert EMOJI_FONT is not None
    assert WIDE_FONT


@settings(max_examples=60)
@given(NAMES)
def test_a_name_is_cut_to_the_room_it_has(name: str) -> None:
    labels = Labels(Figure(dpi=DPI))
    fitted = labels.fitted(name, 1.2, TEXT_PT)
    assert fitted
    assert labels.width(fitted, TEXT_PT) <= 1.2
    assert len(fitted.splitlines()) == 1


@settings(max_examples=60)
@given(NAMES)
def test_a_name_that_fits_is_whole(name: str) -> None:
    assert Labels(Figure(dpi=DPI)).fitted(name, 1_000, TEXT_PT) == without_lost_marks(clean(name))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", "?"),
        (" \n\t ", "?"),
        ("two\nlines", "two lines"),
        ("\u202eabc\u202c", "abc"),
        ("$x^2$", "$x^2$"),
        ("a" + "\u0301" * 9, "a\u0301\u0301"),
    ],
)
def test_names_are_made_harmless(name: str, shown: str) -> None:
    assert clean(name) == shown


@pytest.mark.parametrize(
    "emoji",
    [
        *("😀", "👍🏽", "🇩🇪", "1️⃣", "❤️", "✅", "👩\u200d👩\u200d👧\u200d👦"),
        *("🏳️\u200d🌈", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"),
    ],
)
@needs_emoji
def test_an_emoji_is_one_whole_of_many_characters(emoji: str) -> None:
    assert EMOJI.fullmatch(emoji)
    found = list(pieces(f"a{emoji}b"))
    assert [piece.text for piece in found] == ["a", emoji, "b"]
    assert [piece.font is None for piece in found] == [True, False, True]


@pytest.mark.parametrize("text", ["12#*", "© ® ™", "漢字かな", "→ ▲ ☂", "مرحبا", "\ue000"])
def test_what_is_text_is_left_to_the_fonts_of_text(text: str) -> None:
    assert [(piece.text, piece.font) for piece in pieces(text)] == [(text, None)]


@needs_emoji
def test_emoji_are_in_colour() -> None:
    assert EMOJI_FONT is not None
    drawn = np.asarray(EMOJI_FONT.draw("🍀", 40))
    assert drawn.shape[0] == 40
    red, green, _, alpha = (drawn[..., channel].astype(int) for channel in range(4))
    assert (alpha > 0).any()
    assert (green - red)[alpha > 200].mean() > 30


@needs_emoji
def test_a_members_emoji_is_in_the_figure_and_their_letters_are_text() -> None:
    figure = _figure.draw(chart((5, 3), top=(("Ada 🚀", 8),)))
    assert len(figure.findobj(FigureImage)) == 1
    assert "Ada " in [text.get_text() for text in figure.texts]


@needs_cjk
@pytest.mark.filterwarnings("error")
def test_letters_of_east_asia_are_drawn_without_a_box() -> None:
    assert _figure.png(chart((5, 3), top=(("漢字かな交じり文 한국어", 8),)))


def test_where_no_font_has_a_letter_the_chart_is_drawn_all_the_same() -> None:
    assert families("\ue000") == families("a")
    assert _figure.png(chart((5, 3), top=(("\ue000\U000f0000", 8),)))


def test_a_name_of_the_right_to_left_begins_on_the_right() -> None:
    figure = Figure(dpi=DPI)
    Labels(figure).write("שלום 🎨 abc", 0.1, 0.1, TEXT_PT, width=3)
    first, *_, last = sorted(figure.texts, key=lambda text: float(text.get_position()[0]))
    if EMOJI_FONT is not None:
        assert (first.get_text(), last.get_text()) == (" abc", "שלום ")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_give_a_picture_wherever_they_stand(name: str) -> None:
    drawn = chart((5, 3), (1, 1), names=(name, f"a/{name}"), top=((name, 8),), title=name)
    assert _figure.png(drawn).startswith(b"\x89PNG")


def test_models_are_named_without_their_vendors_where_that_is_enough() -> None:
    names = ["google/nano-banana", "a/same", "b/same", "other models", "odd/"]
    assert _figure.short_names(names) == ["nano-banana", "a/same", "b/same", "other models", "odd/"]
