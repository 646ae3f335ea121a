"""/settings: what a person wants where a command does not say, in one private panel."""

import asyncio

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Message, Person
from sandbox.house import House, button, explanation, pictures
from sandbox.talk import answered
from tests.discord.edits import edit_form, files, rename

LARGE, MINI, AURORA = "papercut/fold-large", "papercut/fold-mini", "lumenfield/aurora-2"
OWLS = "Night Owls"

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


async def choose(
    person: Person, panel: Message, wish: str, value: str, *, place: str = "everywhere"
) -> None:
    """Choose in a menu of the panel, and wait until it shows that."""
    await (await person.choose(panel, f"settings:{place}:{wish}", [value])).answer()


async def press(person: Person, panel: Message, label: str) -> None:
    await (await person.click(panel, button(panel, label))).answer()


def chosen(panel: Message) -> dict[str, str]:
    """What each menu shows."""
    return {
        menu.custom_id.rpartition(":")[2]: str(option["label"])
        for menu in panel.selects
        for option in menu.options
        if option.get("default")
    }


async def imagine(person: Person, channel: Channel, **options: object) -> Message:
    ask = await person.slash(channel, "imagine", {"prompt": "a fig", **options})
    return await pictures(person, channel, ask)


async def test_the_panel_begins_with_what_holds_for_everybody(
    mira: Person, general: Channel
) -> None:
    panel = await answered(mira, general, "settings")

    assert chosen(panel) == {
        "model": "Not set: The usual one",
        "size": "Not set: The model decides",
        "quality": "Not set: auto",
        "format": "Not set: webp",
        "private": "Not set: in the channel",
    }
    assert {each.label: each.disabled for each in panel.buttons} == {
        "Everywhere": True,
        "This server": False,
        "Reset": True,
    }


