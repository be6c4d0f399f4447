"""`kimitui size`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kimitui.commands.common import ARCHES, cache_of, print_json, print_table
from kimitui.sizes.units import format_size

if TYPE_CHECKING:
    from kimitui.sizes.estimate import Sizes


def add_size(parser: argparse.ArgumentParser) -> None:
    """The options of `kimitui size`."""
    parser.add_argument("preset", help="a preset's name or path")
    parser.add_argument("--arch", choices=ARCHES, help="for this architecture instead of the preset's")
    parser.add_argument("--against", metavar="OTHER", help="show the difference to another preset")
    parser.add_argument("--estimated", action="store_true", help="estimate also what was built before")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw a treemap into FILE")
    parser.add_argument("--json", action="store_true", help="print JSON; sizes are in bytes")
    parser.set_defaults(run=_size)


def _size(options: argparse.Namespace) -> int:
    sizes = _sizes_of(options, options.preset)
    other = _sizes_of(options, options.against) if options.against else None
    if options.svg:
        _draw(options, sizes)
    if options.json:
        data = _data(options.preset, sizes)
        print_json({**data, "against": _data(options.against, other) if other else None})
    elif other:
        _print_difference(sizes, other)
    else:
        _print(sizes)
    return 0


def _sizes_of(options: argparse.Namespace, reference: str) -> Sizes:
    from kimitui.config import Configuration
    from kimitui.sizes.estimate import Estimator

    config = Configuration.open(reference, arch=options.arch)
    return Estimator(config, cache_dir=None if options.estimated else cache_of(options)).sizes()


def _data(preset: str, sizes: Sizes) -> dict[str, object]:
    """What `kimitui size --json` says of a preset; all keys are always there."""
    return {
        "preset": preset,
        "artifacts": dict(sizes.artifacts),
        "components": dict(sizes.components),
        "layer_bytes": sizes.layer_bytes,
        "contents_bytes": sizes.contents_bytes,
        "total_bytes": sizes.total_bytes,
        "budget_bytes": sizes.budget_bytes,
        "exact": sorted(sizes.exact),
        "uncertainty": dict(sizes.uncertainty),
        "unknown": sorted(sizes.unknown),
    }


def _print(sizes: Sizes) -> None:
    rows = [["component", "", ""]]
    rows += [[f"  {name}", format_size(size), _how_sure(sizes, name)] for name, size in _largest(sizes.components)]
    rows += [[f"  {name}", "?", "not measured"] for name in sorted(sizes.unknown)]
    rows += [["artifact", "", ""]]
    for name, size in _largest(sizes.artifacts):
        rows.append([f"  {name}", format_size(size), _how_sure(sizes, name)])
        if name == "image.oci.tar" and sizes.layer_bytes:
            rows.append(["    its layer", format_size(sizes.layer_bytes), _how_sure(sizes, "layer")])
    print_table(rows)
    print(f"{' and '.join(sizes.counted)}: {_against_budget(sizes)}")


def _against_budget(sizes: Sizes) -> str:
    total = f"{'at least ' if sizes.unknown else ''}{format_size(sizes.total_bytes)}"
    if sizes.budget_bytes is None:
        return f"{total}, no budget"
    left = sizes.budget_bytes - sizes.total_bytes
    budget = format_size(sizes.budget_bytes)
    over = left < 0 or not sizes.unknown  # what was not measured may be what is too much
    rest = f", {format_size(abs(left))} {'left' if left >= 0 else 'too much'}" if over else ""
    return f"{total} of {budget}{rest}"


# What is estimated; all else is known beforehand, as far as it is known.
_ESTIMATED = frozenset(
    {"busybox", "linux", "rootfs.tar", "image.oci.tar", "layer", "system.squashfs", "vmlinuz", "initramfs.cpio.zst"}
)


def _how_sure(sizes: Sizes, name: str) -> str:
    if name in sizes.exact:
        return "exact"
    error = sizes.uncertainty.get(name)
    if error is not None:
        return f"±{error:.1%}"
    return "not compared with builds yet" if name in _ESTIMATED else ""


def _print_difference(sizes: Sizes, other: Sizes) -> None:
    rows = []
    for mine, theirs in ((sizes.components, other.components), (sizes.artifacts, other.artifacts)):
        for name in sorted({*mine, *theirs}):
            if difference := mine.get(name, 0) - theirs.get(name, 0):
                sign = "+" if difference > 0 else ""
                before, after = format_size(theirs.get(name, 0)), format_size(mine.get(name, 0))
                rows.append([name, f"{sign}{format_size(difference)}", f"{before} → {after}"])
    if rows:
        print_table(rows)
    else:
        print("Both have the same size.")


def _largest(sizes: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(sizes.items(), key=lambda item: (-item[1], item[0]))


def _draw(options: argparse.Namespace, sizes: Sizes) -> None:
    from kimitui.config import Configuration
    from kimitui.sizes import svg
    from kimitui.sizes.panel import parts

    config = Configuration.open(options.preset, arch=options.arch)
    groups = {name: {name: size} for name, size in sizes.parts.items()}
    groups["busybox"] = parts(config) or groups.get("busybox", {})
    options.svg.write_text(svg.treemap(config.name, groups))
