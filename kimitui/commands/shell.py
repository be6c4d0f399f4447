"""`kimitui shell`."""

from __future__ import annotations

import argparse
from pathlib import Path

from kimitui.commands.common import ARCHES, cache_of, source_override


def add_shell(parser: argparse.ArgumentParser) -> None:
    """The options of `kimitui shell`."""
    parser.add_argument("preset", help="a preset's name or path")
    parser.add_argument("step", nargs="?", default="busybox", help="the step whose place it is (default: busybox)")
    parser.add_argument("--arch", choices=ARCHES, help="for this architecture instead of the preset's")
    parser.add_argument("--offline", action="store_true", help="use only what is cached")
    parser.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="COMPONENT=PATH",
        help="take a component from this directory or archive instead of the locked one",
    )
    parser.add_argument("--command", metavar="CMD", help="run this instead of an interactive shell")
    parser.set_defaults(run=_shell)


def _shell(options: argparse.Namespace) -> int:
    from kimitui.build import shell
    from kimitui.build.workshop import Request
    from kimitui.config import Configuration
    from kimitui.progress import reader

    request = Request(
        config=Configuration.open(options.preset, arch=options.arch),
        cache_dir=cache_of(options),
        out_dir=Path("out").absolute(),
        overrides=dict(source_override(text) for text in options.source),
        offline=options.offline,
    )
    # Plain: a live display would write into the shell.
    with reader("plain") as emit:
        return shell.run(request, options.step, options.command, emit=emit, say=print)
