"""Where a worker answers."""

import os
from typing import BinaryIO


def answers() -> BinaryIO:
    """Take standard output for the answers: what a library prints must not get between them."""
    stream = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return stream
