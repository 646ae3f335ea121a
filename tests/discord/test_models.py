"""/models: the list with its filters, orders and pages, and a page for each model."""

import asyncio
import re
from dataclasses import replace

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Message, Permission, Person
from sandbox.house import House, button, pictures
from sandbox.talk import answered, told
from tests.discord.edits import fields, files, sent

LARGE, MINI, AURORA = "papercut/fold-large", "papercut/fold-mini", "lumenfield/aurora-2"
EDITORS = {
    "trace",
    "aurora-2",
    "retouch-one",
    "upscale-4x",
    "cutout",
    "tessera-brush",
    "gale-pro",
    "gale-edit",
    "heron-collage",
}

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


def names(message: Message) -> list[str]:
    """The models that a page lists, in their order."""
    text = message.text.replace("\\", "")
    return re.findall(r"^\*\*([^*]+)\*\* · (?:about|at most|free|price)", text, flags=re.MULTILINE)


def menu(message: Message, kind: str) -> str:
    """The custom id of a menu of the list."""
    [found] = [each.custom_id for each in message.selects if f":{kind}:" in each.custom_id]
    return found


async def listed(person: Person, channel: Channel, **options: object) -> list[str]:
    """Every model of a list, page by page."""
    message = await answered(person, channel, "models", **options)
    found = names(message)
    while "Next" in {each.label for each in message.buttons if not each.disabled}:
        await turn(person, message, "Next")
        found += names(message)
    return found


async def turn(person: Person, message: Message, label: str) -> None:
    """Click, and wait until the page has turned."""
    await (await person.click(message, button(message, label))).answer()


async def make(person: Person, channel: Channel, model: str) -> Message:
    """A public result, once the books know where it is."""
    ask = await person.slash(channel, "imagine", {"prompt": "a gull", "model": model})
    message = await pictures(person, channel, ask)
    await ask.followup()
    return message


async def page_of(person: Person, channel: Channel, model: str) -> Message:
    return await answered(person, channel, "models", name=model)


# The list


async def test_the_list_says_what_models_cost_and_can_do(mira: Person, general: Channel) -> None:
    text = (await answered(mira, general, "models")).text.replace("\\", "")

    assert "### 24 models\n-# The most popular first · page 1 of 3" in text
    assert "**FLUX-1-schnell** · about $0.0013\n-# black-forest-labs · Aug 2024" in text


async def test_its_pages_hold_every_model_once(mira: Person, general: Channel) -> None:
    message = await answered(mira, general, "models")
    pages = [names(message)]
    for _ in range(2):
        await turn(mira, message, "Next")
        pages.append(names(message))
    disabled = {each.label for each in message.buttons if each.disabled}

    assert [len(page) for page in pages] == [8, 8, 8]
    assert len({name for page in pages for name in page}) == 24
    assert disabled == {"Next"}
    await turn(mira, message, "Back")
    assert names(message) == pages[1]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"supports": "EDIT"}, EDITORS),
        ({"supports": "MASK"}, {"retouch-one", "tessera-brush", "gale-edit"}),
        ({"supports": "QUALITY"}, {"fold-large", "aurora-2", "tessera-brush", "slow-tide"}),
        ({"free": True}, {"aurora-2-mini:free", "test"}),
        ({"max_price": "0.0013"}, {"FLUX-1-schnell", "fold-mini", "gale-turbo", "pippin"}),
        ({"max_price": "$0.0001"}, set()),
        ({"supports": "MASK", "max_price": "0.04"}, {"retouch-one"}),
        ({"supports": "MASK", "free": True}, {"test"}),
    ],
)
async def test_each_filter_leaves_only_what_fits(
    wanted: dict[str, object], expected: set[str], mira: Person, general: Channel
) -> None:
    found = set(await listed(mira, general, **wanted))

    if "max_price" in wanted:
        expected = expected | ({"aurora-2-mini:free"} if "supports" not in wanted else set())
    assert found == expected


