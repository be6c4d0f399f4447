from __future__ import annotations

from pathlib import Path

from kimitui.tui.screens.changes import ChangesScreen
from kimitui.tui.screens.configure import ConfigureScreen
from kimitui.tui.screens.dialogs import Notice
from kimitui.tui.screens.palette import CommandList, PaletteScreen, commands
from tests.tui.conftest import Driver, Start


def listed(user: Driver) -> list[str]:
    return [command.words for command in user.app.screen.query_one(CommandList).items]


async def test_every_action_of_the_screen_is_there_with_its_key(start: Start) -> None:
    async with start() as user:
        offered = {command.words: command.keys for command in commands(user.app)}
        for binding in ConfigureScreen.BINDINGS:
            words = binding.tooltip or binding.description  # type: ignore[union-attr]
            assert words[0].upper() + words[1:] in offered
        assert offered["Save"] == "s" and offered["Redo"] == "Ctrl+r"
        await user.press("colon")
        assert isinstance(user.app.screen, PaletteScreen)
        assert listed(user) == list(offered)
        await user.press("escape", "ctrl+p")
        assert isinstance(user.app.screen, PaletteScreen)


async def test_a_command_is_found_by_letters_or_key_and_run(start: Start) -> None:
    async with start() as user:
        await user.press("colon")
        await user.type("lwdif")
        assert listed(user)[0] == "List what differs, and take it back"
        await user.press("enter")
        assert isinstance(user.app.screen, ChangesScreen)
        await user.press("escape", "colon")
        await user.type("S")
        assert listed(user)[0] == "Save as a new preset"
        await user.press("escape", "colon")
        await user.type("qqqq")
        assert "No command is called that" in user.seen()
        await user.press("enter", "down", "escape")
        assert isinstance(user.app.screen, ConfigureScreen)


async def test_a_theme_is_chosen_and_kept(start: Start, project: Path) -> None:
    settings = project / "config" / "kimitui" / "config.json5"
    async with start() as user:
        assert user.app.theme_choice == "dark"
        await user.press("colon")
        await user.type("theme light")
        await user.press("enter")
        await user.until(lambda: user.app.theme_choice == "light")
        assert not settings.exists()
        await user.press("colon")
        await user.type("keep the theme")
        await user.press("enter")
        await user.until(settings.exists)
        assert "config.json5" in user.bar("message")
    assert settings.read_text() == '{\n  theme: "light",\n}\n'
    async with start() as user:
        assert user.app.theme_choice == "light"


async def test_a_theme_that_cannot_be_kept_is_an_error(start: Start, project: Path) -> None:
    (project / "config").write_text("in the way")
    async with start() as user:
        await user.press("colon")
        await user.type("keep the theme")
        await user.press("enter")
        await user.until(lambda: isinstance(user.app.screen, Notice))
        assert "cannot make the directory" in user.seen()
