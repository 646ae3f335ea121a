"""A report as files to download: its table, and every charge of its period.

The charges are streamed to disk, a page at a time, off the event loop: however many there are, they
take no more memory than a page.
"""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from bot.aside import aside
from bot.exports import Export, Format
from bot.report_rows import CHARGE_COLUMNS, charge_cells, sum_cells, sum_columns
from bot.reports import Report
from bot.storage import Part, Reports

MOST_CHARGES: Final = 1_000_000
"""Of more, nobody would download the files; the command line has them all."""
_WAIT_S: Final = 120.0
"""How long a download waits for the one before it."""
_NOT_IN_NAMES: Final = re.compile(r"[^0-9A-Za-z]+")


class TooManyCharges(Exception):
    """The period has more charges than `MOST_CHARGES`."""


class StillBusy(Exception):
    """Other downloads were in the way for too long."""


class ReportFiles:
    """Writes one report at a time, so that many downloads are no more work at once than one."""

    def __init__(self, reports: Reports) -> None:
        self._reports = reports
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def written(
        self,
        made: Report,
        form: Format,
        *,
        most_bytes: int,
        name_of: Callable[[Part], str | None],
    ) -> AsyncIterator[list[Path]]:
        """Give the files of a report, of `most_bytes` each at most; then delete them.

        The table first, with the name of each part where `name_of` knows it, then the charges, in
        archives where they are too large for one file.

        Raises:
            TooManyCharges, StillBusy: nothing was written.
            LedgerUnavailable: the books cannot be read now.
            OSError: there is no room on the disk.
        """
        if made.total.charges > MOST_CHARGES:
            raise TooManyCharges
        async with self._my_turn():
            folder = await aside(tempfile.TemporaryDirectory, prefix="easel-report-")
            try:
                home = Path(folder.name)
                table = await aside(_write_table, home, made, form, most_bytes, name_of)
                yield [*table, *await self._write_charges(home, made, form, most_bytes)]
            finally:
                await aside(folder.cleanup)

    @asynccontextmanager
    async def _my_turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(_WAIT_S):
                await self._turn.acquire()
        except TimeoutError:
            raise StillBusy from None
        try:
            yield
        finally:
            self._turn.release()

    async def _write_charges(
        self, home: Path, made: Report, form: Format, most_bytes: int
    ) -> list[Path]:
        name = f"charges-{_period(made)}"
        export = await aside(
            Export, home, name, form=form, columns=CHARGE_COLUMNS, most_bytes=most_bytes
        )
        try:
            async for page in self._reports.charges(made.guild_id, made.period.stretch):
                await aside(export.add, map(charge_cells, page))
            return await aside(export.finish)
        finally:
            await aside(export.close)


def _write_table(
    home: Path,
    made: Report,
    form: Format,
    most_bytes: int,
    name_of: Callable[[Part], str | None],
) -> list[Path]:
    columns = (*sum_columns(made.group), "name")
    name = f"report-{_period(made)}-by-{made.group}"
    with Export(home, name, form=form, columns=columns, most_bytes=most_bytes) as export:
        export.add((*sum_cells(part), name_of(part)) for part in made.answer.parts)
        return export.finish()


def _period(made: Report) -> str:
    return _NOT_IN_NAMES.sub("-", made.period.label)
