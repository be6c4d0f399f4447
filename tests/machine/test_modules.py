"""A kernel with modules, and one whose packing is quick to undo: the same kernel, for each takes minutes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kimitui.kconfig.explain import read_dotconfig
from tests.build.conftest import kimitui
from tests.machine.conftest import Image

pytestmark = [pytest.mark.build, pytest.mark.slow]

PRESET = """{
  extends: "vm-minimal",
  image: { squashfs: "lz4" },
  kernel: {
    MODULES: true, KERNEL_LZ4: true,
    VFAT_FS: "m", BLK_DEV_LOOP: "m", CRYPTO: "m", BLK_DEV_DM: "m", DM_CRYPT: "m",
  },
  busybox: { LSMOD: true, MODPROBE: true },
}
"""


@pytest.fixture(scope="module")
def modular(tmp_path_factory: pytest.TempPathFactory) -> Image:
    directory = tmp_path_factory.mktemp("modular")
    preset = directory / "modular.json5"
    preset.write_text(PRESET)
    printed = kimitui("build", preset, "--out", directory / "out", "--json", "--progress", "plain")
    return Image(Path(json.loads(printed)["directory"]))


def test_modules_are_in_the_root_file_system_and_load(modular: Image) -> None:
    said = modular.command(
        "cd /lib/modules/$(uname -r) || exit; cat modules.dep; grep -c vfat /proc/filesystems; "
        "modprobe vfat && modprobe loop && modprobe dm-crypt || exit; "
        "grep -c vfat /proc/filesystems; test -b /dev/loop0; echo $?; "
        "echo loaded; lsmod; echo gone; modprobe -r vfat; lsmod"
    )
    listed, loaded = said.split("loaded\n")
    loaded, rest = loaded.split("gone\n")
    needs = {line.partition(":")[0].rpartition("/")[2]: line.partition(":")[2] for line in listed.splitlines()}
    assert {"vfat.ko", "fat.ko", "loop.ko", "dm-crypt.ko", "dm-mod.ko"} <= needs.keys()
    assert "fs/fat/fat.ko" in needs["vfat.ko"] and "dm-mod.ko" in needs["dm-crypt.ko"]
    assert listed.splitlines()[-3:] == ["0", "1", "0"]
    assert {"vfat", "fat", "loop", "dm_crypt", "dm_mod"} <= {line.split()[0] for line in loaded.splitlines()}
    assert not {"vfat", "fat"} & {line.split()[0] for line in rest.splitlines()}


def test_nothing_of_where_it_was_built_is_in_the_modules(modular: Image) -> None:
    said = modular.command("cd /lib/modules/*; ls; grep -rlE '/build/|/steps/|/output/' . | wc -l")
    *names, found = said.split()
    assert not {"build", "source"} & set(names)
    assert found == "0"


def test_kernel_and_system_image_are_packed_with_lz4(modular: Image) -> None:
    assert read_dotconfig(modular.directory / "kernel.config")["KERNEL_LZ4"] == "y"
    assert b"\x02\x21\x4c\x18" in (modular.directory / "vmlinuz").read_bytes()  # an LZ4 frame of Linux' kind
    superblock = (modular.directory / "system.squashfs").read_bytes()[:96]
    assert int.from_bytes(superblock[20:22], "little") == 5
