"""A finished picture reaches its person, by the first way that is open, and only once."""

import pytest

from bot.client import PERMISSIONS
from sandbox.books import Books
from sandbox.discord import Channel, Permission, Person
from sandbox.discord.town import THREAD
from sandbox.house import House, explanation, pictures

MINUTE = 60_000
EDIT = "PATCH /webhooks/*/*/messages/*"
POST = "POST /channels/*/messages"
INVALID = {"code": 50035, "message": "Invalid Form Body", "errors": {}}


async def test_past_fourteen_minutes_the_bot_posts_in_the_channel_itself(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    gate = house.imagerouter.faults.hold()
    ask = await mira.slash(general, "imagine", {"prompt": "a slow boat"})
    placeholder = await ask.answer()
    await gate.reached()

    house.clock.advance(16 * MINUTE)
    gate.open()
    message = await mira.wait_for(general, lambda m: bool(m.attachments))

    assert message.id != placeholder.id
    assert message.interaction_id is None
    assert f"<@{mira.user.id}>" in message.text
    await house.discord.wait_for_request(f"DELETE /channels/*/messages/{placeholder.id}")
    assert [m.id for m in mira.messages(general)] == [message.id]
    [job] = books.rows("SELECT * FROM job")
    assert (job["delivery"], job["message_id"]) == ("delivered", message.id)


@pytest.mark.parametrize("place", ["general", THREAD], ids=["channel", "thread"])
async def test_what_the_invite_link_asks_for_is_enough_to_post_a_late_picture(
    place: str, house: House, mira: Person, books: Books
) -> None:
    world, guild = house.discord.world, house.guild()
    channel = world.channel(guild, place)
    world.set_role_permissions(guild.roles[guild.id], int(Permission.VIEW_CHANNEL))
    commander = world.add_role(
        guild, "Commander", permissions=int(Permission.USE_APPLICATION_COMMANDS)
    )
    world.set_roles(guild, mira.user, [commander])
    assert world.permissions(world.bot, channel) == PERMISSIONS.value
    gate = house.imagerouter.faults.hold()
    ask = await mira.slash(channel, "imagine", {"prompt": "a slow boat"})
    placeholder = await ask.answer()
    await gate.reached()

    house.clock.advance(16 * MINUTE)
    gate.open()
    message = await mira.wait_for(channel, lambda m: bool(m.attachments))
    await house.bot.services.generation.idle()

    assert (message.author, message.interaction_id) == (world.bot, None)
    assert [a.data for a in message.attachments] == [house.imagerouter.answers[0].data]
    assert "a slow boat" in message.text
    await house.discord.wait_for_request(f"DELETE /channels/*/messages/{placeholder.id}")
    assert [m.id for m in mira.messages(channel)] == [message.id]
    assert mira.messages(world.direct_channel(mira.user)) == []
    [job] = books.rows("SELECT * FROM job")
    assert (job["delivery"], job["message_id"]) == ("delivered", message.id)


async def test_where_the_bot_may_not_post_the_late_picture_comes_by_direct_message(
    house: House, mira: Person, general: Channel
) -> None:
    gate = house.imagerouter.faults.hold()
    await mira.slash(general, "imagine", {"prompt": "a slow boat"})
    await gate.reached()
    guild = house.guild()
    everyone = guild.roles[guild.id]
    house.discord.world.set_overwrite(general, everyone, deny=Permission.SEND_MESSAGES)

    house.clock.advance(16 * MINUTE)
    gate.open()

    home = house.discord.world.direct_channel(mira.user)
    message = await mira.wait_for(home, lambda m: bool(m.attachments))
    assert "a slow boat" in message.text


async def test_a_late_private_picture_comes_by_direct_message_only(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    gate = house.imagerouter.faults.hold()
    await mira.slash(general, "imagine", {"prompt": "my secret", "private": True})
    await gate.reached()

    house.clock.advance(16 * MINUTE)
    gate.open()

    home = house.discord.world.direct_channel(mira.user)
    message = await mira.wait_for(home, lambda m: bool(m.attachments))
    assert message.channel_id == home.id
    assert not any(m.attachments for m in mira.messages(general))
    assert theo.messages(general) == []


async def test_a_late_private_picture_with_closed_direct_messages_is_never_public(
    house: House, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    house.discord.world.close_dms(mira.user)
    gate = house.imagerouter.faults.hold()
    await mira.slash(
        general,
        "imagine",
        {"prompt": "my secret", "private": True, "model": "black-forest-labs/FLUX-1-schnell"},
    )
    await gate.reached()

    house.clock.advance(16 * MINUTE)
    gate.open()
    await house.bot.services.generation.idle()

    assert theo.messages(general) == []
    [job] = books.rows("SELECT * FROM job")
    [charge] = books.charges()
    assert job["delivery"] == "undeliverable"
    assert (charge["state"], charge["actual"]) == ("settled", 1_300)


async def test_the_waiting_message_gets_a_last_word_before_it_can_not_be_edited_any_more(
    house: House, mira: Person, general: Channel
) -> None:
    gate = house.imagerouter.faults.hold()
    ask = await mira.slash(general, "imagine", {"prompt": "a slow boat"})
    await ask.answer()
    await gate.reached()

    house.clock.advance(13 * MINUTE + 40_000)
    await mira.wait_for(general, lambda m: "still works" in m.text)

    gate.open()
    message = await pictures(mira, general, ask)
    assert "still works" not in message.text


async def test_a_result_whose_placeholder_was_deleted_is_posted_in_the_channel(
    house: House, mira: Person, general: Channel
) -> None:
    gate = house.imagerouter.faults.hold()
    ask = await mira.slash(general, "imagine", {"prompt": "a boat"})
    placeholder = await ask.answer()
    await gate.reached()
    await house.person("ada").delete(placeholder)

    gate.open()

    message = await mira.wait_for(general, lambda m: bool(m.attachments))
    assert message.id != placeholder.id


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_connection_lost_while_posting_loses_and_doubles_nothing(
    house: House, mira: Person, general: Channel, *, after: bool
) -> None:
    gate = house.imagerouter.faults.hold()
    ask = await mira.slash(general, "imagine", {"prompt": "a boat"})
    await ask.answer()
    await gate.reached()
    house.discord.faults.drop(EDIT, after=after)

    gate.open()
    await pictures(mira, general, ask)
    await house.bot.services.generation.idle()

    assert sum(bool(m.attachments) for m in mira.messages(general)) == 1


async def test_a_late_post_that_is_repeated_is_posted_once(
    house: House, mira: Person, general: Channel
) -> None:
    gate = house.imagerouter.faults.hold()
    await mira.slash(general, "imagine", {"prompt": "a boat"})
    await gate.reached()
    house.clock.advance(16 * MINUTE)
    house.discord.faults.drop(POST, after=True)

    gate.open()
    await mira.wait_for(general, lambda m: bool(m.attachments))
    await house.bot.services.generation.idle()

    assert sum(bool(m.attachments) for m in mira.messages(general)) == 1


async def test_discord_failing_for_a_while_only_delays_the_picture(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    gate = house.imagerouter.faults.hold()
    ask = await mira.slash(general, "imagine", {"prompt": "a boat"})
    await ask.answer()
    await gate.reached()
    house.discord.faults.drop(EDIT, times=6)

    gate.open()
    await pictures(mira, general, ask)

    assert [c["state"] for c in books.charges()] == ["settled"]


async def test_an_answer_of_discord_that_makes_no_sense_only_delays_the_picture(
    house: House, mira: Person, general: Channel
) -> None:
    gate = house.imagerouter.faults.hold()
    ask = await mira.slash(general, "imagine", {"prompt": "a boat"})
    await ask.answer()
    await gate.reached()
    # A proxy's own 429 does not say when to come back, where Discord's always does.
    house.discord.faults.status(EDIT, 429, headers={"Via": "1.1 proxy"}, body={"message": "?"})

    gate.open()
    await pictures(mira, general, ask)


async def test_a_late_picture_that_discord_does_not_take_is_tried_again_every_minute(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    gate = house.imagerouter.faults.hold()
    await mira.slash(general, "imagine", {"prompt": "a boat"})
    await gate.reached()
    house.clock.advance(16 * MINUTE)
    house.discord.faults.drop(POST, times=None)
    gate.open()
    await house.bot.services.generation.idle()
    [job] = books.rows("SELECT * FROM job")
    assert job["delivery"] == "open"

    house.discord.faults.clear()
    await house.bot.services.recovery.sweep()

    message = await mira.wait_for(general, lambda m: bool(m.attachments))
    assert "a boat" in message.text
    [job] = books.rows("SELECT * FROM job")
    assert job["delivery"] == "delivered"


async def test_a_card_that_discord_calls_invalid_goes_without_all_but_picture_and_price(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    gate = house.imagerouter.faults.hold()
    options = {"prompt": "a boat", "model": "black-forest-labs/FLUX-1-schnell"}
    ask = await mira.slash(general, "imagine", options)
    await ask.answer()
    await gate.reached()
    house.discord.faults.status(EDIT, 400, body=INVALID)
    gate.open()
    message = await pictures(mira, general, ask)
    await house.bot.services.generation.idle()

    assert "$0.0013" in message.text
    assert "a boat" not in message.text
    assert message.buttons == []
    assert [job["delivery"] for job in books.rows("SELECT * FROM job")] == ["delivered"]
    [whispered] = ask.followups
    assert "You have spent" in whispered.text


async def test_an_explanation_that_discord_calls_invalid_goes_without_prompt_and_buttons(
    house: House, mira: Person, general: Channel
) -> None:
    house.discord.faults.status("POST /webhooks/*/*", 400, body=INVALID)
    ask = await mira.slash(general, "imagine", {"prompt": "a boat", "model": "fold-larg"})
    told = await explanation(general, ask)

    assert "This cost you nothing." in told.text
    assert "a boat" not in told.text
    assert told.buttons == []


async def test_an_explanation_beside_a_placeholder_that_stays_is_not_told_again(
    house: House, mira: Person, general: Channel
) -> None:
    house.imagerouter.faults.error("The provider is on fire")
    refused = {"code": 50013, "message": "Missing Permissions"}
    house.discord.faults.status("DELETE /webhooks/*/*/messages/*", 403, body=refused)
    options = {"prompt": "a boat", "model": "papercut/fold-large"}
    ask = await mira.slash(general, "imagine", options)
    told = await explanation(general, ask)
    await house.bot.services.generation.idle()

    assert "The model failed" in told.text
    assert [m.id for m in mira.messages(general)] == [told.id]
    assert mira.messages(house.discord.world.direct_channel(mira.user)) == []


async def test_a_person_to_whom_no_card_can_be_shown_waits_no_longer(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    gate = house.imagerouter.faults.hold()
    ask = await mira.slash(general, "imagine", {"prompt": "a boat"})
    await ask.answer()
    await gate.reached()
    for pattern in (EDIT, POST):
        house.discord.faults.status(pattern, 400, body=INVALID, times=4)
    gate.open()
    await house.bot.services.generation.idle()

    assert [job["delivery"] for job in books.rows("SELECT * FROM job")] == ["undeliverable"]
    assert [charge["state"] for charge in books.charges()] == ["settled"]


async def test_that_nobody_can_be_reached_is_written_down_once_the_books_can_be(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    house.discord.world.close_dms(mira.user)
    gate = house.imagerouter.faults.hold()
    await mira.slash(general, "imagine", {"prompt": "my secret", "private": True})
    await gate.reached()
    house.clock.advance(16 * MINUTE)
    books.change("ALTER TABLE job_output RENAME TO hidden")
    gate.open()
    await house.bot.services.generation.idle()
    assert [job["delivery"] for job in books.rows("SELECT * FROM job")] == ["open"]

    books.change("ALTER TABLE hidden RENAME TO job_output")
    await house.bot.services.recovery.sweep()

    assert [job["delivery"] for job in books.rows("SELECT * FROM job")] == ["undeliverable"]
