from __future__ import annotations

import platform

import pytest

from kimitui.build.arch import ARCHES, host
from kimitui.commands import common
from kimitui.config import Configuration
from kimitui.kconfig import linux
from kimitui.machine import qemu


def test_every_part_knows_the_same_architectures() -> None:
    offered = Configuration.open("minimal").names.by_symbol["IMAGE_ARCH"].members
    assert [*offered] == [*ARCHES] == [*common.ARCHES] == [*linux.ARCHES] == [*qemu.PACKAGES]
    for arch in ARCHES.values():
        assert qemu.emulation(arch).processor


@pytest.mark.parametrize(
    ("machine", "name"),
    [("x86_64", "x86_64"), ("aarch64", "arm64"), ("arm64", "arm64"), ("riscv64", "riscv64"), ("i686", "i686")],
)
def test_the_machines_own_architecture(machine: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert host() == ARCHES[name]


def test_a_machine_of_another_architecture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "s390x")
    assert host() is None
