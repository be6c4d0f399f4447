from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from kimitui import recovery
from kimitui.build.build import Result
from kimitui.build.engines import Choice
from kimitui.build.events import (
    Cached,
    Done,
    Emit,
    Failed,
    Finished,
    LogLine,
    Message,
    Planned,
    Started,
    Transfer,
)
from kimitui.build.runner import Cancellation
from kimitui.build.state import State
from kimitui.config import Configuration
from kimitui.errors import BuildError, PresetError
from kimitui.tui.app import KimituiApp
from kimitui.tui.screens.build import BuildScreen
from kimitui.tui.screens.configure import ConfigureScreen
from kimitui.tui.screens.dialogs import Ask
from kimitui.tui.widgets.log_view import LogView
from kimitui.tui.widgets.step_list import StepList
from tests.tui.conftest import Driver, Start

STEPS = {"musl": (), "busybox": ("musl",), "rootfs": ("busybox",)}
LOG = Path("/cache/logs/x.log")


class Script:
    """A builder that waits at its gates until the test opens them."""

    def __init__(self) -> None:
        self.gates = {name: threading.Event() for name in ("plan", "musl", "busybox", "end")}
        self.configurations: list[Configuration] = []
        self.engines: list[Choice] = []
        self.fail = False
        self.lines = 100
        self.rootfs_bytes = 1_250_000
        self.expected: dict[str, float] = {}
        self.cached_log: Path | None = None

    def open(self, *names: str) -> None:
        for name in names:
            self.gates[name].set()

    def __call__(self, config: Configuration, *, engine: Choice, emit: Emit, cancellation: Cancellation) -> Result:
        self.configurations.append(config)
        self.engines.append(engine)

        def gate(name: str) -> None:
            while not self.gates[name].wait(0.005):
                cancellation.check()

        emit(Message(0.0, "info", "making the toolchain"))
        emit(Transfer(0.1, "busybox.tar.bz2", 250, 1000))
        gate("plan")
        emit(Transfer(0.2, "busybox.tar.bz2", 1000, 1000))
        emit(Planned(0.3, config.name, "x86_64", STEPS, self.expected, "sandbox" if engine == "auto" else engine))
        emit(Cached(0.4, "musl", "k", self.cached_log))
        gate("musl")
        emit(Started(0.5, "busybox", LOG))
        for number in range(self.lines):
            emit(LogLine(0.6, "busybox", f"CC file{number}.o \x1b[31mred\x1b[0m\ttab"))
        gate("busybox")
        if self.fail:
            emit(Failed(1.0, "busybox", "The step busybox failed (exit status 2)", LOG))
            raise BuildError(
                "The step busybox failed (exit status 2)", where=LOG, fix="The whole log is in that file.",
                details=("make: *** Error 1",),
            )  # fmt: skip
        emit(Finished(2.0, "busybox", "k", 1.5))
        emit(Finished(2.0, "rootfs", "k", 0.5))
        gate("end")
        artifacts = {"image.oci.tar": 612_345, "rootfs.tar": self.rootfs_bytes}
        emit(Done(2.5, Path("out/child/x86_64"), artifacts))
        sizes = (self.rootfs_bytes, self.rootfs_bytes, 5_000_000)
        return Result(Path("out/child/x86_64"), "kimigayo-os:0.1.0-child", artifacts, *sizes)


def state_of(user: Driver, name: str) -> Callable[[], State | None]:
    screen = user.app.screen
    assert isinstance(screen, BuildScreen)
    return lambda: screen.state.tasks[name].state if name in screen.state.tasks else None


def ended(user: Driver) -> Callable[[], bool]:
    screen = next(screen for screen in user.app.screen_stack if isinstance(screen, BuildScreen))
    return lambda: screen.ended is not None


async def test_states_log_and_result(start: Start) -> None:
    script = Script()
    async with start(builder=script) as user:
        await user.press("b")
        await user.until(lambda: "25 %" in user.seen())
        assert "making the toolchain" in user.bar("message")
        script.open("plan")
        await user.until(lambda: state_of(user, "musl")() is State.CACHED)
        seen = user.seen()
        assert "= musl" in seen and "cached" in seen and "◦ busybox" in seen and "waiting" in seen
        assert "✓ busybox.tar.bz2" in seen and "1 of 3 steps" in seen
        assert user.bar("message") == ""
        script.open("musl")
        await user.until(lambda: "file99.o" in user.seen())
        assert "• busybox" in user.seen()
        assert "\x1b" not in user.seen()
        script.open("busybox", "end")
        await user.until(ended(user))
        assert "✓ done" in user.bar("crumbs")
        await user.until(lambda: "docker run" in user.panel("result"))
        result = user.panel("result")
        assert "image.oci.tar" in result and "612 kB" in result
        assert "1.25 MB of 5.00 MB: 3.75 MB left" in result and "25%" in result
        assert "docker load -i out/child/x86_64/image.oci.tar" in result
        line = " ".join(result[result.index("docker run") :].split())
        assert line.startswith("docker run --rm -it --read-only ")
        assert "seccomp=out/child/x86_64/seccomp.json kimigayo-os:0.1.0-child" in line
        await user.press("up", "up")
        assert "file99.o" in user.seen()
        await user.press("escape")
        assert isinstance(user.app.screen, ConfigureScreen)


