"""Runs filters of system calls as the kernel would: classic BPF over a `struct seccomp_data`."""

from __future__ import annotations

import operator
import re
import struct
from collections.abc import Callable
from pathlib import Path

ALLOW, KILL_PROCESS = 0x7FFF0000, 0x80000000
# AUDIT_ARCH_* of linux/audit.h.
AUDIT = {"x86_64": 0xC000003E, "arm64": 0xC00000B7, "riscv64": 0xC00000F3, "i686": 0x40000003}
# Where Debian's compilers have the numbers of system calls.
_HEADERS = {
    "x86_64": "x86/asm/unistd_64.h",
    "arm64": "arm64/asm/unistd_64.h",
    "riscv64": "riscv/asm/unistd_64.h",
    "i686": "x86/asm/unistd_32.h",
}
_JUMPS: dict[int, Callable[[int, int], object]] = {
    0x15: operator.eq,
    0x25: operator.gt,
    0x35: operator.ge,
    0x45: operator.and_,
}


def run(filter_: bytes, number: int, arch: int, arguments: tuple[int, ...] = ()) -> int:
    """What the filter returns for a system call."""
    data = struct.pack("<iIQ6Q", number, arch, 0, *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    program = list(struct.iter_unpack("<HBBI", filter_))
    accumulator = at = 0
    while True:
        code, true, false, k = program[at]
        at += 1
        if code == 0x20:  # load a word
            (accumulator,) = struct.unpack_from("<I", data, k)
        elif code == 0x54:  # and
            accumulator &= k
        elif code == 0x05:  # go on elsewhere
            at += k
        elif code in _JUMPS:
            at += true if _JUMPS[code](accumulator, k) else false
        elif code == 0x06:  # return
            return int(k)
        else:
            raise AssertionError(f"unknown instruction {code:#x}")


def numbers(toolchain: Path, arch: str) -> dict[str, int]:
    """The numbers of an architecture's system calls, from the headers of the toolchain."""
    text = (toolchain / "usr/lib/linux/uapi" / _HEADERS[arch]).read_text()
    return {name: int(number) for name, number in re.findall(r"^#define __NR_(\w+)\s+(\d+)$", text, re.MULTILINE)}
