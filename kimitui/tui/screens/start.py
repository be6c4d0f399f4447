"""The first screen: which preset?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen

from kimitui import __version__, preset_files, recovery
from kimitui import preset as presets
from kimitui.errors import KimituiError
from kimitui.last_build import last_builds
from kimitui.preset import Preset
from kimitui.preset_files import PresetFile
from kimitui.recovery import Draft, Left
from kimitui.tui.preset_text import about_preset
from kimitui.tui.widgets.bar import Bar, Keys, level_pieces
from kimitui.tui.widgets.panel import Panel
from kimitui.tui.widgets.preset_list import PresetLine, PresetList, preset_lines

if TYPE_CHECKING:
    from kimitui.config import Configuration
    from kimitui.tui.app import KimituiApp
    from kimitui.tui.build_run import BuildRun

_KEYS = [
    ("start.open", "open"),
    ("start.new", "new from this one"),
    ("start.copy", "copy"),
    ("start.delete", "delete"),
    ("start.filter", "filter"),
    ("app.quit", "quit"),
    ("app.keys", "keys"),
]


class StartScreen(Screen[None]):
    """The presets: open one, or make a new one of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,right,l", "open", "open", id="start.open", tooltip="open the preset"),
        Binding("n", "new", "new", id="start.new", tooltip="a new preset that extends this one"),
        Binding("c", "copy", "copy", id="start.copy", tooltip="copy the preset"),
        Binding("d,delete", "delete", "delete", id="start.delete", tooltip="delete it, if it is one of ./presets"),
        Binding("slash", "filter", "filter", id="start.filter", tooltip="show only some"),
        Binding("escape", "show_all", "show all", id="start.all", tooltip="show all again"),
    ]

    def __init__(self, begin: str | None = None) -> None:
        """The cursor begins on the preset with the name `begin`, by default on the first."""
        super().__init__()
        self._begin = begin
        self._files: list[PresetFile] = []
        self._sizes: dict[str, int] = {}
        self._filter = ""

    def compose(self) -> ComposeResult:
        """The list, and what there is to say about the preset under the cursor."""
        yield Bar(id="crumbs")
        with Container(classes="split"):
            yield PresetList(id="presets", classes="first", empty="There are no presets here")
            yield Panel(id="about", classes="second")
        yield Bar(id="message", classes="-plain")
        yield Keys(_KEYS)

    def on_mount(self) -> None:
        """Ask about changes that were left behind."""
        self.call_after_refresh(self._offer, recovery.find_left())
        self.watch(self._list, "cursor", self._describe, init=False)

    def on_screen_resume(self) -> None:
        """A preset may have been saved, or built, meanwhile."""
        self._read()
        self._list.focus()

    def on_listing_pressed(self, event: PresetList.Pressed) -> None:
        """A second click opens."""
        if event.times > 1:
            self.action_open()

    def say(self, text: str, level: str = "info") -> None:
        """Show a message."""
        self.query_one("#message", Bar).show(level_pieces(text, level))

    def tell_build_ended(self, run: BuildRun) -> None:
        """A build that went on meanwhile has ended."""
        self._read()
        self.say(*run.summary)

    # What is shown

    def _read(self, name: str | None = None) -> None:
        """Look at the files again; the cursor goes to the preset `name`, or stays on its preset."""
        self._files = preset_files.preset_files()
        self._sizes = {}
        for file in self._files:
            builds = last_builds(self._app.out_dir, file.preset.name) if file.preset else []
            if builds and (size := builds[0].rootfs_bytes) is not None:
                self._sizes[str(file.path)] = size
        self._show(name)

    def _show(self, name: str | None = None) -> None:
        file = self._file
        wanted = name or (file.name if file else self._begin)
        lines = preset_lines(preset_files.matching(self._files, self._filter), self._sizes)
        first = next((index for index, line in enumerate(lines) if line.file), 0)
        cursor = next((i for i, line in enumerate(lines) if line.file and line.file.name == wanted), first)
        self._list.show(lines, cursor)
        self._describe()
        shown = f"  with “{self._filter}”, Esc shows all" if self._filter else ""
        self.query_one("#crumbs", Bar).show(
            [("Kimigayo OS", "title"), (" › presets", ""), (shown, "accent")], [(f"kimitui {__version__}", "dim")]
        )

    def _describe(self) -> None:
        file = self._file
        builds = last_builds(self._app.out_dir, file.preset.name) if file and file.preset else []
        self.query_one("#about", Panel).show(about_preset(file, builds))

    @property
    def _app(self) -> KimituiApp:
        return cast("KimituiApp", self.app)

    @property
    def _list(self) -> PresetList:
        return self.query_one("#presets", PresetList)

    @property
    def _file(self) -> PresetFile | None:
        line: PresetLine | None = self._list.current
        return line.file if line else None

    # What keys do

    def action_open(self) -> None:
        """Open the preset under the cursor."""
        if file := self._file:
            self._configure(lambda: file.preset or presets.read(file.path))

    def action_new(self) -> None:
        """Ask for a name and open a preset that extends the one under the cursor."""
        if (base := self._readable()) is not None:
            title = f"Name of the new preset, which extends {base.path.name.removesuffix(presets.SUFFIX)}"
            self._ask_name(title, "it becomes a file when you save it", lambda name: self._derive(base, name))

    def action_copy(self) -> None:
        """Ask for a name and copy the preset under the cursor."""
        if (preset := self._readable()) is not None:
            self._ask_name(f"Name of the copy of {preset.name}", "", lambda name: self._copy(preset, name))

    def action_delete(self) -> None:
        """Remove the preset under the cursor, after asking."""
        from kimitui.tui.screens.dialogs import Ask

        file = self._file
        if file is None:
            return
        if not file.removable:
            self.say(f"{file.name} comes with kimitui; only presets in ./presets can be deleted", "warning")
            return
        text = ["What was built from it stays."]
        if users := preset_files.extending(self._files, file.name):
            text.insert(0, f"Extended by {', '.join(users)}, which cannot be opened without it.")

        def answered(answer: str | None) -> None:
            if answer == "d" and self._attempt(lambda: preset_files.remove(file)):
                self.say(f"Deleted {file.path}")
                self._read()

        question = Ask(f"Delete {file.path}?", text, [("d", "delete it")], stay="keep it")
        self.app.push_screen(question, answered)

    def action_filter(self) -> None:
        """Show only presets that hold what is typed."""
        from kimitui.tui.screens.find import Find

        before = self._filter

        def typed(text: str) -> str:
            self._filter = text
            self._show()
            shown = len(preset_files.matching(self._files, text))
            return f"{shown} of {len(self._files)}"

        def answered(text: str | None) -> None:
            self._filter = before if text is None else text
            self._show()

        self.app.push_screen(Find(before, typed=typed, label="Filter:"), answered)

    def action_show_all(self) -> None:
        """Show all presets."""
        self._filter = ""
        self._show()

    # How

    def _readable(self) -> Preset | None:
        """The preset under the cursor; if it cannot be read, a message says so."""
        file = self._file
        if file is not None and file.preset is None:
            self.say(f"{file.name} cannot be read", "warning")
        return file.preset if file else None

    def _ask_name(self, title: str, note: str, then: Callable[[str], None]) -> None:
        from kimitui.tui.screens.dialogs import Edit

        def check(name: str) -> str:
            if not name:
                return "a name is needed: small letters, digits, dots, hyphens and underscores"
            path = _own(name)
            try:
                presets.parse("{}", path)  # the file's name must be the name of a preset
            except KimituiError as error:
                return error.what
            return f"there is a {path} already" if path.exists() else ""

        def answered(name: str | None) -> None:
            if name:
                then(name)

        self.app.push_screen(
            Edit(title, "", check=check, note=lambda name: f"{_own(name)}{'; ' if note else ''}{note}"), answered
        )

    def _derive(self, base: Preset, name: str) -> None:
        from kimitui.tui.session import derived

        self._configure(lambda: derived(base, name))

    def _copy(self, preset: Preset, name: str) -> None:
        if self._attempt(lambda: preset_files.copy(preset, _own(name))):
            self._filter = ""
            self._read(name)
            self.say(f"Copied to {_own(name)}", "good")

    def _attempt(self, action: Callable[[], object]) -> bool:
        try:
            action()
        except KimituiError as error:
            self._app.show_error(error)
            return False
        return True

    def _configure(self, preset: Callable[[], Preset]) -> None:
        from kimitui.config import Configuration

        self._open(lambda: Configuration.from_preset(preset()))

    def _open(self, configuration: Callable[[], Configuration], left: Left | None = None) -> bool:
        from kimitui.tui.screens.configure import ConfigureScreen

        try:
            screen = ConfigureScreen(configuration())
        except KimituiError as error:
            self._app.show_error(error)
            return False
        screen.files.left = left
        self.say("")
        self.app.push_screen(screen)
        return True

    def _offer(self, found: list[Left]) -> None:
        """Ask about the first of `found`, then about the others."""
        from kimitui.tui.screens.files import ask_about_left

        if not found:
            return
        first, *others = found

        def restored() -> None:
            for other in others:
                other.release()
            if not self._open(lambda: _drafted(first.draft), first):
                first.release()

        ask_about_left(self._app, first, restored, lambda: self._offer(others))


def _own(name: str) -> Path:
    return Path("presets") / f"{name}{presets.SUFFIX}"


def _drafted(draft: Draft) -> Configuration:
    """The configuration that a draft belongs to: of the file, or of what the file held if it cannot be read."""
    from kimitui.config import Configuration

    path = draft.preset
    if path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    try:
        return Configuration.from_preset(presets.read(path))
    except KimituiError:
        return Configuration.from_preset(presets.parse(draft.text, path))
