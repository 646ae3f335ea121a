"""Bytes as files that discord.py sends, without a copy of them on the event loop."""

import io

import discord


class _Shared(io.BytesIO):
    """Bytes to read, which measuring does not copy.

    aiohttp asks for the buffer to learn its size, and `BytesIO` takes a copy first, in case it is
    written to: milliseconds for a large picture.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._data = data

    def getbuffer(self) -> memoryview:
        """Show the bytes as they are."""
        return memoryview(self._data)

    def close(self) -> None:
        """Let go of the bytes."""
        self._data = b""
        super().close()


class _Attachment(discord.File):
    """A file that is gone once it is sent.

    discord.py leaves it in a circle with its own `close`, so that each picture would stay in memory
    until garbage is looked for, and all of them would be freed at once, on the event loop.
    """

    def close(self) -> None:
        """Let go of the bytes; discord.py calls it when the message is sent, or given up."""
        super().close()
        vars(self.fp).pop("close", None)
        self.fp.close()


def attachment(data: bytes, name: str, *, description: str | None = None) -> discord.File:
    """Return a file of a message; `description` is for those who can't see it."""
    return _Attachment(_Shared(data), filename=name, description=description)
