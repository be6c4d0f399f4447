"""What to ask before unsaved changes are given up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.app import App

if TYPE_CHECKING:
    from kimitui.tui.screens.configure import ConfigureScreen


@dataclass(frozen=True)
class UnsavedQuestion:
    """Asks what to do with unsaved changes before they are given up."""

    screen: ConfigureScreen

    def ask(self, app: App[int], then: Callable[[], None]) -> None:
        """Ask, and go on with `then` unless the user wants to stay."""
        from kimitui.tui.screens.dialogs import Ask

        def answered(answer: str | None) -> None:
            if answer == "n":
                then()
            elif answer == "s":
                self.screen.save(then)

        config = self.screen.session.config
        question = Ask(
            f"{config.name} has unsaved changes",
            [f"They belong to {config.path}."],
            [("s", "save them"), ("n", "give them up")],
        )
        app.push_screen(question, answered)
