"""/report: what a server has spent, shown, posted and downloaded."""

import csv
import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Message, Person
from sandbox.house import House, button
from sandbox.talk import answered, make, told
from tests.discord.edits import rename

LARGE, MINI = "papercut/fold-large", "papercut/fold-mini"  # $0.04 and $0.0013
DAY_MS = 86_400_000

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


def menu(message: Message, kind: str) -> str:
    """The custom id of a menu of a panel."""
    [found] = [each.custom_id for each in message.selects if f":{kind}:" in each.custom_id]
    return found


async def choose(person: Person, message: Message, kind: str, value: str) -> str:
    """Choose in a menu, and return what the panel says then."""
    await (await person.choose(message, menu(message, kind), [value])).answer()
    return message.text.replace("\\", "")


async def downloaded(person: Person, message: Message, label: str) -> dict[str, bytes]:
    """Click a download, and return the files by name; only whoever clicks sees them."""
    sent = await (await person.click(message, button(message, label))).answer()
    assert sent.ephemeral_to == person.user.id
    return {each.filename: each.data for each in sent.attachments}


def table_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def in_books(books: Books) -> int:
    [row] = books.rows("SELECT SUM(delta) AS spent FROM entry")
    return int(str(row["spent"]))


def micros(rows: list[dict[str, str]]) -> int:
    return int(sum(Decimal(row["spent_usd"] or "0") for row in rows) * 1_000_000)


async def test_the_report_says_what_was_spent_by_whom(
    house: House, ada: Person, mira: Person, theo: Person, general: Channel
) -> None:
    await told(ada, general, "quota set", per="month", amount="0.20")
    for person in (mira, mira, theo):
        await make(person, general, LARGE)
    text = await told(ada, general, "report")

    month = f"{re.escape('### Spending in ')}[A-Z][a-z]+ 20[0-9]{{2}}"
    assert re.match(month, text)
    assert "**$0.12** of a budget of $0.20 (60%) · 3 pictures" in text
    assert "**Jobs:** 3 · 100.0% of what was sent brought a picture" in text
    assert "**A picture:** $0.04 on average" in text
    assert "**Change:** nothing was spent by this time the month before" in text
    assert f"1. <@{mira.user.id}> · **$0.08** · 67% · 2 pictures" in text
    assert f"2. <@{theo.user.id}> · **$0.04** · 33% · one picture" in text


@pytest.mark.parametrize(
    ("by", "line"),
    [
        ("role", "1. No role's allowance · **$0.08** · 100% · 2 pictures"),
        ("model", "1. papercut/fold-large · **$0.08** · 100% · 2 pictures"),
        ("channel", "1. <#{general}> · **$0.08** · 100% · 2 pictures"),
        ("command", "1. `/imagine` · **$0.08** · 100% · 2 pictures"),
        ("day", "- {today} · **$0.08** · 100% · 2 pictures"),
    ],
)
async def test_each_group_has_a_table_of_its_own(
    by: str, line: str, house: House, ada: Person, mira: Person, general: Channel
) -> None:
    for _ in range(2):
        await make(mira, general, LARGE)
    message = await answered(ada, general, "report", period="today")
    today = re.findall(r"Spending on (.*)", message.text)[0]
    wanted = line.format(general=general.id, today=today)

    assert wanted in await choose(ada, message, "group", by)
    assert wanted in (await told(ada, general, "report", by=by)).replace("\\", "")


async def test_each_period_shows_its_own_days(
    house: House, ada: Person, mira: Person, general: Channel, books: Books
) -> None:
    await make(mira, general, LARGE)
    first = str(books.rows("SELECT day_label FROM job")[0]["day_label"])
    house.clock.advance(40 * DAY_MS)
    await make(mira, general, MINI)
    last = str(books.rows("SELECT MAX(day_label) AS day FROM job")[0]["day"])

    message = await answered(ada, general, "report", period="today")
    assert "**$0.0013**" in message.text
    assert "**$0.0013**" in await choose(ada, message, "period", "w")
    assert "**$0.0013**" in await choose(ada, message, "period", "m")
    everything = {"from": first, "to": last}
    message = await answered(ada, general, "report", **everything)
    assert "**$0.0413**" in message.text
    assert "**$0.0413**" in await choose(ada, message, "group", "day")
    one_day = await told(ada, general, "report", to=first)
    assert "**$0.04**" in one_day
    assert "**$0.0413**" in await told(ada, general, "report", **{"from": first})


