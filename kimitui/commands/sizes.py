"""`kimitui sizes`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kimitui.commands.common import ARCHES, cache_of, print_json, print_table
from kimitui.errors import UsageError

_SEED = 6
_PRESETS = 30
_MEASURED = ("busybox", "flags", "packages")


def add_sizes(parser: argparse.ArgumentParser) -> None:
    """The options of `kimitui sizes`."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    measure = actions.add_parser("measure", help="measure what sizes are computed from, by compiling it")
    measure.add_argument("--arch", choices=ARCHES[:3], action="append", help="(default: all three)")
    measure.add_argument("what", nargs="*", metavar="WHAT", help="busybox, flags, packages (default: all)")
    measure.set_defaults(run=_measure)
    check = actions.add_parser("check", help="build drawn presets and compare them with their estimates")
    check.add_argument("--arch", choices=ARCHES[:3], default="x86_64")
    check.add_argument("--presets", type=int, default=_PRESETS, metavar="N", help=f"how many (default: {_PRESETS})")
    check.add_argument("--seed", type=int, default=_SEED, help=f"what they are drawn from (default: {_SEED})")
    check.add_argument("--only", type=int, action="append", metavar="NUMBER", help="only this one of them")
    _svg(check)
    check.add_argument("--record", action="store_true", help="keep the errors, as the uncertainty of estimates")
    check.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="where artifacts go (default: out)")
    check.set_defaults(run=_check)
    _add_measure_linux(actions.add_parser("measure-linux", help="measure kernels, for hours; resumed by the same"))
    _add_check_linux(
        actions.add_parser("check-linux", help="build drawn kernels and compare them with their estimates")
    )


def _add_measure_linux(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    parser.add_argument("--scratch", type=Path, metavar="DIR", help="build in this directory, such as one in memory")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="only kernels whose names begin so (none: only fit)"
    )
    _results(parser)
    parser.add_argument("--list", action="store_true", help="list the kernels that are measured, and which are done")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the data here instead of into kimitui's own")
    parser.set_defaults(run=_measure_linux)


def _add_check_linux(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    _svg(parser)
    _results(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_check_linux)


def _results(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--results", type=Path, metavar="FILE", help="an archive: what it has is not measured again")


def _svg(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw estimates against what builds gave into FILE")


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--arch", choices=ARCHES[:3], default="x86_64", help="for this architecture (default: x86_64)")


def _measure_linux(options: argparse.Namespace) -> int:
    from kimitui.progress import reader
    from kimitui.sizes.kernel import DATA
    from kimitui.sizes.linux import measure

    with reader("plain") as emit:
        if options.list:
            print_table(measure.listed(options.arch, cache_of(options), emit=emit))
            return 0
        data, failed = measure.measure(
            options.arch,
            cache_of(options),
            emit=emit,
            scratch=options.scratch and options.scratch.absolute(),
            only=options.only,
            results=options.results and options.results.absolute(),
            tell=lambda now: print(f"{now.done + 1} of {now.wanted}: {now.name}", flush=True),
        )
    print(measure.write(data, options.out or DATA))
    for error in failed:
        print(error, file=sys.stderr)
    return 1 if failed else 0


def _check_linux(options: argparse.Namespace) -> int:
    from kimitui.build.artifacts.boot import VMLINUZ
    from kimitui.progress import reader
    from kimitui.sizes import svg
    from kimitui.sizes.linux import compare, measure
    from kimitui.sizes.units import format_size

    with reader("plain") as emit:
        results = options.results and options.results.absolute()
        pairs, modules = measure.check(options.arch, cache_of(options), emit=emit, results=results)
    found = compare.summary(pairs)
    if options.svg:
        points = [(VMLINUZ, pair.true_bytes, pair.estimated_bytes) for pair in pairs]
        options.svg.write_text(svg.scatter(f"Estimate against build, kernels of {options.arch}", points))
    if options.json:
        print_json(
            {
                "bars": compare.BARS,
                "summary": found,
                "kernels": [vars(pair) for pair in pairs],
                "modules": [vars(pair) for pair in modules],
            }
        )
    else:
        for what, some in ((VMLINUZ, pairs), ("modules", modules)):
            rows = [
                [pair.name, format_size(pair.true_bytes), format_size(pair.estimated_bytes), f"{pair.error:+.2%}"]
                for pair in some
            ]
            print_table([[what, "built", "estimated", "error"], *rows])
            print(", ".join(f"{name} {value}" for name, value in compare.summary(some).items()))
    return 0 if all(found.get(name, 1.0) <= bar for name, bar in compare.BARS.items()) else 1


def _measure(options: argparse.Namespace) -> int:
    from kimitui.progress import reader
    from kimitui.sizes import campaign

    if unknown := set(options.what) - set(_MEASURED):
        raise UsageError(f"{sorted(unknown)[0]} cannot be measured", fix=f"One of: {', '.join(_MEASURED)}.")
    with reader("plain") as emit:
        for arch in options.arch or ARCHES[:3]:
            for what in options.what or _MEASURED:
                path = campaign.measure(what, arch, cache_of(options), emit=emit, say=print)
                print(f"written: {path}")
    return 0


def _check(options: argparse.Namespace) -> int:
    from kimitui.progress import reader
    from kimitui.sizes import check, svg

    numbers = sorted(set(options.only or range(options.presets)))
    print(f"seed {options.seed}, {len(numbers)} presets, {options.arch}")
    with reader("plain") as emit:
        rows = check.compare(
            options.seed,
            numbers,
            options.arch,
            cache_of(options),
            options.out.absolute(),
            emit=emit,
            say=print,
        )
    found = check.outcomes(rows)
    table = [["", "presets", "median", "95 %", "worst", "bars"]]
    for one in found:
        median, worst = check.BARS[one.name]
        bars = f"{'kept' if one.holds else 'not kept'}: median ≤ {median:.0%}, worst ≤ {worst:.0%}"
        table.append([one.name, str(one.presets), f"{one.median:.2%}", f"{one.most:.2%}", f"{one.worst:.2%}", bars])
    print_table(table)
    if options.svg:
        points = [(row.name, row.true_bytes, row.estimated_bytes) for row in rows]
        options.svg.write_text(svg.scatter(f"Estimate against build, {options.arch}", points))
    if options.record:
        check.record(options.arch, options.seed, numbers, found)
    return 0 if all(one.holds for one in found) else 1
