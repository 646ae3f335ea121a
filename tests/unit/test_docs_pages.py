"""The pages in docs/ say what the code does."""

import inspect
import re
from pathlib import Path
from typing import Final

import pytest

from cogs.edit import Edit
from cogs.imagine import Imagine
from cogs.ui import errors, messages, policy_errors
from sandbox.discord import Faults as DiscordFaults
from sandbox.imagerouter import Faults as ImageRouterFaults

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGES: Final = ("members.md", "editing.md", "operators.md", "sandbox.md")


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def test_the_members_page_lists_every_option_of_imagine() -> None:
    names = [parameter.display_name for parameter in Imagine.imagine.parameters]
    section = page("members.md").partition("## `/imagine`")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `([a-z]+)` \|", section, re.MULTILINE)
    assert listed == names


def test_the_editing_page_lists_every_option_of_edit_in_its_order() -> None:
    names = [parameter.display_name for parameter in Edit.edit.parameters]
    table = page("editing.md").partition("| option |")[2].partition("\n\n")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
    assert [name for cell in cells for name in re.findall(r"`([a-z0-9]+)`", cell)] == names


def test_edit_has_all_the_options_that_discord_allows_in_this_order() -> None:
    names = [parameter.display_name for parameter in Edit.edit.parameters]
    wishes = ["prompt", "mask", "area", "model", "size", "quality", "format", "count", "private"]
    assert names == ["image", *wishes, *(f"image{number}" for number in range(2, 17))]
    assert [p.display_name for p in Edit.edit.parameters if p.required] == ["image"]


def test_the_members_page_explains_only_messages_that_the_bot_writes() -> None:
    table = page("members.md").partition("| the message |")[2].partition("\n\n")[0]
    titles = re.findall(r"^\| ([A-Z][^|]*?) \|", table, re.MULTILINE)
    source = inspect.getsource(errors) + inspect.getsource(policy_errors)
    assert len(titles) > 10
    elsewhere = [title for title in titles if f'"{title}"' not in source]
    assert elsewhere == ["Picture 1 could not be attached"]
    assert elsewhere[0].replace("1", "{number}") in inspect.getsource(messages)


@pytest.mark.parametrize(
    ("name", "faults"), [("server", DiscordFaults), ("router", ImageRouterFaults)]
)
def test_the_sandbox_page_names_faults_that_exist(name: str, faults: type) -> None:
    named = set(re.findall(rf"\b{name}\.faults\.([a-z_]+)\(", page("sandbox.md")))
    assert len(named) > 4
    assert all(hasattr(faults, fault) for fault in named)


@pytest.mark.parametrize("name", PAGES)
def test_every_link_between_pages_leads_somewhere(name: str) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page(name))
    missing = [target for target in targets if not (DOCS / target).resolve().is_file()]
    assert [target for target in missing if target != "../README.md"] == []
