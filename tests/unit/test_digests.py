"""When a digest is due: once for each period, whatever clocks, zones and downtimes do."""

from dataclasses import dataclass, field
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.digests import SETTLING_MS, Due, covered_by_now, due, period_of
from bot.quotas import Bounds, Window, ZoneChange, window_at
from bot.storage import Stretch

HOUR = 3_600_000
DAY = 24 * HOUR
NOON = 1_785_412_800_000  # 2026-07-30T12:00:00Z, a Thursday
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/Havana",
    "Africa/Cairo",
    "Australia/Lord_Howe",
    "Etc/GMT+12",
    "Pacific/Kiritimati",
)
windows = st.sampled_from([Window.DAY, Window.WEEK, Window.MONTH])


def ms(when: str) -> int:
    return int(datetime.fromisoformat(f"{when}:00+00:00").timestamp() * 1000)


def found(window: Window, now: str, covered: str, zone: str = "UTC") -> Due | None:
    zones = [ZoneChange(0, zone)]
    return due(window, zones, covered_ms=ms(covered), now_ms=ms(now))


@pytest.mark.parametrize(
    ("window", "label", "now"),
    [
        (Window.DAY, "2026-07-30", "2026-07-31T00:05"),
        (Window.WEEK, "2026-W31", "2026-08-03T00:05"),
        (Window.MONTH, "2026-07", "2026-08-01T00:05"),
    ],
)
def test_what_has_just_ended_is_due_once_it_has_settled(
    window: Window, label: str, now: str
) -> None:
    zones: list[ZoneChange] = []
    assert due(window, zones, covered_ms=NOON, now_ms=ms(now) - 1) is None
    now_due = due(window, zones, covered_ms=NOON, now_ms=ms(now))
    assert now_due is not None
    assert (now_due.bounds.label, now_due.gap) == (label, None)
    assert due(window, zones, covered_ms=now_due.bounds.end_ms, now_ms=ms(now)) is None


def test_what_ended_before_it_was_wanted_is_not_due() -> None:
    assert found(Window.DAY, "2026-07-30T00:06", covered="2026-07-30T00:01") is None
    assert found(Window.MONTH, "2026-07-30T12:01", covered="2026-07-30T12:00") is None


def test_after_a_long_downtime_the_latest_is_due_and_the_rest_is_a_gap() -> None:
    late = found(Window.DAY, "2026-07-30T09:00", covered="2026-06-28T00:00")
    assert late is not None
    assert late.bounds.label == "2026-07-29"
    assert late.gap == Stretch(ms("2026-06-28T00:00"), ms("2026-07-29T00:00"))


@pytest.mark.parametrize(
    ("zone", "now", "label", "hours"),
    [
        ("Europe/Berlin", "2026-10-25T23:05", "2026-10-25", 25),
        ("Europe/Berlin", "2026-03-29T22:05", "2026-03-29", 23),
        ("Asia/Tokyo", "2026-07-30T15:05", "2026-07-30", 24),
    ],
)
def test_days_are_those_of_the_zone_however_long_they_are(
    zone: str, now: str, label: str, hours: int
) -> None:
    covered = ms(now) - SETTLING_MS - hours * HOUR
    assert due(Window.DAY, [ZoneChange(0, zone)], covered_ms=covered, now_ms=ms(now) - 1) is None
    day = due(Window.DAY, [ZoneChange(0, zone)], covered_ms=covered, now_ms=ms(now))
    assert day is not None
    assert (day.bounds.label, day.gap) == (label, None)
    assert day.bounds.end_ms - day.bounds.start_ms == hours * HOUR


def test_a_report_on_it_is_compared_with_the_whole_period_before() -> None:
    bounds = window_at(Window.MONTH, ms("2026-03-12T00:00"))
    period = period_of(Window.MONTH, bounds, [])
    assert (period.label, period.window) == ("2026-03", Window.MONTH)
    assert period.stretch == Stretch(ms("2026-03-01T00:00"), ms("2026-04-01T00:00"))
    assert period.before == Stretch(ms("2026-02-01T00:00"), ms("2026-03-01T00:00"))


