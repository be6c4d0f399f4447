"""From kernels that were measured to the data of the model in `kimitui.sizes.kernel`.

Every object of the kernel that has everything is a part, under the condition by which Kbuild links it; what its source
guards with options of its own is split off by the number of lines. What an option changes in all objects comes from the
sample. Last, compressors and wrappers are fitted to the kernels that were built whole.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kimitui.errors import KimituiError
from kimitui.kconfig.types import Kconfig
from kimitui.sizes.kernel import Model
from kimitui.sizes.linux import guards as guarding
from kimitui.sizes.linux import kbuild
from kimitui.sizes.linux.designs import COMPILED_IN
from kimitui.sizes.linux.record import KINDS, Measured, Vector
from kimitui.sizes.linux.slice import Slice

_LEAST_BYTES = 48
"""Smaller parts of an object are not split off: more data than they are worth."""

_CHOSEN = ("GZIP", "XZ", "ZSTD", "LZ4")

_ENOUGH_LINES = 20_000

_MADE = {"kallsyms": "names", "exports": "exports"}
"""What the build makes of all objects, and of which kind of theirs."""

_OPTIONS = {"kallsyms": "KALLSYMS", "exports": "MODULES"}
"""The options under which it does."""


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
    factors = _factors(kernels, base, conditions)
    present = _product(factors, base.values)
    known = kbuild.conditions(source, platform)
    elsewhere = _elsewhere(base, whole, factors, source)
    by_lines = _unmeasured(base, elsewhere, known, source)
    parts = _parts({**by_lines, **elsewhere, **base.objects}, base, conditions, known, source, present)
    data: dict[str, Any] = {
        "arch": arch,
        "origin": dict(origin),
        "objects": {"measured": len({*base.objects, *elsewhere}), "by_lines": len(by_lines)},
        "kinds": list(KINDS),
        "slice": slice_.export(
            [*conditions.read, *COMPILED_IN, *(f"KERNEL_{name}" for name in _CHOSEN), *_WRAPPING, "KALLSYMS"]
        ),
        "factors": [[when, by_kind] for when, by_kind, _option in factors],
        "only": _only(base, whole, conditions, {option for _when, _by_kind, option in factors}),
        "smaller": sorted(option for _when, by_kind, option in factors if min(by_kind[: KINDS.index("exports")]) < 1),
        "parts": parts,
        "image": {
            "module": 1.35,
            "kinds": _made(whole),
            "content": {"packed": 1.0},
            "compressors": [{"when": "y", "scale": 1.0, "exponent": 1.0, "wrapper": 0}],
            "wrapper": [],
        },
        "comparison": {},
    }
    return _with_image(data, whole, conditions)


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
        found.append((conditions.on(option), by_kind, option))
    return sorted(found, key=lambda one: one[2])


def _only(
    base: Measured, whole: Sequence[Measured], conditions: Conditions, sampled: Collection[str]
) -> list[list[str]]:
    """Formulas of options that change everything, with the one value, y or n, with which anything was measured."""
    found = []
    for option in (*COMPILED_IN, *_OPTIONS.values()):
        kernels = whole if option in _OPTIONS.values() else [base, *whole]
        seen = {kernel.values.get(option, "n") != "n" for kernel in kernels}
        formula = conditions.on(option)
        if option not in sampled and len(seen) == 1 and formula not in ("y", "n"):
            found.append([formula, "ny"[seen.pop()]])
    return sorted(found)


def _product(factors: Sequence[_Factor], values: Mapping[str, str]) -> list[float]:
    product = [1.0] * len(KINDS)
    for _when, by_kind, option in factors:
        if values.get(option, "n") != "n":
            product = [one * factor for one, factor in zip(product, by_kind, strict=True)]
    return product


# Parts


def _elsewhere(
    base: Measured, whole: Sequence[Measured], factors: Sequence[_Factor], source: Path
) -> dict[str, Vector]:
    """Sizes of objects that are measured in other kernels only, as they would be in the base: with what is compiled
    into everything there, and with as many of their sources' lines."""
    found: dict[str, Vector] = {}
    present = _product(factors, base.values)
    for kernel in whole:
        there = _product(factors, kernel.values)
        for path, sizes in kernel.objects.items():
            if path in base.objects or path in found or path in _MADE:
                continue
            lines = _lines(source, path, kernel.values)
            grown = _lines(source, path, base.values) / lines if lines else 1.0
            found[path] = tuple(
                round(size * grown * one / other) for size, one, other in zip(sizes, present, there, strict=True)
            )
    return found


def _unmeasured(
    base: Measured, elsewhere: Mapping[str, Vector], known: Mapping[str, set[kbuild.Condition]], source: Path
) -> dict[str, Vector]:
    """Sizes of the objects that the base links and that are not measured yet, from the lines of their sources.

    A line takes what it takes in the measured objects of the same top directory, or in all of them.
    """

    def holds(test: kbuild.Literal) -> bool:
        value = {"y": 2, "m": 1}.get(base.values.get(test[0], "n"), 0)
        return {"on": value > 0, "off": value == 0, "m": value == 1, "not y": value < 2}.get(test[1], value == 2)

    sums: dict[str, list[float]] = defaultdict(lambda: [0.0] * (len(KINDS) + 1))
    measured = {**elsewhere, **base.objects}
    for path, sizes in measured.items():
        lines = _lines(source, path, base.values)
        if lines:
            for top in (path.partition("/")[0], ""):
                sums[top] = [one + more for one, more in zip(sums[top], (*sizes, lines), strict=True)]
    found = {}
    for path, conditions in known.items():
        if path not in measured and any(all(map(holds, one)) for one in conditions):
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
    counted = guarding.guards(file.read_text(encoding="utf-8", errors="replace"))
    return sum(
        count for guard, count in counted.items() if all((values.get(option, "n") != "n") == on for option, on in guard)
    )


