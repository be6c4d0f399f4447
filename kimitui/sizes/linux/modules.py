"""What modules take where they are installed: measured module by module, and what options make of a sample of them.

A module is more than its objects: headers and names of sections, symbols, and a relocation of 24 bytes for every
address in code and tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kimitui.sizes.linux.conditions import Conditions
from kimitui.sizes.linux.designs import (
    AFTER,
    ALL_MODULES,
    COMPILED_IN,
    MODULE_OPTIONS,
    TRIMMED_MODULES,
    TRIMMING,
)
from kimitui.sizes.linux.record import Installed, Measured
from kimitui.sizes.tarball import members_bytes

NOTHING: Mapping[str, Any] = {
    "builtin": [0.0, 0.0, 0.0],
    "least": [1.0, 1.0],
    "modules": [],
    "options": [],
    "trimmed": "n",
    "usual": [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
}
"""What there is to say where nothing has been measured."""

READ = (*COMPILED_IN, *MODULE_OPTIONS, TRIMMING)
"""The options that change what is in all modules."""

Contents = Mapping[str, float]
"""Bytes by kind."""

_Sizes = tuple[float, float, float]
"""Bytes, bytes in a tar archive, bytes packed with deflate."""


def fitted(
    kernels: Sequence[Measured], objects: Callable[[Measured], Mapping[str, int]], conditions: Conditions
) -> dict[str, Any]:
    """What the model needs to know of modules; empty where they have not been measured.

    `modules` are for a byte of the objects that a module is made of, which are listed: bytes, bytes in an archive and
    bytes packed, with their part of what lists modules, aliases and symbols; the same where only what others use is
    offered to them, of which `trimmed` is the formula; and what every module has besides, which is as much as the
    smallest one takes. `usual` is that for all other objects. Of the first two, `least` is there without any of the
    `options`, which add a share each: of bytes, and of bytes packed. `objects` says how many bytes of code and data the
    model has for the objects of a kernel.
    """
    measured = {kernel.name: kernel for kernel in kernels if kernel.use == "modules"}
    base = measured.pop(ALL_MODULES, None)
    if base is None:
        return {}
    trimmed = measured.pop(TRIMMED_MODULES, base)
    sizes = {kernel.name: objects(kernel) for kernel in (base, *measured.values())}
    every = [_taken(kernel) for kernel in (base, trimmed)]
    lists = [_shared(kernel) for kernel in (base, trimmed, base)]
    each = min(every[0].values())
    options = []
    for kernel in measured.values():
        before = measured.get(f"{ALL_MODULES}-{AFTER[kernel.option]}") if kernel.option in AFTER else base
        if before and (formula := conditions.on(kernel.option)) not in ("y", "n"):
            contents = [
                sum(sizes[one.name].get(path, 0) for module in kernel.composition for path in base.composition[module])
                for one in (before, kernel)
            ]
            more = _added(base, before, kernel, contents[1] / contents[0], each)
            options.append((formula, kernel.option, more))

    def rates(modules: Sequence[str], content: int) -> list[list[float]]:
        """What modules take for a byte of their objects, untrimmed and trimmed, and what they have besides."""
        besides = [size * len(modules) for size in each]
        return [
            [round(size * listed / content, 3) for size, listed in zip(own, shared, strict=True)]
            for own, shared in zip((*(_beyond(taken, modules, each) for taken in every), besides), lists, strict=True)
        ]

    known = {
        module: content
        for module, paths in base.composition.items()
        if (content := sum(sizes[base.name].get(path, 0) for path in paths))
    }
    return {
        "least": [
            round(1 - sum(more[which] for _, option, more in options if base.is_on(option)), 4) for which in (0, 1)
        ],
        "modules": [
            [*rates([module], content), list(base.composition[module])] for module, content in sorted(known.items())
        ],
        "options": [[formula, [round(one, 4) for one in more]] for formula, _, more in sorted(options)],
        "trimmed": conditions.on(TRIMMING),
        "usual": rates(list(known), sum(known.values())),
    }


def builtin(whole: Sequence[Measured], contents: Callable[[Measured], Contents]) -> list[float]:
    """What lists of what is built in take, for a byte of the kernel's code and data and, the last one, for a byte that
    its objects pack to: bytes, bytes in an archive, bytes packed. `contents` are the kernel's bytes by kind."""
    rows = []
    for kernel in whole:
        if kernel.modules:
            found = contents(kernel)
            own = found["code"] + found["rest"]
            files = [file for file in kernel.modules if _is_about_kernel(file)]
            rows.append((_summed(files), (own, own, found["packed"])))
    return [_ratio([(taken[which], own[which]) for taken, own in rows]) for which in range(3)]


def _added(base: Measured, before: Measured, after: Measured, content: float, each: _Sizes) -> tuple[float, float]:
    """What an option adds, which differs in two kernels, to the modules of the second: to their bytes and to what
    deflate leaves, as a share of what they take in `base`, all without what `each` has besides.

    Options add up: tables for unwinding or of places to be changed have as many entries whatever else there is.
    `content` is how objects grow, which sources say already.
    """
    shared = sorted(after.composition)
    every = [_beyond(_taken(kernel), shared, each) for kernel in (base, before, after)]
    sign = 1 if after.is_on(after.option) else -1
    size, _, packed = (sign * (other / content - one) / whole for whole, one, other in zip(*every, strict=True))
    return size, packed


def _beyond(taken: Mapping[str, _Sizes], modules: Sequence[str], each: _Sizes) -> list[float]:
    """What modules take beside what every one has."""
    return [own - len(modules) * size for own, size in zip(_sum(*map(taken.__getitem__, modules)), each, strict=True)]


def _taken(kernel: Measured) -> dict[str, _Sizes]:
    """What each module takes, by its path in the build."""
    files = {file.path.partition("/kernel/")[2]: file for file in kernel.modules}
    return {module: _summed([files[module]]) for module in kernel.composition}


def _shared(kernel: Measured) -> _Sizes:
    """All that is installed with modules, relative to these."""
    alone = [file for file in kernel.modules if file.path.endswith(".ko")]
    directories = {file.path.rpartition("/")[0] for file in alone}
    every = [file for file in kernel.modules if not _is_about_kernel(file)]
    whole, modules = _summed(every, len(directories)), _sum(*(_summed([file]) for file in alone))
    return (whole[0] / modules[0], whole[1] / modules[1], whole[2] / modules[2])


def _summed(files: Sequence[Installed], directories: int = 0) -> _Sizes:
    return (
        sum(file.size_bytes for file in files),
        members_bytes((file.size_bytes for file in files), directories),
        sum(file.packed_bytes for file in files),
    )


def _sum(*every: _Sizes) -> _Sizes:
    first, second, third = (sum(kind) for kind in zip(*every, strict=True))
    return first, second, third


def _ratio(pairs: Sequence[tuple[float, float]]) -> float:
    total = sum(one for _, one in pairs)
    return round(sum(size for size, _ in pairs) / total, 5) if total else 0.0


def _is_about_kernel(file: Installed) -> bool:
    """Whether a file lists what is built in."""
    return file.path.rpartition("/")[2].startswith("modules.builtin")
