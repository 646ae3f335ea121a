"""The process that decodes hostile pictures: `python -m bot.images._worker`.

Reads orders from standard input and answers on standard output until its input ends. It confines
itself before the first picture, holds no secret, and is killed by its parent when it is too slow.
"""

import sys
from typing import Final

from bot.images._types import Reason, UnusablePicture
from bot.images._wire import Reply, pack_reply, read_order
from bot.workers import answers, confine, forbid_files, grant_cpu

_MEMORY_BYTES: Final = 2 * 1024 * 1024 * 1024
"""Address space: room for the largest picture allowed, decoded, turned and encoded."""


def main() -> None:
    """Serve orders until standard input ends."""
    confine(memory_bytes=_MEMORY_BYTES, file_bytes=0)
    replies = answers()

    from bot.images import _encode, _orders  # after the limits: they load the decoders

    _encode.warm_up()
    forbid_files()
    replies.write(pack_reply(Reply(), 0))
    replies.flush()
    while (received := read_order(sys.stdin.buffer)) is not None:
        order, data = received
        grant_cpu(order.cpu_s)
        payload = b""
        try:
            reply, payload = _orders.carry_out(order, data)
        except UnusablePicture as error:
            reply = Reply(refused=error.reason)
        except (MemoryError, RecursionError):
            reply = Reply(refused=Reason.TOO_COSTLY)
        replies.write(pack_reply(reply, len(payload)))
        replies.write(payload)
        replies.flush()


if __name__ == "__main__":
    main()
