"""Who may use which models, where, and how: set by admins, and kept by every way into a job."""

from typing import Any

import pytest

from bot.policy import Effect, ModelRule, Reach
from bot.storage import ModelPolicies
from sandbox.books import Books
from sandbox.discord import Channel, Person
from sandbox.house import House, button, explanation, pictures
from sandbox.talk import make, refused, told
from tests.discord.edits import COLLAGE, edit_form, fields, files

MINI, LARGE = "papercut/fold-mini", "papercut/fold-large"
FREE, PIPPIN = "lumenfield/aurora-2-mini:free", "orchard/pippin"
BRUSH = "mosaic/tessera-brush"

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


async def offered(person: Person, channel: Channel, typed: str = "") -> set[str]:
    """The models that are suggested for `/imagine`."""
    options = {"prompt": "a fig", "model": typed}
    found = await person.autocomplete(channel, "imagine", options, "model")
    return {str(choice.value) for choice in found}


async def made_by(house: House, person: Person, channel: Channel, **options: object) -> str:
    """Let somebody make a picture, and return the model that ImageRouter was asked for."""
    ask = await person.slash(channel, "imagine", {"prompt": "a quince", **options})
    await pictures(person, channel, ask)
    return str(house.imagerouter.requests[-1].fields["model"])


async def models(ada: Person, where: Channel, action: str, pattern: str, **at: object) -> str:
    """Change the lists of models; `where` is only where it is typed."""
    return await told(ada, where, "config models", action=action, models=pattern, **at)


# Lists of models


async def test_a_denied_model_is_refused_and_others_are_offered(
    house: House, ada: Person, mira: Person, general: Channel, books: Books
) -> None:
    text = await models(ada, general, "deny", "Papercut/*")
    assert "`papercut/*` denied in this server" in text
    said = await refused(mira, general, LARGE)

    assert "You can't use this model here" in said.text
    assert "An admin has denied `papercut/*` in this server." in said.text
    assert said.buttons
    assert not any("papercut" in str(each.label) for each in said.buttons)
    assert books.charges() == []
    assert house.imagerouter.requests == []
    click = await mira.click(said, said.buttons[0].custom_id or "")
    await pictures(mira, general, click)
    assert not any("papercut" in model for model in await offered(mira, general, "fold"))


