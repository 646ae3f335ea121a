"""/audit: each rule that an admin can change leaves a line, and only their own guild's is shown."""

import importlib

import pytest
from discord import app_commands

from bot.graph import COGS
from bot.storage import Erasure, Kind
from cogs.ui import audit_words
from sandbox.books import Books
from sandbox.discord import Channel, Message, Person
from sandbox.house import House, button
from sandbox.imagerouter import Fault
from sandbox.talk import answered, mail, refused, told
from tests.discord.edits import rename

LARGE = "papercut/fold-large"
OWLS = "Night Owls"
UNCHANGING = {
    "quota show",
    "operator status",
    "operator report",
    "operator reconcile",
    "operator charge",
    "operator audit",
}
"""Commands of those groups that change no rule."""

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


def commands_that_change_rules() -> set[str]:
    """All of `/quota`, `/config` and `/operator`, but for those that only show."""
    names = set()
    for name in COGS:
        if name.rpartition(".")[2] in {"quota", "config", "operator"}:
            for cog in vars(importlib.import_module(name)).values():
                for command in getattr(cog, "__cog_app_commands__", ()):
                    if isinstance(command, app_commands.Command):
                        names.add(f"{cog.__cog_group_name__} {command.name}")
    return names - UNCHANGING


async def press(person: Person, panel: Message, label: str) -> None:
    await (await person.click(panel, button(panel, label))).answer()


async def choose(person: Person, panel: Message, kind: str) -> None:
    menu = next(each for each in panel.selects if (each.custom_id or "").startswith("audit:kind"))
    await (await person.choose(panel, menu.custom_id or "", [kind])).answer()


