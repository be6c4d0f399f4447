"""Every kind of entry that a Kconfig tree can have, in a tree of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import MouseScrollDown

from kimitui.tui.screens.dialogs import Edit, Ways
from tests.tui.conftest import Start

TREE = """
mainmenu "Kinds"

config MODULES
	def_bool y
	option modules

comment "Settings of the kernel"

config KERNEL_NET
	tristate "Network"
	help
		Talks to others.

config KERNEL_IPV6
	bool "IPv6"
	depends on KERNEL_NET

menuconfig KERNEL_FS
	bool "File systems"
	default y

if KERNEL_FS
config KERNEL_EXT4
	tristate "ext4"
config KERNEL_XFS
	tristate "xfs"
endif

config KERNEL_QUOTA
	bool "Quota"
	depends on KERNEL_EXT4 || KERNEL_XFS

config KERNEL_CPUS
	int "Processors"
	range 1 8192
	default 64

config KERNEL_BASE
	hex "Base address"
	range 0x100 0xffff
	default 0x1000

config KERNEL_CMDLINE
	string "Command line"

choice KERNEL_COMPRESSION
	prompt "Compression"
	default KERNEL_GZIP
config KERNEL_GZIP
	bool "gzip"
config KERNEL_ZSTD
	bool "zstd"
endchoice
"""


@pytest.fixture
def kinds(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "kconfig").mkdir()
    (project / "kconfig" / "Kconfig").write_text(TREE)
    (project / "presets" / "plain.json5").write_text('{ name: "plain" }')
    monkeypatch.setattr("kimitui.resources.KCONFIG_DIR", project / "kconfig")


pytestmark = pytest.mark.usefixtures("kinds")


async def test_each_kind_has_its_shape(start: Start) -> None:
    async with start("plain", size=(80, 40)) as user:
        seen = user.seen()
        assert "--- Settings of the kernel ---" in seen
        assert "< > Network" in seen and "[*] File systems --->" in seen
        assert "Processors = 64" in seen and "Base address = 0x1000" in seen
        assert 'Command line = ""' in seen and "Compression (gzip) --->" in seen
        assert user.row.prompt == "Network", "the cursor does not stop at a comment"
        await user.press("space")
        assert "<M> Network" in user.seen()
        await user.press("space")
        assert "<*> Network" in user.seen()
        await user.press("m")
        assert "<M> Network" in user.seen()


async def test_a_menuconfig_entry_is_a_switch_that_opens(start: Start) -> None:
    async with start("plain") as user:
        await user.go_to("File systems")
        await user.press("enter")
        assert [line.row.prompt for line in user.menu.items] == ["ext4", "xfs"]
        await user.press("h", "space")
        assert "[ ] File systems --->" in user.seen()
        await user.press("enter")
        assert "Nothing is offered here now" in user.seen()
        await user.press("a")
        assert "not offered" in user.seen()
        assert "needs" in user.panel()


async def test_numbers_are_checked_against_their_range_while_typing(start: Start) -> None:
    async with start("plain") as user:
        await user.go_to("Processors")
        await user.press("enter")
        assert "a whole number, 1 to 8192" in user.panel("edit-problem")
        await user.press("backspace", "backspace", "9", "0", "0", "0")
        assert "must be from 1 to 8192" in " ".join(user.panel("edit-problem").split())
        await user.press("enter")
        assert isinstance(user.app.screen, Edit)
        await user.press("backspace", "enter")
        assert "Processors = 900" in user.seen()
        await user.go_to("Base address")
        await user.press("enter")
        assert "a hexadecimal number, 0x100 to 0xffff" in user.panel("edit-problem")
        await user.press(*["backspace"] * 6, "x", "y")
        assert "number" in user.panel("edit-problem")


async def test_what_is_needed_comes_with_it_and_goes_with_it(start: Start) -> None:
    async with start("plain", size=(100, 30)) as user:
        await user.press("a")
        await user.go_to("IPv6")
        assert "not offered" in user.seen()
        await user.press("space")
        assert user.bar("message") == "IPv6: on · needed: Network on (u undoes all)"
        await user.press("u")
        assert user.screen.session.changes() == []


async def test_of_several_ways_one_is_chosen(start: Start) -> None:
    async with start("plain", size=(100, 30)) as user:
        config = user.config
        await user.press("a")
        await user.go_to("Quota")
        await user.press("space")
        assert isinstance(user.app.screen, Ways)
        assert "Quota" in user.panel("text") and "ext4" in user.panel("text") and "xfs" in user.panel("text")
        await user.press("escape")
        assert not config.is_on("KERNEL_QUOTA") and not config.can_undo
        await user.press("space", "down", "enter")
        assert config.is_on("KERNEL_QUOTA")
        assert config.is_on("KERNEL_EXT4") != config.is_on("KERNEL_XFS")
        await user.press("u")
        assert user.screen.session.changes() == []
        await user.press("space", "1")
        assert config.is_on("KERNEL_QUOTA")
        await user.press("u", "space", "9", "k", "k", "enter")
        assert config.is_on("KERNEL_QUOTA")


async def test_more_ways_than_there_are_digits(start: Start, project: Path) -> None:
    drivers = [f"KERNEL_DRIVER{number}" for number in range(12)]
    options = "".join(f'config {name}\n\tbool "{name.title()}"\n' for name in drivers)
    (project / "kconfig" / "Kconfig").write_text(
        f'mainmenu "Many"\n{options}config KERNEL_DISK\n\tbool "Disk"\n\tdepends on {" || ".join(drivers)}\n'
    )
    async with start("plain", size=(100, 40)) as user:
        await user.press("a")
        await user.go_to("Disk")
        await user.press("space")
        assert "9  switch on" in user.panel("text") and "10  " not in user.panel("text")
        assert "There are more ways than these." in user.panel("text")
        await user.press("9")
        assert user.config.is_on("KERNEL_DISK")


async def test_half_pages(start: Start, project: Path) -> None:
    many = "\n".join(f'config KERNEL_OPT{n}\n\tbool "Option {n}"\n' for n in range(200))
    (project / "kconfig" / "Kconfig").write_text(f'mainmenu "Many"\n{many}')
    async with start("plain") as user:
        await user.press("ctrl+d")
        half = user.menu.cursor
        assert 2 < half < user.menu.size.height
        await user.press("ctrl+d", "ctrl+u")
        assert user.menu.cursor == half
        await user.press("pagedown")
        assert user.menu.cursor > half + 2
        await user.press("G", "pagedown", "ctrl+d")
        assert user.menu.cursor == 199 and "Option 199" in user.seen()
        await user.press("home", "pageup", "ctrl+u")
        assert user.menu.cursor == 0


async def test_the_wheel_scrolls_and_a_second_click_opens(start: Start, project: Path) -> None:
    many = "\n".join(f'config KERNEL_OPT{n}\n\tbool "Option {n}"\n' for n in range(200))
    (project / "kconfig" / "Kconfig").write_text(f'mainmenu "Many"\nmenu "First"\n{many}\nendmenu\n')
    async with start("plain") as user:
        await user.pilot.click("#menu", offset=(10, 0), times=2)
        await user.pilot.pause()
        assert len(user.menu.items) == 200
        for _ in range(3):
            await user.pilot._post_mouse_events([MouseScrollDown], "#menu", offset=(10, 5))
        await user.until(lambda: user.menu.scroll_offset.y > 0)
        top = user.menu.scroll_offset.y
        assert user.menu.cursor == 0
        await user.pilot.click("#menu", offset=(10, 2))
        await user.pilot.pause()
        assert user.menu.cursor == top + 2
