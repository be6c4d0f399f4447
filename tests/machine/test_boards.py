"""A kernel for boards comes with their device trees, and still boots in QEMU."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from kimitui.build import release
from tests.build.conftest import kimitui
from tests.machine.conftest import Image

pytestmark = [pytest.mark.build, pytest.mark.slow]

FLATTENED = b"\xd0\x0d\xfe\xed"


def test_a_raspberry_pi_gets_its_device_trees(tmp_path: Path) -> None:
    preset = tmp_path / "rpi.json5"
    preset.write_text('{ extends: "vm-minimal", image: { arch: "arm64" }, kernel: { ARCH_BCM2835: true } }')
    printed = kimitui("build", preset, "--out", tmp_path / "out", "--json", "--progress", "plain")
    image = Image(Path(json.loads(printed)["directory"]))
    with tarfile.open(image.directory / "dtbs.tar") as archive:
        members = {member.name: member for member in archive}
        tree = archive.extractfile("dtbs/broadcom/bcm2711-rpi-4-b.dtb")
        assert tree is not None and tree.read(4) == FLATTENED
    assert {member.mtime for member in members.values()} == {release.load().source_date_epoch}
    assert {(member.uid, member.gid) for member in members.values()} == {(0, 0)}
    assert image.command("uname -m") == "aarch64\n"
