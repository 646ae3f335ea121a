"""The painter keeps a server's rules: on its page, and when Generate is pressed."""

from sandbox.books import Books
from sandbox.discord import Channel, Person
from sandbox.house import House
from sandbox.talk import told
from tests.web.paint import MODEL, Link, Told, invited, painted, result

BOX = (40, 30, 120, 90)


async def listed(link: Link) -> set[str]:
    """The models that the page offers."""
    models = (await link.get("/state")).json["models"]
    assert isinstance(models, list)
    return {str(each["id"]) for each in models}


async def config(house: House, name: str, /, **options: object) -> str:
    """Let the admin change something."""
    ada: Person = house.person("ada")
    general: Channel = house.channel("general")
    return await told(ada, general, f"config {name}", **options)


async def refusal(answer: Told) -> str:
    assert answer.status >= 400
    return str(answer.json)


async def test_the_page_lists_what_its_member_may_use_by_role_and_channel(house: House) -> None:
    world, guild = house.discord.world, house.guild()
    booster, everyone = world.role(guild, "Booster"), guild.roles[guild.id]
    link = await invited(house)
    every = await listed(link)
    assert MODEL in every
    await config(house, "models", action="deny", models=MODEL, role=booster)
    assert await listed(link) == every
    world.set_roles(guild, house.person("mira").user, [booster])
    assert await listed(link) == every - {MODEL}
    await config(house, "models", action="deny", models="*", role=everyone)
    assert await listed(link) == set()


async def test_generate_is_judged_by_what_is_set_when_it_is_pressed(
    house: House, books: Books
) -> None:
    link = await invited(house)
    await config(house, "models", action="deny", models=MODEL)
    told_why = await refusal(await link.generate(painted(BOX)))
    assert "use this model here" in told_why
    await config(house, "models", action="remove")
    await config(house, "blocklist", entry="red boat")
    assert "does not allow" in await refusal(await link.generate(painted(BOX)))
    assert books.charges() == []
    assert house.imagerouter.requests == []

    await config(house, "blocklist", entry="red boat", state="off")
    assert (await link.generate(painted(BOX))).status == 202
    await result(house)


async def test_a_channel_that_is_closed_and_private_results_that_are_off_bind_links_of_before(
    house: House, books: Books
) -> None:
    link, private = await invited(house), await invited(house, private=True)
    await config(house, "private", state="off")
    assert "switched off" in await refusal(await private.generate(painted(BOX)))
    await config(house, "channels", channel=house.channel("workshop"))
    assert "in this channel" in await refusal(await link.generate(painted(BOX)))
    assert books.charges() == []


async def test_age_restricted_models_are_listed_where_the_channel_is(house: House) -> None:
    link = await invited(house)
    await config(house, "models", action="age_restricted", models=MODEL)
    assert MODEL not in await listed(link)
    house.discord.world.age_restrict(house.channel("general"))
    await house.person("mira").autocomplete(  # the bot has heard of the channel by then
        house.channel("general"), "imagine", {"prompt": "x", "model": ""}, "model"
    )
    assert MODEL in await listed(link)
    assert (await link.generate(painted(BOX))).status == 202
    await result(house)
