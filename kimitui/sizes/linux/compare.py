"""Holds estimates against kernels that were built: how far off they are."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from kimitui.sizes.kernel import Model
from kimitui.sizes.linux.record import Measured

BARS = {"median": 0.02, "worst": 0.05}
"""What estimates of vmlinuz are to keep to: the relative error of the median kernel and of the worst one."""


@dataclass(frozen=True)
class Compared:
    """One kernel: the size of its vmlinuz or of its modules, and what it was estimated to be."""

    name: str
    true_bytes: int
    estimated_bytes: int

    @property
    def error(self) -> float:
        """How far off the estimate is, relative to the truth; positive where it is too large."""
        return self.estimated_bytes / self.true_bytes - 1


def compared(model: Model, kernels: Sequence[Measured]) -> list[Compared]:
    """Those of the kernels that were drawn for the comparison, which the model has not seen."""
    return [
        Compared(kernel.name, kernel.vmlinuz_bytes, model.sizes(kernel.requested).vmlinuz_bytes)
        for kernel in kernels
        if kernel.use == "check" and kernel.vmlinuz_bytes
    ]


def compared_modules(model: Model, kernels: Sequence[Measured]) -> list[Compared]:
    """The same for what is installed with the modules of those that have some."""
    return [
        Compared(
            kernel.name, sum(file.size_bytes for file in kernel.modules), model.sizes(kernel.requested).modules_bytes
        )
        for kernel in kernels
        if kernel.use == "check" and any(file.path.endswith(".ko") for file in kernel.modules)
    ]


def summary(pairs: Sequence[Compared]) -> dict[str, float]:
    """Number of kernels, and the median and largest relative error, without its sign; empty without kernels."""
    if not pairs:
        return {}
    errors = [abs(pair.error) for pair in pairs]
    return {"kernels": len(pairs), "median": round(statistics.median(errors), 4), "worst": round(max(errors), 4)}
