"""The application: which screen is first, and what every screen shares."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.filter import LineFilter, NoColor
from textual.message_pump import MessagePump
from textual.widget import Widget

from kimitui.errors import KimituiError
from kimitui.tui import settings, theme
from kimitui.tui.job import Builder, real_builder

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from textual.screen import Screen
    from textual.timer import Timer

    from kimitui.build.engines import Choice
    from kimitui.editing import Editing
    from kimitui.tui.build_run import BuildRun
    from kimitui.tui.keymap import Keymap

WIDE = 100
"""From this many columns on, things are beside each other rather than below."""

_LAST_SECONDS = 2.0
_LOOKS = 4  # per second, at a build whose screen is not open

_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]
_PATIENCE = 2.0  # seconds to wait for what earlier keys started; a screen that hangs must not take the keyboard with it
_SCREENS_AT_ONCE = 4  # how many screens one key may open or close in a row
_NO_COLOUR = NoColor()
_HINT = "First time here? ↑ ↓ and Enter move about, Space switches, ? lists all keys"


class Question(Protocol):
    """Something to ask before work is given up."""

    def ask(self, app: App[int], then: Callable[[], None]) -> None:
        """Ask, and go on with `then` unless the user wants to stay."""
        ...


class KimituiApp(App[int]):
    """The configurator. `builder` can be replaced, for tests.

    `when_painted` is called when the first screen is there. `keymap` are the actions whose keys the user changed.
    `theme_choice` is the theme by the name that users know. `engine` is what runs builds, until the program ends.
    """

    TITLE = "kimitui"
    CSS_PATH = "kimitui.tcss"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = _BREAKPOINTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("colon,ctrl+p", "palette", "commands", id="app.palette", tooltip="find a command by its name"),
        Binding("question_mark", "keys", "keys", id="app.keys", tooltip="these keys"),
        Binding("q", "leave", "quit", id="app.quit"),
        Binding("ctrl+q,ctrl+c", "leave", "quit", id="app.quit_at_once", tooltip="quit from anywhere", priority=True),
    ]

    def __init__(
        self,
        opened: str | Editing | None = None,
        *,
        cache_dir: Path,
        out_dir: Path,
        ascii_only: bool = False,
        builder: Builder | None = None,
        theme_choice: str | None = None,
        live_sizes: bool = True,
        engine: Choice = "auto",
    ) -> None:
        """`opened` is a preset's name or path, or what is to be edited; without it there is a list of presets.

        `theme_choice` None is what the settings say; without `live_sizes` none are shown. Raises KimituiError if the
        preset cannot be opened.
        """
        self.ascii_only = ascii_only
        self.cache_dir = cache_dir
        self.live_sizes = live_sizes
        self.builder = builder or real_builder(cache_dir, out_dir)
        self.engine: Choice = engine
        self.build: BuildRun | None = None
        self._watching: Timer | None = None
        self._event_loop: AbstractEventLoop | None = None
        self.out_dir = out_dir
        if isinstance(opened, str):
            from kimitui.config import Configuration

            opened = Configuration.open(opened)
        self._opened = opened
        self.keymap: Keymap = {}
        self.theme_choice = "dark"
        self._settings = settings.read()
        self._hint = False
        self.when_painted: Callable[[], None] = lambda: None
        super().__init__()
        for known in theme.THEMES.values():
            self.register_theme(known)
        self.show_theme(theme_choice or self._settings.theme)
        self.set_class(ascii_only, "-ascii")
        _choose_scroll_bars(plain=ascii_only)
        if self._settings.keys:
            self._set_keys()

    def on_mount(self) -> None:
        """Open the first screen: the preset that was asked for, else the list of presets."""
        self._event_loop = asyncio.get_running_loop()
        if self._opened is not None:
            self.push_screen(_screen_for(self._opened))
        else:
            from kimitui.tui.screens.start import StartScreen

            self.push_screen(StartScreen())
        self.screen.call_after_refresh(self.when_painted)
        for problem in reversed(self._settings.problems):
            self.show_error(problem)
        if settings.is_first_start():
            self.call_after_refresh(self._show_hint)

    # Keys

    async def on_event(self, event: events.Event) -> None:
        """Let a key do all that it does before the next one is looked at.

        Textual passes a key on as soon as it comes. What is typed right behind a key that opens or closes a screen
        would then still go to the screen before.
        """
        if isinstance(event, events.Key) and not event.is_forwarded and self.screen_stack:
            await self._settle()
            if self._hint:
                self.say("", "info")
                self._hint = False
            focused = self.focused
            consumed = focused is not None and focused.check_consume_key(event.key, event.character)
            active = None if consumed else self.screen.active_bindings.get(event.key)
            if active is not None and await self.run_action(active.binding.action, active.node):
                return
        await super().on_event(event)

    async def _settle(self) -> None:
        """Wait until the screen, and the widget that has the focus, have done what earlier keys asked of them."""
        for _ in range(_SCREENS_AT_ONCE):
            screen = self.screen
            for node in (self.focused or screen).ancestors_with_self:
                if isinstance(node, Widget):
                    await _idle(node)
            await self._flush_next_callbacks()  # answers of dialogs
            if self.screen is screen:
                return

    def _show_hint(self) -> None:
        """Say the most important at the very first start; the first key takes it away."""
        from kimitui.tui.widgets.bar import Bar

        if all(bar.text for bar in self.screen.query("#message").results(Bar)):
            return  # no room, or something that matters more is there
        self._hint = True
        self.say(_HINT, "info")
        settings.note_start()

    def _set_keys(self) -> None:
        from kimitui.tui import keymap
        from kimitui.tui.contexts import contexts

        self.keymap, problems = keymap.resolve(self._settings.keys, contexts())
        self._settings.problems += problems
        self.set_keymap(keymap.as_textual(self.keymap))

    # Looks

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What happens to the colours of a line: without colour, none is left, and not shades of grey."""
        # Textual's own turn numbered colours into true ones, which ours are anyway, and all into shades of grey.
        return [_NO_COLOUR] if self.theme_choice == "no-colour" else []

    def show_theme(self, choice: str) -> None:
        """Use a theme, by its name in `theme.CHOICES`, until the program ends."""
        self.theme_choice = theme.resolve(choice)
        self.theme = theme.THEMES[self.theme_choice].name
        coloured = self.theme_choice != "no-colour"
        self.styles_by_name = theme.styles_by_name(self.get_css_variables(), coloured=coloured)

    # What every screen can do

    def action_leave(self) -> None:
        """Quit, after asking about what would be lost."""
        from kimitui.tui.screens.build_questions import RunningQuestion

        first = [RunningQuestion(self.build)] if self.build and self.build.running else []
        self.leave(lambda: self.exit(0), first)

    def action_keys(self) -> None:
        """Show the keys of the open screen."""
        from kimitui.tui.screens.dialogs import KeysHelp
        from kimitui.tui.screens.keys import keys_of

        note = f"The keys of the actions named at the right can be changed in {settings.keys_file()}: "
        note += '{ "file.save": "w", "menu.search": ["/", "ctrl+f"] }'
        self.push_screen(KeysHelp(keys_of(self.screen, self.keymap), note))

    def action_palette(self) -> None:
        """Show the commands of the open screen."""
        from kimitui.tui.screens.palette import PaletteScreen, commands

        self.push_screen(PaletteScreen(commands(self)), lambda command: command.run() if command else None)

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

    def say(self, text: str, level: str = "good") -> None:
        """Show a message on the open screen, if it has a line for messages."""
        from kimitui.tui.widgets.bar import Bar, level_pieces

        for bar in self.screen.query("#message").results(Bar):
            bar.show(level_pieces(text, level))

    def show_error(self, error: KimituiError) -> None:
        """Show an error in a dialog."""
        from kimitui.tui.screens.dialogs import Notice

        self.push_screen(Notice(error))


def _screen_for(config: Editing) -> Screen[None]:
    from kimitui.config import Configuration

    if isinstance(config, Configuration):
        from kimitui.tui.screens.configure import ConfigureScreen

        return ConfigureScreen(config)
    from kimitui.tui.screens.dotconfig import DotConfigScreen

    return DotConfigScreen(config)


async def _idle(pump: MessagePump) -> None:
    """Wait until `pump` has looked at every message that is there for it now."""
    done = asyncio.Event()
    if pump.call_later(done.set):
        try:
            await asyncio.wait_for(done.wait(), _PATIENCE)
        except TimeoutError:
            return


def _choose_scroll_bars(*, plain: bool) -> None:
    from textual.scrollbar import ScrollBar, ScrollBarRender

    class Plain(ScrollBarRender):
        """Ends without fractions of characters, which ASCII has none of."""

        VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
        HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8

    # Textual asks the class, so an app before this one in the same process may have chosen otherwise.
    ScrollBar.renderer = Plain if plain else ScrollBarRender
