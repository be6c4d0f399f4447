"""`kimitui fit`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from kimitui.commands.common import ARCHES, cache_of, print_json, print_table
from kimitui.errors import UsageError
from kimitui.sizes.units import format_size, parse_size

if TYPE_CHECKING:
    from kimitui.sizes.fit import Proposal


def add_fit(parser: argparse.ArgumentParser) -> None:
    """The options of `kimitui fit`."""
    parser.add_argument("preset", help="a preset's name or path")
    parser.add_argument("--budget", metavar="SIZE", help="such as 1MB (default: the preset's budget)")
    parser.add_argument("--keep", nargs="+", default=[], metavar="SYMBOL", help="symbols or applets that must stay")
    parser.add_argument("--arch", choices=ARCHES, help="for this architecture instead of the preset's")
    parser.add_argument("--json", action="store_true", help="print JSON; sizes are in bytes")
    parser.set_defaults(run=_fit)


def _fit(options: argparse.Namespace) -> int:
    from kimitui.build import preflight
    from kimitui.config import Configuration
    from kimitui.sizes.fit import fit

    config = Configuration.open(options.preset, arch=options.arch)
    budget = parse_size(options.budget) if options.budget else preflight.budget_bytes(config)
    if budget is None:
        raise UsageError(f"{options.preset} has no budget", fix="Give one: --budget 1MB")
    proposal = fit(config, budget, keep=options.keep, cache_dir=cache_of(options))
    if options.json:
        print_json(_as_json(proposal))
    else:
        _print(proposal)
    return 0 if proposal.fits else 1


def _print(proposal: Proposal) -> None:
    budget = format_size(proposal.budget_bytes)
    if not proposal.given_up:
        print(f"about {format_size(proposal.before_bytes)} of {budget}: {proposal.verdict}")
        return
    print_table(
        [
            [one.symbol, format_size(-one.saved_bytes), f"{one.called}{' (your own choice)' if one.chosen else ''}"]
            for one in proposal.given_up
        ]
    )
    if proposal.consequences:
        print(f"With them go {len(proposal.consequences)} settings of theirs.")
    print(f"total: about {format_size(proposal.before_bytes)} → {format_size(proposal.after_bytes)} of {budget}")
    if proposal.goal_bytes < proposal.budget_bytes:
        print(f"The goal is {format_size(proposal.goal_bytes)}, because the estimate may be that far off.")
    if not proposal.fits:
        print(f"It still does not fit: {proposal.what_is_left}.")


def _as_json(proposal: Proposal) -> dict[str, object]:
    """What `kimitui fit --json` says; all keys are always there."""
    return {
        "fits": proposal.fits,
        "before_bytes": proposal.before_bytes,
        "after_bytes": proposal.after_bytes,
        "budget_bytes": proposal.budget_bytes,
        "goal_bytes": proposal.goal_bytes,
        "kernel_bytes": proposal.kernel_bytes,
        "given_up": [
            {"symbol": one.symbol, "called": one.called, "saved_bytes": one.saved_bytes, "chosen": one.chosen}
            for one in proposal.given_up
        ],
        "consequences": list(proposal.consequences),
    }
