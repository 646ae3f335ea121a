"""Forms that open from the apps menu: their fields, their defaults, and what they refuse."""

from typing import Any

import discord
import pytest
from discord import ui

from sandbox.discord import Channel, DiscordServer, NotPossibleError, Person, UploadedFile
from sandbox.tinybot import TinyBot

Interaction = discord.Interaction[Any]


class EditForm(ui.Modal, title="Edit this"):
    """Five fields, which is what a form has room for."""

    prompt = ui.Label[Any](
        text="Prompt", component=ui.TextInput(custom_id="prompt", default="a boat", required=False)
    )
    model = ui.Label[Any](
        text="Model",
        component=ui.Select(
            custom_id="model",
            options=[
                discord.SelectOption(label="Quick"),
                discord.SelectOption(label="Slow", default=True),
            ],
        ),
    )
    pictures = ui.Label[Any](
        text="Pictures",
        component=ui.FileUpload(custom_id="pictures", min_values=2, max_values=3, required=False),
    )
    parts = ui.Label[Any](
        text="Parts",
        component=ui.CheckboxGroup(
            custom_id="parts",
            options=[
                discord.CheckboxGroupOption(label="Sky", value="sky", default=True),
                discord.CheckboxGroupOption(label="Sea", value="sea"),
            ],
            required=False,
        ),
    )
    private = ui.Label[Any](
        text="Private", component=ui.Checkbox(custom_id="private", default=True)
    )

    def __init__(self, got: list[tuple[object, ...]]) -> None:
        super().__init__()
        self.got = got

    async def on_submit(self, interaction: Interaction) -> None:
        assert isinstance(self.prompt.component, ui.TextInput)
        assert isinstance(self.model.component, ui.Select)
        assert isinstance(self.pictures.component, ui.FileUpload)
        assert isinstance(self.parts.component, ui.CheckboxGroup)
        assert isinstance(self.private.component, ui.Checkbox)
        files = [await picture.read() for picture in self.pictures.component.values]
        self.got.append(
            (
                self.prompt.component.value,
                self.model.component.values,
                files,
                self.parts.component.values,
                self.private.component.value,
            )
        )
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.followup.send("done")


@pytest.fixture
def got(bot: TinyBot) -> list[tuple[object, ...]]:
    """What was filled in."""
    filled: list[tuple[object, ...]] = []

    @bot.tree.context_menu(name="Edit")
    async def edit(interaction: Interaction, message: discord.Message) -> None:
        assert message.attachments
        await interaction.response.send_modal(EditForm(filled))

    @bot.tree.context_menu(name="Edit late")
    async def edit_late(interaction: Interaction, _: discord.Message) -> None:
        await interaction.response.defer()
        await discord.InteractionResponse(interaction).send_modal(EditForm(filled))

    @bot.tree.context_menu(name="Edit too much")
    async def edit_too_much(interaction: Interaction, _: discord.Message) -> None:
        form = EditForm(filled)
        # discord.py counts, too; Discord's own refusal is what is tried here.
        form.to_components = lambda: [  # type: ignore[method-assign]
            {"type": 10, "content": str(n)} for n in range(6)
        ]
        await interaction.response.send_modal(form)

    return filled


async def test_a_form_opens_on_a_message_and_keeps_what_is_not_touched(
    server: DiscordServer,
    bot: TinyBot,
    channel: Channel,
    mira: Person,
    theo: Person,
    got: list[tuple[object, ...]],
) -> None:
    await bot.begin(server)
    said = await theo.say(channel, files=[UploadedFile("cat.png", b"meow")])
    modal = await (await mira.apps_menu(channel, "Edit", said)).form()
    answer = await (await mira.submit(modal, {})).answer()
    assert (answer.text, answer.ephemeral_to) == ("done", mira.user.id)
    modal = await (await mira.apps_menu(channel, "Edit", said)).form()
    files = {"pictures": [UploadedFile("a.png", b"one"), UploadedFile("b.png", b"two")]}
    values = {"prompt": "a ship", "model": ["Quick"], "parts": ["sea"], "private": False}
    await (await mira.submit(modal, values, files)).answer()
    assert got == [
        ("a boat", ["Slow"], [], ["sky"], True),
        ("a ship", ["Quick"], [b"one", b"two"], ["sea"], False),
    ]


@pytest.mark.parametrize(
    ("values", "files"),
    [
        ({}, 1),
        ({}, 4),
        ({"model": ["Quick", "Slow"]}, 0),
        ({"model": []}, 0),
        ({"model": ["Other"]}, 0),
        ({"parts": ["moon"]}, 0),
        ({"private": "yes"}, 0),
        ({"nothing": "here"}, 0),
    ],
)
async def test_what_a_form_does_not_take_is_never_sent(
    server: DiscordServer,
    bot: TinyBot,
    channel: Channel,
    mira: Person,
    got: list[tuple[object, ...]],
    values: dict[str, object],
    files: int,
) -> None:
    await bot.begin(server)
    said = await mira.say(channel, files=[UploadedFile("cat.png", b"meow")])
    modal = await (await mira.apps_menu(channel, "Edit", said)).form()
    uploads = [UploadedFile(f"{n}.png", b"x") for n in range(files)]
    with pytest.raises(NotPossibleError):
        await mira.submit(modal, values, {"pictures": uploads} if files else {})
    assert got == []


@pytest.mark.parametrize(("command", "code"), [("Edit late", 40060), ("Edit too much", 50035)])
async def test_no_form_follows_a_defer_or_has_more_than_five_parts(
    server: DiscordServer,
    bot: TinyBot,
    channel: Channel,
    mira: Person,
    got: list[tuple[object, ...]],
    command: str,
    code: int,
) -> None:
    await bot.begin(server)
    said = await mira.say(channel, files=[UploadedFile("cat.png", b"meow")])
    ask = await mira.apps_menu(channel, command, said)
    assert (await bot.refused()).code == code
    assert ask.modal is None
    assert got == []