async def test_every_rule_that_can_be_changed_leaves_a_line_in_words(
    house: House, ada: Person, oskar: Person, mira: Person, theo: Person, general: Channel
) -> None:
    house.discord.rate_limits = False
    booster = house.discord.world.role(house.guild(), "Booster")
    art, server = house.channel("pictures"), str(general.guild_id)
    home = mail(house, oskar)
    await lose(house, mira, general)
    [charge] = await oskar.autocomplete(home, "operator settle", {"charge": ""}, "charge")
    changes: list[tuple[Person, str, dict[str, object], str]] = [
        (ada, "quota set", {"per": "day", "amount": "1", "role": booster},
         f"Limit a day (each holder of <@&{booster.id}>): nothing → $1.00"),
        (ada, "quota set", {"per": "day", "amount": "2", "member": mira.user},
         f"Limit a day (<@{mira.user.id}>): nothing → $2.00"),
        (ada, "quota set", {"per": "day", "member": mira.user},
         f"Limit a day (<@{mira.user.id}>): $2.00 → nothing"),
        (ada, "quota grant", {"member": mira.user, "amount": "3", "reason": "a *prize*"},
         f"Gave <@{mira.user.id}> $3.00 extra, once: a \\*prize\\*"),
        (ada, "quota block", {"member": mira.user, "reason": "rude"},
         f"Blocked <@{mira.user.id}>: rude"),
        (ada, "quota block", {"member": mira.user, "state": "off"},
         f"Unblocked <@{mira.user.id}>"),
        (ada, "quota block", {"member": mira.user}, f"Blocked <@{mira.user.id}>"),
        (ada, "config timezone", {"timezone": "Europe/Berlin"}, "Time zone: UTC → Europe/Berlin"),
        (ada, "config alert-channel", {"channel": art}, f"Channel of alerts: none → <#{art.id}>"),
        (ada, "config log-channel", {"channel": art}, f"Log channel: none → <#{art.id}>"),
        (ada, "config log-channel", {}, f"Log channel: <#{art.id}> → none"),
        (ada, "config managers", {"role": booster}, f"Managers: none → <@&{booster.id}>"),
        (ada, "config confirm-above", {"amount": "0.25"},
         "Confirmations: nobody is asked → above $0.25"),
        (ada, "config retention", {"keep": "30"},
         "Prompts are kept: as the operator has set → 30 days"),
        (ada, "config retention", {"keep": "off"},
         "Prompts are kept: 30 days → until somebody erases them"),
        (ada, "config digest", {"every": "week", "channel": art},
         f"Digest: none → each week in <#{art.id}>"),
        (ada, "config digest", {"every": "off"}, f"Digest: each week in <#{art.id}> → none"),
        (ada, "config pause", {}, "Paused pictures"),
        (ada, "config pause", {"state": "off"}, "Ended the pause"),
        (ada, "config models", {"action": "deny", "models": "openai/*"},
         "Models: `openai/*` denied in this server"),
        (ada, "config models", {"action": "allow", "models": "*:free", "role": booster},
         f"Models: `*:free` allowed for <@&{booster.id}>"),
        (ada, "config models", {"action": "remove", "models": "openai/*"},
         "Models: `openai/*` denied in this server no more"),
        (ada, "config channels", {"channel": art}, f"Pictures are made in <#{art.id}>"),
        (ada, "config channels", {"channel": art, "state": "off"},
         f"<#{art.id}> is named no more"),
        (ada, "config channels", {"channel": art}, f"Pictures are made in <#{art.id}>"),
        (ada, "config channels", {"state": "off"},
         "Pictures are made in every channel again (1 had been named)"),
        (ada, "config private", {"state": "off"}, "Private results: on → off"),
        (ada, "config blocklist", {"entry": "casino*"}, "Blocked “casino\\*” in prompts"),
        (ada, "config blocklist", {"entry": "casino*", "state": "off"},
         "“casino\\*” is blocked no more"),
        (ada, "config default-model", {"model": LARGE},
         "Default model: the bot's own → papercut/fold\\-large"),
        (oskar, "operator guild", {"per": "month", "amount": "5", "server": server},
         "Limit a month (everybody in the server together): nothing → $5.00"),
        (oskar, "operator unblock", {"server": server, "person": mira.user},
         f"Unblocked <@{mira.user.id}>"),
        (oskar, "operator settle", {"charge": charge.value, "cost": "0.04", "reason": "listed"},
         f"Settled charge {charge.value} by hand: unknown $0.08 → $0.04: listed"),
    ]  # fmt: skip
    for number, (person, command, options, words) in enumerate(changes, 1):
        house.clock.advance(1000)
        place = home if person is oskar else general
        await told(person, place, command, **options)
        text = await told(ada, general, "audit")
        who = "The operator" if person is oskar else f"<@{ada.user.id}>"
        assert f"{number:,} change{'' if number == 1 else 's'}" in text
        assert text.splitlines()[2] == words
        assert text.splitlines()[3].endswith(f":f> · {who}")

    elsewhere: list[tuple[str, dict[str, object], str]] = [
        ("operator person", {"person": theo.user, "per": "day", "amount": "1"},
         f"Limit a day (<@{theo.user.id}>, everywhere): nothing → $1.00"),
        ("operator budget", {"per": "month", "amount": "9"},
         "Limit a month (everybody everywhere together): nothing → $9.00"),
        ("operator pause", {}, "Paused pictures everywhere"),
        ("operator resume", {}, "Ended the pause everywhere"),
    ]  # fmt: skip
    for command, options, words in elsewhere:
        house.clock.advance(1000)
        await told(oskar, home, command, **options)
        text = await told(oskar, home, "operator audit")
        assert text.splitlines()[2] == words
        assert text.splitlines()[3].endswith(f"<@{oskar.user.id}> · everywhere")
    told_of = {command for _, command, _, _ in changes} | {command for command, _, _ in elsewhere}
    assert told_of == commands_that_change_rules()

    text = await told(ada, general, "audit")
    assert "everywhere" not in text
    assert str(theo.user.id) not in text
    text = await told(oskar, home, "operator audit")
    assert f"<@{oskar.user.id}> · Paper Boat Society\n" in text
    assert f"<@{ada.user.id}>" not in text
    text = await told(oskar, home, "operator audit", server=server)
    assert "### Who changed which rule in Paper Boat Society" in text


async def lose(house: House, mira: Person, general: Channel) -> None:
    house.imagerouter.faults.add(Fault(end_early=True))
    await refused(mira, general, LARGE)


def test_every_kind_of_change_has_a_name() -> None:
    assert set(audit_words.KINDS) == set(Kind)


