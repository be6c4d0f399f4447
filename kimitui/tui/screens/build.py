"""The build: what is done, what is going on, what it says, and what came out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen

from kimitui.build.state import BuildState, State, Task, format_seconds
from kimitui.config import Configuration
from kimitui.errors import CancelledError
from kimitui.tui.job import Builder, Job
from kimitui.tui.outcome import outcome_text
from kimitui.tui.widgets.bar import Bar, Keys, level_pieces
from kimitui.tui.widgets.draw import Piece
from kimitui.tui.widgets.log_view import LogView
from kimitui.tui.widgets.panel import Panel
from kimitui.tui.widgets.step_list import MARKS, StepLine, StepList

if TYPE_CHECKING:
    from textual.timer import Timer

_REFRESHES = 20  # per second
_RESULT = "result"
_PATIENCE = 10.0  # seconds to let a cancelled build clean up before the program ends

_RUNNING_KEYS = [("c", "cancel"), ("↑↓", "step"), ("PgUp PgDn", "log"), ("f", "follow"), ("?", "keys"), ("q", "quit")]
_ENDED_KEYS = [
    ("Esc", "back"),
    ("r", "build again"),
    ("↑↓", "step"),
    ("PgUp PgDn", "log"),
    ("?", "keys"),
    ("q", "quit"),
]


@dataclass(frozen=True)
class RunningQuestion:
    """Asks before a running build is given up."""

    screen: BuildScreen

    def ask(self, app: App[int], then: Callable[[], None]) -> None:
        """Ask; the build is ended before `then`."""
        from kimitui.tui.screens.dialogs import Ask

        def answered(answer: str | None) -> None:
            if answer == "y":
                self.screen.give_up()
                then()

        text = ["What is finished stays in the cache, and the next build goes on from there."]
        app.push_screen(Ask("Cancel the build that is running?", text, [("y", "cancel it")]), answered)


class BuildScreen(Screen[None]):
    """Runs a builder on the configuration as it is when the screen opens, and shows what it does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "cancel", "cancel", id="build.cancel"),
        Binding("escape", "close", "cancel, back", id="build.close"),
        Binding("r", "retry", "build again", id="build.retry"),
        Binding("pageup", "scroll_log(-1)", "log up", id="log.up", priority=True),
        Binding("pagedown", "scroll_log(1)", "log down", id="log.down", priority=True),
        Binding("left,h", "scroll_sideways(-8)", "log left", id="log.left"),
        Binding("right,l", "scroll_sideways(8)", "log right", id="log.right"),
        Binding("home,g", "log_home", "begin of the log", id="log.home", priority=True),
        Binding("end,G", "log_end", "end of the log", id="log.end", priority=True),
        Binding("f", "follow", "follow", id="build.follow"),
    ]

    def __init__(self, config: Configuration, builder: Builder, *, unsaved: bool = False) -> None:
        super().__init__()
        self._config = config
        self._builder = builder
        self._unsaved = unsaved
        self._following = True
        self._timer: Timer | None = None
        self._begin()

    def _begin(self) -> None:
        self.state = BuildState()
        self.ended: State | None = None
        self._following = True
        # A copy, made before the thread begins: the tree is not made for being read and changed at once.
        self.job = Job(self._builder, self._config.copy())
        self.job.start()

    def compose(self) -> ComposeResult:
        """Steps, log or result, message, keys."""
        yield Bar(id="crumbs")
        with Container(classes="split -log"):
            yield StepList(id="steps", classes="first", empty="Preparing")
            with Container(classes="second"):
                yield LogView(id="log")
                yield Panel(id="result")
        yield Bar(id="message", classes="-plain")
        yield Keys(_RUNNING_KEYS)

    def on_mount(self) -> None:
        """Look for events from now on."""
        self.query_one("#steps", StepList).focus()
        self._show_result(False)
        self._timer = self.set_interval(1 / _REFRESHES, self.pick_up)
        self.pick_up()

    def on_unmount(self) -> None:
        """Do not leave a build behind."""
        self.job.cancel()

    def parting_question(self) -> RunningQuestion | None:
        """What to ask before this screen's work is given up."""
        return RunningQuestion(self) if self.job.running else None

    def give_up(self) -> None:
        """Cancel, and wait until the build has cleaned up behind itself."""
        self.job.cancel()
        self.job.wait(_PATIENCE)

    # What comes in

    def pick_up(self) -> None:
        """Take in what the build said since the last time, and show it."""
        running = self.job.running  # asked first: what comes before the end must not be lost
        events = self.job.drain()
        for event in events:
            self.state.apply(event)
        if not running and self.ended is None and not events:
            self._end()
        self._show()

    def _end(self) -> None:
        if self.job.error is None:
            self.ended = State.DONE
        elif isinstance(self.job.error, CancelledError) or self.job.cancelling:
            self.ended = State.CANCELLED
        else:
            self.ended = State.FAILED
        self.state.end(self.ended, self.job.seconds)
        self.query_one(Keys).show_keys(_ENDED_KEYS)
        text = outcome_text(self.ended, self.job, self.state)
        self.query_one("#result", Panel).show(text)
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
        if self._following and self.ended is None and self.state.newest:
            self._select(self.state.newest)
        self._show_selected()
        self._show_title()
        self._show_message()

    def _lines(self) -> list[StepLine]:
        now = self.job.seconds
        tasks = sorted(
            self.state.tasks.values(), key=lambda task: (not task.is_download, task.name in self.state.steps)
        )
        lines = [StepLine(task.name, task.state, _amount(task, now)) for task in tasks]
        if self.ended is not None:
            lines.append(StepLine(_RESULT, self.ended, format_seconds(now)))
        return lines

    def _show_selected(self) -> None:
        line = self.query_one("#steps", StepList).current
        self._show_result(line is not None and line.name == _RESULT and self.ended is not None)
        log = self.query_one("#log", LogView)
        if line is not None and (task := self.state.tasks.get(line.name)):
            log.show(task.log)
        log.refresh_log()

    def _show_result(self, shown: bool) -> None:
        self.query_one("#result", Panel).display = shown
        self.query_one("#log", LogView).display = not shown

    def _show_title(self) -> None:
        state = self.ended or State.RUNNING
        arch = f" for {self.state.arch}" if self.state.arch else ""
        word = "cancelling" if self.job.cancelling and self.ended is None else state.value
        left: list[Piece] = [(f"{self._config.name} › ", "dim"), (f"build{arch}", "title")]
        if self._unsaved:
            left.append(("  with unsaved changes", "accent"))
        steps = f"{self.state.steps_done} of {len(self.state.steps)} steps  " if self.state.steps else ""
        mark, style = MARKS[state]
        right = [(steps, "dim"), (f"{mark} {word}  ", style), (format_seconds(self.job.seconds), "strong")]
        self.query_one("#crumbs", Bar).show(left, right)

    def _show_message(self) -> None:
        bar = self.query_one("#message", Bar)
        if self.ended is State.CANCELLED:
            bar.show(level_pieces("The build was cancelled", "warning"))
        elif self.ended is State.FAILED:
            bar.show(level_pieces(str(getattr(self.job.error, "what", self.job.error)), "error"))
        elif self.ended is State.DONE:
            bar.show(level_pieces(f"Built in {format_seconds(self.job.seconds)}", "good"))
        elif message := self.state.message:
            bar.show(level_pieces(message.text, message.level))
        else:
            bar.show(())

    def on_listing_moved(self) -> None:
        """Show the log of another step, and stop following."""
        self._following = False
        self._show_selected()

    def on_listing_pressed(self) -> None:
        """A click is a choice, too."""
        self._following = False

    def _select(self, name: str) -> None:
        steps = self.query_one("#steps", StepList)
        lines = self._lines()
        steps.show(lines, next((index for index, line in enumerate(lines) if line.name == name), None))

    # What keys do

    def action_cancel(self) -> None:
        """End the build."""
        if self.job.running:
            self.job.cancel()
            self._show_title()

    def action_close(self) -> None:
        """Cancel while it runs; afterwards go back."""
        if self.job.running:
            self.action_cancel()
        else:
            self.app.pop_screen()

    def action_retry(self) -> None:
        """Build again, when the build has ended."""
        if self.job.running or self.ended is None:
            return
        self._begin()
        self.query_one(Keys).show_keys(_RUNNING_KEYS)
        if self._timer:
            self._timer.resume()
        self.pick_up()

    def action_follow(self) -> None:
        """Show the step that runs, and its end."""
        self._following = True
        self.query_one("#log", LogView).follow()
        self._show()

    def action_scroll_log(self, pages: int) -> None:
        """Scroll the log or the result."""
        panel, log = self.query_one("#result", Panel), self.query_one("#log", LogView)
        shown = panel if panel.display else log
        shown.scroll_by(pages * max(1, shown.size.height - 1))

    def action_scroll_sideways(self, columns: int) -> None:
        """Scroll the log to the side."""
        self.query_one("#log", LogView).scroll_sideways(columns)

    def action_log_home(self) -> None:
        """Go to the begin of the log."""
        self.query_one("#log", LogView).scroll_to(y=0, animate=False, force=True)

    def action_log_end(self) -> None:
        """Go to the end of the log and follow it."""
        self.query_one("#log", LogView).follow()


def _amount(task: Task, now: float) -> str:
    if task.is_download and task.state is State.RUNNING and task.total_bytes:
        return f"{100 * task.done_bytes // task.total_bytes} %"
    seconds = task.elapsed(now)
    return "" if seconds is None else format_seconds(seconds)
