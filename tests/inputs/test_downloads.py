"""Files are fetched in pieces, whole or not at all."""

import asyncio
import gzip
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.aside import aside
from bot.downloads import (
    Downloads,
    FetchError,
    FetchRefused,
    FetchStatus,
    FetchTooLarge,
    FetchUnkept,
    Hosts,
)
from sandbox.imagerouter.wire import RawServer, Talk, raw_servers
from tests.inputs.desk import names_in


@pytest.fixture
async def raw_server() -> AsyncIterator[RawServer]:
    async with raw_servers() as start:
        yield start


@pytest.fixture
async def downloads() -> AsyncIterator[Downloads]:
    async with Downloads(allow_loopback=True, idle_s=5) as opened:
        yield opened


def answer(body: bytes, *headers: bytes, length: int | None = None) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        lines = b"".join(header + b"\r\n" for header in headers)
        size = len(body) if length is None else length
        writer.write(b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n" % (lines, size))
        writer.write(body)

    return talk


async def test_a_file_has_every_byte_and_each_was_counted(
    raw_server: RawServer, downloads: Downloads, tmp_path: Path
) -> None:
    body = bytes(range(256)) * 8192
    counted: list[int] = []
    url = await raw_server(answer(body))
    path = tmp_path / "file"
    size = await downloads.fetch_to(
        f"{url}/a", path, max_bytes=len(body), hosts=Hosts(url), count=counted.append
    )
    assert size == sum(counted) == len(body)
    assert path.read_bytes() == body


async def test_an_empty_file_is_a_file(
    raw_server: RawServer, downloads: Downloads, tmp_path: Path
) -> None:
    url = await raw_server(answer(b""))
    assert await downloads.fetch_to(f"{url}/a", tmp_path / "a", max_bytes=9, hosts=Hosts(url)) == 0
    assert (tmp_path / "a").read_bytes() == b""


async def test_one_byte_too_many_leaves_no_file(
    raw_server: RawServer, downloads: Downloads, tmp_path: Path
) -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(bytes(100_000))
            await writer.drain()

    for talk in (answer(bytes(1001)), endless):
        url = await raw_server(talk)
        with pytest.raises(FetchTooLarge) as caught:
            await downloads.fetch_to(f"{url}/a", tmp_path / "a", max_bytes=1000, hosts=Hosts(url))
        assert caught.value.limit == 1000
        assert names_in(tmp_path) == []


async def test_a_file_that_breaks_off_is_no_file(
    raw_server: RawServer, downloads: Downloads, tmp_path: Path
) -> None:
    url = await raw_server(answer(bytes(400_000), length=500_000))
    with pytest.raises(FetchError):
        await downloads.fetch_to(f"{url}/a", tmp_path / "a", max_bytes=10**6, hosts=Hosts(url))
    assert names_in(tmp_path) == []


async def test_who_counts_may_stop_it(
    raw_server: RawServer, downloads: Downloads, tmp_path: Path
) -> None:
    class Enough(Exception):
        pass

    def stop(size: int) -> None:
        raise Enough

    url = await raw_server(answer(bytes(1000)))
    with pytest.raises(Enough):
        await downloads.fetch_to(
            f"{url}/a", tmp_path / "a", max_bytes=1000, hosts=Hosts(url), count=stop
        )
    assert names_in(tmp_path) == []


async def test_a_compressed_body_does_not_unfold_on_disk(
    raw_server: RawServer, downloads: Downloads, tmp_path: Path
) -> None:
    bomb = gzip.compress(bytes(10_000_000))
    url = await raw_server(answer(bomb, b"Content-Encoding: gzip"))
    path = tmp_path / "a"
    assert await downloads.fetch_to(f"{url}/a", path, max_bytes=50_000, hosts=Hosts(url)) < 50_000
    assert path.read_bytes() == bomb


async def test_a_file_that_is_there_already_is_not_overwritten(
    raw_server: RawServer, downloads: Downloads, tmp_path: Path
) -> None:
    url = await raw_server(answer(b"new"))
    (tmp_path / "a").write_bytes(b"old")
    for path in (tmp_path / "a", tmp_path / "no such folder" / "a"):
        with pytest.raises(FetchUnkept):
            await downloads.fetch_to(f"{url}/a", path, max_bytes=9, hosts=Hosts(url))
    assert (tmp_path / "a").read_bytes() == b"old"


async def test_what_the_host_answers_instead_is_told(
    raw_server: RawServer, downloads: Downloads, tmp_path: Path
) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n")

    url = await raw_server(refuse)
    with pytest.raises(FetchStatus) as caught:
        await downloads.fetch_to(f"{url}/a", tmp_path / "a", max_bytes=9, hosts=Hosts(url))
    assert caught.value.status == 410
    assert str(url) not in str(caught.value)


async def test_without_leave_this_machine_is_as_private_as_any(
    raw_server: RawServer, tmp_path: Path
) -> None:
    url = await raw_server(answer(b"secret"))
    async with Downloads() as downloads:
        for address in (url, url.replace("http:", "https:")):
            with pytest.raises(FetchRefused):
                await downloads.fetch_to(
                    f"{address}/a", tmp_path / "a", max_bytes=9, hosts=Hosts(url)
                )


async def test_a_fetch_cancelled_in_the_middle_leaves_no_file(
    raw_server: RawServer, downloads: Downloads, tmp_path: Path
) -> None:
    path = tmp_path / "a"
    writing = asyncio.Event()

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writing.is_set():
            writer.write(bytes(100_000))
            await writer.drain()
        await reader.read()

    def count(size: int) -> None:
        if path.exists():
            writing.set()

    url = await raw_server(endless)
    fetching = asyncio.create_task(
        downloads.fetch_to(f"{url}/a", path, max_bytes=10**9, hosts=Hosts(url), count=count)
    )
    await asyncio.wait_for(writing.wait(), 10)
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert names_in(tmp_path) == []


async def test_who_is_cancelled_is_let_go_once_the_thread_is_done() -> None:
    begun, may_end = threading.Event(), threading.Event()
    ended: list[bool] = []

    def work() -> None:
        begun.set()
        may_end.wait(10)
        ended.append(True)

    waiting = asyncio.create_task(aside(work))
    await asyncio.to_thread(begun.wait, 10)
    for _ in range(2):  # an impatient one
        waiting.cancel()
        await asyncio.sleep(0)
    assert not waiting.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended == [True]
