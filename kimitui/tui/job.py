"""A build in a thread of its own, whose events can be picked up now and then from another."""

from __future__ import annotations

import threading
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kimitui.errors import KimituiError

if TYPE_CHECKING:
    from kimitui.build.build import Result
    from kimitui.build.engines import Choice
    from kimitui.build.events import Emit, Event
    from kimitui.build.runner import Cancellation
    from kimitui.config import Configuration


class Builder(Protocol):
    """Builds a configuration; `kimitui.build.build.build` with its directories filled in is one."""

    def __call__(self, config: Configuration, *, engine: Choice, emit: Emit, cancellation: Cancellation) -> Result:
        """Build; raises KimituiError."""
        ...


def real_builder(cache_dir: Path, out_dir: Path) -> Builder:
    """The builder that compiles."""

    def run(config: Configuration, *, engine: Choice, emit: Emit, cancellation: Cancellation) -> Result:
        from kimitui.build.build import Request, build  # a configurator that never builds need not load it

        return build(Request(config, cache_dir, out_dir, engine=engine), emit=emit, cancellation=cancellation)

    return run


class Job:
    """One run of a builder.

    `result` or `error` is there once `running` is false. Events are collected, however many come,
    until `drain` takes them.
    """

    def __init__(self, builder: Builder, config: Configuration, engine: Choice = "auto") -> None:
        """`config` must not be changed while the job runs."""
        from kimitui.build.runner import Cancellation

        self.result: Result | None = None
        self.error: BaseException | None = None
        self._builder = builder
        self._config = config
        self._engine = engine
        self._cancellation = Cancellation()
        self._events: deque[Event] = deque()  # append and popleft need no lock
        self._began = time.monotonic()
        self._ended: float | None = None
        self._thread = threading.Thread(target=self._run, name="build", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the build has not ended yet."""
        return self._ended is None

    @property
    def cancelling(self) -> bool:
        """Whether the build was told to end."""
        return self._cancellation.requested

    @property
    def seconds(self) -> float:
        """How long the build has been running, or has run."""
        return (time.monotonic() if self._ended is None else self._ended) - self._began

    def cancel(self) -> None:
        """Tell the build to end; it ends a little later."""
        self._cancellation.cancel()

    def wait(self, seconds: float) -> None:
        """Wait for the end, at most so long."""
        self._thread.join(seconds)

    def drain(self, limit: int = 20_000) -> list[Event]:
        """The events since the last call, at most so many."""
        events: list[Event] = []
        while self._events and len(events) < limit:
            events.append(self._events.popleft())
        return events

    def _run(self) -> None:
        try:
            self.result = self._builder(
                self._config, engine=self._engine, emit=self._events.append, cancellation=self._cancellation
            )
        except KimituiError as error:
            self.error = error
        except BaseException as error:  # a bug in the builder must not take the screen down
            self.error = error
        finally:
            self._ended = time.monotonic()
