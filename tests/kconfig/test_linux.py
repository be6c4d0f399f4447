from __future__ import annotations

import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from kimitui import config_upstream
from kimitui.build.sources import load_lock
from kimitui.errors import KimituiError, MachineError
from kimitui.kconfig import linux
from kimitui.kconfig.types import Kconfig

KCONFIG = """
mainmenu "Linux/$(ARCH) $(KERNELVERSION)"
version := $(shell,$(srctree)/scripts/version.sh $(CC))
source "arch/$(SRCARCH)/Kconfig"
config GCC
	int
	default $(version)
config MODULES
	bool "modules"
	modules
	help
		modules
config DRIVER
	tristate "driver"
	default y
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A source such as Linux's, with what is awkward in it."""
    root = tmp_path / "linux-9"
    (root / "arch" / "x86").mkdir(parents=True)
    (root / ".hidden").mkdir()
    (root / "Kconfig").write_text(KCONFIG)
    (root / "Makefile").write_text("VERSION = 9\nPATCHLEVEL = 8\nSUBLEVEL = 7\nEXTRAVERSION =\nNAME = x\n")
    (root / "arch" / "Makefile").write_text("all:\n")
    (root / "arch" / "main.c").write_text("int main;\n")
    (root / "arch" / "x86" / "Kconfig").write_text('config X86\n\tdef_bool y\n\nconfig A\n\tbool "a"\n')
    (root / ".hidden" / "Kconfig").write_text("nonsense\n")
    return root


def files_under(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_only_what_the_tree_reads_is_extracted(source: Path, tmp_path: Path) -> None:
    linux.extract_tree(source, tmp_path / "tree")
    assert files_under(tmp_path / "tree").keys() == {"Kconfig", "Makefile", "arch/x86/Kconfig"}


@pytest.mark.parametrize("prefix", ["", "./"])
@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_an_archive_gives_the_same_as_a_directory(source: Path, tmp_path: Path, mode: str, prefix: str) -> None:
    with tarfile.open(tmp_path / "x.tar", mode) as archive:  # type: ignore[call-overload]
        archive.add(source, f"{prefix}{source.name}")
    linux.extract_tree(source, tmp_path / "a")
    linux.extract_tree(tmp_path / "x.tar", tmp_path / "b")
    assert files_under(tmp_path / "a") == files_under(tmp_path / "b")


def test_the_tree_is_linuxs_and_its_commands_are_answered(source: Path) -> None:
    asked = []

    def answer(command: str) -> str:
        asked.append(command)
        return "140200"

    tree = linux.load_tree(source, "x86_64", shell=answer)
    assert asked == [f"{source}/scripts/version.sh x86_64-linux-gnu-gcc"]
    assert tree.mainmenu_text == "Linux/x86 9.8.7"
    assert tree.syms["GCC"].str_value == "140200"
    assert tree.syms["X86"].tri_value == 2


def test_modules_are_what_the_tree_says(source: Path) -> None:
    tree = linux.load_tree(source, "x86_64", shell=lambda _command: "1")
    assert tree.syms["MODULES"].nodes[0].help == "modules"
    tree.syms["DRIVER"].set_value(1)
    assert tree.syms["DRIVER"].str_value == "y"
    tree.syms["MODULES"].set_value(2)
    assert tree.syms["DRIVER"].str_value == "m"


def test_no_command_of_the_source_is_run(source: Path, tmp_path: Path) -> None:
    (source / "Kconfig").write_text(f"found := $(shell,touch {tmp_path}/ran)\n{KCONFIG}")
    with pytest.raises(KimituiError, match="no answer is recorded") as caught:
        linux.load_tree(source, "x86_64")
    assert caught.value.details == (f"touch {tmp_path}/ran",)
    assert "record-linux-macros" in (caught.value.fix or "")
    assert not (tmp_path / "ran").exists()


def test_the_tree_is_extracted_once(source: Path, tmp_path: Path) -> None:
    (source / "Kconfig").write_text('mainmenu "x"\nsource "arch/$(SRCARCH)/Kconfig"\n')
    cache = tmp_path / "cache"
    assert "A" in linux.upstream_tree(source, cache, "digest", "x86_64").syms
    (source / "arch" / "x86" / "Kconfig").write_text('config B\n\tbool "b"\n')
    assert "A" in linux.upstream_tree(source, cache, "digest", "x86_64").syms
    assert "B" in linux.upstream_tree(source, cache, "another", "x86_64").syms
    assert sorted(path.name for path in (cache / "trees").iterdir()) == ["linux-another", "linux-digest"]


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("no archive")
    for path in (tmp_path / "empty", tmp_path / "text"):
        with pytest.raises(KimituiError) as caught:
            linux.extract_tree(path, tmp_path / "tree")
        assert caught.value.where == path
        assert "Linux source" in str(caught.value)
    assert not (tmp_path / "tree").exists()


def test_a_place_that_cannot_be_written_is_the_machines_fault(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="cannot write Linux' Kconfig tree"):
        linux.extract_tree(source, tmp_path / "file" / "tree")


@pytest.mark.parametrize("arch", linux.ARCHES)
def test_the_answers_are_those_for_the_pinned_version(arch: str) -> None:
    recorded = json.loads(linux.answers_file(arch).read_text())
    assert recorded["linux"] == load_lock()["linux"].version
    assert len(recorded["packages"]) == 2


def test_what_is_not_asked_for_is_off(linux_upstream: Mapping[str, Kconfig]) -> None:
    tree = linux_upstream["riscv64"]
    config_upstream.apply_upstream(tree, {"BLOCK": "y"}, beneath=linux.beneath(tree, "riscv64"))
    values = {name: tree.syms[name].str_value for name in ("BLOCK", "BLK_DEV", "EXT4_FS", "NET", "MSDOS_PARTITION")}
    tree.unset_values()
    assert values == {"BLOCK": "y", "BLK_DEV": "y", "EXT4_FS": "n", "NET": "n", "MSDOS_PARTITION": "n"}
