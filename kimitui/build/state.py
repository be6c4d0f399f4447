"""What is known about a build, folded from its events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

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
)

TOOLCHAIN = "toolchain"
MAX_LINES = 20_000


class State(Enum):
    """The state of a task; the value is the word for it."""

    WAITING = "waiting"
    ELSEWHERE = "made elsewhere"
    RUNNING = "running"
    CACHED = "cached"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Log:
    """The last lines of a log; `dropped` counts those that are kept no more."""

    def __init__(self, limit: int = MAX_LINES) -> None:
        self.lines: list[str] = []
        self.dropped = 0
        self._limit = limit

    def append(self, line: str) -> None:
        """Add a line; every now and then the oldest go."""
        self.lines.append(line)
        if len(self.lines) > self._limit + self._limit // 10:
            surplus = len(self.lines) - self._limit
            del self.lines[:surplus]
            self.dropped += surplus


@dataclass
class Task:
    """A step, a download or the making of the toolchain. Times are seconds; `began` counts from the build's begin.

    `expected_seconds` is how long it took the last time, None if it never ran here. `log_file` holds all that it
    printed, also that of an earlier build for a cached step.
    """

    name: str
    state: State = State.WAITING
    began: float = 0.0
    seconds: float | None = None
    uses: tuple[str, ...] = ()
    expected_seconds: float | None = None
    done_bytes: int = 0
    total_bytes: int = 0
    is_download: bool = False
    log: Log = field(default_factory=Log)
    log_file: Path | None = None

    def elapsed(self, now: float) -> float | None:
        """How long it has been running or took; None if it took no time or has not begun."""
        if self.state is State.RUNNING:
            return max(0.0, now - self.began)
        return self.seconds


class BuildState:
    """Tasks by name, in the order in which they are shown, and the messages so far."""

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self.messages: list[Message] = []
        self.preset = ""
        self.arch = ""
        self.engine = ""
        self.steps: Mapping[str, tuple[str, ...]] = {}
        self.newest: str | None = None  # the task that began last
        self._preparations = 0  # messages from before the plan

    def apply(self, event: Event) -> None:
        """Take one event in."""
        match event:
            case LogLine(step=step, line=line):
                task = self._task(step, event.time)
                if task.state is State.WAITING:
                    self._begin(task, event.time)
                task.log.append(line)
            case Planned():
                self._plan(event)
            case Transfer():
                self._transfer(event)
            case Started(step=step, log=log_file):
                task = self._task(step, event.time)
                task.log_file = log_file
                self._begin(task, event.time)
            case Waiting(step=step):
                self._task(step, event.time).state = State.ELSEWHERE
            case Cached(step=step, log=log_file):
                task = self._task(step, event.time)
                task.state, task.log_file = State.CACHED, log_file
            case Finished(step=step, seconds=seconds, log=log_file):
                task = self._task(step, event.time)
                task.log_file = log_file or task.log_file
                self._end(task, State.DONE, seconds)
            case Failed(step=step, message=message):
                task = self._task(step, event.time)
                self._end(task, State.FAILED, event.time - task.began)
                task.log.append(message)
            case Message():
                self.messages.append(event)

    def end(self, state: State, now: float) -> None:
        """The build ended: done, failed or cancelled. What was still going on did so, too."""
        for task in self.tasks.values():
            if task.state is State.RUNNING:
                failed_here = state is State.FAILED and not any(
                    other.state is State.FAILED for other in self.tasks.values()
                )
                ended = State.DONE if state is State.DONE else State.FAILED if failed_here else State.CANCELLED
                self._end(task, ended, now - task.began)
            elif task.state in (State.WAITING, State.ELSEWHERE) and state is not State.DONE:
                task.state = State.CANCELLED

    @property
    def message(self) -> Message | None:
        """The message to show: the last one, unless it only told what was done before the plan."""
        current = [
            message
            for index, message in enumerate(self.messages)
            if message.level != "info" or index >= self._preparations
        ]
        return current[-1] if current else None

    @property
    def steps_done(self) -> int:
        """How many steps of the plan have their output."""
        return sum(self.tasks[name].state in (State.DONE, State.CACHED) for name in self.steps)

    def remaining_seconds(self, now: float) -> float | None:
        """How long the longest chain of unfinished steps should still take; None if one of them never ran here."""
        left: dict[str, float] = {}
        for name in self.steps:
            task = self.tasks[name]
            own = 0.0
            if task.state not in (State.CACHED, State.DONE):
                if task.expected_seconds is None:
                    return None
                own = max(task.expected_seconds - (task.elapsed(now) or 0.0), 0.0)
            left[name] = own + max((left[used] for used in task.uses), default=0.0)
        return max(left.values(), default=None)

    def _plan(self, event: Planned) -> None:
        self.preset, self.arch, self.steps, self.engine = event.preset, event.arch, event.steps, event.engine
        self._preparations = len(self.messages)
        for task in self.tasks.values():  # whatever was to be fetched and made before the plan is there now
            if task.state is State.RUNNING:
                self._end(task, State.DONE, event.time - task.began)
        for name, uses in event.steps.items():
            task = self._task(name, event.time)
            task.uses, task.expected_seconds = uses, event.expected_seconds.get(name)

    def _transfer(self, event: Transfer) -> None:
        task = self._task(event.name, event.time)
        task.is_download = True
        if task.state is State.WAITING:
            self._begin(task, event.time)
        task.done_bytes, task.total_bytes = event.done_bytes, event.total_bytes
        if event.total_bytes and event.done_bytes >= event.total_bytes and task.state is State.RUNNING:
            self._end(task, State.DONE, event.time - task.began)

    def _task(self, name: str, time: float) -> Task:
        return self.tasks.setdefault(name, Task(name, began=time))

    def _begin(self, task: Task, time: float) -> None:
        task.state, task.began = State.RUNNING, time
        if not task.is_download:
            self.newest = task.name

    def _end(self, task: Task, state: State, seconds: float) -> None:
        task.state, task.seconds = state, seconds


def format_seconds(seconds: float) -> str:
    """A duration as people read it: `0.4 s`, `12 s`, `3:05`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
