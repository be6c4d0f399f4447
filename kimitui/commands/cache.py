"""`kimitui cache`."""

from __future__ import annotations

import argparse
import contextlib
import math

from kimitui.commands.common import cache_of, print_json, print_table


def add_cache(parser: argparse.ArgumentParser) -> None:
    """The options of `kimitui cache`."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    info = actions.add_parser("info", help="how much space each part takes")
    info.add_argument("--json", action="store_true", help="print JSON")
    info.set_defaults(run=_cache_info)
    prune = actions.add_parser("prune", help="remove what has not been used for a while")
    prune.add_argument("--days", type=_days, default=30, metavar="N", help="not used for N days (default: 30)")
    prune.add_argument("--all", action="store_true", help="everything but the fetched sources")
    prune.add_argument(
        "--engine", choices=("docker", "podman"), help="instead, remove the toolchain's images from that daemon"
    )
    prune.add_argument("--json", action="store_true", help="print JSON")
    prune.set_defaults(run=_cache_prune)


def _days(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 <= (days := float(text)) < math.inf:
            return days
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of days")


def _cache_info(options: argparse.Namespace) -> int:
    from kimitui.build.store import Store
    from kimitui.sizes.units import format_size

    store = Store(cache_of(options))
    usage = store.usage()
    if options.json:
        print_json({"directory": str(store.directory), "bytes": usage})
        return 0
    print(store.directory)
    print_table([[name, format_size(size_bytes)] for name, size_bytes in usage.items()])
    return 0


def _cache_prune(options: argparse.Namespace) -> int:
    if options.engine:
        return _prune_daemon(options)
    from kimitui.build.store import Store
    from kimitui.sizes.units import format_size

    pruned = Store(cache_of(options)).prune(
        unused_days=options.days, everything=options.all, keep=frozenset({"sources"})
    )
    if options.json:
        print_json({"removed": pruned.removed, "freed_bytes": pruned.freed_bytes})
    else:
        what = ", ".join(f"{count} in {part}" for part, count in pruned.removed.items()) or "nothing"
        print(f"removed {what}; freed {format_size(pruned.freed_bytes)}")
    return 0


def _prune_daemon(options: argparse.Namespace) -> int:
    from kimitui.build.engines import daemon, docker

    removed = docker.prune(daemon.place(options.engine))
    if options.json:
        print_json({"removed": {options.engine: removed}})
    else:
        print(f"removed from {options.engine}: {', '.join(removed) or 'nothing'}")
    return 0
