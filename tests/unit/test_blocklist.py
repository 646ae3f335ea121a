"""What prompts may not say: entries, what they match, and that no text makes them slow."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blocklist import MOST_PHRASE, Blocklist, checked_phrase, read_blocklist


def found(entry: str, prompt: str) -> str | None:
    phrase = checked_phrase(entry)
    assert phrase is not None
    return Blocklist([phrase]).find(prompt)


@pytest.mark.parametrize(
    ("entry", "prompt", "words"),
    [
        ("casino", "A CASINO at night", "casino"),
        ("casino", "a casino, at night", "casino"),
        ("casino", "casinos at night", None),
        ("casino*", "casinos at night", "casinos"),
        ("*ink*", "a drinking horn", "drinking"),
        ("*ink", "drinking ink", "ink"),
        ("free money", "get FREE, money now", "free money"),
        ("free money", "free the money", None),
        ("free *ey", "free the monkey, free money", "free money"),
        ("naïve", "a NAIVE gull", "naive"),
        ("naive", "a naïve gull", "naive"),
        ("casino", "ca\u00adsi\u200bno", "casino"),
        ("casino", "\uff43\uff41\uff53\uff49\uff4e\uff4f", "casino"),
        ("a*b*c", "axxbxxc", "axxbxxc"),
        ("aba*ab", "abab", None),
        ("straße", "STRASSE", "strasse"),
        ("*裸*", "一个裸体", "一个裸体"),
    ],
)
def test_whole_words_whatever_their_case_accents_and_hidden_signs(
    entry: str, prompt: str, words: str | None
) -> None:
    assert found(entry, prompt) == words


@pytest.mark.parametrize(
    "typed", ["", "  ", "...", "*", "casino *", "** x", "x" * (MOST_PHRASE + 1)]
)
def test_an_entry_has_words_and_each_of_them_has_a_letter(typed: str) -> None:
    assert checked_phrase(typed) is None


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_what_is_in_a_prompt_as_words_is_found(before: str, entry: str, after: str) -> None:
    phrase = checked_phrase(entry.replace("*", ""))
    if phrase is not None:
        assert Blocklist([phrase]).find(f"{before} {entry.replace('*', '')} {after}") is not None


@given(st.text("ab* ", max_size=12), st.text("ab ", max_size=20))
def test_an_entry_with_stars_finds_words_that_are_in_the_prompt(entry: str, prompt: str) -> None:
    phrase = checked_phrase(entry)
    words = None if phrase is None else Blocklist([phrase]).find(prompt)
    if words is not None:
        assert f" {words} " in f" {' '.join(prompt.split())} "


def test_the_worst_that_fits_into_a_list_and_a_prompt_takes_no_long_time() -> None:
    entries = [checked_phrase(f"{'a*' * n}b *a") for n in range(1, 29)]
    worst = Blocklist([entry for entry in entries if entry is not None] * 7)
    prompts = ["a" * 6_000, "a " * 3_000, "aab " * 1_500, "ab aa " * 1_000]
    began = time.perf_counter()
    for prompt in prompts:
        worst.find(prompt)
    assert time.perf_counter() - began < 5


def test_the_operators_file_has_an_entry_a_line_and_comments(tmp_path: Path) -> None:
    file = tmp_path / "blocked.txt"
    file.write_text("# what we never want\n\nCasino*\nfree money\n", encoding="utf-8")
    blocklist = read_blocklist(file)
    assert len(blocklist) == 2
    assert blocklist.find("two casinos") == "casinos"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"casino\n***\n", "line 2 is no phrase"),
        (b"\xff\xfe\x00", "utf-8"),
        (b"x\n" * 2_001, "2001 entries"),
    ],
)
def test_a_file_that_can_not_be_used_is_refused_with_the_reason(
    tmp_path: Path, content: bytes, fault: str
) -> None:
    file = tmp_path / "blocked.txt"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=fault):
        read_blocklist(file)
