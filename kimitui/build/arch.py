"""The architectures that images can be built for, and what each part of the field calls them."""

from __future__ import annotations

import platform
from dataclasses import dataclass


@dataclass(frozen=True)
class Arch:
    """One architecture: `name` is ours; the others are the compiler's, Linux', OCI's, musl's, ELF's and QEMU's.

    `machine` is what `uname -m` says there.
    """

    name: str
    triple: str
    linux: str
    oci: str
    musl: str
    elf_machine: str
    qemu: str
    machine: str


ARCHES = {
    arch.name: arch
    for arch in (
        Arch("x86_64", "x86_64-linux-gnu", "x86", "amd64", "x86_64", "EM_X86_64", "x86_64", "x86_64"),
        Arch("arm64", "aarch64-linux-gnu", "arm64", "arm64", "aarch64", "EM_AARCH64", "aarch64", "aarch64"),
        Arch("riscv64", "riscv64-linux-gnu", "riscv", "riscv64", "riscv64", "EM_RISCV", "riscv64", "riscv64"),
        Arch("i686", "i686-linux-gnu", "x86", "386", "i386", "EM_386", "i386", "i686"),
    )
}


def host() -> Arch | None:
    """The architecture of this machine, if it is one of ours."""
    machine = platform.machine()
    return next((arch for arch in ARCHES.values() if machine in (arch.machine, arch.oci)), None)
