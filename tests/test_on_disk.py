from __future__ import annotations

import os
from pathlib import Path

import pytest

from kimitui.config import Configuration
from kimitui.errors import PresetError
from kimitui.on_disk import OnDisk

BASE = '{ name: "base", busybox: { ASH: true } }\n'
CHILD = '{ name: "child", extends: "base", busybox: { LS: true } } // mine\n'


@pytest.fixture
def child(tmp_path: Path) -> Path:
    (tmp_path / "base.json5").write_text(BASE)
    (tmp_path / "child.json5").write_text(CHILD)
    return tmp_path / "child.json5"


def watched(path: Path) -> tuple[Configuration, OnDisk]:
    config = Configuration.open(str(path))
    return config, OnDisk(config.chain, saved=True)


def test_nothing_has_changed_when_nobody_wrote(child: Path) -> None:
    _, files = watched(child)
    assert files.changed() == () and not files.preset_changed()


def test_a_file_that_was_only_touched_has_not_changed(child: Path) -> None:
    _, files = watched(child)
    os.utime(child, (1, 1))
    assert files.changed() == ()


def test_another_text_is_a_change_even_with_the_same_time_and_size(child: Path) -> None:
    _, files = watched(child)
    assert files.changed() == ()
    before = child.stat()
    other = child.with_name("other")
    other.write_text(CHILD.replace("mine", "ours"))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(child)
    assert files.changed() == (child,) and files.preset_changed()


def test_a_change_between_reading_and_the_first_look_is_seen(child: Path) -> None:
    config = Configuration.open(str(child))
    child.write_text(CHILD + "\n")
    assert OnDisk(config.chain, saved=True).changed() == (child,)


def test_the_files_it_extends_count_but_are_not_the_preset(child: Path) -> None:
    _, files = watched(child)
    base = child.with_name("base.json5")
    base.write_text(BASE + "\n")
    assert files.changed() == (base,)
    assert not files.preset_changed()


def test_a_file_that_is_gone_has_changed_and_one_that_is_back_has_not(child: Path) -> None:
    _, files = watched(child)
    child.unlink()
    assert files.changed() == (child,)
    child.write_text(CHILD)
    assert files.changed() == ()


def test_what_was_accepted_is_no_change_any_more(child: Path) -> None:
    _, files = watched(child)
    child.write_text(CHILD + "\n")
    files.accept()
    assert files.changed() == ()
    child.write_text(CHILD)
    assert files.changed() == (child,)


def test_a_preset_that_is_in_no_file_yet_changes_when_one_appears(child: Path) -> None:
    config = Configuration.open(str(child))
    child.unlink()
    files = OnDisk(config.chain, saved=False)
    assert files.changed() == ()
    child.write_text(CHILD)
    assert files.preset_changed()


def test_reading_again_is_one_step_that_brings_back_what_was_there(child: Path) -> None:
    config, _ = watched(child)
    config.toggle("BUSYBOX_CAT")
    mine = config.resolved()
    child.write_text('{ name: "child", extends: "base", busybox: { VI: true } }\n')
    change = config.reread()
    assert {value.symbol for value in change.changes} >= {"BUSYBOX_CAT", "BUSYBOX_LS", "BUSYBOX_VI"}
    assert config.resolved() == Configuration.open(str(child)).resolved()
    assert not config.modified
    config.undo()
    assert config.resolved() == mine and config.modified
    config.redo()
    assert not config.modified


def test_reading_again_takes_in_what_it_extends(child: Path) -> None:
    config, _ = watched(child)
    child.with_name("base.json5").write_text('{ name: "base", busybox: { ASH: true, CAT: true } }\n')
    config.reread()
    assert config.is_on("BUSYBOX_CAT")
    assert config.own_values() == {"busybox": {"LS": True}}


def test_keeping_what_is_here_saves_it_over_the_new_text_and_keeps_its_comments(child: Path) -> None:
    config, _ = watched(child)
    config.toggle("BUSYBOX_CAT")
    mine = config.resolved()
    child.write_text('{ name: "child", extends: "base", busybox: { LS: true, VI: true } } // theirs\n')
    config.reread(keep=True)
    assert config.resolved() == mine and config.modified
    config.save()
    assert "// theirs" in child.read_text()
    assert Configuration.open(str(child)).resolved() == mine


def test_a_file_that_cannot_be_read_leaves_everything_as_it_was(child: Path) -> None:
    config, _ = watched(child)
    config.toggle("BUSYBOX_CAT")
    mine = config.resolved()
    child.write_text("{ name: }")
    with pytest.raises(PresetError):
        config.reread()
    assert config.resolved() == mine and config.preset.text == CHILD
    config.undo()
    assert not config.modified
