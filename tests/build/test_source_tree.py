from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kimitui.build.source_tree import override, tree_digest
from kimitui.errors import UsageError


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    (root / "src").mkdir(parents=True)
    (root / "src" / "main.c").write_text("int main(void) { return 0; }\n")
    (root / "configure").write_text("#!/bin/sh\n")
    (root / "configure").chmod(0o755)
    (root / "link").symlink_to("src/main.c")
    return root


def test_a_directory_stands_in(tree: Path) -> None:
    source = override("musl", tree)
    assert (source.component, source.path) == ("musl", tree)
    assert source.digest == tree_digest(tree)


def test_an_archive_stands_in(tmp_path: Path) -> None:
    archive = tmp_path / "musl.tar.gz"
    archive.write_bytes(b"archive")
    assert override("musl", archive).digest == hashlib.sha256(b"archive").hexdigest()


def test_what_does_not_count(tree: Path, tmp_path: Path) -> None:
    before = tree_digest(tree)
    copied = tmp_path / "elsewhere"
    shutil.copytree(tree, copied, symlinks=True)
    os.utime(copied / "configure", (0, 0))
    (copied / "src" / "main.c").chmod(0o600)
    (copied / ".git").mkdir()
    (copied / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    assert tree_digest(copied) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: (tree / "src" / "main.c").write_text("int main(void) { return 1; }\n"),
        lambda tree: (tree / "configure").chmod(0o644),
        lambda tree: (tree / "src" / "main.c").rename(tree / "src" / "mian.c"),
        lambda tree: (tree / "link").unlink(),
        lambda tree: ((tree / "link").unlink(), (tree / "link").symlink_to("configure")),
        lambda tree: ((tree / "link").unlink(), (tree / "link").write_text("src/main.c")),
        lambda tree: (tree / "empty").mkdir(),
        lambda tree: (tree / "new").touch(),
    ],
)
def test_what_counts(tree: Path, change: Callable[[Path], object]) -> None:
    before = tree_digest(tree)
    change(tree)
    assert tree_digest(tree) != before


def test_unknown_component(tree: Path) -> None:
    with pytest.raises(UsageError, match="no component `lunix`"):
        override("lunix", tree)


def test_missing_path(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist") as caught:
        override("musl", tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in str(caught.value)


def test_a_pipe_in_the_tree(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    with pytest.raises(UsageError, match="a pipe"):
        override("musl", tree)


def test_a_pipe_as_source(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="neither a file nor a directory"):
        override("musl", tmp_path / "pipe")
