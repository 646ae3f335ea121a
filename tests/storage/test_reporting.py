"""`python -m bot report`, beside a bot that works on the same database."""

import asyncio
import contextlib
import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.imagerouter import ImageRouter
from bot.quotas import Defaults, Window, ZoneChange
from bot.reconcile_report import print_comparison
from bot.reconciling import Reconciler
from bot.report_charts import make_chart
from bot.reporting import (
    EVERY_CHARGE,
    NOT_INTO_A_TERMINAL,
    PNG,
    TABLE,
    Wanted,
    print_chart,
    print_report,
)
from bot.reports import Span, make_report, named_period
from bot.settings import EXIT_CONFIG, Settings
from bot.storage import Erasure, Group, Output, Reconciliations, Reports, Who, open_database
from bot.storage.migrate import MIGRATIONS
from sandbox.imagerouter import ImageRouterServer
from tests.storage.books import Books, StillClock, open_books, sqlite_url

ROOT = Path(__file__).parents[2]
GUILD = 77


async def printed(
    url: str,
    clock: StillClock,
    *,
    by: str = Group.MEMBER,
    form: str = TABLE,
    first: date | None = None,
    last: date | None = None,
) -> tuple[int, str, str]:
    out, faults = io.StringIO(newline=""), io.StringIO()
    wanted = Wanted(GUILD, Span.MONTH, first, last, by, form)
    settings = Settings.from_env({"DATABASE_URL": url})
    code = await print_report(settings, wanted, out=out, faults=faults, clock=clock)
    return code, out.getvalue(), faults.getvalue()


async def spend(books: Books, user: int, amount: int, model: str = "some/model") -> None:
    sent = await books.sent(books.job(user=user, model=model, ceiling=2_000_000))
    await books.ledger.settle(
        sent.charge_ids[0], actual=amount, outputs=[Output(url="https://a.example/b")]
    )
    await books.jobs.mark_delivered({sent.job_id: (770, 1)})


async def test_a_table_is_printed_while_the_bot_runs(books: Books, database_url: str) -> None:
    await books.policies.set_limit(Who.guild(GUILD), Window.MONTH, 6_000_000, by=1)
    await spend(books, 11, 1_000_000)
    await spend(books, 12, 500_000)
    await Erasure(books.db, clock=books.clock).erase_person(12)
    code, told, faults = await printed(database_url, books.clock)
    assert (code, faults) == (0, "")
    assert told.splitlines() == [
        "Spent in server 77, 2026-07",
        "",
        "Spent     $1.50, 25% of $6.00",
        "Forecast  about $1.576272 at the end",
        "Pictures  2, $0.75 each",
        "Jobs      2",
        "Success   100.0%",
        "",
        "member    charges  pictures  spent  share",
        "11              1         1  $1.00  66.7%",
        "(erased)        1         1  $0.50  33.3%",
    ]


async def test_nothing_spent_is_said_so(books: Books, database_url: str) -> None:
    code, told, _ = await printed(
        database_url, books.clock, first=date(2026, 1, 1), last=date(2026, 1, 3)
    )
    assert code == 0
    assert "2026-01-01 to 2026-01-03" in told
    assert told.endswith("Nothing was spent.\n")


async def test_sums_come_as_csv_and_json(books: Books, database_url: str) -> None:
    await spend(books, 11, 1300, model="=cmd()")
    _, text, _ = await printed(database_url, books.clock, by=Group.MODEL, form="csv")
    assert list(csv.reader(io.StringIO(text.removeprefix("\ufeff")))) == [
        ["model", "charges", "pictures", "spent_usd"],
        ["'=cmd()", "1", "1", "0.0013"],
    ]
    _, text, _ = await printed(database_url, books.clock, by=Group.MODEL, form="json")
    assert json.loads(text) == [
        {"model": "=cmd()", "charges": 1, "pictures": 1, "spent_usd": "0.0013"}
    ]