async def test_several_images_are_what_a_model_is_not_known_to_refuse(
    house: House, mira: Person, general: Channel
) -> None:
    assert set(await listed(mira, general, supports="IMAGES")) == EDITORS
    ask = await mira.slash(
        general,
        "edit",
        {"image": "a", "image2": "b", "prompt": "x", "model": "inkwell/retouch-one"},
        files=dict(zip(("a", "b"), files(2), strict=True)),
    )
    await ask.followup()

    assert set(await listed(mira, general, supports="IMAGES")) == EDITORS - {"retouch-one"}


async def test_models_are_sorted_by_price_name_and_date(mira: Person, general: Channel) -> None:
    by_price = await listed(mira, general, sort="c")
    by_name = await listed(mira, general, sort="a")
    newest = await listed(mira, general, sort="n")

    assert by_price[:3] == ["aurora-2-mini:free", "pippin", "gale-turbo"]
    assert by_price[-2:] == ["quill-xl", "test"]  # without a price; the dummy is always the last
    assert by_name[:-1] == sorted(by_name[:-1], key=str.casefold)
    assert newest[:2] == ["aurora-2-mini:free", "aurora-2"]
    assert newest[-3:] == ["russet", "pippin", "test"]


async def test_the_fastest_here_are_those_that_answered_fastest(
    house: House, mira: Person, general: Channel
) -> None:
    for model, ms in ((LARGE, 150), (MINI, 1)):
        for _ in range(3):
            house.imagerouter.faults.latency(ms)
            await make(mira, general, model)
    house.clock.advance(60_000)
    found = await listed(mira, general, sort="f")

    assert found[:2] == ["fold-mini", "fold-large"]


