"""What `kimitui run` refuses before anything is built or started, in words that help."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.machine.conftest import Ran

Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`kimitui run` in an empty directory, with an empty cache: nothing can have been built."""

    def start(*arguments: object, **environment: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "kimitui", "run", *map(str, arguments)],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "KIMITUI_CACHE": str(tmp_path / "cache"), **environment},
        )
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "out").exists() and not (tmp_path / "cache/sources").exists()
        return Ran(done.returncode, done.stdout, done.stderr)

    return start


def artifacts(directory: Path, arch: str = "x86_64") -> Path:
    """A directory that looks as if a machine could boot from it."""
    directory.mkdir(parents=True)
    (directory / "build-info.json").write_text(json.dumps({"arch": arch}))
    (directory / "vmlinuz").write_bytes(b"kernel")
    (directory / "initramfs.cpio.zst").write_bytes(b"initramfs")
    (directory / "system.squashfs").write_bytes(b"hsqs" + bytes(36) + (96).to_bytes(8, "little") + bytes(48))
    return directory


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("nothere",), 2, "nothere"),
        (("minimal",), 2, "lack vmlinuz, initramfs, squashfs"),
        (("vm", "--container"), 2, "lack rootfs"),
        (("vm", "--memory", "8"), 2, "--memory 8 is too little"),
        (("vm", "--memory", "much"), 2, "is not a number of MiB"),
        (("vm", "--processors", "9"), 2, "is not a number of processors from 1 to 8"),
        (("vm", "--timeout", "0"), 2, "is not a number of seconds"),
        (("vm", "--arch", "mips"), 2, "invalid choice: 'mips'"),
        (("./made", "--arch", "arm64"), 2, "--arch is for presets"),
        (("./empty",), 2, "no build-info.json"),
        (("empty",), 2, "no build-info.json"),
        (("./half",), 2, "no initramfs.cpio.zst"),
        (("./odd",), 2, "is not as kimitui build writes it"),
        (("./cut", "--command", "true"), 1, "cut off: 50 of 96 bytes"),
        (("./made", "--data", "/none/disk.img"), 2, "neither ext4 nor ext2"),
        (("./made", "--data", "."), 2, "not a file"),
    ],
)
def test_bad_input(tmp_path: Path, run: Run, arguments: tuple[str, ...], status: int, says: str) -> None:
    artifacts(tmp_path / "made")
    artifacts(tmp_path / "odd", "pdp11")
    os.truncate(artifacts(tmp_path / "cut") / "system.squashfs", 50)
    (artifacts(tmp_path / "half") / "initramfs.cpio.zst").unlink()
    (tmp_path / "empty").mkdir()
    ran = run(*arguments)
    assert (ran.status, ran.output) == (status, "")
    assert says in ran.error


@pytest.mark.parametrize(("arch", "package"), [("x86_64", "qemu-system-x86"), ("riscv64", "qemu-system-misc")])
def test_without_qemu(tmp_path: Path, run: Run, arch: str, package: str) -> None:
    for image in (artifacts(tmp_path / arch, arch), "vm-minimal"):
        ran = run(image, *(("--arch", arch) if image == "vm-minimal" else ()), PATH=str(tmp_path))
        assert ran.status == 3
        assert f"apt-get install {package}" in ran.error and "--container" in ran.error


def test_a_directory_beside_the_preset_of_its_name(tmp_path: Path, run: Run) -> None:
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets/edge.json5").write_text('{ extends: "minimal" }')
    (tmp_path / "edge").mkdir()
    assert "its image.formats lack" in run("edge").error  # the preset
    assert "no build-info.json" in run("./edge").error
    shutil.rmtree(tmp_path / "edge")
    os.truncate(artifacts(tmp_path / "edge") / "system.squashfs", 50)
    assert "cut off" in run("edge").error  # what was built
