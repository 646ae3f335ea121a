"""The process that decodes hostile pictures: `python -m bot.images._worker`.

Reads orders from standard input and answers on standard output until its input ends. It confines
itself before the first picture, holds no secret, and is killed by its parent when it is too slow.
"""

import os
import sys

from bot.images import _limits
from bot.images._types import Reason, UnusablePicture
from bot.images._wire import Reply, pack_reply, read_order


def main() -> None:
    """Serve orders until standard input ends."""
    _limits.confine()
    answers = os.fdopen(os.dup(1), "wb")
    # Whatever a library prints must not get between the frames.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)

    from bot.images import _encode, _orders  # after the limits: they load the decoders

    _encode.warm_up()
    _limits.forbid_files()
    answers.write(pack_reply(Reply(), 0))
    answers.flush()
    while (received := read_order(sys.stdin.buffer)) is not None:
        order, data = received
        _limits.grant_cpu(order.cpu_s)
        payload = b""
        try:
            reply, payload = _orders.carry_out(order, data)
        except UnusablePicture as error:
            reply = Reply(refused=error.reason)
        except (MemoryError, RecursionError):
            reply = Reply(refused=Reason.TOO_COSTLY)
        answers.write(pack_reply(reply, len(payload)))
        answers.write(payload)
        answers.flush()


if __name__ == "__main__":
    main()
