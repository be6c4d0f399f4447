"""The configurator for any Kconfig tree: a `.config` is edited, and there are neither presets nor builds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType

from kimitui.dotconfig import DotConfig
from kimitui.editing import Editing
from kimitui.tui.screens.configure import ConfigureScreen
from kimitui.tui.screens.files import NoRecovery
from kimitui.tui.session import Said

if TYPE_CHECKING:
    from kimitui.tui.app import KimituiApp

_OTHERS = ("preset.", "file.", "size.")  # how the actions begin that are about presets and images, or said anew here


class DotConfigScreen(ConfigureScreen, inherit_bindings=False):
    """Edits one `.config`."""

    KEYS: ClassVar[Sequence[tuple[str, str]]] = [
        (name, words) for name, words in ConfigureScreen.KEYS if not name.startswith(("preset.", "size."))
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            binding
            for binding in ConfigureScreen.BINDINGS
            if not (isinstance(binding, Binding) and (binding.id or "").startswith(_OTHERS))
        ),
        Binding("s", "save", "save", id="file.save", tooltip="save all values"),
        Binding("S", "save_as", "save as", id="file.save_as", tooltip="save all values in another file"),
        Binding("M", "save_minimal", "save minimal", id="file.save_minimal", tooltip="save what differs from defaults"),
        Binding("L", "load", "load", id="file.load", tooltip="take the values of another file"),
    ]

    def __init__(self, config: Editing) -> None:
        assert isinstance(config, DotConfig)
        super().__init__(config)
        self._config = config

    def _look_after(self) -> NoRecovery:
        return NoRecovery(self)

    def action_open_preset(self) -> None:
        """Quit; there is nothing to go back to."""
        cast("KimituiApp", self.app).action_leave()

    def save(self, then: Callable[[], None] | None = None) -> None:
        """Save where it came from; `then` is called if that went well."""
        if not self.session.unsaved and not self.files.changed_on_disk:
            self.say(Said(f"Nothing has changed since {self._config.path} was saved"))
        else:
            self.files.before_saving(lambda: self._save(self.session.save, then))

    def action_save_as(self) -> None:
        """Ask for a file, and save all values there; from then on they belong there."""
        self._ask("Save as: a path", self._config.path, lambda path: self.session.save(path))

    def action_save_minimal(self) -> None:
        """Ask for a file, and save only what differs from the defaults."""

        def save(path: Path) -> Said:
            return Said(f"What differs from the defaults is saved as {self._config.save_minimal(path)}", "good")

        self._ask("Save what differs from the defaults: a path", self._config.path.with_name("defconfig"), save)

    def action_load(self) -> None:
        """Ask for a file, and take its values."""
        from kimitui.tui.screens.dialogs import Edit

        def load(path: Path) -> Said:
            self._config.load(path)
            return Said(f"The values are those of {path} now; u takes that back", "good")

        def answered(text: str | None) -> None:
            if text is not None and self._attempt(lambda: load(_path(text))):
                self.say_remarks()

        def check(text: str) -> str:
            return "" if _path(text).is_file() else "there is no such file"

        self.app.push_screen(Edit("Load: a path", str(self._config.path), check=check), answered)

    def _ask(self, title: str, path: Path, save: Callable[[Path], Said]) -> None:
        """Ask where to save, and whether another file may be overwritten."""
        from kimitui.tui.screens.dialogs import Ask, Edit

        def check(text: str) -> str:
            if not text.strip():
                return "a path is needed"
            target = _path(text)
            if target.is_dir():
                return "this is a directory"
            return "" if target.parent.is_dir() else f"there is no directory {target.parent}"

        def named(text: str | None) -> None:
            if text is None:
                return
            target = _path(text)
            if not target.exists() or (path == self._config.path and target.resolve() == path.resolve()):
                self._attempt(lambda: save(target))
                return

            def answered(answer: str | None) -> None:
                if answer == "o":
                    self._attempt(lambda: save(target))

            question = Ask(f"Overwrite {target}?", ["There is a file of that name."], [("o", "overwrite it")])
            self.app.push_screen(question, answered)

        self.app.push_screen(Edit(title, str(path), check=check), named)


def _path(text: str) -> Path:
    return Path(text.strip()).expanduser()
