from __future__ import annotations

from kimitui.tui.screens.changes import ChangeList, ChangesScreen
from kimitui.tui.screens.configure import ConfigureScreen
from tests.tui.conftest import Driver, Start


async def differing(user: Driver) -> None:
    """Change three things and open the list of changes."""
    config = user.config
    config.set("BUSYBOX_CAT", True)
    config.set("IMAGE_BUDGET", "7MB")
    await user.press("d")


def shown(user: Driver) -> list[str]:
    """What is listed and was set, not what follows from that."""
    return [line.name for line in user.app.screen.query_one(ChangeList).items if line.change and line.change.is_set]


async def test_what_differs_from_the_base_is_listed_by_section(start: Start) -> None:
    async with start() as user:
        await differing(user)
        seen = user.seen()
        assert "child › differs from base" in seen and "3 changes, " in seen and " follow" in seen
        assert '"5MB" → "7MB"' in seen and "off → on" in seen
        assert "The most that rootfs.tar" in user.panel()
        assert seen.index("image") < seen.index('"7MB"') < seen.index("busybox") < seen.index("cat")


async def test_single_changes_are_taken_back_and_that_is_undone(start: Start) -> None:
    async with start() as user:
        await differing(user)
        config = user.app.screen_stack[-2].session.config  # type: ignore[attr-defined]
        await user.press("r")
        assert config.string("IMAGE_BUDGET") == "5MB" and len(shown(user)) == 2
        assert "Taken back" in user.bar("message")
        await user.press("u")
        assert config.string("IMAGE_BUDGET") == "7MB" and len(shown(user)) == 3
        await user.press("ctrl+r", "delete", "backspace")
        assert shown(user) == []
        assert "Nothing differs from base" in user.seen()
        await user.press("r", "enter", "down", "G", "g")
        assert isinstance(user.app.screen, ChangesScreen)
        await user.press("escape")
        assert isinstance(user.app.screen, ConfigureScreen)
        assert not user.screen.session.changes()


async def test_enter_goes_to_the_change_in_its_menu(start: Start) -> None:
    async with start() as user:
        await differing(user)
        await user.press("down", "enter")
        assert user.row.symbol == "BUSYBOX_CAT"
        assert "Text" in user.bar("crumbs") or "Files" in user.bar("crumbs")
        await user.press("d", "d")
        assert user.row.symbol == "BUSYBOX_CAT"


async def test_what_follows_from_a_change_cannot_be_taken_back_alone(start: Start) -> None:
    async with start() as user:
        user.config.set("BUSYBOX_WGET", True)
        await user.press("d")
        screen = user.app.screen
        lines = screen.query_one(ChangeList)
        index = next(i for i, line in enumerate(lines.items) if line.change and not line.change.is_set)
        lines.move_cursor(index)
        assert "follows" in user.seen()
        count = len(shown(user))
        await user.press("r")
        assert "follows from other changes" in user.bar("message") and len(shown(user)) == count


async def test_a_preset_that_extends_nothing_is_compared_with_the_defaults(start: Start) -> None:
    async with start("base") as user:
        await user.press("d")
        assert "differs from the defaults" in user.seen()
