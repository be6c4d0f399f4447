"""Start the machine in a directory of artifacts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kimitui.errors import BuildError
from kimitui.machine import data, files, qemu
from kimitui.machine.console import Console
from kimitui.machine.remote import Command

_PROCESSORS = 2


@dataclass(frozen=True)
class Options:
    """How to start a machine: memory and the size of a new disk for data in MiB, further words for the kernel.

    Without a number of processors it has two, or one where there is only one to run it.
    """

    memory_mb: int = 128
    processors: int | None = None
    data: Path | None = None
    data_mb: int = 256
    words: tuple[str, ...] = ()
    timeout_seconds: float | None = None


def interactive(directory: Path, options: Options, *, keyboard: IO[bytes], show: Callable[[bytes], None]) -> None:
    """Run the machine with its console on a terminal, until it is switched off.

    Raises KimituiError for what keeps it from running.
    """
    with tempfile.TemporaryDirectory(prefix="kimitui-") as scratch:
        machine = prepared(directory, options, Path(scratch))
        console = Console(_command_line(machine), show=show, timeout_seconds=options.timeout_seconds)
        if problem := console.run(keyboard).problem():
            raise problem


def command(directory: Path, text: str, options: Options, *, show: Callable[[bytes], None]) -> int:
    """Run one command in the machine, in a shell, then switch it off; the command's exit status.

    `show` gets what the command prints. Raises KimituiError for what keeps the machine from running.
    """
    wanted = Command(text)
    reader = wanted.reader()
    with tempfile.TemporaryDirectory(prefix="kimitui-") as scratch:
        machine = prepared(directory, options, Path(scratch), wanted)
        console = Console(
            _command_line(machine),
            show=lambda printed: show(reader.feed(printed)),
            timeout_seconds=options.timeout_seconds,
        )
        ended = console.run()
    if reader.status is not None:
        return reader.status
    if problem := ended.problem():
        raise problem
    raise BuildError(
        "the machine was switched off before the command had ended" if reader.begun else "the machine ran no command",
        fix="" if reader.begun else "The image must switch on the service console, which runs /etc/rc/console.",
    )


def prepared(directory: Path, options: Options, scratch: Path, wanted: Command | None = None) -> qemu.Machine:
    """The machine in `directory`, ready to start; what has to be made for it is put into `scratch`.

    Raises KimituiError where something is missing or damaged.
    """
    found = files.find(directory)
    qemu.program(found.arch)
    words = ["panic=-1"]
    if options.data is not None:
        data.ensure(options.data, options.data_mb, found)
        words.append("kimigayo.data=/dev/vdb")
    initramfs, kernel = found.initramfs, found.kernel
    if wanted is not None:
        initramfs = wanted.initramfs(initramfs, scratch / "initramfs")
        words.append("loglevel=1")
    if found.arch.name == "riscv64":
        kernel = files.unpacked_kernel(kernel, scratch / "kernel")
    return qemu.Machine(
        arch=found.arch,
        kernel=kernel,
        initramfs=initramfs,
        system=found.system,
        data=options.data,
        memory_mb=options.memory_mb,
        processors=options.processors or min(_PROCESSORS, len(os.sched_getaffinity(0))),
        network="VIRTIO_NET" in found.kernel_config,
        words=(*words, "kimigayo.system=/dev/vda", *options.words),
    )


def _command_line(machine: qemu.Machine) -> list[str]:
    return qemu.command(machine, qemu.acceleration(machine.arch))
