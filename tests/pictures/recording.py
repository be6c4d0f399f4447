"""What a real build told, to be told again: `python -m tests.pictures record` writes `build.jsonl`.

One JSON object per line: the events, as `kimitui build --progress json` prints them, and the result as the last one.
Only the directories of the machine that recorded are replaced, and times are rounded to milliseconds.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path

from kimitui.build.build import Request, Result, build
from kimitui.build.engines import Choice
from kimitui.build.events import Emit, Event, LogLine, to_json
from kimitui.build.runner import Cancellation
from kimitui.config import Configuration
from kimitui.errors import KimituiError
from kimitui.resources import cache_dir
from tests.pictures.project import project

FILE = Path(__file__).with_name("build.jsonl")
CACHE = "~/.cache/kimitui"
USERS_CACHE = cache_dir()  # before anything puts another home in place

_KINDS: Mapping[str, type[Event]] = {kind.__name__.lower(): kind for kind in Event.__subclasses__()}
_PATHS = ("log", "directory")


def record() -> None:
    """Build `edge` where only `minimal` was built before, and write down what it tells.

    The sources and the toolchain are those in the cache of the user.
    """
    events: list[Event] = []
    with project(), tempfile.TemporaryDirectory(prefix="kimitui-", dir=USERS_CACHE.parent) as directory:
        cache = Path(directory)
        for name in ("sources", "toolchain"):
            (cache / name).symlink_to(USERS_CACHE / name)

        def make(preset: str, emit: Emit) -> Result:
            return build(Request(Configuration.open(preset), cache, Path("out"), offline=True), emit=emit)

        make("minimal", lambda event: None)
        result = make("edge", events.append)
    told = [to_json(event) for event in events] + [{"event": "result", **asdict(result)}]
    text = "".join(f"{json.dumps(line, default=str)}\n" for line in map(_rounded, told))
    FILE.write_text(text.replace(str(cache), CACHE))


def _rounded(data: Mapping[str, object]) -> dict[str, object]:
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in data.items()}


def load() -> tuple[list[Event], Result]:
    """The events and the result of the recorded build."""
    *lines, last = map(json.loads, FILE.read_text().splitlines())
    last.pop("event")
    return [_event(line) for line in lines], Result(**{**last, "directory": Path(last["directory"])})


def _event(data: dict[str, object]) -> Event:
    kind = _KINDS[str(data["event"])]
    values = {field.name: data[field.name] for field in fields(kind) if field.name in data}
    for name in _PATHS:
        if values.get(name) is not None:
            values[name] = Path(str(values[name]))
    if "steps" in values:
        assert isinstance(values["steps"], dict)
        values["steps"] = {name: tuple(uses) for name, uses in values["steps"].items()}
    return kind(**values)  # type: ignore[arg-type]  # as `record` wrote them


class Replay:
    """A builder that tells what the recorded one told, up to a moment, at once; `now` is that moment's time.

    It then waits to be cancelled if it is to stay at that moment, fails if there is an `error`, or has the result.
    """

    def __init__(self, *, share: float = 1.0, error: KimituiError | None = None) -> None:
        """`share` is how much of the longest log has been told, 1.0 that the build has ended."""
        events, self._result = load()
        self._events = events if share == 1.0 else _until(events, share)
        self._ends = share == 1.0 or error is not None
        self._error = error
        self.now = 0.0
        self.told = threading.Event()

    def __call__(self, config: Configuration, *, engine: Choice, emit: Emit, cancellation: Cancellation) -> Result:
        """Build."""
        for event in self._events:
            self.now = event.time
            emit(event)
        self.told.set()
        while not self._ends:
            cancellation.check()
            threading.Event().wait(0.01)
        if self._error is not None:
            raise self._error
        return self._result


def _until(events: Sequence[Event], share: float) -> list[Event]:
    logs: dict[str, list[int]] = {}
    for index, event in enumerate(events):
        if isinstance(event, LogLine):
            logs.setdefault(event.step, []).append(index)
    longest = max(logs.values(), key=len)
    return list(events[: longest[int(share * len(longest))] + 1])
