"""Multipart bodies (RFC 7578) that are streamed, with their exact length known beforehand.

Files are checked before anything is sent, read in pieces off the event loop, and never joined.
`MultipartBody.complete` tells afterwards whether the last byte had been handed over: a request
whose body was not complete cannot have begun.
"""

import asyncio
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import BinaryIO, Final

from bot.imagerouter.errors import Refusal, RefusedRequest
from bot.imagerouter.models import MAX_FILE_BYTES, MAX_IMAGES, Upload

_PIECE_BYTES: Final = 1024 * 1024
"""A piece costs a turn of a thread; a larger one would hold up the event loop when it is sent."""
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]{1,60}")
_FIELD_UNSAFE = re.compile(r'[^\w.() -]|["\\]', re.ASCII)
_FILENAME_CHARS: Final = 100


class UploadChanged(OSError):
    """A file has another size than when its length was announced."""


class MultipartBody:
    """The form of one edit; `stream()` gives its bytes, again for each try."""

    def __init__(
        self, fields: Sequence[tuple[str, str]], files: Sequence[tuple[str, Upload, int]]
    ) -> None:
        self.boundary = "easel-" + secrets.token_hex(16)
        self._fields = b"".join(self._field(name, value) for name, value in fields)
        self._files = [
            (self._file_head(name, upload), upload, size) for name, upload, size in files
        ]
        self._end = f"--{self.boundary}--\r\n".encode()
        self.length = (
            len(self._fields)
            + sum(len(head) + size + 2 for head, _, size in self._files)
            + len(self._end)
        )
        self._file: BinaryIO | None = None
        self._closed = False
        self.complete = False
        self.unreadable = False
        """A file changed its size, or could not be read, while it was sent."""

    @property
    def content_type(self) -> str:
        """The header that goes with the body."""
        return f"multipart/form-data; boundary={self.boundary}"

    async def stream(self) -> AsyncIterator[bytes]:
        """Give the body in pieces.

        Raises:
            OSError: a file is gone, or has another size than was announced.
        """
        self.complete = self._closed = False
        yield self._fields
        for head, upload, size in self._files:
            yield head
            try:
                async with aclosing(self._exactly(size, upload)) as pieces:
                    async for piece in pieces:
                        yield piece
            except OSError:
                self.unreadable = True
                raise
            yield b"\r\n"
        # Said before it is done: once the last piece is handed over, the server may begin.
        self.complete = True
        yield self._end

    def close(self) -> None:
        """Close the file that a broken-off `stream()` may have left open, and open no other."""
        self._closed = True
        self._close_file()

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    async def _exactly(self, size: int, upload: Upload) -> AsyncGenerator[bytes, None]:
        sent = 0
        async with aclosing(self._pieces(upload)) as pieces:
            async for piece in pieces:
                sent += len(piece)
                if sent > size:
                    break
                yield piece
        if sent != size:
            raise UploadChanged(f"{sent} bytes instead of {size}")

    async def _pieces(self, upload: Upload) -> AsyncGenerator[bytes, None]:
        data = upload.data
        if isinstance(data, bytes):
            view = memoryview(data)
            for start in range(0, len(view), _PIECE_BYTES):
                yield bytes(view[start : start + _PIECE_BYTES])
        elif isinstance(data, Path):
            if self._closed:
                raise UploadChanged("the request is over")
            # Opened without waiting: a wait that is cancelled would lose the open file.
            self._file = file = data.open("rb")
            piece = await asyncio.to_thread(file.read, _PIECE_BYTES)
            while piece:
                yield piece
                # A short piece is the last: to be told so again would cost another turn.
                if len(piece) < _PIECE_BYTES:
                    break
                piece = await asyncio.to_thread(file.read, _PIECE_BYTES)
            self._close_file()
        else:
            async for piece in data():
                yield piece

    def _field(self, name: str, value: str) -> bytes:
        head = f'--{self.boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        return head.encode() + value.encode() + b"\r\n"

    def _file_head(self, name: str, upload: Upload) -> bytes:
        filename = _FIELD_UNSAFE.sub("_", upload.filename)[-_FILENAME_CHARS:] or "image"
        media_type = upload.media_type.lower()
        if not _MEDIA_TYPE.fullmatch(media_type):
            media_type = "application/octet-stream"
        return (
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="{name}"; '
            f'filename="{filename}"\r\nContent-Type: {media_type}\r\n\r\n'
        ).encode()


async def check_files(
    images: Sequence[Upload], mask: Upload | None
) -> list[tuple[str, Upload, int]]:
    """Measure the files of an edit and name their fields.

    Raises:
        RefusedRequest: more than 16 images, or a file that is empty, too large or unreadable.
    """
    if len(images) > MAX_IMAGES:
        raise RefusedRequest(Refusal.TOO_MANY_IMAGES, detail=f"{len(images)} images", param="image")
    named = [("image[]", upload) for upload in images]
    if mask is not None:
        named.append(("mask[]", mask))
    return await asyncio.to_thread(_measured, named)


def _measured(named: Sequence[tuple[str, Upload]]) -> list[tuple[str, Upload, int]]:
    return [(name, upload, _size(upload, name.rstrip("[]"))) for name, upload in named]


def _size(upload: Upload, param: str) -> int:
    data = upload.data
    if isinstance(data, bytes):
        size = len(data)
    elif isinstance(data, Path):
        try:
            size = data.stat().st_size
        except OSError:
            raise RefusedRequest(Refusal.FILE_UNREADABLE, param=param) from None
    elif upload.size is not None:
        size = upload.size
    else:
        raise TypeError("an Upload from a stream needs its size")
    if size <= 0:
        raise RefusedRequest(Refusal.FILE_UNREADABLE, detail="an empty file", param=param)
    if size > MAX_FILE_BYTES:
        raise RefusedRequest(Refusal.FILE_TOO_LARGE, detail=f"{size} bytes", param=param)
    return size
