from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from kimitui.config import Configuration
from kimitui.kconfig.menu import Row
from kimitui.tui.app import KimituiApp
from kimitui.tui.job import Builder
from kimitui.tui.screens.configure import ConfigureScreen
from kimitui.tui.widgets.bar import Bar
from kimitui.tui.widgets.menu_list import MenuList
from kimitui.tui.widgets.panel import Panel

BASE = """{
  name: "base",
  description: "For tests",
  image: { budget: "5MB" },
  busybox: { ASH: true, LS: true }, // comments stay
}
"""
CHILD = '{ name: "child", description: "More", extends: "base", busybox: { VI: true } }\n'


class Driver:
    """What a user sees and does."""

    def __init__(self, pilot: Pilot[int], app: KimituiApp) -> None:
        self.pilot = pilot
        self.app = app

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        await self.press(*("space" if letter == " " else letter for letter in text))

    async def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(2000):
            if condition():
                return
            await self.pilot.pause(0.005)
        raise AssertionError("it never came to that")

    async def go_to(self, prompt: str) -> None:
        """Put the cursor on the line that begins with `prompt`."""
        index = next(i for i, line in enumerate(self.menu.items) if line.row.prompt.startswith(prompt))
        await self.press("home", *["down"] * index)
        while not self.row.prompt.startswith(prompt):
            await self.press("up")

    @property
    def screen(self) -> ConfigureScreen:
        assert isinstance(self.app.screen, ConfigureScreen)
        return self.app.screen

    @property
    def config(self) -> Configuration:
        assert isinstance(self.screen.session.config, Configuration)
        return self.screen.session.config

    @property
    def menu(self) -> MenuList:
        return self.screen.query_one("#menu", MenuList)

    @property
    def row(self) -> Row:
        assert self.menu.current is not None
        return self.menu.current.row

    def bar(self, name: str) -> str:
        return self.app.screen.query_one(f"#{name}", Bar).text

    def panel(self, name: str = "help") -> str:
        return self.app.screen.query_one(f"#{name}", Panel).text

    def seen(self) -> str:
        """All characters on the screen."""
        width = self.app.size.width
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip)[:width] for strip in strips)


Start = Callable[..., AbstractAsyncContextManager[Driver]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "base.json5").write_text(BASE)
    (tmp_path / "presets" / "child.json5").write_text(CHILD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("COLORFGBG", raising=False)
    monkeypatch.setattr("kimitui.resources.PRESETS_DIR", tmp_path / "presets")
    return tmp_path


@pytest.fixture
def start(project: Path) -> Start:
    @asynccontextmanager
    async def started(
        reference: str | None = "child",
        size: tuple[int, int] = (80, 24),
        builder: Builder | None = None,
        ascii_only: bool = False,
        live_sizes: bool = False,
        theme_choice: str | None = None,
    ) -> AsyncIterator[Driver]:
        app = KimituiApp(
            reference,
            cache_dir=project / "cache",
            out_dir=project / "out",
            builder=builder,
            ascii_only=ascii_only,
            theme_choice=theme_choice,
            live_sizes=live_sizes,
        )
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            yield Driver(pilot, app)

    return started
