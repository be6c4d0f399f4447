from __future__ import annotations

from pathlib import Path

import pytest

from kimitui.errors import PresetError
from kimitui.tui import run
from kimitui.tui.app import KimituiApp
from kimitui.tui.screens.configure import ConfigureScreen
from kimitui.tui.screens.dialogs import Edit, Notice
from kimitui.tui.screens.start import StartScreen
from kimitui.tui.widgets.preset_list import PresetList
from tests.tui.conftest import Start


async def test_presets_are_listed_and_opened(start: Start) -> None:
    async with start(None) as user:
        seen = user.seen()
        assert "base" in seen and "For tests" in seen and "└ child" in seen
        await user.press("down")
        assert "presets/child.json5" in user.panel("about")
        assert "extends base" in user.panel("about")
        await user.press("enter")
        assert user.bar("crumbs") == "Kimigayo OSchild"
        await user.press("escape")
        assert isinstance(user.app.screen, StartScreen)


async def test_a_broken_preset_says_what_is_wrong_and_does_not_open(start: Start, project: Path) -> None:
    (project / "presets" / "a.json5").write_text("{ name: }")
    async with start(None) as user:
        assert "cannot be read" in user.seen()
        await user.press("end")
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


async def test_the_size_of_the_last_build_is_shown(start: Start, project: Path) -> None:
    directory = project / "out" / "child" / "x86_64"
    directory.mkdir(parents=True)
    (directory / "build-info.json").write_text('{"arch": "x86_64", "artifacts": {"rootfs.tar": {"bytes": 1}}}')
    (directory / "rootfs.tar").write_bytes(bytes(12345))
    async with start(None, size=(120, 40)) as user:
        assert "12.3 kB" in user.seen()
        await user.press("end")
        assert "Built for x86_64" in user.panel("about") and "rootfs.tar" in user.panel("about")


async def test_a_preset_is_copied(start: Start, project: Path) -> None:
    async with start(None) as user:
        await user.press("c")
        await user.type("other")
        await user.press("enter")
        assert isinstance(user.app.screen, StartScreen)
        assert "Copied to presets/other.json5" in user.bar("message")
        assert "presets/other.json5" in user.panel("about")
    assert "// comments stay" in (project / "presets" / "other.json5").read_text()


async def test_deleting_asks_and_says_what_extends_it(start: Start, project: Path) -> None:
    path = project / "presets" / "base.json5"
    async with start(None) as user:
        await user.press("d")
        assert "Extended by child" in user.seen()
        await user.press("escape")
        assert path.exists()
        await user.press("delete", "d")
        assert not path.exists()
        assert "base" not in [line.file.name for line in user.app.screen.query_one(PresetList).items if line.file]


async def test_what_comes_with_kimitui_is_not_deleted(
    start: Start, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = project / "data" / "presets"
    shipped.mkdir(parents=True)
    (shipped / "tiny.json5").write_text('{ name: "tiny" }')
    monkeypatch.setattr("kimitui.resources.PRESETS_DIR", shipped)
    async with start(None) as user:
        assert "in ./presets" in user.seen() and "that come with kimitui" in user.seen()
        await user.press("end", "d")
        assert "tiny comes with kimitui" in user.bar("message")
    assert (shipped / "tiny.json5").exists()


async def test_the_filter_shows_only_what_is_typed(start: Start) -> None:
    async with start(None) as user:
        await user.press("slash")
        await user.type("chi")
        assert "1 of 2" in user.seen()
        await user.press("enter")
        assert "For tests" not in user.seen() and "with “chi”" in user.bar("crumbs")
        await user.press("enter")
        assert isinstance(user.app.screen, ConfigureScreen)
        await user.press("escape", "escape")
        assert "For tests" in user.seen()


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (20, 6)])
async def test_no_size_breaks_the_list(start: Start, size: tuple[int, int]) -> None:
    async with start(None, size=size) as user:
        assert len(user.seen().splitlines()) == size[1]


async def test_it_is_told_when_the_first_screen_is_there(project: Path) -> None:
    app = KimituiApp("child", cache_dir=project / "cache", out_dir=project / "out")
    screens: list[object] = []
    app.when_painted = lambda: screens.append(type(app.screen))
    async with app.run_test() as pilot:
        await pilot.pause()
        assert screens == [ConfigureScreen]
