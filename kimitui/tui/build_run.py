"""A build and what is known about it; it outlives the screen that shows it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from kimitui.build.state import MAX_LINES, BuildState, State, Task, format_seconds
from kimitui.config import Configuration
from kimitui.errors import CancelledError, KimituiError
from kimitui.tui.job import Builder, Job

if TYPE_CHECKING:
    from kimitui.build.engines import Choice

PATIENCE = 10.0
"""Seconds to let a cancelled build clean up before the program ends."""

_MOST_BYTES = 2_000_000  # of the end of a log that is read for a look


class BuildRun:
    """One run of a builder on a configuration as it is when this is made.

    `engine` is what was chosen to run it. `ended` is None until the build has ended and all its events were taken in;
    `seen` says that its end was shown.
    """

    def __init__(
        self, config: Configuration, builder: Builder, *, unsaved: bool = False, engine: Choice = "auto"
    ) -> None:
        self.config = config
        self.name = config.name
        self.unsaved = unsaved
        self.engine = engine
        self.state = BuildState()
        self.ended: State | None = None
        self.seen = False
        # A copy, made before the thread begins: the tree is not made for being read and changed at once.
        self.job = Job(builder, config.copy(), engine)
        self._builder = builder
        self._looked_at: set[str] = set()
        self.job.start()

    def again(self, engine: Choice) -> BuildRun:
        """Another run, on the configuration as it is now."""
        return BuildRun(self.config, self._builder, unsaved=self.config.modified, engine=engine)

    @property
    def running(self) -> bool:
        """Whether the build goes on."""
        return self.job.running

    def pick_up(self) -> None:
        """Take in what the build said since the last time."""
        running = self.job.running  # asked first: what comes before the end must not be lost
        events = self.job.drain()
        for event in events:
            self.state.apply(event)
        if not running and self.ended is None and not events:
            if self.job.error is None:
                self.ended = State.DONE
            elif isinstance(self.job.error, CancelledError) or self.job.cancelling:
                self.ended = State.CANCELLED
            else:
                self.ended = State.FAILED
            self.state.end(self.ended, self.job.seconds)

    @property
    def current(self) -> str | None:
        """The step that began last, of those that run if there are any."""
        running = [task for task in self.state.tasks.values() if task.state is State.RUNNING and not task.is_download]
        return max(running, key=lambda task: task.began).name if running else self.state.newest

    def load_log(self, task: Task) -> None:
        """Read what a cached step printed when it ran; there is nothing to show where that file is gone."""
        if task.state is not State.CACHED or task.log_file is None or task.name in self._looked_at:
            return
        self._looked_at.add(task.name)
        with contextlib.suppress(OSError), task.log_file.open("rb") as file:
            skipped = file.seek(max(0, task.log_file.stat().st_size - _MOST_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
            for line in lines[1 if skipped else 0 :][-MAX_LINES:]:
                task.log.append(line)

    def give_up(self) -> None:
        """Cancel, and wait until the build has cleaned up behind itself."""
        if self.job.running:
            self.job.cancel()
            self.job.wait(PATIENCE)

    @property
    def remaining_seconds(self) -> float | None:
        """How long it should still take, None where that is not known or it has ended."""
        if self.ended is not None or self.job.cancelling or not self.state.steps:
            return None
        return self.state.remaining_seconds(self.job.seconds)

    @property
    def summary(self) -> tuple[str, str]:
        """How the build stands, in a line, and the level of that as messages have it."""
        took = format_seconds(self.job.seconds)
        match self.ended:
            case None:
                steps = f", {self.state.steps_done} of {len(self.state.steps)} steps" if self.state.steps else ""
                return f"Building {self.name}{steps}", "info"
            case State.DONE:
                return f"Built {self.name} in {took}", "good"
            case State.CANCELLED:
                return f"The build of {self.name} was cancelled after {took}", "warning"
            case _:
                error = self.job.error
                what = error.what if isinstance(error, KimituiError) else f"{type(error).__name__}: {error}"
                return f"The build of {self.name} failed: {what}", "error"
