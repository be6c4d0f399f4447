from __future__ import annotations

from pathlib import Path

import pytest

from kimitui.errors import PresetError
from kimitui.tui import run
from kimitui.tui.screens.configure import ConfigureScreen
from kimitui.tui.screens.dialogs import Edit, Notice
from kimitui.tui.screens.start import StartScreen
from tests.tui.conftest import Start


async def test_presets_are_listed_and_opened(start: Start) -> None:
    async with start(None) as user:
        seen = user.seen()
        assert "base" in seen and "For tests" in seen and "extends base" in seen
        await user.press("down")
        assert "presets/child.json5" in user.panel("about")
        await user.press("enter")
        assert user.bar("crumbs") == "Kimigayo OSchild"
        await user.press("escape")
        assert isinstance(user.app.screen, StartScreen)


async def test_a_broken_preset_says_what_is_wrong_and_does_not_open(start: Start, project: Path) -> None:
    (project / "presets" / "a.json5").write_text("{ name: }")
    async with start(None) as user:
        assert "cannot be read" in user.seen()
        assert "a.json5:1:9" in user.panel("about")
        await user.press("enter")
        assert isinstance(user.app.screen, Notice)
        await user.press("escape")
        assert isinstance(user.app.screen, StartScreen)


async def test_a_preset_that_the_tree_refuses_is_a_dialog(start: Start, project: Path) -> None:
    (project / "presets" / "a.json5").write_text("{ image: { nonsense: 1 } }")
    async with start(None) as user:
        await user.press("enter")
        assert isinstance(user.app.screen, Notice)
        assert "nonsense" in user.seen()


async def test_a_new_preset_is_a_file_only_when_saved(start: Start, project: Path) -> None:
    path = project / "presets" / "edge.json5"
    async with start(None) as user:
        await user.press("n")
        assert isinstance(user.app.screen, Edit)
        await user.type("child")
        assert "there is a presets/child.json5 already" in user.panel("edit-problem")
        await user.press("enter")
        assert isinstance(user.app.screen, Edit)
        await user.press(*["backspace"] * 5)
        await user.type("edge")
        await user.press("enter")
        assert isinstance(user.app.screen, ConfigureScreen)
        assert "edge" in user.bar("crumbs") and "unsaved" in user.bar("crumbs")
        assert not path.exists()
        await user.press("s")
        assert path.read_text() == '{\n  name: "edge",\n  extends: "base",\n}\n'
        assert "unsaved" not in user.bar("crumbs")


async def test_quitting_from_the_list(start: Start) -> None:
    async with start(None) as user:
        await user.press("q")
        assert user.app.return_code == 0


def test_a_preset_that_is_not_there_is_an_error_before_there_is_a_screen(project: Path) -> None:
    with pytest.raises(PresetError, match="there is no preset"):
        run("missing", cache_dir=project, out_dir=project)
