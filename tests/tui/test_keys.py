from __future__ import annotations

from pathlib import Path

import pytest
from textual.binding import Binding

from kimitui.errors import KimituiError, Location
from kimitui.tui.contexts import contexts
from kimitui.tui.keymap import Keymap, actions, key_name, normalised, resolve
from kimitui.tui.screens.dialogs import KeysHelp, Notice
from kimitui.tui.screens.search import SearchScreen
from tests.tui.conftest import Start

PLACE = Location(Path("keys.json5"), 1, 3)


def resolved(**entries: object) -> tuple[Keymap, list[KimituiError]]:
    return resolve({name.replace("__", "."): (value, PLACE) for name, value in entries.items()}, contexts())


def write(project: Path, text: str) -> None:
    path = project / "config" / "kimitui" / "keys.json5"
    path.parent.mkdir(parents=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("written", "key", "name"),
    [
        ("?", "question_mark", "?"),
        ("G", "G", "G"),
        ("Ctrl+S", "ctrl+s", "Ctrl+s"),
        ("PgDn", "pagedown", "PgDn"),
        ("esc", "escape", "Esc"),
        ("shift+f5", "shift+f5", "Shift+F5"),
        ("ctrl++", "ctrl+plus", "Ctrl++"),
        (" ", "space", "Space"),
        (",", "comma", ","),
        ("é", "é", "é"),
    ],
)
def test_keys_are_written_as_people_write_them(written: str, key: str, name: str) -> None:
    assert normalised(written) == key and key_name(key) == name


@pytest.mark.parametrize("written", ["contrl+x", "foo", "ctrl+", "", "x y"])
def test_keys_there_are_not(written: str) -> None:
    assert not written or normalised(written) is None


def test_in_every_context_a_key_does_one_thing() -> None:
    for app, listing, screen in contexts():
        keys: dict[str, str] = {}
        for action in actions([*app, *listing, *screen], {}):
            for key in action.keys:
                # A screen may say anew what the app's or the list's key does there.
                assert keys.setdefault(key, action.id) == action.id or action in actions(screen, {})


def test_every_action_of_a_screen_has_a_name() -> None:
    for context in contexts():
        for bindings in context:
            assert all(isinstance(binding, Binding) and binding.id for binding in bindings)


def test_a_key_moves_to_another_action() -> None:
    keymap, problems = resolved(file__save=["w", "ctrl+s"])
    assert keymap == {"file.save": ("w", "ctrl+s")} and not problems


def test_a_taken_key_is_lost_by_the_action_that_had_it() -> None:
    keymap, problems = resolved(file__save="j")
    assert keymap == {"file.save": ("j",), "list.down": ("down",)} and not problems


def test_an_action_that_is_left_without_a_key_is_named() -> None:
    keymap, problems = resolved(file__save="u")
    assert keymap["edit.undo"] == ()
    assert 'u is now "save"; "undo" has no key left' in problems[0].what and problems[0].where == PLACE


def test_two_keys_can_change_places() -> None:
    keymap, problems = resolved(file__save="u", edit__undo="s")
    assert keymap == {"file.save": ("u",), "edit.undo": ("s",)} and not problems


def test_one_key_for_two_actions_is_a_problem_of_the_second() -> None:
    keymap, problems = resolved(file__save="w", menu__search="w")
    assert keymap == {"file.save": ("w",)} and "w is given to menu.search and to file.save" in problems[0].what


def test_screens_that_are_never_open_together_may_share_a_key() -> None:
    keymap, problems = resolved(start__new="x", file__save="x")
    assert set(keymap) == {"start.new", "file.save"} and not problems


def test_mistakes_say_what_to_do() -> None:
    keymap, problems = resolved(file__sav="w", menu__search="foo+bar", edit__undo=7)
    assert keymap == {}
    assert problems[0].fix == 'Did you mean "file.save"?'
    assert 'there is no key "foo+bar"' in problems[1].what and 'there is no key "7"' in problems[2].what


async def test_changed_keys_work_and_are_shown(start: Start, project: Path) -> None:
    write(project, '{ "menu.search": "ctrl+f", "list.down": ["down", "e"], "edit.redo": "" }')
    async with start() as user:
        assert "Ctrl+f search" in user.seen()
        await user.press("e")
        assert user.menu.cursor == 1
        await user.press("slash", "j")
        assert user.menu.cursor == 1
        await user.press("ctrl+f")
        assert isinstance(user.app.screen, SearchScreen)
        await user.press("escape", "question_mark")
        assert isinstance(user.app.screen, KeysHelp)
        shown = " ".join(user.panel("text").split())
        assert "↓ e a line down" in shown and "Ctrl+f search names" in shown and "no key redo" in shown
        assert "list.down" in user.seen()


async def test_mistakes_in_the_file_do_not_prevent_work(start: Start, project: Path) -> None:
    write(project, '{\n  "menu.serch": "w",\n  "file.save": "w",\n}\n')
    async with start() as user:
        assert isinstance(user.app.screen, Notice)
        assert "keys.json5:2:3" in user.panel("text").replace("\n", "")
        await user.press("enter")
        await user.go_to("Hardening")
        await user.press("enter", "down", "space", "w")
        assert "Saved as" in user.bar("message")
