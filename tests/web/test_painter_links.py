"""Links to the mask painter: who may open them, for how long, and what opening them does."""

import json
import re
from collections.abc import Awaitable, Callable

import pytest

from bot.errors import UnsuitableModel
from sandbox.books import Books
from sandbox.house import House
from tests.web.paint import MODEL, Link, invited, painted, photo, result

PARTS = ("/state", "/picture", "/mask", "/status")
HALF_AN_HOUR_MS = 30 * 60_000
BOX = (40, 30, 120, 90)

OpenHouse = Callable[..., Awaitable[House]]


async def test_the_page_loads_nothing_from_elsewhere_and_sets_no_cookie(house: House) -> None:
    link = await invited(house)
    page = await link.get()
    assert page.status == 200
    policy = page.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= set(policy)
    assert "unsafe" not in str(policy)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in page.headers
    html = page.body.decode()
    assert re.findall(r"(?:src|href)=\"(?!static/|#)([^\"]*)\"", html) == []
    assert " style=" not in html
    assert "onclick" not in html


@pytest.mark.parametrize("part", ["", *PARTS, "/nothing"])
async def test_every_answer_has_the_strict_headers(house: House, part: str) -> None:
    link = await invited(house)
    headers = (await link.get(part)).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in headers


async def test_the_files_of_the_page_are_served_and_nothing_else_is(house: House) -> None:
    link = await invited(house)
    html = (await link.get()).body.decode()
    base = link.origin
    for name in re.findall(r"static/([\w.-]+)", html):
        answer = await Link(f"{base}/p/static/{name}").get()
        assert answer.status == 200, name
        etag = answer.headers["Etag"]
        again = await Link(f"{base}/p/static/{name}").get(**{"If-None-Match": etag})
        assert again.status == 304
    for path in ("", "/", "/p", "/p/", "/p/static/", "/p/static/..%2fserver.py", "/admin"):
        answer = await Link(f"{base}{path}").get()
        assert (answer.status, answer.body) == (404, b"There is nothing here.\n"), path


async def test_the_state_says_what_the_link_is_for(house: House) -> None:
    link = await invited(house, prompt="a tiny boat", count=2)
    state = (await link.get("/state")).json
    assert state["prompt"] == "a tiny boat"
    assert state["count"] == 2
    assert state["model"] == MODEL
    assert state["mask"] is False
    expires = state["expires_in"]
    assert isinstance(expires, int)
    assert 29 * 60 < expires <= 30 * 60
    models = state["models"]
    assert isinstance(models, list)
    assert next(each for each in models if each["id"] == MODEL) == {
        "id": MODEL,
        "name": "retouch-one",
        "about": "$0.06",
        "at_most": "$0.06",
    }
    assert {each["id"] for each in models} == {
        model.id for model in house.imagerouter.models.values() if model.mask
    }
    assert models[-1]["id"] == "test/test"


async def test_the_picture_is_served_in_its_own_pixels(house: House) -> None:
    link = await invited(house)
    answer = await link.get("/picture")
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.body == photo()


async def test_opening_a_link_uses_nothing_up(house: House) -> None:
    link = await invited(house)
    for _ in range(3):
        for part in ("", "/state", "/picture", "/status"):
            assert (await link.get(part)).status == 200
    assert (await link.generate(painted(BOX))).status == 202
    await result(house)
    assert len(house.imagerouter.requests) == 1


async def test_a_link_that_was_tampered_with_opens_nothing(house: House) -> None:
    mine, other = await invited(house), await invited(house, person="theo")
    base, _, token = mine.url.rpartition("/")
    number, _, signature = token.partition(".")
    others = other.url.rpartition("/")[2].partition(".")[2]
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    for forged in (
        f"{number}.{flipped}",
        f"{number}.{others}",  # another link's signature
        f"{int(number) + 1}.{signature}",
        f"{number}.{signature[:-1]}",
        f"{number}.",
        number,
        f".{signature}",
        f"{number}.{signature}é",
        "9" * 30 + f".{signature}",
        "-1." + signature,
    ):
        assert (await Link(f"{base}/{forged}").get("/state")).status == 404, forged
    link = Link(f"{base}/{number}.{others}")
    assert (await link.get()).status == 404
    for part in ("/picture", "/status"):
        answer = await link.get(part)
        assert answer.status == 404
        assert answer.json["code"] == "unknown"
    assert (await link.generate(painted(BOX))).status == 404
    assert house.imagerouter.requests == []
    assert (await mine.get("/state")).status == 200


