"""Amounts as people type them, bars, and which of two limits really binds."""

import pytest

from bot.errors import InvalidOption
from bot.quotas import FOREVER_MS, Headroom, Limit, Scope, Window
from cogs.ui.amounts import parse_amount, parse_optional
from cogs.ui.standing import bar, tighter
from cogs.ui.zones import USUAL, search_zones


@pytest.mark.parametrize(
    ("typed", "micros"),
    [
        ("0.50", 500_000),
        ("$0.50", 500_000),
        ("$ 12", 12_000_000),
        (" 7 ", 7_000_000),
        ("0", 0),
        ("0.000001", 1),
        ("1000000000", 1_000_000_000_000_000),
    ],
)
def test_an_amount_is_read_exactly(typed: str, micros: int) -> None:
    assert parse_amount(typed) == micros


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "$",
        "1,000",
        "0,5",
        ".5",
        "5.",
        "1e3",
        "-1",
        "+1",
        "1_0",
        "\u0665",
        "5 USD",
        "0.1234567",
        "\n",
    ],
)
def test_what_can_be_read_in_two_ways_or_none_is_refused(typed: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        parse_amount(typed, option="budget")
    assert caught.value.option == "budget"


def test_more_than_a_thousand_million_is_refused() -> None:
    with pytest.raises(InvalidOption):
        parse_amount("1000000001")


@pytest.mark.parametrize("typed", [None, "", "   "])
def test_nothing_typed_removes(typed: str | None) -> None:
    assert parse_optional(typed) is None


@pytest.mark.parametrize(
    ("left", "whole", "full"),
    [(0, 0, 0), (0, 10, 0), (1, 1_000, 1), (999, 1_000, 9), (1_000, 1_000, 10), (20, 10, 10)],
)
def test_a_bar_is_full_or_empty_only_when_it_is(left: int, whole: int, full: int) -> None:
    assert bar(left, whole) == f"`{'█' * full}{'░' * (10 - full)}`"


def room(scope: Scope, window: Window, amount: int) -> Headroom:
    return Headroom(Limit(scope, window, amount), used=0, needed=0, starts_ms=0, ends_ms=FOREVER_MS)


@pytest.mark.parametrize(
    ("own", "other", "binds"),
    [
        ((Scope.GUILD, Window.MONTH, 50), (Scope.CEILING, Window.MONTH, 10), False),
        ((Scope.GUILD, Window.MONTH, 50), (Scope.CEILING, Window.MONTH, 50), True),
        ((Scope.GUILD, Window.DAY, 50), (Scope.CEILING, Window.MONTH, 10), False),
        ((Scope.GUILD, Window.MONTH, 50), (Scope.CEILING, Window.DAY, 10), True),
        ((Scope.GUILD, Window.MONTH, 50), (Scope.MEMBER, Window.MONTH, 10), True),
        ((Scope.GUILD, Window.MONTH, 50), (Scope.CHANNEL, Window.MONTH, 10), True),
        ((Scope.CHANNEL, Window.MONTH, 50), (Scope.GUILD, Window.MONTH, 10), False),
        ((Scope.MEMBER, Window.DAY, 5), (Scope.GUILD, Window.TOTAL, 2), False),
        ((Scope.MEMBER, Window.DAY, 5), (Scope.MEMBER, Window.OPEN, 3), True),
        ((Scope.CHANNEL, Window.IMAGE, 5), (Scope.GUILD, Window.DAY, 2), False),
    ],
)
def test_a_limit_binds_unless_one_that_lasts_as_long_is_smaller(
    own: tuple[Scope, Window, int], other: tuple[Scope, Window, int], binds: bool
) -> None:
    found = tighter(Limit(*own), [room(*other)])
    assert (found is None) is binds


def test_the_usual_zones_exist_and_leave_room_in_a_menu() -> None:
    for zone in USUAL:
        assert zone in search_zones(zone, most=25)
    assert len(set(USUAL)) == len(USUAL) == 24


def test_zones_are_found_however_they_are_typed() -> None:
    assert search_zones("new york", most=25)[0] == "America/New_York"
    assert search_zones("NEW_YORK", most=1) == ["America/New_York"]
    assert search_zones("europe", most=3)[0].startswith("Europe/")
