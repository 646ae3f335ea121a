"""Whether tests can use PostgreSQL on this machine."""

import os

import pytest

from sandbox.postgres import programs


def skip_without_postgres() -> None:
    """Skip the test where no PostgreSQL is installed; in .ci/run that is a failure."""
    if programs() is not None:
        return
    reason = "no PostgreSQL on this machine (Debian: apt install postgresql)"
    if os.environ.get("REQUIRE_POSTGRES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
