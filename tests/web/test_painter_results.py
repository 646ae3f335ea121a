"""**Paint area** below results: what is painted on, what comes of it, and the way back."""

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Message, Person
from sandbox.house import House, button, pictures
from sandbox.talk import mail, make
from tests.web.paint import Link, painted, result_of

CHEAP, TRIPTYCH = "papercut/fold-mini", "saltmarsh/triptych"
BOX = (40, 30, 120, 90)


@pytest.fixture
def mira(house: House) -> Person:
    return house.person("mira")


@pytest.fixture
def general(house: House) -> Channel:
    return house.channel()


async def links(person: Person, message: Message) -> dict[str | None, Link]:
    """Click **Paint area**, and return the links of the answer by what their buttons say."""
    told = await (await person.click(message, button(message, "Paint area"))).answer()
    assert told.ephemeral_to == person.user.id
    return {each.label: Link(each.url) for each in told.buttons if each.url}


async def edited(house: House, link: Link, channel: Channel) -> Message:
    """Paint on a link's picture, and return the result, in the channel where it should be."""
    assert (await link.generate(painted(BOX))).status == 202
    return await result_of(house, link, channel)


async def undone(person: Person, channel: Channel, message: Message) -> list[bytes]:
    click = await person.click(message, button(message, "Undo"))
    return [each.data for each in (await pictures(person, channel, click)).attachments]


async def test_who_paints_on_anothers_result_is_the_one_who_edits_it(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    first = await make(mira, general, CHEAP)
    [parent] = books.rows("SELECT id FROM job")
    theo = house.person("theo")
    [link] = (await links(theo, first)).values()
    second = await edited(house, link, general)

    address = f"https://discord.com/channels/{general.guild_id}/{general.id}/{first.id}"
    assert f"Made from [this message]({address})" in second.text
    assert f"<@{theo.user.id}>" in second.text
    assert books.rows("SELECT user_id, parent_id FROM job WHERE command = 'edit'") == [
        {"user_id": theo.user.id, "parent_id": parent["id"]}
    ]
    assert await undone(theo, general, second) == [first.attachments[0].data]


@pytest.mark.parametrize("count", [1, 2, 4])
async def test_each_picture_of_a_result_has_a_link_of_its_own(
    house: House, mira: Person, general: Channel, count: int
) -> None:
    shown = {"prompt": "a gull", "model": TRIPTYCH, "count": count}
    first = await pictures(mira, general, await mira.slash(general, "imagine", shown))
    of_each = [each.data for each in first.attachments]
    found = await links(mira, first)
    assert list(found) == [f"Paint on picture {n}" for n in range(1, len(of_each) + 1)]
    assert [(await link.get("/picture")).body for link in found.values()] == of_each

    last = await edited(house, found[f"Paint on picture {len(of_each)}"], general)
    assert [file.data for file in house.imagerouter.requests[-1].images] == of_each[-1:]
    assert await undone(mira, general, last) == of_each[-1:]
    assert str(first.id) in last.text
    other = await edited(house, found["Paint on picture 1"], general)
    assert [file.data for file in house.imagerouter.requests[-1].images] == of_each[:1]
    assert await undone(mira, general, other) == of_each[:1]


async def test_what_is_painted_on_a_private_result_is_private(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    asked = {"prompt": "my secret", "model": CHEAP, "private": True}
    first = await pictures(mira, general, await mira.slash(general, "imagine", asked))
    told = await (await mira.click(first, button(first, "Paint area"))).answer()
    assert "the result comes to you, by direct message" in told.text
    [link] = [Link(each.url) for each in told.buttons if each.url]
    second = await edited(house, link, mail(house, mira))
    assert second.attachments
    assert [file.data for file in house.imagerouter.requests[-1].images] == [
        first.attachments[0].data
    ]
    assert books.rows("SELECT is_private FROM job") == [{"is_private": 1}] * 2
    assert books.rows("SELECT * FROM job_input") == books.rows("SELECT * FROM prompt") == []
