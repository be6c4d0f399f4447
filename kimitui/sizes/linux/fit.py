"""From kernels that were measured to the data of the model in `kimitui.sizes.kernel`.

Every object of the kernel that has everything is a part, under the condition by which Kbuild links it; what its source
guards with options of its own is split off by the number of lines. What an option changes in all objects comes from the
sample. Last, compressors and wrappers are fitted to the kernels that were built whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from kimitui.errors import KimituiError
from kimitui.kconfig.types import Kconfig
from kimitui.sizes.linux import guards as guarding
from kimitui.sizes.linux import kbuild
from kimitui.sizes.linux.designs import COMPILED_IN, VARIANTS
from kimitui.sizes.linux.record import KINDS, Measured, Vector
from kimitui.sizes.linux.slice import Slice

_LEAST_BYTES = 48
"""Smaller parts of an object are not split off: more data than they are worth."""

_CHOSEN = ("GZIP", "XZ", "ZSTD", "LZ4")

_ENOUGH_LINES = 20_000

_ENOUGH_KERNELS = 2
"""Of a core object that so many whole kernels have, the kernel that has everything need not be asked."""

_LINKED = ("code", "rest")
"""The first of the kinds: what an object itself has in the kernel, which is kept by object, too."""

_MADE = ("kallsyms", "exports")
"""Objects that the build makes of all others."""

_MADE_OF: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "names": ("names", "KALLSYMS", ()),
    "exports": ("exports", "MODULES", ("TRIM_UNUSED_KSYMS",)),
    "orc": ("code", "UNWINDER_ORC", ()),
}
"""What the build makes of all objects: of which kind of theirs, under which option, and unless which others are on."""


class Conditions:
    """Formulas for tests of options, without what is always the same in a slice."""

    def __init__(self, slice_: Slice, tree: Kconfig) -> None:
        self._slice, self._tree = slice_, tree
        self.read: set[str] = set()

    def any_of(self, conditions: Iterable[kbuild.Condition]) -> str:
        """The formula that any of the conditions holds."""
        return _joined("|", [self.all_of(condition) for condition in conditions])

    def all_of(self, condition: kbuild.Condition) -> str:
        """The formula that all tests hold."""
        return _joined("&", [self._test(option, kind) for option, kind in sorted(condition)])

    def on(self, *options: str) -> str:
        """The formula that options are on."""
        return _joined("&", [self._test(option, "on") for option in sorted(options)])

    def _test(self, option: str, kind: str) -> str:
        if not self._slice.varies(option):
            value = self._slice.bounds(option).least
            holds = {
                "value": "nmy"[value],
                "on": "ny"[value > 0],
                "off": "ny"[value == 0],
                "y": "ny"[value == 2],
                "m": "ny"[value == 1],
                "not y": "ny"[value != 2],
            }
            return holds[kind]
        if kind in ("off", "not y"):
            return "y"  # what takes the place of something that is off: it was off when it was measured
        self.read.add(option)
        if kind == "value":
            return option
        return f'!= {option} "n"' if kind == "on" else f'= {option} "{kind}"'


def _joined(sign: str, parts: Sequence[str]) -> str:
    neutral, absorbing = ("y", "n") if sign == "&" else ("n", "y")
    parts = [part for part in dict.fromkeys(parts) if part != neutral]
    if absorbing in parts:
        return absorbing
    return " ".join((*([sign] * (len(parts) - 1)), *parts)) if parts else neutral


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
    if base is None or not whole:
        raise KimituiError("too little has been measured for estimates", fix="Let kimitui sizes measure-linux go on.")
    conditions = Conditions(slice_, tree)
    known = kbuild.conditions(source, platform)
    groups = _Groups(
        rest=_factors(kernels, base, conditions),
        core=_core_factors(kernels, conditions, source),
        core_paths=frozenset(path for path, all_ in known.items() if conditions.any_of(all_) == "y"),
        base=base,
    )
    measured = _normal(base, whole, groups, source)
    plain, changes = _variants(kernels, base, groups.rest)
    by_lines = _unmeasured(base, {**measured, **plain}, known, source)
    objects = {**by_lines, **measured, **plain}
    parts = _parts(objects, changes, groups, conditions, known, source)
    made = _made(whole, conditions)
    data: dict[str, Any] = {
        "arch": arch,
        "origin": dict(origin),
        "objects": {"measured": len(measured), "by_lines": len(by_lines)},
        "kinds": list(KINDS),
        "slice": slice_.export(
            [*conditions.read, *COMPILED_IN, *(f"KERNEL_{name}" for name in _CHOSEN), *_WRAPPING, "KALLSYMS"]
        ),
        "groups": [
            {"factors": [[when, by_kind] for when, by_kind, _option in found], "parts": parts[name]}
            for name, found in (("core", groups.core), ("rest", groups.rest))
        ],
        "only": _only(base, whole, conditions, {option for _when, _by_kind, option in groups.rest}),
        "smaller": sorted(
            {
                option
                for _when, by_kind, option in (*groups.rest, *groups.core)
                if min(by_kind[: KINDS.index("exports")]) < 1
            }
            | {option for _path, option, change in changes if min(change[: len(_LINKED)]) < 0}
        ),
        "image": {
            "module": 1.35,
            "kinds": made,
            "compressors": [],
            "wrapper": [],
        },
        "comparison": {},
    }
    return _with_image(data, whole, conditions, [_content(kernel, objects, groups, known) for kernel in whole])


def _together(lots: Sequence[Measured]) -> Measured | None:
    """The lots of the kernel that has everything as one."""
    if not lots:
        return None
    return replace(lots[0], objects={path: sizes for lot in lots for path, sizes in lot.objects.items()})


# What is compiled into everything

_Factor = tuple[str, list[float], str]


def _factors(kernels: Sequence[Measured], base: Measured, conditions: Conditions) -> list[_Factor]:
    """For each option of the sample the formula that it is on, and by how much it multiplies each kind."""
    found: list[_Factor] = []
    for kernel in kernels:
        if kernel.use != "sample":
            continue
        option = kernel.name.removeprefix("sample-")
        shared = kernel.objects.keys() & base.objects.keys()
        sums = [
            [sum(one.objects[path][kind] for path in shared) for one in (base, kernel)] for kind in range(len(KINDS))
        ]
        on, off = (0, 1) if base.values.get(option, "n") != "n" else (1, 0)
        by_kind = [round(pair[on] / pair[off], 4) if min(pair) else 1.0 for pair in sums]
        if option != "UNWINDER_ORC":  # its tables are made of all objects, and are nothing of theirs
            found.append((conditions.on(option), by_kind, option))
    return sorted(found, key=lambda one: one[2])


def _variants(
    kernels: Sequence[Measured], base: Measured, factors: Sequence[_Factor]
) -> tuple[dict[str, Vector], list[tuple[str, str, Vector]]]:
    """What options change in single objects: those objects as they are without all such options, and by path and option
    what it adds (or, below 0, takes away), beyond what it changes everywhere."""
    by_option = {option: by_kind for _when, by_kind, option in factors}
    plain: dict[str, Vector] = {}
    changes = []
    for kernel in kernels:
        if kernel.use != "variant":
            continue
        option = kernel.name.removeprefix("variant-")
        symbol = VARIANTS[option]
        is_on = base.values.get(symbol, "n") != "n"
        everywhere = by_option.get(option, [1.0] * len(KINDS)) if is_on else [1.0] * len(KINDS)
        for path in kernel.objects.keys() & base.objects.keys():
            other = [size * factor for size, factor in zip(kernel.objects[path], everywhere, strict=True)]
            pairs = zip(base.objects[path], other, strict=True)
            change = tuple(round(mine - theirs if is_on else theirs - mine) for mine, theirs in pairs)
            changes.append((path, symbol, change))
            if is_on:
                before = plain.get(path, base.objects[path])
                plain[path] = tuple(size - more for size, more in zip(before, change, strict=True))
    return plain, sorted(changes)


def _only(
    base: Measured, whole: Sequence[Measured], conditions: Conditions, sampled: Collection[str]
) -> list[list[str]]:
    """Formulas of options that change everything, with the one value, y or n, with which anything was measured."""
    found = []
    for option in (*COMPILED_IN, "KALLSYMS", "MODULES"):
        kernels = whole if option in ("KALLSYMS", "MODULES") else [base, *whole]
        seen = {kernel.values.get(option, "n") != "n" for kernel in kernels}
        formula = conditions.on(option)
        if option not in sampled and len(seen) == 1 and formula not in ("y", "n"):
            found.append([formula, "ny"[seen.pop()]])
    return sorted(found)


def _core_factors(kernels: Sequence[Measured], conditions: Conditions, source: Path) -> list[_Factor]:
    """The same for the objects that every kernel has, of which less and less was compiled."""
    chain = sorted((kernel for kernel in kernels if kernel.use == "core"), key=lambda kernel: kernel.name)
    pairs = [(after.name.split("-", 2)[2], before, after) for before, after in pairwise(chain)]
    pairs += [(one.name.removeprefix("more-"), one, chain[-1]) for one in kernels if one.use == "more" and chain]
    found = []
    for option, on, off in pairs:
        if (formula := conditions.on(option)) in ("y", "n") or option == "UNWINDER_ORC":
            continue
        # Objects whose sources do not name it: what they change by comes from headers, or from the compiler.
        shared = [
            path
            for path in on.objects.keys() & off.objects.keys()
            if _lines(source, path, on.values) == _lines(source, path, off.values)
        ]
        sums = [[sum(one.objects[path][kind] for path in shared) for one in (on, off)] for kind in range(len(KINDS))]
        found.append((formula, [round(more / less, 4) if more and less else 1.0 for more, less in sums], option))
    return found


def _product(factors: Sequence[_Factor], values: Mapping[str, str]) -> list[float]:
    product = [1.0] * len(KINDS)
    for _when, by_kind, option in factors:
        if values.get(option, "n") != "n":
            product = [one * factor for one, factor in zip(product, by_kind, strict=True)]
    return product


@dataclass(frozen=True)
class _Groups:
    """The objects that every kernel has, the core, and the rest, with what changes all of a group."""

    rest: Sequence[_Factor]
    core: Sequence[_Factor]
    core_paths: frozenset[str]
    base: Measured

    def of(self, path: str) -> str:
        """The name of an object's group."""
        return "core" if path in self.core_paths else "rest"

    def present(self, path: str, kernel: Measured | None = None) -> list[float]:
        """By what an object is multiplied in a kernel, or in the base."""
        factors = self.core if path in self.core_paths else self.rest
        return _product(factors, (kernel or self.base).values)


