from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimitui.errors import KimituiError, MachineError
from kimitui.kconfig import busybox
from kimitui.kconfig.types import Kconfig

SCRIPT = """
#include "libbb.h"
//config:config ECHO
//config:	bool "echo"
//config:	default y
//applet:IF_ECHO(APPLET(echo, BB_DIR_BIN, BB_SUID_DROP))
 //config: not at the start of the line
"""


def files_under(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A source such as BusyBox's, with what is awkward in it."""
    root = tmp_path / "busybox-9"
    (root / "tools" / "deep").mkdir(parents=True)
    (root / ".hidden").mkdir()
    (root / "Config.in").write_text('mainmenu "x"\nsource tools/Config.in\n')
    (root / "tools" / "Config.src").write_text('menu "Tools"\n\nINSERT\nsource tools/deep/Config.in\nendmenu\n')
    (root / "tools" / "Config.in").write_text("left over from another build\n")
    (root / "tools" / "b.c").write_text("//config:config B\n//config:\tbool\n")
    (root / "tools" / "B.c").write_text("//config:config BIG\n//config:\tbool\n//config:")
    (root / "tools" / "a.c").write_text(SCRIPT)
    (root / "tools" / "none.c").write_text("int main;\n")
    (root / "tools" / "a.h").write_text("//config:config HEADER\n")
    (root / "tools" / "deep" / "Config.src").write_text("# nothing is inserted here\n")
    (root / "tools" / "deep" / "c.c").write_text("//config:config C\n//config:\tbool\n")
    (root / ".hidden" / "Config.src").write_text("INSERT\n")
    return root


def archived(source: Path, path: Path, mode: str = "w:bz2", prefix: str = "") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        archive.add(source, f"{prefix}{source.name}")
    return path


def test_the_text_of_the_c_files_goes_where_insert_is(source: Path, tmp_path: Path) -> None:
    busybox.extract_tree(source, tmp_path / "tree")
    header = b"# DO NOT EDIT. This file is generated from Config.src\n"
    assert files_under(tmp_path / "tree") == {
        "Config.in": (source / "Config.in").read_bytes(),
        "tools/Config.in": header
        + b'menu "Tools"\n\nconfig BIG\n\tbool\n\nconfig ECHO\n\tbool "echo"\n\tdefault y\nconfig B\n\tbool\n'
        + b"source tools/deep/Config.in\nendmenu\n",
        "tools/deep/Config.in": header + b"# nothing is inserted here\nconfig C\n\tbool\n",
    }
    assert "ECHO" in busybox.load_tree(tmp_path / "tree").syms


@pytest.mark.parametrize("prefix", ["", "./"])
@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_an_archive_gives_the_same_as_a_directory(source: Path, tmp_path: Path, mode: str, prefix: str) -> None:
    busybox.extract_tree(source, tmp_path / "a")
    busybox.extract_tree(archived(source, tmp_path / "x.tar", mode, prefix), tmp_path / "b")
    assert files_under(tmp_path / "a") == files_under(tmp_path / "b")


def test_upstreams_own_script_gives_the_same_bytes(
    busybox_source: Path, busybox_unpacked: Path, busybox_generated: Path, tmp_path: Path
) -> None:
    expected = {path: data for path, data in files_under(busybox_generated).items() if path.endswith("Config.in")}
    assert len(expected) > 20
    expected["Config.in"] = (busybox_unpacked / "Config.in").read_bytes()

    busybox.extract_tree(busybox_source, tmp_path / "from archive")
    assert files_under(tmp_path / "from archive") == expected
    busybox.extract_tree(busybox_unpacked, tmp_path / "from directory")
    assert files_under(tmp_path / "from directory") == expected


def test_the_tree_of_the_source_is_whole(busybox_upstream: Kconfig) -> None:
    assert len(busybox_upstream.unique_defined_syms) > 1000
    assert busybox_upstream.syms["ASH"].nodes
    assert not [line for line in busybox_upstream.warnings if "quotes recommended" not in line]


def test_a_tree_is_extracted_once(source: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert "ECHO" in busybox.upstream_tree(source, cache, "abc").syms
    assert (cache / "trees" / "busybox-abc" / "Config.in").is_file()
    assert "ECHO" in busybox.upstream_tree(tmp_path / "gone", cache, "abc").syms
    with pytest.raises(KimituiError):
        busybox.upstream_tree(tmp_path / "gone", cache, "other")


def test_what_is_no_source_leaves_nothing_behind(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    broken = tmp_path / "broken.tar.bz2"
    broken.write_bytes(b"BZh91AY&SY nonsense")
    text = tmp_path / "text"
    text.write_text("hello")
    for wrong in (empty, broken, text, tmp_path / "missing"):
        with pytest.raises(KimituiError) as caught:
            busybox.extract_tree(wrong, tmp_path / "out" / "tree")
        assert str(wrong) in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_truncated_archive_is_refused(source: Path, tmp_path: Path) -> None:
    (source / "tools" / "random.c").write_bytes(os.urandom(100_000))
    whole = archived(source, tmp_path / "whole.tar.bz2").read_bytes()
    cut = tmp_path / "cut.tar.bz2"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(KimituiError, match="cannot read"):
        busybox.extract_tree(cut, tmp_path / "tree")
    assert not (tmp_path / "tree").exists()


def test_nothing_is_written_outside_the_destination(source: Path, tmp_path: Path) -> None:
    evil = tmp_path / "evil.tar"
    archived(source, evil, "w")
    with tarfile.open(evil, "a") as archive:
        for name in ("busybox-9/../../../escaped/Config.src", "/escaped/Config.src", "busybox-9/a/../../e/Config.src"):
            archive.addfile(tarfile.TarInfo(name))
    busybox.extract_tree(evil, tmp_path / "in" / "tree")
    assert not (tmp_path / "escaped").exists()
    assert not (tmp_path / "in" / "e").exists()
    assert not Path("/escaped").exists()


def test_no_place_to_write_is_the_machines_fault(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError):
        busybox.extract_tree(source, tmp_path / "file" / "tree")


def test_who_comes_second_leaves_what_is_there(source: Path, tmp_path: Path) -> None:
    busybox.extract_tree(source, tmp_path / "trees" / "tree")
    before = (tmp_path / "trees" / "tree").stat().st_ino
    busybox.extract_tree(source, tmp_path / "trees" / "tree")
    assert (tmp_path / "trees" / "tree").stat().st_ino == before
    assert [path.name for path in (tmp_path / "trees").iterdir()] == ["tree"]


lines = st.lists(st.sampled_from(["INSERT", "INSERT ", "config A", "", "//config:x", "\ttext"]), max_size=6)


@given(template=lines, code=lines)
def test_any_text_is_treated_as_sed_does(
    template: list[str], code: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("sed")
    source, marked = root / "Config.src", root / "a.c"
    source.write_text("".join(f"{line}\n" for line in template))
    marked.write_text("".join(f"{line}\n" for line in code))
    program = (
        "sed -n '/^INSERT$/ q; p' Config.src; sed -n 's@^//config:@@p' a.c;"
        "sed -n '/^INSERT$/ {\n:l\n n\n p\n bl\n}' Config.src"
    )
    expected = subprocess.run(["sh", "-c", program], cwd=root, check=True, capture_output=True).stdout
    ours = busybox._generate(source.read_bytes(), busybox._marked(marked.read_bytes()))
    assert ours.partition(b"\n")[2] == expected
