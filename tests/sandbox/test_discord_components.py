"""Buttons, select menus and modals, as a person meets them."""

import re
from typing import Any, Self

import discord
import pytest

from sandbox.discord import (
    Channel,
    DiscordServer,
    Guild,
    NotPossibleError,
    Person,
    UploadedFile,
)
from sandbox.tinybot import TinyBot

Interaction = discord.Interaction[Any]


class Count(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"count:(?P<n>\d+)"):
    """A button whose whole state is in its id."""

    def __init__(self, n: int) -> None:
        super().__init__(discord.ui.Button(label=f"Clicked {n}", custom_id=f"count:{n}"))
        self.n = n

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(int(match["n"]))

    async def callback(self, interaction: Interaction) -> None:
        view = discord.ui.LayoutView(timeout=None)
        row: discord.ui.ActionRow[Any] = discord.ui.ActionRow()
        row.add_item(Count(self.n + 1))
        view.add_item(discord.ui.Container(discord.ui.TextDisplay("counter"), row))
        await interaction.response.edit_message(view=view)


class Form(discord.ui.Modal, title="Describe it"):
    """A modal with the newer kinds of field."""

    prompt: discord.ui.Label[Any] = discord.ui.Label(
        text="Prompt",
        component=discord.ui.TextInput(custom_id="prompt", max_length=20),
    )
    size: discord.ui.Label[Any] = discord.ui.Label(
        text="Size",
        component=discord.ui.Select(
            custom_id="size",
            options=[discord.SelectOption(label="Big"), discord.SelectOption(label="Small")],
        ),
    )
    pictures: discord.ui.Label[Any] = discord.ui.Label(
        text="Pictures",
        component=discord.ui.FileUpload(custom_id="pictures", max_values=2, required=False),
    )

    async def on_submit(self, interaction: Interaction) -> None:
        prompt, size, pictures = (
            self.prompt.component,
            self.size.component,
            self.pictures.component,
        )
        assert isinstance(prompt, discord.ui.TextInput)
        assert isinstance(size, discord.ui.Select)
        assert isinstance(pictures, discord.ui.FileUpload)
        read = [await picture.read() for picture in pictures.values]
        await interaction.response.send_message(f"{prompt.value}, {size.values[0]}, {read}")


async def test_a_dynamic_button_changes_its_message(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person, theo: Person
) -> None:
    bot.add_dynamic_items(Count)

    @bot.tree.command(description="Count")
    async def counter(interaction: Interaction) -> None:
        view = discord.ui.View(timeout=None)
        view.add_item(Count(0))
        await interaction.response.send_message(view=view)

    await bot.begin(server)
    message = await (await mira.slash(channel, "counter")).answer()
    assert [button.label for button in message.buttons] == ["Clicked 0"]
    ask = await theo.click(message, "count:0")
    assert await ask.answer() is message
    assert [button.label for button in message.buttons] == ["Clicked 1"]
    assert message.text == "counter"
    assert message.edited_at is not None
    with pytest.raises(NotPossibleError, match="no count:0; it has"):
        await theo.click(message, "count:0")


