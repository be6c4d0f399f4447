"""Upstream `.config` files: what is asked for, and whether it was kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kimitui.errors import BuildError
from kimitui.kconfig.explain import compare_with_dotconfig, quoted
from kimitui.kconfig.types import Kconfig


def text(requested: Mapping[str, str], texts: set[str]) -> str:
    """The lines for Kconfig values by symbol, sorted; `texts` are the symbols whose values are to be quoted."""
    return "".join(_line(name, value, name in texts) for name, value in sorted(requested.items()))


def check(tree: Kconfig, requested: Mapping[str, str], dotconfig: Path, *, what: str, where: Path) -> None:
    """Raise BuildError, with what each lacks, if values that `requested` holds are not in `dotconfig`.

    `what` is configured there, and `where` the file that asks for it.
    """
    lost = compare_with_dotconfig(tree, requested, dotconfig)
    if lost:
        raise BuildError(
            f"{what}'s configuration does not keep {len(lost)} of the values that are asked for",
            where=where,
            details=tuple(
                f"{item.symbol}: wanted {item.wanted}, got {item.got or 'nothing'}; {item.reason}" for item in lost
            ),
            fix="Change the file so that what is missing is there, or so that it asks for something else.",
        )


def _line(name: str, value: str, is_text: bool) -> str:
    if is_text:
        return f"CONFIG_{name}={quoted(value)}\n"
    return f"# CONFIG_{name} is not set\n" if value == "n" else f"CONFIG_{name}={value}\n"
