from __future__ import annotations

import json
from pathlib import Path

import pytest

from kimitui import preset_files
from kimitui.config import Configuration
from kimitui.errors import KimituiError, UsageError
from kimitui.last_build import last_builds


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with presets of its own, and an installed kimitui."""
    monkeypatch.chdir(tmp_path)
    shipped = tmp_path / "data" / "presets"
    shipped.mkdir(parents=True)
    (shipped / "minimal.json5").write_text('{ name: "minimal", description: "Small" }')
    (shipped / "big.json5").write_text('{ name: "big", extends: "minimal" }')
    monkeypatch.setattr("kimitui.resources.PRESETS_DIR", shipped)
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "zero.json5").write_text('{ name: "zero", extends: "minimal", busybox: { LS: true } } // z')
    (tmp_path / "presets" / "edge.json5").write_text('{ name: "edge", extends: "zero", description: "For routers" }')
    (tmp_path / "presets" / "broken.json5").write_text("{")
    return tmp_path


def names() -> list[str]:
    return [file.name for file in preset_files.preset_files()]


def test_the_projects_own_come_first_what_is_extended_before_what_extends_it(project: Path) -> None:
    assert names() == ["zero", "edge", "broken", "minimal", "big"]
    broken = preset_files.preset_files()[2]
    assert broken.preset is None and broken.error is not None and "broken.json5:1:1" in str(broken.error)


def test_a_filter_looks_at_names_descriptions_and_bases(project: Path) -> None:
    files = preset_files.preset_files()
    assert [file.name for file in preset_files.matching(files, "ROUTER zero")] == ["edge"]
    assert [file.name for file in preset_files.matching(files, "brok")] == ["broken"]
    assert [file.name for file in preset_files.matching(files, "minimal")] == ["zero", "minimal", "big"]
    assert preset_files.matching(files, " ") == files
    assert preset_files.extending(files, "zero") == ["edge"]


def test_a_copy_has_its_own_name_the_same_values_and_the_comments(project: Path) -> None:
    zero = preset_files.preset_files()[0].preset
    assert zero is not None
    path = preset_files.copy(zero, Path("presets/other.json5"))
    assert "// z" in path.read_text()
    copied = Configuration.open("other")
    assert copied.name == "other" and copied.resolved() == Configuration.open("zero").resolved()
    with pytest.raises(UsageError, match=r"there is a presets/other\.json5 already"):
        preset_files.copy(zero, path)


def test_only_the_projects_own_presets_are_removed(project: Path) -> None:
    files = {file.name: file for file in preset_files.preset_files()}
    assert [name for name, file in files.items() if file.removable] == ["zero", "edge", "broken"]
    preset_files.remove(files["broken"])
    assert names() == ["zero", "edge", "minimal", "big"]
    with pytest.raises(UsageError, match=r"not in \./presets"):
        preset_files.remove(files["minimal"])
    assert files["minimal"].path.exists()
    with pytest.raises(KimituiError, match="cannot remove"):
        preset_files.remove(files["broken"])


def test_sizes_are_those_of_the_files_that_are_there(tmp_path: Path) -> None:
    directory = tmp_path / "edge" / "x86_64"
    directory.mkdir(parents=True)
    assert last_builds(tmp_path, "edge") == []
    record = {"arch": "x86_64", "artifacts": {"rootfs.tar": {"bytes": 1}}}
    (directory / "build-info.json").write_text(json.dumps(record))
    assert last_builds(tmp_path, "edge") == [], "an artifact is gone"
    (directory / "rootfs.tar").write_bytes(b"12345")
    (build,) = last_builds(tmp_path, "edge")
    assert build.rootfs_bytes == 5 and build.arch == "x86_64"
    (directory / "build-info.json").write_text("[]")
    assert last_builds(tmp_path, "edge") == []
    assert last_builds(tmp_path, "other") == []
