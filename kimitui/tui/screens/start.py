"""The first screen: which preset?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen

from kimitui import __version__
from kimitui import preset as presets
from kimitui.errors import KimituiError
from kimitui.preset import Preset
from kimitui.tui.texts import error_text
from kimitui.tui.widgets.bar import Bar, Keys, level_pieces
from kimitui.tui.widgets.draw import Piece
from kimitui.tui.widgets.listing import Listing
from kimitui.tui.widgets.panel import BLANK, Panel, Paragraph

if TYPE_CHECKING:
    from kimitui.tui.app import KimituiApp

_KEYS = [("start.open", "open"), ("start.new", "new from this one"), ("app.quit", "quit"), ("app.keys", "keys")]


@dataclass(frozen=True)
class PresetLine:
    """A preset file, or why it cannot be read."""

    path: Path
    preset: Preset | None
    error: KimituiError | None = None

    @property
    def name(self) -> str:
        """How the preset is referred to."""
        return self.path.name.removesuffix(presets.SUFFIX)


def preset_lines() -> list[PresetLine]:
    """All presets that can be referred to by name, those that are extended before those that extend them."""
    lines = []
    for path in presets.list_presets():
        try:
            lines.append(PresetLine(path, presets.read(path)))
        except KimituiError as error:
            lines.append(PresetLine(path, None, error))
    by_name = {line.name: line for line in lines}

    def depth(line: PresetLine) -> int:
        steps = 0
        while line.preset and line.preset.extends in by_name and steps < len(lines):
            line, steps = by_name[line.preset.extends], steps + 1
        return steps

    return sorted(lines, key=depth)


class PresetList(Listing[PresetLine]):
    """A name and a description per line."""

    def pieces(self, item: PresetLine, *, selected: bool) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """How a preset is drawn."""
        width = max(len(line.name) for line in self.items)
        name = f" {item.name:<{width}}  "
        if item.preset is None:
            return [(name, "strong"), ("cannot be read", "bad")], ()
        extends = [(f" extends {item.preset.extends}", "dim")] if item.preset.extends else []
        return [(name, "strong"), (item.preset.description, "")], extends


class StartScreen(Screen[None]):
    """The presets: open one, or make a new one of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,right,l", "open", "open", id="start.open", tooltip="open the preset"),
        Binding("n", "new", "new", id="start.new", tooltip="a new preset that extends this one"),
    ]

    def compose(self) -> ComposeResult:
        """The list, and what there is to say about the preset under the cursor."""
        yield Bar(id="crumbs")
        with Container(classes="split"):
            yield PresetList(id="presets", classes="first", empty="There are no presets here")
            yield Panel(id="about", classes="second")
        yield Bar(id="message", classes="-plain")
        yield Keys(actions=_KEYS)

    def on_mount(self) -> None:
        """Fill the list."""
        self.query_one("#crumbs", Bar).show(
            [("Kimigayo OS", "title"), (" › presets", "")], [(f"kimitui {__version__}", "dim")]
        )

    def on_screen_resume(self) -> None:
        """A preset may have been saved meanwhile."""
        listing = self._list
        name = listing.current.name if listing.current else None
        lines = preset_lines()
        listing.show(lines, next((i for i, line in enumerate(lines) if line.name == name), 0))
        listing.focus()
        self._describe()

    def on_listing_moved(self) -> None:
        """Describe another preset."""
        self._describe()

    def on_listing_pressed(self, event: PresetList.Pressed) -> None:
        """A second click opens."""
        if event.times > 1:
            self.action_open()

    def say(self, text: str, level: str = "info") -> None:
        """Show a message."""
        self.query_one("#message", Bar).show(level_pieces(text, level))

    def action_open(self) -> None:
        """Open the preset under the cursor."""
        if line := self._list.current:
            self._configure(lambda: line.preset or presets.read(line.path))

    def action_new(self) -> None:
        """Ask for a name and open a preset that extends the one under the cursor."""
        from kimitui.tui.screens.dialogs import Edit
        from kimitui.tui.session import derived

        line = self._list.current
        if line is None or line.preset is None:
            return
        base = line.preset

        def check(name: str) -> str:
            if not name:
                return "a name is needed: small letters, digits, dots, hyphens and underscores"
            try:
                path = derived(base, name).path
            except KimituiError as error:
                return error.what
            return f"there is a {path} already" if path.exists() else ""

        def answered(name: str | None) -> None:
            if name:
                self._configure(lambda: derived(base, name))

        title = f"Name of the new preset, which extends {line.name}"
        note = "it becomes a file when you save it"
        self.app.push_screen(
            Edit(title, "", check=check, note=lambda name: f"presets/{name}{presets.SUFFIX}; {note}"), answered
        )

    @property
    def _list(self) -> PresetList:
        return self.query_one("#presets", PresetList)

    def _configure(self, preset: object) -> None:
        from kimitui.config import Configuration
        from kimitui.tui.screens.configure import ConfigureScreen

        assert callable(preset)
        try:
            config = Configuration.from_preset(preset())
        except KimituiError as error:
            cast("KimituiApp", self.app).show_error(error)
            return
        self.app.push_screen(ConfigureScreen(config))

    def _describe(self) -> None:
        line = self._list.current
        panel = self.query_one("#about", Panel)
        if line is None:
            panel.show([Paragraph("Presets are looked for in ./presets and among those that come with kimitui.")])
        elif line.preset is None:
            assert line.error is not None
            panel.show(error_text(line.error))
        else:
            preset = line.preset
            text = [Paragraph(preset.name, "title"), BLANK, Paragraph(preset.description or "No description."), BLANK]
            base = f"extends {preset.extends}" if preset.extends else "extends nothing"
            said = sum(len(values) for values in preset.sections.values())
            text += [
                Paragraph(base, "dim"),
                Paragraph(f"sets {said} values", "dim"),
                Paragraph(str(preset.path), "dim"),
            ]
            panel.show(text)
