"""The main job as a person sees it: the real bot, the page, a typed prompt, a picture."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from sandbox.books import Books
from sandbox.house import House
from sandbox.page import PageServer
from tests.houses import strict_house
from tools.browser import open_chat

pytestmark = pytest.mark.browser

SCHNELL = "black-forest-labs/FLUX-1-schnell"


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with strict_house(tmp_path, environ={"DEFAULT_MODEL": SCHNELL}) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def page(house: House) -> AsyncIterator[PageServer]:
    async with PageServer(house.discord, house.imagerouter, house.clock, port=0) as server:
        yield server


async def test_a_typed_prompt_shows_the_picture_that_imagerouter_sent_and_its_price(
    house: House, page: PageServer, browser: Browser, tmp_path: Path
) -> None:
    async with open_chat(browser, page.url, person="mira", channel="general") as chat:
        await chat.begin("imagine")
        await chat.fill({"prompt": "a paper boat on a green sea"})
        await chat.run()

        result = chat.messages.filter(has_text="a paper boat on a green sea")
        await expect(result).to_contain_text("$0.0013")
        await expect(result).to_contain_text("FLUX-1-schnell")
        await expect(chat.messages.filter(has_text="You have spent $0.0013 today")).to_contain_text(
            "Only you can see this"
        )
        picture = result.get_by_role("img", name="a paper boat on a green sea")
        await expect(picture).to_be_visible()
        source = await picture.get_attribute("src")
        assert source is not None
        shown = await (await chat.page.request.get(source)).body()

    [sent] = house.imagerouter.answers
    assert shown == sent.data
    [charge] = Books(tmp_path / "bot.db").charges()
    assert (charge["state"], charge["actual"]) == ("settled", 1_300)


async def test_somebody_else_sees_the_picture_and_not_what_was_spent(
    house: House, page: PageServer, browser: Browser
) -> None:
    ask = await house.person("mira").slash(house.channel(), "imagine", {"prompt": "a paper boat"})
    await ask.followup()

    async with open_chat(browser, page.url, person="theo", channel="general") as chat:
        result = chat.messages.filter(has_text="a paper boat")
        await expect(result.get_by_role("img", name="a paper boat")).to_be_visible()
        await expect(chat.messages).to_have_count(1)


async def test_a_refusal_offers_a_button_that_runs_the_right_model(
    page: PageServer, browser: Browser
) -> None:
    async with open_chat(browser, page.url, person="mira", channel="general") as chat:
        await chat.begin("imagine")
        await chat.fill({"prompt": "a paper boat", "model": "flux-1-schnel"})
        await chat.run()
        refusal = chat.messages.filter(has_text="No such model")
        await expect(refusal).to_contain_text("This cost you nothing.")
        await expect(refusal).to_contain_text("Only you can see this")
        await expect(chat.messages).to_have_count(1)

        await refusal.get_by_role("button", name=f"Use {SCHNELL}").click()

        await expect(chat.messages.filter(has_text="$0.0013").first).to_be_visible()
