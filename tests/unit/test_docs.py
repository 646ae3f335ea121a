"""Documentation that cannot rot: every setting and every command is explained."""

import re
from pathlib import Path

import pytest
from discord import app_commands

from bot.client import PERMISSIONS
from bot.settings import SPECS, Spec
from cogs.imagine import Imagine
from cogs.usage import Usage

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MEMBERS = (ROOT / "docs" / "members.md").read_text(encoding="utf-8")
COMMANDS = [
    command
    for cog in (Imagine, Usage)
    for command in cog.__cog_app_commands__
    if isinstance(command, app_commands.Command)
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_setting_stands_in_the_readme_with_its_default(spec: Spec) -> None:
    default = f"`{spec.default}`" if spec.default else ""
    assert f"| `{spec.name}` | {default} | {spec.meaning} |" in README


def test_the_readme_names_no_setting_that_does_not_exist() -> None:
    named = set(re.findall(r"^\| `([A-Z_]{3,})` \|", README, flags=re.MULTILINE))
    assert named == {spec.name for spec in SPECS}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_and_option_is_explained_to_members(
    command: app_commands.Command[Imagine, ..., None],
) -> None:
    assert f"`/{command.name}`" in README
    assert re.search(rf"^#+ .*/{command.name}\b", MEMBERS, flags=re.MULTILINE)
    for option in command.parameters:
        assert f"`{option.display_name}`" in MEMBERS


def test_the_invite_link_of_the_readme_asks_for_what_the_bot_asks_for() -> None:
    assert f"permissions={PERMISSIONS.value}" in README


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")))
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target and not target.startswith("#"):
            assert (page.parent / target.partition("#")[0]).exists(), f"{page.name}: {target}"
