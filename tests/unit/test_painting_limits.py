"""Who asks the bot's pages, and how often they may."""

import pytest

from bot.web.limits import Limiter, Rate, client_address


def test_a_burst_is_taken_and_then_so_many_a_second() -> None:
    limiter = Limiter(Rate(burst=3, per_second=2))
    assert [limiter.wait_s("a", now=0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert limiter.wait_s("a", now=0.5) == 0
    assert limiter.wait_s("a", now=0.5) == 0.5


def test_asking_while_one_must_wait_makes_the_wait_no_longer() -> None:
    limiter = Limiter(Rate(burst=1, per_second=1))
    assert limiter.wait_s("a", now=0) == 0
    assert [limiter.wait_s("a", now=0.5) for _ in range(9)] == [0.5] * 9
    assert limiter.wait_s("a", now=1) == 0


def test_a_rest_gives_no_more_than_a_burst() -> None:
    limiter = Limiter(Rate(burst=2, per_second=1))
    waits = [limiter.wait_s("a", now=when) for when in (0, 1000, 1000, 1000)]
    assert waits == [0, 0, 0, 1]


def test_others_are_not_held_up() -> None:
    limiter = Limiter(Rate(burst=1, per_second=1))
    assert [limiter.wait_s(who, now=0) for who in ("a", "b", "a")] == [0, 0, 1]


def test_memory_is_bounded_and_the_longest_silent_is_forgotten_first() -> None:
    limiter = Limiter(Rate(burst=1, per_second=0.001), most_keys=2)
    assert [limiter.wait_s(who, now=0) for who in ("a", "b", "c")] == [0, 0, 0]
    assert limiter.wait_s("b", now=0) > 0
    assert limiter.wait_s("a", now=0) == 0


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("93.184.215.14", "", "93.184.215.14"),
        ("93.184.215.14", "10.1.1.1", "93.184.215.14"),  # not a proxy of ours: it may say anything
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "93.184.215.14", "93.184.215.14"),
        ("172.18.0.1", "1.2.3.4, 93.184.215.14", "93.184.215.14"),  # what it was told comes before
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("::1", "2a00:1450:1:2:3:4:5:6", "2a00:1450:1:2::/64"),
        ("2a00:1450:1:2:3:4:5:6", "", "2a00:1450:1:2::/64"),
        ("", "93.184.215.14", "unknown"),
        (None, "", "unknown"),
    ],
)
def test_a_client_is_named_by_whoever_can_be_believed(
    peer: str | None, forwarded: str, client: str
) -> None:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert client_address(peer, headers) == client