async def test_over_the_budget_is_said(start: Start) -> None:
    script = Script()
    script.rootfs_bytes = 6_000_000
    script.open("plan", "musl", "busybox", "end")
    async with start(builder=script) as user:
        await user.press("b")
        await user.until(ended(user))
        await user.until(lambda: "1.00 MB too much" in user.panel("result"))


async def test_what_is_built_is_what_is_set_even_if_it_is_not_saved(start: Start) -> None:
    script = Script()
    async with start(builder=script) as user:
        await user.go_to("Hardening")
        await user.press("enter")
        await user.go_to("PIE")
        await user.press("space", "b")
        await user.until(lambda: bool(script.configurations))
        assert "with unsaved changes" in user.bar("crumbs")
        (built,) = script.configurations
        await user.press("c", "y")
        await user.until(ended(user))
        await user.press("escape")
        edited = user.config
        assert built is not edited
        assert built.resolved() == edited.resolved()
        assert built.name == edited.name == "child"


async def test_cancel_and_build_again(start: Start) -> None:
    script = Script()
    script.open("plan", "musl")
    async with start(builder=script) as user:
        await user.press("b")
        await user.until(lambda: state_of(user, "busybox")() is State.RUNNING)
        done = ended(user)
        await user.press("c")
        assert isinstance(user.app.screen, Ask)
        await user.press("escape")
        assert not done()
        await user.press("c", "y")
        await user.until(done)
        assert "– cancelled" in user.seen()
        assert "The build of child was cancelled after" in user.bar("message")
        assert state_of(user, "busybox")() is State.CANCELLED
        assert state_of(user, "musl")() is State.CACHED
        script.open("busybox", "end")
        await user.press("r")
        await user.until(lambda: len(script.configurations) == 2)
        await user.until(ended(user))
        assert "✓ done" in user.bar("crumbs")


async def test_a_failure_shows_why_and_the_log(start: Start) -> None:
    script = Script()
    script.fail = True
    script.open("plan", "musl", "busybox")
    async with start(builder=script) as user:
        await user.press("b")
        await user.until(ended(user))
        assert "✗ failed" in user.bar("crumbs")
        await user.until(lambda: bool(user.panel("result")))
        result = user.panel("result")
        assert "exit status 2" in result and "make: *** Error 1" in result and str(LOG) in result
        assert state_of(user, "busybox")() is State.FAILED
        assert state_of(user, "rootfs")() is State.CANCELLED


async def test_a_bug_in_the_builder_does_not_take_the_screen_down(start: Start) -> None:
    def builder(config: Configuration, *, engine: Choice, emit: Emit, cancellation: Cancellation) -> Result:
        raise ZeroDivisionError("oops")

    async with start(builder=builder) as user:
        await user.press("b")
        await user.until(ended(user))
        await user.until(lambda: "kimitui itself failed" in user.panel("result"))
        assert "ZeroDivisionError: oops" in user.panel("result")


async def test_quitting_while_it_runs_asks_and_cancels(start: Start) -> None:
    script = Script()
    async with start(builder=script) as user:
        await user.press("b")
        screen = user.app.screen
        assert isinstance(screen, BuildScreen)
        await user.press("q")
        assert isinstance(user.app.screen, Ask)
        await user.press("escape")
        assert screen.job.running
        await user.press("q", "y")
        assert user.app.return_code == 0
        assert not screen.job.running


async def test_a_flood_of_lines_is_shown_to_its_end_and_bounded(start: Start) -> None:
    script = Script()
    script.lines = 60_000
    script.open("plan", "musl")
    async with start(builder=script) as user:
        await user.press("b")
        await user.until(lambda: "file59999.o" in user.seen())
        log = user.app.screen.query_one("#log", LogView)
        assert len(log.text.splitlines()) <= 22_000
        assert log.following
        await user.press("pageup", "pageup")
        assert not log.following
        assert "file59999.o" not in user.seen()
        await user.press("G")
        assert log.following and "file59999.o" in user.seen()
        await user.press("g")
        assert log.scroll_offset.y == 0
        await user.press("f", "c", "y")
        await user.until(ended(user))