# Parts


def _normal(base: Measured, whole: Sequence[Measured], groups: _Groups, source: Path) -> dict[str, Vector]:
    """Sizes of objects as they would be in the base: with what is compiled into everything there, and with as many of
    their sources' lines. Where the base has been measured, it decides; but of the core, kernels tell more that are not
    as far from all others."""
    seen: dict[str, list[Sequence[float]]] = defaultdict(list)
    for kernel in whole:
        for path, sizes in kernel.objects.items():
            if path in _MADE or (path in base.objects and groups.of(path) == "rest"):
                continue
            if kernel.values.get("EVENT_TRACING") == "y" and guarding.defines_tracepoints(source, path):
                continue
            lines = _lines(source, path, kernel.values)
            grown = _lines(source, path, base.values) / lines if lines else 1.0
            pairs = zip(groups.present(path), groups.present(path, kernel), strict=True)
            seen[path].append([size * grown * one / other for size, (one, other) in zip(sizes, pairs, strict=True)])
    for path, sizes in base.objects.items():
        if len(seen[path]) < _ENOUGH_KERNELS:
            seen[path].append(sizes)
    return {path: tuple(round(sum(one) / len(one)) for one in zip(*all_, strict=True)) for path, all_ in seen.items()}


def _content(
    kernel: Measured, objects: Mapping[str, Vector], groups: _Groups, known: Mapping[str, set[kbuild.Condition]]
) -> float:
    """What zlib makes of the objects of a kernel, with those of its libraries, of which it does not say so itself."""
    packed = KINDS.index("packed")
    found = float(_sum(kernel, "packed"))
    for path, sizes in objects.items():
        conditions = known.get(path, ())
        if path not in kernel.objects and "lib/" in path and any(_holds(one, kernel.values) for one in conditions):
            found += sizes[packed] * groups.present(path, kernel)[packed] / groups.present(path)[packed]
    return found


