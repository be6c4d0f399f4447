from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import Key

from kimitui import save_target
from kimitui.tui.screens.changes import ChangesScreen
from kimitui.tui.screens.configure import ConfigureScreen
from kimitui.tui.screens.dialogs import Ask, Edit, KeysHelp, Notice
from kimitui.tui.screens.search import SearchScreen
from kimitui.tui.screens.start import StartScreen
from kimitui.tui.widgets.panel import Panel
from kimitui.tui.widgets.preset_list import PresetList
from tests.tui.conftest import BASE, Start


async def test_menus_are_entered_and_left_and_the_position_is_kept(start: Start) -> None:
    async with start() as user:
        await user.go_to("BusyBox")
        assert " on" in user.seen()
        await user.press("enter")
        await user.go_to("Text")
        await user.press("l")
        assert user.bar("crumbs").startswith("Kimigayo OS › BusyBox › Text")
        await user.press("h")
        assert user.row.prompt == "Text"
        await user.press("escape")
        assert user.row.prompt == "BusyBox"
        await user.press("G")
        assert user.menu.cursor == len(user.menu.items) - 1
        await user.press("g")
        assert user.menu.cursor == 0


async def test_toggle_undo_redo(start: Start) -> None:
    async with start() as user:
        await user.press("slash")
        await user.type("busybox_cat")
        await user.press("enter")
        assert user.row.symbol == "BUSYBOX_CAT"
        config = user.config
        await user.press("space")
        assert config.is_on("BUSYBOX_CAT")
        assert "unsaved" in user.bar("crumbs")
        assert user.menu.current is not None and user.menu.current.changed
        assert "~ [*] cat" in user.seen()
        await user.press("u")
        assert not config.is_on("BUSYBOX_CAT")
        assert user.bar("message").startswith("Undone: cat")
        await user.press("ctrl+r")
        assert config.is_on("BUSYBOX_CAT")
        await user.press("n")
        assert not config.is_on("BUSYBOX_CAT")
        await user.press("y")
        assert config.is_on("BUSYBOX_CAT")
        await user.press("m")
        assert "cannot be a module, only on or off" in user.bar("message")
        assert config.is_on("BUSYBOX_CAT")


async def test_what_else_a_change_changed_is_said(start: Start) -> None:
    async with start() as user:
        await user.press("slash")
        await user.type("busybox_wget")
        await user.press("enter", "space")
        assert "also changed" in user.bar("message")


async def test_what_an_option_needs_comes_with_it_and_goes_with_it(start: Start) -> None:
    async with start() as user:
        await user.press("slash")
        await user.type("busybox_feature_wget_https")
        await user.press("enter")
        assert "all options are shown" in user.bar("message")
        assert "not offered" in user.seen()
        assert "It cannot be on: it needs" in user.panel()
        await user.press("space")
        assert "needed: wget on (u undoes all)" in user.bar("message")
        assert user.config.is_on("BUSYBOX_WGET")
        await user.press("u")
        assert not user.screen.session.unsaved


async def test_a_refusal_gives_the_reason(start: Start) -> None:
    async with start() as user:
        await user.press("slash")
        await user.type("busybox_chcon")
        await user.press("enter", "space")
        assert "cannot be on: it needs BUSYBOX_SELINUX" in user.bar("message")
        assert not user.screen.session.unsaved


async def test_show_all(start: Start) -> None:
    async with start() as user:
        await user.go_to("Image")
        await user.press("enter", "a")
        assert "IMAGE_FORMATS" in {line.row.symbol for line in user.menu.items}
        assert "(all)" in user.bar("crumbs")
        await user.press("a")
        assert "IMAGE_FORMATS" not in {line.row.symbol for line in user.menu.items}


async def test_a_choice_shows_and_opens_to_its_members(start: Start) -> None:
    async with start() as user:
        await user.go_to("Image")
        await user.press("enter")
        await user.go_to("Linking")
        assert "Linking (static) --->" in user.seen()
        await user.press("space")
        assert "It cannot be" not in user.panel(), "what is chosen is no problem"
        assert "(•) static" in user.seen() and "( ) dynamic" in user.seen()
        await user.press("space")
        assert "chosen already" in user.bar("message")
        await user.press("down", "enter")
        assert user.config.choice("IMAGE_LINK") == "dynamic"
        assert user.row.prompt == "Linking"
        assert "Linking (dynamic) --->" in user.seen()
        await user.press("enter")
        assert user.row.prompt.startswith("dynamic"), "the cursor is on what is chosen"


