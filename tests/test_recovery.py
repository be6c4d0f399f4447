from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimitui import recovery, resources
from kimitui.config import Configuration, Values
from kimitui.errors import MachineError
from kimitui.recovery import RecoveryFile

TEXT = '{ name: "edge", busybox: { ASH: true } } // mine\n'
SYMBOLS = ["BUSYBOX_CAT", "BUSYBOX_LS", "BUSYBOX_ASH", "HARDENING_PIE", "IMAGE_ARCH_ARM64"]


@pytest.fixture
def preset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "presets" / "edge.json5"
    path.parent.mkdir()
    path.write_text(TEXT)
    return path


def changed(path: Path, *symbols: str) -> Configuration:
    config = Configuration.open(str(path))
    for symbol in symbols or ("BUSYBOX_CAT",):
        config.toggle(symbol)
    return config


def _crash(path: Path, ready: Connection) -> None:
    RecoveryFile().write(recovery.draft(changed(path)))
    ready.send(True)
    signal.pause()


def crash(path: Path) -> None:
    """Another process keeps unsaved changes and is killed without a chance to clean up."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_crash, args=(path, there))
    process.start()
    assert here.poll(60) and here.recv()
    assert recovery.find_left(path) == [], "the owner of the changes is alive"
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def test_what_a_killed_process_had_not_saved_comes_back_as_one_step(preset: Path) -> None:
    crash(preset)
    (left,) = recovery.find_left(preset)
    assert left.draft.on_disk() == "same"
    config = Configuration.open(str(preset))
    before = config.resolved()
    change, lost = recovery.restore(config, left.draft)
    assert lost == ()
    assert "BUSYBOX_CAT" in [value.symbol for value in change.changes]
    assert config.resolved() == changed(preset).resolved() and config.modified
    config.undo()
    assert config.resolved() == before and not config.modified
    left.discard()
    assert recovery.find_left(preset) == []
    assert list(recovery.recovery_dir().iterdir()) == []


def test_released_changes_are_offered_again_and_held_ones_are_not(preset: Path) -> None:
    crash(preset)
    (left,) = recovery.find_left(preset)
    assert recovery.find_left(preset) == [] == recovery.find_left()
    left.release()
    (again,) = recovery.find_left()
    assert again.draft == left.draft
    again.release()


def test_two_configurators_of_one_preset_keep_two_files(preset: Path) -> None:
    first, second = RecoveryFile(), RecoveryFile()
    first.write(recovery.draft(changed(preset, "BUSYBOX_CAT")))
    second.write(recovery.draft(changed(preset, "BUSYBOX_LS")))
    assert len(list(recovery.recovery_dir().glob("*.json"))) == 2
    first.remove()
    assert len(list(recovery.recovery_dir().glob("*.json"))) == 1
    second.remove()
    assert list(recovery.recovery_dir().iterdir()) == []


def test_changes_belong_to_the_preset_whatever_leads_to_it(preset: Path, tmp_path: Path) -> None:
    crash(preset)
    other = tmp_path / "presets" / "other.json5"
    other.write_text(TEXT)
    link = tmp_path / "link.json5"
    link.symlink_to(preset)
    assert recovery.find_left(other) == []
    (left,) = recovery.find_left(link)
    left.release()


def test_what_became_of_the_file_since_is_told(preset: Path) -> None:
    draft = recovery.draft(changed(preset))
    preset.write_text(TEXT + "\n")
    assert draft.on_disk() == "changed"
    preset.unlink()
    assert draft.on_disk() == "gone"


def test_a_new_preset_whose_file_came_into_being_is_told(preset: Path) -> None:
    config = changed(preset)
    preset.unlink()
    draft = recovery.draft(config)
    assert draft.on_disk() == "same"
    preset.write_text("{}")
    assert draft.on_disk() == "new"


def test_changes_go_on_top_of_what_the_file_holds_now(preset: Path) -> None:
    draft = recovery.draft(changed(preset, "BUSYBOX_CAT"))
    preset.write_text('{ name: "edge", busybox: { ASH: true, LS: true } }\n')
    config = Configuration.open(str(preset))
    _, lost = recovery.restore(config, draft)
    assert lost == ()
    assert config.own_values() == {"busybox": {"ASH": True, "CAT": True, "LS": True}}


def test_what_was_taken_back_stays_taken_back(preset: Path) -> None:
    draft = recovery.draft(changed(preset, "BUSYBOX_ASH"))
    config = Configuration.open(str(preset))
    recovery.restore(config, draft)
    assert not config.is_on("BUSYBOX_ASH")
    assert config.own_values() == {}


def test_what_the_tree_does_not_take_any_more_is_said_and_the_rest_is_restored(preset: Path) -> None:
    config = Configuration.open(str(preset))
    own: Values = {"busybox": {"CAT": True}, "hardening": {"gone": True}, "image": {"arch": "pdp11"}}
    _, lost = config.replace(own, "restored")
    assert config.is_on("BUSYBOX_CAT")
    assert len(lost) == 2 and "gone" in lost[0] and "pdp11" in lost[1]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": 99}', '{"format": 1, "values": {}, "text": 3}'])
def test_a_file_that_is_not_understood_is_left_alone(preset: Path, damage: str) -> None:
    crash(preset)
    (path,) = recovery.recovery_dir().glob("*.json")
    path.write_text(damage)
    assert recovery.find_left() == []
    assert path.read_text() == damage


def test_a_change_of_one_letter_in_the_text_is_damage(preset: Path) -> None:
    crash(preset)
    (path,) = recovery.recovery_dir().glob("*.json")
    path.write_text(path.read_text().replace("// mine", "// yours"))
    assert recovery.find_left() == []


def test_a_directory_that_cannot_be_made_is_an_error_that_says_what_to_do(preset: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kept = RecoveryFile(tmp_path / "file" / "recovery")
    with pytest.raises(MachineError, match="unsaved changes cannot be kept") as caught:
        kept.write(recovery.draft(changed(preset)))
    assert "XDG_STATE_HOME" in str(caught.value)
    kept.remove()


def test_the_state_directory_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert resources.state_dir() == tmp_path / ".local" / "state" / "kimitui"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert resources.state_dir() == tmp_path / ".local" / "state" / "kimitui"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "s"))
    assert resources.state_dir() == tmp_path / "s" / "kimitui"


@given(toggled=st.lists(st.sampled_from(SYMBOLS), max_size=6))
def test_any_changes_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, toggled: list[str]) -> None:
    directory = tmp_path_factory.mktemp("any")
    path = directory / "edge.json5"
    path.write_text(TEXT)
    config = Configuration.open(str(path))
    for symbol in toggled:
        if symbol != "IMAGE_ARCH_ARM64" or not config.is_on(symbol):
            config.toggle(symbol)
    kept = RecoveryFile(directory / "recovery")
    kept.write(recovery.draft(config))
    kept.leave()
    again = Configuration.open(str(path))
    (left,) = recovery.find_left(path, directory / "recovery")
    assert recovery.restore(again, left.draft)[1] == ()
    assert again.resolved() == config.resolved()
    assert again.modified == config.modified
    left.discard()
