"""Where scenes are played: the app in a terminal of a given size, its clock standing still."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

from rich.segment import Segment
from textual._compositor import LayoutUpdate
from textual.widgets import Input

from kimitui.tui.app import KimituiApp
from tests.pictures.recording import Replay
from tests.tui.conftest import Driver

Line = list[Segment]


@asynccontextmanager
async def opened(
    reference: str | None,
    size: tuple[int, int],
    *,
    replay: Replay | None = None,
    theme: str = "dark",
    ascii_only: bool = False,
    live_sizes: bool = False,
) -> AsyncIterator[Driver]:
    """The app with a preset of the project, in a terminal of `size` columns and lines."""
    replay = replay or Replay()
    clock = SimpleNamespace(monotonic=lambda: replay.now)
    app = KimituiApp(
        reference,
        cache_dir=Path("cache"),
        out_dir=Path("out"),
        builder=replay,
        ascii_only=ascii_only,
        theme_choice=theme,
        live_sizes=live_sizes,
    )
    app.animation_level = "none"
    with patch("kimitui.tui.job.time", clock):
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            yield Driver(pilot, app)


async def look(user: Driver) -> list[Line]:
    """What is on the screen when nothing moves any more: for each line its segments."""
    for field in user.app.screen.query(Input):
        field.cursor_blink = False
    seen: list[Line] = []
    while (now := _render(user)) != seen:
        seen = now
        await user.pilot.pause(0.06)  # longer than the app's own timers take
    return seen


def _render(user: Driver) -> list[Line]:
    app = user.app
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens, simplify=True)
    assert isinstance(update, LayoutUpdate)
    return [[segment for strip in line for segment in strip] for line in update.strips]
