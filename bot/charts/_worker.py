"""The process that draws charts: `python -m bot.charts._worker`.

Reads charts from standard input and answers on standard output until its input ends. It holds no
secret, and is killed by its parent when it is too slow, or when it has nothing to do.
"""

import gc
import sys
import warnings
from collections.abc import Callable
from typing import Final

from bot.charts import _wire
from bot.charts._types import Chart
from bot.workers import answers, confine, grant_cpu, pack_frame, read_frame

_MEMORY_BYTES: Final = 2 * 1024 * 1024 * 1024
_FILE_BYTES: Final = 64 * 1024 * 1024
"""The list of fonts is the only file that is written."""


def main() -> None:
    """Draw charts until standard input ends."""
    confine(memory_bytes=_MEMORY_BYTES, file_bytes=_FILE_BYTES)
    replies = answers()
    # Letters that no font has are drawn as boxes, which is all that can be done about them.
    warnings.simplefilter("ignore")
    png = _load()
    replies.write(pack_frame({}, 0))
    replies.flush()
    while (frame := read_frame(sys.stdin.buffer, max_payload=_wire.MAX_CHART)) is not None:
        header, payload = frame
        grant_cpu(_wire.cpu_of(header))
        answer, picture = _wire.NO_FAULT, b""
        try:
            picture = png(_wire.chart_from(payload))
        except Exception as error:  # noqa: BLE001 - one chart must not end what draws the next
            answer = _wire.fault(error)
        replies.write(pack_frame(answer, len(picture)))
        replies.write(picture)
        replies.flush()


def _load() -> Callable[[Chart], bytes]:
    """Load the library, which is most of what the first chart takes: about a sixth is saved."""
    # It goes on without its third dimension where that can't be imported, as None says here.
    sys.modules["mpl_toolkits.mplot3d"] = None  # type: ignore[assignment]
    gc.disable()
    from bot.charts._figure import png

    gc.enable()
    return png


if __name__ == "__main__":
    main()
