"""From kernels that were measured to the data of the model in `kimitui.sizes.kernel`.

Every object of the kernel that has everything is a part, under the condition by which Kbuild links it; what its source
guards with options of its own is split off by the number of lines. What an option changes in all objects comes from the
sample. Last, compressors and wrappers are fitted to the kernels that were built whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from kimitui.errors import KimituiError
from kimitui.kconfig.types import Kconfig
from kimitui.sizes.kernel import Model
from kimitui.sizes.linux import factors, image, kbuild, modules
from kimitui.sizes.linux import guards as guarding
from kimitui.sizes.linux.conditions import Conditions, joined
from kimitui.sizes.linux.designs import LARGE
from kimitui.sizes.linux.factors import Groups
from kimitui.sizes.linux.record import COMPRESSORS, KINDS, Measured, Vector
from kimitui.sizes.linux.slice import Slice

_LEAST_BYTES = 48
"""Smaller parts of an object are not split off: more data than they are worth."""

_ENOUGH_LINES = 20_000

_ENOUGH_KERNELS = 2
"""Of a core object that so many whole kernels have, the kernel that has everything need not be asked."""

_LINKED = ("code", "rest")
"""The first of the kinds: what an object itself has in the kernel, which is kept by object, too."""


def fit(
    kernels: Sequence[Measured],
    *,
    arch: str,
    platform: str,
    origin: Mapping[str, str],
    slice_: Slice,
    tree: Kconfig,
    source: Path,
) -> dict[str, Any]:
    """The data. Raises KimituiError where the kernels are too few."""
    base = _together([kernel for kernel in kernels if kernel.use == "base"])
    whole = [kernel for kernel in kernels if kernel.use == "fit"]
    if base is None or not is_enough(kernels):
        raise KimituiError("too little has been measured for estimates", fix="Let kimitui sizes measure-linux go on.")
    conditions = Conditions(slice_, tree)
    known = kbuild.conditions(source, platform)
    group_of = _grouping(kernels, conditions, known, source)
    single = {
        "core": factors.core_factors(kernels, conditions, source),
        **factors.sampled_factors(kernels, base, conditions, group_of),
    }
    pairs = factors.together(kernels, single, base, conditions, group_of)
    groups = Groups({group: [*found, *pairs[group]] for group, found in single.items()}, group_of, base)
    sampled = {option for one in single["rest"] for option in one.options}
    measured = _normal(base, whole, groups, source)
    plain, changes = factors.variants(kernels, base, single["traced"])
    by_lines = _unmeasured(base, {**measured, **plain}, known, source)
    objects = {**by_lines, **measured, **plain}
    parts = _parts(objects, changes, groups, conditions, known, source)
    made = image.made_rules(whole, conditions, [_names(kernel, objects, groups) for kernel in whole])
    data: dict[str, Any] = {
        "arch": arch,
        "origin": dict(origin),
        "objects": {"measured": len(measured), "by_lines": len(by_lines)},
        "kinds": list(KINDS),
        "slice": slice_.export(
            [
                *conditions.read,
                *modules.READ,
                *(f"KERNEL_{name}" for name in COMPRESSORS),
                *image.WRAPPING,
            ]
        ),
        "groups": [
            {"factors": [[one.when, one.by_kind] for one in found], "parts": parts[name]}
            for name, found in groups.factors.items()
        ],
        "only": factors.only(base, whole, conditions, sampled),
        "smaller": sorted(
            {
                option
                for found in single.values()
                for one in found
                for option in one.options
                if min(one.by_kind[: KINDS.index("exports")]) < 1
            }
            | {option for _path, option, change in changes if min(change[: len(_LINKED)]) < 0}
        ),
        "image": {
            "installed": modules.NOTHING,
            "kinds": made,
            "compressors": [],
            "wrapper": [],
        },
        "comparison": {},
    }
    contents = [_content(kernel, objects, groups, known) for kernel in whole]
    wrapped = [kernel for kernel in kernels if kernel.use == "wrapper"]
    data = image.with_image(data, whole, conditions, contents, wrapped, packs_itself=platform == "x86")
    model = Model(data)
    lists = modules.builtin(whole, lambda kernel: model.contents(kernel.requested))
    data["image"]["installed"] = {**modules.NOTHING, "builtin": lists}
    return with_modules(data, kernels, conditions)


def is_enough(kernels: Sequence[Measured]) -> bool:
    """Whether there can be estimates from these."""
    return {"base", "fit"} <= {kernel.use for kernel in kernels}


def with_modules(data: Mapping[str, Any], kernels: Sequence[Measured], conditions: Conditions) -> dict[str, Any]:
    """Data with what has been measured of modules."""
    model = Model(data)
    found = modules.fitted(kernels, lambda kernel: model.objects(kernel.requested), conditions)
    image = data["image"]
    return {**data, "image": {**image, "installed": {**image["installed"], **found}}}


def _together(lots: Sequence[Measured]) -> Measured | None:
    """The lots of the kernel that has everything as one."""
    if not lots:
        return None
    return replace(lots[0], objects={path: sizes for lot in lots for path, sizes in lot.objects.items()})


# Parts


def _grouping(
    kernels: Sequence[Measured], conditions: Conditions, known: Mapping[str, set[kbuild.Condition]], source: Path
) -> Callable[[str], str]:
    """What says in which group an object is."""
    core = {path for path, all_ in known.items() if conditions.any_of(all_) == "y"}
    large = {path for kernel in kernels if kernel.name in LARGE for path in kernel.objects}

    @cache
    def group_of(path: str) -> str:
        if path in core:
            return "core"
        if path.startswith("lib/"):
            return "libraries"
        if guarding.defines_tracepoints(source, path):
            return "traced"
        return "large" if path in large else "rest"

    return group_of


def _normal(base: Measured, whole: Sequence[Measured], groups: Groups, source: Path) -> dict[str, Vector]:
    """Sizes of objects as they would be in the base: with what is compiled into everything there, and with as many of
    their sources' lines. Where the base has been measured, it decides; but of the core, kernels tell more that are not
    as far from all others."""
    seen: dict[str, list[Sequence[float]]] = defaultdict(list)
    for kernel in whole:
        for path, sizes in kernel.objects.items():
            if path in image.OBJECTS or (path in base.objects and groups.of(path) != "core"):
                continue
            if kernel.is_on("EVENT_TRACING") and guarding.defines_tracepoints(source, path):
                continue
            lines = guarding.lines_of(source, path, kernel.values)
            grown = guarding.lines_of(source, path, base.values) / lines if lines else 1.0
            changed = groups.changed(path, kernel)
            seen[path].append([size * grown / factor for size, factor in zip(sizes, changed, strict=True)])
    for path, sizes in base.objects.items():
        if len(seen[path]) < _ENOUGH_KERNELS:
            seen[path].append(sizes)
    return {path: tuple(round(sum(one) / len(one)) for one in zip(*all_, strict=True)) for path, all_ in seen.items()}


def _content(
    kernel: Measured, objects: Mapping[str, Vector], groups: Groups, known: Mapping[str, set[kbuild.Condition]]
) -> float:
    """What zlib makes of the objects of a kernel, with those of its libraries, of which it does not say so itself."""
    packed = KINDS.index("packed")
    found = float(image.sum_of(kernel, "packed"))
    for path, sizes in objects.items():
        conditions = known.get(path, ())
        if (
            path not in kernel.objects
            and "lib/" in path
            and any(kbuild.holds(one, kernel.tristate) for one in conditions)
        ):
            found += sizes[packed] * groups.changed(path, kernel)[packed]
    return found


def _names(kernel: Measured, objects: Mapping[str, Vector], groups: Groups) -> float:
    """Bytes of functions' names that the model has for the objects of a kernel."""
    names = KINDS.index("names")
    return sum(objects[path][names] * groups.changed(path, kernel)[names] for path in kernel.objects if path in objects)


