"""`kimitui sources`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kimitui.commands.common import cache_of, print_json, print_table
from kimitui.errors import KimituiError, UsageError


def add_sources(parser: argparse.ArgumentParser) -> None:
    """The options of `kimitui sources`."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="every archive of the lock, and which are cached")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=_sources_list)
    fetch = actions.add_parser("fetch", help="fetch what is not cached")
    fetch.add_argument(
        "components", nargs="*", metavar="COMPONENT", help="only these (default: all that presets need by default)"
    )
    fetch.set_defaults(run=_sources_fetch)
    add = actions.add_parser("add", help="take an archive into the cache, if the lock names its digest")
    add.add_argument("files", nargs="+", type=Path, metavar="FILE")
    add.set_defaults(run=_sources_add)
    verify = actions.add_parser("verify", help="hash everything that is cached again")
    verify.add_argument("--json", action="store_true", help="print JSON")
    verify.set_defaults(run=_sources_verify)


def _sources_list(options: argparse.Namespace) -> int:
    from kimitui.build import sources
    from kimitui.sizes.units import format_size

    rows = sources.status(sources.SourceCache(cache_of(options)))
    if options.json:
        print_json(
            [
                {
                    "component": row.archive.component,
                    "version": row.archive.version,
                    "file": row.archive.file_name,
                    "sha256": row.archive.sha256,
                    "cached": row.cached,
                    "bytes": row.size_bytes,
                }
                for row in rows
            ]
        )
        return 0
    print_table(
        [
            [
                row.archive.component,
                row.archive.version,
                row.archive.file_name,
                row.archive.sha256[:12],
                f"cached, {format_size(row.size_bytes)}" if row.cached else "not cached",
            ]
            for row in rows
        ]
    )
    return 0


def _sources_fetch(options: argparse.Namespace) -> int:
    from kimitui.build import sources
    from kimitui.kconfig.names import nearest
    from kimitui.progress import reader

    lock = sources.load_lock()
    for name in options.components:
        if name not in lock:
            close = nearest(name, lock)
            raise UsageError(
                f"the lock names no component {name}",
                fix=f"Did you mean {close}?" if close else f"It names: {', '.join(lock)}",
            )
    cache = sources.SourceCache(cache_of(options))
    failures: list[KimituiError] = []
    with reader("auto") as emit:
        for name in options.components or lock:
            try:
                sources.fetch(lock[name], cache, emit=emit)
            except KimituiError as error:
                failures.append(error)
    for failure in failures:
        print(f"kimitui: {failure}", file=sys.stderr)
    return max((failure.exit_code for failure in failures), default=0)


def _sources_add(options: argparse.Namespace) -> int:
    from kimitui.build import sources

    cache = sources.SourceCache(cache_of(options))
    for file in options.files:
        archive = sources.add(file, cache)
        print(f"{file}: taken as {archive.component} {archive.version} ({archive.file_name})")
    return 0


def _sources_verify(options: argparse.Namespace) -> int:
    from kimitui.build import sources

    checked = sources.verify(sources.SourceCache(cache_of(options)))
    if options.json:
        print_json([{"path": str(c.path), "good": c.good, "sha256": c.actual_sha256} for c in checked])
    else:
        for item in checked:
            print(f"{item.path.name[:12]}  {'good' if item.good else f'BAD, is {item.actual_sha256[:12]}; removed'}")
        if not checked:
            print("nothing is cached")
    return 0 if all(item.good for item in checked) else 1
