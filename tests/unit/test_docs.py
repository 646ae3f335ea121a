"""Documentation that cannot rot: every setting and every command is explained."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import discord
import pytest
from discord import app_commands
from discord.ext import commands

from bot.client import PERMISSIONS
from bot.graph import COGS
from bot.settings import SPECS, Spec

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDES = [
    (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    for name in ("members", "editing", "models", "quotas", "policy", "reports", "operators")
]
AnyCommand = app_commands.Command[Any, ..., Any]


def commands_of(extension: str) -> Iterator[tuple[str, AnyCommand]]:
    """The slash commands of an extension's cogs, with their full names: `quota set`."""
    for cog in vars(importlib.import_module(extension)).values():
        if isinstance(cog, type) and issubclass(cog, commands.Cog) and cog.__module__ == extension:
            group = f"{cog.__cog_group_name__} " if issubclass(cog, commands.GroupCog) else ""
            for command in cog.__cog_app_commands__:
                assert isinstance(command, app_commands.Command)
                yield group + command.name, command


COMMANDS = dict(pair for extension in COGS for pair in commands_of(extension))


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_setting_stands_in_the_readme_with_its_default(spec: Spec) -> None:
    default = f"`{spec.default}`" if spec.default else ""
    assert f"| `{spec.name}` | {default} | {spec.meaning} |" in README


def test_the_readme_names_no_setting_that_does_not_exist() -> None:
    named = set(re.findall(r"^\| `([A-Z_]{3,})` \|", README, flags=re.MULTILINE))
    assert named == {spec.name for spec in SPECS}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_explained_in_a_section_of_a_guide(name: str) -> None:
    assert f"`/{name}`" in README
    heading = rf"^(#+) [^\n]*`/{name}`$\n(?P<body>.*?)(?=^## |^### |\Z)"
    if name in {"imagine", "usage"}:  # with sections of their own below them
        heading = heading.replace("|^### ", "")
    found = [re.search(heading, guide, flags=re.MULTILINE | re.DOTALL) for guide in GUIDES]
    sections = [match["body"] for match in found if match is not None]
    assert len(sections) == 1
    for option in COMMANDS[name].parameters:
        assert f"`{option.display_name}`" in sections[0]


def test_commands_for_managers_and_operators_are_hidden_from_members() -> None:
    hidden = {
        name.partition(" ")[0]
        for extension in COGS
        for name, command in commands_of(extension)
        if permissions_of(extension, command)
    }
    assert hidden == {"setup", "quota", "config", "report", "operator"}


def permissions_of(extension: str, command: AnyCommand) -> discord.Permissions | None:
    """What Discord asks for by default: of the group where there is one."""
    if command.default_permissions is not None:
        return command.default_permissions
    cog = vars(importlib.import_module(extension))[command.callback.__qualname__.partition(".")[0]]
    asked: discord.Permissions | None = getattr(
        cog, "__discord_app_commands_default_permissions__", None
    )
    return asked


def test_the_invite_link_of_the_readme_asks_for_what_the_bot_asks_for() -> None:
    assert f"permissions={PERMISSIONS.value}" in README


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")))
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target and not target.startswith("#"):
            assert (page.parent / target.partition("#")[0]).exists(), f"{page.name}: {target}"