async def test_popular_are_also_those_that_the_server_uses(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    before = await listed(theo, general)
    await make(mira, general, "orchard/russet")
    house.clock.advance(61_000)
    after = await listed(theo, general)

    assert after.index("russet") < before.index("russet")


async def test_menus_sort_and_filter_and_begin_at_the_first_page(
    mira: Person, general: Channel
) -> None:
    message = await answered(mira, general, "models", max_price="0.05")
    await turn(mira, message, "Next")
    await (await mira.choose(message, menu(message, "sort"), ["c"])).answer()
    assert names(message)[:2] == ["aurora-2-mini:free", "pippin"]
    await (await mira.choose(message, menu(message, "filter"), ["EDIT", "MASK"])).answer()

    assert names(message) == ["retouch-one", "tessera-brush"]
    assert "**Edits pictures · Takes a mask · A picture for about $0.05 or less**" in message.text
    await (await mira.choose(message, menu(message, "filter"), ["MASK", "free"])).answer()
    assert names(message) == ["test"]
    await (await mira.choose(message, menu(message, "filter"), [])).answer()
    assert len(names(message)) == 8


async def test_where_nothing_fits_it_says_how_to_go_on(mira: Person, general: Channel) -> None:
    message = await answered(mira, general, "models", max_price="0", supports="EDIT")

    assert "### No such model" in message.text
    assert "Ask for less below" in message.text
    await (await mira.choose(message, menu(message, "filter"), [])).answer()
    assert names(message) == ["aurora-2-mini:free"]


async def test_what_is_no_price_is_refused(mira: Person, general: Channel) -> None:
    assert "an amount in US dollars" in await told(mira, general, "models", max_price="cheap")


async def test_pages_menus_and_buttons_work_after_a_restart(
    house: House, mira: Person, general: Channel
) -> None:
    message = await answered(mira, general, "models", sort="c")
    await house.restart_bot()
    await turn(mira, message, "Next")
    assert "page 2 of 3" in message.text
    await house.restart_bot()
    await (await mira.choose(message, menu(message, "filter"), ["QUALITY"])).answer()
    assert set(names(message)) == {"fold-large", "aurora-2", "tessera-brush", "slow-tide"}
    await house.restart_bot()
    await (await mira.choose(message, menu(message, "open"), [LARGE])).answer()
    assert "at most $0.08 a picture" in message.text
    await house.restart_bot()
    await turn(mira, message, "All models")
    assert set(names(message)) == {"fold-large", "aurora-2", "tessera-brush", "slow-tide"}


async def test_it_works_in_direct_messages_and_while_imagerouter_is_down(
    house: House, mira: Person
) -> None:
    await house.lose_imagerouter()
    channel = house.discord.world.direct_channel(mira.user)

    assert len(await listed(mira, channel)) == 24
    assert "**Price:** about $0.04" in (await page_of(mira, channel, LARGE)).text


async def test_only_what_the_server_allows_is_listed(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    books.write(
        "INSERT INTO model_rule (guild_id, reach, subject_id, effect, pattern, set_by, set_at) "
        "VALUES (?, 'guild', 0, 'deny', 'papercut/*', 1, 1)",
        house.guild().id,
    )
    books.write(
        "INSERT INTO guild (id, policy_version) VALUES (?, 1) "
        "ON CONFLICT (id) DO UPDATE SET policy_version = 1",
        house.guild().id,
    )
    await house.restart_bot()
    found = await listed(mira, general)

    assert not {"fold-mini", "fold-large", "trace", "vector-fold"} & set(found)
    assert (
        "The rules of this server keep it from you here"
        in (await page_of(mira, general, LARGE)).text
    )
    elsewhere = house.channel("lobby", guild="Night Owls")
    assert "fold-mini" in await listed(mira, elsewhere)


# A model's page


async def test_a_page_tells_all_that_is_known(mira: Person, general: Channel) -> None:
    text = (await page_of(mira, general, "mosaic/tessera-brush")).text.replace("\\", "")

    assert "### tessera-brush\nmosaic/tessera-brush" in text
    assert "**Vendor:** mosaic · **Released:** 15 January 2026" in text
    assert "**Price:** about $0.042, at most $0.167 a picture" in text
    assert "make pictures from words · edit up to 16 pictures at once" in text
    assert "change only what a mask marks · work at low, medium or high quality" in text
    assert "**Sizes:** auto, 1024x1024, 1536x1024, 1024x1536" in text
    assert "This bot has made nothing with it" in text


async def test_many_sizes_are_counted(mira: Person, general: Channel) -> None:
    assert "and 18 more" in (await page_of(mira, general, "mosaic/tessera-grid")).text


async def test_a_model_without_a_price_can_be_looked_at_and_not_tried(
    mira: Person, general: Channel
) -> None:
    message = await page_of(mira, general, "inkwell/quill-xl")

    assert "nobody says, so it can't be used" in message.text
    assert [each.label for each in message.buttons] == ["All models"]


async def test_seconds_and_success_are_measured(
    house: House, mira: Person, general: Channel
) -> None:
    for _ in range(3):
        await make(mira, general, AURORA)
    house.imagerouter.faults.error("Internal error of the provider")
    ask = await mira.slash(general, "imagine", {"prompt": "a gull", "model": AURORA})
    await ask.followup()
    house.clock.advance(60_000)
    text = (await page_of(mira, general, AURORA)).text

    assert re.search(r"\*\*Speed:\*\* half of the pictures within \d+\.\d s, 95% within", text)
    assert "**Success:** 75% of 4 requests" in text


async def test_the_newest_public_picture_of_the_server_is_linked(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    guild = house.guild()
    posted = await make(theo, general, LARGE)
    link = f"https://discord.com/channels/{guild.id}/{general.id}/{posted.id}"

    assert link in (await page_of(mira, general, LARGE)).text
    there = house.channel("lobby", guild="Night Owls")
    assert link not in (await page_of(mira, there, LARGE)).text
    await theo.click(posted, button(posted, "Delete"))
    async with asyncio.timeout(10):
        while link in (await page_of(mira, general, LARGE)).text:
            pass


async def test_private_pictures_are_no_examples(mira: Person, general: Channel) -> None:
    ask = await mira.slash(
        general, "imagine", {"prompt": "a gull", "model": LARGE, "private": True}
    )
    await pictures(mira, general, ask)

    assert "https://" not in (await page_of(mira, general, LARGE)).text


async def test_a_picture_in_a_channel_that_one_cannot_see_is_no_example(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    secret = house.channel("workshop")
    await make(ada, secret, LARGE)
    assert "https://" in (await page_of(mira, general, LARGE)).text
    house.discord.world.set_overwrite(secret, mira.user, deny=Permission.VIEW_CHANNEL)

    assert "https://" not in (await page_of(mira, general, LARGE)).text
    assert "https://" in (await page_of(ada, general, LARGE)).text


async def test_an_unknown_name_is_refused_with_what_may_have_been_meant(
    mira: Person, general: Channel
) -> None:
    message = await answered(mira, general, "models", name="papercut/fold-larg")

    assert "### No such model" in message.text
    await (await mira.choose(message, menu(message, "open"), [LARGE])).answer()
    assert "**Price:** about $0.04" in message.text


async def test_another_name_of_a_model_leads_to_it(
    house: House, mira: Person, general: Channel
) -> None:
    catalogue = house.imagerouter.models
    catalogue["saltmarsh/heron"] = catalogue["saltmarsh/heron-collage"]
    message = await page_of(mira, general, "saltmarsh/heron")
    text = message.text.replace("\\", "")

    assert "### heron-collage\nsaltmarsh/heron-collage" in text
    assert "ImageRouter takes “saltmarsh/heron” for this one." in text
    await turn(mira, message, "Use as my default")
    await mira.slash(general, "imagine", {"prompt": "a fig"})
    await house.imagerouter.wait_until(lambda: bool(house.imagerouter.requests))
    assert house.imagerouter.requests[0].fields["model"] == "saltmarsh/heron-collage"


async def test_a_model_that_is_not_listed_yet_can_be_looked_at_and_not_used(
    house: House, mira: Person, general: Channel
) -> None:
    large = house.imagerouter.models[LARGE]
    house.imagerouter.models["papercut/fold-huge"] = replace(large, id="papercut/fold-huge")
    message = await page_of(mira, general, "papercut/fold-huge")

    assert "ImageRouter does not list this model, so it can't be used here." in message.text
    assert "Nearest: papercut/fold" in message.text
    assert "at most $0.08" in message.text
    assert [each.label for each in message.buttons] == ["All models"]


async def test_a_model_that_has_vanished_is_told_with_its_successors(
    house: House, mira: Person, general: Channel
) -> None:
    del house.imagerouter.models[LARGE]
    await house.bot.services.catalog.refresh()
    message = await page_of(mira, general, LARGE)

    assert "ImageRouter does not list this model" in message.text
    assert "Nearest: papercut/" in message.text
    assert [each.label for each in message.buttons] == ["All models"]


async def test_a_name_that_nobody_can_look_up_just_now_is_told_as_that(
    house: House, mira: Person, general: Channel
) -> None:
    await house.lose_imagerouter()
    text = await told(mira, general, "models", name="nobody/knows")

    assert "ImageRouter can't be reached" in text


async def test_use_as_my_default_holds_for_the_next_picture_and_is_said(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    message = await page_of(mira, general, LARGE)
    await turn(mira, message, "Use as my default")
    labels = {each.label: each.disabled for each in message.buttons}
    mine = await pictures(mira, general, await mira.slash(general, "imagine", {"prompt": "a fig"}))
    theirs = await pictures(
        theo, general, await theo.slash(general, "imagine", {"prompt": "a fig"})
    )

    assert labels["Your default"]
    assert [each.fields["model"] for each in house.imagerouter.requests] == [LARGE, "test/test"]
    assert "No model was named, so this is the one from your `/settings`." in mine.text
    assert "/settings" not in theirs.text


async def test_try_it_asks_for_a_prompt_and_makes_a_picture_in_the_channel(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    message = await page_of(mira, general, LARGE)
    modal = await (await mira.click(message, button(message, "Try it"))).form()
    assert modal.title == "Try fold-large"
    assert set(fields(modal)) == {"prompt"}
    await house.restart_bot()
    ask = await mira.submit(modal, {"prompt": "a quiet bay"})
    shown = await pictures(mira, general, ask)

    assert shown in theo.messages(general)
    [request] = house.imagerouter.requests
    assert (request.fields["model"], request.fields["prompt"]) == (LARGE, "a quiet bay")


async def test_try_it_takes_a_picture_for_models_that_edit_one(
    house: House, mira: Person, general: Channel
) -> None:
    message = await page_of(mira, general, "harborlight/cutout")
    modal = await (await mira.click(message, button(message, "Try it"))).form()
    assert fields(modal)["picture"]["required"]
    ask = await mira.submit(modal, {}, {"picture": files(1)[0]})
    await pictures(mira, general, ask)

    assert len(sent(house)) == 1
