from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from kimitui.dotconfig import DotConfig
from kimitui.kconfig.types import Kconfig
from kimitui.tui.app import KimituiApp
from tests.tui.conftest import Driver

Open = Callable[[str], AbstractAsyncContextManager[Driver]]


@pytest.fixture
def open_busybox(busybox_upstream: Kconfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """The app on BusyBox's own tree and a `.config` of which the text is given, in the current directory."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)

    @asynccontextmanager
    async def started(text: str) -> AsyncIterator[Driver]:
        Path(".config").write_text(text)
        config = DotConfig(Path(busybox_upstream.srctree) / "Config.in", Path(".config"))
        app = KimituiApp(config, cache_dir=tmp_path, out_dir=tmp_path)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            yield Driver(pilot, app)

    return started


async def test_a_dotconfig_is_edited_and_saved(open_busybox: Open) -> None:
    async with open_busybox("# CONFIG_LS is not set\n") as user:
        assert "Settings" in user.seen() and "Coreutils" in user.seen()
        await user.press("slash")
        await user.type("feature_ls_color")
        await user.press("enter", "space")
        assert "needed: ls" in user.bar("message")
        await user.press("s")
        assert "Saved as .config" in user.bar("message")
        assert "CONFIG_FEATURE_LS_COLOR=y\n" in Path(".config").read_text()
        assert Path(".config.old").read_text() == "# CONFIG_LS is not set\n"
        await user.press("s")
        assert "Nothing has changed" in user.bar("message")


async def test_what_is_not_in_force_is_said_at_once(open_busybox: Open) -> None:
    async with open_busybox("CONFIG_LS=y\nCONFIG_GONE=y\n") as user:
        assert ".config:2:1: this tree has no symbol GONE" in user.bar("message")


async def test_of_an_optional_choice_nothing_need_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    (tmp_path / "Kconfig").write_text(
        'choice\n\tprompt "Which"\n\toptional\nconfig A\n\tbool "alpha"\nconfig B\n\tbool "beta"\nendchoice\n'
    )
    config = DotConfig(tmp_path / "Kconfig", tmp_path / ".config")
    app = KimituiApp(config, cache_dir=tmp_path, out_dir=tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        user = Driver(pilot, app)
        await user.press("enter")
        assert "( ) alpha" in user.seen() and "( ) beta" in user.seen()
        await user.press("down", "enter")
        assert "Which (beta) --->" in user.seen() and user.bar("message") == "beta: chosen"
        await user.press("enter", "space")
        assert user.bar("message") == "beta: chosen no more"
        assert "( ) alpha" in user.seen() and "( ) beta" in user.seen()
        await user.press("u", "n", "s")
    assert "CONFIG_B" not in (tmp_path / ".config").read_text().replace("# CONFIG_B is not set", "")


async def test_there_are_neither_presets_nor_builds(open_busybox: Open) -> None:
    async with open_busybox("") as user:
        await user.press("b", "o")
        assert "Settings" in user.seen()
        assert "build" not in user.seen().splitlines()[-1]
        await user.press("question_mark")
        assert "preset.build" not in user.seen()


async def test_a_minimal_file_can_be_saved_and_loaded(open_busybox: Open) -> None:
    async with open_busybox("# CONFIG_LS is not set\n") as user:
        await user.press("M")
        assert "defconfig" in user.seen()
        await user.press("enter")
        text = Path("defconfig").read_text()
        assert "# CONFIG_LS is not set\n" in text and len(text.splitlines()) < 10
        Path("defconfig").write_text("# CONFIG_CAT is not set\n")
        await user.press("L", "ctrl+u")
        await user.type("defconfig")
        await user.press("enter")
        assert "The values are those of defconfig now" in user.bar("message")
        config = user.screen.session.config
        assert (config.tree.syms["LS"].str_value, config.tree.syms["CAT"].str_value) == ("y", "n")
        await user.press("u")
        assert (config.tree.syms["LS"].str_value, config.tree.syms["CAT"].str_value) == ("n", "y")


async def test_saving_over_another_file_asks(open_busybox: Open) -> None:
    async with open_busybox("") as user:
        Path("other").write_text("precious\n")
        await user.press("S", "ctrl+u")
        await user.type("other")
        await user.press("enter")
        assert "Overwrite other?" in user.seen()
        await user.press("escape")
        assert Path("other").read_text() == "precious\n"
        await user.press("S", "ctrl+u")
        await user.type("other")
        await user.press("enter", "o")
        assert "CONFIG_LS=y\n" in Path("other").read_text()
        assert Path("other.old").read_text() == "precious\n"


async def test_what_somebody_else_wrote_is_not_overwritten_unasked(open_busybox: Open) -> None:
    async with open_busybox("") as user:
        Path(".config").write_text("# CONFIG_CAT is not set\n")
        await user.press("s")
        assert ".config was changed on disk since you opened it" in user.seen()
        await user.press("escape")
        assert Path(".config").read_text() == "# CONFIG_CAT is not set\n"
        await user.press("s", "o")
        assert "CONFIG_CAT=y\n" in Path(".config").read_text()


async def test_quitting_asks_about_what_is_not_saved(open_busybox: Open) -> None:
    async with open_busybox("") as user:
        await user.press("escape")
        assert ".config has unsaved changes" in user.seen()
        await user.press("s")
        await user.pilot.pause()
        assert user.app.return_code == 0
        assert "CONFIG_LS=y\n" in Path(".config").read_text()
