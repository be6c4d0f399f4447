"""How long after Enter a program shows a text, in a real terminal."""

from __future__ import annotations

import shlex
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.terminal import Terminal

SIZE = (120, 40)


@dataclass(frozen=True)
class Contender:
    """A program, and the text by which one sees that it has painted."""

    name: str
    command: Sequence[str]
    text: str
    cwd: Path


def first_paints(contenders: Sequence[Contender], runs: int) -> Mapping[str, list[float]]:
    """Seconds per contender; they take turns, so that a machine that is busy for a while is so for all of them.

    One round more is run and not counted.
    """
    times: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for round_ in range(runs + 1):
        for contender in contenders:
            seconds = first_paint(contender)
            if round_:
                times[contender.name].append(seconds)
    return times


def first_paint(contender: Contender) -> float:
    """Seconds from Enter to the text; a look at the screen every few milliseconds is part of it."""
    with tempfile.TemporaryDirectory() as directory:
        # The command line must not hold the text that is waited for.
        script = Path(directory) / "go"
        script.write_text(f"exec {shlex.join(contender.command)}\n")
        with Terminal(Path(directory) / "socket", cwd=contender.cwd, size=SIZE) as terminal:
            terminal.press(f"sh {script}")
            terminal.wait_for(str(script))
            start = time.monotonic()
            terminal.press("Enter")
            terminal.wait_for(contender.text)
            return time.monotonic() - start


def in_milliseconds(seconds: Sequence[float]) -> str:
    """Median and range."""
    low, middle, high = (1000 * value for value in (min(seconds), statistics.median(seconds), max(seconds)))
    return f"{middle:.0f} ms (of {len(seconds)}: {low:.0f}–{high:.0f})"
