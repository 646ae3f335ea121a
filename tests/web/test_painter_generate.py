"""Generate from the painter's page: one job, as the link's member, under the quotas of now."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from PIL import Image

from bot.painting import LinkRefused, Painted, Painting
from bot.quotas import Window
from bot.requests import NO_GUILD, Actor, ImageRequest, Source
from bot.storage import MaskStore, Option, PaintLinks, Who
from bot.web import PainterPages, serve
from cogs.ui.presence import DiscordPresence
from sandbox.books import Books
from sandbox.discord import UploadedFile
from sandbox.discord.permissions import Permission
from sandbox.house import House
from tests.web.paint import (
    MODEL,
    SIZE,
    Link,
    editness,
    invited,
    origin,
    painted,
    photo,
    result,
    stage,
)

BOX = (40, 30, 120, 90)
PRICE = 30_000

OpenHouse = Callable[..., Awaitable[House]]


async def test_imagerouter_gets_the_picture_and_the_painted_region(
    house: House, books: Books
) -> None:
    link = await invited(house)
    answer = await link.generate(painted(BOX), prompt="a green boat")
    assert answer.status == 202
    message = await result(house)

    [request] = house.imagerouter.requests
    assert request.endpoint == "edits"
    assert request.fields["prompt"] == "a green boat"
    assert request.fields["model"] == MODEL
    assert [image.data for image in request.images] == [photo()]
    assert request.mask is not None
    shape = editness(request.mask.data)
    assert shape.size == SIZE
    assert shape.getbbox() == BOX
    assert shape.crop(BOX).getextrema() == (255, 255)
    assert [charge["actual"] for charge in books.charges()] == [PRICE]
    told = await stage(link, "done")
    guild, channel = house.guild(), house.channel("general")
    assert told["link"] == f"https://discord.com/channels/{guild.id}/{channel.id}/{message.id}"
    [job] = books.rows("SELECT user_id, guild_id, channel_id, idem FROM job")
    assert job["user_id"] == house.person("mira").user.id
    assert (job["guild_id"], job["channel_id"]) == (guild.id, channel.id)


async def test_a_used_link_says_so_and_tells_where_the_result_is(
    house: House, books: Books
) -> None:
    link = await invited(house)
    await link.generate(painted(BOX))
    for part in ("/state", "/picture", "/mask"):
        assert ((await link.get(part)).status, (await link.get(part)).json["code"]) == (409, "used")
    assert (await link.generate(painted(BOX))).status == 409
    await stage(link, "done")
    assert len(house.imagerouter.requests) == 1
    assert books.rows("SELECT draft FROM paint_link") == [{"draft": ""}]


async def test_pressed_many_times_at_once_it_runs_once(house: House, books: Books) -> None:
    link = await invited(house)
    answers = await asyncio.gather(*(link.generate(painted(BOX)) for _ in range(6)))
    assert {answer.status for answer in answers} == {202, 409}
    await result(house)
    assert len(house.imagerouter.requests) == 1
    assert len(books.charges()) == 1
    assert len(books.rows("SELECT id FROM mask")) == 1


async def test_pressed_in_two_processes_at_once_it_runs_once(house: House, books: Books) -> None:
    link = await invited(house)
    services, one = house.bot.services, house.bot.services.painting
    link_id = one.link_id(link.url.rpartition("/")[2])
    presence = DiscordPresence()
    presence.connect(house.bot)
    other = Painting(  # what another process has: the same database, and no lock in common
        links=PaintLinks(services.database, clock=house.clock),
        masks=MaskStore(services.database, clock=house.clock),
        pictures=services.inputs,
        jobs=services.generation,
        catalog=services.catalog,
        presence=presence,
        clock=house.clock,
        secret=b"x" * 32,
        planner=services.planner,
    )
    mine, theirs = painted(BOX), painted((0, 0, 9, 9))
    ends = await asyncio.gather(
        one.generate(link_id, Painted(mine, "a boat", MODEL)),
        other.generate(link_id, Painted(theirs, "a boat", MODEL)),
        return_exceptions=True,
    )
    assert [end for end in ends if end is not None and not isinstance(end, LinkRefused)] == []
    await result(house)
    assert len(house.imagerouter.requests) == 1
    assert len(books.charges()) == 1


async def test_a_process_that_died_before_it_noted_its_success_runs_nothing_twice(
    house: House, books: Books
) -> None:
    link = await invited(house)
    [before] = books.rows("SELECT draft FROM paint_link")
    await link.generate(painted(BOX))
    await result(house)
    books.write("UPDATE paint_link SET job_id = NULL, draft = ?", before["draft"])
    assert (await link.generate(painted(BOX))).status == 202
    assert (await stage(link, "done"))["link"] is not None
    assert len(house.imagerouter.requests) == 1
    assert len(books.charges()) == 1


async def test_a_quota_refuses_with_its_sentence_and_keeps_the_mask(
    open_house: OpenHouse, books: Books
) -> None:
    house = await open_house(DEFAULT_MEMBER_DAILY_USD="0.02")
    link = await invited(house)
    mask = painted(BOX)
    answer = await link.generate(mask)
    assert answer.status == 422
    assert "$0.02" in f"{answer.json['title']} {answer.json['body']}"
    assert "ask" not in answer.json
    assert (await link.get("/state")).json["mask"] is True
    kept = await link.get("/mask")
    assert (kept.status, kept.headers["Content-Type"], kept.body) == (200, "image/png", mask)
    assert house.imagerouter.requests == []
    assert books.charges() == []

    policies = house.bot.services.policies
    member = Who.member(house.guild().id, house.person("mira").user.id)
    await policies.set_limit(member, Window.DAY, PRICE, by=1)
    assert (await link.generate(mask)).status == 202
    await result(house)


async def test_roles_count_as_they_are_when_generate_is_pressed(open_house: OpenHouse) -> None:
    house = await open_house(DEFAULT_MEMBER_DAILY_USD="0.02")
    guild, theo = house.guild(), house.person("theo")
    booster = next(role for role in guild.roles.values() if role.name == "Booster")
    await house.bot.services.policies.set_limit(
        Who.role(guild.id, booster.id), Window.DAY, 1_000_000, by=1
    )
    link = await invited(house, person="theo")
    house.discord.world.set_roles(guild, theo.user, [])
    assert (await link.generate(painted(BOX))).status == 422
    house.discord.world.set_roles(guild, theo.user, [booster])
    assert (await link.generate(painted(BOX))).status == 202
    await result(house)


async def test_who_has_left_the_server_generates_nothing(house: House) -> None:
    link = await invited(house)
    house.discord.world.remove_member(house.guild(), house.person("mira").user)
    answer = await link.generate(painted(BOX))
    assert (answer.status, answer.json["code"]) == (403, "gone")
    assert house.imagerouter.requests == []


async def test_who_no_longer_sees_the_channel_generates_nothing(house: House) -> None:
    link = await invited(house)
    changed = asyncio.create_task(house.bot.wait_for("guild_channel_update", timeout=5))
    await asyncio.sleep(0)
    house.discord.world.set_overwrite(
        house.channel("general"), house.person("mira").user, deny=Permission.VIEW_CHANNEL
    )
    await changed
    answer = await link.generate(painted(BOX))
    assert (answer.status, answer.json["code"]) == (403, "gone")
    assert house.imagerouter.requests == []


async def test_a_blocked_member_is_told_so(house: House) -> None:
    link = await invited(house)
    await house.bot.services.policies.block(
        house.guild().id, house.person("mira").user.id, reason="too many boats", by=1
    )
    answer = await link.generate(painted(BOX))
    assert answer.status == 422
    assert "too many boats" in str(answer.json["body"])


async def test_a_dear_job_is_asked_about_first(house: House, books: Books) -> None:
    guild_id = house.guild().id
    await house.bot.services.policies.configure(guild_id, Option.CONFIRM_ABOVE, 10_000, by=1)
    link = await invited(house, count=2)
    answer = await link.generate(painted(BOX))
    assert answer.status == 422
    assert answer.json["ask"] == {"kind": "price", "agreed": 2 * PRICE}
    assert books.charges() == []
    assert (await link.generate(painted(BOX), agreed=2 * PRICE)).status == 202
    await stage(link, "done")
    assert len(books.charges()) == 2


@pytest.mark.parametrize(("box", "covers"), [(None, "nothing"), ((0, 0, *SIZE), "everything")])
async def test_a_mask_of_nothing_or_everything_is_asked_about_first(
    house: House, box: tuple[int, int, int, int] | None, covers: str
) -> None:
    link = await invited(house)
    answer = await link.generate(painted(box))
    assert answer.status == 422
    assert answer.json["ask"] == {"kind": "mask", "covers": covers}
    assert house.imagerouter.requests == []
    assert (await link.generate(painted(box), checked=True)).status == 202
    await result(house)
    mask = house.imagerouter.requests[0].mask
    assert mask is not None
    grey = 0 if box is None else 255
    assert editness(mask.data).getextrema() == (grey, grey)


@pytest.mark.parametrize(
    "mask",
    [
        b"GIF89a but not really",
        b"\x89PNG\r\n\x1a\n and then nothing of the kind",
        painted(BOX)[:-40],
        photo()[:100],
    ],
)
async def test_a_mask_that_is_no_picture_is_refused_and_the_link_still_works(
    house: House, mask: bytes
) -> None:
    link = await invited(house)
    answer = await link.generate(mask)
    assert answer.status == 422
    assert house.imagerouter.requests == []
    assert (await link.generate(painted(BOX))).status == 202
    await result(house)


async def test_a_smaller_mask_is_brought_to_the_pictures_size(house: House) -> None:
    link = await invited(house)
    assert (await link.generate(painted((20, 15, 60, 45), (160, 120)))).status == 202
    await result(house)
    mask = house.imagerouter.requests[0].mask
    assert mask is not None
    assert Image.open(io.BytesIO(mask.data)).size == SIZE


async def test_a_model_that_the_page_does_not_offer_is_refused(house: House) -> None:
    link = await invited(house)
    answer = await link.generate(painted(BOX), model="saltmarsh/heron-collage")
    assert answer.status == 422
    assert (await link.generate(painted(BOX), model="no/such-model")).status == 422
    assert house.imagerouter.requests == []


async def test_a_private_result_comes_by_direct_message_alone(house: House, books: Books) -> None:
    link = await invited(house, private=True, prompt="the surprise")
    assert (await link.generate(painted(BOX), prompt="the surprise")).status == 202
    told = await stage(link, "done")
    assert str(told["link"]).startswith("https://discord.com/channels/@me/")
    bot = house.discord.world.bot.id
    general = house.person("theo").messages(house.channel("general"))
    assert [message for message in general if message.author.id == bot] == []
    assert books.rows("SELECT id FROM mask") == []
    assert books.rows("SELECT prompt FROM prompt") == []


async def test_each_failed_edit_is_explained_by_direct_message(house: House) -> None:
    house.imagerouter.faults.error("Your prompt was flagged by moderation", times=2)
    for _ in range(2):
        link = await invited(house)
        assert (await link.generate(painted(BOX))).status == 202
        assert (await stage(link, "failed"))["link"] is None
    mira, bot = house.person("mira"), house.discord.world.bot
    told = [
        each
        for each in mira.messages(house.discord.world.direct_channel(mira.user))
        if each.author is bot
    ]
    assert len(told) == 2
    assert all("This cost you nothing" in each.text for each in told)
    general = mira.messages(house.channel("general"))
    assert [each for each in general if each.author is bot] == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "own", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "own", "Sec-Fetch-Site": "same-site"},
    ],
)
async def test_another_site_can_send_nothing(house: House, headers: dict[str, str]) -> None:
    link = await invited(house)
    sent = {name: link.origin if text == "own" else text for name, text in headers.items()}
    answer = await link.generate(painted(BOX), headers=sent)
    assert (answer.status, answer.json["code"]) == (403, "foreign")
    assert house.imagerouter.requests == []


@pytest.mark.parametrize(
    "about",
    [
        "",
        "{",
        "[]",
        '{"prompt": "x", "model": "m", "agreed": true, "checked": false}',
        '{"prompt": "x", "model": "m", "agreed": -1, "checked": false}',
        '{"prompt": "x", "model": "m", "agreed": 1e99, "checked": false}',
        '{"prompt": null, "model": "m", "agreed": 0, "checked": false}',
        "[" * 10_000,
    ],
)
async def test_a_form_of_nonsense_is_refused(house: House, about: str) -> None:
    link = await invited(house)
    answer = await link.send(about, painted(BOX))
    assert (answer.status, answer.json["code"]) == (400, "unreadable")


async def test_half_a_character_in_a_prompt_harms_nobody(house: House) -> None:
    link = await invited(house)
    about = (
        f'{{"prompt": "boat \\ud83d\\u0000", "model": "{MODEL}", "agreed": 0, "checked": false}}'
    )
    assert (await link.send(about, painted(BOX))).status == 202
    await result(house)
    assert house.imagerouter.requests[0].fields["prompt"] == "boat ?"


@pytest.mark.parametrize("announced", [True, False])
async def test_a_mask_that_is_too_large_is_refused(
    house: House, books: Books, announced: bool
) -> None:
    link = await invited(house)
    answer = await link.send("{}", painted(BOX) + bytes(5 * 2**20), announced=announced)
    assert (answer.status, answer.json["code"]) == (413, "too_large")
    assert books.rows("SELECT id FROM mask") == []


async def test_a_body_that_never_ends_is_given_up(house: House) -> None:
    painting = house.bot.services.painting
    pages = PainterPages(painting, explain=lambda _: ("No", "No."), body_seconds=0.2)
    await pages.read()
    link = await invited(house)
    path = link.url.removeprefix(link.origin)
    async with serve(_well, host="127.0.0.1", port=0, pages=pages.routes()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            f"POST {path}/generate HTTP/1.1\r\nHost: easel\r\nOrigin: {link.origin}\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n"
            '--b\r\nContent-Disposition: form-data; name="mask"\r\n\r\n'.encode()
        )
        async with asyncio.timeout(10):
            assert b" 408 " in await reader.readline()
        writer.close()
        await writer.wait_closed()


async def _well() -> dict[str, Any]:
    return {}


async def test_generate_pressed_too_often_waits(house: House) -> None:
    link = await invited(house)
    answers = [await link.generate(painted(None)) for _ in range(12)]
    assert {answer.status for answer in answers} == {422, 429}
    assert len(house.imagerouter.requests) == 0


async def test_behind_a_proxy_the_page_has_the_public_address(house: House) -> None:
    painting = house.bot.services.painting
    base = painting.url
    painting.open("https://easel.example:443/pictures/")
    link = await invited(house)
    assert link.url.startswith("https://easel.example:443/pictures/p/")
    inside = Link(f"{base}/p/{link.url.rpartition('/')[2]}")
    own = {"Origin": "https://easel.example", "Sec-Fetch-Site": "same-origin"}
    assert (await inside.generate(painted(BOX))).status == 403  # the inner address is not it
    assert (await inside.generate(painted(BOX), headers=own)).status == 202
    await result(house)


async def test_what_is_asked_for_in_direct_messages_comes_there(house: House) -> None:
    mira = house.person("mira")
    direct = house.discord.world.direct_channel(mira.user)
    picture = (await mira.say(direct, files=[UploadedFile("photo.png", photo())])).attachments[0]
    request = ImageRequest(
        "edit", "a boat", images=(Source(picture.url, "photo.png", channel_id=direct.id),)
    )
    actor = Actor(mira.user.id, NO_GUILD, direct.id)
    url = await house.bot.services.painting.invite(actor, request, origin=origin(house, direct))
    link = Link(url)
    assert (await link.generate(painted(BOX))).status == 202
    told = await stage(link, "done")
    assert str(told["link"]).startswith(f"https://discord.com/channels/@me/{direct.id}/")
