"""What runs builds: in words, and the question which it is to be."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from textual.screen import Screen

from kimitui.tui.screens.dialogs import Ask
from kimitui.tui.widgets.draw import Piece
from kimitui.tui.widgets.panel import Panel, Paragraph

if TYPE_CHECKING:
    from kimitui.build.engines import Choice, Outlook
    from kimitui.tui.app import KimituiApp

_QUESTION = "What runs the steps of a build?"
_KEYS: dict[str, Choice] = {"a": "auto", "s": "sandbox", "d": "docker", "p": "podman"}
_WHERE = {
    "auto": "where it works",
    "sandbox": "in the sandbox",
    "docker": "in Docker",
    "podman": "in Podman",
    "chroot": "in a chroot",
}
_COLUMN = max(map(len, _KEYS.values())) + 2


def engine_pieces(running: str, chosen: Choice, following: Choice) -> list[Piece]:
    """Where a build runs, "" if that is not known yet, what was chosen for it, and what is chosen for the next one."""
    word = running or (chosen if chosen != "auto" else "")
    pieces: list[Piece] = [(f" {_WHERE[word]}", "dim")] if word else []
    if following != chosen:
        pieces.append((f"  the next {_WHERE[following]}", "accent"))
    return pieces


def ask_for_engine(screen: Screen[None], then: Callable[[], None] | None = None) -> None:
    """Let the user choose what runs builds until the program ends."""
    app = cast("KimituiApp", screen.app)

    def answered(key: str | None) -> None:
        if key is None:
            return
        app.engine = _KEYS[key]
        if then:
            then()
        else:
            app.say(f"Builds run {_WHERE[app.engine]} from now on", "info")

    app.push_screen(EngineQuestion(app.engine), answered)


class EngineQuestion(Ask):
    """The engines, and what would come of each; the answer is its key."""

    def __init__(self, current: Choice) -> None:
        self._current = current
        super().__init__(_QUESTION, [], list(_KEYS.items()), stay=f"keep {current}")

    def on_mount(self) -> None:
        """Look about meanwhile: a daemon far away takes its time to answer."""
        self._tell(None)
        self.run_worker(
            self._look, thread=True, exit_on_error=False
        )  # may end when nothing is there to show it any more

    def _look(self) -> None:
        from kimitui.build.engines import outlook

        found = outlook()
        if self.is_running:
            self.app.call_from_thread(self._tell, found)

    def _tell(self, found: list[Outlook] | None) -> None:
        outlooks = {one.choice: one for one in found or ()}
        text = [Paragraph(_QUESTION, "title")]
        for choice in _KEYS.values():
            mark = "▸ " if choice == self._current else "  "
            words, style = "…", "dim"
            if choice in outlooks:
                words, style = outlooks[choice].text, "" if outlooks[choice].good else "warn"
            text.append(Paragraph(words, style, f"{mark}{choice:<{_COLUMN}}", "strong"))
        for panel in self.query("#text").results(Panel):  # not there if the dialog was closed meanwhile
            panel.show(text)
