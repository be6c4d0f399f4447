"""What modules take where they are installed, by what they are compiled to; fitted to kernels that were built whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from kimitui.sizes.linux.record import Installed, Measured
from kimitui.sizes.tarball import members_bytes

NOTHING = {"modules": [0.0, 0.0, 0.0], "builtin": [0.0, 0.0, 0.0]}
"""What there is to say where no kernel with modules has been measured."""

Contents = Mapping[str, float]
"""Bytes by kind."""


def fitted(
    whole: Sequence[Measured], contents: Callable[[Measured], tuple[Contents, Contents]]
) -> dict[str, list[float]]:
    """What is installed for a byte of the modules' code and data, and for one of the kernel's own.

    The latter are the lists of what is built in; all else, the tables of aliases and symbols included, is in proportion
    to the modules. Three figures each: bytes, bytes in a tar archive, and bytes packed for one that the objects pack
    to. `contents` are the kernel's and the modules' bytes by kind.
    """
    kernels = [kernel for kernel in whole if kernel.modules]
    sums = {name: [0.0] * 3 for name in NOTHING}
    of = {name: [0.0] * 3 for name in NOTHING}
    for kernel in kernels:
        listed = [file for file in kernel.modules if is_about_kernel(file)]
        others = [file for file in kernel.modules if not is_about_kernel(file)]
        for name, files, content in zip(("builtin", "modules"), (listed, others), contents(kernel), strict=True):
            sums[name] = [one + more for one, more in zip(sums[name], _taken(files), strict=True)]
            plain = content["code"] + content["rest"]
            of[name] = [one + more for one, more in zip(of[name], (plain, plain, content["packed"]), strict=True)]
    return {
        name: [
            round(total / content, 5) if content else 0.0 for total, content in zip(sums[name], of[name], strict=True)
        ]
        for name in NOTHING
    }


def is_about_kernel(file: Installed) -> bool:
    """Whether a file lists what is built in."""
    return file.path.rpartition("/")[2].startswith("modules.builtin")


def _taken(files: Sequence[Installed]) -> tuple[int, int, int]:
    directories = {file.path.rpartition("/")[0] for file in files if file.path.endswith(".ko")}
    return (
        sum(file.size_bytes for file in files),
        members_bytes((file.size_bytes for file in files), len(directories)),
        sum(file.packed_bytes for file in files),
    )
