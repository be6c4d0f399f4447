"""Random keys, clicks and sizes: whatever one does, the app stays up and the configuration stays in order.

`pytest tests/tui/test_state_machine.py --hypothesis-profile=hunt` looks further, and elsewhere every time. A failure
prints the keys that lead to it.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from textual.widgets import Input

from kimitui.config import Configuration
from kimitui.config_types import Values
from kimitui.kconfig.names import type_of
from kimitui.kconfig.types import Kconfig
from kimitui.tui.screens.configure import ConfigureScreen
from kimitui.tui.widgets.listing import Listing
from tests.pictures.project import project
from tests.pictures.stage import opened
from tests.tui.hands import Hands

NUMBER = {"n": 0, "m": 1, "y": 2}
WORDS = ["httpd", "ping", "https", "telnetd", "syslog", "ash", "budget", "stack", "arch", "getty", "cgroup"]
TEXTS = st.sampled_from(["0", "9", "5MB", "x", "kimigayo", "-1", "é", "presets/new", "e d", '"'])


class Keyboard(RuleBasedStateMachine):
    """What a user can do to the app. `beginning` is what the open configuration was like when it was opened."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._project = self._stack.enter_context(project())
        self._hands: Hands | None = None
        self._reference: str | None = None
        self._beginnings: dict[Configuration, Values] = {}
        self._saved = False

    @property
    def hands(self) -> Hands:
        assert self._hands is not None
        return self._hands

    @property
    def screen(self) -> ConfigureScreen | None:
        """The configurator, if it is what one sees."""
        screen = self.hands.app.screen
        return screen if isinstance(screen, ConfigureScreen) else None

    @property
    def config(self) -> Configuration | None:
        """The configuration that is open."""
        screens = [screen for screen in self.hands.app.screen_stack if isinstance(screen, ConfigureScreen)]
        config = screens[-1].session.config if screens else None
        assert config is None or isinstance(config, Configuration)
        return config

    # What one can do

    @initialize(
        reference=st.sampled_from(["edge", "minimal", None]), size=st.sampled_from([(80, 24), (120, 40), (60, 20)])
    )
    def start(self, reference: str | None, size: tuple[int, int]) -> None:
        self._reference = reference
        self._hands = Hands(opened(reference, size))

    @rule(data=st.data())
    def press(self, data: st.DataObject) -> None:
        """Any key that does something now."""
        self.hands.press(data.draw(st.sampled_from(sorted(self.hands.app.screen.active_bindings)), "key"))

    @rule(key=st.sampled_from(["down", "up", "enter", "space", "escape"]), times=st.integers(1, 8))
    def press_often(self, key: str, times: int) -> None:
        for _ in range(times):
            self.hands.press(key)

    @rule(text=TEXTS)
    def write(self, text: str) -> None:
        """Into the line that is being edited; elsewhere letters are keys."""
        if isinstance(self.hands.app.focused, Input):
            self.hands.write(text)

    @rule(word=st.sampled_from(WORDS), down=st.integers(0, 3), key=st.sampled_from(["space", "y", "n", "m", "enter"]))
    def change_what_is_found(self, word: str, down: int, key: str) -> None:
        if self.screen:
            self.hands.press("slash", "/")
            self.hands.write(word)
            for pressed in (*["down"] * down, "enter", key):
                self.hands.press(pressed)

    @rule(across=st.floats(0, 0.999), along=st.floats(0, 0.999), times=st.integers(1, 2))
    def click(self, across: float, along: float, times: int) -> None:
        size = self.hands.app.size
        self.hands.click(int(across * size.width), int(along * size.height), times)

    @rule(width=st.integers(1, 140), height=st.integers(1, 50))
    def resize(self, width: int, height: int) -> None:
        self.hands.resize(width, height)

    # What holds after certain keys

    @rule()
    def undo_and_redo_everything(self) -> None:
        if not (self.screen and self.config):
            return
        before, steps = self.config.resolved(), 0
        while self.config.can_undo:
            self.hands.press("u")
            steps += 1
        assert self.config.resolved() == self._beginnings[self.config]
        for _ in range(steps):
            self.hands.press("ctrl+r")
        assert self.config.resolved() == before

    @precondition(lambda self: not self._saved)  # once is enough, and a tree takes long to load
    @rule()
    def save_and_load(self) -> None:
        if self.screen and self.config:
            self._saved = True
            self.hands.press("s")
            if self.screen:  # nothing was asked
                assert not self.screen.session.unsaved
                assert Configuration.open(str(self.config.preset.path)).resolved() == self.config.resolved()

    # What holds always

    @invariant()
    def nothing_is_lost_when_it_ends(self) -> None:
        if self._hands and not self._hands.running:
            self._hands.close()  # raises what was not caught
            self._hands = Hands(opened(self._reference, (80, 24)))

    @invariant()
    def the_screen_is_full(self) -> None:
        if self._hands:
            size = self.hands.app.size
            assert [line.cell_length for line in self.hands.lines()] == [size.width] * size.height

    @invariant()
    def keys_reach_what_one_sees(self) -> None:
        if self._hands:
            focused, screen = self.hands.app.focused, self.hands.app.screen
            assert focused is None or focused.screen is screen
            takes_keys = [widget for widget in screen.query(Listing) if widget.can_focus]
            assert focused or not (takes_keys or screen.query(Input))

    @invariant()
    def the_values_are_in_order(self) -> None:
        if self._hands and (config := self.config):
            self._beginnings.setdefault(config, config.resolved())
            check_values(config.tree)

    def teardown(self) -> None:
        try:
            if self._hands:
                if (config := self.config) and config.can_undo:
                    self._hands.do(lambda: check_copies(config))
                    self._hands.do(lambda: check_undo(config, self._beginnings[config]))
                self._hands.close()
        finally:
            self._stack.close()


def check_values(tree: Kconfig) -> None:
    """That what was assigned has its value where it can have it, and that exactly one member of a choice is on."""
    for symbol in tree.unique_defined_syms:
        if symbol.user_value is None or not symbol.visibility or symbol.choice:
            continue
        if type_of(symbol) in ("bool", "tristate"):
            assert isinstance(symbol.user_value, int)
            assert symbol.tri_value >= min(symbol.user_value, symbol.visibility), symbol.name
        elif type_of(symbol) == "string":
            assert symbol.str_value == symbol.user_value, symbol.name
    for choice in tree.unique_choices:
        if choice.visibility:
            assert sum(member.tri_value == NUMBER["y"] for member in choice.syms) == 1, choice.name


def check_undo(config: Configuration, beginning: Values) -> None:
    """That what was done can be undone to the beginning."""
    while config.undo():
        pass
    assert config.resolved() == beginning


def check_copies(config: Configuration) -> None:
    """That the values follow from what was assigned, not from how one got there; and that they survive a file."""
    assert config.copy().resolved() == config.resolved()
    path = config.save(Path("presets/the-end.json5"), extend=True)
    assert Configuration.open(str(path)).resolved() == config.resolved()


def test_random_keys() -> None:
    hunting = settings.get_current_profile_name() == "hunt"
    run_state_machine_as_test(
        Keyboard,
        settings=settings() if hunting else settings(max_examples=100, stateful_step_count=8, derandomize=True),
    )
