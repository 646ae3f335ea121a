"""Which pictures a message shows, from what the gateway sends of it."""

from typing import Any

import discord
import pytest
from discord.state import ConnectionState

from bot.requests import Source
from cogs.ui.pictures import MOST_NAME, MOST_SHOWN, discord_hosts, pictures_in, place_of

CDN = "https://cdn.discordapp.com"
MEDIA = "https://media.discordapp.net"
SEA = "https://pictures.example/deep/sea.png"
SEA_PROXY = "https://images-ext-1.discordapp.net/external/abc/https/pictures.example/deep/sea.png"
CHANNEL, MESSAGE = 500, 700
SIGNED = "?ex=1&is=0&hm=f00&"


def attachment(number: int = 1, name: str = "cat.png", **more: Any) -> dict[str, Any]:
    path = f"attachments/{CHANNEL}/{number}/{name}{SIGNED}"
    return {
        "id": str(number),
        "filename": name,
        "size": 1_234,
        "url": f"{CDN}/{path}",
        "proxy_url": f"{MEDIA}/{path}",
        "content_type": "image/png",
    } | more


def medium(url: str, proxy_url: str | None = None, **more: Any) -> dict[str, Any]:
    return {"url": url, "proxy_url": proxy_url or url, "content_type": "image/png"} | more


@pytest.fixture
def state() -> ConnectionState[Any]:
    return discord.Client(intents=discord.Intents.none())._connection


@pytest.fixture
def shown(state: ConnectionState[Any]) -> Any:
    """Build a message as the gateway sends it, and look for its pictures."""

    def look(**parts: Any) -> list[Source]:
        payload = _payload(id=str(MESSAGE), channel_id=str(CHANNEL), **parts)
        channel = discord.PartialMessageable(state, CHANNEL)
        message = discord.Message(state=state, channel=channel, data=payload)  # type: ignore[arg-type]  # a dict of Any
        return pictures_in(message)

    return look


def _payload(**parts: Any) -> dict[str, Any]:
    return {
        "type": 0,
        "content": "",
        "attachments": [],
        "embeds": [],
        "components": [],
        "sticker_items": [],
        "author": {"id": "9", "username": "theo", "discriminator": "0", "avatar": None},
        "timestamp": "2026-07-30T12:00:00+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "pinned": False,
        "flags": 0,
    } | parts


def names(sources: list[Source]) -> list[str]:
    return [source.filename for source in sources]


def test_an_attachment_is_known_with_its_place_and_size(shown: Any) -> None:
    url = f"{CDN}/attachments/{CHANNEL}/1/cat.png{SIGNED}"
    expected = Source(url, "cat.png", size=1_234, channel_id=CHANNEL, message_id=MESSAGE)
    assert shown(attachments=[attachment()]) == [expected]


@pytest.mark.parametrize(
    ("name", "content_type", "taken"),
    [
        ("cat.png", "image/png", True),
        ("cat", "image/webp", True),
        ("photo.HEIC", None, True),
        ("photo.heic", "application/octet-stream", True),
        ("page.svg", "image/svg+xml", True),
        ("film.mp4", "video/mp4", False),
        ("notes.txt", "text/plain; charset=utf-8", False),
        ("png", None, False),
        ("archive.png.zip", None, False),
        ("", None, False),
    ],
)
def test_attachments_are_taken_by_type_or_extension(
    shown: Any, name: str, content_type: str | None, taken: bool
) -> None:
    found = shown(attachments=[attachment(name=name, content_type=content_type)])
    assert bool(found) is taken


def test_everything_that_shows_a_picture_is_found_in_reading_order(shown: Any) -> None:
    gallery = {"type": 12, "items": [{"media": medium(f"{CDN}/attachments/5/2/two.png{SIGNED}")}]}
    section = {
        "type": 9,
        "components": [{"type": 10, "content": "words"}],
        "accessory": {"type": 11, "media": medium(f"{CDN}/attachments/5/3/three.png{SIGNED}")},
    }
    file = {
        "type": 13,
        "file": medium(f"{CDN}/attachments/5/4/four.png{SIGNED}"),
        "name": "four.png",
        "size": 44,
    }
    box = {"type": 17, "components": [section, file], "accent_color": None, "spoiler": False}
    found = shown(
        attachments=[attachment()],
        components=[gallery, box],
        embeds=[
            {"type": "rich", "image": medium(SEA, SEA_PROXY)},
            {"type": "image", "thumbnail": medium(f"{SEA}2", f"{SEA_PROXY}2")},
        ],
        sticker_items=[{"id": "77", "name": "Boat", "format_type": 2}],
    )
    assert names(found) == [
        "cat.png",
        "two.png",
        "three.png",
        "four.png",
        "sea.png",
        "sea.png2",
        "Boat.png",
    ]
    assert [source.size for source in found] == [1_234, 0, 0, 44, 0, 0, 0]
    assert {(source.channel_id, source.message_id) for source in found} == {(CHANNEL, MESSAGE)}


