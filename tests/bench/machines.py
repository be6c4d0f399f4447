"""Kernels and the machines they start: what building one costs, and how long a machine takes to its prompt."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from kimitui.machine import qemu
from kimitui.machine import run as machines
from kimitui.machine.console import Console
from tests.bench.builds import Report, build, in_sandbox, new_cache, outputs_of, run, seconds_of
from tests.bench.processor import spent

FURTHER_OPTIONS = (
    *("BLK_DEV_LOOP", "DEVMEM", "EFI_PARTITION", "EROFS_FS", "HW_RANDOM", "HW_RANDOM_VIRTIO", "ISO9660_FS"),
    *("MSDOS_PARTITION", "SQUASHFS_LZ4", "VIRTIO_CONSOLE"),
)
"""Drivers and file systems. Options such as SECCOMP, SYSVIPC or VIRTIO_BALLOON change structures that nearly every file
sees, and then nearly every file is compiled anew."""


def kernel(report: Report) -> None:
    """The kernel of vm-minimal from an empty cache, beside a bare make of the same configuration; then another one."""
    with new_cache() as cache, tempfile.TemporaryDirectory() as directory:
        # All but the kernel is there before, so that only the kernel is measured.
        rest = Path(directory) / "rest.json5"
        rest.write_text('{ extends: "vm-minimal", image: { formats: ["squashfs", "initramfs"] } }')
        build(cache, rest)
        ours, unit = spent(lambda: build(cache, "vm-minimal"))
        report("kernel of `vm-minimal`, empty cache", f"{ours:.0f} {unit}", "")
        config = {"config": (outputs_of(cache)["linux-config"] / "kernel.config").read_text()}
        second = Path(directory) / "second.json5"
        options = ", ".join(f"{name}: true" for name in FURTHER_OPTIONS)
        second.write_text(f'{{ extends: "vm-minimal", kernel: {{ {options} }} }}')
        again, unit = spent(lambda: build(cache, second))
        measured = f"{again:.0f} {unit}, {again / ours:.2f} ×"
        report("a second preset with ten further drivers and file systems", measured, "≤ 0.5 ×")
        bare, unit = spent(lambda: in_sandbox("bare-kernel.sh", ("linux",), config))
        report("the first one's configuration with bare make in the same sandbox", f"{bare:.0f} {unit}", "")
        report("ratio", f"{ours / bare:.2f} ×", "≤ 1.05 ×")


def boot(report: Report) -> None:
    """Sizes of the machines, how long they take to start without KVM, and what they take of the memory."""
    for preset, bar in (("vm-minimal", "vmlinuz ≤ 1.2 MB, all ≤ 2 MB"), ("vm", "vmlinuz ≤ 2.5 MB")):
        with tempfile.TemporaryDirectory() as out:
            _, printed = run("build", preset, "--out", out, "--json", "--progress", "plain")
            result = json.loads(printed)
            directory = Path(result["directory"])
            sizes = result["artifacts"]
            report(f"`{preset}`: vmlinuz, all artifacts", f"{sizes['vmlinuz']:,} B, {sum(sizes.values()):,} B", bar)
            times = [seconds_to_prompt(directory) for _ in range(5)]
            report(f"`{preset}`: from QEMU's start to the prompt", seconds_of(times), "≤ 3 s")
            _, said = run("run", directory, "--memory", 48, "--command", "dmesg | grep 'Run /init'; free -k")
            init, _, memory, *_ = said.splitlines()
            report(f"`{preset}`: the kernel's start to /init", init.split("]")[0].strip("[ ") + " s", "≤ 1.5 s")
            report(f"`{preset}`: used of 48 MB, as free says", f"{int(memory.split()[2]):,} kB", "≤ 16 MB")


def seconds_to_prompt(directory: Path) -> float:
    """How long a machine takes from QEMU's start to the shell's prompt, without KVM."""
    printed = bytearray()
    with tempfile.TemporaryDirectory() as scratch:
        machine = machines.prepared(directory, machines.Options(), Path(scratch))
        argv = qemu.command(machine, qemu.emulation(machine.arch))
        start = time.monotonic()
        Console(argv, show=printed.extend, finished=lambda: b":~# " in printed).run()
        return time.monotonic() - start
