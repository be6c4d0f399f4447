from __future__ import annotations

from pathlib import Path

from kimitui import recovery
from kimitui.config import Configuration
from kimitui.recovery import RecoveryFile
from kimitui.tui.screens.configure import ConfigureScreen
from kimitui.tui.screens.dialogs import Ask, Edit, Notice
from kimitui.tui.screens.start import StartScreen
from tests.tui.conftest import CHILD, Driver, Start

OTHER = '{ name: "child", description: "More", extends: "base", busybox: { VI: true, CAT: true } }\n'


def child(project: Path) -> Path:
    return project / "presets" / "child.json5"


def leave_behind(path: Path, symbol: str = "BUSYBOX_CAT") -> None:
    """Changes of a configurator that is gone."""
    config = Configuration.open(str(path))
    config.toggle(symbol)
    abandon(RecoveryFile(), config)


def abandon(kept: RecoveryFile, config: Configuration) -> None:
    kept.write(recovery.draft(config))
    kept.leave()


async def change(user: Driver) -> None:
    """Change a value on the screen."""
    await user.go_to("Hardening")
    await user.press("enter", "down", "space")
    assert user.screen.session.config.modified


async def look(user: Driver) -> None:
    """Come back to the terminal."""
    user.app.app_focus = False
    user.app.app_focus = True
    await user.pilot.pause()


def kept() -> int:
    directory = recovery.recovery_dir()
    return len(list(directory.glob("*.json"))) if directory.exists() else 0


# Kept for the case of a crash


async def test_unsaved_changes_are_kept_and_gone_when_saved(start: Start) -> None:
    async with start() as user:
        await change(user)
        await user.until(lambda: kept() == 1)
        await user.press("s")
        assert kept() == 0


async def test_taking_everything_back_keeps_nothing(start: Start) -> None:
    async with start() as user:
        await change(user)
        await user.until(lambda: kept() == 1)
        await user.press("u")
        await user.until(lambda: kept() == 0)


async def test_changes_that_were_given_up_are_not_kept(start: Start) -> None:
    async with start() as user:
        await change(user)
        await user.until(lambda: kept() == 1)
        await user.press("q", "n")
    assert kept() == 0


async def test_ending_without_being_asked_keeps_the_changes(start: Start, project: Path) -> None:
    async with start() as user:
        await change(user)
        config = user.screen.session.config
        assert isinstance(config, Configuration)
        values = config.own_values()
        user.app.exit()  # as after an exception, or a signal
    (left,) = recovery.find_left(child(project))
    assert left.draft.values == values
    left.release()


async def test_the_next_start_offers_and_restores_as_one_step(start: Start, project: Path) -> None:
    leave_behind(child(project))
    async with start() as user:
        await user.until(lambda: isinstance(user.app.screen, Ask))
        assert "There are unsaved changes to child.json5" in user.seen()
        await user.press("r")
        assert user.screen.session.config.is_on("BUSYBOX_CAT")
        assert "restored; u takes them back" in user.bar("message")
        assert kept() == 1, "they are not saved yet"
        await user.press("u")
        assert not user.screen.session.unsaved
        await user.press("ctrl+r", "s")
    assert kept() == 0
    assert "CAT: true" in child(project).read_text()


async def test_discarded_changes_are_gone_and_later_means_later(start: Start, project: Path) -> None:
    leave_behind(child(project))
    async with start() as user:
        await user.until(lambda: isinstance(user.app.screen, Ask))
        await user.press("escape")
        assert not user.screen.session.unsaved
        await user.press("q")
    assert kept() == 1
    async with start() as user:
        await user.until(lambda: isinstance(user.app.screen, Ask))
        await user.press("d")
        assert not user.screen.session.unsaved
    assert kept() == 0


async def test_a_file_that_changed_since_is_told_and_built_upon(start: Start, project: Path) -> None:
    leave_behind(child(project), "BUSYBOX_LS")
    child(project).write_text(OTHER)
    async with start() as user:
        await user.until(lambda: isinstance(user.app.screen, Ask))
        assert "changed since" in user.seen()
        await user.press("r")
        config = user.screen.session.config
        assert config.is_on("BUSYBOX_CAT") and not config.is_on("BUSYBOX_LS")


async def test_the_list_of_presets_offers_any_also_one_whose_file_is_gone(start: Start, project: Path) -> None:
    leave_behind(child(project))
    child(project).unlink()
    async with start(None) as user:
        await user.until(lambda: isinstance(user.app.screen, Ask))
        assert "It was removed since" in user.seen()
        await user.press("r")
        await user.until(lambda: isinstance(user.app.screen, ConfigureScreen))
        await user.until(lambda: user.screen.session.config.is_on("BUSYBOX_CAT"))
        await user.press("s")
    assert Configuration.open("child").is_on("BUSYBOX_CAT")
    assert kept() == 0


async def test_changes_of_one_that_still_runs_are_not_offered(start: Start, project: Path) -> None:
    config = Configuration.open(str(child(project)))
    config.toggle("BUSYBOX_CAT")
    other = RecoveryFile()
    other.write(recovery.draft(config))
    async with start() as user:
        await user.press("q")
    assert user.app.return_code == 0
    assert kept() == 1
    other.remove()


