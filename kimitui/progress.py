"""Three readers of the event stream for the command line: a live display, plain lines, JSON lines."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Protocol

from kimitui.build.events import (
    Cached,
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
from kimitui.build.state import BuildState, State, Task, format_seconds
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


class RichProgress:
    """A line per step with its state and time, the last line of the log, and the time that is left."""

    def __init__(self) -> None:
        # Rich takes 40 ms to import, which `kimitui list` must not pay.
        from rich.console import Console
        from rich.live import Live

        self._console: Console = Console(stderr=True)
        self._state = BuildState()
        self._last_line = ""
        self._lock = threading.Lock()
        self._now: Callable[[], float] = lambda: 0.0
        # Last: it draws at once.
        self._live = Live(get_renderable=self._render, console=self._console, refresh_per_second=8)

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
            if isinstance(event, LogLine):
                self._last_line = event.line.strip()
        if isinstance(event, Message):
            style = "yellow" if event.level == "warning" else "dim"
            self._console.print(f"{event.level}: {event.text}", style=style, markup=False, highlight=False)

    def _render(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        with self._lock:
            now = self._now()
            lines = [Text.assemble(*_task_line(task, now)) for task in self._state.tasks.values()]
            if self._state.steps:
                left = self._state.remaining_seconds(now)
                estimate = f", about {format_seconds(left)} left" if left else ""
                title = f"{self._state.preset} for {self._state.arch}: {format_seconds(now)}{estimate}"
                lines.append(Text(title, style="bold"))
            if self._last_line and any(task.state is State.RUNNING for task in self._state.tasks.values()):
                lines.append(Text(self._last_line, style="dim"))
            for line in lines:
                line.no_wrap, line.overflow = True, "ellipsis"
            return Group(*lines)


def _task_line(task: Task, now: float) -> tuple[tuple[str, str]]:
    mark, style = _SHOWN[task.state]
    seconds = task.elapsed(now)
    words = _transferred(task.done_bytes, task.total_bytes) if task.is_download else task.state.value
    took = format_seconds(seconds) if seconds is not None else ""
    return ((f" {mark} {task.name:<26} {words:<30} {took:>8}", style),)


# Each state by shape and word as well as by colour.
_SHOWN = {
    State.WAITING: ("·", "dim"),
    State.RUNNING: ("▶", "bold"),
    State.ELSEWHERE: ("…", "dim"),
    State.CACHED: ("=", "cyan"),
    State.DONE: ("✓", "green"),
    State.FAILED: ("✗", "bold red"),
    State.CANCELLED: ("–", "yellow"),
}


def _transferred(done_bytes: int, total_bytes: int) -> str:
    if not total_bytes:
        return format_size(done_bytes)
    return f"{format_size(done_bytes)} of {format_size(total_bytes)} ({100 * done_bytes // total_bytes} %)"
