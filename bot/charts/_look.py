"""How charts look: colours, sizes, and amounts in few characters. Plain data."""

from typing import Final

from bot.money import MICROS_PER_USD, Micros, format_usd, format_usd_short

# The picture has a background of its own, so it looks the same in a dark and in a light client.
BACKGROUND: Final = "#1e1f22"
FUTURE: Final = "#292b2f"
"""Behind days that have not begun."""
GRID: Final = "#3c3f45"
INK: Final = "#f2f3f5"
QUIET: Final = "#b5bac1"
"""Text beside the point: days, amounts along an axis."""

SKY: Final = "#56b4e9"
VERMILION: Final = "#d55e00"
SERIES: Final = (
    SKY,
    "#e69f00",
    "#009e73",
    "#f0e442",
    "#0072b2",
    VERMILION,
    "#cc79a7",
    "#a5a9b0",
)
"""The colours of Okabe and Ito, "Color Universal Design" (2008), which people with each kind of
colour blindness can tell apart; grey in place of their black, which a dark background hides."""

WIDTH_IN: Final = 5.0
DPI: Final = 200
"""With the width, 1,000 pixels: a phone shows about 400 of them, and 10 points are then 11 high."""
MARGIN_IN: Final = 0.2
AXIS_IN: Final = 0.66
"""Where the axes begin: the amounts stand left of them."""

TITLE_PT: Final = 13.0
HEADING_PT: Final = 10.5
TEXT_PT: Final = 9.5

_THOUSANDS: Final = ((10**9, "B"), (10**6, "M"), (10**3, "k"))


def amount_text(micros: Micros) -> str:
    """Write an amount to the cent, rounded half up, and a small one as exactly as is short."""
    cent = MICROS_PER_USD // 100
    if micros < MICROS_PER_USD:
        return format_usd_short(micros)
    return format_usd((2 * micros + cent) // (2 * cent) * cent)


def tick_text(micros: float) -> str:
    """Write an amount along an axis: `$0`, `$0.50`, `$5`, `$12k`."""
    amount: Micros = round(micros)
    dollars = amount / MICROS_PER_USD
    for size, letter in _THOUSANDS:
        if dollars >= 10 * size:
            return f"${dollars / size:,g}{letter}"
    return format_usd(amount).removesuffix(".00")