async def test_last_month_is_compared_with_the_one_before(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    house.clock.advance(_until_next_month(house))
    await make(mira, general, LARGE)
    house.clock.advance(_until_next_month(house))
    for _ in range(3):
        await make(mira, general, LARGE)
    text = await told(ada, general, "report", period="month")
    assert "200% more than by this time the month before ($0.04)" in text
    text = await told(ada, general, "report", period="last month")
    assert "**$0.04**" in text
    assert "Forecast" not in text


def _until_next_month(house: House) -> int:
    """Milliseconds until noon of the second day of the next month."""
    now = datetime.fromtimestamp(house.clock.now_ms() / 1000, UTC)
    then = (now.replace(day=1) + timedelta(days=32)).replace(day=2, hour=12, minute=0)
    return int((then - now).total_seconds() * 1000)


@pytest.mark.parametrize(
    "wrong",
    [
        {"from": "yesterday"},
        {"to": "2026-02-30"},
        {"from": "2026-08-02", "to": "2026-08-01"},
        {"from": "1999-01-01"},
        {"from": "0001-01-01", "to": "9999-12-31"},
        {"to": "٢٠٢٦-07-30"},
        {"from": "2026-07-3"},
    ],
)
async def test_days_that_are_none_get_a_sentence(
    wrong: dict[str, str], ada: Person, general: Channel
) -> None:
    text = await told(ada, general, "report", **wrong)
    assert "can't be used like that" in text
    assert "It takes " in text


async def test_nothing_spent_is_said_kindly(ada: Person, general: Channel) -> None:
    message = await answered(ada, general, "report")
    assert "Nothing was spent." in message.text
    files = await downloaded(ada, message, "CSV")
    assert [len(table_of(data)) for data in files.values()] == [0, 0]


async def test_downloads_add_up_to_the_ledger(
    house: House, ada: Person, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    for person, model in ((mira, LARGE), (mira, MINI), (theo, MINI)):
        await make(person, general, model)
    message = await answered(ada, general, "report")

    table, charges = map(table_of, (await downloaded(ada, message, "CSV")).values())
    assert [row["member"] for row in table] == [str(mira.user.id), str(theo.user.id)]
    assert micros(table) == micros(charges) == in_books(books) == 42_600
    assert [row["model"] for row in charges] == [LARGE, MINI, MINI]

    texts = await downloaded(ada, message, "JSON")
    table, charges = (json.loads(data) for data in texts.values())
    assert micros(table) == micros(charges) == in_books(books)
    assert [row["state"] for row in charges] == ["settled"] * 3


async def test_a_report_is_posted_for_everybody_and_has_nothing_to_click(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    await make(mira, general, LARGE)
    message = await answered(ada, general, "report")
    posted = await (await ada.click(message, button(message, "Post here"))).followup()

    assert posted.ephemeral_to is None
    assert posted in mira.messages(general)
    assert f"1. <@{mira.user.id}> · **$0.04**" in posted.text
    assert f"Posted by <@{ada.user.id}>" in posted.text
    assert posted.buttons == []
    assert posted.selects == []


async def test_a_panel_works_after_a_restart(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    await make(mira, general, LARGE)
    message = await answered(ada, general, "report")
    await house.restart_bot()

    assert "papercut/fold-large" in await choose(ada, message, "group", "model")
    assert "Spending on" in await choose(ada, message, "period", "t")
    assert len(await downloaded(ada, message, "CSV")) == 2


async def test_long_tables_have_pages(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    for _ in range(17):
        await make(mira, general, MINI)
        house.clock.advance(DAY_MS)
    message = await answered(
        ada, general, "report", by="day", **{"from": "2026-01-01", "to": "2031-01-01"}
    )
    first = re.findall(r"^- .*$", message.text, flags=re.MULTILINE)
    assert len(first) == 15
    assert "Page 1 of 2 · 17 lines" in message.text
    await (await ada.click(message, button(message, "Next"))).answer()
    second = re.findall(r"^- .*$", message.text, flags=re.MULTILINE)
    assert len(second) == 2
    assert not set(first) & set(second)
    await (await ada.click(message, button(message, "Back"))).answer()
    assert re.findall(r"^- .*$", message.text, flags=re.MULTILINE) == first


async def test_names_that_break_markdown_or_spreadsheets_are_harmless(
    house: House, ada: Person, mira: Person, general: Channel, books: Books
) -> None:
    await make(mira, general, LARGE)
    hostile = '=HYPERLINK("x")**@everyone** [a](b)\n# head `code` ||s||'
    books.write("UPDATE usage_day SET name = ? WHERE kind = 'model'", hostile)
    books.write("UPDATE charge SET model = ?", hostile)
    message = await answered(ada, general, "report", by="model")
    line = next(each for each in message.text.splitlines() if each.startswith("1. "))
    assert line.startswith(r"1. =HYPERLINK\(\"x\"\)".replace('\\"', '"'))
    for mark in ("**@", "@everyone**", "](b)", " `code`", " ||s"):
        assert mark not in line

    for data in (await downloaded(ada, message, "CSV")).values():
        [row] = table_of(data)
        assert row["model"].startswith("'=HYPERLINK")
        assert "\n" not in row["model"]


async def test_many_charges_come_zipped_and_add_up(
    house: House, ada: Person, mira: Person, general: Channel, books: Books
) -> None:
    await make(mira, general, LARGE)
    books.write("UPDATE charge SET model = ?", "m" * 1_000)  # so that few of them are large
    columns = (
        "job_id, process, guild_id, channel_id, user_id, command, model, state, prior_state, held, "
        "actual, overrun, pictures, reason, created_at, changed_at, closed_at"
    )
    books.write(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000) "
        f"INSERT INTO charge (id, idem, place, {columns}) "
        f"SELECT id + i, idem || i, i, {columns} FROM charge, n"
    )
    for table in ("usage_day", "usage_month"):
        books.write(f"UPDATE {table} SET charges = charges * 12001, spent = spent * 12001")
    message = await answered(ada, general, "report")
    files = await downloaded(ada, message, "CSV")
    [sums, archive] = files.values()
    assert [name.rpartition(".")[2] for name in files] == ["csv", "zip"]
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        [name] = opened.namelist()
        charges = table_of(opened.read(name))
    assert len(charges) == 12_001
    assert len({row["charge"] for row in charges}) == 12_001
    assert micros(charges) == micros(table_of(sums)) == 12_001 * 40_000


# Who may


async def test_ordinary_members_are_refused_whatever_they_click(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    message = await answered(mira, general, "models")
    for forged in ("report:csv::m:m:1", "report:post::m:m:1", "report:next::m:m:1"):
        rename(message, message.buttons[-1].custom_id or "", forged)
        ask = await mira.click(message, forged)
        told_beside = await (ask.answer() if "csv" in forged else ask.followup())
        assert "Manage Server" in told_beside.text
        assert told_beside.ephemeral_to == mira.user.id
        assert told_beside.attachments == []


async def test_the_managers_role_may_see_reports_and_nobody_after_it_is_taken_away(
    house: House, ada: Person, theo: Person, general: Channel
) -> None:
    mine = set(house.guild().members[theo.user.id].role_ids)
    [role] = [
        each
        for each in house.guild().roles.values()
        if each.id in mine and each.name != "@everyone"
    ]
    await told(ada, general, "config managers", role=role)
    message = await answered(theo, general, "models")
    forged = "report:csv::m:m:1"
    rename(message, message.buttons[-1].custom_id or "", forged)
    sent = await (await theo.click(message, forged)).answer()
    assert len(sent.attachments) == 2

    await told(ada, general, "config managers")
    sent = await (await theo.click(message, forged)).answer()
    assert "Manage Server" in sent.text
    assert sent.attachments == []


@pytest.mark.parametrize(
    "state",
    [
        ":99999999-99999999:m:1",
        ":20260801-20260701:m:1",
        ":00010101-99991231:d:9999",
        ":19990101-19990102:o:1",
    ],
)
async def test_forged_days_get_a_sentence_and_the_panel_stays(
    state: str, ada: Person, general: Channel
) -> None:
    message = await answered(ada, general, "report")
    before = message.text
    for kind in ("group", "post"):
        forged = f"report:{kind}:{state}"
        if kind == "group":
            rename(message, menu(message, "group"), forged)
            ask = await ada.choose(message, forged, ["day"])
        else:
            rename(message, button(message, "Post here"), forged)
            ask = await ada.click(message, forged)
        beside = await ask.followup()
        assert "can't be used like that" in beside.text
        assert beside.ephemeral_to == ada.user.id
        assert message.text == before
    forged = f"report:csv:{state}"
    rename(message, button(message, "CSV"), forged)
    sent = await (await ada.click(message, forged)).answer()
    assert "can't be used like that" in sent.text
    assert sent.attachments == []


async def test_pages_that_are_not_there_show_the_last_one(
    ada: Person, mira: Person, general: Channel
) -> None:
    await make(mira, general, MINI)
    message = await answered(ada, general, "report")
    forged = "report:next::m:m:9999"
    rename(message, button(message, "Post here"), forged)
    await (await ada.click(message, forged)).answer()
    assert f"1. <@{mira.user.id}>" in message.text


async def test_another_servers_report_is_the_operators(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    await make(mira, general, LARGE)
    guild = next(each for each in house.discord.world.guilds.values() if each != house.guild())
    other = next(iter(guild.channels.values()))
    message = await answered(ada, other, "report")
    assert "Nothing was spent." in message.text
    forged = f"report:csv:{house.guild().id}:m:m:1"
    rename(message, button(message, "CSV"), forged)
    sent = await (await ada.click(message, forged)).answer()
    assert "for the operator of this bot" in sent.text
    assert sent.attachments == []