async def test_editing_checks_while_typing(start: Start) -> None:
    async with start() as user:
        await user.go_to("Image")
        await user.press("enter")
        await user.go_to("Size budget")
        await user.press("enter")
        await user.type("x")
        assert '"5MBx" is not a size' in user.panel("edit-problem").replace("\n", " ")
        await user.press("enter")
        assert isinstance(user.app.screen, Edit)
        await user.press(*["backspace"] * 4)
        await user.type("900kB")
        assert "not a size" not in user.panel("edit-problem")
        await user.press("enter")
        assert user.config.string("IMAGE_BUDGET") == "900kB"
        assert '= "900kB"' in user.seen()
        await user.press("enter", "backspace", "escape")
        assert user.config.string("IMAGE_BUDGET") == "900kB"


async def test_search_jumps_to_the_menu_of_the_result(start: Start) -> None:
    async with start() as user:
        await user.press("slash")
        await user.type("ping6")
        assert isinstance(user.app.screen, SearchScreen)
        assert "check an IPv6 address" in user.panel("preview")
        await user.press("enter")
        assert user.row.symbol == "BUSYBOX_PING6"
        assert "Network tools" in user.bar("crumbs")
        await user.press("h", "slash", "escape")
        assert "Network tools" in user.bar("crumbs")


async def test_search_for_nothing_there_is_harmless(start: Start) -> None:
    async with start() as user:
        await user.press("slash")
        await user.type("zzzzz")
        assert "nothing found" in user.bar("found")
        await user.press("down", "pagedown", "enter")
        assert isinstance(user.app.screen, SearchScreen)


async def test_save_keeps_comments(start: Start, project: Path) -> None:
    async with start("base") as user:
        await user.press("slash")
        await user.type("busybox_cat")
        await user.press("enter", "space", "s")
        assert "Saved as" in user.bar("message")
        text = (project / "presets" / "base.json5").read_text()
        assert "// comments stay" in text and "CAT: true" in text
        await user.press("s")
        assert "Nothing has changed" in user.bar("message")


async def test_save_as_holds_exactly_the_difference(start: Start, project: Path) -> None:
    path = project / "presets" / "edge.json5"
    async with start() as user:
        await user.press("slash")
        await user.type("busybox_cat")
        await user.press("enter", "space", "S")
        await user.type("child")
        assert "s saves it" in user.panel("edit-problem")
        await user.press(*["backspace"] * 5)
        await user.type("edge")
        assert "extends child" in user.panel("edit-problem")
        await user.press("enter")
        assert path.read_text() == '{\n  name: "edge",\n  extends: "child",\n  busybox: { CAT: true },\n}\n'
        assert "edge" in user.bar("crumbs") and "unsaved" not in user.bar("crumbs")


async def test_save_as_asks_before_another_file_is_overwritten(start: Start, project: Path) -> None:
    async with start() as user:
        await user.press("S")
        await user.type("base")
        await user.press("enter")
        assert isinstance(user.app.screen, Ask)
        await user.press("escape")
        assert isinstance(user.app.screen, ConfigureScreen)
        assert (project / "presets" / "base.json5").read_text() == BASE