def _unmeasured(
    base: Measured, measured: Mapping[str, Vector], known: Mapping[str, set[kbuild.Condition]], source: Path
) -> dict[str, Vector]:
    """Sizes of the objects that the base links and that are not measured yet, from the lines of their sources.

    A line takes what it takes in the measured objects of the same top directory, or in all of them.
    """

    sums: dict[str, list[float]] = defaultdict(lambda: [0.0] * (len(KINDS) + 1))
    for path, sizes in measured.items():
        lines = guarding.lines_of(source, path, base.values)
        if lines:
            for top in (path.partition("/")[0], ""):
                sums[top] = [one + more for one, more in zip(sums[top], (*sizes, lines), strict=True)]
    found = {}
    for path, conditions in known.items():
        if path not in measured and any(kbuild.holds(one, base.tristate) for one in conditions):
            top = path.partition("/")[0]
            *totals, counted = sums[top if sums[top][-1] > _ENOUGH_LINES else ""]
            lines = guarding.lines_of(source, path, base.values)
            found[path] = tuple(round(total / counted * lines) for total in totals)
    return found


def _parts(
    objects: Mapping[str, Vector],
    changes: Sequence[tuple[str, str, Vector]],
    groups: Groups,
    conditions: Conditions,
    known: Mapping[str, set[kbuild.Condition]],
    source: Path,
) -> dict[str, list[list[Any]]]:
    """By group, sums by condition, and which objects they are of.

    `changes` is what single options change in single objects.
    """

    def condition(path: str) -> str:
        return conditions.any_of(known[path]) if path in known else _neighbours(path, known, conditions)

    def pieces() -> Iterator[tuple[str, str, Vector, float]]:
        for path, sizes in sorted(objects.items()):
            for guard, share in _shares(source, path, groups.base.values, conditions).items():
                large = share * (sizes[0] + sizes[1]) >= _LEAST_BYTES
                yield path, joined("&", [condition(path), guard]) if large else condition(path), sizes, share
        for path, option, sizes in changes:
            yield path, joined("&", [condition(path), conditions.on(option)]), sizes, 1.0

    totals: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0] * len(KINDS))
    linked: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(dict)
    for path, when, sizes, share in pieces():
        key = groups.of(path), when
        alone = [share * size / factor for size, factor in zip(sizes, groups.present(path), strict=True)]
        totals[key] = [total + size for total, size in zip(totals[key], alone, strict=True)]
        before = linked[key].get(path, [0.0] * len(_LINKED))
        linked[key][path] = [one + size for one, size in zip(before, alone, strict=False)]
    found: dict[str, list[list[Any]]] = {group: [] for group in groups.factors}
    for (group, when), total in sorted(totals.items()):
        if when != "n":
            owners = [[path, *map(round, own)] for path, own in linked[group, when].items() if abs(sum(own)) > 1]
            found[group].append([when, list(map(round, total)), owners])
    return found


def _neighbours(path: str, known: Mapping[str, set[kbuild.Condition]], conditions: Conditions) -> str:
    """The condition of an object of which the makefiles do not say one: that of any of its directory."""
    directory = path.rpartition("/")[0]
    beside = [one for other, all_ in known.items() if other.rpartition("/")[0] == directory for one in all_]
    return conditions.any_of(beside) if beside else "y"


def _shares(source: Path, path: str, values: Mapping[str, str], conditions: Conditions) -> dict[str, float]:
    """How an object is divided between the guards of its source; what was on when it was measured adds up to 1."""
    file = guarding.source_of(source, path)
    if file is None:
        return {"y": 1.0}
    lines: dict[str, int] = defaultdict(int)
    active = 0
    for guard, count in guarding.counted(file).items():
        if all((values.get(option, "n") != "n") == on for option, on in guard):
            active += count
        # Code in place of an option's counts for every kernel, or, where the option was on, for none.
        if not any(values.get(option, "n") != "n" for option, on in guard if not on):
            formula = conditions.on(*(option for option, on in guard if on))
            if formula != "n":
                lines[formula] += count
    return {formula: count / active for formula, count in lines.items()} if active else {"y": 1.0}
