"""Amounts of US dollars as people type them."""

import re
from typing import Final

from bot.errors import InvalidOption
from bot.money import Micros, NotMoney, parse_usd

MOST_TYPED: Final = 20
"""Characters of an amount."""
_AMOUNT: Final = re.compile(r"\$? ?(?P<number>[0-9]{1,10}(?:\.[0-9]{1,6})?)", flags=re.ASCII)
_HINT: Final = "an amount in US dollars with a point, such as 0.50 or $12"


def parse_amount(typed: str, *, option: str = "amount") -> Micros:
    """Read `0.50`, `$0.50` or `12`; nothing that could be read in two ways, such as `1,000`.

    Raises:
        InvalidOption: it is no such amount.
    """
    found = _AMOUNT.fullmatch(typed.strip())
    if found is None:
        raise InvalidOption(option, typed, _HINT)
    try:
        return parse_usd(found["number"])
    except NotMoney:
        raise InvalidOption(option, typed, _HINT) from None


def parse_optional(typed: str | None, *, option: str = "amount") -> Micros | None:
    """Read an amount that may be left out: None removes what is set.

    Raises:
        InvalidOption: it is no such amount.
    """
    return parse_amount(typed, option=option) if typed and typed.strip() else None