async def test_where_something_is_allowed_nothing_else_is(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    text = await models(ada, general, "allow", "*:free")
    assert "somebody without further roles may now use 1 of" in text
    assert await offered(mira, general) == {FREE}
    said = await refused(mira, general, MINI)
    assert "Only models that are allowed by name may be used in this server." in said.text
    assert await made_by(house, mira, general) == FREE
    assert "**In <#" in await models(ada, general, "deny", "*:free")
    said = await explanation(general, await mira.slash(general, "imagine", {"prompt": "a quince"}))
    assert "No model that you may use here can do this" in said.text


async def test_a_channel_and_the_roles_of_a_person_must_both_allow(
    house: House, ada: Person, mira: Person, theo: Person, general: Channel
) -> None:
    guild, workshop = house.guild(), house.channel("workshop")
    booster = house.discord.world.role(guild, "Booster")
    everyone = guild.roles[guild.id]
    await models(ada, general, "allow", "papercut/*", channel=general)
    await models(ada, general, "allow", "*mini*", role=everyone)
    text = await models(ada, general, "allow", "papercut/*", role=booster)
    assert f"somebody with <@&{booster.id}> may now use" in text

    assert await offered(mira, general) == {MINI}
    assert LARGE in await offered(theo, general)
    assert "denied" not in (await refused(mira, general, LARGE)).text
    await make(theo, general, LARGE)
    assert await offered(mira, workshop) == {MINI, FREE}
    thread = house.discord.world.add_thread(general, "boats", mira.user)
    assert f"may be used in <#{general.id}>" in (await refused(mira, thread, FREE)).text


async def test_some_models_are_for_age_restricted_channels_and_their_threads(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    await models(ada, general, "age_restricted", "orchard/*")
    said = await refused(mira, general, PIPPIN)
    assert "`orchard/*` may be used in age-restricted channels only." in said.text
    assert PIPPIN not in await offered(mira, general, "pippin")

    house.discord.world.age_restrict(general)
    await make(mira, general, PIPPIN)
    thread = house.discord.world.add_thread(general, "apples", mira.user)
    await make(mira, thread, PIPPIN)
    assert PIPPIN in await offered(mira, thread, "pippin")
    wrong = await models(ada, general, "age_restricted", "orchard/*", channel=general)
    assert "no role and no channel" in wrong


async def test_lines_are_listed_and_removed_one_by_one_or_for_a_place(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    assert "Every model may be used" in await told(ada, general, "config models")
    for pattern in ("papercut/*", "orchard/*"):
        await models(ada, general, "deny", pattern, channel=general)
    await models(ada, general, "deny", "northwind/*")
    text = await told(ada, general, "config models")
    assert f"- `papercut/*` denied in <#{general.id}>" in text
    assert "- `northwind/*` denied in this server" in text

    assert "no such line" in await models(ada, general, "remove", "papercut/*")
    await models(ada, general, "remove", "papercut/*", channel=general)
    await make(mira, general, MINI)
    text = await told(ada, general, "config models", action="remove", channel=general)
    assert f"Removed `orchard/*` denied in <#{general.id}>." in text
    assert "northwind" in await told(ada, general, "config models")


async def test_lines_for_a_channel_that_was_deleted_go_with_the_next_that_are_removed(
    house: House, ada: Person, mira: Person, general: Channel, books: Books
) -> None:
    gone = house.channel("pictures")
    await models(ada, general, "deny", "orchard/*", channel=gone)
    await models(ada, general, "deny", "papercut/*", channel=general)
    await models(ada, general, "deny", "northwind/*")
    house.discord.world.remove_channel(gone)
    await make(mira, general, PIPPIN)  # the bot has heard of it by then
    text = await told(ada, general, "config models", action="remove")
    assert "`northwind/*` denied in this server" in text
    [left] = books.rows("SELECT pattern FROM model_rule")
    assert left["pattern"] == "papercut/*"


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"action": "deny", "models": "a b"}, "in which `*` stands for anything"),
        ({"action": "deny"}, "in which `*` stands for anything"),
        ({"models": "acme/*"}, "to say what happens"),
    ],
)
async def test_what_is_no_rule_is_explained(
    ada: Person, general: Channel, books: Books, options: dict[str, Any], hint: str
) -> None:
    assert hint in await told(ada, general, "config models", **options)
    assert books.rows("SELECT * FROM model_rule") == []


async def test_patterns_complete_themselves(ada: Person, general: Channel) -> None:
    async def suggested(typed: str) -> list[object]:
        options = {"action": "deny", "models": typed}
        found = await ada.autocomplete(general, "config models", options, "models")
        return [choice.value for choice in found]

    assert {"papercut/*", LARGE} <= set(await suggested("fold"))
    assert len(await suggested("")) <= 25
    await models(ada, general, "deny", "inkwell/q*")
    assert (await suggested("ink"))[0] == "inkwell/q*"


async def test_members_change_nothing(
    theo: Person, general: Channel, house: House, books: Books
) -> None:
    booster = house.discord.world.role(house.guild(), "Booster")
    house.discord.world.show_command(house.guild(), "config", booster)
    for name, options in (
        ("config models", {"action": "deny", "models": "*"}),
        ("config channels", {"channel": general}),
        ("config private", {"state": "off"}),
        ("config blocklist", {"entry": "quince"}),
        ("config default-model", {"model": MINI}),
    ):
        assert "Manage Server" in await told(theo, general, name, **options)
    assert books.rows("SELECT * FROM guild WHERE policy_version > 0") == []


# Channels, private results, prompts


async def test_pictures_are_made_in_the_channels_that_are_named_and_in_their_threads(
    house: House, ada: Person, mira: Person, general: Channel, books: Books
) -> None:
    workshop = house.channel("workshop")
    assert "in every channel" in await told(ada, general, "config channels")
    text = await told(ada, general, "config channels", channel=workshop)
    assert f"- <#{workshop.id}>" in text
    said = await refused(mira, general, MINI)
    assert f"No pictures are made in this channel\nGo to <#{workshop.id}>." in said.text
    assert books.charges() == []
    await make(mira, workshop, MINI)
    await make(mira, house.discord.world.add_thread(workshop, "boats", mira.user), MINI)

    await told(ada, general, "config channels", channel=general)
    await told(ada, general, "config channels", channel=workshop, state="off")
    await make(mira, general, MINI)
    assert f"Go to <#{general.id}>" in (await refused(mira, workshop, MINI)).text
    assert "in every channel" in await told(ada, general, "config channels", state="off")
    await make(mira, workshop, MINI)


