"""The formulas of a slice have Kconfig's values."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kimitui.kconfig.loader import load
from kimitui.kconfig.state import TreeState
from kimitui.kconfig.types import Kconfig
from kimitui.sizes.closure import Closure, Formulas
from kimitui.sizes.linux.slice import Slice

TREE = """\
config MODULES
	bool "modules"
	modules

config NET
	bool "net"

config INET
	bool "inet" if EXPERT
	depends on NET
	default y
	select CRYPTO

config EXPERT
	bool "expert"

config CRYPTO
	tristate

config HASH
	tristate "hash"
	depends on CRYPTO
	imply CRC

config CRC
	bool "crc" if NET
	default y if HASH = m

config CPUS
	int "cpus"
	range 1 64
	default 8 if NET
	default 4

config MANY
	def_bool CPUS > 16 && !EXPERT

config NEVER
	bool
	depends on ABSENT

config DRIVER
	tristate "driver"
	depends on NET && !NEVER
	select HASH if INET

choice
	prompt "speed"
	default SLOW

config FAST
	bool "fast"
	depends on NET

config SLOW
	bool "slow"

endchoice
"""
SWITCHES = ("MODULES", "NET", "INET", "EXPERT", "HASH", "CRC", "DRIVER")
BASE = {"EXPERT": "y"}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Kconfig:
    path = tmp_path_factory.mktemp("tree") / "Kconfig"
    path.write_text(TREE)
    return load(path)


@pytest.fixture(scope="module", params=["expert is asked for", "expert is settled"])
def closure(request: pytest.FixtureRequest, tree: Kconfig) -> Closure:
    asked = {*SWITCHES, "CPUS", "FAST", "SLOW"}
    if request.param == "expert is settled":
        asked.remove("EXPERT")
    return Closure(Slice(tree, asked, BASE).export(symbol.name for symbol in tree.unique_defined_syms))


requests = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.sampled_from(["n", "m", "y"]) for name in ("HASH", "DRIVER")},
        **{name: st.sampled_from(["n", "y"]) for name in ("MODULES", "NET", "INET", "CRC", "EXPERT")},
        "CPUS": st.integers(1, 64).map(str),
        "FAST": st.just("y"),
    },
)


def kconfig(tree: Kconfig, requested: dict[str, str]) -> dict[str, str]:
    """The values that kconfiglib gives, with everything off that nobody asks for."""
    state = TreeState(tree)
    tree.unset_values()
    state.apply(state.delta({**dict.fromkeys(SWITCHES, "n"), **BASE}))
    state.apply(state.delta(requested))
    return state.values()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(requested=requests)
def test_values_are_kconfigs(tree: Kconfig, closure: Closure, requested: dict[str, str]) -> None:
    if "EXPERT" not in closure.positions:
        requested = {name: value for name, value in requested.items() if name != "EXPERT"}
    expected = kconfig(tree, requested)
    values = closure.values(requested)
    for name, position in closure.positions.items():
        if name in expected:
            value = values[position]
            assert ("nmy"[value] if isinstance(value, int) else value) == expected[name], name


@given(before=requests, after=requests)
def test_a_change_leads_where_a_new_start_does(closure: Closure, before: dict[str, str], after: dict[str, str]) -> None:
    values = closure.values(before)
    names = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    changed, different = closure.changed(values, after, names)
    assert changed == closure.values(after)
    assert {position for position in range(len(values)) if values[position] != changed[position]} == set(different)


def test_what_never_changes_is_not_in_the_slice(tree: Kconfig) -> None:
    slice_ = Slice(tree, {*SWITCHES} - {"EXPERT"}, BASE)
    assert not slice_.varies("NEVER")
    assert slice_.bounds("EXPERT").least == 2
    assert slice_.varies("CRYPTO")  # INET selects it
    assert not {"NEVER", "EXPERT"} & Closure(slice_.export(["INET", "DRIVER", "NEVER", "EXPERT"])).positions.keys()


@pytest.mark.parametrize("text", ["", "&", "& A", "A B", "! ", "= A"])
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Formulas({"A": 0}).compile(text)


def test_a_name_that_is_not_there_is_off() -> None:
    formula, reads = Formulas({}).compile("! NOWHERE")
    assert formula([]) == 2 and not reads


def test_a_symbol_is_read_after_those_it_needs() -> None:
    data = {"base": {}, "symbols": [{"name": "A", "visible": "B"}, {"name": "B", "visible": "y"}]}
    with pytest.raises(ValueError, match="A is read before B"):
        Closure(data)
