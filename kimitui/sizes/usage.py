"""What BusyBox's compressed usage texts weigh: weights of applets and symbols, fitted to what bzip2 makes of them.

The texts themselves stay where they were measured; a data file holds numbers only.
"""

from __future__ import annotations

import bz2
import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

from kimitui.sizes.compose import literal

_DRAWS = 60
Texts = Mapping[str, Mapping[str, str]]
"""By `symbol=value` (`=`: the base) and applet, the text; of variants only those that differ."""


def fitted(texts: Texts, seed: int = 1) -> dict[str, Any]:
    """Weights in bytes by applet, terms by literal and applet, and how the sum of them becomes the packed size.

    The packed size is `fixed + factor * sum ** power`; the weight of a text is its length, less what of its words all
    others have as well.
    """
    base = texts["="]
    weights = {applet: _weight(applet, base) for applet in base}
    terms = []
    for variant, changed in texts.items():
        for applet, text in changed.items():
            before = len(base.get(applet, ""))
            if before and variant != "=":
                terms.append([literal(variant), applet, round(weights[applet] * (len(text) / before - 1), 1)])
    draw = random.Random(seed)
    names = sorted(base)
    points = []
    for _ in range(_DRAWS):
        some = sorted(draw.sample(names, draw.randint(8, len(names))))
        points.append((sum(weights[name] for name in some), packed([base[name] for name in some])))
    return {
        "lengths": {name: len(text.encode()) + 1 for name, text in sorted(base.items())},
        "weights": {name: round(weight, 1) for name, weight in sorted(weights.items())},
        "terms": sorted(terms),
        "fit": _power_law(points),
    }


def packed(texts: Sequence[str]) -> int:
    """The bytes that BusyBox's build makes of texts, in the order of their applets' names."""
    return len(compressed(texts))


def compressed(texts: Sequence[str]) -> bytes:
    """What BusyBox's build makes of texts."""
    # bzip2 -1, without the two bytes that say so.
    return bz2.compress(plain(texts), 1)[2:]


def plain(texts: Sequence[str]) -> bytes:
    """Texts as a program has them that does not compress them."""
    return b"".join(text.encode() + b"\0" for text in texts)


def _weight(applet: str, texts: Mapping[str, str]) -> float:
    """By how much a text makes a middling collection of others grow."""
    draw = random.Random(applet)
    others = sorted(set(texts) - {applet})
    gains = []
    for _ in range(4):
        some = set(draw.sample(others, len(others) // 3))
        before = packed([texts[name] for name in sorted(some)])
        gains.append(packed([texts[name] for name in sorted({*some, applet})]) - before)
    # bzip2 is not smooth; a text's length keeps the noise of single draws within bounds.
    length = len(texts[applet]) + 1
    return min(max(sum(gains) / len(gains), 0.2 * length), 0.6 * length)


def _power_law(points: Sequence[tuple[float, int]]) -> list[float]:
    """`[fixed, factor, power]` by least squares of relative errors."""
    best: tuple[float, list[float]] = (math.inf, [0.0, 1.0, 1.0])
    for power in (step / 200 for step in range(170, 211)):
        for fixed in range(0, 401, 50):
            ratios = [(size - fixed) / total**power for total, size in points]
            factor = sum(ratios) / len(ratios)
            error = sum(((fixed + factor * total**power) / size - 1) ** 2 for total, size in points)
            if error < best[0]:
                best = (error, [float(fixed), round(factor, 6), power])
    return best[1]
