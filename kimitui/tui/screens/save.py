"""Saving under another name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kimitui import save_target
from kimitui.config import Configuration

if TYPE_CHECKING:
    from kimitui.tui.screens.configure import ConfigureScreen


def save_as(screen: ConfigureScreen) -> None:
    """Ask for a name or path, then whether another file may be overwritten, then save.

    The new preset extends the one that is open and holds exactly what is different from it, unless that one is in
    no file yet: then it is the one that is saved.
    """
    from kimitui.tui.screens.dialogs import Ask, Edit

    session = screen.session
    assert isinstance(session.config, Configuration)
    base = session.config.preset
    extend = base.path.exists()

    def note(text: str) -> str:
        what = f", which extends {base.name} and holds the changes to it" if extend else ""
        return f"{save_target.target(text)}{what}" if not save_target.problem(text) else ""

    def check(text: str) -> str:
        if reason := save_target.problem(text):
            return reason
        same = extend and save_target.target(text).resolve() == base.path.resolve()
        return "that is the preset that is open; s saves it" if same else ""

    def save(text: str) -> None:
        screen.attempt_save(lambda: session.save(save_target.target(text), extend=extend))

    def named(text: str | None) -> None:
        if text is None:
            return
        path = save_target.target(text)
        if not path.exists():
            save(text)
            return
        question = Ask(f"Overwrite {path}?", ["There is a file of that name."], [("o", "overwrite it")])
        screen.app.push_screen(question, lambda answer: save(text) if answer == "o" else None)

    screen.app.push_screen(Edit("Save as: a name for ./presets, or a path", "", check=check, note=note), named)