async def test_every_charge_is_a_row_and_they_add_up(books: Books, database_url: str) -> None:
    for amount in (1, 20, 300):
        await spend(books, 11, amount)
        books.clock.now += 1000
    _, text, _ = await printed(database_url, books.clock, by=EVERY_CHARGE, form="json")
    rows = json.loads(text)
    assert [row["spent_usd"] for row in rows] == ["0.000001", "0.00002", "0.0003"]
    assert {row["member"] for row in rows} == {"11"}
    assert rows[0]["time"] == "2026-07-30T12:00:00+00:00"


async def test_the_file_and_the_bots_lock_stay_as_they_are(books: Books, database_url: str) -> None:
    await spend(books, 11, 100)
    await printed(database_url, books.clock)
    await spend(books, 11, 100)
    _, told, _ = await printed(database_url, books.clock)
    assert "$0.0002" in told


async def test_a_database_of_an_earlier_version_is_left_alone(
    empty_url: Callable[[], str],
    outside: Callable[[str, str], list[str]],
    tmp_path: Path,
) -> None:
    url, folder = empty_url(), tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder)
    max(folder.iterdir()).unlink()
    async with open_database(url, clock=StillClock(), migrations=folder):
        pass
    before = outside(url, "SELECT MAX(version) FROM migration")
    code, told, faults = await printed(url, StillClock())
    assert (code, told) == (EXIT_CONFIG, "")
    assert faults.startswith("The database is that of an earlier version of the bot.")
    assert outside(url, "SELECT MAX(version) FROM migration") == before


async def test_a_database_that_is_not_the_bots_is_said_to_be_none(
    empty_url: Callable[[], str], outside: Callable[[str, str], list[str]]
) -> None:
    url = empty_url()
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir()
    outside(url, "CREATE TABLE something (a BIGINT)")
    code, told, faults = await printed(url, StillClock())
    assert (code, told) == (EXIT_CONFIG, "")
    assert "migration" in faults


def test_no_file_is_made_where_there_is_none(tmp_path: Path) -> None:
    code, _, faults = asyncio.run(printed(sqlite_url(tmp_path), StillClock()))
    assert code == EXIT_CONFIG
    assert faults.startswith("There is no database at")
    assert not list(tmp_path.iterdir())


async def test_a_report_is_read_when_no_bot_runs(new_url: Callable[[], str]) -> None:
    url = new_url()
    async with open_books(url) as books:
        await spend(books, 11, 100)
        clock = books.clock
    code, told, _ = await printed(url, clock)
    assert code == 0
    assert "$0.0001" in told


async def test_days_in_the_wrong_order_are_refused(books: Books, database_url: str) -> None:
    code, _, faults = await printed(
        database_url, books.clock, first=date(2026, 7, 3), last=date(2026, 7, 1)
    )
    assert (code, faults) == (2, "2026-07-01 is before 2026-07-03.\n")


async def drawn(
    url: str, clock: StillClock, *, first: date | None = None, last: date | None = None
) -> tuple[int, bytes, str]:
    out, faults = io.BytesIO(), io.StringIO()
    wanted = Wanted(GUILD, Span.MONTH, first, last, Group.MODEL, PNG)
    settings = Settings.from_env({"DATABASE_URL": url})
    code = await print_chart(settings, wanted, out=out, faults=faults, clock=clock)
    return code, out.getvalue(), faults.getvalue()


async def test_a_chart_is_drawn_while_the_bot_runs(books: Books, database_url: str) -> None:
    await spend(books, 11, 1_000_000)
    code, picture, faults = await drawn(database_url, books.clock)
    assert (code, faults) == (0, "")
    assert picture.startswith(b"\x89PNG")
    assert picture.endswith(b"IEND\xaeB`\x82")


