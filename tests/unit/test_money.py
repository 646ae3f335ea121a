from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.money import MAX_MICROS, NotMoney, format_usd, format_usd_short, parse_usd


@pytest.mark.parametrize(
    ("text", "micros"),
    [("0.004", 4_000), ("0.0351", 35_100), ("0", 0), ("12.5", 12_500_000), ("1e-3", 1_000)],
)
def test_usd_becomes_micros_exactly(text: str, micros: int) -> None:
    assert parse_usd(text) == micros


def test_a_fraction_of_a_micro_is_rounded_up() -> None:
    assert parse_usd("0.0000001") == 1
    assert parse_usd(Decimal("0.0013000001")) == 1_301


@given(st.integers(min_value=0, max_value=10**9))
def test_every_four_decimal_value_survives(ten_thousandths: int) -> None:
    assert parse_usd(Decimal(ten_thousandths).scaleb(-4)) == ten_thousandths * 100


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "-0.01", "", "free", "1e30", "0x10", "1,5"])
def test_what_is_no_amount_is_refused(bad: str) -> None:
    with pytest.raises(NotMoney):
        parse_usd(bad)


@pytest.mark.parametrize("bad", [0.1, True, None, [], b"1"])
def test_inexact_types_are_refused(bad: object) -> None:
    with pytest.raises(NotMoney):
        parse_usd(bad)  # type: ignore[arg-type]  # the point of the test


@given(st.integers(min_value=0, max_value=MAX_MICROS))
def test_what_is_shown_parses_back_to_the_same_amount(micros: int) -> None:
    assert parse_usd(format_usd(micros).removeprefix("$").replace(",", "")) == micros


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (1_300, "$0.0013"),
        (40_000, "$0.04"),
        (12_500_000, "$12.50"),
        (0, "$0.00"),
        (-5, "-$0.000005"),
    ],
)
def test_prices_read_like_prices(micros: int, text: str) -> None:
    assert format_usd(micros) == text


def test_a_tiny_amount_is_never_shown_as_free() -> None:
    assert format_usd_short(1) == "<$0.0001"
    assert format_usd_short(0) == "$0.00"
    assert format_usd_short(1_350) == "$0.0014"
