"""The system image and the initramfs hold what they should, the same bytes every time."""

from __future__ import annotations

import hashlib
import json
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest

from kimitui.build import elf, release
from kimitui.build.runner import Root
from kimitui.resources import BUILDER_DIR, cache_dir
from tests.build.conftest import kimitui, run_in

pytestmark = pytest.mark.build

TEXT = '{{ extends: "minimal", image: {{ formats: ["rootfs", "squashfs", "initramfs"], squashfs: "{}" }} }}'
# Where a SquashFS superblock has its time and its compression; the numbers of compressions.
TIME, METHOD = slice(8, 12), slice(20, 22)
METHODS = {"zstd": 6, "xz": 4, "lz4": 5, "none": 5}


def built(directory: Path, squashfs: str, *arguments: object) -> Path:
    preset = directory / f"{squashfs}.json5"
    preset.write_text(TEXT.format(squashfs))
    printed = kimitui("build", preset, "--out", directory / "out", "--json", "--progress", "plain", *arguments)
    return Path(json.loads(printed)["directory"])


@pytest.mark.parametrize("method", METHODS)
def test_the_system_image_is_the_root_file_system(method: str, root: Root, tmp_path: Path) -> None:
    artifacts = built(tmp_path, method)
    image = (artifacts / "system.squashfs").read_bytes()
    assert int.from_bytes(image[METHOD], "little") == METHODS[method]
    assert int.from_bytes(image[TIME], "little") == release.load().source_date_epoch
    listed = run_in(
        root.path, ("unsquashfs", "-lln", "-UTC", "-dest", "", "/mnt/system.squashfs"), binds={artifacts: "/mnt"}
    )
    rows = [line.split() for line in listed.splitlines()]
    found = {row[5].lstrip("/"): row[:2] for row in rows if len(row) > 5}
    kinds = {tarfile.REGTYPE: stat.S_IFREG, tarfile.DIRTYPE: stat.S_IFDIR, tarfile.SYMTYPE: stat.S_IFLNK}
    with tarfile.open(artifacts / "rootfs.tar") as archive:
        wanted = {member.name: [stat.filemode(kinds[member.type] | member.mode), "0/0"] for member in archive}
        file = archive.extractfile("bin/busybox")
        assert file is not None
        digest = hashlib.sha256(file.read()).hexdigest()
    assert found == wanted
    assert [row[:2] for row in rows if len(row) == 5] == [["drwxr-xr-x", "0/0"]]  # the root itself
    script = "unsquashfs -cat /mnt/system.squashfs bin/busybox | sha256sum"
    assert run_in(root.path, ("sh", "-c", script), binds={artifacts: "/mnt"}).split()[0] == digest


def test_the_same_bytes_every_time(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    for name in ("toolchain", "sources"):
        (cache / name).symlink_to(cache_dir() / name)
    first = built(tmp_path, "zstd")
    (tmp_path / "other").mkdir()
    again = built(tmp_path / "other", "zstd", "--cache-dir", cache)
    for name in ("system.squashfs", "initramfs.cpio.zst", "SHA256SUMS"):
        assert (first / name).read_bytes() == (again / name).read_bytes(), name


def test_the_initramfs_holds_init_and_a_static_busybox(tmp_path: Path) -> None:
    artifacts = built(tmp_path, "zstd")
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    script = f"zstd -dc '{artifacts}/initramfs.cpio.zst' | cpio --extract --quiet"
    subprocess.run(["sh", "-c", script], cwd=unpacked, check=True)
    assert (unpacked / "init").stat().st_mode & 0o777 == 0o755
    assert (unpacked / "init").read_bytes() == (BUILDER_DIR / "initramfs/init").read_bytes()
    assert elf.read(unpacked / "bin/busybox").interpreter is None
    # Everything that /init runs, as a link or built into the shell.
    for name in ("cat", "findfs", "mkdir", "mount", "setsid", "sh", "switch_root", "usleep"):
        assert (unpacked / "bin" / name).readlink() == Path("busybox")
