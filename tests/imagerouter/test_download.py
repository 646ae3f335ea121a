"""Finished pictures come from anywhere; nothing else may be reached that way."""

import asyncio
import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.downloads._addresses import is_public
from bot.imagerouter import (
    DownloadError,
    DownloadRefused,
    DownloadTooLarge,
    ImageRouter,
    ImageRouterError,
)
from sandbox.imagerouter import ImageRouterServer
from sandbox.imagerouter.wire import RawServer

PRIVATE = [
    "127.0.0.1",
    "127.8.9.1",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe",
    "::7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::1",
    "2002:c0a8:101::1",
    "2001:0:7f00:1::1",
    "not an address",
    "",
]
PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


class Names(AbstractResolver):
    """Answers each name with the next of its addresses."""

    def __init__(self, **addresses: list[str]) -> None:
        self.addresses = addresses
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        known = self.addresses[host.partition(".")[0]]
        address = known.pop(0) if len(known) > 1 else known[0]
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=kind,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Nothing is open."""


def http(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status, lines, len(body), body)


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_of_ones_own_network_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x.png",
        "https://localhost/x.png",
        "https://[::1]/x.png",
        "https://[::ffff:127.0.0.1]/x.png",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "http://93.184.216.34/x.png",
        "http://127.0.0.1/x.png",
        "ftp://example.com/x.png",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "//example.com/x.png",
        "/x.png",
        "",
        "https://",
        "https://user:password@93.184.216.34/",
        "https://[broken/",
        "https://a.example:99999/",
    ],
)
async def test_a_client_of_the_real_service_never_contacts_such_addresses(url: str) -> None:
    async with ImageRouter(api_key="k") as router:
        with pytest.raises(DownloadRefused) as caught:
            await router.download(url, max_bytes=1000)
    assert "127" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://127.1/", "https://2130706433/", "https://0x7f.0.0.1/"])
async def test_odd_spellings_of_an_address_are_resolved_like_names(url: str) -> None:
    names = Names(**{"127": ["127.0.0.1"], "2130706433": ["127.0.0.1"], "0x7f": ["127.0.0.1"]})
    async with ImageRouter(api_key="k", resolver=names) as router:
        with pytest.raises(DownloadRefused):
            await router.download(url, max_bytes=1000)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "::1", "::ffff:127.0.0.1"])
async def test_a_name_that_points_inside_is_refused(address: str) -> None:
    names = Names(cdn=[address])
    async with ImageRouter(api_key="k", resolver=names) as router:
        with pytest.raises(DownloadRefused):
            await router.download("https://cdn.example/x.png", max_bytes=1000)
    assert names.asked == ["cdn.example"]


async def test_a_name_that_changes_its_mind_is_judged_at_the_connection(
    raw_server: RawServer,
) -> None:
    # The base URL is loopback, so that loopback is allowed and the first answer leads to a server;
    # it redirects to a name that resolves to another private address.
    names = Names(cdn=["127.0.0.1"], rebound=["192.168.0.7"])

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(http(b"", b"Location: https://rebound.example/", status=b"302 Found"))

    url = await raw_server(talk)
    async with ImageRouter(api_key="k", base_url=url, resolver=names) as router:
        with pytest.raises(DownloadRefused):
            await router.download(url + "/x.png", max_bytes=1000)
    assert names.asked == ["rebound.example"]


@pytest.mark.parametrize(
    "target",
    ["https://10.0.0.1/", "http://93.184.216.34/", "file:///etc/passwd", "https://u:p@b.c/"],
)
async def test_each_redirect_is_judged_anew(raw_server: RawServer, target: str) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(http(b"", b"Location: " + target.encode(), status=b"301 Moved"))

    url = await raw_server(talk)
    async with ImageRouter(api_key="k", base_url=url) as router:
        with pytest.raises(DownloadRefused):
            await router.download(url, max_bytes=1000)


async def test_a_few_redirects_are_followed_and_no_more(raw_server: RawServer) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1]
        left = int(path.strip(b"/"))
        if left:
            writer.write(http(b"", b"Location: /%d" % (left - 1), status=b"302 Found"))
        else:
            writer.write(http(b"picture", b"Content-Type: IMAGE/PNG; x=y"))

    url = await raw_server(talk)
    async with ImageRouter(api_key="k", base_url=url) as router:
        fetched = await router.download(f"{url}/4", max_bytes=1000)
        assert (fetched.data, fetched.media_type) == (b"picture", "image/png")
        with pytest.raises(DownloadError, match="redirects"):
            await router.download(f"{url}/5", max_bytes=1000)


async def test_the_key_and_cookies_stay_at_home(raw_server: RawServer) -> None:
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(http(b"picture", b"Set-Cookie: a=b"))

    # By name: cookies of bare addresses would not be kept by any client.
    url = (await raw_server(talk)).replace("127.0.0.1", "localhost")
    async with ImageRouter(api_key="k3y" * 20, base_url=url) as router:
        await router.download(url, max_bytes=1000)
        await router.download(url, max_bytes=1000)
    text = b"".join(seen).lower()
    assert b"authorization" not in text
    assert b"cookie" not in text
    assert b"k3y" not in text


async def test_more_bytes_than_allowed_are_not_read(raw_server: RawServer) -> None:
    async def announced(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n")

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(bytes(500))
            await writer.drain()

    for talk in (announced, endless):
        url = await raw_server(talk)
        async with ImageRouter(api_key="k", base_url=url) as router:
            with pytest.raises(DownloadTooLarge) as caught:
                await router.download(url, max_bytes=1000)
        assert caught.value.limit == 1000


async def test_a_slow_server_is_given_up(raw_server: RawServer) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        await reader.read()

    url = await raw_server(talk)
    async with (
        asyncio.timeout(10),  # long before the silence would be given up
        ImageRouter(api_key="k", base_url=url, download_timeout_s=0.2) as router,
    ):
        with pytest.raises(DownloadError):
            await router.download(url, max_bytes=1000)


@pytest.mark.parametrize(
    "answer",
    [
        http(b"gone", status=b"404 Not Found"),
        http(b"", status=b"200 OK"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"nonsense\r\n\r\n",
        b"",
    ],
)
async def test_a_download_that_fails_says_so_and_names_no_address(
    raw_server: RawServer, answer: bytes
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)

    url = await raw_server(talk)
    async with ImageRouter(api_key="k", base_url=url) as router:
        with pytest.raises(ImageRouterError) as caught:
            await router.download(url + "/secret-name", max_bytes=1000)
    assert type(caught.value) is DownloadError
    assert "secret-name" not in str(caught.value)


async def test_a_local_imagerouter_serves_its_pictures(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    made = await router.generate(model="test/test", prompt="x")
    fetched = await router.download(made.pictures[0].url or "", max_bytes=10_000_000)
    assert fetched.data == server.answers[0].data
