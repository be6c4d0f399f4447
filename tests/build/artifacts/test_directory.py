from __future__ import annotations

import os
from pathlib import Path

import pytest

from kimitui.build.artifacts import directory
from kimitui.errors import MachineError


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out/minimal/x86_64"


def fill(target: Path, content: str) -> None:
    with directory.staged(target) as staging:
        (staging / "file").write_text(content)


@pytest.mark.parametrize("atomic", [True, False])
def test_the_new_set_replaces_the_old_one_whole(target: Path, atomic: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not atomic:
        monkeypatch.setattr(directory, "_exchange", lambda _first, _second: False)
    fill(target, "old")
    (target / "stale").write_text("")
    fill(target, "new")
    assert {path.name: path.read_text() for path in target.iterdir()} == {"file": "new"}
    assert [path.name for path in target.parent.iterdir()] == ["x86_64"]


def test_a_failure_leaves_the_old_set(target: Path) -> None:
    fill(target, "old")
    with pytest.raises(RuntimeError), directory.staged(target) as staging:
        (staging / "file").write_text("half")
        raise RuntimeError
    assert (target / "file").read_text() == "old"
    assert [path.name for path in target.parent.iterdir()] == ["x86_64"]


def test_what_a_killed_build_left_goes(target: Path) -> None:
    fill(target, "old")
    (target.parent / ".x86_64.abc.part").mkdir()
    fill(target, "new")
    assert [path.name for path in target.parent.iterdir()] == ["x86_64"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(MachineError, match="cannot be written") as caught,
        directory.staged(tmp_path / "file/minimal/a"),
    ):
        pytest.fail("it was entered")
    assert "--out" in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_no_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(MachineError, match="Permission denied"), directory.staged(tmp_path / "minimal/a"):
        pytest.fail("it was entered")
