"""The build: what is done, what is going on, what it says, and what came out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen

from kimitui.build.state import BuildState, State, Task, format_seconds
from kimitui.config import Configuration
from kimitui.tui.build_run import BuildRun
from kimitui.tui.job import Job
from kimitui.tui.outcome import outcome_text, shown_path
from kimitui.tui.screens.build_questions import ask_to_cancel, ask_to_leave
from kimitui.tui.screens.engine import ask_for_engine, engine_pieces
from kimitui.tui.screens.keys import BUILD_SIGNS
from kimitui.tui.step_tree import step_tree, used_by
from kimitui.tui.widgets.bar import Bar, Keys, level_pieces
from kimitui.tui.widgets.draw import ELLIPSIS, Piece
from kimitui.tui.widgets.log_view import LogView
from kimitui.tui.widgets.panel import Panel
from kimitui.tui.widgets.step_list import MARKS, StepLine, StepList

if TYPE_CHECKING:
    from textual.timer import Timer

    from kimitui.tui.app import KimituiApp

_REFRESHES = 20  # per second
_RESULT = "result"

_RUNNING_KEYS = [
    ("build.cancel", "cancel"),
    ("↑↓", "step"),
    ("PgUp PgDn", "log"),
    ("log.find", "find"),
    ("build.follow", "follow"),
    ("build.close", "back"),
    ("log.open", "whole log"),
    ("app.keys", "keys"),
    ("app.quit", "quit"),
]
_ENDED_KEYS = [
    ("build.close", "back"),
    ("build.retry", "build again"),
    ("↑↓", "step"),
    ("PgUp PgDn", "log"),
    ("log.find", "find"),
    ("log.open", "whole log"),
    ("app.keys", "keys"),
    ("app.quit", "quit"),
]


def open_build(app: KimituiApp, config: Configuration, *, unsaved: bool = False) -> None:
    """Show the build that is running, or whose end was not seen yet; if there is none, begin one."""
    run = app.build
    if run is None or not (run.running or (run.config is config and not run.seen)):
        run = app.build = BuildRun(config, app.builder, unsaved=unsaved, engine=app.engine)
    app.push_screen(BuildScreen(run))


class BuildScreen(Screen[None]):
    """Shows a build. The build is the application's, so it goes on when the screen is left."""

    SIGNS: ClassVar = (BUILD_SIGNS,)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "cancel", "cancel", id="build.cancel"),
        Binding("escape", "close", "back", id="build.close", tooltip="back; the build can go on, b comes back to it"),
        Binding("r", "retry", "build again", id="build.retry", tooltip="build again, when it has ended"),
        Binding("E", "engine", "engine", id="build.engine", tooltip="choose what runs builds"),
        Binding("f", "follow", "follow", id="build.follow", tooltip="follow the step that runs"),
        Binding("slash", "find", "find in the log", id="log.find", tooltip="find in the log; capital letters count"),
        Binding("n", "find_next(1)", "next found", id="log.next", tooltip="next found line"),
        Binding("N", "find_next(-1)", "found before", id="log.previous", tooltip="found line before"),
        Binding("o,e", "open_log", "the whole log", id="log.open", tooltip="the whole log in your pager"),
        Binding("pageup", "scroll_log(-1)", "log up", id="log.up", priority=True),
        Binding("pagedown,space", "scroll_log(1)", "log down", id="log.down", priority=True),
        Binding("K,shift+up", "scroll_lines(-1)", "log a line up", id="log.line_up"),
        Binding("J,shift+down", "scroll_lines(1)", "log a line down", id="log.line_down"),
        Binding("left,h", "scroll_sideways(-8)", "log left", id="log.left"),
        Binding("right,l", "scroll_sideways(8)", "log right", id="log.right"),
        Binding("home,g", "log_home", "begin of the log", id="log.home", priority=True),
        Binding("end,G", "log_end", "end of the log", id="log.end", tooltip="its end; follow it", priority=True),
    ]

    def __init__(self, run: BuildRun) -> None:
        super().__init__()
        self.run = run
        self._following = True
        self._finished = False  # whether the end is on the screen
        self._timer: Timer | None = None

    @property
    def state(self) -> BuildState:
        """What is known about the build."""
        return self.run.state

    @property
    def job(self) -> Job:
        """The thread that builds."""
        return self.run.job

    @property
    def ended(self) -> State | None:
        """How the build ended, None while it runs."""
        return self.run.ended

    def compose(self) -> ComposeResult:
        """Steps, log or result, message, keys."""
        yield Bar(id="crumbs")
        with Container(classes="split -log"):
            yield StepList(id="steps", classes="first", empty="Preparing")
            with Container(classes="second"):
                yield Bar(id="log-title", classes="-plain")
                yield LogView(id="log")
                yield Panel(id="result")
        yield Bar(id="log-file", classes="-plain")
        yield Bar(id="message", classes="-plain")
        yield Keys(_RUNNING_KEYS)

    def on_mount(self) -> None:
        """Look for events from now on."""
        self.query_one("#steps", StepList).focus()
        self.watch(self.query_one("#steps", StepList), "cursor", self._choose, init=False)
        self._show_result(False)
        self._timer = self.set_interval(1 / _REFRESHES, self.pick_up)
        self.pick_up()

    def pick_up(self) -> None:
        """Take in what the build said since the last time, and show it."""
        self.run.pick_up()
        if self.run.ended is not None and not self._finished:
            self._finish()
        self._show()

    def _finish(self) -> None:
        assert self.run.ended is not None
        self._finished = self.run.seen = True
        self.query_one(Keys).show_keys(_ENDED_KEYS)
        self.query_one("#result", Panel).show(outcome_text(self.run.ended, self.job, self.state))
        if self._timer:
            self._timer.pause()
        if self._following:
            self._select(_RESULT)

    # What is shown

    def _show(self) -> None:
        lines = self._lines()
        steps = self.query_one("#steps", StepList)
        if list(steps.items) != lines:
            selected = steps.current
            index = next((i for i, line in enumerate(lines) if selected and line.name == selected.name), None)
            steps.show(lines, index)
        if self._following and self.ended is None and (current := self.run.current):
            self._select(current)
        self._show_selected()
        self._show_title()
        self.query_one("#message", Bar).show(level_pieces(*self._message()))

    def _lines(self) -> list[StepLine]:
        now = self.job.seconds
        tasks = self.state.tasks
        before = sorted(
            (name for name in tasks if name not in self.state.steps), key=lambda n: not tasks[n].is_download
        )
        lines = [StepLine(name, tasks[name].state, _amount(tasks[name], now)) for name in before]
        for step in step_tree(self.state.steps):
            task = tasks[step.name]
            lines.append(StepLine(step.name, task.state, _amount(task, now), step.lines, step.also))
        if self.ended is not None:
            lines.append(StepLine(_RESULT, self.ended, format_seconds(now)))
        return lines

    def _show_selected(self) -> None:
        task = self._shown_task
        self._show_result(task is None and self.ended is not None)
        log = self.query_one("#log", LogView)
        if task is not None:
            self.run.load_log(task)
            log.show(task.log)
        log.refresh_log()
        self._show_log_bars(task, log)

    def on_resize(self) -> None:
        """Say as much as there is room for now."""
        self._show()

    def _show_log_bars(self, task: Task | None, log: LogView) -> None:
        title: list[Piece] = []
        right: list[Piece] = []
        file: list[Piece] = []
        if task is not None:
            title = [(task.name, "strong")]
            uses, users = task.uses, used_by(self.state.steps, task.name)
            if uses:
                title.append((f"  after {', '.join(uses)}", "dim"))
            if users:
                title.append((f"  before {', '.join(users)}", "dim"))
            right = _position(log, self.ended is None and task.state is State.RUNNING)
            if task.log_file:
                file = [("log ", "dim"), (self._cut(shown_path(task.log_file)), "")]
        bar = self.query_one("#log-title", Bar)
        bar.display = task is not None
        bar.show(title, right)
        self.query_one("#log-file", Bar).show(file)

    def _cut(self, path: str) -> str:
        """A path that fits; its end says more than its begin."""
        room = self.size.width - len(" log ")
        return path if cell_len(path) <= room else f"{ELLIPSIS}{path[-max(1, room - len('...')) :]}"

    def _show_result(self, shown: bool) -> None:
        self.query_one("#result", Panel).display = shown
        self.query_one("#log", LogView).display = not shown

    def _show_title(self) -> None:
        state = self.ended or State.RUNNING
        arch = f" for {self.state.arch}" if self.state.arch else ""
        word = "cancelling" if self.job.cancelling and self.ended is None else state.value
        left: list[Piece] = [(f"{self.run.name} › ", "dim"), (f"build{arch}", "title")]
        if self.run.unsaved:
            left.append(("  with unsaved changes", "accent"))
        left += engine_pieces(self.state.engine, self.run.engine, cast("KimituiApp", self.app).engine)
        mark, style = MARKS[state]
        now: list[Piece] = [(f"{mark} {word}  ", style), (format_seconds(self.job.seconds), "strong")]
        crumbs = self.query_one("#crumbs", Bar)
        # A bar leaves out what would take more than half of it, so the most that fits is chosen here.
        for before, after in self._progress():
            right = [*before, *now, *after]
            if sum(len(text) for text, _ in right) + 2 <= self.app.size.width // 2:
                break
        crumbs.show(left, right)

    def _progress(self) -> list[tuple[list[Piece], list[Piece]]]:
        """What stands before and after the time: in full, shorter, not at all."""
        done, count = self.state.steps_done, len(self.state.steps)
        if not count:
            return [([], [])]
        long: list[Piece] = [(f"{done} of {count} steps  ", "dim")]
        short: list[Piece] = [(f"{done}/{count}  ", "dim")]
        if not (seconds := self.run.remaining_seconds):
            return [(long, []), (short, []), ([], [])]
        left = format_seconds(seconds)
        return [(long, [(f"  about {left} left", "dim")]), (short, [(f"  {left} left", "dim")]), (short, []), ([], [])]

    def _message(self) -> tuple[str, str]:
        if self.ended is not None:
            return self.run.summary
        message = self.state.message
        return (message.text, message.level) if message else ("", "info")

    @property
    def _shown_task(self) -> Task | None:
        line = self.query_one("#steps", StepList).current
        return self.state.tasks.get(line.name) if line else None

    def _choose(self) -> None:
        """Show another log; a step that was chosen stays shown."""
        self._following = False
        self._show_selected()

    def _select(self, name: str) -> None:
        steps = self.query_one("#steps", StepList)
        lines = self._lines()
        steps.show(lines, next((index for index, line in enumerate(lines) if line.name == name), None))

    # What keys do

    def action_cancel(self) -> None:
        """End the build, after asking."""
        if self.run.running and not self.job.cancelling:
            ask_to_cancel(self)

    def action_close(self) -> None:
        """Go back; while it runs, ask whether it is to go on."""
        if self.run.running and not self.job.cancelling:
            ask_to_leave(self)
        else:
            self.app.pop_screen()

    def action_retry(self) -> None:
        """Build again, when the build has ended."""
        if self.ended is None:
            return
        app = cast("KimituiApp", self.app)
        self.run = app.build = self.run.again(app.engine)
        self._finished, self._following = False, True
        self.query_one(Keys).show_keys(_RUNNING_KEYS)
        if self._timer:
            self._timer.resume()
        self.pick_up()

    def action_engine(self) -> None:
        """Choose what runs the next build."""
        ask_for_engine(self, self._show)

    def action_follow(self) -> None:
        """Show the step that runs, and its end."""
        self._following = True
        self.query_one("#log", LogView).follow()
        self._show()

    def action_find(self) -> None:
        """Search the log while typing; Esc goes back to what was searched for before."""
        from kimitui.tui.screens.find import Find

        if self._shown_task is None:
            return
        log = self.query_one("#log", LogView)
        before, origin = log.wanted, log.bottom

        def typed(query: str) -> str:
            log.search(query, origin)
            return _found(log).removeprefix(f"“{query}” ")

        def answered(query: str | None) -> None:
            if not query:
                log.search(before if query is None else "", origin)
            self._show_selected()

        self.app.push_screen(Find("", typed=typed, label="Find in the log:"), answered)

    def action_find_next(self, step: int) -> None:
        """Go to the next line that was found, or the one before."""
        log = self.query_one("#log", LogView)
        if log.display and log.wanted:
            log.search_next(step)
            self._show_selected()

    def action_open_log(self) -> None:
        """Open the whole log in the pager."""
        from kimitui.tui.pager import page

        task = self._shown_task
        if task is None or task.log_file is None:
            return
        if problem := page(self.app, task.log_file):
            self.query_one("#message", Bar).show(level_pieces(problem, "warning"))

    def action_scroll_log(self, pages: int) -> None:
        """Scroll the log or the result by pages."""
        self._scroll(lambda height: pages * max(1, height - 1))

    def action_scroll_lines(self, lines: int) -> None:
        """Scroll the log or the result by lines."""
        self._scroll(lambda _height: lines)

    def action_scroll_sideways(self, columns: int) -> None:
        """Scroll the log to the side."""
        self.query_one("#log", LogView).scroll_sideways(columns)

    def action_log_home(self) -> None:
        """Go to the begin of the log."""
        self.query_one("#log", LogView).scroll_to(y=0, animate=False, force=True)

    def action_log_end(self) -> None:
        """Go to the end of the log and follow it."""
        self.query_one("#log", LogView).follow()

    def _scroll(self, lines: Callable[[int], int]) -> None:
        panel, log = self.query_one("#result", Panel), self.query_one("#log", LogView)
        shown = panel if panel.display else log
        shown.scroll_by(lines(shown.size.height))


def _amount(task: Task, now: float) -> str:
    if task.is_download and task.state is State.RUNNING and task.total_bytes:
        return f"{100 * task.done_bytes // task.total_bytes} %"
    seconds = task.elapsed(now)
    return "" if seconds is None else format_seconds(seconds)


def _position(log: LogView, growing: bool) -> list[Piece]:
    """What is found, and whether the end of a growing log is followed."""
    pieces: list[Piece] = [(_found(log), "value")] if log.wanted else []
    if growing and not log.following:
        pieces.append(("  stopped, End follows" if pieces else "stopped, End follows", "warn"))
    return pieces


def _found(log: LogView) -> str:
    if not log.wanted:
        return ""
    at, count = log.found
    if not count:
        return f"no “{log.wanted}”"
    return f"“{log.wanted}” {at} of {count}" if at else f"“{log.wanted}” {count} found"