async def test_what_is_set_fills_in_what_a_command_leaves_out(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    panel = await answered(mira, general, "settings")
    await choose(mira, panel, "model", LARGE)
    await choose(mira, panel, "size", "1536x1024")
    await choose(mira, panel, "quality", "high")
    await choose(mira, panel, "format", "png")
    assert chosen(panel)["size"] == "landscape 1536x1024"
    await imagine(mira, general)
    await imagine(mira, general, size="auto", quality="low", format="jpeg", model=AURORA)
    await imagine(theo, general)

    wanted = [
        tuple(each.fields.get(name) for name in ("model", "size", "quality", "output_format"))
        for each in house.imagerouter.requests
    ]
    assert wanted[0] == (LARGE, "1536x1024", "high", "png")
    assert wanted[1] == (AURORA, "auto", "low", "jpeg")
    assert wanted[2][0] == "test/test"


async def test_a_server_of_ones_own_comes_before_everywhere_option_by_option(
    house: House, mira: Person, general: Channel
) -> None:
    there = house.channel("lobby", guild=OWLS)
    panel = await answered(mira, general, "settings")
    await choose(mira, panel, "model", LARGE)
    await choose(mira, panel, "quality", "high")
    await press(mira, panel, "This server")
    assert chosen(panel)["quality"] == "As everywhere: high"
    await choose(mira, panel, "model", AURORA, place="here")
    await imagine(mira, general)
    await imagine(mira, there)

    sent = [(each.fields["model"], each.fields["quality"]) for each in house.imagerouter.requests]
    assert sent == [(AURORA, "high"), (LARGE, "high")]


async def test_one_option_or_all_can_be_taken_back(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    panel = await answered(mira, general, "settings")
    await choose(mira, panel, "model", LARGE)
    await choose(mira, panel, "quality", "high")
    await choose(mira, panel, "private", "yes")
    await choose(mira, panel, "model", "unset")
    assert chosen(panel)["model"] == "Not set: The usual one"
    assert chosen(panel)["quality"] == "high"
    await press(mira, panel, "Reset")
    message = await imagine(mira, general)

    assert chosen(panel)["quality"] == "Not set: auto"
    assert message.ephemeral_to is None
    assert books.rows("SELECT * FROM preference") == []


async def test_it_outlives_restarts_and_so_does_its_panel(
    house: House, mira: Person, general: Channel
) -> None:
    panel = await answered(mira, general, "settings")
    await choose(mira, panel, "model", LARGE)
    await house.restart_bot()
    await choose(mira, panel, "quality", "low")
    await house.restart_bot()
    await imagine(mira, general)

    [request] = house.imagerouter.requests
    assert (request.fields["model"], request.fields["quality"]) == (LARGE, "low")
    await house.restart_bot()
    await press(mira, panel, "This server")
    assert chosen(panel)["quality"] == "As everywhere: low"


async def test_outside_servers_there_is_one_side_only(house: House, mira: Person) -> None:
    channel = house.discord.world.direct_channel(mira.user)
    panel = await answered(mira, channel, "settings")
    await choose(mira, panel, "model", MINI)
    await imagine(mira, channel)

    assert [each.label for each in panel.buttons] == ["Reset"]
    assert house.imagerouter.requests[0].fields["model"] == MINI


# Privacy


async def test_results_are_private_where_that_is_set(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    panel = await answered(mira, general, "settings")
    await choose(mira, panel, "private", "yes")
    message = await imagine(mira, general, model=MINI)
    shown = await imagine(mira, general, model=MINI, private=False)

    assert message.ephemeral_to == mira.user.id
    assert house.imagerouter.requests[0].fields["response_format"] == "b64_ephemeral"
    assert shown.ephemeral_to is None
    assert theo.messages(general) == [shown]


async def test_privacy_holds_after_a_restart_and_per_server(
    house: House, mira: Person, general: Channel
) -> None:
    panel = await answered(mira, general, "settings")
    await choose(mira, panel, "private", "yes")
    await press(mira, panel, "This server")
    await choose(mira, panel, "private", "no", place="here")
    await house.restart_bot()
    there = house.channel("lobby", guild=OWLS)

    assert (await imagine(mira, general, model=MINI)).ephemeral_to is None
    assert (await imagine(mira, there, model=MINI)).ephemeral_to == mira.user.id


async def test_forms_and_try_it_are_private_then_too(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    posted = await theo.say(general, files=files(1))
    assert (await edit_form(mira, general, posted)).title == "Edit a picture"
    panel = await answered(mira, general, "settings")
    await choose(mira, panel, "private", "yes")
    page = await answered(mira, general, "models", name=LARGE)
    modal = await (await mira.click(page, button(page, "Try it"))).form()
    tried = await pictures(mira, general, await mira.submit(modal, {"prompt": "a bay"}))
    form = await edit_form(mira, general, posted)
    assert form.title == "Edit a picture, seen by you alone"
    edit = await mira.submit(form, {"prompt": "blue", "model": [AURORA]})
    edited = await pictures(mira, general, edit)

    assert tried.ephemeral_to == mira.user.id
    assert edited.ephemeral_to == mira.user.id


async def test_what_another_process_has_made_private_is_never_made_in_public(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    # This process does not know yet, and answers in public.
    books.write(
        "INSERT INTO preference (user_id, guild_id, is_private, changed_at) VALUES (?, 0, 1, 1)",
        mira.user.id,
    )
    ask = await mira.slash(general, "imagine", {"prompt": "a secret", "model": MINI})
    told = await explanation(general, ask)

    assert told.ephemeral_to == mira.user.id
    assert "Your pictures are private by now" in told.text
    assert house.imagerouter.requests == []


# Which model it is


async def test_the_first_default_that_can_do_the_job_is_taken_and_named(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    panel = await answered(mira, general, "settings")
    await choose(mira, panel, "model", MINI)  # it can't edit
    books.write(
        "INSERT INTO guild (id, policy_version, default_model) VALUES (?, 1, ?) "
        "ON CONFLICT (id) DO UPDATE SET policy_version = 1, default_model = excluded.default_model",
        house.guild().id,
        AURORA,
    )
    await house.restart_bot()
    made = await imagine(mira, general)
    ask = await mira.slash(
        general, "edit", {"image": "boat", "prompt": "blue"}, files={"boat": files(1)[0]}
    )
    edited = await pictures(mira, general, ask)

    assert [each.fields["model"] for each in house.imagerouter.requests] == [MINI, AURORA]
    assert "No model was named, so this is the one from your `/settings`." in made.text
    assert "No model was named, so this is the usual one of this server." in edited.text


async def test_a_default_that_the_server_forbids_gives_way(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    panel = await answered(mira, general, "settings")
    await choose(mira, panel, "model", MINI)
    books.write(
        "INSERT INTO model_rule (guild_id, reach, subject_id, effect, pattern, set_by, set_at) "
        "VALUES (?, 'guild', 0, 'deny', ?, 1, 1)",
        house.guild().id,
        MINI,
    )
    books.write(
        "INSERT INTO guild (id, policy_version) VALUES (?, 1) "
        "ON CONFLICT (id) DO UPDATE SET policy_version = 1",
        house.guild().id,
    )
    await house.restart_bot()
    message = await imagine(mira, general)

    assert house.imagerouter.requests[0].fields["model"] == "test/test"
    assert "/settings" not in message.text


async def test_a_default_that_is_listed_no_more_gives_way_and_is_still_shown(
    house: House, mira: Person, general: Channel
) -> None:
    panel = await answered(mira, general, "settings")
    await choose(mira, panel, "model", MINI)
    del house.imagerouter.models[MINI]
    await house.bot.services.catalog.refresh()
    await imagine(mira, general)
    panel = await answered(mira, general, "settings")

    assert house.imagerouter.requests[0].fields["model"] == "test/test"
    assert "fold-mini" in chosen(panel)["model"]


async def test_a_size_that_the_named_model_does_not_list_is_left_out(
    house: House, mira: Person, general: Channel
) -> None:
    panel = await answered(mira, general, "settings")
    await choose(mira, panel, "size", "512x512")
    await imagine(mira, general, model=LARGE)
    await imagine(mira, general, model=MINI)

    assert [each.fields["size"] for each in house.imagerouter.requests] == ["auto", "512x512"]


# What leads the suggestions


async def suggested(person: Person, channel: Channel, typed: str = "") -> list[str]:
    options = {"prompt": "a fig", "model": typed}
    found = await person.autocomplete(channel, "imagine", options, "model", timeout=3)
    return [str(choice.value) for choice in found]


async def test_ones_default_favourites_and_last_used_lead_the_suggestions(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    for model in ("orchard/russet", "orchard/russet", "orchard/russet", "orchard/pippin"):
        await imagine(mira, general, model=model)
    await imagine(mira, general, model="saltmarsh/triptych")
    panel = await answered(mira, general, "settings")
    await choose(mira, panel, "model", AURORA)
    mine = await suggested(mira, general)
    await answered(theo, general, "settings")
    theirs = await suggested(theo, general)

    assert mine[:4] == [AURORA, "orchard/russet", "saltmarsh/triptych", "orchard/pippin"]
    assert theirs[0] == "orchard/russet"  # what the server uses most
    assert theirs.index("papercut/fold-mini") < theirs.index("northwind/gale-pro")  # then popular


async def test_suggestions_after_a_restart_come_at_once_and_then_with_habits(
    house: House, mira: Person, general: Channel
) -> None:
    await imagine(mira, general, model="orchard/russet")
    await house.restart_bot()
    assert len(await suggested(mira, general)) > 1
    async with asyncio.timeout(5):
        while (await suggested(mira, general))[0] != "orchard/russet":
            pass


async def test_what_is_liked_decides_between_equal_matches_and_no_more(
    house: House, mira: Person, general: Channel
) -> None:
    await imagine(mira, general, model="mosaic/tessera-grid")
    await answered(mira, general, "models")

    assert (await suggested(mira, general, "tessera"))[0] == "mosaic/tessera-grid"
    assert (await suggested(mira, general, "pippin"))[0] == "orchard/pippin"


async def test_sizes_are_those_of_ones_own_model(mira: Person, general: Channel) -> None:
    panel = await answered(mira, general, "settings")
    await choose(mira, panel, "model", LARGE)
    found = await mira.autocomplete(general, "imagine", {"prompt": "a fig", "size": ""}, "size")

    assert [each.value for each in found] == ["auto", "1024x1024", "1536x1024", "1024x1536"]


# What hostile clients send


@pytest.mark.parametrize(
    ("wish", "value"),
    [
        ("model", "nobody/nothing"),
        ("model", "'; DROP TABLE preference; --"),
        ("size", "0x9"),
        ("size", "huge"),
        ("quality", "ultra"),
        ("format", "exe"),
        ("private", "maybe"),
    ],
)
async def test_what_the_panel_does_not_offer_is_not_set(
    wish: str, value: str, mira: Person, general: Channel, books: Books
) -> None:
    panel = await answered(mira, general, "settings")
    component = panel.component(f"settings:everywhere:{wish}")
    assert component is not None
    component["options"][0]["value"] = value
    told = await (await mira.choose(panel, f"settings:everywhere:{wish}", [value])).followup()

    assert told.ephemeral_to == mira.user.id
    assert books.rows("SELECT * FROM preference") == []


@pytest.mark.parametrize("other", ["settings:there:model", "settings:here:pixels", "settings:"])
async def test_a_custom_id_of_no_known_shape_sets_nothing(
    other: str, house: House, mira: Person, general: Channel, books: Books
) -> None:
    house.discord.acknowledge_within = 0.3
    panel = await answered(mira, general, "settings")
    rename(panel, "settings:everywhere:private", other)
    await (await mira.choose(panel, other, ["yes"])).failed()

    assert books.rows("SELECT * FROM preference") == []


async def test_a_panel_of_elsewhere_sets_nothing_here(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    """A menu for "this server" that comes from direct messages means everywhere."""
    channel = house.discord.world.direct_channel(mira.user)
    panel = await answered(mira, channel, "settings")
    rename(panel, "settings:everywhere:private", "settings:here:private")
    await choose(mira, panel, "private", "yes", place="here")

    [row] = books.rows("SELECT * FROM preference")
    assert (row["user_id"], row["guild_id"]) == (mira.user.id, 0)
