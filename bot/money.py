"""Integer micro-USD: parse, round, format.

One micro-USD is a millionth of a US dollar. Amounts are plain `int`s everywhere outside this
module; floats never are money. Owns no rules about who may spend what.
"""

from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final, TypeAlias

Micros: TypeAlias = int
"""An amount in micro-USD."""

MICROS_PER_USD: Final = 1_000_000

MAX_MICROS: Final[Micros] = 1_000_000_000 * MICROS_PER_USD
"""A thousand million dollars: nothing a picture bot handles is larger, so more is a fault."""


class NotMoney(ValueError):
    """The text is no amount of USD: not a number, not finite, negative, or absurdly large."""


def parse_usd(value: Decimal | int | str) -> Micros:
    """Turn USD into micro-USD, rounded up to the next micro.

    Up, because a bill that is rounded down is a bill nobody pays.

    Raises:
        NotMoney: for NaN, infinities, negative amounts, more than `MAX_MICROS`, or no number.
            Floats and bools are refused as well: they have lost the exact amount already.
    """
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise NotMoney(f"not an exact amount: {value!r}")
    try:
        amount = Decimal(value)
    except InvalidOperation as error:
        raise NotMoney(f"not a number: {value!r:.40}") from error
    if not amount.is_finite() or amount < 0 or amount > MAX_MICROS // MICROS_PER_USD:
        raise NotMoney(f"not an amount of USD: {value!r:.40}")
    return int((amount * MICROS_PER_USD).to_integral_value(rounding=ROUND_CEILING))


def format_usd(micros: Micros) -> str:
    """Show an amount the way people read prices: `$0.0013`, `$0.04`, `$12.50`, `$1,234.00`.

    At least two decimals, and as many more as the amount has, at most six: the text parses back to
    the same amount.
    """
    sign = "-" if micros < 0 else ""
    whole, fraction = divmod(abs(micros), MICROS_PER_USD)
    digits = f"{fraction:06d}".rstrip("0").ljust(2, "0")
    return f"{sign}${whole:,}.{digits}"


def format_usd_short(micros: Micros) -> str:
    """Show an amount in few characters for labels: at most four decimals, rounded half up.

    An amount too small to show is `<$0.0001`, never `$0.00`: unknown or tiny is not free.
    """
    if 0 < micros < MICROS_PER_USD // 10_000:
        return "<$0.0001"
    rounded = (Decimal(micros) / 100).to_integral_value(rounding=ROUND_HALF_UP) * 100
    return format_usd(int(rounded))


def format_price(micros: Micros) -> str:
    """Show what something certainly cost: `free`, or the amount."""
    return format_usd(micros) if micros else "free"