def test_pictures_of_the_web_are_read_from_discords_proxy_and_never_from_there(shown: Any) -> None:
    gallery = {"type": 12, "items": [{"media": medium(SEA, SEA_PROXY)}]}
    assert [s.url for s in shown(components=[gallery])] == [SEA_PROXY]
    assert [s.url for s in shown(embeds=[{"image": medium(SEA, SEA_PROXY)}])] == [SEA_PROXY]
    evil = "https://images-ext-1.discordapp.net.evil.example/sea.png"
    for url in (SEA, evil, "http://cdn.discordapp.com/attachments/1/2/x.png", "::", "x" * 5_000):
        assert shown(embeds=[{"image": medium(url, url)}]) == []
        assert shown(components=[{"type": 12, "items": [{"media": medium(url, url)}]}]) == []
    assert shown(embeds=[{"image": {"url": SEA}}, {"thumbnail": {}}]) == []


def test_a_picture_that_is_shown_twice_counts_once(shown: Any) -> None:
    one = attachment()
    gallery = {"type": 12, "items": [{"media": medium(one["url"], one["proxy_url"])}] * 2}
    embed = {"image": medium(f"{CDN}/attachments/{CHANNEL}/1/cat.png?ex=2", one["proxy_url"])}
    found = shown(attachments=[one], components=[gallery], embeds=[embed, embed])
    assert names(found) == ["cat.png"]
    assert found[0].size == 1_234


def test_the_same_name_twice_is_two_pictures(shown: Any) -> None:
    assert len(shown(attachments=[attachment(1), attachment(2)])) == 2


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        (1, f"{CDN}/stickers/77.png"),
        (2, f"{CDN}/stickers/77.png"),
        (3, None),
        (4, f"{MEDIA}/stickers/77.gif"),
        (9, None),
    ],
)
def test_a_sticker_has_a_still_unless_clients_draw_it(
    shown: Any, kind: int, url: str | None
) -> None:
    found = shown(sticker_items=[{"id": "77", "name": "Boat", "format_type": kind}])
    assert [source.url for source in found] == ([url] if url else [])


def test_a_film_in_a_gallery_or_a_text_file_is_none(shown: Any) -> None:
    film = medium(f"{CDN}/attachments/5/2/film.mp4", content_type="video/mp4")
    text = medium(f"{CDN}/attachments/5/3/notes.txt", content_type="text/plain")
    components = [
        {"type": 12, "items": [{"media": film}]},
        {"type": 13, "file": text, "name": "notes.txt", "size": 3},
        {"type": 9, "components": [], "accessory": {"type": 2, "style": 5, "url": SEA}},
        {"type": 99},
    ]
    assert shown(components=components) == []


def test_what_a_forwarded_message_shows_is_found_by_the_forwarding_one(shown: Any) -> None:
    inside = _payload(
        attachments=[attachment(8, "far.png")],
        embeds=[{"image": medium(SEA, SEA_PROXY)}],
        sticker_items=[{"id": "77", "name": "Boat", "format_type": 1}],
        components=[
            {"type": 12, "items": [{"media": medium(f"{CDN}/attachments/5/2/two.png{SIGNED}")}]}
        ],
    )
    found = shown(message_snapshots=[{"message": inside}])
    assert names(found) == ["far.png", "two.png", "sea.png", "Boat.png"]
    assert {source.message_id for source in found} == {MESSAGE}


def test_names_are_bounded_and_visible(shown: Any) -> None:
    name = "a\u202eb\n" + "x" * 300 + ".png"
    (found,) = shown(attachments=[attachment(name=name)])
    assert len(found.filename) == MOST_NAME
    assert found.filename.startswith("abxxx")
    assert found.filename.endswith("x.png")
    (found,) = shown(attachments=[attachment(name="\u200b\n")])
    assert found.filename == "picture"


def test_no_message_has_more_than_a_menu_can_offer(shown: Any) -> None:
    assert len(shown(attachments=[attachment(number) for number in range(40)])) == MOST_SHOWN


def test_an_empty_message_has_none(shown: Any) -> None:
    assert shown() == []


def test_a_place_survives_another_host_and_another_signature() -> None:
    one = Source(f"{CDN}/attachments/5/6/cat.png?ex=1", "cat.png")
    other = Source(f"{MEDIA}/attachments/5/6/cat.png?ex=2&width=3", "cat.png")
    assert place_of(one) == place_of(other)
    assert discord_hosts() is discord_hosts()
