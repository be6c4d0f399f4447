"""Sizes were measured with what builds are made with now."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kimitui.build.toolchain import Toolchain
from kimitui.sizes import tools
from kimitui.sizes.busybox import DATA
from kimitui.sizes.measure import usual_flags

FILES = sorted(DATA.glob("*-*.json"))
_COMMANDS = {"busybox": "measure", "flags": "measure", "packages": "measure", "linux": "measure-linux"}


@pytest.mark.build
@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_data_are_of_the_compilers_and_packers_that_builds_have(path: Path, toolchain: Toolchain) -> None:
    what, _, arch = path.stem.partition("-")
    data = json.loads(path.read_text())
    measured = data.get("about", data)["tools"]
    assert measured == tools.of(toolchain.packages, arch), (
        f"{path.name} is stale, the toolchain is another one: kimitui sizes {_COMMANDS[what]} --arch {arch}"
    )
    assert any(name.startswith("gcc-") for name in measured)


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_data_are_of_the_flags_that_builds_have(path: Path) -> None:
    what, _, arch = path.stem.partition("-")
    if what == "linux":
        return  # its flags are options
    about = json.loads(path.read_text())["about"]
    measured = {name: about[name] for name in ("compile", "link")}
    assert measured == usual_flags(arch), (
        f"{path.name} is stale, flags are others: kimitui sizes {_COMMANDS[what]} --arch {arch} {what}"
    )


def test_of_the_toolchain_only_what_makes_sizes_counts() -> None:
    packages = {
        "gcc-14": "14.2.0-19",
        "gcc-14-aarch64-linux-gnu": "14.2.0-19cross1",
        "gcc-14-base": "14.2.0-19",
        "meson": "1.7.0-1",
        "squashfs-tools": "1:4.6.1-1",
    }
    assert tools.of(packages, "arm64") == {
        "gcc-14": "14.2.0-19",
        "gcc-14-aarch64-linux-gnu": "14.2.0-19cross1",
        "squashfs-tools": "1:4.6.1-1",
    }
    assert tools.of(packages, "x86_64").keys() == {"gcc-14", "squashfs-tools"}
