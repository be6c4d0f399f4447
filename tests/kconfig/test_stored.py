"""A parsed tree that is kept: the same tree, and never a wrong one."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from kimitui import resources
from kimitui.kconfig import loader, stored
from kimitui.kconfig.names import Names
from kimitui.kconfig.types import Kconfig

_TREE = 'config A\n\tbool "a"\n\tdefault y\n\nconfig B\n\tint "b"\n\trange 1 9\n\tdefault 3\n\tdepends on A\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    root.mkdir()
    (root / "Kconfig").write_text(_TREE)
    (tmp_path / "cache").mkdir()
    return root


@pytest.fixture
def load(root: Path) -> Callable[[], tuple[Kconfig, bool]]:
    """Loads the tree, and says whether it was parsed."""

    def load() -> tuple[Kconfig, bool]:
        parsed: list[Kconfig] = []

        def parse() -> Kconfig:
            parsed.append(loader.load(root / "Kconfig"))
            return parsed[0]

        return stored.load(root, root.parent / "cache", parse), bool(parsed)

    return load


def test_a_kept_tree_is_as_the_parsed_one(root: Path, load: Callable[[], tuple[Kconfig, bool]]) -> None:
    first, parsed = load()
    second, parsed_again = load()
    assert parsed
    assert not parsed_again
    assert [node.filename for node in second.node_iter()] == [node.filename for node in first.node_iter()]
    second.syms["B"].set_value("7")
    assert (first.syms["B"].str_value, second.syms["B"].str_value) == ("3", "7")
    second.syms["A"].set_value("n")
    assert second.syms["B"].str_value == ""


def test_the_whole_system_tree_is_the_same_from_the_cache(tmp_path: Path) -> None:
    def described(tree: Kconfig) -> list[tuple[str, object]]:
        return [(str(node), getattr(node, "help", None)) for node in tree.node_iter()]

    root = resources.KCONFIG_DIR
    parsed = stored.load(root, tmp_path, lambda: loader.load(root / "Kconfig"))
    kept = stored.load(root, tmp_path, lambda: pytest.fail("it was parsed again"))
    assert described(kept) == described(parsed)
    assert list(map(str, Names(kept).entries.values())) == list(map(str, Names(parsed).entries.values()))


def test_a_changed_file_is_parsed_again_and_what_was_kept_of_it_goes(
    root: Path, load: Callable[[], tuple[Kconfig, bool]]
) -> None:
    load()
    (root / "Kconfig").write_text(_TREE.replace("default 3", "default 4"))
    tree, parsed = load()
    assert parsed
    assert tree.syms["B"].str_value == "4"
    assert len(list((root.parent / "cache" / "trees").iterdir())) == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"no pickle", pickle.dumps(Path("/")), pickle.dumps(print)],
    ids=["empty", "text", "path", "function"],
)
def test_a_file_that_is_no_kept_tree_counts_for_nothing(
    root: Path, load: Callable[[], tuple[Kconfig, bool]], content: bytes
) -> None:
    load()
    (kept,) = (root.parent / "cache" / "trees").iterdir()
    kept.write_bytes(content)
    tree, parsed = load()
    assert parsed
    assert tree.syms["B"].str_value == "3"
    assert kept.read_bytes() != content


def test_no_cache_is_made_where_there_is_none(root: Path, load: Callable[[], tuple[Kconfig, bool]]) -> None:
    (root.parent / "cache").rmdir()
    assert load()[1]
    assert not (root.parent / "cache").exists()
