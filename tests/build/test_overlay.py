"""The user's own files, before they are laid over anything."""

from __future__ import annotations

import io
import os
import shutil
import socket
import tarfile
from pathlib import Path

import pytest

from kimitui.build import contents, overlay
from kimitui.config import Configuration
from kimitui.errors import Location, PresetError

WHERE = Location(Path("preset.json5"), 3, 5)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    root = tmp_path / "files"
    (root / "etc/secret").mkdir(parents=True)
    (root / "etc/motd").write_text("hello\n")
    (root / "etc/secret/key").write_text("k")
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "up").symlink_to("../../outside")
    (root / "far").symlink_to("/etc/motd")
    modes = {"etc": 0o777, "etc/motd": 0o664, "etc/secret": 0o2750, "etc/secret/key": 0o600, "run.sh": 0o6775}
    for name, mode in modes.items():
        (root / name).chmod(mode)
    return root


def members(archive: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return {member.name: member for member in opened}


def test_links_stay_links_and_nobody_gains_rights(files: Path) -> None:
    found = overlay.read(files, WHERE)
    inside = members(found.archive)
    assert set(inside) == found.names == {"etc", "etc/motd", "etc/secret", "etc/secret/key", "run.sh", "up", "far"}
    modes = {name: member.mode for name, member in inside.items() if not member.issym()}
    assert modes == {"etc": 0o755, "etc/motd": 0o644, "etc/secret": 0o750, "etc/secret/key": 0o600, "run.sh": 0o755}
    assert (inside["up"].linkname, inside["far"].linkname) == ("../../outside", "/etc/motd")
    assert {(member.uid, member.gid, member.mtime) for member in inside.values()} == {(0, 0, 0)}


def test_the_same_tree_gives_the_same_bytes(files: Path, tmp_path: Path) -> None:
    first = overlay.read(files, WHERE).archive
    copy = tmp_path / "elsewhere"
    shutil.copytree(files, copy, symlinks=True)
    os.utime(copy / "etc/motd", (0, 0))
    assert overlay.read(copy, WHERE).archive == first
    (copy / "etc/motd").write_text("other\n")
    assert overlay.read(copy, WHERE).archive != first


def test_other_kinds_of_files_are_refused(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(files / "etc/pipe")
    with pytest.raises(PresetError, match="pipe is neither a file nor a directory nor a link") as caught:
        overlay.read(files, WHERE)
    assert caught.value.where == WHERE
    (files / "etc/pipe").unlink()
    monkeypatch.chdir(files)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    with pytest.raises(PresetError, match="socket is neither"):
        overlay.read(files, WHERE)


def test_the_directory_is_beside_the_preset_that_names_it(files: Path, tmp_path: Path) -> None:
    (tmp_path / "base.json5").write_text('{ extends: "minimal", image: { files: "files" } }')
    (tmp_path / "deep").mkdir()
    child = tmp_path / "deep/child.json5"
    child.write_text('{ extends: "../base.json5" }')
    found = contents.files(Configuration.open(str(child)))
    assert found is not None
    assert "etc/motd" in found.names


@pytest.mark.parametrize(
    ("image", "says"),
    [
        ('files: "nowhere"', "nowhere does not exist"),
        ('files: "preset.json5"', "preset.json5 is not a directory"),
        ('user: "web"', 'the image has no user "web"'),
    ],
)
def test_what_does_not_fit_names_the_line_of_the_preset(tmp_path: Path, image: str, says: str) -> None:
    preset = tmp_path / "preset.json5"
    preset.write_text(f'{{ extends: "minimal",\n  image: {{\n    {image} }} }}')
    with pytest.raises(PresetError, match=says) as caught:
        contents.check(Configuration.open(str(preset)))
    assert str(caught.value.where) == f"{preset}:3:5"


def test_files_do_not_make_users_vanish(files: Path, tmp_path: Path) -> None:
    (files / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\n")
    preset = tmp_path / "preset.json5"
    preset.write_text('{ extends: "minimal", image: { files: "files", users: "app" } }')
    with pytest.raises(PresetError, match="etc/passwd in it would take the place"):
        contents.check(Configuration.open(str(preset)))