async def test_guessing_is_slowed_down_without_a_look_into_the_database(house: House) -> None:
    link = await invited(house)
    wrong = Link(link.url[:-2])
    statuses = [(await wrong.get("/state")).status for _ in range(30)]
    assert set(statuses) == {404, 429}
    assert (await wrong.get("/state")).headers["Retry-After"].isdigit()
    assert (await link.get("/state")).status == 200


async def test_a_link_expires_after_half_an_hour(house: House) -> None:
    link = await invited(house)
    house.clock.advance(HALF_AN_HOUR_MS - 1_000)
    assert (await link.get("/state")).status == 200
    house.clock.advance(2_000)
    assert (await link.get()).status == 200  # the page that says so
    for part in ("/state", "/picture", "/mask"):
        answer = await link.get(part)
        assert (answer.status, answer.json["code"]) == (410, "expired")
    assert (await link.generate(painted(BOX))).status == 410
    assert house.imagerouter.requests == []


async def test_a_link_outlives_a_restart(house: House) -> None:
    link = await invited(house)
    await house.restart_bot()
    base = house.bot.services.painting.url
    moved = Link(f"{base}/p/{link.url.rpartition('/')[2]}")
    assert (await moved.get("/state")).json["prompt"] == "a red boat"
    assert (await moved.generate(painted(BOX))).status == 202
    await result(house)


async def test_a_model_that_takes_no_mask_is_refused_before_anybody_paints(house: House) -> None:
    with pytest.raises(UnsuitableModel) as caught:
        await invited(house, model="saltmarsh/heron-collage")
    assert caught.value.ability == "mask"
    assert MODEL in caught.value.alternatives


async def test_a_private_link_keeps_no_prompt_on_disk(house: House, books: Books) -> None:
    link = await invited(house, prompt="the surprise", private=True)
    assert (await link.get("/state")).json["prompt"] == "the surprise"
    [row] = books.rows("SELECT draft FROM paint_link")
    assert json.loads(str(row["draft"]))["prompt"] == ""
    await house.restart_bot()
    moved = Link(f"{house.bot.services.painting.url}/p/{link.url.rpartition('/')[2]}")
    assert (await moved.get("/state")).json["prompt"] == ""


async def test_who_is_erased_leaves_neither_link_nor_private_prompt(
    house: House, books: Books
) -> None:
    link = await invited(house, prompt="the surprise", private=True)
    theirs = await invited(house, person="theo", prompt="his own", private=True)
    mira = house.person("mira").user.id
    house.bot.services.painting.forget_person(mira)
    assert (await link.get("/state")).json["prompt"] == ""
    assert (await theirs.get("/state")).json["prompt"] == "his own"
    await house.bot.services.privacy.erase_person(mira)
    assert (await link.get("/state")).status == 410
    assert len(books.rows("SELECT id FROM paint_link")) == 1


async def test_what_has_expired_is_forgotten(house: House, books: Books) -> None:
    link = await invited(house)
    await link.generate(painted(None))  # questioned, so it is kept
    assert len(books.rows("SELECT id FROM mask")) == 1
    house.clock.advance(HALF_AN_HOUR_MS)
    await house.restart_bot()
    painting = house.bot.services.painting
    await painting.sweep()
    assert books.rows("SELECT id FROM mask") == []
    assert books.rows("SELECT id FROM paint_link") == []


@pytest.mark.parametrize("environ", [{"HTTP_PORT": "0"}, {"PUBLIC_URL": "https://easel.example"}])
async def test_without_an_address_the_painter_is_off_and_the_log_says_what_to_set(
    open_house: OpenHouse, environ: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="bot.app")
    house = await open_house(**environ)
    [line] = [each.message for each in caplog.records if "mask painter is off" in each.message]
    assert "PUBLIC_URL" in line
    assert "HTTP_PORT" in line
    assert not house.bot.services.painting.available


async def test_the_health_check_stays_where_it_was(house: House) -> None:
    link = await invited(house)
    answer = await Link(f"{link.origin}/healthz").get()
    assert (answer.status, answer.json["ok"]) == (200, True)


async def test_a_link_asked_for_too_often_waits(house: House) -> None:
    link = await invited(house)
    answers = [await link.get("/status") for _ in range(60)]
    busy = [answer for answer in answers if answer.status == 429]
    assert busy
    assert busy[0].json["code"] == "busy"
    assert "kept" in str(busy[0].json["body"])
    other = await invited(house)
    assert (await other.get("/status")).status == 200
