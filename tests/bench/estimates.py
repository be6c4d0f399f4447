"""What sizes cost while one edits: a toggle, a screen of options, the data."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

from kimitui.config import Configuration
from kimitui.sizes.estimate import Estimator
from tests.bench.builds import Report

_RUNS = 7
_ROWS = 40
_LOAD = """\
import time
from kimitui.sizes import busybox, running
start = time.process_time()
running.Running(busybox.load("x86_64"))
print(time.process_time() - start)
"""


def estimates(report: Report) -> None:
    """Processor time, which other work on the machine disturbs less than the clock."""
    for preset, prefix in (("standard", "BUSYBOX_"), ("vm", "KERNEL_")):
        _edited(report, Configuration.open(preset), prefix)
    loads = []
    for _ in range(_RUNS):
        done = subprocess.run([sys.executable, "-c", _LOAD], capture_output=True, text=True, check=True)
        loads.append(1000 * json.loads(done.stdout))
    report("loading the data", _said(loads), "≤ 60 ms")


def _edited(report: Report, config: Configuration, prefix: str) -> None:
    """One option after the other is toggled and toggled back; then screens full of them are looked at."""
    estimator = Estimator(config)
    estimator.sizes()
    names = [symbol for symbol in config.values if symbol.startswith(prefix) and config.consequences(symbol)]
    toggles = []
    for symbol in names[:: max(len(names) // 100, 1)]:
        config.toggle(symbol)
        toggles.append(_milliseconds(estimator.sizes))
        config.undo()
        estimator.sizes()
    what = f"`{config.name}`, `{prefix}*`"
    report(f"{what}: sizes after a toggle", _said(toggles), "≤ 5 ms")
    screens = [names[start : start + _ROWS] for start in range(0, len(names) - _ROWS, _ROWS)]
    rows = [_milliseconds(partial(estimator.deltas, shown)) for shown in screens]
    report(f"{what}: what each of {_ROWS} options would change", _said(rows), "≤ 16 ms")


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return 1000 * (time.process_time() - start)


def _said(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ms (of {len(values)}: {min(values):.1f}–{max(values):.1f}), processor time"