async def test_a_chart_shows_what_the_books_say(books: Books) -> None:
    await books.policies.set_limit(Who.guild(GUILD), Window.MONTH, 6_000_000, by=1)
    await spend(books, 11, 1_000_000, model="a/dear")
    await spend(books, 12, 500_000, model="b/cheap")
    reports, zones = Reports(books.db, defaults=Defaults()), await zones_of(books)
    now_ms = books.clock.now
    period = named_period(Span.MONTH, now_ms=now_ms, zones=zones)
    # However the report beside it is grouped.
    report = await make_report(reports, GUILD, period, Group.DAY, now_ms=now_ms)
    chart = await make_chart(
        reports, report, zones, title="July", name_of=lambda part: f"<{part.key}>"
    )
    assert (len(chart.days), chart.days_gone, chart.budget) == (31, 30, 6_000_000)
    assert {each.name: each.spent[29] for each in chart.series} == {
        "a/dear": 1_000_000,
        "b/cheap": 500_000,
    }
    assert sum(sum(each.spent) for each in chart.series) == report.total.spent
    assert chart.top == (("<11>", 1_000_000), ("<12>", 500_000))
    assert chart.forecast == report.forecast


async def zones_of(books: Books) -> list[ZoneChange]:
    return await Reports(books.db, defaults=Defaults()).zones(GUILD)


async def test_a_chart_of_days_in_the_wrong_order_is_refused(
    books: Books, database_url: str
) -> None:
    code, picture, faults = await drawn(
        database_url, books.clock, first=date(2026, 7, 3), last=date(2026, 7, 1)
    )
    assert (code, picture, faults) == (2, b"", "2026-07-01 is before 2026-07-03.\n")


def run_beside(url: str, *options: str, stdout_is_shown: bool) -> tuple[int, bytes, str]:
    """Run the command line with one of its streams a terminal, which shows the last of these."""
    ours, theirs = os.openpty()
    bot = subprocess.Popen(
        [sys.executable, "-m", "bot", "report", "--guild", str(GUILD), *options],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url, "TERM": "xterm", "COLUMNS": "100"},
        stdout=theirs if stdout_is_shown else subprocess.PIPE,
        stderr=subprocess.PIPE if stdout_is_shown else theirs,
    )
    os.close(theirs)
    with ThreadPoolExecutor(1) as beside:  # a terminal that nobody reads would stop the program
        showing = beside.submit(everything, ours)
        out, faults = bot.communicate(timeout=90)
        shown = showing.result().decode()
    os.close(ours)
    return bot.returncode, faults if stdout_is_shown else out, shown


def everything(terminal: int) -> bytes:
    shown = b""
    with contextlib.suppress(OSError):  # how the system says that the other end is closed
        while piece := os.read(terminal, 65_536):
            shown += piece
    return shown


@pytest.mark.skipif(sys.platform == "win32", reason="has no terminals to be had like this")
def test_a_picture_is_not_thrown_at_a_terminal(tmp_path: Path) -> None:
    code, told, shown = run_beside(sqlite_url(tmp_path), "--format", "png", stdout_is_shown=True)
    assert (code, shown) == (2, "")
    assert told.decode().strip() == NOT_INTO_A_TERMINAL


@pytest.mark.skipif(sys.platform == "win32", reason="has no terminals to be had like this")
def test_who_waits_for_many_charges_sees_how_far_it_is(tmp_path: Path) -> None:
    async def three_charges() -> None:
        async with open_books(sqlite_url(tmp_path)) as books:
            for _ in range(3):
                await spend(books, 11, 100)

    asyncio.run(three_charges())
    options = (
        "--by",
        EVERY_CHARGE,
        "--format",
        "csv",
        "--from",
        "2026-07-01",
        "--to",
        "2026-07-31",
    )
    code, out, shown = run_beside(sqlite_url(tmp_path), *options, stdout_is_shown=False)
    assert code == 0
    assert len(out.splitlines()) == 4
    assert "Writing charges" in shown
    assert "100%, 3 charges" in shown


# The books beside ImageRouter's


@asynccontextmanager
async def imagerouter(clock: StillClock) -> AsyncIterator[ImageRouterServer]:
    async with ImageRouterServer(clock, requests_per_second=None) as server:
        yield server


