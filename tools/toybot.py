"""A small discord.py bot that answers with everything that the sandbox's page can draw.

The page's browser tests use it, so that they test the page and nothing of the real bot.
"""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import discord
from discord import app_commands, ui
from PIL import Image

from sandbox.clock import SandboxClock
from sandbox.discord import DiscordServer, connect_discord_py
from sandbox.page import PageServer

Interaction = discord.Interaction[Any]

FRUIT: Final = ("apple", "apricot", "banana", "cherry")


def drawing(color: str, side: int = 64) -> bytes:
    """Return a small PNG."""
    out = io.BytesIO()
    Image.new("RGB", (side, side), color).save(out, "PNG")
    return out.getvalue()


class ToyBot(discord.Client):
    """Answers its commands with whatever a test wants to see drawn."""

    def __init__(self) -> None:
        super().__init__(
            intents=discord.Intents.default(),
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=0,
        )
        self.tree = app_commands.CommandTree(self)
        self.go = asyncio.Event()
        """What `/slow` waits for."""
        self.tree.add_command(show)
        self.tree.add_command(embed)
        self.tree.add_command(pick)
        self.tree.add_command(gallery)
        self.tree.add_command(slow)
        self.tree.add_command(silent)
        self.tree.add_command(form)
        self.tree.add_command(boxes)
        self.tree.add_command(upload)
        self.tree.add_command(fleeting)
        self.tree.add_command(manage)
        self.tree.add_command(count_letters)

    async def setup_hook(self) -> None:
        """Register the commands."""
        await self.tree.sync()


@app_commands.command()
async def show(interaction: Interaction, text: str) -> None:
    """Say something in public."""
    await interaction.response.send_message(text)


@app_commands.command()
async def embed(interaction: Interaction) -> None:
    """Show an embed."""
    made = discord.Embed(title="Books", description="All **honest**", color=0x2288AA)
    made.add_field(name="Today", value="$0.02")
    made.set_footer(text="micro-USD")
    await interaction.response.send_message(embed=made)


@app_commands.command()
@app_commands.choices(
    basket=[app_commands.Choice(name=n.title(), value=n) for n in ("round", "flat")]
)
async def pick(
    interaction: Interaction,
    fruit: str,
    basket: str = "none",
    amount: app_commands.Range[int, 1, 4] = 1,
    ripe: bool = False,  # noqa: FBT001, FBT002 - a command's options are its parameters
    friend: discord.Member | None = None,
) -> None:
    """Choose things."""
    who = friend.display_name if friend else "nobody"
    await interaction.response.send_message(
        f"fruit={fruit} basket={basket} amount={amount} ripe={ripe} friend={who}", ephemeral=True
    )


