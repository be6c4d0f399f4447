"""What a build tells whoever watches it.

One typed stream; the progress bars, `--progress plain|json` and the build screen are three readers of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Event:
    """Base of all events; `time` is seconds since the build began."""

    time: float


@dataclass(frozen=True)
class Planned(Event):
    """The graph is known: step names in a valid order, and for each the names of the steps it uses.

    `expected_seconds` says how long steps took in earlier builds; a step that never ran here is not in it. `engine` is
    the name of what runs them.
    """

    preset: str
    arch: str
    steps: Mapping[str, tuple[str, ...]]
    expected_seconds: Mapping[str, float] = field(default_factory=dict)
    engine: str = ""


@dataclass(frozen=True)
class Transfer(Event):
    """A download moved on; `total_bytes` is 0 while unknown."""

    name: str
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class Started(Event):
    """A step's container runs; what it prints goes to `log`."""

    step: str
    log: Path


@dataclass(frozen=True)
class Waiting(Event):
    """Another build is making this very step; its result will be used."""

    step: str


@dataclass(frozen=True)
class LogLine(Event):
    """One line a step printed, without its line end."""

    step: str
    line: str


@dataclass(frozen=True)
class Cached(Event):
    """The step is in the store already; `log` is what it printed when it ran."""

    step: str
    key: str
    log: Path | None = None


@dataclass(frozen=True)
class Finished(Event):
    """The step's output is in the store now; `seconds` is how long it took, `log` where its log is from now on."""

    step: str
    key: str
    seconds: float
    log: Path | None = None


@dataclass(frozen=True)
class Failed(Event):
    """The step failed; `log` holds all it printed. Steps that were ended because of it, or by the user, did not."""

    step: str
    message: str
    log: Path | None


@dataclass(frozen=True)
class Message(Event):
    """Something worth a line: `level` is `info` or `warning`."""

    level: str
    text: str


@dataclass(frozen=True)
class Done(Event):
    """The artifacts are in `directory`; `artifacts` maps file name to size in bytes."""

    directory: Path
    artifacts: Mapping[str, int]


Emit = Callable[[Event], None]


def to_json(event: Event) -> dict[str, object]:
    """The event as plain data for `--progress json`; `event` names its kind."""
    data = {key: str(value) if isinstance(value, Path) else value for key, value in asdict(event).items()}
    return {"event": type(event).__name__.lower(), **data}
