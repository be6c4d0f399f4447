"""The filters that are built allow what their class says, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from kimitui import seccomp
from kimitui.build.runner import Root
from tests.build import bpf
from tests.build.conftest import Image

pytestmark = pytest.mark.build

NEW_USER_NAMESPACE, NEW_THREAD = 0x10000000, 0x7D0F00


def check(filters: Path, toolchain: Path, arch: str) -> None:
    """Try every system call of the architecture on every filter."""
    numbers, audit = bpf.numbers(toolchain, arch), bpf.AUDIT[arch]
    known = {name: number for name, number in numbers.items() if name in seccomp.load().known}
    assert len(known) > 290
    for name in seccomp.load().offered:
        filter_ = (filters / f"{name}.bpf").read_bytes()
        allowed = {call for call, number in known.items() if bpf.run(filter_, number, audit) == bpf.ALLOW}
        assert allowed == seccomp.load().calls[name] & known.keys(), name
        assert {bpf.run(filter_, number, audit) for number in (*range(500, 600), -1)} == {bpf.KILL_PROCESS}
        for other in bpf.AUDIT.values():
            assert (bpf.run(filter_, known["read"], other) == bpf.ALLOW) == (other == audit)


def test_on_this_architecture(contained: Image, root: Root) -> None:
    filters = contained.rootfs / "usr/lib/seccomp"
    check(filters, root.path, "x86_64")
    assert {path.name for path in filters.iterdir()} == {f"{name}.bpf" for name in seccomp.load().offered}
    filter_, audit = (filters / "program.bpf").read_bytes(), bpf.AUDIT["x86_64"]
    clone = bpf.numbers(root.path, "x86_64")["clone"]
    assert bpf.run(filter_, clone, audit, (NEW_THREAD,)) == bpf.ALLOW
    assert bpf.run(filter_, clone, audit, (NEW_THREAD | NEW_USER_NAMESPACE,)) == bpf.KILL_PROCESS
    # The calls of the x32 interface are those of x86_64 with another bit.
    assert bpf.run(filter_, 0x40000000, audit) == bpf.KILL_PROCESS
