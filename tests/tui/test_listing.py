"""A list paints only what is drawn otherwise than before, and never leaves a line that is not true any more."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region

from kimitui.tui.widgets.draw import Piece
from kimitui.tui.widgets.listing import Listing

_LINES = 10


class _Words(Listing[str]):
    """Lines that are words, and what of them has been painted: a line that is not asked to be painted stays."""

    def __init__(self) -> None:
        super().__init__()
        self.painted: dict[int, str] = {}
        self.dirty: set[int] = set()

    def pieces(self, item: str, *, selected: bool) -> tuple[Sequence[Piece], Sequence[Piece]]:
        return [(item, "")], ()

    def refresh_lines(self, y_start: int, line_count: int = 1) -> None:
        self.dirty |= set(range(y_start, y_start + line_count))
        super().refresh_lines(y_start, line_count)

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> _Words:
        if not regions:
            self.dirty = set(range(_LINES))
        super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        return self

    def paint(self) -> None:
        for y in self.dirty & set(range(_LINES)):
            self.painted[y] = self.render_line(y).text.strip(" ▸")
        self.dirty = set()


class _ListApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.words = _Words()

    def compose(self) -> ComposeResult:
        yield self.words


def _shown(items: Iterable[str]) -> dict[int, str]:
    words = list(items)
    return {y: words[y] if y < len(words) else "" for y in range(_LINES)}


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_changes_each_line_that_is_seen_is_true(seed: int) -> None:
    draw = random.Random(seed)
    app = _ListApp()
    async with app.run_test(size=(40, _LINES)):
        words, there, value = app.words, {*range(8)}, dict.fromkeys(range(14), 0)
        words.refresh()
        for _ in range(60):
            for number in draw.sample(range(14), draw.randrange(1, 4)):
                if draw.random() < 0.5:
                    value[number] ^= 1
                elif number in there and len(there) > 1:
                    there.remove(number)
                elif len(there) < _LINES:
                    there.add(number)
            items = [f"{number}={value[number]}" for number in sorted(there)]
            words.show(items, min(words.cursor, len(items) - 1))
            words.paint()
            assert words.painted == _shown(items)


async def test_a_row_above_those_that_moved_before_is_painted() -> None:
    app = _ListApp()
    async with app.run_test(size=(40, _LINES)):
        words = app.words
        words.refresh()
        for items in (
            ["a", "b", "c", "d", "e"],
            ["A", "b", "c", "d", "new", "e"],  # what comes at the end changes the first one, too
            ["first", "A", "b", "c", "d", "new", "e"],
        ):
            words.show(items)
            words.paint()
            assert words.painted == _shown(items)
