"""`kimitui doctor`."""

from __future__ import annotations

import argparse

from kimitui.commands.common import cache_of, print_json
from kimitui.errors import MachineError


def add_doctor(parser: argparse.ArgumentParser) -> None:
    """The options of `kimitui doctor`."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from kimitui.doctor import examine

    findings = examine(cache_of(options))
    if options.json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            state = "ok     " if finding.good else "absent " if finding.optional else "MISSING"
            print(f"{state}  {finding.subject}: {finding.found}")
            if not finding.good:
                print(f"         {finding.fix}")
    return 0 if all(finding.good or finding.optional for finding in findings) else MachineError.exit_code
