"""The configurator: a menu, what there is to say about the line under the cursor, and the keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen

from kimitui import save_target
from kimitui.config import Configuration
from kimitui.errors import KimituiError
from kimitui.kconfig.menu import Row
from kimitui.tui.screens.files import Files
from kimitui.tui.screens.unsaved import UnsavedQuestion
from kimitui.tui.session import Said, Session
from kimitui.tui.texts import about
from kimitui.tui.widgets.bar import Bar, Crumbs, Keys, level_pieces
from kimitui.tui.widgets.draw import Piece
from kimitui.tui.widgets.menu_list import MenuList
from kimitui.tui.widgets.panel import Panel

if TYPE_CHECKING:
    from kimitui.tui.app import KimituiApp
    from kimitui.tui.build_run import BuildRun
    from kimitui.tui.session import Level

_KEYS = [
    ("Space", "toggle"),
    ("Enter", "open"),
    ("/", "search"),
    ("s", "save"),
    ("b", "build"),
    ("?", "keys"),
    ("q", "quit"),
    ("Esc", "back"),
    ("u", "undo"),
    ("a", "all"),
    ("S", "save as"),
]


class ConfigureScreen(Screen[None]):
    """Edits one configuration. What can be done is in Session; this shows it and turns keys into calls."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "act", "open", id="menu.open"),
        Binding("right,l", "enter", "open", id="menu.enter"),
        Binding("escape,left,h", "back", "back", id="menu.back"),
        Binding("space", "next_value", "toggle", id="menu.toggle"),
        Binding("y", "set('y')", "on", id="menu.on"),
        Binding("n", "set('n')", "off", id="menu.off"),
        Binding("m", "set('m')", "module", id="menu.module"),
        Binding("slash", "search", "search", id="menu.search"),
        Binding("a", "show_all", "show all", id="menu.all"),
        Binding("u", "undo", "undo", id="edit.undo"),
        Binding("ctrl+r", "redo", "redo", id="edit.redo"),
        Binding("s", "save", "save", id="preset.save"),
        Binding("S", "save_as", "save as", id="preset.save_as"),
        Binding("b", "build", "build", id="preset.build"),
        Binding("J", "scroll_help(3)", "scroll the help", id="help.down"),
        Binding("K", "scroll_help(-3)", "scroll the help", id="help.up"),
        Binding("question_mark", "keys", "keys", id="menu.keys"),
        Binding("q", "app.leave", "quit", id="menu.quit"),
    ]

    def __init__(self, config: Configuration) -> None:
        super().__init__()
        self.session = Session(config)
        self.files = Files(self)
        self._query = ""

    def compose(self) -> ComposeResult:
        """Breadcrumbs, menu, help, message, keys."""
        yield Crumbs(id="crumbs")
        with Container(classes="split"):
            yield MenuList(id="menu", classes="first", empty="Nothing is offered here now; a shows all")
            yield Panel(id="help", classes="second")
        yield Bar(id="message", classes="-plain")
        yield Keys(_KEYS)

    def on_mount(self) -> None:
        """Show the main menu."""
        self._show_menu()
        self._list.focus()
        if self.session.config.overridden:
            lost = self.session.config.overridden
            first = f"{lost[0].section}.{lost[0].key} {lost[0].reason}"
            more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
            self.say(Said(f"Asked for by an extended preset and not there: {first}{more}", "warning"))

        self.files.begin()

    def on_unmount(self) -> None:
        """Keep what is unsaved, unless it was given up."""
        self.files.end()

    def tell_build_goes_on(self) -> None:
        """A build goes on while one configures."""
        self.say(Said("The build goes on; b comes back to it"))
        self._show_crumbs()

    def tell_build_ended(self, run: BuildRun) -> None:
        """A build that went on meanwhile has ended."""
        text, level = run.summary
        self.say(Said(f"{text} · b shows it", cast("Level", level)))
        self._show_crumbs()

    def keep(self) -> None:
        """The program ends: keep what is unsaved."""
        self.files.keep()

    def part(self) -> None:
        """The work here is given up."""
        self.files.give_up()

    def refresh_menu(self) -> None:
        """Show the open menu as it is now."""
        self._show_menu()

    def parting_question(self) -> UnsavedQuestion | None:
        """What to ask before this screen's work is given up."""
        return UnsavedQuestion(self) if self.session.unsaved else None

    # What is shown

    def say(self, said: Said | None) -> None:
        """Show a message, or none."""
        self.query_one("#message", Bar).show(level_pieces(said.text, said.level) if said else ())

    @property
    def _list(self) -> MenuList:
        return self.query_one("#menu", MenuList)

    @property
    def _row(self) -> Row | None:
        line = self._list.current
        return line.row if line else None

    def _show_menu(self) -> None:
        lines = self.session.lines()
        self._list.show(lines, self.session.cursor(lines))
        self._show_crumbs()
        self._show_help()

    def _show_crumbs(self) -> None:
        *before, last = self.session.crumbs
        left: list[Piece] = [(f"{crumb} › ", "dim") for crumb in before] + [(last, "title")]
        right: list[Piece] = [("(all)  ", "dim")] if self.session.show_all else []
        build = cast("KimituiApp", self.app).build
        right += [("• building  ", "accent")] if build and build.running else []
        right += [("~ unsaved  ", "accent")] if self.session.unsaved else []
        self.query_one("#crumbs", Bar).show(left, [*right, (self.session.config.name, "strong")])

    def _show_help(self) -> None:
        row = self._row
        self.query_one("#help", Panel).show(about(self.session.info(row), self.session.inside(row)) if row else ())

    def on_listing_moved(self) -> None:
        """Describe another line."""
        if row := self._row:
            self.session.remember(row)
        self._show_help()

    def on_listing_pressed(self, event: MenuList.Pressed) -> None:
        """A click on the box toggles, a second click elsewhere opens."""
        if self._list.is_box(event.index, event.column):
            self.action_next_value()
        elif event.times > 1:
            self.action_act()

    # What keys do

    def action_act(self) -> None:
        """Open, edit or choose what is under the cursor."""
        row = self._row
        if row is None or self._enter(row):
            return
        if row.kind in ("string", "int", "hex"):
            self._edit(row)
        elif row.kind == "member":
            self._change(lambda: self.session.toggle(row))
            self.action_back()
        else:
            self.action_next_value()

    def action_enter(self) -> None:
        """Open what is under the cursor."""
        if row := self._row:
            self._enter(row)

    def action_back(self) -> None:
        """Go to the menu before; from the main menu to the list of presets."""
        if self.session.leave():
            self._show_menu()
        else:
            cast("KimituiApp", self.app).leave(self._to_presets)

    def action_next_value(self) -> None:
        """Give what is under the cursor its next value."""
        if row := self._row:
            self._change(lambda: self.session.toggle(row))

    def action_set(self, value: str) -> None:
        """Set what is under the cursor."""
        if row := self._row:
            self._change(lambda: self.session.set(row, value))

    def action_undo(self) -> None:
        """Take the last change back."""
        self._change(self.session.undo)

    def action_redo(self) -> None:
        """Do again what was undone."""
        self._change(self.session.redo)

    def action_show_all(self) -> None:
        """Show or hide what is not offered."""
        self.session.show_all = not self.session.show_all
        shown = "All options are shown" if self.session.show_all else "Only what is offered is shown"
        self._change(lambda: Said(shown))

    def action_search(self) -> None:
        """Search, and go to what was found."""
        from kimitui.tui.screens.search import SearchScreen

        screen = SearchScreen(self.session, self._query)

        def answered(row: Row | None) -> None:
            self._query = screen.query_text
            if row:
                self.say(self.session.jump(row))
                self._show_menu()

        self.app.push_screen(screen, answered)

    def action_save(self) -> None:
        """Save."""
        self.save()

    def action_save_as(self) -> None:
        """Ask for a name and save as a preset that extends this one."""
        from kimitui.tui.screens.save import save_as

        save_as(self)

    def action_build(self) -> None:
        """Build what is set now."""
        from kimitui.tui.screens.build import open_build

        open_build(cast("KimituiApp", self.app), self.session.config, unsaved=self.session.unsaved)

    def action_scroll_help(self, lines: int) -> None:
        """Scroll the help."""
        self.query_one("#help", Panel).scroll_by(lines)

    def action_keys(self) -> None:
        """Show the keys."""
        from kimitui.tui.screens.dialogs import KeysHelp
        from kimitui.tui.screens.keys import CONFIGURE

        self.app.push_screen(KeysHelp(CONFIGURE))

    def save(self, then: Callable[[], None] | None = None) -> None:
        """Save where the preset came from; `then` is called if that went well."""
        preset = self.session.config.preset
        if not self.session.unsaved and not self.files.changed_on_disk:
            self.say(Said(f"Nothing has changed since {preset.path} was saved"))
        elif reason := save_target.refusal(preset.path):
            self.say(Said(f"{reason} (S)", "warning"))
            self.action_save_as()
        else:
            self.files.before_saving(lambda: self._save(self.session.save, then))

    def attempt_save(self, save: Callable[[], Said]) -> None:
        """Save by `save` and show the outcome."""
        self._save(save)

    def _save(self, save: Callable[[], Said], then: Callable[[], None] | None = None) -> None:
        if self._attempt(save):
            self.files.saved()
            if then:
                then()

    def _attempt(self, action: Callable[[], Said]) -> bool:
        try:
            self.say(action())
        except KimituiError as error:
            cast("KimituiApp", self.app).show_error(error)
            return False
        self._show_menu()
        return True

    def _change(self, action: Callable[[], Said]) -> None:
        if row := self._row:
            self.session.remember(row)
        self._attempt(action)

    def _enter(self, row: Row) -> bool:
        if not self.session.enter(row):
            return False
        self.say(None)
        self._show_menu()
        return True

    def _edit(self, row: Row) -> None:
        from kimitui.tui.screens.dialogs import Edit

        def answered(text: str | None) -> None:
            if text is not None:
                self._change(lambda: self.session.set(row, text))

        self.app.push_screen(Edit(row.prompt, row.value, check=partial(self.session.problem, row)), answered)

    def _to_presets(self) -> None:
        from kimitui.tui.screens.start import StartScreen

        if isinstance(self.app.screen_stack[-2], StartScreen):
            self.app.pop_screen()
        else:
            self.app.switch_screen(StartScreen())
