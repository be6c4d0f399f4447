"""Every option of the Kernel menu does in Linux's own tree what the menu says, in words of our own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kimitui.kconfig import linux
from kimitui.kconfig.names import prompt_of, type_of
from kimitui.kconfig.types import Kconfig, MenuNode
from tests.kconfig.kernel_trees import PREFIX, Both, Impossible, runs

EXCLUSIVE = ("KERNEL_SLUB_TINY", "KERNEL_KASAN", "KERNEL_SECURITY_LOCKDOWN_LSM")
"""What does not go together with other options; the rest can be on all at once."""


@pytest.fixture(scope="module", params=linux.ARCHES)
def both(
    request: pytest.FixtureRequest, system_kconfig: Kconfig, linux_upstream: Mapping[str, Kconfig]
) -> Iterator[Both]:
    yield Both(system_kconfig, linux_upstream[request.param], request.param)
    system_kconfig.unset_values()


def kernel_nodes(system: Kconfig) -> list[MenuNode]:
    return [
        node
        for node in system.node_iter()
        if node.filename.startswith("kernel") and hasattr(node.item, "nodes")  # options and choices
    ]


def test_the_menu_has_the_options_that_matter_and_not_all(system_kconfig: Kconfig) -> None:
    assert 150 <= sum(symbol.name.startswith(PREFIX) for symbol in system_kconfig.unique_defined_syms) <= 250


def test_options_are_upstreams_with_the_same_type_and_a_prompt(both: Both) -> None:
    wrong = {}
    for symbol in both.possible():
        theirs = both.upstream.syms.get(symbol.name.removeprefix(PREFIX))
        if theirs is None or not theirs.nodes:
            wrong[symbol.name] = "does not exist"
        elif type_of(theirs) != type_of(symbol):
            wrong[symbol.name] = f"is {type_of(theirs)}"
        elif not prompt_of(theirs):
            wrong[symbol.name] = "cannot be set"
    assert not wrong


def test_every_option_can_be_switched_on_by_itself(both: Both) -> None:
    wrong = {}
    for symbol in both.possible():
        wanted = both.needs(symbol)
        with both.values(wanted):
            if problems := both.refused(wanted) or both.lost():
                wrong[symbol.name] = problems
    assert not wrong


def test_every_tristate_can_be_a_module_by_itself(both: Both) -> None:
    wrong = {}
    for symbol in both.possible():
        if type_of(symbol) == "tristate":
            wanted = both.needs(symbol, "m")
            with both.values(wanted):
                if problems := both.refused(wanted) or both.lost():
                    wrong[symbol.name] = problems
    assert not wrong


def test_every_option_can_be_switched_off_by_itself(both: Both) -> None:
    wrong = {}
    everything = both.everything("y", without=EXCLUSIVE)
    for name in everything:
        with both.values({**everything, name: "n"}):
            # What selects it keeps it on; everything else follows.
            if problems := both.lost():
                wrong[name] = problems
    assert not wrong


@pytest.mark.parametrize("tristate", ["y", "m"])
def test_everything_can_be_on_at_once(both: Both, tristate: str) -> None:
    everything = both.everything(tristate, without=EXCLUSIVE)
    if tristate == "y":
        possible = {symbol.name for symbol in both.possible()}
        assert possible - everything.keys() == possible & set(EXCLUSIVE)
    with both.values(everything):
        assert not both.refused(everything)
        assert not both.lost()


def test_everything_can_be_off_at_once(both: Both) -> None:
    with both.values({}):
        assert not both.lost()


def test_what_the_menu_proposes_holds(both: Both) -> None:
    with both.values({}, off=False):
        assert not both.lost()


def test_every_member_of_a_choice_can_be_chosen(both: Both) -> None:
    wrong = {}
    chosen = 0
    for symbol in both.symbols:
        if symbol.choice is None:
            continue
        try:
            wanted = both.needs(symbol)
        except Impossible:
            continue
        with both.values(wanted):
            chosen += 1
            if problems := both.refused(wanted) or both.lost():
                wrong[symbol.name] = problems
    assert chosen > 8
    assert not wrong


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_the_menu_takes_is_what_linux_gets(both: Both, data: st.DataObject) -> None:
    share = data.draw(st.sampled_from([0.1, 0.4, 0.8]))
    random = data.draw(st.randoms(use_true_random=False))
    wanted = {
        symbol.name: random.choice(["y", "m"] if type_of(symbol) == "tristate" else ["y"])
        for symbol in both.switches
        if random.random() < share
    }
    for choice in both.system.unique_choices:
        if choice.syms[0].name.startswith(PREFIX):
            wanted[random.choice(choice.syms).name] = "y"
    with both.values(wanted):
        assert not both.lost()


def test_the_base_is_not_in_the_menu(both: Both) -> None:
    offered = {symbol.name.removeprefix(PREFIX) for symbol in both.possible()}
    assert not offered & linux.base(both.arch).keys()


def test_every_line_of_the_base_has_an_effect(both: Both) -> None:
    # With everything in the menu on, nothing of the base is without what it depends on.
    with both.values(both.everything("y", without=EXCLUSIVE)):
        values = {name: both.upstream.syms[name].str_value for name in linux.base(both.arch)}
    assert values == linux.base(both.arch)
    assert all(prompt_of(both.upstream.syms[name]) for name in values)


def test_every_prompt_is_short_and_has_help(system_kconfig: Kconfig) -> None:
    texts = [(node.prompt[0], node.help or "") for node in kernel_nodes(system_kconfig) if node.prompt]
    assert len(texts) > 200
    assert not [prompt for prompt, text in texts if not text.strip()]
    assert not [prompt for prompt, _ in texts if len(prompt) > 60]


def test_no_two_options_have_the_same_help(system_kconfig: Kconfig) -> None:
    texts = [node.help for node in kernel_nodes(system_kconfig) if node.prompt]
    assert len(texts) == len(set(texts))


def test_help_is_not_upstreams(system_kconfig: Kconfig, linux_upstream: Mapping[str, Kconfig]) -> None:
    copied = {}
    for tree in linux_upstream.values():
        for node in kernel_nodes(system_kconfig):
            theirs = tree.syms.get((node.item.name or "").removeprefix(PREFIX))
            if theirs is not None:
                upstream = "\n".join(other.help or "" for other in theirs.nodes)
                if shared := runs(node.help or "") & runs(upstream):
                    copied[theirs.name] = shared
    assert not copied
