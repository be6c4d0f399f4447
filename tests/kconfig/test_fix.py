"""What makes a value possible: nothing too much, nothing unasked, and always what was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kimitui.kconfig import explain
from kimitui.kconfig.fix import Fix, find_fixes
from kimitui.kconfig.loader import load
from kimitui.kconfig.names import prompt_of, type_of
from kimitui.kconfig.state import TreeState
from kimitui.kconfig.types import Kconfig

TREE = """
config MODULES
	def_bool y
	option modules

config A
	bool "a"
config B
	bool "b"
config C
	bool "c"
	depends on A && B
config EITHER
	bool "either"
	depends on A || B
config SHORTER
	bool "shorter"
	depends on A || (B && C)
config WITHOUT
	bool "without"
	depends on !A
config CALM
	def_bool !B
config WANTS_CALM
	bool "wants calm"
	depends on CALM

config HELPER
	bool
config USER1
	bool "user 1"
	select HELPER
config USER2
	bool "user 2"
	depends on A
	select HELPER
config HELPED
	bool "helped"
	depends on HELPER

config BUS
	tristate "bus"
config DRIVER
	tristate "driver"
	depends on BUS
config TABLE
	bool "table"
	depends on BUS
config LIBRARY
	tristate "library"
config READER
	bool "reader"
	select LIBRARY
config WRITER
	tristate "writer"
	select LIBRARY

if BUS
menu "inside"
	visible if C
config DEEP
	bool "deep"
	default y
config DEEPER
	int "deeper"
	range 1 9
	depends on DEEP
	default 3
endmenu
endif

choice
	prompt "machine"
config M_PC
	bool "pc"
config M_ARM
	bool "arm"
	depends on !WITHOUT
config M_OLD
	bool "old"
	depends on NEVER
endchoice
config ARM_ONLY
	bool "arm only"
	depends on M_ARM
config MODEL
	string "model"
	default "plain"
config FANCY
	bool "fancy"
	depends on MODEL = "fancy"
config LEVEL
	int "level"
	default 2
config HIGH
	bool "high"
	depends on LEVEL > 5
config NEVER
	bool
config HOPELESS
	bool "hopeless"
	depends on NEVER
"""


@pytest.fixture
def state(tmp_path: Path) -> TreeState:
    (tmp_path / "Kconfig").write_text(TREE)
    return TreeState(load(tmp_path / "Kconfig"))


def given_values(state: TreeState, **values: str) -> None:
    state.apply(state.delta(values))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"C": "y"}, [{"A": "y", "B": "y"}]),
        ({"EITHER": "y"}, [{"A": "y"}, {"B": "y"}]),  # several of the same size: that is for the user to say
        ({"SHORTER": "y"}, [{"A": "y"}]),
        ({"HELPED": "y"}, [{"USER1": "y"}]),  # nobody can switch the helper on, but who selects it
        ({"DRIVER": "m"}, [{"BUS": "m"}]),
        ({"DRIVER": "y"}, [{"BUS": "y"}]),
        ({"TABLE": "y"}, [{"BUS": "y"}]),  # a module would do, but what is built in is what is expected
        ({"DEEPER": "5"}, [{"A": "y", "B": "y", "C": "y", "BUS": "y"}]),  # hidden by menus
        ({"C": "y", "DRIVER": "m"}, [{"A": "y", "B": "y", "BUS": "m"}]),
        ({"HOPELESS": "y"}, []),
        ({"M_OLD": "y"}, []),
        ({"A": "y"}, [{}]),
    ],
)
def test_what_a_value_needs(state: TreeState, wanted: Mapping[str, str], expected: list[dict[str, str]]) -> None:
    fixes = find_fixes(state, wanted)
    assert [dict(fix.assignments) for fix in fixes] == expected
    assert all(fix.overturns == () for fix in fixes)
    assert state.assigned == {}


@pytest.mark.parametrize(
    ("now", "wanted", "expected"),
    [
        ({"A": "y"}, {"WITHOUT": "y"}, [Fix((("A", "n"),), ("A",))]),
        ({"B": "y"}, {"WANTS_CALM": "y"}, [Fix((("B", "n"),), ("B",))]),
        ({}, {"ARM_ONLY": "y"}, [Fix((("M_ARM", "y"),), ("M_PC",))]),
        ({}, {"FANCY": "y"}, [Fix((("MODEL", "fancy"),), ("MODEL",))]),
        ({}, {"HIGH": "y"}, [Fix((("LEVEL", "6"),), ("LEVEL",))]),
        ({"READER": "y"}, {"LIBRARY": "m"}, [Fix((("READER", "n"),), ("READER",))]),
        ({"WRITER": "y"}, {"LIBRARY": "m"}, [Fix((("WRITER", "m"),), ("WRITER",))]),
        (
            {"READER": "y", "WRITER": "y"},
            {"LIBRARY": "n"},
            [Fix((("READER", "n"), ("WRITER", "n")), ("READER", "WRITER"))],
        ),
        ({"BUS": "y"}, {"DEEP": "n"}, [Fix((("A", "y"), ("B", "y"), ("C", "y")), ())]),  # hidden, and on by default
        # What is switched on takes something away that was set.
        ({"WITHOUT": "y"}, {"C": "y"}, [Fix((("A", "y"), ("B", "y")), ("WITHOUT",))]),
    ],
)
def test_what_takes_something_away_says_what(
    state: TreeState, now: Mapping[str, str], wanted: Mapping[str, str], expected: list[Fix]
) -> None:
    given_values(state, **now)
    assert list(find_fixes(state, wanted)) == expected


def test_ways_that_take_nothing_away_are_preferred_to_shorter_ones(tmp_path: Path) -> None:
    (tmp_path / "Kconfig").write_text("""
