"""`kimitui list`, `check` and `diff`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kimitui.commands.common import ARCHES, cache_of, print_json, print_table
from kimitui.errors import KimituiError, UsageError

if TYPE_CHECKING:
    from kimitui.config import Configuration


def add_list(parser: argparse.ArgumentParser) -> None:
    """The options of `kimitui list`."""
    parser.add_argument("--symbols", action="store_true", help="list what presets can set instead")
    parser.add_argument("--section", metavar="NAME", help="of the symbols, only those of this section of a preset")
    parser.add_argument("--preset", default="standard", help="whose values the symbols have (default: standard)")
    parser.add_argument("--arch", choices=ARCHES, help="for this architecture instead of the preset's")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_list)


def _list(options: argparse.Namespace) -> int:
    if options.symbols:
        return _list_symbols(options)
    if options.section:
        raise UsageError("--section goes with --symbols", fix="See: kimitui list --help")
    from kimitui import preset as presets

    rows: list[dict[str, object]] = []
    broken: list[KimituiError] = []
    for path in presets.list_presets():
        try:
            preset = presets.read(path)
        except KimituiError as error:
            broken.append(error)
            continue
        rows.append(
            {
                "name": preset.name,
                "description": preset.description,
                "extends": preset.extends,
                "path": str(path),
            }
        )
    if options.json:
        print_json(rows)
    else:
        print_table(
            [
                [str(row["name"]), f"extends {row['extends']}" if row["extends"] else "", str(row["description"])]
                for row in rows
            ]
        )
    for problem in broken:
        print(f"kimitui: {problem}", file=sys.stderr)
    return broken[0].exit_code if broken else 0


def _list_symbols(options: argparse.Namespace) -> int:
    from kimitui.config import Configuration
    from kimitui.kconfig.names import SECTIONS
    from kimitui.sizes.symbols import listed

    if options.section and options.section not in SECTIONS:
        raise UsageError(f"presets have no section {options.section}", fix=f"One of: {', '.join(SECTIONS)}.")
    rows = listed(Configuration.open(options.preset, arch=options.arch), options.section)
    if options.json:
        print_json([row.as_data() for row in rows])
    else:
        print_table([["symbol", "type", "value", "default", "size"], *(row.in_words() for row in rows)])
    return 0


def add_check(parser: argparse.ArgumentParser) -> None:
    """The options of `kimitui check`."""
    parser.add_argument("presets", nargs="+", metavar="PRESET", help="a preset's name or path")
    parser.add_argument("--arch", choices=ARCHES, help="check for this architecture instead of the preset's")
    parser.add_argument("--offline", action="store_true", help="use only what is cached")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> int:
    from kimitui.build import contents, preflight, services
    from kimitui.config import Configuration

    results: list[dict[str, object]] = []
    worst = 0
    for reference in options.presets:
        try:
            config = Configuration.open(reference, arch=options.arch)
            if preflight.needed_upstream(config):
                _check_upstream(config, cache_of(options), options.offline)
            contents.check(config)
            services.chosen(config)
        except KimituiError as error:
            worst = max(worst, error.exit_code)
            results.append(_checked(reference, error))
            if not options.json:
                print(f"{reference}: {error}", file=sys.stderr)
            continue
        notes = [item.describe() for item in config.overridden]
        results.append(_checked(reference, overridden=notes))
        if not options.json:
            print(f"{reference}: good")
            for note in notes:
                print(f"  {note}")
    if options.json:
        print_json(results)
    return worst


def _checked(reference: str, error: KimituiError | None = None, overridden: Sequence[str] = ()) -> dict[str, object]:
    """What `kimitui check --json` says of a preset; all keys are always there."""
    return {
        "preset": reference,
        "good": error is None,
        "error": error.what if error else None,
        "where": str(error.where) if error and error.where else None,
        "details": list(error.details) if error else [],
        "fix": error.fix if error else None,
        "overridden": list(overridden),
    }


def _check_upstream(config: Configuration, cache: Path, offline: bool) -> None:
    from kimitui.build import preflight, sources
    from kimitui.build.plan.context import Source
    from kimitui.progress import reader

    lock, archives = sources.load_lock(), sources.SourceCache(cache)
    found = {}
    with reader("plain") as emit:
        for name in preflight.needed_upstream(config):
            fetched = sources.fetch(lock[name], archives, emit=emit, offline=offline)
            found[name] = Source(name, lock[name].version, fetched.path, fetched.archive.sha256)
    preflight.check_upstream(config, found, cache)


def add_diff(parser: argparse.ArgumentParser) -> None:
    """The options of `kimitui diff`."""
    parser.add_argument("a", metavar="A", help="a preset's name or path")
    parser.add_argument("b", metavar="B", help="another")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_diff)


def _diff(options: argparse.Namespace) -> int:
    from kimitui.config import Configuration

    differences = Configuration.open(options.a).diff(Configuration.open(options.b))
    if options.json:
        print_json(
            [{"section": d.section, "key": d.key, "a": d.before, "b": d.after, "prompt": d.prompt} for d in differences]
        )
        return 0
    for difference in differences:
        print(difference.describe())
    if not differences:
        print(f"{options.a} and {options.b} make the same image")
    return 0
