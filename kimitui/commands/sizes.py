"""`kimitui sizes`."""

from __future__ import annotations

import argparse
from pathlib import Path

from kimitui.commands.common import ARCHES, cache_of, print_json, print_table


def add_sizes(parser: argparse.ArgumentParser) -> None:
    """The options of `kimitui sizes`."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    measure = actions.add_parser("measure", help="measure what sizes are estimated from, by building it")
    add_measure_linux(measure)
    check = actions.add_parser("check", help="hold estimates against what was built")
    add_check_linux(check)


def add_measure_linux(parser: argparse.ArgumentParser) -> None:
    """The options of `kimitui sizes measure linux`."""
    _common(parser)
    parser.add_argument("--scratch", type=Path, metavar="DIR", help="build in this directory, such as one in memory")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="only kernels whose names begin so (none: only fit)"
    )
    parser.add_argument("--list", action="store_true", help="list the kernels that are measured, and which are done")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the data here instead of into kimitui's own")
    parser.set_defaults(run=_measure_linux)


def add_check_linux(parser: argparse.ArgumentParser) -> None:
    """The options of `kimitui sizes check linux`."""
    _common(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_check_linux)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what", choices=["linux"], metavar="WHAT", help="linux: kernels, for hours; resumed by the same"
    )
    parser.add_argument("--arch", choices=ARCHES[:3], default="x86_64", help="for this architecture (default: x86_64)")


def _measure_linux(options: argparse.Namespace) -> int:
    from kimitui.progress import reader
    from kimitui.sizes.kernel import DATA
    from kimitui.sizes.linux import measure

    with reader("plain") as emit:
        if options.list:
            print_table(measure.listed(options.arch, cache_of(options), emit=emit))
            return 0
        data = measure.measure(
            options.arch,
            cache_of(options),
            emit=emit,
            scratch=options.scratch and options.scratch.absolute(),
            only=options.only,
            tell=lambda now: print(f"{now.done + 1} of {now.wanted}: {now.name}", flush=True),
        )
    print(measure.write(data, options.out or DATA))
    return 0


def _check_linux(options: argparse.Namespace) -> int:
    from kimitui.progress import reader
    from kimitui.sizes.linux import compare, measure
    from kimitui.sizes.units import format_size

    with reader("plain") as emit:
        pairs = measure.check(options.arch, cache_of(options), emit=emit)
    found = compare.summary(pairs)
    if options.json:
        print_json({"bars": compare.BARS, "summary": found, "kernels": [vars(pair) for pair in pairs]})
    else:
        rows = [
            [pair.name, format_size(pair.true_bytes), format_size(pair.estimated_bytes), f"{pair.error:+.2%}"]
            for pair in pairs
        ]
        print_table([["kernel", "built", "estimated", "error"], *rows])
        print(", ".join(f"{name} {value}" for name, value in found.items()) or "no kernel was drawn and built yet")
    return 0 if all(found.get(name, 1.0) <= bar for name, bar in compare.BARS.items()) else 1
