"""Foreign architectures: what is built for them runs, under QEMU's user-mode emulation."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from kimitui.build import elf
from kimitui.build.arch import ARCHES
from tests.build.conftest import Image, Make, run_in

pytestmark = pytest.mark.build


@pytest.fixture(scope="module", params=["arm64", "riscv64", pytest.param("i686", marks=pytest.mark.slow)])
def foreign(request: pytest.FixtureRequest, make_image: Make) -> tuple[str, Image]:
    return request.param, make_image("minimal", "--arch", request.param)


def test_the_file_is_for_the_architecture(foreign: tuple[str, Image]) -> None:
    arch, image = foreign
    facts = elf.read(image.rootfs / "bin/busybox")
    assert (facts.machine, facts.pie, facts.nx, facts.relro) == (ARCHES[arch].elf_machine, True, True, "full")
    info = json.loads((image.directory / "build-info.json").read_text())
    assert info["arch"] == arch == image.directory.name


def emulator_for(arch: str) -> str:
    emulator = shutil.which(f"qemu-{ARCHES[arch].qemu}")
    if emulator is None:
        pytest.skip(f"qemu-{ARCHES[arch].qemu} is not installed (Debian package qemu-user)")
    return emulator


# **Feature: kimigayo-os-core, Property 16: every supported architecture builds and behaves alike**
def test_it_runs(foreign: tuple[str, Image]) -> None:
    arch, image = foreign
    emulator = emulator_for(arch)

    # The emulator is linked against the host's libraries, so the host's root is the root, and the image is below it.
    def run(*words: str) -> str:
        return run_in(Path("/"), (emulator, "/tmp/bin/busybox", *words), binds={image.rootfs: "/tmp"})

    assert run("uname", "-m") == f"{ARCHES[arch].machine}\n"
    assert run("sh", "-c", "for i in 1 2 3; do echo $((i * i)); done") == "1\n4\n9\n"


@pytest.mark.slow
def test_a_dynamic_program_of_32_bits_finds_what_checks_its_stack(make_image: Make, presets: Path) -> None:
    image = make_image(presets / "dynamic.json5", "--arch", "i686")
    facts = elf.read(image.rootfs / "bin/busybox")
    assert (facts.interpreter, facts.stack_protector) == ("/lib/ld-musl-i386.so.1", True)
    words = (emulator_for("i686"), "-L", "/tmp", "/tmp/bin/busybox", "uname", "-m")
    assert run_in(Path("/"), words, binds={image.rootfs: "/tmp"}) == "i686\n"
