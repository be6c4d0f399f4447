"""What is said of directories that are not, or no longer, what a build made; and disks for data."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path

import pytest

from kimitui.build.arch import ARCHES
from kimitui.config import Configuration
from kimitui.errors import BuildError, MachineError, UsageError
from kimitui.machine import data, files, qemu
from kimitui.machine.qemu import Acceleration, Machine


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """A directory that looks like a build's; the system image has 4096 bytes."""
    (tmp_path / "build-info.json").write_text(json.dumps({"arch": "arm64"}))
    (tmp_path / "vmlinuz").write_bytes(gzip.compress(b"kernel"))
    (tmp_path / "initramfs.cpio.zst").write_bytes(b"initramfs")
    (tmp_path / "kernel.config").write_text('CONFIG_EXT4_FS=y\n# CONFIG_EXT2_FS is not set\nCONFIG_X="y"\n')
    image = b"hsqs".ljust(40, b"\0") + (4096).to_bytes(8, "little")
    (tmp_path / "system.squashfs").write_bytes(image.ljust(4096, b"\0"))
    return tmp_path


def test_artifacts_are_found(artifacts: Path) -> None:
    found = files.find(artifacts)
    assert found.arch.name == "arm64"
    assert found.kernel_config == {"EXT4_FS", "X"}


def test_a_system_image_that_is_cut_off_is_refused(artifacts: Path) -> None:
    system = artifacts / "system.squashfs"
    system.write_bytes(system.read_bytes()[:4000])
    with pytest.raises(BuildError, match="cut off: 4000 of 4096 bytes"):
        files.find(artifacts)
    system.write_bytes(bytes(4096))
    with pytest.raises(BuildError, match="no SquashFS"):
        files.find(artifacts)


@pytest.mark.parametrize("name", ["vmlinuz", "initramfs.cpio.zst", "system.squashfs"])
def test_what_is_missing_is_named(artifacts: Path, name: str) -> None:
    (artifacts / name).unlink()
    with pytest.raises(UsageError, match=f"it has no {name}"):
        files.find(artifacts)


@pytest.mark.parametrize("text", ["{", "{}", '{"arch": "vax"}', "[]"])
def test_any_other_directory_is_refused(artifacts: Path, text: str) -> None:
    (artifacts / "build-info.json").write_text(text)
    with pytest.raises(UsageError, match=r"build-info\.json"):
        files.find(artifacts)


def test_a_kernel_is_unpacked_if_it_is_packed(artifacts: Path, tmp_path: Path) -> None:
    target = tmp_path / "unpacked"
    assert files.unpacked_kernel(artifacts / "vmlinuz", target).read_bytes() == b"kernel"
    assert files.unpacked_kernel(target, tmp_path / "again") == target


def test_a_disk_for_data_is_made_once(artifacts: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk.img"
    data.ensure(disk, 8, files.find(artifacts))
    assert disk.stat().st_size == 8 * 1024 * 1024
    said = subprocess.run(
        ["dumpe2fs", "-h", disk], capture_output=True, text=True, check=True, env={"PATH": "/usr/sbin:/sbin"}
    ).stdout
    assert "Filesystem volume name:   kimigayo-data" in said
    assert "has_journal" in said
    disk.write_bytes(bytes(4096))
    data.ensure(disk, 8, files.find(artifacts))
    assert disk.read_bytes() == bytes(4096)
    assert sorted(path.name for path in tmp_path.iterdir() if "disk" in path.name) == ["disk.img"]


def test_a_disk_for_data_must_be_possible(artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = files.find(artifacts)
    with pytest.raises(UsageError, match="not a file"):
        data.ensure(tmp_path, 8, found)
    with pytest.raises(MachineError, match="No such file or directory"):
        data.ensure(tmp_path / "none" / "disk.img", 8, found)
    (artifacts / "kernel.config").write_text("")
    with pytest.raises(UsageError, match="neither ext4 nor ext2"):
        data.ensure(tmp_path / "disk.img", 8, files.find(artifacts))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(data, "_SBIN", "")
    with pytest.raises(MachineError, match="mke2fs"):
        data.ensure(tmp_path / "disk.img", 8, found)


def test_a_missing_qemu_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MachineError) as caught:
        qemu.program(ARCHES["arm64"])
    assert caught.value.exit_code == 3
    assert "qemu-system-arm" in (caught.value.fix or "")


def test_paths_reach_qemu_whole(artifacts: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "qemu-system-aarch64"
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    machine = Machine(ARCHES["arm64"], Path("k"), Path("i"), Path("/a,b/s"), Path("/d e"), 64, 2, True, ("x=1", "y"))
    argv = qemu.command(machine, Acceleration("tcg", "cortex-a57"))
    assert argv[0] == str(program)
    assert "if=none,id=system,format=raw,readonly=on,file=/a,,b/s" in argv
    assert "if=none,id=data,format=raw,readonly=off,file=/d e" in argv
    assert argv[argv.index("-append") + 1] == "console=ttyAMA0 x=1 y"


def test_what_cannot_be_started_is_said_before_anything_is_built() -> None:
    with pytest.raises(UsageError, match=r"a machine: .* lack vmlinuz, initramfs, squashfs"):
        files.check_formats(Configuration.open("minimal"), container=False)
    with pytest.raises(UsageError, match=r"a container: .* lack rootfs"):
        files.check_formats(Configuration.open("vm"), container=True)
    files.check_formats(Configuration.open("vm"), container=False)
    files.check_formats(Configuration.open("minimal"), container=True)
