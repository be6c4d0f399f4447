"""`kimitui load`."""

from __future__ import annotations

import argparse
import sys

from kimitui.commands.artifacts import add_image, directory_of, is_directory
from kimitui.commands.common import ARCHES, add_progress, print_json


def add_load(parser: argparse.ArgumentParser) -> None:
    """The options of `kimitui load`."""
    add_image(parser)
    parser.add_argument("--arch", choices=ARCHES, help="build for this architecture instead of the preset's")
    parser.add_argument(
        "--engine", choices=("docker", "podman"), default="docker", help="what the image goes to (default: docker)"
    )
    parser.add_argument(
        "--tag", action="append", default=[], metavar="NAME[:TAG]", help="call it so, too; may be given several times"
    )
    add_progress(parser)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=_load)


def _load(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from kimitui.build import load, reference
    from kimitui.build.arch import ARCHES as ARCHES_BY_NAME
    from kimitui.build.artifacts import stored
    from kimitui.build.engines import beside, daemon
    from kimitui.config import Configuration

    names = [str(reference.parse(name)) for name in options.tag]
    place = daemon.place(options.engine)

    def check(config: Configuration) -> None:
        stored.check_formats(config)
        load.check(place, ARCHES_BY_NAME[config.choice("IMAGE_ARCH")])

    build_on = "auto" if is_directory(options.image) else beside(options.engine)
    directory = directory_of(options, check, arch=options.arch, engine=build_on, progress=options.progress)
    loaded = load.load(directory, place, names)
    if loaded.warning:
        print(f"warning: {loaded.warning}", file=sys.stderr)
    if options.json:
        print_json(asdict(loaded))
    elif options.progress != "json":
        print(f"Loaded into {loaded.engine}: {', '.join(loaded.references)}")
        print(f"Run it:       {loaded.run}")
        print(f"Locked down:  {loaded.locked_down}")
    return 0
