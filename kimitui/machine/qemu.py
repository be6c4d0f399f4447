"""QEMU: which program, with or without KVM, and the command line of a machine."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from kimitui.build.arch import Arch, host
from kimitui.errors import MachineError

PACKAGES = {
    "x86_64": "qemu-system-x86",
    "arm64": "qemu-system-arm",
    "riscv64": "qemu-system-misc",
    "i686": "qemu-system-x86",
}
_PROBE_SECONDS = 10

# At the reset vector of an x86 processor: mov al, 0x10; out 0xf4, al; hlt. The device at that port makes QEMU end.
_PROBE_CODE = bytes.fromhex("b010 e6f4 f4")
_PROBE_ROM = b"\xf4" * 0xFFF0 + _PROBE_CODE.ljust(16, b"\xf4")
_PROBE_STATUS = 0x10 << 1 | 1


@dataclass(frozen=True)
class Board:
    """The machine that QEMU imitates: its name, the kernel's name for its serial console, the processor without KVM."""

    machine: str
    console: str
    processor: str


# A plain processor with a source of random numbers: what others have besides, nothing here needs, and it costs an
# emulation a sixth of the time.
_BOARDS = {
    "x86_64": Board("q35", "ttyS0", "qemu64,+rdrand"),
    "arm64": Board("virt", "ttyAMA0", "cortex-a57"),
    "riscv64": Board("virt", "ttyS0", "rv64"),
    "i686": Board("q35", "ttyS0", "max"),
}


@dataclass(frozen=True)
class Acceleration:
    """How the processor is provided, `kvm` or `tcg` (emulation), and the firmware where it is not the usual one."""

    name: str
    processor: str
    firmware: Path | None = None


@dataclass(frozen=True)
class Machine:
    """A machine to start, with so many processors and `memory_mb` MiB; `words` go to the kernel.

    The system image is only read, `data` is written. With `network` it can reach what this machine reaches.
    """

    arch: Arch
    kernel: Path
    initramfs: Path
    system: Path
    data: Path | None
    memory_mb: int
    processors: int
    network: bool
    words: tuple[str, ...]


def program(arch: Arch) -> str:
    """The path of QEMU for an architecture. MachineError, with the package, if it is not installed."""
    name = f"qemu-system-{arch.qemu}"
    if path := shutil.which(name):
        return path
    raise MachineError(
        f"{name} is not installed, so no {arch.name} machine can be started here",
        fix=f"apt-get install {PACKAGES[arch.name]} (or your system's package of it).\n"
        "Without it, the root file system can be tried as a container: kimitui run --container",
    )


def acceleration(arch: Arch) -> Acceleration:
    """KVM if a machine really runs with it, else emulation. Where there is /dev/kvm, KVM need not work."""
    if host() == arch and Path("/dev/kvm").exists():
        how = Acceleration("kvm", "host")
        if _runs(arch, how.processor):
            return how
    return emulation(arch)


def emulation(arch: Arch) -> Acceleration:
    """A processor that works on every host, and is the slower for it.

    QEMU brings a firmware for PCs that only starts kernels and takes less time for it than the usual one, but not every
    distribution packs it.
    """
    qboot = Path(program(arch)).parent.parent / "share/qemu/qboot.rom"
    firmware = qboot if arch.name == "x86_64" and qboot.exists() else None  # i686 kernels hang with it
    return Acceleration("tcg", _BOARDS[arch.name].processor, firmware)


def command(machine: Machine, how: Acceleration) -> list[str]:
    """QEMU's command line; the serial console is its standard input and output."""
    board = _BOARDS[machine.arch.name]
    words = (f"console={board.console}", *machine.words)
    argv = [
        program(machine.arch),
        *("-machine", board.machine, "-accel", how.name, "-cpu", how.processor),
        *("-m", f"{machine.memory_mb}M", "-smp", str(machine.processors)),
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"),
        *("-kernel", str(machine.kernel), "-initrd", str(machine.initramfs), "-append", " ".join(words)),
        *_disk("system", machine.system, readonly=True),
    ]
    if how.firmware is not None:
        argv += ["-bios", str(how.firmware)]
    if machine.data is not None:
        argv += _disk("data", machine.data, readonly=False)
    if machine.network:
        # Without the program for booting from the network, which would only take time.
        argv += ["-netdev", "user,id=network", "-device", "virtio-net-pci,netdev=network,romfile="]
    return argv


def _disk(name: str, path: Path, *, readonly: bool) -> list[str]:
    # A comma in an option is doubled.
    file = str(path.absolute()).replace(",", ",,")
    return [
        *("-drive", f"if=none,id={name},format=raw,readonly={'on' if readonly else 'off'},file={file}"),
        *("-device", f"virtio-blk-pci,drive={name},serial=kimigayo-{name}"),
    ]


def _runs(arch: Arch, processor: str) -> bool:
    """Whether KVM runs code with this processor; on other architectures than x86, whether it starts."""
    argv = [program(arch), "-machine", _BOARDS[arch.name].machine, "-accel", "kvm", "-cpu", processor, "-m", "16M"]
    argv += ["-nodefaults", "-no-user-config", "-display", "none"]
    with tempfile.TemporaryDirectory() as directory:
        expected = 0
        if arch.linux == "x86":
            rom = Path(directory, "rom")
            rom.write_bytes(_PROBE_ROM)
            argv += ["-bios", str(rom), "-device", "isa-debug-exit,iobase=0xf4,iosize=1"]
            expected = _PROBE_STATUS
        else:
            argv += ["-S", "-monitor", "stdio"]
        try:
            done = subprocess.run(argv, input=b"quit\n", capture_output=True, timeout=_PROBE_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == expected