# Changed by somebody else


async def test_a_change_on_disk_is_asked_about_and_read_again(start: Start, project: Path) -> None:
    async with start() as user:
        await change(user)
        child(project).write_text(OTHER)
        await look(user)
        assert isinstance(user.app.screen, Ask)
        assert "child.json5 was changed on disk" in user.seen()
        assert "You have unsaved changes." in user.seen()
        await user.press("r")
        config = user.screen.session.config
        assert config.is_on("BUSYBOX_CAT") and not user.screen.session.unsaved
        await user.press("u")
        assert not config.is_on("BUSYBOX_CAT") and user.screen.session.unsaved


async def test_it_is_noticed_without_a_key(start: Start, project: Path) -> None:
    async with start() as user:
        child(project).write_text(OTHER)
        await user.until(lambda: isinstance(user.app.screen, Ask))


async def test_coming_back_to_the_terminal_looks_at_once(start: Start, project: Path) -> None:
    async with start() as user:
        child(project).write_text(OTHER)
        await look(user)
        assert isinstance(user.app.screen, Ask)


async def test_a_change_in_what_it_extends_is_noticed(start: Start, project: Path) -> None:
    async with start() as user:
        base = project / "presets" / "base.json5"
        base.write_text('{ name: "base", busybox: { ASH: true, CAT: true } }')
        await look(user)
        assert isinstance(user.app.screen, Ask)
        assert "base.json5 was changed on disk, which child extends" in user.seen()
        await user.press("r")
        assert user.screen.session.config.is_on("BUSYBOX_CAT")


async def test_deciding_later_is_not_asked_again_but_saving_asks(start: Start, project: Path) -> None:
    async with start() as user:
        await change(user)
        child(project).write_text(OTHER)
        await look(user)
        assert isinstance(user.app.screen, Ask)
        await user.press("escape")
        await look(user)
        assert isinstance(user.app.screen, ConfigureScreen)
        await user.press("s")
        assert isinstance(user.app.screen, Ask)
        await user.press("escape")
        assert child(project).read_text() == OTHER
        await user.press("s", "o")
        assert isinstance(user.app.screen, ConfigureScreen)
    assert "CAT: true" not in child(project).read_text()
    assert "hardening" in child(project).read_text()


async def test_keeping_what_is_here_allows_to_save_over_it(start: Start, project: Path) -> None:
    async with start() as user:
        await change(user)
        child(project).write_text(OTHER)
        await look(user)
        assert isinstance(user.app.screen, Ask)
        await user.press("m")
        assert user.screen.session.unsaved
        await user.press("s")
        assert isinstance(user.app.screen, ConfigureScreen)
    assert "CAT" not in child(project).read_text() and "hardening" in child(project).read_text()


async def test_a_preset_that_was_removed_can_be_kept(start: Start, project: Path) -> None:
    async with start() as user:
        child(project).unlink()
        await look(user)
        assert isinstance(user.app.screen, Ask)
        assert "child.json5 was removed" in user.seen() and "read it again" not in user.seen()
        await user.press("m", "s")
    assert "VI: true" in child(project).read_text()


async def test_save_as_out_of_the_question(start: Start, project: Path) -> None:
    async with start() as user:
        await change(user)
        child(project).write_text(OTHER)
        await user.press("s")
        assert isinstance(user.app.screen, Ask)
        await user.press("S")
        assert isinstance(user.app.screen, Edit)
        await user.type("mine")
        await user.press("enter")
        assert (project / "presets" / "mine.json5").exists()
    assert child(project).read_text() == OTHER


async def test_reading_again_what_cannot_be_read_changes_nothing(start: Start, project: Path) -> None:
    async with start() as user:
        await change(user)
        mine = user.screen.session.config.resolved()
        child(project).write_text("{ name: }")
        await look(user)
        assert isinstance(user.app.screen, Ask)
        await user.press("r")
        assert isinstance(user.app.screen, Notice)
        await user.press("escape")
        assert user.screen.session.config.resolved() == mine


async def test_two_at_once_on_a_new_preset_do_not_eat_each_others_file(start: Start, project: Path) -> None:
    async with start(None) as user:
        await user.press("n")
        await user.type("edge")
        await user.press("enter")
        (project / "presets" / "edge.json5").write_text(CHILD)
        await user.press("s")
        assert isinstance(user.app.screen, Ask)
        await user.press("escape")
        assert (project / "presets" / "edge.json5").read_text() == CHILD
        await user.press("escape")
        assert isinstance(user.app.screen, StartScreen)


async def test_saving_a_preset_that_was_removed_asks_and_makes_it_again(start: Start, project: Path) -> None:
    async with start() as user:
        await change(user)
        child(project).unlink()
        await user.press("s")
        assert isinstance(user.app.screen, Ask)
        assert "make it again" in user.seen() and "read it again" not in user.seen()
        await user.press("o")
        assert isinstance(user.app.screen, ConfigureScreen)
    assert "hardening" in child(project).read_text()
