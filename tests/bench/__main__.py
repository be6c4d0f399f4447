"""Measure the builder and the app: `make bench`, or `python -m tests.bench [NAME ...]`.

Times are wall-clock seconds of whole processes; everything is measured on the machine it runs on, rivals included.
Uses the toolchain and the sources of the user's cache, and caches of its own for the rest.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench import app, builds, engines, estimates, machines, services
from tests.bench.builds import Report

BENCHES: dict[str, Callable[[Report], None]] = {
    bench.__name__: bench
    for bench in (
        *(builds.sizes, machines.boot, builds.commands, builds.warm, builds.memory, builds.cold, machines.kernel),
        *(builds.with_toolchain, engines.engines, services.services),
        *(app.first_paint, app.keys, app.search, estimates.estimates),
    )
}


def report(name: str, figure: str, bar: str) -> None:
    """Print a line of the table."""
    print(f"| {name} | {figure} | {bar} |", flush=True)


def main(names: list[str]) -> None:
    """Run the named benches, or all."""
    if unknown := set(names) - BENCHES.keys():
        sys.exit(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    model = next(
        (line.split(": ")[1] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ""
    )
    print(f"{len(os.sched_getaffinity(0))} cores, {model}, load {os.getloadavg()[0]:.2f}\n")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # users do not compile kimitui at every start
    print("| what | measured | to hold |\n|---|---|---|")
    for name in names or BENCHES:
        BENCHES[name](report)


if __name__ == "__main__":
    main(sys.argv[1:])