def _holds(condition: kbuild.Condition, values: Mapping[str, str]) -> bool:
    def holds(test: kbuild.Literal) -> bool:
        value = {"y": 2, "m": 1}.get(values.get(test[0], "n"), 0)
        return {"on": value > 0, "off": value == 0, "m": value == 1, "not y": value < 2}.get(test[1], value == 2)

    return all(map(holds, condition))


def _unmeasured(
    base: Measured, measured: Mapping[str, Vector], known: Mapping[str, set[kbuild.Condition]], source: Path
) -> dict[str, Vector]:
    """Sizes of the objects that the base links and that are not measured yet, from the lines of their sources.

    A line takes what it takes in the measured objects of the same top directory, or in all of them.
    """

    sums: dict[str, list[float]] = defaultdict(lambda: [0.0] * (len(KINDS) + 1))
    for path, sizes in measured.items():
        lines = _lines(source, path, base.values)
        if lines:
            for top in (path.partition("/")[0], ""):
                sums[top] = [one + more for one, more in zip(sums[top], (*sizes, lines), strict=True)]
    found = {}
    for path, conditions in known.items():
        if path not in measured and any(_holds(one, base.values) for one in conditions):
            top = path.partition("/")[0]
            *totals, counted = sums[top if sums[top][-1] > _ENOUGH_LINES else ""]
            lines = _lines(source, path, base.values)
            found[path] = tuple(round(total / counted * lines) for total in totals)
    return found


