"""How long machines take until all their services are up, and how much memory they have in use then."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from kimitui.machine import qemu
from kimitui.machine import run as machines
from kimitui.machine.console import Console
from kimitui.machine.remote import Command
from tests.bench.builds import Report, run, seconds_of

RUNS = 5
# The console runs a command as soon as all services are up, so it is there in both.
MACHINES = {
    "`standard` with a kernel": (
        '{ extends: "standard", services: { console: true },'
        ' image: { formats: ["rootfs", "vmlinuz", "squashfs", "initramfs"] } }',
        "≤ 6 s",
    ),
    "`standard` with a kernel and OpenRC": (
        '{ extends: "standard", init: { system: "openrc" }, services: { console: true },'
        ' image: { formats: ["rootfs", "vmlinuz", "squashfs", "initramfs"] } }',
        "≤ 6 s",
    ),
    "`vm` with sshd": ('{ extends: "vm", services: { sshd: true } }', "≤ 5 s"),
}


def services(report: Report) -> None:
    """From QEMU's start, without KVM, to the first command after all services; memory as `free` says."""
    for name, (text, bar) in MACHINES.items():
        with tempfile.TemporaryDirectory() as directory:
            preset = Path(directory) / "machine.json5"
            preset.write_text(text)
            _, built = run("build", preset, "--out", directory, "--json", "--progress", "plain")
            result = json.loads(built)
            image = Path(result["directory"])
            if rootfs_bytes := result["artifacts"].get("rootfs.tar"):
                report(f"{name}: rootfs.tar", f"{rootfs_bytes:,} B", "≤ 2.5 MB")
            times = [seconds_until_up(image) for _ in range(RUNS)]
            _, states = run("run", image, "--command", "rc-status --all; free -k")
            started = states.count(" started")
            used_kb = int(states.splitlines()[-2 if "Swap" in states else -1].split()[2])
            report(f"{name}, x86_64: QEMU's start to all {started} services up", seconds_of(times), bar)
            report(f"{name}: used of 128 MB then, as free says", f"{used_kb:,} kB", "≤ 24 MB")


def seconds_until_up(image: Path) -> float:
    """How long a machine takes from QEMU's start until its services are up, emulated."""
    wanted = Command("true")
    reader, printed = wanted.reader(), bytearray()
    with tempfile.TemporaryDirectory() as scratch:
        machine = machines.prepared(image, machines.Options(), Path(scratch), wanted)
        argv = qemu.command(machine, qemu.emulation(machine.arch))
        start = time.monotonic()
        Console(argv, show=lambda shown: printed.extend(reader.feed(shown)), finished=lambda: reader.begun).run()
        return time.monotonic() - start
