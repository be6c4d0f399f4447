"""The whole way from Linux' source to `kimitui/sizes/data/linux-<arch>.json`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kimitui import preset as presets
from kimitui import resources
from kimitui.build.events import Emit
from kimitui.config import Configuration
from kimitui.errors import BuildError, KimituiError
from kimitui.kconfig import linux as linux_tree
from kimitui.sizes.kernel import DATA, Model, model
from kimitui.sizes.linux import campaign, compare, designs, guards, record
from kimitui.sizes.linux.campaign import Laboratory
from kimitui.sizes.linux.conditions import Conditions
from kimitui.sizes.linux.designs import Design
from kimitui.sizes.linux.fit import fit, is_enough, with_modules
from kimitui.sizes.linux.record import Measured
from kimitui.sizes.linux.slice import Slice

CORE_SAMPLE = 40
"""About so many of the objects that every kernel has are in the sample of them; large and small ones alike."""

SAMPLED_LOT, SAMPLED_EVERY = 3, 2
"""The lot of which every other object is in the sample for options that are compiled into everything."""

STRATUM = 12
"""Every twelfth of all objects is in the sample for what changes most."""

FITTED, CHECKED = 4, 8
"""Random kernels that are built for fitting and for the comparison."""


@dataclass(frozen=True)
class Progress:
    """What has been measured of what is to be."""

    done: int
    wanted: int
    name: str


def all_designs(laboratory: Laboratory) -> list[Design]:
    """Everything that is measured, in the order of what it tells."""
    base = designs.everything(laboratory.arch)
    every = campaign.linked(laboratory, base)
    # Of those of libraries, whole kernels do not tell.
    libraries = [path for path in every if path.startswith("lib/")]
    objects = [path for path in every if not path.startswith("lib/")]
    # The small ones are compiled in the large kernels that are drawn for fitting.
    lots = list(designs.lots(base, objects))[: SAMPLED_LOT + 1]
    traced = [path for path in objects if guards.defines_tracepoints(laboratory.source, path)]
    smallest = campaign.linked(laboratory, designs.Drawing(laboratory.arch).requested({}))
    core = [path for path in smallest if path in objects and path not in traced]
    some = core[:: max(1, len(core) // CORE_SAMPLE)]
    # Neither the few giants, which take longest, nor objects so small that they say little.
    sample = [path for path in lots[SAMPLED_LOT].objects[::SAMPLED_EVERY] if path not in traced]
    large = [path for lot in lots if lot.name in designs.LARGE for path in lot.objects]
    return [
        *designs.from_presets(laboratory.arch),
        *lots,
        *designs.variants(laboratory.arch, base, traced),
        Design("everything-libraries", "base", base, tuple(libraries)),
        *designs.core(laboratory.arch, base, some),
        *designs.sampled(laboratory.arch, base, sample),
        *designs.strata(laboratory.arch, base, every[::STRATUM], [*large[::2], *traced, *libraries]),
        *designs.together(laboratory.arch, base, every[::STRATUM], some),
        *designs.modules(laboratory.arch),
        *designs.drawn(laboratory.arch, fit=FITTED, check=CHECKED),
    ]


def measure(
    arch: str,
    cache: Path,
    *,
    emit: Emit,
    scratch: Path | None = None,
    only: Sequence[str] = (),
    results: Path | None = None,
    tell: Callable[[Progress], None] = lambda _progress: None,
) -> tuple[dict[str, Any], list[BuildError]]:
    """Measure what has not been measured yet, of `only` where names are given; the data that follow from all there is.

    `results` is an archive: what it has need not be measured, and what is measured is kept there. A kernel that cannot
    be built does not keep the others from being measured; these errors are returned, too. Raises KimituiError where
    there is too little, UsageError where the archive cannot be read, CancelledError.
    """
    failed: list[BuildError] = []
    with campaign.opened(arch, cache, emit=emit, scratch=scratch) as laboratory:
        wanted = all_designs(laboratory)
        with _kept(laboratory, results, wanted):
            for number, design in enumerate(wanted):
                if not only or any(design.name.startswith(name) for name in only):
                    tell(Progress(number, len(wanted), design.name))
                    try:
                        laboratory.measure(design)
                    except BuildError as error:
                        failed.append(error)
        return fitted_data(laboratory, list(_measured(laboratory, wanted))), failed


def listed(arch: str, cache: Path, *, emit: Emit) -> list[list[str]]:
    """Name, use and state of all that is measured."""
    with campaign.opened(arch, cache, emit=emit) as laboratory:
        wanted = all_designs(laboratory)
        return [[one.name, one.use, "done" if laboratory.measured(one) else ""] for one in wanted]


@contextmanager
def _kept(laboratory: Laboratory, archive: Path | None, wanted: Sequence[Design]) -> Iterator[None]:
    """Takes over what an archive has, and leaves there what has been measured at the end, however it comes."""
    if archive is None:
        yield
        return
    laboratory.take(archive)
    try:
        yield
    finally:
        laboratory.keep(archive, wanted)


def check(
    arch: str, cache: Path, *, emit: Emit, results: Path | None = None
) -> tuple[list[compare.Compared], list[compare.Compared]]:
    """The kernels that were drawn for the comparison, built where they are not yet, beside the data's estimates.

    `vmlinuz` of all of them, and the modules of those that have some. `results` is as for `measure`. Raises
    KimituiError where the architecture has no data.
    """
    found = model(arch)
    if found is None:
        raise KimituiError(f"no kernel of {arch} has been measured", fix=f"kimitui sizes measure-linux --arch {arch}")
    with campaign.opened(arch, cache, emit=emit) as laboratory:
        drawn = list(designs.drawn(arch, fit=0, check=CHECKED))
        with _kept(laboratory, results, all_designs(laboratory) if results else drawn):
            kernels = [record.read(laboratory.measure(design)) for design in drawn]
        return compare.compared(found, kernels), compare.compared_modules(found, kernels)


def fitted_data(laboratory: Laboratory, kernels: Sequence[Measured]) -> dict[str, Any]:
    """The data that follow from what has been measured, with how far off they are."""
    tree = laboratory.tree
    slice_ = Slice(tree, _asked(laboratory.arch), linux_tree.base(laboratory.arch))
    kept = path_of(laboratory.arch)
    if not is_enough(kernels) and kept.exists():
        # What was measured elsewhere holds for the same source, toolchain and base; only modules are new.
        data = json.loads(kept.read_text(encoding="utf-8"))
        if data["origin"] == vars(laboratory.origin):
            return _held(with_modules(data, kernels, Conditions(slice_, tree)), laboratory, kernels)
    data = fit(
        kernels,
        arch=laboratory.arch,
        platform=laboratory.platform,
        origin=vars(laboratory.origin),
        slice_=slice_,
        tree=tree,
        source=laboratory.source,
    )
    data["tools"] = dict(laboratory.tools)
    return _held(data, laboratory, kernels)


def _held(data: dict[str, Any], laboratory: Laboratory, kernels: Sequence[Measured]) -> dict[str, Any]:
    """Data with how far off they are, where all kernels of the comparison have been measured that tell it: a few of
    them would say more than they know."""
    fitted = Model(data)
    drawn = list(designs.drawn(laboratory.arch, fit=0, check=CHECKED))
    every = {"vmlinuz": drawn, "modules": [one for one in drawn if one.requested.get("MODULES") == "y"]}
    found = {"vmlinuz": compare.compared(fitted, kernels), "modules": compare.compared_modules(fitted, kernels)}
    for what, pairs in found.items():
        if {pair.name for pair in pairs} == {design.name for design in every[what]}:
            data["comparison"][what] = compare.summary(pairs)
    return data


def path_of(arch: str, directory: Path = DATA) -> Path:
    """Where the data of an architecture are."""
    return directory / f"linux-{arch}.json"


def write(data: dict[str, Any], directory: Path = DATA) -> Path:
    """Write the data of an architecture, sorted and a line for each part; where."""
    path = path_of(data["arch"], directory)
    directory.mkdir(exist_ok=True)
    lines = (f' "{key}": {_text(value)}' for key, value in sorted(data.items()))
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return path


def _text(value: object, indent: str = " ") -> str:
    """A value as JSON, with a line for each part of a list or group, so that differences can be read."""
    if isinstance(value, dict) and any(isinstance(one, list) for one in value.values()):
        inner = (f'{indent} "{key}": {_text(one, indent + " ")}' for key, one in sorted(value.items()))
        return "{\n" + ",\n".join(inner) + f"\n{indent}}}"
    if isinstance(value, list) and value and isinstance(value[0], list | dict):
        inner = (f"{indent} {_text(one, indent + ' ') if _is_long(one) else _line(one)}" for one in value)
        return "[\n" + ",\n".join(inner) + f"\n{indent}]"
    return json.dumps(value, sort_keys=True)


def _is_long(value: object) -> bool:
    return isinstance(value, dict) and "parts" in value


def _line(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _measured(laboratory: Laboratory, wanted: Sequence[Design]) -> Iterator[Measured]:
    for design in wanted:
        if directory := laboratory.measured(design):
            yield record.read(directory)


def _asked(arch: str) -> set[str]:
    """The symbols of Linux that can be asked for: the menu's, and what the presets that come along set besides."""
    drawing = designs.Drawing(arch)
    asked = {symbol.name.removeprefix(designs.PREFIX) for symbol in drawing.symbols}
    for path in sorted(resources.PRESETS_DIR.glob(f"*{presets.SUFFIX}")):
        asked |= Configuration.open(str(path), arch=arch).requested("kernel").keys()
    return asked
