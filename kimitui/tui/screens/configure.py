"""The configurator: a menu, what there is to say about the line under the cursor, and the keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen

from kimitui import save_target
from kimitui.config import Configuration
from kimitui.editing import Editing
from kimitui.errors import KimituiError
from kimitui.kconfig.menu import Row
from kimitui.sizes.units import format_size
from kimitui.tui.keymap import hints
from kimitui.tui.screens.files import Files, NoRecovery
from kimitui.tui.screens.keys import MENU_SIGNS
from kimitui.tui.screens.sizes import FitFound, ShownSizes
from kimitui.tui.screens.unsaved import UnsavedQuestion
from kimitui.tui.session import Said, Session
from kimitui.tui.texts import about, reasons
from kimitui.tui.widgets.bar import Bar, Crumbs, Keys, level_pieces
from kimitui.tui.widgets.draw import Piece
from kimitui.tui.widgets.menu_list import MenuList
from kimitui.tui.widgets.panel import Panel

if TYPE_CHECKING:
    from kimitui.tui.app import KimituiApp
    from kimitui.tui.build_run import BuildRun
    from kimitui.tui.session import Level

_KEYS = [
    ("menu.toggle", "toggle"),
    ("menu.open", "open"),
    ("menu.search", "search"),
    ("app.keys", "keys"),
    ("file.save", "save"),
    ("menu.changes", "changes"),
    ("preset.build", "build"),
    ("app.quit", "quit"),
    ("menu.back", "back"),
    ("edit.undo", "undo"),
    ("menu.all", "all"),
    ("app.palette", "commands"),
    ("file.save_as", "save as"),
    ("size.sort", "by size"),
    ("size.fit", "fit"),
]
_PANELS = ("help", "why", "size")


class ConfigureScreen(Screen[None]):
    """Edits one configuration. What can be done is in Session; this shows it and turns keys into calls."""

    KEYS: ClassVar[Sequence[tuple[str, str]]] = _KEYS
    SIGNS: ClassVar = (MENU_SIGNS,)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "act", "open", id="menu.open", tooltip="open a menu, edit a value, choose"),
        Binding("right,l", "enter", "open", id="menu.enter", tooltip="open a menu"),
        Binding("escape,left,h", "back", "back", id="menu.back", tooltip="back to the menu before"),
        Binding("slash", "search", "search", id="menu.search", tooltip="search names, prompts and help"),
        Binding("a", "show_all", "all", id="menu.all", tooltip="show all options, also those that are not offered"),
        Binding("c", "only_changed", "changed", id="menu.changed", tooltip="show only what differs, or everything"),
        Binding("d", "changes", "changes", id="menu.changes", tooltip="list what differs, and take it back"),
        Binding("space", "next_value", "toggle", id="menu.toggle", tooltip="next value, or open"),
        Binding("y", "set('y')", "on", id="edit.on", tooltip="switch on"),
        Binding("m", "set('m')", "module", id="edit.module", tooltip="make it a module"),
        Binding("n", "set('n')", "off", id="edit.off", tooltip="switch off"),
        Binding("u", "undo", "undo", id="edit.undo"),
        Binding("ctrl+r", "redo", "redo", id="edit.redo"),
        Binding("tab,i", "next_panel", "panel", id="help.next", tooltip="help, why it is as it is, or its size"),
        Binding("J", "scroll_help(3)", "scroll down", id="help.down", tooltip="scroll the panel down"),
        Binding("K", "scroll_help(-3)", "scroll up", id="help.up", tooltip="scroll the panel up"),
        Binding("z", "sort_by_size", "by size", id="size.sort", tooltip="the largest first, or in order"),
        Binding("greater_than_sign", "larger", "larger", id="size.larger", tooltip="show only what is larger than"),
        Binding("f", "fit", "fit", id="size.fit", tooltip="propose what to give up to fit into a budget"),
        Binding("s", "save", "save", id="file.save"),
        Binding("S", "save_as", "save as", id="file.save_as", tooltip="save as a new preset"),
        Binding("o", "open_preset", "presets", id="preset.open", tooltip="open another preset"),
        Binding("b", "build", "build", id="preset.build", tooltip="build what is set now"),
        Binding("E", "engine", "engine", id="build.engine", tooltip="choose what runs builds"),
    ]

    def __init__(self, config: Editing) -> None:
        super().__init__()
        self.session = Session(config)
        self.files: Files | NoRecovery = self._look_after()
        self.sizes = ShownSizes(self)
        self._query = ""
        self._panel = _PANELS[0]
        self._panel_key: str | None = None

    def _look_after(self) -> Files | NoRecovery:
        return Files(self)

    def compose(self) -> ComposeResult:
        """Breadcrumbs, menu, help, message, keys."""
        yield Crumbs(id="crumbs")
        with Container(classes="split"):
            yield MenuList(id="menu", classes="first", empty="Nothing is offered here now; a shows all")
            yield Panel(id="help", classes="second")
        yield Bar(id="message", classes="-plain")
        yield Bar(id="size", classes="" if self.sizes.are_there else "-empty")
        yield Keys(self.KEYS)

    def on_mount(self) -> None:
        """Show the main menu."""
        self._show_menu()
        self._list.focus()
        self.watch(self._list, "cursor", self._describe, init=False)
        self.say_remarks()
        self.files.begin()
        self.call_after_refresh(self.sizes.begin)

    def on_unmount(self) -> None:
        """Keep what is unsaved, unless it was given up."""
        self.sizes.end()
        self.files.end()

    def tell_build_goes_on(self) -> None:
        """A build goes on while one configures."""
        self.say(Said("The build goes on; b comes back to it"))
        self._show_crumbs()

    def tell_build_ended(self, run: BuildRun) -> None:
        """A build that went on meanwhile has ended."""
        text, level = run.summary
        self.say(Said(f"{text} · b shows it", cast("Level", level)))
        self.sizes.look_again()
        self._show_crumbs()

    def keep(self) -> None:
        """The program ends: keep what is unsaved."""
        self.files.keep()

    def part(self) -> None:
        """The work here is given up."""
        self.files.give_up()

    def refresh_menu(self) -> None:
        """Show the open menu as it is now."""
        self.sizes.look_again()
        self._show_menu()

    def on_screen_resume(self) -> None:
        """Another screen was in front, and may have built an image; and what came meanwhile is to be seen."""
        self.sizes.look_again()
        if self.session.live is not None:
            self._show_menu()

    def on_sizes_changed(self) -> None:
        """More sizes are known; a screen on top of this one may show them, too."""
        if show := getattr(self.app.screen, "show_sizes", None):
            show()
            return
        if row := self._row:
            self.session.remember(row)
        self._show_menu()

    def parting_question(self) -> UnsavedQuestion | None:
        """What to ask before this screen's work is given up."""
        return UnsavedQuestion(self) if self.session.unsaved else None

    # What is shown

    def say_remarks(self) -> None:
        """Say what of the file is not in force."""
        if remarks := self.session.config.remarks:
            more = f" (and {len(remarks) - 1} more)" if len(remarks) > 1 else ""
            self.say(Said(f"{remarks[0][:1].upper()}{remarks[0][1:]}{more}", "warning"))

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
        nothing = "Nothing here has changed; c shows everything" if self.session.only_changed else ""
        self._list.show(lines, self.session.cursor(lines), empty=nothing or "Nothing is offered here now; a shows all")
        self._show_crumbs()
        self._show_help()
        self.sizes.show()

    def _show_crumbs(self) -> None:
        *before, last = self.session.crumbs
        left: list[Piece] = [(f"{crumb} › ", "dim") for crumb in before] + [(last, "title")]
        right: list[Piece] = [("(changed only)  ", "accent")] if self.session.only_changed else []
        right += [("(all)  ", "accent")] if self.session.show_all else []
        right += [("(by size)  ", "accent")] if self.session.by_size else []
        larger = self.session.larger_than
        right += [(f"(> {format_size(larger)})  ", "accent")] if larger is not None else []
        build = cast("KimituiApp", self.app).build
        right += [("• building  ", "accent")] if build and build.running else []
        right += [("~ unsaved  ", "accent")] if self.session.unsaved else []
        self.query_one("#crumbs", Bar).show(left, [*right, (self.session.config.name, "strong")])

    def _show_help(self) -> None:
        panel, row = self.query_one("#help", Panel), self._row
        if row is None:
            panel.show(())
            return
        corner = self._corner(self._next_panel)
        if self._panel == "size" and self.session.live is not None:
            panel.show(self.sizes.panel(row, corner))
            return
        info = self.session.info(row)
        if self._panel == "why":
            now, changed = self.session.now_words(row), self.session.changed_words(row)
            panel.show(reasons(info, corner, now=now, changed=changed))
        else:
            panel.show(about(info, self.session.inside(row), corner))

    @property
    def _next_panel(self) -> str:
        panels = _PANELS if self.session.live is not None else _PANELS[:2]
        return panels[(panels.index(self._panel) + 1) % len(panels)] if self._panel in panels else panels[0]

    def _corner(self, other: str) -> str:
        """What the key for the other panel gives."""
        if self._panel_key is None:
            keys = hints(self.BINDINGS, cast("KimituiApp", self.app).keymap, [("help.next", "")])
            self._panel_key = keys[0][0] if keys else ""
        return f"{self._panel_key}: {other}" if self._panel_key else ""

    def _describe(self) -> None:
        self.sizes.pause()
        if row := self._row:
            self.session.remember(row)
        self._show_help()

    def on_crumbs_chosen(self, event: Crumbs.Chosen) -> None:
        """Go to the menu whose name was clicked."""
        if self.session.leave_to(event.index):
            self._show_menu()

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
            self._change(lambda: self.session.set(row, "y"))
            self.action_back()
        elif row.is_switch:
            self.action_next_value()
        else:
            self.say(Said(f"There is nothing in {row.prompt} now", "warning"))

    def action_enter(self) -> None:
        """Open what is under the cursor."""
        if row := self._row:
            self._enter(row)

    def action_back(self) -> None:
        """Go to the menu before; from the main menu to the list of presets."""
        if self.session.leave():
            self._show_menu()
        else:
            self.action_open_preset()

    def action_next_value(self) -> None:
        """Give what is under the cursor its next value."""
        row = self._row
        if row is None:
            return
        if row.is_switch:
            self._change(lambda: self.session.toggle(row))
        else:
            self.action_act()  # what has no box is opened or edited by the same key

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

    def action_only_changed(self) -> None:
        """Show only what differs from what the preset extends, or everything."""
        self.session.only_changed = not self.session.only_changed
        only = f"Only what differs from {self.session.base_name} is shown"
        self._change(lambda: Said(only if self.session.only_changed else "What has not changed is shown again"))

    def action_sort_by_size(self) -> None:
        """Put the largest first, or in order again."""
        self._change(self.sizes.sort)

    def action_larger(self) -> None:
        """Show only what would change more than so many bytes."""
        self.sizes.ask_larger()

    def action_fit(self) -> None:
        """Propose what to give up so that the image fits into a budget."""
        self.sizes.ask_budget()

    def on_fit_found(self, event: FitFound) -> None:
        """What to give up is known."""
        self.sizes.propose(event)

    def change(self, action: Callable[[], Said]) -> None:
        """Do something to what is edited and show the outcome."""
        self._change(action)

    def action_changes(self) -> None:
        """Show what differs from what the preset extends, and go to what was chosen there."""
        from kimitui.tui.screens.changes import ChangesScreen

        def answered(row: Row | None) -> None:
            self.say(self.session.jump(row) if row else None)
            self._show_menu()

        if row := self._row:
            self.session.remember(row)
        self.app.push_screen(ChangesScreen(self.session), answered)

    def action_next_panel(self) -> None:
        """Show the help, why it is as it is, or where its bytes go."""
        self._panel = self._next_panel
        self._show_help()

    def action_open_preset(self) -> None:
        """Go to the list of presets."""
        cast("KimituiApp", self.app).leave(self._to_presets)

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

        config = self.session.config
        assert isinstance(config, Configuration)
        open_build(cast("KimituiApp", self.app), config, unsaved=self.session.unsaved)

    def action_engine(self) -> None:
        """Choose what runs builds."""
        from kimitui.tui.screens.engine import ask_for_engine

        ask_for_engine(self)

    def action_scroll_help(self, lines: int) -> None:
        """Scroll the help."""
        self.query_one("#help", Panel).scroll_by(lines)

    def save(self, then: Callable[[], None] | None = None) -> None:
        """Save where it came from; `then` is called if that went well."""
        path = self.session.config.path
        if not self.session.unsaved and not self.files.changed_on_disk:
            self.say(Said(f"Nothing has changed since {path} was saved"))
        elif reason := save_target.refusal(path):
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
            self.sizes.look_again()
            if then:
                then()

    def _attempt(self, action: Callable[[], Said]) -> bool:
        try:
            said = action()
            self.say(said)
        except KimituiError as error:
            cast("KimituiApp", self.app).show_error(error)
            return False
        self._show_menu()
        if said.alternatives:
            self._offer(said)
        return True

    def _offer(self, said: Said) -> None:
        """Let the user choose among the ways to get what was refused."""
        from kimitui.tui.screens.dialogs import Ways

        row = self._row

        def answered(number: int | None) -> None:
            if number is not None and row is not None:
                self._change(lambda: self.session.apply(row, said.alternatives[number]))

        self.app.push_screen(Ways(said.text, [way.text for way in said.alternatives]), answered)

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

        words = self.session.edit_words(row)
        check = partial(self.session.problem, row)
        self.app.push_screen(Edit(row.prompt, row.value, check=check, note=lambda text: words), answered)

    def _to_presets(self) -> None:
        from kimitui.tui.screens.start import StartScreen

        if isinstance(self.app.screen_stack[-2], StartScreen):
            self.app.pop_screen()
        else:
            self.app.switch_screen(StartScreen(self.session.config.name))
