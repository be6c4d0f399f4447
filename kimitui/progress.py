"""Three readers of the event stream for the command line: a live display, plain lines, JSON lines."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Protocol

from kimitui.build.events import (
    Cached,
    Done,
    Event,
    Failed,
    Finished,
    LogLine,
    Message,
    Planned,
    Started,
    Transfer,
    Waiting,
    to_json,
)
from kimitui.sizes.units import format_size

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


class Progress(Protocol):
    """Takes events while it is entered."""

    def __enter__(self) -> Callable[[Event], None]: ...

    def __exit__(self, *_error: object) -> None: ...


def reader(kind: str) -> Progress:
    """The reader called `kind`: `rich`, `plain` or `json`; `auto` is rich on a terminal and plain elsewhere."""
    if kind == "auto":
        kind = "rich" if sys.stderr.isatty() else "plain"
    if kind == "json":
        return JsonProgress(sys.stdout)
    return RichProgress() if kind == "rich" else PlainProgress(sys.stderr)


class JsonProgress:
    """One JSON object per line, log lines included."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def __enter__(self) -> Callable[[Event], None]:
        return self._write

    def __exit__(self, *_error: object) -> None:
        return None

    def _write(self, event: Event) -> None:
        data = to_json(event)
        data["time"] = round(event.time, 3)
        self._stream.write(json.dumps(data, sort_keys=True) + "\n")
        self._stream.flush()


class PlainProgress:
    """One line per event that matters, for logs of CI systems; every tenth part of a download is one."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._tenths: dict[str, int] = {}

    def __enter__(self) -> Callable[[Event], None]:
        return self._write

    def __exit__(self, *_error: object) -> None:
        return None

    def _write(self, event: Event) -> None:
        if text := self._line(event):
            self._stream.write(f"[{event.time:7.1f} s] {text}\n")
            self._stream.flush()

    def _line(self, event: Event) -> str | None:
        match event:
            case Planned(preset=preset, arch=arch, steps=steps):
                return f"{preset} for {arch}: {', '.join(steps)}"
            case Transfer(name=name, done_bytes=done, total_bytes=total):
                tenth = 10 * done // total if total else 0
                if self._tenths.get(name) == tenth:
                    return None
                self._tenths[name] = tenth
                return f"{name}: {_transferred(done, total)}"
            case Started(step=step):
                return f"{step}: started"
            case Waiting(step=step):
                return f"{step}: another build is making it; waiting"
            case Cached(step=step):
                return f"{step}: cached"
            case Finished(step=step, seconds=seconds):
                return f"{step}: done in {seconds:.1f} s"
            case Failed(step=step, message=message):
                return f"{step}: FAILED: {message}"
            case Message(level=level, text=text):
                return f"{level}: {text}"
        return None


@dataclass
class _StepState:
    uses: tuple[str, ...]
    expected_seconds: float
    state: str = "waiting"
    began: float = 0.0
    took: float = 0.0


@dataclass
class BuildState:
    """What the events so far add up to; `now` is the time of the latest one, in seconds."""

    title: str = ""
    steps: dict[str, _StepState] = field(default_factory=dict)
    transfers: dict[str, tuple[int, int]] = field(default_factory=dict)
    last_line: str = ""

    def apply(self, event: Event) -> None:
        """Take one event in."""
        match event:
            case Planned(preset=preset, arch=arch, steps=steps, expected_seconds=expected):
                self.title = f"{preset} for {arch}"
                self.steps = {name: _StepState(tuple(uses), expected.get(name, 0.0)) for name, uses in steps.items()}
            case Transfer(name=name, done_bytes=done, total_bytes=total):
                self.transfers[name] = (done, total)
            case Started(step=step):
                if step in self.steps:
                    self.steps[step].state, self.steps[step].began = "running", event.time
            case Waiting(step=step):
                self.steps[step].state = "elsewhere"
            case Cached(step=step):
                self.steps[step].state = "cached"
            case Finished(step=step, seconds=seconds):
                self.steps[step].state, self.steps[step].took = "done", seconds
            case Failed(step=step):
                self.steps[step].state = "failed"
            case LogLine(line=line):
                self.last_line = line
            case Done():
                self.last_line = ""

    def remaining_seconds(self, now: float) -> float | None:
        """How long the longest chain of unfinished steps should still take; None where nothing is known of one."""
        left: dict[str, float] = {}
        for name, step in self.steps.items():
            own = 0.0
            if step.state not in ("cached", "done"):
                if not step.expected_seconds:
                    return None
                elapsed = now - step.began if step.state == "running" else 0.0
                own = max(step.expected_seconds - elapsed, 0.5)
            left[name] = own + max((left.get(used, 0.0) for used in step.uses), default=0.0)
        return max(left.values(), default=None)


class RichProgress:
    """A line per step with its state and time, the last line of the log, and the time that is left."""

    def __init__(self) -> None:
        # Rich takes 40 ms to import, which `kimitui list` must not pay.
        from rich.console import Console
        from rich.live import Live

        self._console: Console = Console(stderr=True)
        self._state = BuildState()
        self._lock = threading.Lock()
        self._live = Live(get_renderable=self._render, console=self._console, refresh_per_second=8, transient=False)
        self._now: Callable[[], float] = lambda: 0.0

    def __enter__(self) -> Callable[[Event], None]:
        from time import monotonic

        start = monotonic()
        self._now = lambda: monotonic() - start
        self._live.start()
        return self._take

    def __exit__(self, *_error: object) -> None:
        self._live.stop()

    def _take(self, event: Event) -> None:
        with self._lock:
            self._state.apply(event)
        if isinstance(event, Message):
            style = "yellow" if event.level == "warning" else "dim"
            self._console.print(f"{event.level}: {event.text}", style=style, markup=False, highlight=False)

    def _render(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        with self._lock:
            now = self._now()
            lines = [
                Text(f"{name}  {_transferred(*sizes)}")
                for name, sizes in self._state.transfers.items()
                if sizes[0] < sizes[1]
            ]
            for name, step in self._state.steps.items():
                mark, style, words = _SHOWN[step.state]
                seconds = (
                    f"{now - step.began:.0f} s"
                    if step.state == "running"
                    else f"{step.took:.1f} s"
                    if step.took
                    else ""
                )
                lines.append(Text(f" {mark} {name:<16} {words:<22} {seconds:>8}", style=style))
            if self._state.steps:
                left = self._state.remaining_seconds(now)
                estimate = "" if left is None else f", about {left:.0f} s left" if left >= 1 else ""
                lines.append(Text(f"{self._state.title}: {now:.0f} s{estimate}", style="bold"))
            if self._state.last_line:
                lines.append(Text(self._state.last_line.strip(), style="dim"))
            for line in lines:
                line.no_wrap, line.overflow = True, "ellipsis"
            return Group(*lines)


# Each state by shape and word as well as by colour.
_SHOWN: Mapping[str, tuple[str, str, str]] = {
    "waiting": ("·", "dim", "waiting"),
    "running": ("▶", "bold", "running"),
    "elsewhere": ("…", "dim", "made by another build"),
    "cached": ("=", "cyan", "cached"),
    "done": ("✓", "green", "done"),
    "failed": ("✗", "bold red", "FAILED"),
}


def _transferred(done_bytes: int, total_bytes: int) -> str:
    if not total_bytes:
        return format_size(done_bytes)
    return f"{format_size(done_bytes)} of {format_size(total_bytes)} ({100 * done_bytes // total_bytes} %)"