def _lines(source: Path, path: str, values: Mapping[str, str]) -> int:
    """Lines of an object's source that are compiled."""
    file = guarding.source_of(source, path)
    if file is None:
        return 0
    counted = guarding.counted(file)
    return sum(
        count for guard, count in counted.items() if all((values.get(option, "n") != "n") == on for option, on in guard)
    )


def _parts(
    objects: Mapping[str, Vector],
    changes: Sequence[tuple[str, str, Vector]],
    groups: _Groups,
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
                yield path, _joined("&", [condition(path), guard]) if large else condition(path), sizes, share
        for path, option, sizes in changes:
            yield path, _joined("&", [condition(path), conditions.on(option)]), sizes, 1.0

    totals: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0] * len(KINDS))
    linked: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(dict)
    for path, when, sizes, share in pieces():
        key = groups.of(path), when
        alone = [share * size / factor for size, factor in zip(sizes, groups.present(path), strict=True)]
        totals[key] = [total + size for total, size in zip(totals[key], alone, strict=True)]
        before = linked[key].get(path, [0.0] * len(_LINKED))
        linked[key][path] = [one + size for one, size in zip(before, alone, strict=False)]
    found: dict[str, list[list[Any]]] = {"core": [], "rest": []}
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


# What the build makes of all objects


def _made(whole: Sequence[Measured], conditions: Conditions) -> dict[str, dict[str, Any]]:
    """By kind that the build makes of all objects, from which kind of theirs, when, and by what to multiply that.

    A relocation of an x86 kernel that moves itself takes four bytes.
    """
    rules = {"relocations": {"of": "relocations", "when": conditions.on("X86_NEED_RELOCS"), "factor": 4.0}}
    for kind, (source, option, unless) in _MADE_OF.items():
        pairs = [(_sum(kernel, source), made) for kernel in whole if (made := _made_bytes(kernel, kind))]
        factor = sum(made for _, made in pairs) / sum(total for total, _ in pairs) if pairs else 0.0
        when = _joined("&", [conditions.on(option), *(f'= {name} "n"' for name in unless)])
        conditions.read.update(unless)
        rules[kind] = {"of": source, "when": when, "factor": round(factor, 4)}
    return rules


def _sum(kernel: Measured, kind: str) -> int:
    """Bytes of a kind in all objects of a kernel."""
    position = KINDS.index(kind)
    return sum(sizes[position] for path, sizes in kernel.objects.items() if path not in _MADE)


