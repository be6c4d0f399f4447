"""`kimitui suggest`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kimitui.commands.common import print_json

if TYPE_CHECKING:
    from kimitui.errors import Location
    from kimitui.suggest.needs import Remark
    from kimitui.suggest.proposal import Suggestion

_SHOWN = 5  # places of one remark; --json has all


def add_suggest(parser: argparse.ArgumentParser) -> None:
    """The options of `kimitui suggest`."""
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="a shell script, or a directory to look for them in"
    )
    parser.add_argument("--against", metavar="PRESET", help="show only what this preset lacks")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_suggest)


def _suggest(options: argparse.Namespace) -> int:
    from kimitui.suggest import files, needs, proposal

    suggestion = proposal.suggest(needs.of(files.find(options.paths)), options.against)
    if options.json:
        print_json(_as_json(suggestion))
    else:
        _print(suggestion)
    return 1 if suggestion.impossible else 0


def _print(suggestion: Suggestion) -> None:
    """What can be pasted to standard output, what is to be read to standard error."""
    if suggestion.text:
        print(suggestion.text)
    elif not suggestion.impossible:
        print(f"{suggestion.against or 'an image with nothing in it'} has all that is needed", file=sys.stderr)
    _print_remarks("Not there:", suggestion.impossible)
    _print_remarks("Cannot be known before it runs:", suggestion.unknown)


def _print_remarks(title: str, remarks: Sequence[Remark]) -> None:
    if remarks:
        print(f"\n{title}", file=sys.stderr)
    for remark in remarks:
        places = [_place(where) for where in remark.where]
        more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
        print(f"  {remark.what}: {', '.join(places[:_SHOWN])}{more}", file=sys.stderr)


def _place(where: Location) -> str:
    return f"{where.path}:{where.line}" if where.line else str(where.path)


def _as_json(suggestion: Suggestion) -> dict[str, object]:
    def remarks(those: Sequence[Remark]) -> list[dict[str, object]]:
        return [{"what": one.what, "where": [_place(where) for where in one.where]} for one in those]

    return {
        "scripts": [str(path) for path in suggestion.scripts],
        "against": suggestion.against,
        "items": [
            {
                "section": item.section,
                "key": item.key,
                "symbol": item.symbol,
                "names": list(item.names),
                "where": [_place(where) for where in item.where],
            }
            for item in suggestion.items
        ],
        "impossible": remarks(suggestion.impossible),
        "unknown": remarks(suggestion.unknown),
    }
