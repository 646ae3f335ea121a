"""The button on results, and the Apps menu on them: edits that know their parent."""

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, NotPossibleError, Person
from sandbox.house import House, button, pictures
from sandbox.talk import mail
from tests.discord.edits import ADD, COLLAGE, edit_form, fields, made, rename, sent

TRIPTYCH = "saltmarsh/triptych"

pytestmark = pytest.mark.usefixtures("midday")


async def test_anybody_edits_a_result_at_their_own_cost_and_its_parent_is_known(
    house: House, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    first = await made(mira, general)
    [parent] = books.rows("SELECT id FROM job")
    modal = await (await theo.click(first, button(first, "Edit"))).form()
    ask = await theo.submit(modal, {"prompt": "at night", "model": [COLLAGE]})
    second = await pictures(theo, general, ask)

    assert sent(house) == [first.attachments[0].data]
    assert books.rows("SELECT user_id, parent_id FROM job WHERE command = 'edit'") == [
        {"user_id": theo.user.id, "parent_id": parent["id"]}
    ]
    assert [each.label for each in second.buttons][:2] == ["Again", "Edit"]


async def test_a_results_button_and_its_form_work_after_a_restart(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    first = await made(mira, general)
    await house.restart_bot()
    modal = await (await mira.click(first, button(first, "Edit"))).form()
    await house.restart_bot()
    await pictures(mira, general, await mira.submit(modal, {"prompt": "x", "model": [COLLAGE]}))
    assert sent(house) == [first.attachments[0].data]
    [row] = books.rows("SELECT parent_id FROM job WHERE command = 'edit'")
    assert row["parent_id"] is not None


async def test_of_a_result_with_several_pictures_the_form_asks_which(
    house: House, mira: Person, general: Channel
) -> None:
    first = await made(mira, general, TRIPTYCH)
    modal = await (await mira.click(first, button(first, "Edit"))).form()
    assert list(fields(modal)) == ["prompt", "model", "pictures", "files", "mask"]
    with pytest.raises(NotPossibleError):
        await mira.submit(modal, {"prompt": "x"})

    values = {"prompt": "x", "model": [COLLAGE], "pictures": ["2", "0"]}
    await pictures(mira, general, await mira.submit(modal, values))
    assert sent(house) == [first.attachments[index].data for index in (0, 2)]


async def test_the_edit_of_a_private_result_is_private_even_after_a_restart(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    first = await made(mira, general, private=True)
    await house.restart_bot()
    modal = await (await mira.click(first, button(first, "Edit"))).form()
    ask = await mira.submit(modal, {"prompt": "x", "model": [COLLAGE]})
    second = await pictures(mira, general, ask)

    assert second.ephemeral_to == mira.user.id
    assert sent(house) == [first.attachments[0].data]
    assert books.rows("SELECT is_private FROM job WHERE command = 'edit'") == [{"is_private": 1}]
    assert books.rows("SELECT * FROM job_input") == []
    assert books.rows("SELECT * FROM offer") == []


async def test_a_private_result_that_came_by_direct_message_stays_private_whichever_way(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    gate = house.imagerouter.faults.hold()
    await mira.slash(general, "imagine", {"prompt": "my secret", "private": True})
    await gate.reached()
    house.clock.advance(16 * 60_000)
    gate.open()
    home = mail(house, mira)
    first = await mira.wait_for(home, lambda m: bool(m.attachments))
    await house.bot.services.generation.idle()  # until it is written down which message it is

    for by_menu in (False, True):
        clicked = None if by_menu else await mira.click(first, button(first, "Edit"))
        modal = await (edit_form(mira, home, first) if clicked is None else clicked.form())
        ask = await mira.submit(modal, {"prompt": "x", "model": [COLLAGE]})
        assert (await pictures(mira, home, ask)).ephemeral_to == mira.user.id
    edits = books.rows("SELECT is_private, parent_id FROM job WHERE command = 'edit'")
    [parent] = books.rows("SELECT id FROM job WHERE command = 'imagine'")
    assert edits == [{"is_private": 1, "parent_id": parent["id"]}] * 2
    assert books.rows("SELECT * FROM offer") == []


async def test_the_apps_menu_knows_a_result_and_its_parent(
    house: House, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    first = await made(mira, general)
    modal = await edit_form(theo, general, first)
    await pictures(theo, general, await theo.submit(modal, {"prompt": "x", "model": [COLLAGE]}))
    [parent] = books.rows("SELECT id FROM job WHERE command = 'imagine'")
    [edit] = books.rows("SELECT parent_id FROM job WHERE command = 'edit'")
    assert edit["parent_id"] == parent["id"]


async def test_a_button_that_names_another_job_gives_no_parent(
    mira: Person, general: Channel, books: Books
) -> None:
    first, second = await made(mira, general), await made(mira, general)
    forged = button(second, "Edit")
    rename(first, button(first, "Edit"), forged)
    modal = await (await mira.click(first, forged)).form()
    await pictures(mira, general, await mira.submit(modal, {"prompt": "x", "model": [COLLAGE]}))
    assert books.rows("SELECT parent_id FROM job WHERE command = 'edit'") == [{"parent_id": None}]


async def test_a_private_result_is_not_put_into_the_tray_which_is_kept(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    gate = house.imagerouter.faults.hold()
    await mira.slash(general, "imagine", {"prompt": "my secret", "private": True})
    await gate.reached()
    house.clock.advance(16 * 60_000)
    gate.open()
    home = mail(house, mira)
    first = await mira.wait_for(home, lambda m: bool(m.attachments))
    await house.bot.services.generation.idle()
    told = await (await mira.apps_menu(home, ADD, first)).answer()
    assert "private" in told.text
    assert books.rows("SELECT * FROM tray_picture") == []
