"""The runner with real steps in the real sandbox."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kimitui.build import step as steps
from kimitui.build.engines.base import Engine
from kimitui.build.engines.sandbox import SandboxEngine
from kimitui.build.events import Cached, Event, Failed, Finished, LogLine, Started, Waiting
from kimitui.build.runner import Cancellation, Root, Runner
from kimitui.build.step import InputFile, Step, in_order
from kimitui.build.store import Entry, Store
from kimitui.errors import BuildError, CancelledError

pytestmark = pytest.mark.build


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """Write a step's script; its file name."""
    directory = tmp_path / "builder/steps"
    directory.mkdir(parents=True)
    (directory / "lib.sh").write_text("set -eu\n")
    monkeypatch.setattr(steps, "BUILDER_DIR", directory.parent)

    def write(name: str, text: str) -> str:
        (directory / f"{name}.sh").write_text(f". /input/lib.sh\n{text}\n")
        return f"{name}.sh"

    return write


class Build:
    """One build: its events, and the means to end it."""

    def __init__(self, root: Root, cache: Path, engine: Engine | None = None) -> None:
        self.store = Store(cache)
        self.events: list[Event] = []
        self.cancellation = Cancellation()
        self.on_event: Callable[[Event], None] = lambda _event: None
        self._root = root
        self._engine = engine or SandboxEngine()
        self._lock = threading.Lock()

    def run(self, *wanted: Step) -> dict[str, Entry]:
        with (
            self.store.session() as session,
            self._engine.opened(self._root.path, self._root.digest, session, lambda _text: None),
        ):
            runner = Runner(
                store=self.store,
                engine=self._engine,
                root=self._root,
                session=session,
                emit=self._emit,
                clock=time.monotonic,
                cancellation=self.cancellation,
            )
            return runner.run(in_order(wanted))

    def _emit(self, event: Event) -> None:
        with self._lock:
            self.events.append(event)
        self.on_event(event)

    def steps(self, kind: type[Started | Cached | Finished | Failed]) -> list[str]:
        return [event.step for event in self.events if isinstance(event, kind)]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_a_graph_runs_in_order_and_is_cached(root: Root, cache: Path, scripts: Callable[[str, str], str]) -> None:
    first = Step("first", "any", scripts("first", "echo one > /output/file; echo said"))
    second = Step(
        "second", "any", scripts("second", "cat /steps/first/file /input/more > /output/file"), uses=(first,),
        files={"more": InputFile(b"two\n")},
    )  # fmt: skip
    build = Build(root, cache)
    entries = build.run(second)
    assert (entries["second"].output / "file").read_text() == "one\ntwo\n"
    assert entries["first"].log.read_text() == "said\n"
    assert build.steps(Finished) == ["first", "second"]
    again = Build(root, cache)
    assert again.run(second) == entries
    assert (again.steps(Cached), again.steps(Started)) == (["first", "second"], [])
    assert list((cache / "tmp").iterdir()) == []


def test_independent_steps_run_side_by_side(root: Root, cache: Path, scripts: Callable[[str, str], str]) -> None:
    """Each prints, and ends only when it is told that the other has begun."""
    script = scripts("meet", "echo begun; until [ -e /output/go ]; do sleep 0.02; done; touch /output/ok")
    pair = [Step(name, "any", script) for name in ("left", "right")]
    build = Build(root, cache)
    begun: set[str] = set()

    def release(event: Event) -> None:
        if isinstance(event, LogLine):
            begun.add(event.step)
            if len(begun) == 2:
                for directory in (cache / "tmp").glob("build-*/*/output"):
                    (directory / "go").touch()

    build.on_event = release
    assert set(build.run(*pair)) == {"left", "right"}


def test_a_failing_step_shows_its_end_and_keeps_its_log(
    root: Root, cache: Path, scripts: Callable[[str, str], str]
) -> None:
    good = Step("good", "any", scripts("good", "touch /output/ok"))
    bad = Step("bad", "any", scripts("bad", "seq 100; echo the reason >&2; exit 7"), uses=(good,))
    never = Step("never", "any", scripts("never", "touch /output/ok"), uses=(bad,))
    build = Build(root, cache)
    with pytest.raises(BuildError, match=r"The step bad failed \(exit status 7\)") as caught:
        build.run(never)
    assert caught.value.details[-2:] == ("100", "the reason")
    assert len(caught.value.details) == 20
    log = Path(str(caught.value.where))
    assert log.read_text().startswith("1\n2\n")
    assert (build.steps(Failed), build.steps(Finished)) == (["bad"], ["good"])
    assert list((cache / "tmp").iterdir()) == []
    again = Build(root, cache)
    with pytest.raises(BuildError):
        again.run(never)
    assert (again.steps(Cached), again.steps(Started)) == (["good"], ["bad"])


def test_an_outcome_that_is_not_what_was_asked_for_is_not_kept(
    root: Root, cache: Path, scripts: Callable[[str, str], str]
) -> None:
    def refuse(output: Path) -> None:
        assert (output / "file").exists()
        raise BuildError("not as asked")

    step = Step("step", "any", scripts("step", "touch /output/file"), verify=refuse)
    for _ in range(2):
        build = Build(root, cache)
        with pytest.raises(BuildError, match="not as asked"):
            build.run(step)
        assert build.steps(Started) == ["step"]


def test_cancelling_ends_a_running_step(root: Root, cache: Path, scripts: Callable[[str, str], str]) -> None:
    step = Step("long", "any", scripts("long", "echo begun; sleep 1000"))
    build = Build(root, cache)
    build.on_event = lambda event: build.cancellation.cancel() if isinstance(event, LogLine) else None
    with pytest.raises(CancelledError):
        build.run(step)
    assert build.steps(Finished) == build.steps(Failed) == []
    assert list((cache / "tmp").iterdir()) == []


def test_two_builds_at_once_make_a_step_once(root: Root, cache: Path, scripts: Callable[[str, str], str]) -> None:
    step = Step(
        "shared",
        "any",
        scripts("shared", "echo begun; until [ -e /output/go ]; do sleep 0.02; done; date +%N > /output/when"),
    )
    builds = [Build(root, cache), Build(root, cache)]
    seen: set[type] = set()

    def release(event: Event) -> None:
        # The first goes on only when it has begun and the second waits for it, whichever comes first.
        seen.add(type(event))
        if {LogLine, Waiting} <= seen:
            for directory in (cache / "tmp").glob("build-*/shared/output"):
                (directory / "go").touch()

    for build in builds:
        build.on_event = release
    results: list[dict[str, Entry]] = []
    threads = [threading.Thread(target=lambda b=build: results.append(b.run(step))) for build in builds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results[0] == results[1]
    assert sorted(len(build.steps(Started)) for build in builds) == [0, 1]
    assert sorted(len(build.steps(Cached)) for build in builds) == [0, 1]
