"""The process that draws: started when needed, ended when idle, replaced when it hangs or dies."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.charts import Chart, Charts, ChartUnavailable
from tests.charts.charts import HOSTILE, chart

ROOT = Path(__file__).parents[2]
CHART = chart((1_300, 0, 5), (7, 1, 1), top=(("Ada 🚀", 1_314),), budget=10_000, forecast=2_000)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for the processes")


def workers() -> list[int]:
    """The processes that this one has started to draw charts, and that still run."""
    children = [
        int(child)
        for task in Path("/proc/self/task").glob("*/children")
        for child in task.read_text().split()
    ]
    return [child for child in children if b"bot.charts._worker" in told(child, "cmdline")]


def told(process: int, what: str) -> bytes:
    try:
        return Path(f"/proc/{process}/{what}").read_bytes()
    except OSError:
        return b""


@asynccontextmanager
async def watched(process: int) -> AsyncIterator[asyncio.Event]:
    """An event that is set when a process has ended."""
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    handle = os.pidfd_open(process)
    loop.add_reader(handle, ended.set)
    try:
        yield ended
    finally:
        loop.remove_reader(handle)
        os.close(handle)


@pytest.fixture
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all of these tests: a list of fonts is made once on a machine."""
    return tmp_path_factory.getbasetemp() / "charts"


def is_picture(data: bytes) -> bool:
    return data.startswith(b"\x89PNG\r\n") and data.endswith(b"IEND\xaeB`\x82")


async def test_one_process_draws_one_chart_after_the_other(cache: Path) -> None:
    async with Charts(cache=cache) as charts:
        assert workers() == []
        first, second = await asyncio.gather(charts.draw(CHART), charts.draw(CHART))
        (process,) = workers()
        assert is_picture(first)
        assert first == second == await charts.draw(CHART)
        assert workers() == [process]
    assert workers() == []


def test_the_bots_own_process_never_loads_the_library() -> None:
    code = (
        "import sys, bot.app, bot.charts, bot.reporting, bot.report_charts\n"
        "print([name for name in ('matplotlib', 'numpy', 'rich') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


async def test_it_has_no_secret_in_its_environment(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "very-secret")
    async with Charts(cache=cache) as charts:
        await charts.draw(CHART)
        (process,) = workers()
        environment = told(process, "environ")
    assert b"MPLCONFIGDIR" in environment
    assert b"very-secret" not in environment


async def test_it_ends_when_nobody_wants_a_chart_and_begins_anew(cache: Path) -> None:
    async with Charts(cache=cache, idle_s=0.5) as charts:
        await charts.draw(CHART)
        (process,) = workers()
        async with watched(process) as ended:
            await asyncio.wait_for(ended.wait(), 30)
        assert is_picture(await charts.draw(CHART))
        assert process not in workers()


async def test_one_that_hangs_is_killed_and_the_next_chart_is_drawn(cache: Path) -> None:
    async with Charts(cache=cache, timeout_s=8) as charts:
        await charts.draw(CHART)
        (process,) = workers()
        async with watched(process) as ended:
            os.kill(process, signal.SIGSTOP)
            with pytest.raises(ChartUnavailable):
                await charts.draw(CHART)
            await asyncio.wait_for(ended.wait(), 30)
        assert is_picture(await charts.draw(CHART))


async def test_one_that_is_expected_is_ready_when_the_chart_comes(cache: Path) -> None:
    async with Charts(cache=cache) as charts:
        charts.expect()
        charts.expect()
        assert charts._start is not None
        await charts._start
        (process,) = workers()
        assert is_picture(await charts.draw(CHART))
        assert workers() == [process]


async def test_one_that_was_killed_is_replaced(cache: Path) -> None:
    async with Charts(cache=cache, timeout_s=60) as charts:
        await charts.draw(CHART)
        (process,) = workers()
        async with watched(process) as ended:
            os.kill(process, signal.SIGKILL)
            await asyncio.wait_for(ended.wait(), 30)
        # Whether it is known to have ended by now is a matter of moments.
        answers = await asyncio.gather(
            *(charts.draw(CHART) for _ in range(2)), return_exceptions=True
        )
        assert isinstance(answers[1], bytes)
        assert is_picture(answers[1])


async def hung(charts: Charts) -> asyncio.Task[bytes]:
    """A chart that is being drawn, and will never be finished."""
    await charts.draw(CHART)
    (process,) = workers()
    os.kill(process, signal.SIGSTOP)
    drawing = asyncio.create_task(charts.draw(CHART))
    await asyncio.wait([drawing], timeout=0.2)
    return drawing


async def test_a_cancelled_chart_ends_the_process_and_the_next_is_drawn(cache: Path) -> None:
    async with Charts(cache=cache, timeout_s=60) as charts:
        drawing = await hung(charts)
        drawing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await drawing
        assert workers() == []
        assert is_picture(await charts.draw(CHART))


async def test_leaving_ends_a_chart_under_way(cache: Path) -> None:
    async with Charts(cache=cache, timeout_s=60) as charts:
        drawing = await hung(charts)
    with pytest.raises(ChartUnavailable):
        await drawing
    assert workers() == []
    with pytest.raises(ChartUnavailable):
        await charts.draw(CHART)
    assert workers() == []


async def test_leaving_ends_one_that_is_just_starting(cache: Path) -> None:
    async with Charts(cache=cache) as charts:
        charts.expect()
        await asyncio.wait([asyncio.create_task(asyncio.sleep(0))])
    assert workers() == []


async def test_a_chart_that_makes_no_sense_is_refused_and_the_process_lives_on(
    cache: Path,
) -> None:
    async with Charts(cache=cache, timeout_s=60) as charts:
        for nonsense in (broken(("yesterday",)), broken(("2026-07-01", "2026-07-02"))):
            with pytest.raises(ChartUnavailable):
                await charts.draw(nonsense)
        (process,) = workers()
        assert is_picture(await charts.draw(CHART))
        assert workers() == [process]


def broken(days: tuple[str, ...]) -> Chart:
    return Chart(
        title="",
        days=days,
        series=chart((1,)).series,
        top=(),
        budget=None,
        forecast=None,
        days_gone=1,
    )


async def test_hostile_names_are_drawn(cache: Path) -> None:
    names = tuple(f"{name}/{number}" for number, name in enumerate(HOSTILE[:8]))
    hostile = chart(
        *[(number + 1, 2) for number in range(8)],
        names=names,
        top=tuple((name, 5) for name in HOSTILE[8:]),
        title="".join(HOSTILE),
    )
    async with Charts(cache=cache, timeout_s=60) as charts:
        assert is_picture(await charts.draw(hostile))


async def test_it_does_not_outlive_a_bot_that_was_killed(cache: Path) -> None:
    code = f"""
import asyncio, pathlib
from bot.charts import Charts
from tests.charts.charts import chart
from tests.charts.test_process import workers
async def main():
    async with Charts(cache=pathlib.Path({str(cache)!r})) as charts:
        await charts.draw(chart((1, 2)))
        print(*workers(), flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""
    bot = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    try:
        assert bot.stdout is not None
        process = int(await asyncio.wait_for(bot.stdout.readline(), 60))
        async with watched(process) as ended:
            bot.kill()
            await asyncio.wait_for(ended.wait(), 30)
    finally:
        if bot.returncode is None:
            bot.kill()
        await bot.wait()
