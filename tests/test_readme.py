"""The README in two languages says the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGLISH, JAPANESE = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.ja.md"))


def code(text: str) -> list[str]:
    """The blocks of code, without comments."""
    blocks = re.findall(r"^```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [re.sub(r"\s*(?:#|//) .*", "", block) for block in blocks]


def shape(text: str) -> list[str]:
    """What begins its lines: headings and rows of tables."""
    return [line.partition(" ")[0] for line in text.splitlines() if line.startswith(("#", "|"))]


def targets(text: str) -> set[str]:
    """Where its links and pictures lead."""
    return set(re.findall(r"\]\(([^)]+)\)", text)) - {"README.md", "README.ja.md"}


def words(text: str) -> set[str]:
    """Whatever is a name in code, within sentences."""
    return set(re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text))


def test_code_pictures_and_headings_are_the_same() -> None:
    assert code(ENGLISH) == code(JAPANESE) and len(code(ENGLISH)) > 5
    assert shape(ENGLISH) == shape(JAPANESE)
    assert targets(ENGLISH) == targets(JAPANESE)
    assert words(ENGLISH) == words(JAPANESE)


@pytest.mark.parametrize("text", [ENGLISH, JAPANESE], ids=["English", "Japanese"])
def test_what_it_shows_is_there(text: str) -> None:
    assert not [target for target in targets(text) if "://" not in target and not (ROOT / target).exists()]