@pick.autocomplete("fruit")
async def _fruit(_: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    return [
        app_commands.Choice(name=f"{name.title()} tree", value=f"id-{name}")
        for name in FRUIT
        if typed.lower() in name
    ]


class Counter(ui.LayoutView):
    """Every component that a message can have; its button counts."""

    def __init__(self, files: list[discord.File], *, count: int = 0, chosen: str = "") -> None:
        super().__init__(timeout=None)
        self.count = count
        box = ui.Container[Any](accent_color=0x17857B)
        plus = ui.Button[Any](label="Plus one", custom_id="plus", style=discord.ButtonStyle.success)
        plus.callback = self._plus  # type: ignore[method-assign]  # discord.py's own way
        box.add_item(ui.Section(ui.TextDisplay(f"### Count {count}"), accessory=plus))
        if files:
            box.add_item(
                ui.Section(
                    ui.TextDisplay("A *thumbnail*"),
                    accessory=ui.Thumbnail(files[0], description="Tiny"),
                )
            )
            box.add_item(ui.MediaGallery(*(discord.MediaGalleryItem(one) for one in files[:-1])))
            box.add_item(ui.File(files[-1]))
        box.add_item(ui.Separator(spacing=discord.SeparatorSpacing.large))
        box.add_item(ui.TextDisplay(f"-# chosen: {chosen or 'nothing'}"))
        menu = ui.Select[Any](
            custom_id="menu",
            placeholder="Colours",
            max_values=2,
            options=[
                discord.SelectOption(label=n, value=n.lower()) for n in ("Red", "Blue", "Green")
            ],
        )
        self.menu = menu
        menu.callback = self._chose  # type: ignore[method-assign]  # discord.py's own way
        box.add_item(ui.ActionRow(menu))
        row = ui.ActionRow[Any](
            ui.Button(label="Docs", url="https://example.com/docs"),
            ui.Button(label="Never", custom_id="never", disabled=True),
        )
        self.add_item(box)
        self.add_item(row)

    async def _plus(self, interaction: Interaction) -> None:
        await interaction.response.edit_message(view=Counter([], count=self.count + 1))

    async def _chose(self, interaction: Interaction) -> None:
        chosen = ", ".join(sorted(self.menu.values))
        await interaction.response.edit_message(view=Counter([], count=self.count, chosen=chosen))


@app_commands.command()
async def gallery(interaction: Interaction) -> None:
    """Show every component."""
    files = [
        discord.File(io.BytesIO(drawing(color)), f"{color}.png") for color in ("teal", "tomato")
    ]
    files.append(discord.File(io.BytesIO(b"books"), "ledger.txt"))
    await interaction.response.send_message(view=Counter(files), files=files)


@app_commands.command()
async def slow(
    interaction: Interaction,
    private: bool = False,  # noqa: FBT001, FBT002 - a command's options are its parameters
) -> None:
    """Take a while."""
    await interaction.response.defer(thinking=True, ephemeral=private)
    await _toy(interaction).go.wait()
    await interaction.edit_original_response(content="done at last")
    await interaction.edit_original_response(content="done, and edited")


@app_commands.command()
async def silent(interaction: Interaction) -> None:
    """Never answer."""
    del interaction


class Form(ui.Modal, title="All fields"):
    """Every field that a modal can have."""

    def __init__(self) -> None:
        super().__init__()
        self.name = ui.TextInput[Any](min_length=3)
        self.story = ui.TextInput[Any](style=discord.TextStyle.paragraph, required=False)
        self.color = ui.Select[Any](
            options=[discord.SelectOption(label=n) for n in ("Red", "Blue")]
        )
        self.size = ui.RadioGroup[Any](
            options=[discord.RadioGroupOption(label=n, value=n.lower()) for n in ("Small", "Large")]
        )
        self.add_item(ui.TextDisplay("Fill in **everything**."))
        for text, description, component in (
            ("Name", "At least three letters", self.name),
            ("Story", None, self.story),
            ("Colour", None, self.color),
            ("Size", None, self.size),
        ):
            self.add_item(ui.Label(text=text, description=description, component=component))

    async def on_submit(self, interaction: Interaction) -> None:
        """Answer with what was filled in."""
        parts = (self.name.value, self.story.value, ",".join(self.color.values), self.size.value)
        await interaction.response.send_message(" | ".join(map(str, parts)), ephemeral=True)


class Uploads(ui.Modal, title="Files and boxes"):
    """The other fields; a modal has room for five."""

    def __init__(self) -> None:
        super().__init__()
        self.files = ui.FileUpload[Any](max_values=2)
        self.extras = ui.CheckboxGroup[Any](
            options=[
                discord.CheckboxGroupOption(label=n, value=n.lower()) for n in ("Salt", "Oil")
            ],
            required=False,
            min_values=0,
        )
        self.sure = ui.Checkbox[Any]()
        self.whom = ui.UserSelect[Any](required=False)
        self.add_item(ui.Label(text="Files", component=self.files))
        self.add_item(ui.Label(text="Extras", component=self.extras))
        self.add_item(ui.Label(text="Really", component=self.sure))
        self.add_item(ui.Label(text="Whom", component=self.whom))

    async def on_submit(self, interaction: Interaction) -> None:
        """Answer with what was filled in."""
        names = [f"{file.filename}:{len(await file.read())}" for file in self.files.values]
        whom = [user.display_name for user in self.whom.values]
        parts = (",".join(names), ",".join(self.extras.values), self.sure.value, ",".join(whom))
        await interaction.response.send_message(" | ".join(map(str, parts)), ephemeral=True)


@app_commands.command()
async def form(interaction: Interaction) -> None:
    """Fill in a form."""
    await interaction.response.send_modal(Form())


@app_commands.command()
async def boxes(interaction: Interaction) -> None:
    """Fill in another form."""
    await interaction.response.send_modal(Uploads())


@app_commands.command()
async def upload(
    interaction: Interaction,
    picture: discord.Attachment,
    mask: discord.Attachment | None = None,
) -> None:
    """Send a file."""
    files = [await one.to_file() for one in (picture, mask) if one]
    await interaction.response.send_message("as sent", files=files)


@app_commands.command()
async def fleeting(interaction: Interaction) -> None:
    """Say something that vanishes."""
    await interaction.response.send_message("soon gone")
    await _toy(interaction).go.wait()
    await interaction.delete_original_response()


@app_commands.command()
@app_commands.default_permissions(manage_guild=True)
async def manage(interaction: Interaction) -> None:
    """For admins only."""
    await interaction.response.send_message("managed")


@app_commands.context_menu(name="Count letters")
@app_commands.allowed_installs(guilds=True, users=True)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
async def count_letters(interaction: Interaction, message: discord.Message) -> None:
    """Count the letters of a message."""
    await interaction.response.send_message(f"{len(message.content)} letters", ephemeral=True)


def _toy(interaction: Interaction) -> ToyBot:
    if not isinstance(interaction.client, ToyBot):
        raise TypeError("these commands belong to the toy bot")
    return interaction.client


@dataclass(frozen=True, slots=True)
class Place:
    """A sandbox with the toy bot in it, and its page."""

    clock: SandboxClock
    discord: DiscordServer
    bot: ToyBot
    page: PageServer


@asynccontextmanager
async def toy_place() -> AsyncIterator[Place]:
    """Run a local Discord, its page, and the toy bot with its commands registered."""
    clock = SandboxClock()
    async with (
        DiscordServer(clock) as server,
        PageServer(server, None, clock, port=0) as page,
    ):
        with connect_discord_py(server):
            bot = ToyBot()
            async with bot:
                running = asyncio.create_task(bot.start(server.token))
                await server.wait_for_bot()
                await server.wait_for_request("PUT /applications/*/commands")
                try:
                    yield Place(clock, server, bot, page)
                finally:
                    await bot.close()
                    await running