async def test_private_results_can_be_switched_off_and_on(
    ada: Person, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    assert "is told so" in await told(ada, general, "config private", state="off")
    ask = await mira.slash(general, "imagine", {"prompt": "a gull", "model": MINI, "private": True})
    said = await mira.wait_for(general, lambda m: "are switched off" in m.text)
    assert "Private results are switched off in this server" in said.text
    assert said.id == (await ask.answer()).id
    assert said.ephemeral_to == mira.user.id
    assert said.buttons == []
    assert books.charges() == []
    assert not any("gull" in message.text for message in theo.messages(general))
    await make(mira, general, MINI)

    await told(ada, general, "config private", state="on")
    ask = await mira.slash(general, "imagine", {"prompt": "a gull", "model": MINI, "private": True})
    await pictures(mira, general, ask)


async def test_what_is_on_the_blocklist_is_refused_in_prompts(
    house: House, ada: Person, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    text = await told(ada, general, "config blocklist", entry="Quin*")
    assert "Prompts with `quin*` are refused. There is one entry now." in text
    ask = await mira.slash(general, "imagine", {"prompt": "two QUÍNCES", "model": MINI})
    said = await explanation(general, ask)
    assert "This server does not allow “quinces” in prompts." in said.text
    assert said.ephemeral_to == mira.user.id
    assert books.charges() == []
    await make(mira, general, MINI)  # a gull
    assert "- `quin*`" in await told(ada, general, "config blocklist")
    assert "stands for any letters" in await told(ada, general, "config blocklist", entry="**")

    assert "any more" in await told(ada, general, "config blocklist", entry="quin*", state="off")
    assert await made_by(house, mira, general, prompt="two quinces") == "test/test"


# Every other way into a job


async def test_again_is_judged_by_what_is_set_now(
    ada: Person, mira: Person, theo: Person, general: Channel, house: House
) -> None:
    message = await make(mira, general, LARGE)
    await models(ada, general, "deny", LARGE)
    said = await explanation(general, await theo.click(message, button(message, "Again")))
    assert "You can't use this model here" in said.text
    assert len(house.imagerouter.requests) == 1
    await told(ada, general, "config models", action="remove")
    await pictures(theo, general, await theo.click(message, button(message, "Again")))
    await told(ada, general, "config blocklist", entry="gull")
    said = await explanation(general, await theo.click(message, button(message, "Again")))
    assert "does not allow “gull”" in said.text


async def test_an_offer_that_was_made_before_is_judged_by_what_is_set_now(
    ada: Person, mira: Person, general: Channel, house: House
) -> None:
    said = await refused(mira, general, "papercut/fold-larg")
    assert button(said, f"Use {LARGE}")
    await models(ada, general, "deny", "papercut/*")
    again = await explanation(general, await mira.click(said, button(said, f"Use {LARGE}")))
    assert "You can't use this model here" in again.text
    assert house.imagerouter.requests == []


async def test_a_confirmation_is_judged_by_what_is_set_now(
    ada: Person, mira: Person, general: Channel, house: House
) -> None:
    await told(ada, general, "config confirm-above", amount="0.05")
    said = await refused(mira, general, LARGE)
    await models(ada, general, "deny", "papercut/*")
    click = await mira.click(said, button(said, "Confirm"))
    assert "You can't use this model here" in (await explanation(general, click)).text
    assert house.imagerouter.requests == []


async def test_the_form_of_an_edit_lists_what_is_allowed_and_is_judged_when_it_comes_back(
    ada: Person, mira: Person, general: Channel, house: House
) -> None:
    picture = await mira.say(general, files=files(1))
    before = await edit_form(mira, general, picture)
    await models(ada, general, "deny", "saltmarsh/*")
    listed = {option["value"] for option in fields(before)["model"]["options"]}
    assert COLLAGE in listed
    said = await explanation(
        general, await mira.submit(before, {"prompt": "x", "model": [COLLAGE]})
    )
    assert "You can't use this model here" in said.text
    assert house.imagerouter.requests == []

    after = await edit_form(mira, general, picture)
    listed = {option["value"] for option in fields(after)["model"]["options"]}
    assert COLLAGE not in listed
    assert BRUSH in listed


# It lasts, and it is told


async def test_what_is_set_outlives_a_restart_and_is_of_one_server_alone(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    await models(ada, general, "deny", "papercut/*")
    await told(ada, general, "config private", state="off")
    await house.restart_bot()
    assert "You can't use this model here" in (await refused(mira, general, LARGE)).text
    assert not any("papercut" in model for model in await offered(mira, general, "fold"))
    await make(mira, house.channel("lobby", guild="Night Owls"), LARGE)


async def test_what_another_process_sets_binds_this_one_at_once_both_ways(
    house: House, ada: Person, mira: Person, general: Channel, books: Books
) -> None:
    await make(mira, general, LARGE)  # by now this process knows the rules by heart
    elsewhere = ModelPolicies(house.bot.services.database, clock=house.clock)
    rule = ModelRule(Reach.GUILD, 0, Effect.DENY, "papercut/*")
    await elsewhere.add_rule(house.guild().id, rule, by=ada.user.id)
    assert "You can't use this model here" in (await refused(mira, general, LARGE)).text
    assert len(books.charges()) == 1

    await elsewhere.remove_rule(house.guild().id, rule, by=ada.user.id)
    await make(mira, general, LARGE)


def lines(message_of: Person, log: Channel) -> list[str]:
    return [m.text for m in message_of.messages(log) if m.ephemeral_to is None]


async def test_the_log_channel_gets_a_line_on_each_job_and_never_a_prompt(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    log = house.channel("workshop")
    await told(ada, general, "config log-channel", channel=log)
    message = await make(mira, general, LARGE)
    link = f"https://discord.com/channels/{house.guild().id}/{general.id}/{message.id}"
    posted = await ada.wait_for(log, lambda m: link in m.text)
    assert posted.text.startswith(
        f"<@{mira.user.id}> · one picture · papercut/fold\\-large · $0.04"
    )
    assert posted.pinged == frozenset()

    secret = {"prompt": "a secret heron", "model": MINI, "private": True}
    await pictures(mira, general, await mira.slash(general, "imagine", secret))
    posted = await ada.wait_for(log, lambda m: "in private" in m.text)
    assert "discord.com" not in posted.text
    await told(ada, general, "config blocklist", entry="an ugly word")
    await ada.wait_for(log, lambda m: "changed the prompt blocklist: one entry." in m.text)
    everything = " ".join(lines(ada, log))
    assert not any(word in everything for word in ("heron", "gull", "ugly"))

    await told(ada, general, "config log-channel")
    before = len(lines(ada, log))
    await make(mira, general, MINI)
    await house.stop_bot()
    assert len(lines(ada, log)) == before


async def test_a_job_that_failed_is_in_the_log_channel_too(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    log = house.channel("workshop")
    await told(ada, general, "config log-channel", channel=log)
    await refused(mira, general, "harborlight/upscale-4x")
    posted = await ada.wait_for(log, lambda m: "no picture" in m.text)
    assert "· free ·" in posted.text


async def test_quota_show_explains_what_concerns_somebody_here(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    workshop = house.channel("workshop")
    assert "Every model may be used, in every channel." in await told(ada, general, "quota show")
    await models(ada, general, "deny", "papercut/*", channel=general)
    await models(ada, general, "deny", "orchard/*", channel=workshop)
    await told(ada, general, "config private", state="off")
    await told(ada, general, "config default-model", model=MINI)
    await told(ada, general, "config blocklist", entry="quince")
    text = await told(ada, general, "quota show", member=mira.user, model=LARGE)
    assert f"- `papercut/*` denied in <#{general.id}>" in text
    assert "orchard" not in text
    assert "private results are switched off" in text
    assert "the default is papercut/fold\\-mini" in text
    assert "one entry on the blocklist" in text
    assert "but it would be refused: An admin has denied `papercut/*`" in text
    await told(ada, general, "config channels", channel=workshop)
    text = await told(ada, general, "quota show", model=FREE)
    assert "**No pictures are made in this channel**" in text
    assert "would be refused: No pictures are made in this channel." in text
