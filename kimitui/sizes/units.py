"""Sizes as people write them."""

from __future__ import annotations

import re
from decimal import Decimal

from kimitui.errors import UsageError

_FACTORS = {
    "": 1,
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "kib": 1024,
    "mib": 1024**2,
    "gib": 1024**3,
}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)")


def parse_size(text: str) -> int:
    """Bytes in a size such as `5MB` (decimal), `4MiB` (binary), `1.5 kB` or `123`; upper or lower case.

    Fractions of a byte are cut off. Raises UsageError if `text` is not a size.
    """
    found = _SIZE.fullmatch(text.strip())
    if not found or found[2].lower() not in _FACTORS:
        raise UsageError(
            f'"{text}" is not a size', fix="write a number with B, kB, MB, GB, KiB, MiB or GiB, such as 5MB"
        )
    return int(Decimal(found[1]) * _FACTORS[found[2].lower()])


def format_size(size_bytes: int) -> str:
    """A size in decimal units with three digits, such as `1.25 MB`, `12.3 kB` or `999 B`; negative ones with −."""
    sign = "−" if size_bytes < 0 else ""
    size = abs(size_bytes)
    if size < 1000:
        return f"{sign}{size} B"
    for power, unit in enumerate(("kB", "MB", "GB", "TB"), 1):
        value = size / 1000**power
        digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
        # What would be rounded up to 1000 belongs to the next unit.
        if value < 999.5 or unit == "TB":
            return f"{sign}{value:.{digits}f} {unit}"
    raise AssertionError


def delta_words(delta_bytes: int | None) -> str:
    """A difference with its sign, `+14.2 kB`; "" for none, or one that is not known."""
    if not delta_bytes:
        return ""
    return f"+{format_size(delta_bytes)}" if delta_bytes > 0 else format_size(delta_bytes)