async def test_a_preset_of_an_installed_kimitui_is_not_overwritten(
    start: Start, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = project / "data" / "presets"
    data.mkdir(parents=True)
    (data / "builtin.json5").write_text("{ image: { budget: '1MB' } }")
    monkeypatch.setattr("kimitui.resources.PRESETS_DIR", data)
    assert save_target.refusal(data / "builtin.json5")
    assert not save_target.refusal(project / "presets" / "base.json5")
    async with start("builtin") as user:
        await user.go_to("Hardening")
        await user.press("enter")
        await user.go_to("PIE")
        await user.press("space", "s")
        assert isinstance(user.app.screen, Edit)
        await user.type(str(data / "builtin"))
        assert "comes with kimitui" in user.panel("edit-problem")
        await user.press(*["backspace"] * 200)
        await user.type("mine")
        await user.press("enter")
        assert (project / "presets" / "mine.json5").exists()


async def test_what_cannot_be_saved_is_a_dialog(start: Start) -> None:
    async with start() as user:
        await user.press("S")
        await user.type("/proc/nowhere/edge")
        await user.press("enter")
        assert isinstance(user.app.screen, Notice)
        await user.press("enter")
        assert isinstance(user.app.screen, ConfigureScreen)


async def test_quitting_with_unsaved_changes_asks(start: Start, project: Path) -> None:
    async with start() as user:
        await user.go_to("Hardening")
        await user.press("enter")
        await user.go_to("PIE")
        await user.press("space", "q")
        assert isinstance(user.app.screen, Ask)
        assert "child has unsaved changes" in user.seen()
        await user.press("escape")
        assert isinstance(user.app.screen, ConfigureScreen)
        await user.press("h", "h")
        assert isinstance(user.app.screen, Ask)
        await user.press("n")
        assert isinstance(user.app.screen, StartScreen)
    async with start() as user:
        await user.go_to("Hardening")
        await user.press("enter")
        await user.go_to("PIE")
        await user.press("space", "ctrl+q", "s")
        assert user.app.return_code == 0
    assert "hardening" in (project / "presets" / "child.json5").read_text()
    async with start() as user:
        await user.press("q")
        assert user.app.return_code == 0


async def test_the_mouse(start: Start) -> None:
    async with start() as user:
        await user.go_to("Hardening")
        await user.press("enter")
        config = user.config
        before = config.is_on("HARDENING_PIE")
        pie = next(i for i, line in enumerate(user.menu.items) if line.row.symbol == "HARDENING_PIE")
        await user.pilot.click("#menu", offset=(20, pie + 1))
        await user.pilot.pause()
        assert user.menu.cursor == pie + 1
        await user.pilot.click("#menu", offset=(4, pie))
        await user.pilot.pause()
        assert config.is_on("HARDENING_PIE") is not before


async def test_help_and_keys(start: Start) -> None:
    async with start() as user:
        await user.press("question_mark")
        assert isinstance(user.app.screen, KeysHelp)
        await user.press("escape", "J", "K")
        assert isinstance(user.app.screen, ConfigureScreen)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_long_help_is_scrolled_and_says_how_to_close_it(start: Start, size: tuple[int, int]) -> None:
    async with start(size=size) as user:
        await user.press("question_mark")
        assert "Moving" in user.seen() and "Esc close" in user.seen()
        await user.press(*["pagedown"] * 9)
        text = user.app.screen.query_one("#text", Panel)
        assert text.scroll_offset.y == text.max_scroll_y > 0 and "Esc close" in user.seen()
        await user.press("pageup", "k", "j")
        assert "Moving" not in user.seen()


async def test_the_panel_switches_between_help_and_why(start: Start) -> None:
    async with start() as user:
        await user.press("slash")
        await user.type("busybox_ntpd")
        await user.press("enter")
        assert "Defined in" not in user.panel()
        for key in ("tab", "i"):
            help_text = user.panel()
            await user.press(key)
            assert user.panel() != help_text
        await user.press("tab")
        assert "Defined in" in user.panel() and "server.kconfig:" in user.panel()
        await user.press("down")
        assert "Defined in" in user.panel()


async def test_why_names_what_it_was(start: Start) -> None:
    async with start() as user:
        await user.press("slash")
        await user.type("busybox_vi")
        await user.press("enter", "tab")
        assert "Set here: in base" in user.panel()


async def test_only_what_differs_can_be_shown(start: Start) -> None:
    async with start() as user:
        await user.go_to("BusyBox")
        changed = len(user.config.changes())
        assert user.menu.current is not None and user.menu.current.changes == changed > 1
        assert f"~{changed}" in user.seen()
        await user.press("c")
        assert "(changed only)" in user.bar("crumbs")
        assert [line.row.prompt for line in user.menu.items] == ["BusyBox"]
        while user.row.symbol != "BUSYBOX_VI":
            assert len(user.menu.items) == 1
            await user.press("enter")
        await user.press("space")
        assert "Nothing here has changed" in user.seen()
        await user.press("u")
        assert user.row.symbol == "BUSYBOX_VI"
        await user.press("slash")
        await user.type("busybox_cat")
        await user.press("enter")
        assert user.row.symbol == "BUSYBOX_CAT"
        assert "unchanged options are shown again" in user.bar("message")


async def test_a_menu_counts_what_differs_in_it(start: Start) -> None:
    async with start() as user:
        await user.press("slash")
        await user.type("busybox_cat")
        await user.press("enter", "space")
        while user.row.prompt != "BusyBox":
            await user.press("h")
            assert user.menu.current is not None and user.menu.current.changes > 0
        changed = len(user.config.changes())
        assert user.menu.items[user.menu.cursor].changes == changed
        await user.press("u")
        assert user.menu.items[user.menu.cursor].changes == len(user.config.changes()) < changed


async def test_what_is_typed_right_behind_a_key_goes_where_it_belongs(start: Start) -> None:
    async with start() as user:
        # All in one go: nothing waits for a screen to open or to close.
        for key in ("slash", *"busybox_cat", "enter", "space", "slash", *"zz", "escape", "d"):
            user.app.post_message(Key(key, key if len(key) == 1 else None))
        await user.until(lambda: isinstance(user.app.screen, ChangesScreen))
        await user.press("escape")
        config = user.config
        assert config.is_on("BUSYBOX_CAT")
        assert [change.key for change in config.changes() if change.is_set] == ["CAT", "VI"]
        assert user.row.symbol == "BUSYBOX_CAT"


async def test_space_opens_what_has_no_box(start: Start) -> None:
    async with start() as user:
        await user.go_to("Image")
        await user.press("space")
        assert "› Image" in user.bar("crumbs")
        await user.go_to("Size budget")
        await user.press("space")
        assert isinstance(user.app.screen, Edit)


async def test_breadcrumbs_can_be_clicked(start: Start) -> None:
    async with start() as user:
        await user.go_to("BusyBox")
        await user.press("enter")
        await user.go_to("Text")
        await user.press("enter")
        await user.pilot.click("#crumbs", offset=(16, 0))
        await user.pilot.pause()
        assert user.bar("crumbs").startswith("Kimigayo OS › BusyBox") and "Text" not in user.bar("crumbs")
        assert user.row.prompt == "Text"
        await user.pilot.click("#crumbs", offset=(2, 0))
        await user.pilot.pause()
        assert user.row.prompt == "BusyBox"


async def test_another_preset_can_be_opened(start: Start) -> None:
    async with start() as user:
        await user.go_to("BusyBox")
        await user.press("enter", "o")
        assert isinstance(user.app.screen, StartScreen)
        line = user.app.screen.query_one(PresetList).current
        assert line and line.file and line.file.name == "child"


@pytest.mark.parametrize("ascii_only", [False, True])
async def test_no_size_breaks_a_screen(start: Start, ascii_only: bool) -> None:
    sizes = [(60, 20), (99, 30), (100, 30), (120, 40), (80, 24), (61, 21), (200, 60), (20, 6), (1, 1), (80, 24)]
    async with start(ascii_only=ascii_only) as user:
        await user.go_to("BusyBox")
        await user.press("enter")
        for opening in ([], ["enter"], ["slash", "e"], ["question_mark"], ["S"], ["a"]):
            await user.press(*opening)
            for width, height in sizes:
                await user.pilot.resize_terminal(width, height)
                await user.pilot.pause()
                lines = user.seen().splitlines()
                assert len(lines) == height
                assert not ascii_only or {letter for letter in user.seen() if not letter.isascii()} == set()
            if opening:
                await user.press("escape")


async def test_the_panel_is_beside_the_menu_only_where_there_is_room(start: Start) -> None:
    async with start(size=(80, 24)) as user:
        assert user.screen.query_one("#help", Panel).region.y > user.menu.region.y
        await user.pilot.resize_terminal(120, 40)
        await user.pilot.pause()
        assert user.screen.query_one("#help", Panel).region.y == user.menu.region.y
        assert user.screen.query_one("#help", Panel).region.x > user.menu.region.x
