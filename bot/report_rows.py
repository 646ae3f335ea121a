"""A report as rows: which columns its files have. Ids are texts, amounts exact, times UTC."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from bot.exports import Cell
from bot.money import MICROS_PER_USD, Micros
from bot.storage import NOBODY, ChargeLine, Group, Part

CHARGE_COLUMNS: Final = (
    *("charge", "time", "day", "job", "member", "role", "channel", "command", "model", "state"),
    *("held_usd", "spent_usd", "overrun_usd", "pictures"),
)


def sum_columns(group: Group) -> tuple[str, ...]:
    """Name the columns of sums by `group`."""
    return (group.value, "charges", "pictures", "spent_usd")


def sum_cells(part: Part) -> tuple[Cell, ...]:
    """Return a part as the cells of its row."""
    name = None if part.key == NOBODY else str(part.key)
    return (name, part.sums.charges, part.sums.pictures, _usd(part.sums.spent))


def charge_cells(line: ChargeLine) -> tuple[Cell, ...]:
    """Return a charge as the cells of its row."""
    when = datetime.fromtimestamp(line.created_ms / 1000, UTC)
    return (
        str(line.id),
        when.isoformat(timespec="seconds"),
        line.day,
        str(line.job_id),
        *(str(each) if each else None for each in (line.user_id, line.role_id, line.channel_id)),
        line.command,
        line.model,
        line.state,
        _usd(line.held),
        None if line.spent is None else _usd(line.spent),
        _usd(line.overrun),
        line.pictures,
    )


def _usd(micros: Micros) -> Decimal:
    return Decimal(micros) / MICROS_PER_USD
