"""The application: which screen is first, and what every screen shares."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from textual.app import App
from textual.binding import Binding, BindingType

from kimitui.errors import KimituiError
from kimitui.tui.job import Builder, real_builder
from kimitui.tui.theme import DARK, styles_by_name

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from textual.timer import Timer

    from kimitui.config import Configuration
    from kimitui.tui.build_run import BuildRun

WIDE = 100
"""From this many columns on, things are beside each other rather than below."""

_LAST_SECONDS = 2.0
_LOOKS = 4  # per second, at a build whose screen is not open

_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]


class Question(Protocol):
    """Something to ask before work is given up."""

    def ask(self, app: App[int], then: Callable[[], None]) -> None:
        """Ask, and go on with `then` unless the user wants to stay."""
        ...


class KimituiApp(App[int]):
    """The configurator. `builder` can be replaced, for tests."""

    TITLE = "kimitui"
    CSS_PATH = "kimitui.tcss"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = _BREAKPOINTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q,ctrl+c", "leave", "quit", id="app.quit", priority=True),
    ]

    def __init__(
        self,
        reference: str | None = None,
        *,
        cache_dir: Path,
        out_dir: Path,
        ascii_only: bool = False,
        builder: Builder | None = None,
    ) -> None:
        """Raises KimituiError if the preset `reference` cannot be opened."""
        self.ascii_only = ascii_only
        self.builder = builder or real_builder(cache_dir, out_dir)
        self.build: BuildRun | None = None
        self._watching: Timer | None = None
        self._event_loop: AbstractEventLoop | None = None
        self.out_dir = out_dir
        self._config: Configuration | None = None
        if reference is not None:
            from kimitui.config import Configuration

            self._config = Configuration.open(reference)
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name
        self.styles_by_name = styles_by_name(self.get_css_variables())
        self.set_class(ascii_only, "-ascii")
        if ascii_only:
            _plain_scroll_bars()

    def on_mount(self) -> None:
        """Open the first screen: the preset that was asked for, else the list of presets."""
        self._event_loop = asyncio.get_running_loop()
        if self._config is not None:
            from kimitui.tui.screens.configure import ConfigureScreen

            self.push_screen(ConfigureScreen(self._config))
        else:
            from kimitui.tui.screens.start import StartScreen

            self.push_screen(StartScreen())

    def action_leave(self) -> None:
        """Quit, after asking about what would be lost."""
        from kimitui.tui.screens.build_questions import RunningQuestion

        first = [RunningQuestion(self.build)] if self.build and self.build.running else []
        self.leave(lambda: self.exit(0), first)

    def leave(self, then: Callable[[], None], first: Sequence[Question] = ()) -> None:
        """Call `then` once every open screen agrees that its work may be given up; `first` is asked before that."""
        from kimitui.tui.screens.dialogs import Dialog

        if isinstance(self.screen, Dialog):
            self.screen.dismiss(None)
            return
        screens = list(reversed(self.screen_stack))
        asked = [getattr(screen, "parting_question", lambda: None)() for screen in screens]
        questions = [*first, *(question for question in asked if question)]

        def go_on() -> None:
            if questions:
                questions.pop(0).ask(self, go_on)
                return
            for screen in screens:
                getattr(screen, "part", lambda: None)()
            then()

        go_on()

    def hang_up(self, signal_number: int) -> None:
        """End at once, without asking, as a signal wants it: no build stays behind, and what is unsaved is kept.

        For a signal handler: it only says what is to happen, because it may interrupt anything.
        """
        if self._event_loop is not None:
            self._event_loop.call_soon_threadsafe(self._hung_up, 128 + signal_number)
        threading.Thread(target=self._see_to_the_end, args=(128 + signal_number,), daemon=True).start()

    def _hung_up(self, code: int) -> None:
        for screen in self.screen_stack:
            getattr(screen, "keep", lambda: None)()
        self.exit(return_code=code)

    def _see_to_the_end(self, code: int) -> None:
        self.end_build()
        # Textual waits for ever for a terminal that is gone to take what it has to write.
        threading.main_thread().join(_LAST_SECONDS)
        os._exit(code)

    def go_on_building(self) -> None:
        """The build is not looked at any more: take in what it says now and then, and tell when it has ended."""
        if self._watching:
            self._watching.stop()
        self._watching = self.set_interval(1 / _LOOKS, self._look_at_build)
        for screen in self.screen_stack:
            getattr(screen, "tell_build_goes_on", lambda: None)()

    def _look_at_build(self) -> None:
        from kimitui.tui.screens.build import BuildScreen

        run = self.build
        if run is None or run.seen:
            if self._watching:
                self._watching.stop()
            return
        if any(isinstance(screen, BuildScreen) for screen in self.screen_stack):
            return  # it is looked at again, or its screen is still closing
        run.pick_up()
        if run.ended is not None:
            if self._watching:
                self._watching.stop()
            for screen in self.screen_stack:
                getattr(screen, "tell_build_ended", lambda _run: None)(run)

    def end_build(self) -> None:
        """Do not leave a build behind."""
        if self.build:
            self.build.give_up()

    def show_error(self, error: KimituiError) -> None:
        """Show an error in a dialog."""
        from kimitui.tui.screens.dialogs import Notice

        self.push_screen(Notice(error))


def _plain_scroll_bars() -> None:
    from textual.scrollbar import ScrollBar, ScrollBarRender

    class Plain(ScrollBarRender):
        """Ends without fractions of characters, which ASCII has none of."""

        VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
        HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8

    ScrollBar.renderer = Plain
