"""A desk to which people bring pictures."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.inputs.desk import Desk, open_desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path / "inputs") as opened:
        yield opened