def _made_bytes(kernel: Measured, kind: str) -> int:
    """Bytes of what the build made; 0 where it did not, or where too little of it is left to tell."""
    _source, option, unless = _MADE_OF[kind]
    if kernel.values.get(option, "n") == "n" or any(kernel.values.get(name, "n") != "n" for name in unless):
        return 0
    if kind == "orc":
        return kernel.orc_bytes
    made = kernel.objects.get("kallsyms" if kind == "names" else "exports")
    return sum(made[KINDS.index(one)] for one in ("code", "rest", "exports")) if made else 0


# The image

_WRAPPING = ("EFI_STUB", "RANDOMIZE_BASE", "X86_NEED_RELOCS")
"""Options that add code which is not packed."""

_PACKED = {"relocations": 0.5, "orc": 0.3, "exports": 0.45, "names": 0.8}
"""How much of a byte of it counts where no kernel says it: sorted addresses, tables, names, names in few letters."""

_ROUNDS = 200


def _with_image(
    data: dict[str, Any], whole: Sequence[Measured], conditions: Conditions, contents: Sequence[float]
) -> dict[str, Any]:
    """With what compressors make of kernels; `contents` is what zlib makes of the objects of each of the whole ones."""
    rules = data["image"]["kinds"]
    made = [
        {
            kind: float(_made_bytes(kernel, kind) if kind in _MADE_OF else rule["factor"] * _sum(kernel, kind))
            if kind in _MADE_OF or kernel.values.get("X86_NEED_RELOCS") == "y"
            else 0.0
            for kind, rule in rules.items()
        }
        for kernel in whole
    ]
    compressors = []
    for name in _CHOSEN:
        word = name.lower()
        scale, weights = _weighed(contents, made, [kernel.packed_bytes[word] for kernel in whole])
        wrappers = [k.vmlinuz_bytes - k.packed_bytes[word] for k in whole if k.compressor == word]
        compressors.append(
            {
                "when": conditions.on(f"KERNEL_{name}"),
                "scale": round(scale, 6),
                "content": {"packed": 1.0, **{kind: round(weight, 4) for kind, weight in weights.items()}},
                "wrapper": min(wrappers, default=_wrapper(whole)),
            }
        )
    # Where there is no choice, as on arm64, it is gzip.
    offered = [one for one in compressors if one["when"] != "n"] or compressors[:1]
    data["image"]["compressors"] = [*offered[:-1], {**offered[-1], "when": "y"}]
    data["image"]["wrapper"] = _wrapping(whole, conditions)
    return data


def _weighed(
    contents: Sequence[float], made: Sequence[Mapping[str, float]], packed: Sequence[int]
) -> tuple[float, dict[str, float]]:
    """What a compressor makes of a byte of content, and how much of such a byte each byte of what the build made is."""
    weights = dict(_PACKED)
    scale = 1.0
    for _ in range(_ROUNDS):
        wholes = [
            content + sum(weights[kind] * size for kind, size in one.items())
            for content, one in zip(contents, made, strict=True)
        ]
        scale = sum(size / whole for size, whole in zip(packed, wholes, strict=True)) / len(wholes)
        for kind in weights:
            rows = zip(packed, wholes, made, strict=True)
            told = [
                weights[kind] + (size / scale - whole) / one[kind] for size, whole, one in rows if one.get(kind, 0.0)
            ]
            if told:
                weights[kind] = min(max((weights[kind] + sum(told) / len(told)) / 2, 0.0), 2.0)
    return scale, weights


def _wrapper(whole: Sequence[Measured]) -> int:
    return min(k.vmlinuz_bytes - k.packed_bytes[k.compressor] for k in whole)


def _wrapping(whole: Sequence[Measured], conditions: Conditions) -> list[list[Any]]:
    """What the options add to the wrapper: the difference between kernels with and without, where there are both."""
    least = {word: _wrapper([k for k in whole if k.compressor == word]) for word in {k.compressor for k in whole}}
    found: list[list[Any]] = []
    for option in _WRAPPING:
        extra = [
            k.vmlinuz_bytes - k.packed_bytes[k.compressor] - least[k.compressor]
            for k in whole
            if k.values.get(option) == "y" and not any(k.values.get(o) == "y" for o in _WRAPPING if o != option)
        ]
        if extra and conditions.on(option) != "n":
            found.append([conditions.on(option), round(sum(extra) / len(extra))])
    return found
