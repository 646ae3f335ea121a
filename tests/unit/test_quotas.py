"""Where windows begin and end: in every zone, on the days on which clocks move, and beyond."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.quotas import FOREVER_MS, Bounds, Window, ZoneChange, window_at

SPANS = [Window.DAY, Window.WEEK, Window.MONTH]
HOUR = 3_600_000
DAY = 24 * HOUR
# "localtime" and the like depend on the machine.
ZONES = sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")

zones = st.sampled_from(ZONES)
spans = st.sampled_from(SPANS)
instants = st.integers(0, 4_102_444_800_000)  # 1970 to 2100


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def local(at_ms: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(ZoneInfo(zone))


def in_zone(window: Window, now_ms: int, zone: str) -> Bounds:
    """The window where the zone has been the same since long before."""
    return window_at(window, now_ms, [ZoneChange(-(10**13), zone)])


def follow(window: Window, start_ms: int, end_ms: int, changes: list[ZoneChange]) -> list[Bounds]:
    """List the windows from one instant to another, as counters would meet them."""
    found = [window_at(window, start_ms, changes)]
    while found[-1].end_ms < end_ms:
        found.append(window_at(window, found[-1].end_ms, changes))
    return found


def test_without_a_zone_windows_are_those_of_utc() -> None:
    now = ms("2026-07-30T12:34:56+00:00")
    assert window_at(Window.DAY, now) == Bounds(
        ms("2026-07-30T00:00+00:00"), ms("2026-07-31T00:00+00:00"), "2026-07-30"
    )
    assert window_at(Window.WEEK, now) == Bounds(
        ms("2026-07-27T00:00+00:00"), ms("2026-08-03T00:00+00:00"), "2026-W31"
    )
    assert window_at(Window.MONTH, now) == Bounds(
        ms("2026-07-01T00:00+00:00"), ms("2026-08-01T00:00+00:00"), "2026-07"
    )
    assert window_at(Window.TOTAL, now) == Bounds(0, FOREVER_MS, "total")
    assert window_at(Window.OPEN, now) == Bounds(0, FOREVER_MS, "open")


@settings(max_examples=400)
@given(spans, zones, instants)
def test_an_instant_lies_in_its_window_which_begins_on_a_local_boundary(
    window: Window, zone: str, now: int
) -> None:
    bounds = in_zone(window, now, zone)
    assert bounds.start_ms <= now < bounds.end_ms
    first = local(bounds.start_ms, zone)
    before = local(bounds.start_ms - 1000, zone)
    assert before.date() < first.date()
    if window is Window.MONTH:
        assert (before.year, before.month) < (first.year, first.month)
    if window is Window.WEEK:
        assert before.isocalendar()[:2] < first.isocalendar()[:2]


@settings(max_examples=200)
@given(spans, zones, instants)
def test_windows_follow_each_other_without_gap_or_overlap(
    window: Window, zone: str, now: int
) -> None:
    bounds = in_zone(window, now, zone)
    assert in_zone(window, bounds.end_ms, zone).start_ms == bounds.end_ms
    assert in_zone(window, bounds.end_ms - 1, zone) == bounds
    assert in_zone(window, bounds.start_ms, zone) == bounds
    assert in_zone(window, bounds.start_ms - 1, zone).end_ms == bounds.start_ms


def moved_clocks(zone: str, year: int) -> list[int]:
    """List the UTC midnights of a year around which a zone's clocks move."""
    info = ZoneInfo(zone)
    first = datetime(year, 1, 1, tzinfo=UTC)
    days = [first + timedelta(days=number) for number in range(367)]
    offsets = [day.astimezone(info).utcoffset() for day in days]
    return [
        int(day.timestamp() * 1000)
        for day, one, two in zip(days, offsets, offsets[1:], strict=False)
        if one != two
    ]


@pytest.mark.parametrize("year", [1986, 2011, 2026])
def test_around_every_change_of_clocks_the_days_partition_time(year: int) -> None:
    seen = 0
    for zone in ZONES:
        for moment in moved_clocks(zone, year):
            changes = [ZoneChange(-(10**13), zone)]
            days = follow(Window.DAY, moment - 2 * DAY, moment + 3 * DAY, changes)
            assert all(one.end_ms == two.start_ms for one, two in pairwise(days))
            assert len({day.label for day in days}) == len(days), zone
            assert all(20 * HOUR <= day.end_ms - day.start_ms <= 28 * HOUR for day in days), zone
            seen += 1
    assert seen > 200


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("America/Havana", "2026-03-08", 23),  # clocks jump from midnight to 01:00
        ("America/Havana", "2026-11-01", 25),  # midnight happens twice
        ("America/Sao_Paulo", "2018-11-04", 23),  # no midnight
        ("America/Toronto", "1919-03-30", 23.5),  # the jump begins at 23:30 and skips midnight
        ("Africa/Monrovia", "2026-07-30", 24),
    ],
)
def test_days_are_as_long_as_the_clocks_make_them(zone: str, day: str, hours: float) -> None:
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(zone))
    bounds = in_zone(Window.DAY, int(noon.timestamp() * 1000), zone)
    assert bounds.label == day
    assert bounds.end_ms - bounds.start_ms == hours * HOUR


