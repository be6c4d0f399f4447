"""Seconds since a build began, the `time` of every event."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], float]


def started_now() -> Clock:
    """A clock that stands at 0.0 now."""
    start = time.monotonic()
    return lambda: time.monotonic() - start
