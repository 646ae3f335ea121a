"""Prompts in scripts that take three or four bytes a character, whose total Discord limits, too."""

import pytest

from sandbox.discord import Channel, Person


@pytest.mark.parametrize("character", ["船", "🚣"], ids=["cjk", "emoji"])
async def test_a_refusal_gives_a_long_prompt_in_any_script_back_whole(
    mira: Person, general: Channel, character: str
) -> None:
    prompt = character * 2_980

    ask = await mira.slash(general, "imagine", {"prompt": prompt, "model": "no/such"})
    refusal = await ask.followup()

    [copy] = refusal.attachments
    assert copy.data.decode() == prompt
