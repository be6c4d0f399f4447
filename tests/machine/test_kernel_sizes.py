"""What a kernel was estimated to take, beside the kernel that other tests start anyway."""

from __future__ import annotations

import pytest

from kimitui.sizes.kernel import kernel_sizes
from kimitui.sizes.linux import designs
from kimitui.sizes.linux.compare import BARS
from tests.machine.conftest import MACHINES, MakeMachine


@pytest.mark.build
@pytest.mark.parametrize("arch", MACHINES)
def test_the_smallest_machine_is_as_large_as_was_estimated(machine: MakeMachine, arch: str) -> None:
    estimated = kernel_sizes(designs.preset("vm-minimal", arch), arch)
    if estimated is None:
        pytest.skip("kernels like this one have not been measured, and nothing is shown")
    true_bytes = (machine(arch).directory / "vmlinuz").stat().st_size
    assert abs(estimated.vmlinuz_bytes / true_bytes - 1) <= BARS["worst"]
