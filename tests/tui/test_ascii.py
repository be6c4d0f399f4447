from __future__ import annotations

from pathlib import Path

import kimitui.tui
from kimitui.resources import KCONFIG_DIR
from kimitui.tui.widgets.draw import to_ascii


def test_whatever_the_app_and_the_tree_say_can_be_said_in_ascii() -> None:
    files = [*Path(kimitui.tui.__file__).parent.rglob("*.py"), *KCONFIG_DIR.rglob("*.kconfig")]
    letters = {letter for path in files for letter in path.read_text() if not letter.isascii()}
    assert letters
    assert {letter for letter in letters if to_ascii(letter) == "?"} == set()