async def compared(
    url: str, clock: StillClock, server: ImageRouterServer, *, key: str | None = None
) -> tuple[int, str, str]:
    out, faults = io.StringIO(), io.StringIO()
    settings = Settings.from_env(
        {
            "DATABASE_URL": url,
            "IMAGEROUTER_API_KEY": server.api_key,
            "IMAGEROUTER_BASE_URL": server.base_url,
        }
    )
    code = await print_comparison(settings, key, out=out, faults=faults, clock=clock)
    return code, out.getvalue(), faults.getvalue()


async def first_reading(books: Books, server: ImageRouterServer) -> None:
    """What `/operator reconcile` does."""
    store = Reconciliations(books.db, clock=books.clock)
    async with ImageRouter(api_key=server.api_key, base_url=server.base_url) as router:
        reconciler = Reconciler(router=router, store=store, clock=books.clock)
        await store.add((await reconciler.compare()).now)
    books.clock.now += 60_000


async def test_without_a_first_reading_the_terminal_compares_and_notes_nothing(
    books: Books, database_url: str, outside: Callable[[str, str], list[str]]
) -> None:
    async with imagerouter(books.clock) as server:
        code, told, faults = await compared(database_url, books.clock, server)
    assert (code, told) == (EXIT_CONFIG, "")
    assert faults.startswith("There is no earlier reading to compare with.")
    assert outside(database_url, "SELECT COUNT(*) FROM reconciliation") == ["0"]


async def test_books_that_agree_are_said_to_and_end_with_zero(
    books: Books, database_url: str, outside: Callable[[str, str], list[str]]
) -> None:
    async with imagerouter(books.clock) as server:
        await first_reading(books, server)
        await spend(books, 11, 40_000)
        server.account.charge("some/model", 40_000, request_index=0)
        code, told, faults = await compared(database_url, books.clock, server)
    assert (code, faults) == (0, "")
    assert told == (
        "The books agree\n\n"
        "Since the first reading, 2026-07-30 12:00 UTC, ImageRouter has charged $0.04 with the key "
        "Sandbox, and the ledger has counted $0.04.\n\n"
    )
    assert outside(database_url, "SELECT COUNT(*) FROM reconciliation") == ["1"]


async def test_a_difference_is_told_with_its_charges_and_ends_with_one(
    books: Books, database_url: str
) -> None:
    async with imagerouter(books.clock) as server:
        await first_reading(books, server)
        [charge] = (await books.sent(books.job(model="evil\x1b[2Jmodel"))).charge_ids
        await books.ledger.mark_unknown(charge, reason="lost")
        server.account.charge("some/model", 900, request_index=0)
        code, told, _ = await compared(database_url, books.clock, server)
    assert code == 1
    assert told.startswith("The books differ by $0.0009\n\n")
    assert "- 1 unknown outcome, up to $0.001" in told
    [line] = [line for line in told.splitlines() if line.startswith(str(charge))]
    assert line.endswith(
        "unknown · up to $0.001 · evil [2Jmodel · server 77 · 2026-07-30 12:01 UTC"
    )


async def test_what_keeps_the_terminal_from_comparing_is_a_sentence(
    books: Books, database_url: str
) -> None:
    async with imagerouter(books.clock) as server:
        server.account.add_key("A website", "its-secret")
        code, _, faults = await compared(database_url, books.clock, server)
        assert code == EXIT_CONFIG
        assert faults.endswith("Say it once, with key: Sandbox, A website.\n")
        code, _, faults = await compared(database_url, books.clock, server, key="nobody")
        assert "is called so. There are Sandbox" in faults
    code, _, faults = await compared(database_url, books.clock, server)
    assert (code, faults[:38]) == (EXIT_CONFIG, "ImageRouter could not be asked just no")
    settings, out = Settings.from_env({"DATABASE_URL": database_url}), io.StringIO()
    assert await print_comparison(settings, None, out=out, faults=out) == EXIT_CONFIG
    assert out.getvalue() == "IMAGEROUTER_API_KEY is not set: ImageRouter can't be asked.\n"


def test_either_a_server_or_the_comparison_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["report"], ["report", "--guild", "1", "--reconcile"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
    assert "--guild" in capsys.readouterr().err
