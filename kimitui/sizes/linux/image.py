"""What the build makes of all objects, and what compressors make of it all: fitted to kernels that were built whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kimitui.sizes.linux.conditions import Conditions, joined
from kimitui.sizes.linux.record import COMPRESSORS, KINDS, Measured

MADE = ("kallsyms", "exports")
"""Objects that the build makes of all others."""

MADE_OF: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "names": ("names", "KALLSYMS", ()),
    "exports": ("exports", "MODULES", ("TRIM_UNUSED_KSYMS",)),
    "orc": ("code", "UNWINDER_ORC", ()),
}
"""What the build makes of all objects: of which kind of theirs, under which option, and unless which others are on."""


# What the build makes of all objects


def made_rules(whole: Sequence[Measured], conditions: Conditions) -> dict[str, dict[str, Any]]:
    """By kind that the build makes of all objects, from which kind of theirs, when, and by what to multiply that.

    A relocation of an x86 kernel that moves itself takes four bytes.
    """
    rules = {"relocations": {"of": "relocations", "when": conditions.on("X86_NEED_RELOCS"), "factor": 4.0}}
    for kind, (source, option, unless) in MADE_OF.items():
        pairs = [(sum_of(kernel, source), made) for kernel in whole if (made := _made_bytes(kernel, kind))]
        factor = sum(made for _, made in pairs) / sum(total for total, _ in pairs) if pairs else 0.0
        when = joined("&", [conditions.on(option), *(f'= {name} "n"' for name in unless)])
        conditions.read.update(unless)
        rules[kind] = {"of": source, "when": when, "factor": round(factor, 4)}
    return rules


def sum_of(kernel: Measured, kind: str) -> int:
    """Bytes of a kind in all objects of a kernel."""
    position = KINDS.index(kind)
    return sum(sizes[position] for path, sizes in kernel.objects.items() if path not in MADE)


def _made_bytes(kernel: Measured, kind: str) -> int:
    """Bytes of what the build made; 0 where it did not, or where too little of it is left to tell."""
    _source, option, unless = MADE_OF[kind]
    if kernel.values.get(option, "n") == "n" or any(kernel.values.get(name, "n") != "n" for name in unless):
        return 0
    if kind == "orc":
        return kernel.orc_bytes
    made = kernel.objects.get("kallsyms" if kind == "names" else "exports")
    return sum(made[KINDS.index(one)] for one in ("code", "rest", "exports")) if made else 0


# The image

WRAPPING = ("EFI_STUB", "RANDOMIZE_BASE", "X86_NEED_RELOCS")
"""Options that add code which is not packed."""

_PACKED = {"relocations": 0.5, "orc": 0.3, "exports": 0.45, "names": 0.8}
"""How much of a byte of it counts where no kernel says it: sorted addresses, tables, names, names in few letters."""

_ROUNDS = 200


def with_image(
    data: dict[str, Any],
    whole: Sequence[Measured],
    conditions: Conditions,
    contents: Sequence[float],
    wrapped: Sequence[Measured] = (),
) -> dict[str, Any]:
    """With what compressors make of kernels; `contents` is what zlib makes of the objects of each of the whole ones.

    `wrapped` are further kernels, one for each other compressor: with another one to unpack them.
    """
    rules = data["image"]["kinds"]
    made = [
        {
            kind: float(_made_bytes(kernel, kind) if kind in MADE_OF else rule["factor"] * sum_of(kernel, kind))
            if kind in MADE_OF or kernel.values.get("X86_NEED_RELOCS") == "y"
            else 0.0
            for kind, rule in rules.items()
        }
        for kernel in whole
    ]
    compressors = []
    for name in COMPRESSORS:
        word = name.lower()
        scale, weights = _weighed(contents, made, [kernel.packed_bytes[word] for kernel in whole])
        wrappers = [k.vmlinuz_bytes - k.packed_bytes[word] for k in (*whole, *wrapped) if k.compressor == word]
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
    data["image"]["wrapper"] = _wrapping((*whole, *wrapped), conditions)
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
    for option in WRAPPING:
        extra = [
            k.vmlinuz_bytes - k.packed_bytes[k.compressor] - least[k.compressor]
            for k in whole
            if k.values.get(option) == "y" and not any(k.values.get(o) == "y" for o in WRAPPING if o != option)
        ]
        if extra and conditions.on(option) != "n":
            found.append([conditions.on(option), round(sum(extra) / len(extra))])
    return found