def _parts(
    objects: Mapping[str, Vector],
    base: Measured,
    conditions: Conditions,
    known: Mapping[str, set[kbuild.Condition]],
    source: Path,
    present: Sequence[float],
) -> list[list[Any]]:
    totals: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(KINDS))
    for path, sizes in sorted(objects.items()):
        when = conditions.any_of(known[path]) if path in known else _neighbours(path, known, conditions)
        alone = [size / factor for size, factor in zip(sizes, present, strict=True)]
        for guard, share in _shares(source, path, base.values, conditions).items():
            together = _joined("&", [when, guard])
            if share * alone[0] + share * alone[1] < _LEAST_BYTES:
                together = when
            totals[together] = [total + share * size for total, size in zip(totals[together], alone, strict=True)]
    return [[when, [round(size) for size in sizes]] for when, sizes in sorted(totals.items()) if when != "n"]


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
    for guard, count in guarding.guards(file.read_text(encoding="utf-8", errors="replace")).items():
        if all((values.get(option, "n") != "n") == on for option, on in guard):
            active += count
        # Code in place of an option's counts for every kernel, or, where the option was on, for none.
        if not any(values.get(option, "n") != "n" for option, on in guard if not on):
            formula = conditions.on(*(option for option, on in guard if on))
            if formula != "n":
                lines[formula] += count
    return {formula: count / active for formula, count in lines.items()} if active else {"y": 1.0}


# What the build makes of all objects


def _made(whole: Sequence[Measured]) -> dict[str, dict[str, Any]]:
    """Of exports and names, by what to multiply what the objects have of them, to get what is linked.

    A relocation of an x86 kernel that moves itself takes four bytes.
    """
    rules: dict[str, dict[str, Any]] = {"relocations": {"when": "X86_NEED_RELOCS", "factor": 4.0}}
    for made, kind in _MADE.items():
        position = KINDS.index(kind)
        pairs = [(sum(o[position] for p, o in k.objects.items() if p not in _MADE), k.objects.get(made)) for k in whole]
        linked = [(objects, _size(sizes)) for objects, sizes in pairs if sizes and objects]
        factor = sum(size for _, size in linked) / sum(objects for objects, _ in linked) if linked else 0.0
        rules[kind] = {"when": _OPTIONS[made], "factor": round(factor, 4)}
    return rules


def _size(sizes: Vector) -> int:
    return sum(sizes[KINDS.index(kind)] for kind in ("code", "rest", "exports"))


# The image

_RELOCATIONS_PACKED = 0.5
"""Sorted addresses, of four bytes each: the exponent takes up what is wrong with it."""

_WRAPPING = ("EFI_STUB", "RANDOMIZE_BASE", "X86_NEED_RELOCS")
"""Options that add code which is not packed."""


def _with_image(data: dict[str, Any], whole: Sequence[Measured], conditions: Conditions) -> dict[str, Any]:
    data["image"]["content"] = _weights(whole)
    model = Model(data)
    contents = [model.content(kernel.requested) for kernel in whole]
    compressors = []
    for name in _CHOSEN:
        word = name.lower()
        pairs = [(math.log(c), math.log(k.packed_bytes[word])) for c, k in zip(contents, whole, strict=True)]
        scale, exponent = _line(pairs)
        wrappers = [k.vmlinuz_bytes - k.packed_bytes[word] for k in whole if k.compressor == word]
        compressors.append(
            {
                "when": conditions.on(f"KERNEL_{name}"),
                "scale": round(math.exp(scale), 6),
                "exponent": round(exponent, 6),
                "wrapper": min(wrappers, default=_wrapper(whole)),
            }
        )
    # Where there is no choice, as on arm64, it is gzip.
    offered = [one for one in compressors if one["when"] != "n"] or compressors[:1]
    data["image"]["compressors"] = [*offered[:-1], {**offered[-1], "when": "y"}]
    data["image"]["wrapper"] = _wrapping(whole, conditions)
    return data


def _weights(whole: Sequence[Measured]) -> dict[str, float]:
    """What of the content counts when it is packed: zlib's sizes of the objects, and of what is made of them."""
    weights = {"packed": 1.0, "relocations": _RELOCATIONS_PACKED}
    for made, kind in _MADE.items():
        there = [kernel.objects[made] for kernel in whole if made in kernel.objects]
        if linked := sum(map(_size, there)):
            weights[kind] = round(sum(sizes[KINDS.index("packed")] for sizes in there) / linked, 4)
    return weights


def _line(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Offset and slope of the line through points; through fewer than two of them with slope 1."""
    xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in pairs) / spread if spread > 0.01 else 1.0
    return mean_y - slope * mean_x, slope


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
