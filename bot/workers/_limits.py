"""What a worker process may use of the machine, where the operating system lets it say so.

Windows has no such limits; there the parent's timeout, and what the worker checks, stand alone.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_FILES_FOR_FONTS: Final = 256

if sys.platform != "win32":
    import resource

    def confine(*, memory_bytes: int, file_bytes: int) -> None:
        """Cap the address space and each file that is written, and forbid core dumps.

        When the machine's memory runs out, this process is the first to go.
        """
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")
        _lower(resource.RLIMIT_AS, memory_bytes)
        _lower(resource.RLIMIT_CORE, 0)
        _lower(resource.RLIMIT_FSIZE, file_bytes)

    def grant_cpu(seconds: int) -> None:
        """Let the process use `seconds` more of processor time; then the system ends it."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        soft = int(used.ru_utime + used.ru_stime) + 1 + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))

    def forbid_files() -> None:
        """Let no file be opened from now on: no picture has any business with one."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        # The lowest free descriptor is the one that the next open() would get.
        probe = os.dup(0)
        os.close(probe)
        resource.setrlimit(resource.RLIMIT_NOFILE, (probe, hard))

    @contextlib.contextmanager
    def files_allowed() -> Iterator[None]:
        """Lift `forbid_files` for a while: the system's fonts are files."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _FILES_FOR_FONTS if hard < 0 else min(_FILES_FOR_FONTS, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    def _lower(kind: int, value: int) -> None:
        # macOS refuses some limits, and a container may have set lower ones already.
        with contextlib.suppress(OSError, ValueError):
            _, hard = resource.getrlimit(kind)
            lowest = value if hard < 0 else min(value, hard)
            resource.setrlimit(kind, (lowest, lowest))

else:

    def confine(*, memory_bytes: int, file_bytes: int) -> None:
        """Do nothing: Windows has no such limits."""

    def grant_cpu(seconds: int) -> None:
        """Do nothing: Windows has no such limits."""

    def forbid_files() -> None:
        """Do nothing: Windows has no such limits."""

    @contextlib.contextmanager
    def files_allowed() -> Iterator[None]:
        """Do nothing: Windows has no such limits."""
        yield
