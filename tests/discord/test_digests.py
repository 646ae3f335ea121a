"""Digests: what was spent in a day, a week or a month, posted once after it has ended."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Message, Permission, Person
from sandbox.house import House, explanation
from sandbox.talk import mail, make, told

LARGE = "papercut/fold-large"  # usually $0.04
FREE = "test/test"  # no money, so no chart: that takes longer than all the rest
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
TROUBLE = "The digest can't be posted"

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


@pytest.fixture
def board(house: House) -> Channel:
    """The channel in which digests are posted."""
    return house.channel("workshop")


def label(house: House, every: str) -> str:
    """What the running day, week or month is called."""
    return called(datetime.fromtimestamp(house.clock.now_ms() / 1000, UTC), every)


def called(now: datetime, every: str) -> str:
    """What the day, week or month of a moment is called."""
    year, week, _ = now.isocalendar()
    names = {
        "day": f"on {now.day} {now:%B %Y}",
        "week": f"in week {week} of {year}",
        "month": f"in {now:%B %Y}",
    }
    return names[every]


def until_next(house: House, every: str) -> int:
    """Milliseconds until five minutes after the running day, week or month (UTC)."""
    now = datetime.fromtimestamp(house.clock.now_ms() / 1000, UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    days = {"day": 1, "week": 7 - now.weekday(), "month": 32 - now.day}
    end = midnight + timedelta(days=days[every])
    if every == "month":
        end = end.replace(day=1)
    return int((end - now).total_seconds() * 1000) + 5 * MINUTE_MS + 1000


async def looked(house: House, after_ms: int = 0) -> None:
    """Wait until the bot has looked for digests that are due, some time later."""
    await house.bot.services.digest_posts.look()
    house.clock.advance(after_ms)
    await house.bot.services.digest_posts.look()


async def next_day(house: House) -> None:
    """Go on to where the running day has ended, and been reported if it is."""
    await looked(house, until_next(house, "day"))


def posted(person: Person, channel: Channel) -> list[Message]:
    """The digests in a channel."""
    return [m for m in person.messages(channel) if m.text.startswith("### Spending ")]


def everywhere(house: House, words: str) -> list[Message]:
    """Every message with these words that there is."""
    return [
        m for history in house.discord.world.history.values() for m in history if words in m.text
    ]


async def subscribe(ada: Person, general: Channel, board: Channel, every: str = "day") -> str:
    return await told(ada, general, "config digest", every=every, channel=board.id)


@pytest.fixture
async def due_tonight(
    midday: None, ada: Person, mira: Person, general: Channel, board: Channel
) -> None:
    """A digest is posted each day, and today a picture was made, for nothing."""
    await subscribe(ada, general, board)
    await make(mira, general, FREE)


def posting(board: Channel) -> str:
    """The request that posts there."""
    return f"POST /channels/{board.id}/messages"


# When


@pytest.mark.parametrize("every", ["day", "week", "month"])
async def test_what_was_spent_is_posted_once_after_each_period(
    every: str, house: House, ada: Person, mira: Person, general: Channel, board: Channel
) -> None:
    await subscribe(ada, general, board, every)
    name = label(house, every)
    await make(mira, general, LARGE)
    await looked(house, until_next(house, every) - 2 * MINUTE_MS)
    assert posted(mira, board) == []

    await looked(house, 2 * MINUTE_MS)
    [digest] = posted(mira, board)
    assert name in digest.text
    assert "**$0.04**" in digest.text
    assert f"1. <@{mira.user.id}> · **$0.04** · 100% · one picture" in digest.text
    assert not digest.pinged
    assert "No digest was posted" not in digest.text

    second = label(house, every)
    await make(mira, general, LARGE)
    await looked(house, HOUR_MS)
    await house.restart_bot()
    await looked(house)
    assert len(posted(mira, board)) == 1
    await looked(house, until_next(house, every))
    assert [second in each.text for each in posted(mira, board)] == [False, True]


async def test_days_end_where_the_server_is(
    house: House, ada: Person, mira: Person, general: Channel, board: Channel
) -> None:
    await told(ada, general, "config timezone", timezone="Asia/Tokyo")
    await subscribe(ada, general, board)
    await make(mira, general, FREE)
    await looked(house, 3 * HOUR_MS)  # 15:00 UTC and some seconds, midnight in Tokyo
    assert posted(mira, board) == []
    await looked(house, 6 * MINUTE_MS)
    assert len(posted(mira, board)) == 1
    await next_day(house)
    assert len(posted(mira, board)) == 1


async def test_when_nobody_asked_for_a_picture_there_is_none(
    house: House, ada: Person, mira: Person, general: Channel, board: Channel
) -> None:
    await subscribe(ada, general, board)
    await next_day(house)
    await next_day(house)
    assert posted(mira, board) == []
    await make(mira, general, FREE)
    await next_day(house)
    [digest] = posted(mira, board)
    assert "No digest was posted" not in digest.text


async def test_after_a_downtime_there_is_one_that_says_what_it_leaves_out(
    house: House, ada: Person, mira: Person, general: Channel, board: Channel
) -> None:
    await subscribe(ada, general, board)
    await make(mira, general, LARGE)
    await house.bot.services.generation.idle()
    await house.stop_bot()
    house.clock.advance(9 * DAY_MS)
    await house.start_bot()
    yesterday = datetime.fromtimestamp(house.clock.now_ms() / 1000, UTC) - timedelta(days=1)
    await looked(house)
    [digest] = posted(mira, board)
    assert f"### Spending {called(yesterday, 'day')}\n**$0.00**" in digest.text
    assert "when $0.04 was spent: the bot was away, or could not post." in digest.text

    await make(mira, general, LARGE)
    await next_day(house)
    assert len(posted(mira, board)) == 2
    assert "No digest was posted" not in posted(mira, board)[-1].text


async def test_after_a_quiet_downtime_nothing_is_said(
    house: House, ada: Person, mira: Person, general: Channel, board: Channel
) -> None:
    await subscribe(ada, general, board)
    await house.stop_bot()
    house.clock.advance(9 * DAY_MS)
    await house.start_bot()
    await looked(house)
    assert posted(mira, board) == []


# The chart


async def test_a_chart_shows_who_has_spent_it_by_name(
    house: House, ada: Person, mira: Person, general: Channel, board: Channel
) -> None:
    await subscribe(ada, general, board)
    await make(mira, general, LARGE)
    await next_day(house)
    [digest] = posted(mira, board)
    [chart] = digest.attachments
    assert chart.data.startswith(b"\x89PNG")
    await house.discord.wait_for_request(f"GET /guilds/*/members/{mira.user.id}", timeout=1)


async def test_where_no_files_may_be_posted_it_comes_without_a_chart(
    house: House, ada: Person, mira: Person, general: Channel, board: Channel
) -> None:
    world = house.discord.world
    world.set_overwrite(board, world.bot, deny=Permission.ATTACH_FILES)
    await subscribe(ada, general, board)
    await make(mira, general, LARGE)
    await next_day(house)
    [digest] = posted(mira, board)
    assert digest.attachments == []
    assert "**$0.04**" in digest.text
    assert everywhere(house, TROUBLE) == []


# Never twice


@pytest.mark.usefixtures("due_tonight")
async def test_an_answer_that_is_lost_doubles_nothing(
    house: House, mira: Person, general: Channel, board: Channel
) -> None:
    pattern = posting(board)
    house.discord.faults.drop(pattern, times=100, after=True)
    await next_day(house)
    assert len(posted(mira, board)) == 1
    house.discord.faults.clear()
    await looked(house, MINUTE_MS)
    await make(mira, general, FREE)
    await next_day(house)
    assert len(posted(mira, board)) == 2
    assert "may be missing" not in posted(mira, board)[-1].text


@pytest.mark.usefixtures("due_tonight")
async def test_what_may_be_there_is_not_taken_for_refused_when_the_next_try_is(
    house: House, mira: Person, board: Channel
) -> None:
    pattern = posting(board)
    missing = {"code": 50013, "message": "Missing Permissions"}
    house.discord.faults.drop(pattern, after=True)
    house.discord.faults.status(pattern, 403, body=missing)
    await next_day(house)
    assert len(posted(mira, board)) == 1
    for _ in range(3):
        await looked(house, HOUR_MS + MINUTE_MS)
    assert len(posted(mira, board)) == 1
    assert everywhere(house, TROUBLE) == []


@pytest.mark.usefixtures("due_tonight")
async def test_a_bot_that_is_killed_while_it_posts_goes_on_with_the_same_nonce(
    house: House, mira: Person, general: Channel, board: Channel
) -> None:
    await house.bot.services.digest_posts.look()
    house.discord.faults.drop(posting(board), after=True)
    gate = house.discord.faults.hold(posting(board))
    house.clock.advance(until_next(house, "day"))
    await gate.reached()  # the first try is carried out, and not answered
    await house.kill_bot()
    house.discord.faults.clear()
    assert len(posted(mira, board)) == 1

    await house.start_bot()
    await looked(house, MINUTE_MS)
    await looked(house, MINUTE_MS)
    assert len(posted(mira, board)) == 1
    await make(mira, general, FREE)
    await next_day(house)
    assert "may be missing" not in posted(mira, board)[-1].text


@pytest.mark.usefixtures("due_tonight")
async def test_a_bot_that_is_stopped_while_it_posts_waits_for_it(
    house: House, mira: Person, general: Channel, board: Channel, books: Books
) -> None:
    await house.bot.services.digest_posts.look()
    gate = house.discord.faults.hold(posting(board))
    house.clock.advance(until_next(house, "day"))
    await gate.reached()
    house.begin_stop()
    late = await explanation(general, await mira.slash(general, "imagine", {"prompt": "late"}))
    assert "The bot is restarting" in late.text
    gate.open()
    await house.stop_bot()
    assert len(posted(mira, board)) == 1
    assert books.rows("SELECT claim_id FROM digest") == [{"claim_id": None}]


@pytest.mark.usefixtures("due_tonight")
async def test_a_bot_that_was_killed_before_discord_got_it_posts_it(
    house: House, mira: Person, board: Channel
) -> None:
    await killed_while_posting(house, board)
    assert posted(mira, board) == []
    await house.start_bot()
    await looked(house)
    assert posted(mira, board) == []  # who began it may be at it still
    await looked(house, MINUTE_MS)
    assert len(posted(mira, board)) == 1
    await looked(house, HOUR_MS)
    assert len(posted(mira, board)) == 1


async def test_what_may_be_there_is_not_posted_once_more_and_the_next_one_says_so(
    house: House, ada: Person, mira: Person, general: Channel, board: Channel
) -> None:
    await subscribe(ada, general, board)
    name = datetime.fromtimestamp(house.clock.now_ms() / 1000, UTC)
    await make(mira, general, FREE)
    await killed_while_posting(house, board)
    house.clock.advance(HOUR_MS)
    await house.start_bot()
    await looked(house, HOUR_MS)
    assert posted(mira, board) == []
    for count in (1, 2):
        await make(mira, general, FREE)
        await next_day(house)
        assert len(posted(mira, board)) == count
    first, second = posted(mira, board)
    assert f"posted the digest of {name:%Y-%m-%d}; that one may be missing" in first.text
    assert "may be missing" not in second.text


async def killed_while_posting(house: House, board: Channel) -> None:
    """Kill the bot when its digest has been claimed, and Discord has not taken it yet."""
    pattern = posting(board)
    await house.bot.services.digest_posts.look()
    house.discord.faults.status(pattern, 503, times=100)
    house.clock.advance(until_next(house, "day"))
    await house.discord.wait_for_request(pattern)
    await house.kill_bot()
    house.discord.faults.clear()


# Where it can't be posted


async def test_of_a_channel_that_is_gone_whoever_set_it_is_told_once(
    house: House, ada: Person, mira: Person, general: Channel, board: Channel
) -> None:
    await subscribe(ada, general, board)
    await make(mira, general, LARGE)
    house.discord.world.remove_channel(board)
    await next_day(house)
    for _ in range(3):
        await looked(house, HOUR_MS + MINUTE_MS)
    [trouble] = everywhere(house, TROUBLE)
    assert trouble.channel_id == mail(house, ada).id
    assert f"The digest of Paper Boat Society belongs into <#{board.id}>" in trouble.text
    assert "It is tried again every hour" in await told(ada, general, "config digest")

    lobby = house.channel("general")
    await subscribe(ada, general, lobby)
    await looked(house)
    [digest] = posted(mira, lobby)
    assert "$0.04" in digest.text


async def test_where_the_bot_may_not_post_it_goes_on_once_it_may(
    house: House, ada: Person, mira: Person, general: Channel, board: Channel
) -> None:
    world = house.discord.world
    await told(ada, general, "config alert-channel", channel=general.id)
    await subscribe(ada, general, board)
    await make(mira, general, FREE)
    world.set_overwrite(board, world.bot, deny=Permission.SEND_MESSAGES)
    await next_day(house)
    await looked(house, HOUR_MS + MINUTE_MS)
    [trouble] = everywhere(house, TROUBLE)
    assert trouble.channel_id == general.id
    assert posted(mira, board) == []

    world.set_overwrite(board, world.bot)
    await looked(house, HOUR_MS + MINUTE_MS)
    assert len(posted(mira, board)) == 1
    await make(mira, general, FREE)
    world.set_overwrite(board, world.bot, deny=Permission.SEND_MESSAGES)
    await next_day(house)
    assert len(everywhere(house, TROUBLE)) == 2


@pytest.mark.usefixtures("due_tonight")
async def test_a_bot_that_was_put_out_of_the_server_posts_nothing_and_goes_on_when_back(
    house: House, mira: Person, board: Channel
) -> None:
    house.discord.world.bot_leaves(house.guild())
    await next_day(house)
    assert everywhere(house, TROUBLE) == []
    house.discord.world.bot_joins(house.guild())
    await house.restart_bot()
    await looked(house, MINUTE_MS)
    assert len(posted(mira, board)) == 1


# The command


async def test_the_command_shows_changes_and_ends_it(
    house: House, ada: Person, mira: Person, general: Channel, board: Channel
) -> None:
    assert "None is posted." in await told(ada, general, "config digest")
    text = await subscribe(ada, general, board, "week")
    assert f"each week, from Monday is posted in <#{board.id}>" in text
    assert text == await told(ada, general, "config digest")
    text = await told(ada, general, "config digest", every="day")
    assert f"each day is posted in <#{general.id}>" in text
    assert "No digest is posted." in await told(ada, general, "config digest", every="off")
    assert "None was." in await told(ada, general, "config digest", every="off")
    await make(mira, general, FREE)
    await next_day(house)
    assert everywhere(house, "### Spending") == []


async def test_a_channel_alone_and_somebody_who_may_not_are_refused(
    house: House, ada: Person, theo: Person, general: Channel, board: Channel
) -> None:
    text = await told(ada, general, "config digest", channel=board.id)
    assert "It takes daily, weekly, monthly or off." in text
    booster = house.discord.world.role(house.guild(), "Booster")
    house.discord.world.show_command(house.guild(), "config", booster)
    text = await told(theo, general, "config digest", every="day")
    assert "**Manage Server**" in text


async def test_it_is_said_when_the_bot_may_not_post_there(
    house: House, ada: Person, general: Channel, board: Channel
) -> None:
    world = house.discord.world
    world.set_overwrite(board, world.bot, deny=Permission.SEND_MESSAGES)
    await house.discord.wait_for_bot()
    text = await subscribe(ada, general, board)
    assert "**The bot may not post there:**" in text
