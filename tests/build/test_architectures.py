"""Foreign architectures: what is built for them runs, under QEMU's user-mode emulation."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from kimitui.build import elf
from kimitui.build.arch import ARCHES
from kimitui.build.runner import Root
from tests.build.conftest import Image, Make, run_in
from tests.build.test_seccomp import check

pytestmark = pytest.mark.build

# What Cortex-A53 may do wrong: an address taken in one of the last two places of a page of 4 kB, and then two loads,
# the second of them with that address. Prints the size of the code in bytes, and what the sequence has become.
ERRATUM = r"""cat >erratum.S <<EOF
	.text
	.balign 4096
	.rept 1022
	nop
	.endr
	.globl _start
_start:	adrp x0, there
	ldr x1, [x2]
	ldr x3, [x0, :lo12:there]
	ret
	.data
	.space DISTANCE
there:	.quad 0
EOF
. /input/lib.sh
target_cc >cc; chmod +x cc
./cc -nostdlib $LDFLAGS_TARGET -DDISTANCE=%d erratum.S -o erratum
$TRIPLE-objcopy -O binary -j .text erratum code; stat -c %%s code
$TRIPLE-objdump -d --no-show-raw-insn --disassemble=_start erratum | sed -n 's/^ .*:\t\([a-z]*\).*$/\1/p' | head -4
"""


@pytest.fixture(scope="module", params=["arm64", "riscv64", pytest.param("i686", marks=pytest.mark.slow)])
def foreign(request: pytest.FixtureRequest, make_image: Make, presets: Path) -> tuple[str, Image]:
    return request.param, make_image(presets / "contained.json5", "--arch", request.param)


def emulator_for(arch: str) -> str:
    emulator = shutil.which(f"qemu-{ARCHES[arch].qemu}")
    if emulator is None:
        pytest.skip(f"qemu-{ARCHES[arch].qemu} is not installed (Debian package qemu-user)")
    return emulator


@pytest.fixture
def run(foreign: tuple[str, Image]) -> Callable[..., str]:
    """What a program of the image prints, given by its path in it and its arguments."""
    arch, image = foreign
    emulator = emulator_for(arch)

    # The emulator is linked against the host's libraries, so the host's root is the root, and the image is below it.
    def run(program: str, *words: str) -> str:
        return run_in(Path("/"), (emulator, f"/tmp{program}", *words), binds={image.rootfs: "/tmp"})

    return run


def test_the_file_is_for_the_architecture(foreign: tuple[str, Image]) -> None:
    arch, image = foreign
    facts = elf.read(image.rootfs / "bin/busybox")
    assert (facts.machine, facts.pie, facts.nx, facts.relro) == (ARCHES[arch].elf_machine, True, True, "full")
    info = json.loads((image.directory / "build-info.json").read_text())
    assert info["arch"] == arch == image.directory.name


# **Feature: kimigayo-os-core, Property 16: every supported architecture builds and behaves alike**
def test_it_runs(foreign: tuple[str, Image], run: Callable[..., str]) -> None:
    assert run("/bin/busybox", "uname", "-m") == f"{ARCHES[foreign[0]].machine}\n"
    assert run("/bin/busybox", "sh", "-c", "for i in 1 2 3; do echo $((i * i)); done") == "1\n4\n9\n"


def test_the_launcher_runs(foreign: tuple[str, Image], run: Callable[..., str]) -> None:
    program = foreign[1].rootfs / "sbin/contain"
    assert program.stat().st_size <= 40_000
    with program.open("rb") as file:
        segments = list(ELFFile(file).iter_segments())
    # Nothing can be written and executed, and what is read-only after start ends where a page does.
    assert not [one for one in segments if one["p_type"] == "PT_LOAD" and one["p_flags"] & 3 == 3]
    page = max(one["p_align"] for one in segments if one["p_type"] == "PT_LOAD")
    (relro,) = (one for one in segments if one["p_type"] == "PT_GNU_RELRO")
    assert (relro["p_vaddr"] + relro["p_memsz"]) % page == 0
    # The emulator has no filters; what is started is the host's own.
    assert run("/sbin/contain", "--name", "test", "--env", "A=b", "--", "env", "-u", "PATH") == "A=b\n"


def test_its_filters_are_for_the_architecture(foreign: tuple[str, Image], root: Root) -> None:
    arch, image = foreign
    check(image.rootfs / "usr/lib/seccomp", root.path, arch)


@pytest.mark.parametrize(
    ("distance", "size", "instructions"),
    [(0, 4104, "adr ldr ldr ret"), (1 << 20, 8200, "adrp ldr b ret")],
)
def test_programs_for_arm64_keep_off_an_erratum_and_small_ones_for_nothing(
    presets: Path, distance: int, size: int, instructions: str
) -> None:
    words = ("--arch", "arm64", "--command", ERRATUM % distance)
    command = [sys.executable, "-m", "kimitui", "shell", str(presets / "contained.json5"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    code, *found = done.stdout.split()
    assert (int(code), " ".join(found)) == (size, instructions)


@pytest.mark.slow
def test_a_dynamic_program_of_32_bits_finds_what_checks_its_stack(make_image: Make, presets: Path) -> None:
    image = make_image(presets / "dynamic.json5", "--arch", "i686")
    facts = elf.read(image.rootfs / "bin/busybox")
    assert (facts.interpreter, facts.stack_protector) == ("/lib/ld-musl-i386.so.1", True)
    words = (emulator_for("i686"), "-L", "/tmp", "/tmp/bin/busybox", "uname", "-m")
    assert run_in(Path("/"), words, binds={image.rootfs: "/tmp"}) == "i686\n"
