"""What holds for the texts and menus of the whole system tree."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import kconfiglib
import pytest

from kimitui.config import Configuration
from kimitui.kconfig.menu import Menus
from kimitui.kconfig.types import Kconfig, MenuNode
from kimitui.resources import KCONFIG_DIR

PROMPT_LENGTH = 60
"""With box, indentation and edges, that fits on a terminal of 80 columns."""


def with_prompt(tree: Kconfig) -> Iterator[MenuNode]:
    options = (kconfiglib.Symbol, kconfiglib.Choice)
    return (node for node in tree.node_iter() if isinstance(node.item, options) and node.prompt)


def place(node: MenuNode) -> str:
    return f"{node.filename}:{node.linenr}"


def test_every_option_has_help_of_a_few_sentences(system_kconfig: Kconfig) -> None:
    nodes = list(with_prompt(system_kconfig))
    assert len(nodes) > 800
    assert [place(node) for node in nodes if not (node.help or "").strip()] == []
    assert [place(node) for node in nodes if len(node.help or "") > 500] == []
    assert [place(node) for node in nodes if (node.help or "").rstrip()[-1:] not in ".)"] == []


def test_every_prompt_fits_on_a_small_terminal(system_kconfig: Kconfig) -> None:
    nodes = [node for node in system_kconfig.node_iter() if node.prompt]
    assert [place(node) for node in nodes if node.prompt and len(node.prompt[0]) > PROMPT_LENGTH] == []


def test_the_files_are_tidy() -> None:
    for path in KCONFIG_DIR.rglob("*"):
        if path.is_file():
            lines = path.read_text().split("\n")
            assert [f"{path}:{n}" for n, line in enumerate(lines, 1) if line != line.rstrip() or len(line) > 120] == []
            assert lines[-1] == "", path


def test_nothing_is_wrong_with_the_tree(system_kconfig: Kconfig) -> None:
    assert system_kconfig.warnings == []


@pytest.mark.parametrize("text", ["{}", '{ extends: "minimal" }', '{ extends: "extended" }'])
def test_a_menu_that_is_shown_has_something_in_it(text: str, tmp_path: Path) -> None:
    path = tmp_path / "preset.json5"
    path.write_text(text)
    menus = Menus(Configuration.open(str(path)).tree)
    empty = []
    todo = [0]
    while todo:
        menu = todo.pop()
        rows = menus.rows(menu)
        if not rows:
            empty.append(menus.prompt(menu))
        todo += [row.node for row in rows if row.kind == "menu"]
    assert empty == []