async def test_choosing_a_step_stops_following(start: Start) -> None:
    script = Script()
    script.open("plan")
    async with start(builder=script) as user:
        await user.press("b")
        await user.until(lambda: state_of(user, "musl")() is State.CACHED)
        steps = user.app.screen.query_one("#steps", StepList)
        await user.press("up")
        await user.press("down")
        chosen = steps.current
        script.open("musl")
        await user.until(lambda: state_of(user, "busybox")() is State.RUNNING)
        assert chosen is not None and steps.current is not None and steps.current.name == chosen.name
        await user.press("f")
        assert steps.current.name == "busybox"
        await user.press("c", "y")
        await user.until(ended(user))


async def test_no_size_breaks_the_build_screen(start: Start) -> None:
    script = Script()
    script.open("plan", "musl")
    async with start(builder=script) as user:
        await user.press("b")
        await user.until(lambda: state_of(user, "busybox")() is State.RUNNING)
        for last in (False, True):
            if last:
                script.open("busybox", "end")
                await user.until(ended(user))
            for width, height in [(60, 20), (120, 40), (100, 20), (10, 4), (80, 24)]:
                await user.pilot.resize_terminal(width, height)
                await user.pilot.pause()
                assert len(user.seen().splitlines()) == height


async def test_the_graph_is_shown_as_a_tree_and_in_words(start: Start) -> None:
    script = Script()
    script.open("plan", "musl")
    async with start(builder=script) as user:
        await user.press("b")
        await user.until(lambda: "• busybox" in user.seen())
        assert "└ • busybox" in user.seen() and "  └ ◦ rootfs" in user.seen()
        await user.until(lambda: "busybox  after musl  before rootfs" in user.bar("log-title"))
        assert str(LOG) in user.bar("log-file")
        await user.press("c", "y")


async def test_the_time_that_is_left_is_said_if_every_step_ran_before(start: Start) -> None:
    script = Script()
    script.expected = {"musl": 10.0, "busybox": 600.0, "rootfs": 100.0}
    script.open("plan")
    async with start(builder=script, size=(120, 40)) as user:
        await user.press("b")
        await user.until(lambda: state_of(user, "musl")() is State.CACHED)
        await user.until(lambda: "about 11:40 left" in user.bar("crumbs"))
        await user.press("c", "y")
        await user.until(ended(user))
        assert "left" not in user.bar("crumbs")


async def test_the_log_of_a_cached_step_is_that_of_the_build_that_made_it(start: Start, tmp_path: Path) -> None:
    script = Script()
    script.cached_log = tmp_path / "log"
    script.cached_log.write_text("from an earlier build\n")
    script.open("plan", "musl", "busybox", "end")
    async with start(builder=script) as user:
        await user.press("b")
        await user.until(ended(user))
        await user.press("up", "up", "up")
        await user.until(lambda: "from an earlier build" in user.seen())
        assert "log" in user.bar("log-file")


async def test_finding_in_the_log(start: Start) -> None:
    script = Script()
    script.open("plan", "musl")
    async with start(builder=script) as user:
        await user.press("b")
        await user.until(lambda: "file99.o" in user.seen())
        log = user.app.screen.query_one("#log", LogView)
        await user.press("slash")
        await user.type("FILE")  # there is none in capitals
        assert "no “FILE”" in user.seen()
        await user.press("ctrl+u")
        await user.type("file1")
        assert log.found == (11, 11), "the nearest above the end"
        await user.press("enter")
        assert not log.following
        assert "“file1” 11 of 11" in user.bar("log-title")
        await user.until(lambda: "▸CC file19.o" in user.seen())
        await user.press("N", "N")
        assert log.found == (9, 11)
        await user.press("n", "n", "n")
        assert log.found == (1, 11)
        await user.until(lambda: "▸CC file1.o" in user.seen())
        assert "stopped, End follows" in user.bar("log-title")
        await user.press("end")
        assert log.following
        await user.press("slash")
        await user.type("file5")
        await user.press("escape")
        assert log.wanted == "file1", "Esc goes back to what was searched for before"
        await user.press("slash", "enter")
        assert log.wanted == ""
        await user.press("c", "y")