async def test_a_disabled_button_cannot_be_clicked(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    @bot.tree.command(description="Locked")
    async def locked(interaction: Interaction) -> None:
        view = discord.ui.View()
        view.add_item(discord.ui.Button(label="No", custom_id="no", disabled=True))
        await interaction.response.send_message("locked", view=view)

    await bot.begin(server)
    message = await (await mira.slash(channel, "locked")).answer()
    with pytest.raises(NotPossibleError, match="disabled"):
        await mira.click(message, "no")


async def test_a_button_on_a_message_for_somebody_else_is_out_of_sight(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person, theo: Person
) -> None:
    @bot.tree.command(description="Private")
    async def private(interaction: Interaction) -> None:
        view = discord.ui.View()
        view.add_item(discord.ui.Button(label="Mine", custom_id="mine"))
        await interaction.response.send_message("psst", view=view, ephemeral=True)

    await bot.begin(server)
    message = await (await mira.slash(channel, "private")).answer()
    with pytest.raises(NotPossibleError, match="does not see"):
        await theo.click(message, "mine")


async def test_nobody_answering_a_click_fails_it(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    server.acknowledge_within = 0.2

    @bot.tree.command(description="Dead button")
    async def dead(interaction: Interaction) -> None:
        view = discord.ui.View()
        view.add_item(discord.ui.Button(label="Dead", custom_id="dead"))
        await interaction.response.send_message("dead", view=view)
        view.stop()

    await bot.begin(server)
    message = await (await mira.slash(channel, "dead")).answer()
    await server.wait_for_request("POST /interactions/*/*/callback")
    ask = await mira.click(message, "dead")
    await ask.failed()


async def test_a_select_menu_gives_strings_and_people(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person, theo: Person
) -> None:
    class Menu(discord.ui.View):
        @discord.ui.select(
            custom_id="colour",
            options=[discord.SelectOption(label="red"), discord.SelectOption(label="blue")],
            max_values=2,
        )
        async def colour(self, interaction: Interaction, select: discord.ui.Select[Any]) -> None:
            await interaction.response.send_message(" and ".join(select.values))

        @discord.ui.select(cls=discord.ui.UserSelect, custom_id="who")
        async def who(self, interaction: Interaction, select: discord.ui.UserSelect[Any]) -> None:
            await interaction.response.send_message(select.values[0].display_name)

    @bot.tree.command(description="Menu")
    async def menu(interaction: Interaction) -> None:
        await interaction.response.send_message("choose", view=Menu())

    await bot.begin(server)
    message = await (await mira.slash(channel, "menu")).answer()
    assert [select.custom_id for select in message.selects] == ["colour", "who"]
    ask = await mira.choose(message, "colour", ["red", "blue"])
    assert (await ask.answer()).text == "red and blue"
    assert (await (await mira.choose(message, "who", [theo.user])).answer()).text == "Theo"
    for wrong in (["green"], [], ["red", "red"], ["red", "blue", "green"]):
        with pytest.raises(NotPossibleError):
            await mira.choose(message, "colour", wrong)


async def test_a_modal_carries_text_choices_and_files(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person, theo: Person
) -> None:
    @bot.tree.command(description="Ask")
    async def describe(interaction: Interaction) -> None:
        await interaction.response.send_modal(Form())

    await bot.begin(server)
    ask = await mira.slash(channel, "describe")
    modal = await ask.form()
    assert modal.title == "Describe it"
    values = {"prompt": "a cat", "size": ["Big"]}
    files = {"pictures": [UploadedFile("a.png", b"one"), UploadedFile("b.png", b"two")]}
    answer = await (await mira.submit(modal, values, files)).answer()
    assert answer.text == "a cat, Big, [b'one', b'two']"
    with pytest.raises(NotPossibleError):
        await mira.submit(modal, {**values, "prompt": "far too long for this field"})
    with pytest.raises(NotPossibleError):
        await mira.submit(modal, {"prompt": "no size"})
    with pytest.raises(NotPossibleError, match="somebody else"):
        await theo.submit(modal, values)


async def test_a_modal_takes_files_as_large_as_its_persons_client_sends(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    class Weigh(Form, title="Weigh it"):
        async def on_submit(self, interaction: Interaction) -> None:
            assert isinstance(self.pictures.component, discord.ui.FileUpload)
            sizes = [picture.size for picture in self.pictures.component.values]
            await interaction.response.send_message(str(sizes))

    @bot.tree.command(description="Ask")
    async def describe(interaction: Interaction) -> None:
        await interaction.response.send_modal(Weigh())

    await bot.begin(server)
    mira.user.upload_limit = 11 * 2**20
    values = {"prompt": "a cat", "size": ["Big"]}
    modal = await (await mira.slash(channel, "describe")).form()
    with pytest.raises(NotPossibleError, match="too big"):
        await mira.submit(modal, values, {"pictures": UploadedFile("a.png", bytes(12 * 2**20))})
    large = UploadedFile("a.png", bytes(10 * 2**20 + 1))
    answer = await (await mira.submit(modal, values, {"pictures": large})).answer()
    assert answer.text == f"[{10 * 2**20 + 1}]"


async def test_a_modal_cannot_follow_a_defer(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    @bot.tree.command(description="Ask late")
    async def describe(interaction: Interaction) -> None:
        await interaction.response.defer()
        await discord.InteractionResponse(interaction).send_modal(Form())

    await bot.begin(server)
    ask = await mira.slash(channel, "describe")
    assert (await bot.refused()).code == 40060
    assert ask.modal is None


async def test_a_modal_from_a_button_may_update_the_buttons_message(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    class Rename(discord.ui.Modal, title="Rename"):
        name: discord.ui.TextInput[Any] = discord.ui.TextInput(label="Name", custom_id="name")

        async def on_submit(self, interaction: Interaction) -> None:
            await interaction.response.edit_message(content=f"called {self.name.value}")

    class Menu(discord.ui.View):
        @discord.ui.button(label="Rename", custom_id="rename")
        async def rename(self, interaction: Interaction, _: discord.ui.Button[Any]) -> None:
            await interaction.response.send_modal(Rename())

    @bot.tree.command(description="Menu")
    async def menu(interaction: Interaction) -> None:
        await interaction.response.send_message("called nothing", view=Menu())

    await bot.begin(server)
    message = await (await mira.slash(channel, "menu")).answer()
    modal = await (await mira.click(message, "rename")).form()
    ask = await mira.submit(modal, {"name": "Felix"})
    assert await ask.answer() is message
    assert message.text == "called Felix"


async def test_a_deferred_update_leaves_the_message_until_it_is_edited(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    class Menu(discord.ui.View):
        @discord.ui.button(label="Go", custom_id="go")
        async def go(self, interaction: Interaction, _: discord.ui.Button[Any]) -> None:
            await interaction.response.defer()
            await interaction.followup.send("working on it", ephemeral=True)
            await interaction.edit_original_response(content="went")

    @bot.tree.command(description="Menu")
    async def menu(interaction: Interaction) -> None:
        await interaction.response.send_message("ready", view=Menu())

    await bot.begin(server)
    message = await (await mira.slash(channel, "menu")).answer()
    ask = await mira.click(message, "go")
    assert (await ask.followup()).ephemeral_to == mira.user.id
    assert await ask.answer() is message
    assert message.text == "went"


async def test_more_than_forty_components_are_refused(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    @bot.tree.command(description="Too much")
    async def much(interaction: Interaction) -> None:
        displays = [{"type": 10, "content": f"{n}"} for n in range(41)]
        await bot.http.request(
            discord.http.Route(
                "POST",
                "/interactions/{interaction_id}/{token}/callback",
                interaction_id=interaction.id,
                token=interaction.token,
            ),
            json={"type": 4, "data": {"flags": 1 << 15, "components": displays}},
        )

    await bot.begin(server)
    ask = await mira.slash(channel, "much")
    assert (await bot.refused()).code == 50035
    assert ask.message is None


async def test_text_beside_components_v2_is_refused(
    server: DiscordServer, bot: TinyBot, channel: Channel, guild: Guild
) -> None:
    await bot.begin(server)
    route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=channel.id)
    body = {"content": "x", "flags": 1 << 15, "components": [{"type": 10, "content": "y"}]}
    with pytest.raises(discord.HTTPException) as refusal:
        await bot.http.request(route, json=body)
    assert (refusal.value.status, refusal.value.code) == (400, 50035)
    with pytest.raises(discord.HTTPException) as refusal:
        await bot.http.request(route, json={"content": "x" * 2001})
    assert refusal.value.code == 50035
    assert server.world.history[channel.id] == []
