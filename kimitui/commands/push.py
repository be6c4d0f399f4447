"""`kimitui push`."""

from __future__ import annotations

import argparse
import sys

from kimitui.commands.artifacts import add_image, directory_of, is_directory
from kimitui.commands.common import ARCHES, ENGINES, add_progress, print_json, print_table
from kimitui.errors import UsageError


def add_push(parser: argparse.ArgumentParser) -> None:
    """The options of `kimitui push`."""
    add_image(parser)
    parser.add_argument(
        "reference",
        metavar="REFERENCE",
        help="[HOST/]NAME in a registry: gets the tags of the release; with :TAG, only that one and one for each "
        "architecture",
    )
    parser.add_argument(
        "--arch",
        action="append",
        choices=ARCHES,
        default=[],
        help="build and push for this architecture instead of the preset's; several times for an index of several",
    )
    parser.add_argument(
        "--rolling",
        action="append",
        choices=("latest", "stable", "edge", "none"),
        default=[],
        help="the tag that moves along with the release; may be given several times (default: latest)",
    )
    parser.add_argument(
        "--engine", choices=ENGINES, default="auto", help="what runs the steps of the build (default: auto)"
    )
    add_progress(parser)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=_push)


def _push(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from kimitui.build import push, reference
    from kimitui.build.artifacts import stored

    target = reference.parse(options.reference)
    if target.tag and options.rolling:
        raise UsageError("--rolling is for a REFERENCE without a tag of its own")
    push.check_machine(target)
    if is_directory(options.image) and len(options.arch) > 1:
        raise UsageError("--arch is for presets; a directory holds what was built for one architecture")
    directories = [
        directory_of(options, stored.check_formats, arch=arch, engine=options.engine, progress=options.progress)
        for arch in options.arch or [None]
    ]
    rolling = [word for word in options.rolling or ["latest"] if word != "none"]
    pushed = push.push(directories, target, rolling=rolling, say=lambda text: print(f"pushing {text}", file=sys.stderr))
    if options.json:
        print_json(asdict(pushed))
    elif options.progress != "json":
        rows = [[f"{pushed.repository}:{tag}", digest] for tag, digest in pushed.tags.items()]
        print_table(rows)
    return 0