async def test_a_build_goes_on_while_one_configures_and_b_comes_back_to_it(start: Start) -> None:
    script = Script()
    script.open("plan", "musl")
    async with start(builder=script) as user:
        await user.press("b")
        await user.until(lambda: state_of(user, "busybox")() is State.RUNNING)
        await user.press("escape")
        assert isinstance(user.app.screen, Ask)
        await user.press("b")
        assert isinstance(user.app.screen, ConfigureScreen)
        assert user.app.build is not None and user.app.build.running
        assert "building" in user.bar("crumbs") and "b comes back to it" in user.bar("message")
        await user.press("b")
        assert isinstance(user.app.screen, BuildScreen)
        assert len(script.configurations) == 1
        await user.press("escape", "b")
        script.open("busybox", "end")
        await user.until(lambda: "Built child" in user.bar("message"))
        assert "building" not in user.bar("crumbs")
        await user.press("b")
        await user.until(lambda: "docker run" in user.panel("result"))
        assert "3 of 3 steps" in user.bar("crumbs")
        assert len(script.configurations) == 1, "its end was not seen yet"
        await user.press("escape", "b")
        assert len(script.configurations) == 2


async def test_the_question_on_the_way_back_can_cancel(start: Start) -> None:
    script = Script()
    async with start(builder=script) as user:
        await user.press("b", "escape", "c")
        assert isinstance(user.app.screen, BuildScreen)
        await user.until(ended(user))
        assert user.app.screen.ended is State.CANCELLED


async def test_quitting_asks_about_a_build_one_does_not_see_and_about_unsaved_changes(start: Start) -> None:
    script = Script()
    async with start(builder=script) as user:
        await user.go_to("Hardening")
        await user.press("enter", "down", "space", "b", "escape", "b", "q")
        assert "Cancel the build of child?" in user.seen()
        await user.press("y")
        assert "child has unsaved changes" in user.seen()
        await user.press("n")
        assert user.app.return_code == 0
        assert user.app.build is not None and not user.app.build.running


async def test_a_signal_ends_the_build_and_keeps_what_is_unsaved(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[int] = []
    monkeypatch.setattr("os._exit", ends.append)
    monkeypatch.setattr("threading.main_thread", threading.Thread)  # one that does not hang
    monkeypatch.setattr("threading.Thread.join", lambda _thread, _seconds=None: None)
    script = Script()
    async with start(builder=script) as user:
        await user.go_to("Hardening")
        await user.press("enter", "down", "space", "b")
        run = user.app.build
        assert run is not None
        user.app.hang_up(1)
        await user.until(lambda: not run.running)
        await user.until(lambda: ends == [129])
    assert user.app.return_code == 129
    (left,) = recovery.find_left()
    left.release()


async def test_building_again_after_a_failure(start: Start) -> None:
    script = Script()
    script.fail = True
    script.open("plan", "musl", "busybox", "end")
    async with start(builder=script) as user:
        await user.press("b")
        await user.until(ended(user))
        script.fail = False
        await user.press("r")
        await user.until(lambda: "✓ done" in user.bar("crumbs"))
        await user.until(lambda: "docker load" in user.panel("result"))


async def test_an_error_before_there_is_a_plan_is_shown_the_same_way(start: Start) -> None:
    def builder(config: Configuration, *, engine: Choice, emit: Emit, cancellation: Cancellation) -> Result:
        raise PresetError("busybox.NOPE is no option", where=Path("presets/child.json5"), fix="leave it out")

    async with start(builder=builder) as user:
        await user.press("b")
        await user.until(lambda: "leave it out" in user.panel("result"))
        assert "busybox.NOPE is no option" in user.panel("result") and "presets/child.json5" in user.panel("result")
        assert "✗ The build of child failed" in user.bar("message")
        assert "find" not in user.bar("log-title")
        await user.press("slash", "n", "o")  # there is no log
        assert isinstance(user.app.screen, BuildScreen)


async def test_the_whole_log_opens_in_the_pager(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script()
    script.cached_log = tmp_path / "log"
    script.cached_log.write_text("all of it\n")
    script.open("plan", "musl", "busybox", "end")
    monkeypatch.setenv("PAGER", f"cp -t {tmp_path / 'shown'}")
    (tmp_path / "shown").mkdir()
    monkeypatch.setattr(KimituiApp, "suspend", lambda _app: contextlib.nullcontext())
    async with start(builder=script) as user:
        await user.press("b")
        await user.until(ended(user))
        await user.press("up", "up", "up", "o")
        assert (tmp_path / "shown" / "log").read_text() == "all of it\n"
        monkeypatch.setenv("PAGER", "no-such-pager")
        await user.press("o")
        assert "no-such-pager cannot be started" in user.bar("message")
