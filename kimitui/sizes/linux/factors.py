"""What options change in objects: in all of a group of them, by factors, and in single ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from kimitui.sizes.linux import guards
from kimitui.sizes.linux.conditions import Conditions, joined
from kimitui.sizes.linux.designs import COMPILED_IN, VARIANTS
from kimitui.sizes.linux.image import MADE
from kimitui.sizes.linux.record import KINDS, Measured, Vector


@dataclass(frozen=True)
class Factor:
    """By how much each kind is multiplied where options are on (True) or off (False); `when` is the formula of that."""

    when: str
    by_kind: list[float]
    options: Mapping[str, bool]

    def is_in(self, kernel: Measured) -> bool:
        """Whether it counts in a kernel."""
        return all(kernel.is_on(option) == on for option, on in self.options.items())


GROUPS = ("libraries", "traced", "large", "rest")
"""Objects that compilers treat unlike all others: of libraries, with tracepoints, with large sources; and those."""

_CODE, _ADDRESSES = KINDS.index("code"), KINDS.index("relocations")

_ENOUGH_OBJECTS = 8
"""So many objects of a group tell what an option makes of it; where there are fewer, the rest does, or all."""


def sampled_factors(
    kernels: Sequence[Measured], base: Measured, conditions: Conditions, group_of: Callable[[str], str]
) -> dict[str, list[Factor]]:
    """By group, for each option of the sample the formula that it is on, and by how much it multiplies each kind."""
    sampled: dict[str, dict[str, Vector]] = defaultdict(dict)
    for kernel in kernels:
        if kernel.use == "sample":
            sampled[kernel.option].update(kernel.objects)
    found: dict[str, list[Factor]] = {group: [] for group in GROUPS}
    totals = _totals(base, group_of)
    for option, objects in sorted(sampled.items()):
        on, off = (0, 1) if base.is_on(option) else (1, 0)
        members: dict[str, list[str]] = defaultdict(list)
        for path in objects.keys() & base.objects.keys():
            members[group_of(path)].append(path)
        for group in GROUPS:
            every = [path for paths in members.values() for path in paths]
            some = (members[group], members["rest"])
            shared = next((paths for paths in some if len(paths) >= _ENOUGH_OBJECTS), every)
            sums = _sums(shared, base.objects, objects)
            by_kind = [round(pair[on] / pair[off], 4) if min(pair) else 1.0 for pair in sums]
            by_kind[_ADDRESSES] = _of_addresses(sums, totals[group], on, off)
            found[group].append(Factor(conditions.on(option), by_kind, {option: True}))
    return found


def _totals(base: Measured, group_of: Callable[[str], str]) -> dict[str, list[int]]:
    """By group, the sum of each kind in the base; nothing where it has no object of a group."""
    members: dict[str, list[Vector]] = defaultdict(list)
    for path, sizes in base.objects.items():
        members[group_of(path)].append(sizes)
    return {group: [sum(kind) for kind in zip(*members[group], strict=True)] for group in GROUPS}


def _sums(paths: Collection[str], one: Mapping[str, Vector], other: Mapping[str, Vector]) -> list[list[int]]:
    """By kind, the bytes that objects have in two kernels."""
    return [[sum(objects[path][kind] for path in paths) for objects in (one, other)] for kind in range(len(KINDS))]


def _of_addresses(sums: Sequence[Sequence[int]], total: Sequence[int], on: int, off: int) -> float:
    """By what absolute addresses are multiplied in a group with `total` of each kind.

    They come with code: tables of them, of which some groups have a lot, stay as they are.
    """
    (code, _), (before, after) = sums[_CODE], sums[_ADDRESSES]
    if not total or not total[_ADDRESSES] or not code:
        return 1.0
    pair = total[_ADDRESSES], total[_ADDRESSES] + (after - before) / code * total[_CODE]
    return round(pair[on] / pair[off], 4) if min(pair) > 0 else 1.0


def core_factors(kernels: Sequence[Measured], conditions: Conditions, source: Path) -> list[Factor]:
    """The same for the objects that every kernel has, of which less and less was compiled."""
    chain = sorted((kernel for kernel in kernels if kernel.use == "core"), key=lambda kernel: kernel.name)
    pairs = [(after.option, before, after) for before, after in pairwise(chain)]
    pairs += [(one.option, one, chain[-1]) for one in kernels if one.use == "more" and chain]
    found = []
    for option, on, off in pairs:
        if (formula := conditions.on(option)) in ("y", "n"):
            continue
        # What is left beside the lines that sources have for it comes from headers, or from the compiler.
        sums = [[0.0, 0.0] for _ in KINDS]
        for path in on.objects.keys() & off.objects.keys():
            more, less = (guards.lines_of(source, path, one.values) for one in (on, off))
            left = less / more if more and less else 1.0
            for pair, size, without in zip(sums, on.objects[path], off.objects[path], strict=True):
                pair[0] += size * left
                pair[1] += without
        by_kind = [round(more / less, 4) if more and less else 1.0 for more, less in sums]
        found.append(Factor(formula, by_kind, {option: True}))
    return found


def together(
    kernels: Sequence[Measured],
    single: Mapping[str, Sequence[Factor]],
    base: Measured,
    conditions: Conditions,
    group_of: Callable[[str], str],
) -> dict[str, list[Factor]]:
    """By group, what pairs of options make of it beyond what each does (`single`): where both are as they were tried
    together."""
    nothing = next((one for one in kernels if one.name == "core-99-nothing"), None)
    found: dict[str, list[Factor]] = {group: [] for group in single}
    totals = _totals(base, group_of)
    for kernel in kernels:
        is_core = kernel.name.startswith("both-core-")
        before = nothing if is_core else base
        if kernel.use != "both" or before is None:
            continue
        options = {option: kernel.is_on(option) for option in kernel.option.split("+")}
        alone = {
            group: _change([one for one in factors if one.options.keys() & options.keys()], before, kernel)
            for group, factors in single.items()
        }
        shared = sorted(kernel.objects.keys() & before.objects.keys())
        expected, true = [0.0] * len(KINDS), [0.0] * len(KINDS)
        for path in shared:
            change = alone["core" if is_core else group_of(path)]
            sizes = zip(expected, before.objects[path], change, strict=True)
            expected = [one + size * factor for one, size, factor in sizes]
            true = [one + size for one, size in zip(true, kernel.objects[path], strict=True)]
        by_kind = [round(size / one, 4) if size and one else 1.0 for size, one in zip(true, expected, strict=True)]
        when = joined("&", [_formula(option, on, conditions) for option, on in options.items()])
        sums = _sums(shared, before.objects, kernel.objects)
        for group in ("core",) if is_core else GROUPS:
            own = list(by_kind)
            if not is_core:
                own[_ADDRESSES] = round(_of_addresses(sums, totals[group], 1, 0) / alone[group][_ADDRESSES], 4)
            found[group].append(Factor(when, own, options))
    return found


def _formula(option: str, on: bool, conditions: Conditions) -> str:
    formula = conditions.on(option)
    if on or formula in ("y", "n"):
        return formula if on else {"y": "n", "n": "y"}[formula]
    conditions.read.add(option)
    return f'= {option} "n"'


def _product(factors: Sequence[Factor], kernel: Measured) -> list[float]:
    product = [1.0] * len(KINDS)
    for one in factors:
        if one.is_in(kernel):
            product = [size * factor for size, factor in zip(product, one.by_kind, strict=True)]
    return product


def _change(factors: Sequence[Factor], before: Measured, after: Measured) -> list[float]:
    pairs = zip(_product(factors, after), _product(factors, before), strict=True)
    return [now / then for now, then in pairs]


@dataclass(frozen=True)
class Groups:
    """The objects by what changes all of a group: by its name, factors; by path, in which group an object is."""

    factors: Mapping[str, Sequence[Factor]]
    of: Callable[[str], str]
    base: Measured

    def present(self, path: str) -> list[float]:
        """By what an object is multiplied in the base."""
        return _product(self.factors[self.of(path)], self.base)

    def changed(self, path: str, kernel: Measured) -> list[float]:
        """By what an object of the base is multiplied in another kernel."""
        return _change(self.factors[self.of(path)], self.base, kernel)


def variants(
    kernels: Sequence[Measured], base: Measured, factors: Sequence[Factor]
) -> tuple[dict[str, Vector], list[tuple[str, str, Vector]]]:
    """What options change in single objects: those objects as they are without all such options, and by path and option
    what it adds (or, below 0, takes away), beyond what it changes everywhere."""
    by_option = {option: one.by_kind for one in factors for option in one.options}
    plain: dict[str, Vector] = {}
    changes = []
    for kernel in kernels:
        if kernel.use != "variant":
            continue
        option = kernel.option
        symbol = VARIANTS[option]
        is_on = base.is_on(symbol)
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


def only(
    base: Measured, whole: Sequence[Measured], conditions: Conditions, sampled: Collection[str]
) -> list[list[str]]:
    """Formulas of options that change everything, with the one value, y or n, with which anything was measured."""
    found = []
    made = [option for one in MADE.values() for option in one.when]
    for option in (*COMPILED_IN, *made):
        # What the build makes is seen only of kernels that were built whole.
        kernels = whole if option in made else [base, *whole]
        seen = {kernel.is_on(option) for kernel in kernels}
        formula = conditions.on(option)
        if option not in sampled and len(seen) == 1 and formula not in ("y", "n"):
            found.append([formula, "ny"[seen.pop()]])
    return sorted(found)
