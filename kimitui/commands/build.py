"""`kimitui build`."""

from __future__ import annotations

import argparse
import shlex
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from kimitui.commands.common import ARCHES, ENGINES, add_progress, cache_of, print_json, print_table, source_override

if TYPE_CHECKING:
    from kimitui.build.build import Result


def add_build(parser: argparse.ArgumentParser) -> None:
    """The options of `kimitui build`."""
    parser.add_argument("preset", help="a preset's name or path")
    parser.add_argument("--arch", choices=ARCHES, help="build for this architecture instead of the preset's")
    parser.add_argument(
        "--out", type=Path, default=Path("out"), metavar="DIR", help="where artifacts go (default: out)"
    )
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default="auto",
        help="what runs the steps (default: auto, the sandbox where it works, else Docker)",
    )
    parser.add_argument("--offline", action="store_true", help="use only what is cached")
    parser.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="COMPONENT=PATH",
        help="build a component from this directory or archive instead of the locked one",
    )
    parser.add_argument(
        "--until",
        choices=("lower", "upper"),
        help="stop after the components (lower) or after the root file system (upper), and print where the outputs are",
    )
    parser.add_argument("--strict", action="store_true", help="fail if the size budget is exceeded")
    add_progress(parser)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=_build)


def _build(options: argparse.Namespace) -> int:
    from kimitui.build.build import Request, build, build_until
    from kimitui.build.runner import Cancellation
    from kimitui.config import Configuration
    from kimitui.progress import reader

    overrides = dict(source_override(text) for text in options.source)
    request = Request(
        config=Configuration.open(options.preset, arch=options.arch),
        cache_dir=cache_of(options),
        out_dir=options.out.absolute(),
        overrides=overrides,
        offline=options.offline,
        strict=options.strict,
        engine=options.engine,
    )
    cancellation = Cancellation()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: cancellation.cancel())
    if options.until:
        with reader(options.progress) as emit:
            outputs = build_until(request, options.until, emit=emit, cancellation=cancellation)
        if options.json:
            print_json({name: str(path) for name, path in outputs.items()})
        elif options.progress != "json":
            print_table([[name, str(path)] for name, path in outputs.items()])
        return 0
    with reader(options.progress) as emit:
        result = build(request, emit=emit, cancellation=cancellation)
    if options.json:
        print_json(
            {
                "directory": str(result.directory),
                "reference": result.reference,
                "artifacts": result.artifacts,
                "rootfs_bytes": result.rootfs_bytes,
                "total_bytes": result.total_bytes,
                "budget_bytes": result.budget_bytes,
            }
        )
    elif options.progress != "json":
        _print_result(result)
    return 0


def _print_result(result: Result) -> None:
    from kimitui.build.artifacts import container
    from kimitui.sizes.units import format_size

    directory = result.directory
    if directory.is_relative_to(Path.cwd()):
        directory = directory.relative_to(Path.cwd())
    for name, size_bytes in result.artifacts.items():
        print(f"{format_size(size_bytes):>9}  {directory / name}")
    if result.budget_bytes is not None:
        share = result.total_bytes / result.budget_bytes
        filled = min(round(20 * share), 20)
        print(
            f"{format_size(result.total_bytes):>9}  of {format_size(result.budget_bytes)} budget for {result.counted} "
            f"[{'#' * filled}{'.' * (20 - filled)}] {100 * share:.0f} %{' OVER BUDGET' if share > 1 else ''}"
        )
    if "image.oci.tar" in result.artifacts:
        print(f"Load it:  docker load -i {shlex.quote(str(directory / 'image.oci.tar'))}")
        line = container.run_line(result.reference, str(directory / container.PROFILE), result.granted)
        print(f"Run it:   {line}")
