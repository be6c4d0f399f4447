"""What the build makes of all objects, and what compressors make of it all: fitted to kernels that were built whole."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kimitui.sizes.linux.conditions import Conditions, joined
from kimitui.sizes.linux.designs import SPEED
from kimitui.sizes.linux.record import COMPRESSORS, KINDS, Measured

OBJECTS = ("kallsyms", "exports")
"""Objects that the build makes of all others."""


@dataclass(frozen=True)
class Made:
    """What the build makes of all objects: of which kind of theirs, where all of `when` and none of `unless` is on.

    `part` is what it is called where a kernel was taken apart.
    """

    of: str
    when: tuple[str, ...]
    part: str
    unless: tuple[str, ...] = ()

    def is_in(self, kernel: Measured) -> bool:
        """Whether a kernel has it."""
        return all(map(kernel.is_on, self.when)) and not any(map(kernel.is_on, self.unless))


MADE = {
    "names": Made("names", ("KALLSYMS",), "names"),
    # With room in front of functions for other code, each has a second name.
    "prefixes": Made("names", ("KALLSYMS", "CALL_PADDING"), "names"),
    "exports": Made("exports", ("MODULES",), "exports", unless=("TRIM_UNUSED_KSYMS",)),
    "orc": Made("code", ("UNWINDER_ORC",), "orc"),
    # Places of returns and indirect calls. Objects have them with zeros for what only linking fills in.
    "sites": Made("code", ("MITIGATION_RETHUNK",), "sites"),
    "seals": Made("code", ("X86_KERNEL_IBT",), "sites"),
    # With the mitigations, about a third of those that objects have are not of the kind that moves.
    "relocations": Made("relocations", ("X86_NEED_RELOCS",), "relocations", unless=("MITIGATION_RETHUNK",)),
    "mitigated_relocations": Made("relocations", ("X86_NEED_RELOCS", "MITIGATION_RETHUNK"), "relocations"),
    # The same for the others, which have them in their program.
    "dynamic": Made("relocations", ("RELOCATABLE",), "dynamic"),
    "symbols": Made("names", ("RELOCATABLE",), "symbols"),
}

_COSTS = {"relocations": 0.5, "orc": 0.3, "exports": 0.3, "names": 0.55, "sites": 0.4, "dynamic": 0.3, "symbols": 0.35}
"""What a byte of a part costs where no kernel was taken apart that has it: tables, addresses, names in few letters."""


# What the build makes of all objects


def made_rules(whole: Sequence[Measured], conditions: Conditions, names: Sequence[float]) -> dict[str, dict[str, Any]]:
    """By kind that the build makes of all objects, from which kind of theirs, when, and by what to multiply that.

    What no kernel of the architecture has is left out. `names` are the bytes of functions'
    names that each kernel's objects are estimated to have.
    """
    factors: dict[str, float] = {}
    rules = {}
    for kind, made in MADE.items():
        pairs: list[tuple[float, float]]
        if kind == "prefixes":
            expected = zip(whole, names, strict=True)
            pairs = [
                (size, _kallsyms(kernel) - factors["names"] * size) for kernel, size in expected if made.is_in(kernel)
            ]
        else:
            # Where functions have two names, not all objects had the second one yet when they were measured.
            told = [one for one in whole if made.is_in(one) and not (kind == "names" and MADE["prefixes"].is_in(one))]
            pairs = [(sum_of(kernel, made.of), size) for kernel in told if (size := _made_bytes(kernel, kind))]
        factors[kind] = sum(size for _, size in pairs) / sum(total for total, _ in pairs) if pairs else 0.0
        if not factors[kind]:
            continue
        when = joined("&", [conditions.on(*made.when), *(f'= {name} "n"' for name in made.unless)])
        conditions.read.update(made.unless)
        rules[kind] = {"of": made.of, "when": when, "factor": round(factors[kind], 4)}
    return rules


def sum_of(kernel: Measured, kind: str) -> int:
    """Bytes of a kind in all objects of a kernel."""
    position = KINDS.index(kind)
    return sum(sizes[position] for path, sizes in kernel.objects.items() if path not in OBJECTS)


def _made_bytes(kernel: Measured, kind: str) -> float:
    """Bytes of what the build made; 0 where it did not."""
    return _BYTES[kind](kernel) if MADE[kind].is_in(kernel) else 0.0


def _kallsyms(kernel: Measured) -> float:
    """Bytes of the names of functions that a kernel has."""
    return _size_of(kernel, "kallsyms")


def _size_of(kernel: Measured, name: str) -> float:
    found = kernel.objects.get(name)
    return float(sum(found[KINDS.index(kind)] for kind in ("code", "rest", "exports"))) if found else 0.0


_BYTES: Mapping[str, Callable[[Measured], float]] = {
    "names": _kallsyms,
    "prefixes": lambda _kernel: 0.0,  # among the names
    "exports": lambda kernel: _size_of(kernel, "exports"),
    "orc": lambda kernel: kernel.orc_bytes,
    "sites": lambda kernel: kernel.sites_bytes,
    "seals": lambda kernel: kernel.seals_bytes,
    "relocations": lambda kernel: kernel.relocations_bytes,
    "mitigated_relocations": lambda kernel: kernel.relocations_bytes,
    "dynamic": lambda kernel: kernel.dynamic_bytes,
    "symbols": lambda kernel: kernel.symbols_bytes,
}
"""What the build made in a kernel that was built whole, where it did."""


# The image

_ENOUGH = 4
"""Kernels that tell how packing depends on size and on what the compiler aims at."""

_ROUNDS = 200

WRAPPING = ("RANDOMIZE_BASE", "EFI_STUB")
"""Options that add code which is not packed."""


def with_image(
    data: dict[str, Any],
    whole: Sequence[Measured],
    conditions: Conditions,
    contents: Sequence[float],
    wrapped: Sequence[Measured] = (),
    *,
    packs_itself: bool,
) -> dict[str, Any]:
    """With what compressors make of kernels; `contents` is what zlib makes of the objects of each of the whole ones.

    `wrapped` are further kernels, one for each other compressor: with another one to unpack them. `packs_itself` says
    that a kernel has what unpacks it, which can be chosen.
    """
    compressors = []
    for name in COMPRESSORS:
        word = name.lower()
        costs = _costs(whole, word)
        scales = [_plain(kernel, word, costs) / content for kernel, content in zip(whole, contents, strict=True)]
        scale, power, fast = scaling(scales, contents, [kernel.is_on(SPEED) for kernel in whole])
        compressors.append(
            {
                "when": conditions.on(f"KERNEL_{name}"),
                "packed": {
                    "scale": round(scale, 5),
                    "power": round(power, 5),
                    "factors": [[conditions.on(SPEED), round(fast, 5)]],
                },
                "content": {kind: round(costs[MADE[kind].part], 4) for kind in data["image"]["kinds"]},
                "wrapper": _least_wrapper([k for k in (*whole, *wrapped) if k.compressor == word] or whole),
            }
        )
    # Where a boot loader unpacks it, it is gzip whatever is asked for.
    offered = [one for one in compressors if one["when"] != "n"] if packs_itself else compressors[:1]
    data["image"]["compressors"] = [*offered[:-1], {**offered[-1], "when": "y"}]
    data["image"]["wrapper"] = _wrapping((*whole, *wrapped), conditions)
    return data


def _costs(whole: Sequence[Measured], word: str) -> dict[str, float]:
    """What a byte of each part costs when it is packed by a compressor."""
    found = dict(_COSTS)
    for part in found:
        taken = [kernel.pieces[part] for kernel in whole if part in kernel.pieces]
        if size := sum(one["bytes"] for one in taken):
            found[part] = sum(one[word] for one in taken) / size
    return found


def _cost(kernel: Measured, costs: Mapping[str, float]) -> float:
    """What all that the build made costs in a kernel."""
    return sum(costs[made.part] * _made_bytes(kernel, kind) for kind, made in MADE.items())


def _plain(kernel: Measured, word: str, costs: Mapping[str, float]) -> float:
    """What is left of a kernel, packed, without what the build made."""
    if not kernel.pieces:
        return kernel.packed_bytes[word] - _cost(kernel, costs)
    taken = kernel.pieces["whole"][word] - kernel.pieces["plain"][word]
    return kernel.packed_bytes[word] - taken - kernel.pieces.get("relocations", {word: 0})[word]


def scaling(scales: Sequence[float], contents: Sequence[float], is_fast: Sequence[bool]) -> tuple[float, float, float]:
    """What a compressor leaves of a million bytes that objects pack to, each: how that grows with them, by which power,
    and by what more it is where the compiler aims at speed.

    The larger a kernel, the more of it was there before; code for speed has addresses that differ more.
    """
    if len(set(is_fast)) < 2 or len(scales) < _ENOUGH:
        return sum(scales) / len(scales), 1.0, 1.0
    sizes = [math.log(content / 1e6) for content in contents]
    logs = [math.log(scale) for scale in scales]
    slope = fast = level = 0.0
    for _ in range(_ROUNDS):
        line = statistics.linear_regression(
            sizes, [log - fast * there for log, there in zip(logs, is_fast, strict=True)]
        )
        slope, level = line.slope, line.intercept
        rests = [log - level - slope * size for log, size in zip(logs, sizes, strict=True)]
        fast += statistics.mean(rest - fast for rest, there in zip(rests, is_fast, strict=True) if there)
    return math.exp(level), 1.0 + slope, math.exp(fast)


def _unpacked(kernel: Measured) -> int:
    """Bytes of vmlinuz that are not packed."""
    return kernel.vmlinuz_bytes - kernel.packed_bytes[kernel.compressor]


def _least_wrapper(kernels: Sequence[Measured]) -> int:
    return min(map(_unpacked, kernels))


def _wrapping(kernels: Sequence[Measured], conditions: Conditions) -> list[list[Any]]:
    """What the options add to the wrapper, one after the other."""
    least = {
        word: _least_wrapper([k for k in kernels if k.compressor == word]) for word in {k.compressor for k in kernels}
    }
    found: dict[str, float] = {}
    for number, option in enumerate(WRAPPING):
        later = WRAPPING[number + 1 :]
        extra = [
            _unpacked(k) - least[k.compressor] - sum(size for one, size in found.items() if k.is_on(one))
            for k in kernels
            if k.is_on(option) and not any(k.is_on(one) for one in later)
        ]
        if extra and conditions.on(option) != "n":
            found[option] = sum(extra) / len(extra)
    return [[conditions.on(option), round(size)] for option, size in found.items()]
