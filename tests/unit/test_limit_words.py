"""What people read when a limit stops them."""

import pytest

from bot.quotas import (
    Blocked,
    Limit,
    NeedsConfirmation,
    Paused,
    PictureTooDear,
    QuotaExceeded,
    Scope,
    Window,
)
from bot.storage import Crossing
from cogs.ui.errors import explain
from cogs.ui.limits import explain_budget, name_limit, who_can_raise

RESET = 1_785_456_000_000


def exceeded(limit: Limit, *, about: int | None = 40_000, resets: int | None = RESET) -> str:
    error = QuotaExceeded(limit, left=20_000, needed=80_000, resets_at_ms=resets, about=about)
    told = explain(error)
    return f"{told.title}. {told.body}"


def test_a_refusal_names_the_limit_what_is_left_what_is_needed_and_when_it_resets() -> None:
    assert exceeded(Limit(Scope.MEMBER, Window.DAY, 500_000)) == (
        "That would go over a limit. This would go over **your own limit of $0.50 a day**. "
        "**$0.02** is left, and this needs about $0.04, at most $0.08. "
        "A new day begins <t:1785456000:R>. An admin of this server can raise it."
    )


@pytest.mark.parametrize(
    ("scope", "window", "name"),
    [
        (Scope.MEMBER, Window.WEEK, "your own limit of $2.00 a week"),
        (Scope.CHANNEL, Window.MONTH, "this channel's limit of $2.00 a month"),
        (Scope.GUILD, Window.TOTAL, "this server's limit of $2.00 in all"),
        (Scope.CEILING, Window.MONTH, "the operator's limit of $2.00 a month for this server"),
        (Scope.DM, Window.DAY, "the operator's limit of $2.00 a day outside this bot's servers"),
        (Scope.PERSON, Window.DAY, "the operator's limit of $2.00 a day for you"),
        (Scope.BOT, Window.DAY, "the operator's limit of $2.00 a day for everybody together"),
        (Scope.CHANNEL, Window.IMAGE, "this channel's limit of $2.00 for one picture"),
    ],
)
def test_every_limit_has_a_name_and_somebody_who_can_raise_it(
    scope: Scope, window: Window, name: str
) -> None:
    limit = Limit(scope, window, 2_000_000)
    assert name_limit(limit) == name
    operators = scope in {Scope.CEILING, Scope.DM, Scope.PERSON, Scope.BOT}
    raiser = "Only the operator of this bot" if operators else "An admin of this server"
    assert who_can_raise(limit) == f"{raiser} can raise it."


def test_a_limit_says_which_role_and_which_grant_it_comes_from() -> None:
    limit = Limit(Scope.MEMBER, Window.DAY, 1_200_000, role_id=42, granted=200_000)
    assert name_limit(limit) == "your own limit of $1.20 a day (with <@&42>, with $0.20 extra)"


def test_what_nobody_knows_is_left_out() -> None:
    told = exceeded(Limit(Scope.GUILD, Window.TOTAL, 1), about=None, resets=None)
    assert "about" not in told
    assert "<t:" not in told
    assert "this needs at most $0.08." in told


def test_what_costs_always_the_same_is_said_once() -> None:
    limit = Limit(Scope.MEMBER, Window.DAY, 100_000)
    assert "and this needs $0.08." in exceeded(limit, about=80_000)
    asked = explain(NeedsConfirmation(needed=80_000, above=0, about=80_000)).body
    assert "It costs **$0.08**." in asked


def test_too_many_open_jobs_are_told_as_jobs_and_not_as_money() -> None:
    told = exceeded(Limit(Scope.MEMBER, Window.OPEN, 3), resets=None)
    assert "At most 3 of your jobs may wait or run at once." in told
    assert "$" not in told
    assert "At most one of your jobs" in exceeded(Limit(Scope.MEMBER, Window.OPEN, 1))


def test_direct_messages_that_are_off_are_called_off() -> None:
    told = exceeded(Limit(Scope.DM, Window.DAY, 0))
    assert "Pictures are off here" in told
    assert "$" not in told


def test_a_picture_that_is_too_dear_says_for_whom() -> None:
    limit = Limit(Scope.CHANNEL, Window.IMAGE, 10_000)
    told = explain(PictureTooDear(limit, price=80_000))
    assert "may cost $0.08" in told.body
    assert "this channel's limit of $0.01 for one picture" in told.body


def test_a_block_gives_its_reason_letter_by_letter() -> None:
    assert "\\*\\*rude\\*\\* \\<\\@1\\>" in explain(Blocked("**rude** <@1>")).body
    assert "They said" not in explain(Blocked(" ")).body


def test_a_pause_says_where() -> None:
    assert explain(Paused(Scope.GUILD)).title == "Pictures are paused in this server"
    assert "everywhere" in explain(Paused(Scope.BOT)).body


def test_a_question_says_what_it_costs_and_that_nothing_is_held() -> None:
    told = explain(NeedsConfirmation(needed=320_000, above=100_000, about=160_000)).body
    assert "about $0.16, at most **$0.32**" in told
    assert "more than $0.10" in told
    assert "Nothing is held yet." in told


@pytest.mark.parametrize(
    ("scope", "whose"),
    [
        (Scope.GUILD, "for this server is spent"),
        (Scope.CHANNEL, "for <#770> is spent"),
        (Scope.BOT, "for everybody together is spent"),
        (Scope.CEILING, "The operator of this bot has set this budget."),
    ],
)
def test_an_alert_says_whose_budget_and_how_much(scope: Scope, whose: str) -> None:
    crossing = Crossing(
        bucket_id=1,
        scope=scope,
        window=Window.MONTH,
        percent=80,
        amount=10_000_000,
        spent=8_200_000,
        resets_at_ms=RESET,
        guild_id=77,
        channel_id=770,
        alert_channel=None,
        set_by=None,
        claimed_ms=0,
    )
    told = explain_budget(crossing)
    assert told.title == "80% of a budget is spent"
    assert "$8.20 of $10.00 a month" in told.body
    assert whose in told.body
    assert "<t:1785456000:R>" in told.body