async def test_nothing_of_another_server_is_ever_shown(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    lobby = house.channel("lobby", guild=OWLS)
    await told(ada, lobby, "config blocklist", entry="secretword")
    await told(ada, general, "config blocklist", entry="casino")
    panel = await answered(ada, general, "audit")
    assert "1 change, newest first" in panel.text
    assert "secretword" not in panel.text
    assert "secretword" not in await told(ada, general, "audit", person=ada.user)
    assert "secretword" in await told(ada, lobby, "audit")


async def test_pages_work_after_restarts_and_end_where_there_is_no_more(
    house: House, ada: Person, general: Channel
) -> None:
    house.discord.rate_limits = False
    for number in range(1, 19):
        house.clock.advance(1000)
        await told(ada, general, "quota set", per="day", amount=f"{number}")
    panel = await answered(ada, general, "audit")
    assert "18 changes, newest first · page 1 of 3" in panel.text
    assert "$17.00 → $18.00" in panel.text
    assert [each.disabled for each in panel.buttons] == [True, False]
    await house.restart_bot()
    await press(ada, panel, "Older")
    assert "page 2 of 3" in panel.text
    assert "$9.00 → $10.00" in panel.text
    await house.restart_bot()
    await press(ada, panel, "Older")
    assert "nothing → $1.00" in panel.text
    assert [each.disabled for each in panel.buttons] == [False, True]
    await press(ada, panel, "Newer")
    assert "page 2 of 3" in panel.text


async def test_it_is_filtered_by_kind_and_by_person(
    house: House, ada: Person, mira: Person, theo: Person, general: Channel
) -> None:
    await told(ada, general, "quota set", per="day", amount="1", member=mira.user)
    await told(ada, general, "quota block", member=theo.user)
    await told(ada, general, "config private", state="off")
    panel = await answered(ada, general, "audit", person=theo.user)
    assert f"1 change by or for <@{theo.user.id}>" in panel.text
    assert f"Blocked <@{theo.user.id}>" in panel.text
    await choose(ada, panel, "limit")
    assert "0 changes by or for" in panel.text
    assert "Nothing was changed." in panel.text
    panel = await answered(ada, general, "audit", kind="private")
    assert "1 change, newest first" in panel.text
    await choose(ada, panel, "all")
    assert "3 changes, newest first" in panel.text
    assert "3 changes by or for" in await told(ada, general, "audit", person=ada.user)


async def test_it_is_for_those_who_manage_the_server_at_each_click(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    guild, world = house.guild(), house.discord.world
    painters = world.add_role(guild, "Painters")
    world.set_roles(guild, mira.user, [painters])
    world.show_command(guild, "audit", painters)
    await told(ada, general, "config private", state="off")
    assert "**Manage Server**" in await told(mira, general, "audit")

    await told(ada, general, "config managers", role=painters)
    panel = await answered(mira, general, "audit")
    assert "Private results: on → off" in panel.text
    await told(ada, general, "config managers")
    [menu] = panel.selects
    ask = await mira.choose(panel, menu.custom_id or "", ["private"])
    assert "**Manage Server**" in (await ask.followup()).text
    assert "2 changes" in panel.text  # nothing was shown anew


async def test_the_trail_of_operators_is_not_opened_by_a_forged_click(
    house: House, ada: Person, oskar: Person, general: Channel
) -> None:
    await told(oskar, mail(house, oskar), "operator pause")
    panel = await answered(ada, general, "audit")
    for where in ("operators", "0", str(house.guild(OWLS).id)):
        other = f"audit:kind:{where}:all:0:1"
        rename(panel, panel.selects[0].custom_id or "", other)
        ask = await ada.choose(panel, other, ["all"])
        assert "the operator of this bot, who pays" in (await ask.followup()).text


async def test_erased_people_are_somebody(
    house: House, ada: Person, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    await told(ada, general, "quota set", per="day", amount="1", member=mira.user)
    await told(ada, general, "quota block", member=mira.user, reason="noise")
    services = house.bot.services
    erasure = Erasure(services.database, clock=services.clock)
    for person in (mira, ada):
        await erasure.erase_person(person.user.id)
    text = await told(ada, general, "audit")
    assert text.count(":f> · somebody (erased)") == 2
    assert "Limit a day (somebody (erased)): nothing → $1.00" in text
    assert "Blocked somebody (erased): noise" in text
    assert str(mira.user.id) not in text
