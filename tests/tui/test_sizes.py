"""Sizes as one sees them in the configurator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kimitui.sizes.units import delta_words, format_size
from kimitui.tui.screens.dialogs import Ask
from kimitui.tui.screens.search import SearchScreen
from kimitui.tui.widgets.menu_list import MenuList
from tests.tui.conftest import Driver, Start

pytestmark = pytest.mark.usefixtures("project")


async def known(user: Driver) -> None:
    """Wait until all sizes that are seen are known."""
    await user.until(lambda: user.screen.session.live is not None and user.screen.session.live.is_idle)
    await user.pilot.pause()
    await user.until(lambda: user.screen.session.live is not None and user.screen.session.live.is_idle)
    await user.pilot.pause()


@asynccontextmanager
async def editors(start: Start, **options: Any) -> AsyncIterator[Driver]:
    """The menu with vi in it."""
    async with start(live_sizes=True, **options) as user:
        await user.press("slash")
        await user.type("busybox_vi")
        await user.press("enter")
        await known(user)
        yield user


def sizes(user: Driver) -> dict[str, str]:
    return {line.row.symbol: line.size for line in user.menu.items if line.row.is_switch}


async def test_every_line_says_what_a_toggle_would_change_and_it_does(start: Start) -> None:
    async with editors(start) as user:
        live = user.screen.session.live
        assert live is not None and live.sizes is not None
        before = live.sizes.total_bytes
        words = sizes(user)["BUSYBOX_VI"]
        assert words.startswith("−") and words in user.seen()
        await user.press("space")
        await known(user)
        assert live.sizes.total_bytes < before
        assert words == delta_words(live.sizes.total_bytes - before)
        assert format_size(live.sizes.total_bytes) in user.bar("size")
        await user.press("u")
        assert sizes(user)["BUSYBOX_VI"] == words


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_what_was_found_shows_its_size_and_its_place(start: Start, size: tuple[int, int]) -> None:
    async with start(size=size, live_sizes=True) as user:
        await user.press("slash")
        await user.type("busybox_vi")
        screen = user.app.screen
        assert isinstance(screen, SearchScreen)
        first = screen.query_one("#results", MenuList)
        await user.until(lambda: bool(first.items[0].size))
        await user.pilot.pause()
        assert first.items[0].row.symbol == "BUSYBOX_VI"
        (line,) = [line for line in user.seen().splitlines() if first.items[0].size in line]
        assert f" {first.items[0].place[:8]}" in line and "vi: " in line


async def test_the_bar_holds_the_total_against_the_budget(start: Start) -> None:
    async with editors(start, ascii_only=True) as user:
        assert user.seen().isascii()
        assert sizes(user)["BUSYBOX_VI"].replace("−", "-") in user.seen()
        assert "of 5.00 MB" in user.bar("size")
        assert "busybox" in user.bar("size")
        user.config.set("IMAGE_BUDGET", "100kB")
        user.screen.refresh_menu()
        await known(user)
        assert user.bar("size").startswith("██████████ ! about ")
        assert "over the budget of 100 kB" in user.bar("size")


async def test_the_panel_says_where_the_bytes_go(start: Start) -> None:
    async with editors(start, size=(120, 40)) as user:
        assert "Tab: why" in user.seen()
        await user.press("tab", "tab")
        await known(user)
        assert "Its own" in user.panel()
        assert "Removing saves most" in user.panel()
        assert "vi: the full-screen" in user.panel()
        await user.press("tab")
        assert "Its own" not in user.panel()


async def test_a_menu_by_size_and_only_what_is_larger(start: Start) -> None:
    async with editors(start) as user:
        in_order = [line.row.node for line in user.menu.items]
        assert user.row.symbol == "BUSYBOX_VI"
        await user.press("z")
        await known(user)
        live = user.screen.session.live
        assert live is not None
        found = [abs(live.delta(line.row.symbol) or 0) for line in user.menu.items if line.row.is_switch]
        assert found == sorted(found, reverse=True) and found[0] > 0
        assert user.row.symbol == "BUSYBOX_VI"
        await user.press("z")
        assert [line.row.node for line in user.menu.items] == in_order
        await user.press("greater_than_sign")
        await user.type("10kB")
        await user.press("enter")
        await known(user)
        assert [line.row.symbol for line in user.menu.items if line.row.is_switch and line.size]
        assert all(abs(live.delta(line.row.symbol) or 0) > 10_000 for line in user.menu.items if not line.row.opens)
        assert "(> 10.0 kB)" in user.bar("crumbs")


async def test_what_to_give_up_is_one_step(start: Start) -> None:
    async with editors(start) as user:
        before = user.config.assigned
        live = user.screen.session.live
        assert live is not None and live.sizes is not None
        total = live.sizes.total_bytes
        await user.press("f", "ctrl+u")
        await user.type(str(total * 9 // 10))
        await user.press("enter")
        await user.until(lambda: isinstance(user.app.screen, Ask))
        await user.pilot.pause()
        assert "Give up" in user.seen()
        await user.press("y")
        await known(user)
        assert live.sizes.total_bytes < total
        assert "u takes all of them back" in user.bar("message")
        await user.press("u")
        assert user.config.assigned == before


async def test_without_sizes_there_is_no_bar_and_no_panel(start: Start) -> None:
    async with start() as user:
        assert not user.screen.query_one("#size").display
        await user.press("tab", "tab", "z")
        assert "There are no sizes" in user.bar("message")
        assert "Tab: why" in user.seen()