@dataclass
class Guild:
    """A guild whose digests are posted by the rules, as `bot.digest_posts` does it."""

    window: Window
    now: int = NOON
    covered: int = NOON
    reported: int | None = None
    zones: list[ZoneChange] = field(default_factory=list)
    spent: list[int] = field(default_factory=list)
    posted: list[Bounds] = field(default_factory=list)
    told: list[tuple[int, int]] = field(default_factory=list)
    """What is reported, or told of as a gap, in the order in which it was."""

    def look(self) -> None:
        self.covered = covered_by_now(self.covered, self.reported, now_ms=self.now)
        found = due(self.window, self.zones, covered_ms=self.covered, now_ms=self.now)
        if found is None:
            return
        bounds = found.bounds
        assert bounds.end_ms <= self.now - SETTLING_MS
        if found.gap is not None:
            assert found.gap.start_ms == self.covered
            self.told.append((found.gap.start_ms, found.gap.end_ms))
        self.told.append((bounds.start_ms, bounds.end_ms))
        if any(bounds.start_ms <= when < bounds.end_ms for when in self.spent):
            self.posted.append(bounds)
            self.reported = bounds.end_ms
        self.covered = bounds.end_ms

    def change_zone(self, zone: str) -> None:
        kept = [change for change in self.zones if change.at_ms != self.now]
        self.zones = [*kept, ZoneChange(self.now, zone)]


forward = st.tuples(st.just("wait"), st.integers(0, 40 * DAY))
spending = st.tuples(st.just("spend"), st.just(0))
looking = st.tuples(st.just("look"), st.just(0))
moving = st.tuples(st.just("zone"), st.integers(0, len(ZONES) - 1))
jumping = st.tuples(st.just("wait"), st.integers(-400 * DAY, 400 * DAY))
quiet_life = st.lists(st.one_of(forward, spending, looking, moving), max_size=40)
wild_life = st.lists(st.one_of(forward, spending, looking, moving, jumping), max_size=40)


def live(guild: Guild, events: list[tuple[str, int]]) -> None:
    for kind, amount in events:
        match kind:
            case "wait":
                guild.now = max(0, guild.now + amount)
            case "spend":
                guild.spent.append(guild.now)
            case "zone":
                guild.change_zone(ZONES[amount])
            case _:
                guild.look()


@given(windows, wild_life)
def test_nothing_is_posted_twice_whatever_the_clock_does(
    window: Window, events: list[tuple[str, int]]
) -> None:
    guild = Guild(window)
    live(guild, events)
    ends = [bounds.end_ms for bounds in guild.posted]
    assert ends == sorted(set(ends))


@given(windows, quiet_life)
def test_every_moment_is_reported_once_or_told_of_as_a_gap(
    window: Window, events: list[tuple[str, int]]
) -> None:
    guild = Guild(window)
    live(guild, events)
    guild.look()
    until = guild.told[0][1] if guild.told else guild.covered
    for start, end in guild.told[1:]:
        assert start == until
        until = end
    running = window_at(window, guild.now - SETTLING_MS, guild.zones)
    assert guild.covered == max(until, running.start_ms if guild.told else NOON)
    assert running.start_ms <= guild.covered


@settings(max_examples=40)
@given(windows, wild_life, st.sampled_from(ZONES))
def test_once_the_clock_is_right_again_nothing_is_missed(
    window: Window, events: list[tuple[str, int]], zone: str
) -> None:
    """And no window is: who looks every hour posts each that is not reported yet."""
    guild = Guild(window)
    live(guild, events)
    guild.change_zone(zone)
    guild.look()
    known = guild.reported or 0
    first, before = guild.now, len(guild.posted)
    for _ in range(24 * (4 if window is Window.DAY else 70)):
        guild.now += HOUR
        guild.spent.append(guild.now)
        guild.look()
    bounds, ended = window_at(window, first - SETTLING_MS, guild.zones), list[Bounds]()
    while bounds.end_ms <= guild.now - SETTLING_MS:
        if bounds.start_ms >= known and any(
            bounds.start_ms <= when < bounds.end_ms for when in guild.spent
        ):
            ended.append(bounds)
        bounds = window_at(window, bounds.end_ms, guild.zones)
    assert [each for each in guild.posted[before:] if each.start_ms >= known] == ended
