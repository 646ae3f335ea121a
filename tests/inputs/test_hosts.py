"""Pictures are read from Discord's hosts only, whatever an address looks like."""

import asyncio
import socket
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bot.downloads import Hosts
from bot.errors import InputUnreachable, UnusableInput
from bot.inputs import DISCORD_HOSTS, InputLimits
from bot.requests import Source
from sandbox.imagerouter.wire import raw_servers
from tests.inputs.desk import Desk, edit, open_desk, png

ANY_FILE = "GET /cdn/attachments/*/*/*"

ELSEWHERE = [
    "https://example.com/a.png",
    "http://cdn.discordapp.com/a.png",
    "https://cdn.discordapp.com:8443/a.png",
    "https://cdn.discordapp.com@evil.example/a.png",
    "https://evil@cdn.discordapp.com/a.png",
    "https://:secret@cdn.discordapp.com/a.png",
    "https://cdn.discordapp.com.evil.example/a.png",
    "https://evil.example/cdn.discordapp.com/a.png",
    "https://evil.example#@cdn.discordapp.com/a.png",
    "https://evil.example\\@cdn.discordapp.com/a.png",
    "https://xcdn.discordapp.com/a.png",
    "https://cdn.discordapp.com./a.png",
    "https://discordapp.com/a.png",
    "https://images-ext-.discordapp.net/a.png",
    "https://images-ext-1.evil.discordapp.net/a.png",
    "https://images-ext-1.discordapp.net.evil.example/a.png",
    "https://images-ext-1/.discordapp.net/a.png",
    "file:///etc/passwd",
    "file://cdn.discordapp.com/etc/passwd",
    "ftp://cdn.discordapp.com/a.png",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "//cdn.discordapp.com/a.png",
    "/etc/passwd",
    "cdn.discordapp.com/a.png",
    "https://127.0.0.1/a.png",
    "http://127.0.0.1/a.png",
    "http://localhost/cdn/a.png",
    "http://[::1]/cdn/a.png",
    "https://[broken/a.png",
    "https://",
]


class Names(AbstractResolver):
    """Answers every name with one address."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        return [
            ResolveResult(
                hostname=host,
                host=self.address,
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("url", ELSEWHERE)
async def test_an_address_that_is_not_discords_is_never_contacted(tmp_path: Path, url: str) -> None:
    names = Names("127.0.0.1")
    async with open_desk(tmp_path, resolver=names) as desk:
        good = desk.give("good.png", png())
        with pytest.raises(UnusableInput) as caught:
            await desk.inputs.gather(edit(good, Source(url=url, filename="bad.png")))
        assert (caught.value.filename, caught.value.reason) == ("bad.png", "elsewhere")
        assert (names.asked, desk.discord.fetched, desk.renewed) == ([], [], [])
        assert desk.gone()


async def test_other_paths_and_ports_of_the_local_discord_are_elsewhere(desk: Desk) -> None:
    base = URL(desk.discord.cdn_url)
    other_port = base.with_port((base.port or 0) + 1)
    for url in (
        base.with_path("/api/v10/gateway"),
        base.with_path("/cdnx/a.png"),
        f"{base}/../api/v10/gateway",
        f"{base}/%2e%2e/api/v10/gateway",
        other_port / "attachments/1/2/a.png",
    ):
        with pytest.raises(UnusableInput) as caught:
            await desk.inputs.gather(edit(Source(url=str(url), filename="bad.png")))
        assert caught.value.reason == "elsewhere"
    assert desk.discord.requests == []


@pytest.mark.parametrize(
    "target",
    [
        "https://example.com/a.png",
        "http://127.0.0.1/a.png",
        "file:///etc/passwd",
        "https://cdn.discordapp.com@evil.example/",
        "/api/v10/gateway",
    ],
)
async def test_a_redirect_that_leads_elsewhere_is_not_followed(tmp_path: Path, target: str) -> None:
    names = Names("127.0.0.1")
    async with open_desk(tmp_path, resolver=names) as desk:
        desk.discord.faults.redirect(ANY_FILE, target)
        with pytest.raises(UnusableInput) as caught:
            await desk.inputs.gather(edit(desk.give("a.png", png())))
        assert caught.value.reason == "elsewhere"
        assert names.asked == []
        assert desk.discord.requests == []
        assert desk.gone()


async def test_a_redirect_within_discords_hosts_is_followed(desk: Desk) -> None:
    data = png()
    target = desk.give("b.png", data).url
    desk.discord.faults.redirect(ANY_FILE, target)
    basket = await desk.inputs.gather(edit(desk.give("a.png", png(8, 8))))
    assert desk.inputs.bytes_kept == len(data)
    await basket.close()


async def test_a_renewed_link_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    async def misled(source: Source) -> Source | None:
        return Source(url="https://example.com/a.png", filename=source.filename)

    async with open_desk(tmp_path, renew=misled) as desk:
        desk.discord.faults.status(ANY_FILE, 404)
        with pytest.raises(UnusableInput) as caught:
            await desk.inputs.gather(edit(desk.give("a.png", png())))
        assert caught.value.reason == "elsewhere"


async def test_discords_own_name_that_points_inside_is_refused(tmp_path: Path) -> None:
    # A poisoned name service: without a local Discord, loopback is as private as any address.
    names = Names("10.0.0.1")
    async with open_desk(tmp_path, resolver=names) as desk:
        with pytest.raises(UnusableInput) as caught:
            await desk.inputs.gather(
                edit(Source(url="https://cdn.discordapp.com/a.png", filename="a.png"))
            )
        assert caught.value.reason == "elsewhere"
        assert names.asked == ["cdn.discordapp.com"]


async def test_every_host_of_discord_may_be_asked(tmp_path: Path) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    hosts = Hosts(*DISCORD_HOSTS)
    for url in (
        "https://cdn.discordapp.com/attachments/1/2/a.png?ex=1&is=2&hm=3&",
        "https://CDN.discordapp.com:443/a.png",
        "https://media.discordapp.net/stickers/1.png?size=320",
        "https://images-ext-1.discordapp.net/external/x/https/example.com/a.png",
        "https://images-ext-22.discordapp.net/external/x/https/example.com/a.png",
    ):
        assert hosts.allow(URL(url))
    assert not hosts.allow(URL("https://evil@cdn.discordapp.com/a.png"))
    # And a foreign base may only be https.
    with pytest.raises(ValueError, match="https"):
        Hosts("http://example.com")
    assert Hosts("https://cdn.example/files").allow(URL("https://cdn.example/files/a.png"))
    assert not Hosts("https://cdn.example/files").allow(URL("https://cdn.example/filesystem"))
    # A server that hangs up without a word is no reason to give up at once.
    async with raw_servers() as start:
        url = await start(hang_up)
        async with open_desk(tmp_path, hosts=(url,), limits=InputLimits(patience=(0,))) as desk:
            with pytest.raises(InputUnreachable):
                await desk.inputs.gather(edit(Source(url=f"{url}/a.png", filename="a.png")))
            assert desk.gone()