def test_a_day_that_was_skipped_has_no_window() -> None:
    """Samoa went from 29 to 31 December 2011."""
    changes = [ZoneChange(-(10**13), "Pacific/Apia")]
    days = follow(Window.DAY, ms("2011-12-29T12:00-10:00"), ms("2012-01-01T12:00+14:00"), changes)
    assert [day.label for day in days] == ["2011-12-29", "2011-12-31", "2012-01-01"]
    assert all(day.end_ms - day.start_ms == DAY for day in days)


def test_leap_years_have_their_day() -> None:
    february = window_at(Window.MONTH, ms("2028-02-10T00:00+00:00"))
    assert february.end_ms - february.start_ms == 29 * DAY
    assert window_at(Window.DAY, ms("2028-02-29T23:59+00:00")).label == "2028-02-29"
    assert window_at(Window.MONTH, ms("2100-02-28T23:59+00:00")).end_ms == ms(
        "2100-03-01T00:00+00:00"
    )


@pytest.mark.parametrize(("day", "label"), [("2027-01-01", "2026-W53"), ("2029-12-31", "2030-W01")])
def test_a_week_belongs_to_the_year_of_its_thursday(day: str, label: str) -> None:
    assert window_at(Window.WEEK, ms(f"{day}T12:00+00:00")).label == label


def test_a_new_zone_waits_for_the_running_day_and_joins_the_stub() -> None:
    changes = [ZoneChange(ms("2026-07-30T15:00+00:00"), "Europe/Berlin")]
    days = follow(Window.DAY, ms("2026-07-30T12:00+00:00"), ms("2026-08-02T00:00+00:00"), changes)
    assert days == [
        Bounds(ms("2026-07-30T00:00+00:00"), ms("2026-07-31T00:00+00:00"), "2026-07-30"),
        # 00:00 to 22:00 UTC is what was left of Berlin's 31 July; it joins the 1st of August.
        Bounds(ms("2026-07-31T00:00+00:00"), ms("2026-08-02T00:00+02:00"), "2026-08-01"),
        Bounds(ms("2026-08-02T00:00+02:00"), ms("2026-08-03T00:00+02:00"), "2026-08-02"),
    ]


def test_a_zone_with_the_same_boundary_leaves_no_stub() -> None:
    changes = [ZoneChange(ms("2026-07-30T15:00+00:00"), "Africa/Abidjan")]
    days = follow(Window.DAY, ms("2026-07-30T12:00+00:00"), ms("2026-08-01T00:00+00:00"), changes)
    assert [day.label for day in days] == ["2026-07-30", "2026-07-31"]


def test_a_change_that_is_taken_back_within_its_window_changes_nothing() -> None:
    noon = ms("2026-07-30T12:00+00:00")
    changes = [ZoneChange(noon, "Asia/Tokyo"), ZoneChange(noon + HOUR, "UTC")]
    for hours in range(48):
        now = noon + hours * HOUR
        assert window_at(Window.DAY, now, changes) == window_at(Window.DAY, now)


@settings(max_examples=200)
@given(spans, st.lists(st.tuples(st.integers(0, 60 * 24), zones), max_size=12))
def test_flipping_zones_never_shortens_a_window(
    window: Window, flips: list[tuple[int, str]]
) -> None:
    start = ms("2026-02-10T12:00+00:00")
    changes = [ZoneChange(start + hour * HOUR, zone) for hour, zone in flips]
    found = follow(window, start, start + 100 * DAY, changes)
    least = {Window.DAY: 20 * HOUR, Window.WEEK: 6 * DAY, Window.MONTH: 27 * DAY}[window]
    for one, two in pairwise(found):
        assert one.end_ms == two.start_ms
        assert two.end_ms - two.start_ms >= least
        for inside in (two.start_ms + 1, (two.start_ms + two.end_ms) // 2, two.end_ms - 1):
            assert window_at(window, inside, changes) == two


@given(spans, zones, instants)
def test_a_later_change_leaves_the_past_as_it_was(window: Window, zone: str, now: int) -> None:
    assert window_at(window, now, [ZoneChange(now + 1, zone)]) == window_at(window, now)


def test_labels_are_those_of_the_local_calendar() -> None:
    now = ms("2026-07-31T23:00+00:00")
    assert in_zone(Window.DAY, now, "Asia/Tokyo").label == "2026-08-01"
    assert in_zone(Window.MONTH, now, "Asia/Tokyo").label == "2026-08"
    assert date.fromisoformat(in_zone(Window.DAY, now, "America/Lima").label) == date(
        2026, 8, 1
    ) - timedelta(days=1)