config OLD
	bool "old"
config A
	bool "a"
config B
	bool "b"
config NEW
	bool "new"
	depends on !OLD || (A && B)
""")
    state = TreeState(load(tmp_path / "Kconfig"))
    given_values(state, OLD="y")
    assert find_fixes(state, {"NEW": "y"}) == (Fix((("A", "y"), ("B", "y")), ()),)


def test_a_loop_of_conditions_ends(tmp_path: Path) -> None:
    (tmp_path / "Kconfig").write_text("""
config X
	bool "x"
	depends on Y
config Y
	bool
	default y if Z
config Z
	bool "z"
	depends on W
config W
	bool
""")
    assert find_fixes(TreeState(load(tmp_path / "Kconfig")), {"X": "y"}) == ()


SWITCHES = ["A", "B", "C", "EITHER", "SHORTER", "WITHOUT", "WANTS_CALM", "USER1", "USER2", "HELPED", "BUS", "DRIVER",
            "TABLE", "LIBRARY", "READER", "WRITER", "DEEP", "M_PC", "M_ARM", "ARM_ONLY", "FANCY", "HIGH"]  # fmt: skip
STEPS = st.tuples(st.sampled_from(SWITCHES), st.sampled_from(["y", "n", "m"]))


def holds(state: TreeState, wanted: Mapping[str, str]) -> bool:
    back = state.apply(state.delta(wanted))
    lost = explain.requested_but_lost(state.tree, wanted)
    state.apply(back)
    return not lost


def check(state: TreeState, wanted: Mapping[str, str]) -> None:
    """A fix gives what is wanted, no part of it can be left out, and the tree is as before."""
    before, values = state.assigned, state.values()
    fixes = find_fixes(state, wanted)
    assert (state.assigned, state.values()) == (before, values)
    for fix in fixes:
        assert holds(state, {**wanted, **dict(fix.assignments)})
        for left_out, _ in fix.assignments:
            assert not holds(state, {**wanted, **{name: v for name, v in fix.assignments if name != left_out}})
        if not fix.overturns:
            assert all(value != "n" for _, value in fix.assignments)
    assert len(set(fixes)) == len(fixes)
    if holds(state, wanted) and not any(fix.overturns for fix in fixes):
        assert [fix.assignments for fix in fixes] == [()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=8), STEPS)
def test_no_fix_does_more_than_it_must(
    state: TreeState, history: list[tuple[str, str]], wanted: tuple[str, str]
) -> None:
    state.apply(state.replacing({}))
    for name, value in history:
        if type_of(state.tree.syms[name]) == "bool" and value == "m":
            continue
        state.apply(state.delta({name: value}))
    if not (type_of(state.tree.syms[wanted[0]]) == "bool" and wanted[1] == "m"):
        check(state, dict([wanted]))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_in_the_system_tree_no_fix_does_more_than_it_must(data: st.DataObject, system_kconfig: Kconfig) -> None:
    system_kconfig.unset_values()  # the tree is shared
    state = TreeState(system_kconfig)
    names = [
        symbol.name
        for symbol in system_kconfig.unique_defined_syms
        if prompt_of(symbol) and type_of(symbol) in ("bool", "tristate")
    ]
    try:
        for name in data.draw(st.lists(st.sampled_from(names), max_size=10)):
            state.apply(state.delta({name: "y"}))
        check(state, {data.draw(st.sampled_from(names)): data.draw(st.sampled_from(["y", "n"]))})
    finally:
        system_kconfig.unset_values()
