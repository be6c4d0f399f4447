"""The tasks of a build with their states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kimitui.build.state import State
from kimitui.tui.widgets.draw import Piece
from kimitui.tui.widgets.listing import Listing

MARKS = {
    State.WAITING: ("·", "dim"),
    State.ELSEWHERE: ("○", "dim"),
    State.RUNNING: ("•", "accent"),
    State.CACHED: ("=", "good"),
    State.DONE: ("✓", "good"),
    State.FAILED: ("✗", "bad"),
    State.CANCELLED: ("–", "warn"),
}


@dataclass(frozen=True)
class StepLine:
    """A task as it is shown; `amount` is a time or how far a download is."""

    name: str
    state: State
    amount: str


class StepList(Listing[StepLine]):
    """One line per task: mark, name, state in words, time."""

    def pieces(self, item: StepLine, *, selected: bool) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """How a task is drawn."""
        mark, style = MARKS[item.state]
        name = "dim" if item.state is State.WAITING else ""
        return (
            [(" ", ""), (mark, style), (f" {item.name}", name)],
            [(item.state.value, style), (f"{item.amount:>8}", "dim")],
        )
