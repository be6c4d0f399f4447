"""What is asked before a build is cancelled or left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from textual.app import App

if TYPE_CHECKING:
    from kimitui.tui.app import KimituiApp
    from kimitui.tui.build_run import BuildRun
    from kimitui.tui.screens.build import BuildScreen

_KEPT = "What is finished stays in the cache, and the next build goes on from there."


@dataclass(frozen=True)
class RunningQuestion:
    """Asks before the program is left while a build runs."""

    run: BuildRun

    def ask(self, app: App[int], then: Callable[[], None]) -> None:
        """Ask; the build is ended before `then`."""
        from kimitui.tui.screens.dialogs import Ask

        def answered(answer: str | None) -> None:
            if answer == "y":
                self.run.give_up()
                then()

        app.push_screen(Ask(f"Cancel the build of {self.run.name}?", [_KEPT], [("y", "cancel it and quit")]), answered)


def ask_to_cancel(screen: BuildScreen) -> None:
    """Cancel the build, after asking."""
    from kimitui.tui.screens.dialogs import Ask

    run = screen.run

    def answered(answer: str | None) -> None:
        if answer == "y":
            run.job.cancel()
            screen.pick_up()

    screen.app.push_screen(Ask("Cancel the build?", [_KEPT], [("y", "cancel it")]), answered)


def ask_to_leave(screen: BuildScreen) -> None:
    """Go back from a build that runs: it goes on meanwhile, or is cancelled."""
    from kimitui.tui.screens.dialogs import Ask

    run = screen.run

    def answered(answer: str | None) -> None:
        if answer == "c":
            run.job.cancel()
            screen.pick_up()
        elif answer == "b":
            screen.app.pop_screen()
            cast("KimituiApp", screen.app).go_on_building()

    text = ["It can go on while you configure; b in the menu comes back to it."]
    screen.app.push_screen(
        Ask("The build is running", text, [("b", "let it go on"), ("c", "cancel it")], stay="stay here"), answered
    )
