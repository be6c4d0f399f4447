from __future__ import annotations

from pathlib import Path

import pytest

from kimitui.kconfig.loader import load
from kimitui.kconfig.menu import MAIN, Info, Menus, Row, Term, short
from kimitui.kconfig.names import called
from kimitui.kconfig.types import Kconfig

TREE = """
mainmenu "Things"

config MODULES
    def_bool y
    option modules

menu "Net"

config NET
    tristate "Network: cables and radio"
    help
      Talks to others.

config IPV6
    bool "IPv6"
    depends on NET

config TLS
    bool
    select NET

menuconfig DRIVERS
    bool "Drivers"

if DRIVERS
config E1000
    tristate "Intel"
    select FIRMWARE
config FIRMWARE
    bool "Firmware loader"
endif

comment "nothing below without a network"
    depends on !NET

endmenu

menu "Values"
    visible if NET

config PORT
    int "Port"
    range 1 65535 if NET
    default 80
config NAME
    string "Name"
    default "host"
    depends on NET && (IPV6 || PORT = 80)
endmenu

choice WHICH
    prompt "Which one"
config WHICH_A
    bool "a: the first"
config WHICH_B
    bool "b: the second"
endchoice
"""


@pytest.fixture
def tree(tmp_path: Path) -> Kconfig:
    (tmp_path / "Kconfig").write_text(TREE)
    return load(tmp_path / "Kconfig")


@pytest.fixture
def menus(tree: Kconfig) -> Menus:
    return Menus(tree)


def by_prompt(menus: Menus, prompt: str, menu: int = MAIN, *, show_all: bool = False) -> Row:
    return next(row for row in menus.rows(menu, show_all=show_all) if row.prompt == prompt)


def prompts(menus: Menus, menu: int = MAIN, *, show_all: bool = False) -> list[str]:
    return [row.prompt for row in menus.rows(menu, show_all=show_all)]


def test_the_main_menu(menus: Menus) -> None:
    assert menus.title == "Things"
    rows = menus.rows()
    assert [(row.kind, row.prompt, row.opens) for row in rows] == [
        ("menu", "Net", True),
        ("choice", "Which one", True),
    ]
    assert rows[1].value == "a" and rows[1].symbols == ("WHICH_A", "WHICH_B")
    assert prompts(menus, show_all=True) == ["MODULES", "Net", "Values", "Which one"]


def test_what_depends_on_the_symbol_before_is_indented(menus: Menus, tree: Kconfig) -> None:
    net = by_prompt(menus, "Net").node
    assert prompts(menus, net) == ["Network: cables and radio", "Drivers", "nothing below without a network"]
    tree.syms["NET"].set_value("m")
    rows = {row.prompt: row for row in menus.rows(net)}
    assert (rows["IPv6"].depth, rows["IPv6"].settable) == (1, ("n", "y"))
    assert rows["Network: cables and radio"].settable == ("n", "m", "y")
    assert "nothing below without a network" in rows  # not all of it is there: it is a module
    tree.syms["NET"].set_value("y")
    assert "nothing below without a network" not in prompts(menus, net)


def test_a_menuconfig_opens_to_what_depends_on_it(menus: Menus, tree: Kconfig) -> None:
    net = by_prompt(menus, "Net").node
    drivers = by_prompt(menus, "Drivers", net)
    assert drivers.kind == "bool" and drivers.opens and menus.rows(drivers.node) == []
    tree.syms["DRIVERS"].set_value("y")
    assert prompts(menus, drivers.node) == ["Intel", "Firmware loader"]
    intel = by_prompt(menus, "Intel", drivers.node)
    assert menus.menu_of(intel.node) == drivers.node
    assert menus.path(intel.node) == (MAIN, net, drivers.node)


def test_how_many_are_on(menus: Menus, tree: Kconfig) -> None:
    net = by_prompt(menus, "Net")
    assert (net.on, net.of) == (0, 5)
    tree.syms["NET"].set_value("y")
    tree.syms["DRIVERS"].set_value("y")
    tree.syms["E1000"].set_value("m")
    net = by_prompt(menus, "Net")
    assert (net.on, net.of) == (4, 5)
    values = by_prompt(menus, "Values")
    assert values.of == 0  # "0 of 0 on" would say nothing


def test_why(menus: Menus, tree: Kconfig) -> None:
    def why(symbol: str) -> str:
        node = menus.find(symbol)
        assert node is not None
        return " ".join(menus.info(node).why)

    assert why("IPV6") == 'It cannot be on: it needs "Network" (NET), which is off.'
    assert why("TLS").startswith("It cannot be set by hand")
    assert why("NAME").startswith('It cannot be changed: it needs "Network" (NET)')
    assert why("NET") == ""
    tree.syms["DRIVERS"].set_value("y")
    tree.syms["E1000"].set_value("y")
    assert why("FIRMWARE") == 'It cannot be off: it is switched on by "Intel" (E1000).'
    values = by_prompt(menus, "Values", show_all=True)
    assert values.hidden
    assert menus.info(values.node).why


def test_needs_and_relations(menus: Menus, tree: Kconfig) -> None:
    tree.syms["NET"].set_value("y")
    node = menus.find("NAME")
    assert node is not None
    needs = menus.info(node).needs
    assert [(need.text, need.holds) for need in needs] == [
        ('"Network" (NET)', True),
        ('"IPv6" (IPV6) or "Port" (PORT) = 80', True),
    ]
    firmware = menus.find("FIRMWARE")
    intel = menus.find("E1000")
    assert firmware is not None and intel is not None
    assert [source.text for source in menus.info(firmware).switched_on_by] == ['"Intel" (E1000)']
    assert [target.text for target in menus.info(intel).switches_on] == ['"Firmware loader" (FIRMWARE)']
    port = menus.find("PORT")
    assert port is not None and menus.info(port).range == ("1", "65535")
    (where,) = menus.info(port).defined
    assert (str(where.path), where.line) == ("Kconfig", 42)


def test_not_built_in_while_another_is_a_module(tmp_path: Path) -> None:
    (tmp_path / "Kconfig").write_text(
        "config MODULES\n\tdef_bool y\n\toption modules\n"
        'config IPV6\n\ttristate "IPv6"\n'
        'config TUNNEL\n\ttristate "Tunnel"\n\tdepends on IPV6 || !IPV6\n'
    )
    tree = load(tmp_path / "Kconfig")
    menus = Menus(tree)
    tunnel = menus.find("TUNNEL")
    assert tunnel is not None
    for value, words in (("n", []), ("y", []), ("m", ['to be a module, like "IPv6" (IPV6)'])):
        tree.syms["IPV6"].set_value(value)
        assert [need.text for need in menus.info(tunnel).needs] == words


def test_help_path_and_members(menus: Menus) -> None:
    node = menus.find("NET")
    assert node is not None
    assert menus.info(node).help.strip() == "Talks to others."
    assert menus.info(node).path == ("Things", "Net")
    choice = menus.find("WHICH")
    assert choice is not None
    members = menus.rows(choice)
    assert [(row.kind, row.prompt, row.value) for row in members] == [
        ("member", "a: the first", "y"),
        ("member", "b: the second", "n"),
    ]
    assert menus.find("NOTHING") is None


def test_search(menus: Menus) -> None:
    def found(query: str) -> list[str]:
        return [match.row.symbol or match.row.prompt for match in menus.search(query)]

    assert found("net")[0] == "NET"
    assert found("talks OTHERS") == ["NET"]
    assert found("ipv6") == ["IPV6"]
    assert found("TLS") == ["TLS"]
    assert found("network cables") == ["NET"]
    assert found("") == [] and found("nothing of that kind") == []
    assert len(menus.search("e", limit=2)) == 2


def test_every_row_of_the_system_tree_can_be_shown(system_kconfig: Kconfig) -> None:
    menus = Menus(system_kconfig)
    waiting, seen = [MAIN], 0
    while waiting:
        menu = waiting.pop()
        for row in menus.rows(menu, show_all=True):
            info = menus.info(row.node)
            assert info.row == row or row.depth
            assert row.prompt and menus.path(row.node)[-1] == menu
            assert not row.hidden or info.why
            seen += 1
            if row.opens:
                waiting.append(row.node)
    assert seen > 500


def test_the_first_part_of_a_prompt() -> None:
    assert short("arm64: boards") == "arm64"
    assert short("IPv6 in all applets") == "IPv6 in all applets"


def test_an_option_below_one_of_the_same_name_is_called_by_the_rest(tmp_path: Path) -> None:
    (tmp_path / "Kconfig").write_text(
        'config A\n\tbool "ntpd: keep the clock right"\nconfig B\n\tbool "ntpd: serve others"\n\tdepends on A\n'
        'config C\n\tbool "ls: list"\n\tdepends on A\n'
    )
    tree = load(tmp_path / "Kconfig")
    assert [called(tree.syms[name]) for name in "ABC"] == ["ntpd", "serve others", "ls"]


def test_defaults_ranges_and_suggestions_come_with_their_conditions(tmp_path: Path) -> None:
    (tmp_path / "Kconfig").write_text("""
config FAST
    bool "fast"
    imply SMALL
config SMALL
    bool "small"
config ON
    bool "on"
config SPEED
    int "speed"
    depends on ON
    range 1 5 if !FAST
    range 1 9
    default 9 if FAST
    default 3
config NAME
    string "name"
    default "x"
""")
    tree = load(tmp_path / "Kconfig")
    menus = Menus(tree)

    def about(symbol: str) -> Info:
        node = menus.find(symbol)
        assert node is not None
        return menus.info(node)

    tree.syms["ON"].set_value("y")
    speed = about("SPEED")
    assert speed.defaults == (Term('9 if "fast" (FAST)', False), Term("3", True))
    assert speed.ranges == (Term('1 to 5 if "fast" (FAST) off', True), Term("1 to 9", True))
    assert speed.range == ("1", "5")
    assert about("FAST").suggests == (Term('"small" (SMALL)', True),)
    assert about("NAME").defaults == (Term('"x"', True),)


def test_a_symbol_that_is_shown_in_two_menus_is_one(tmp_path: Path) -> None:
    (tmp_path / "Kconfig").write_text(
        'menu "One"\nconfig A\n\tbool "as a format"\n\thelp\n\t  First.\nendmenu\n'
        'menu "Two"\nconfig A\n\tbool "as a switch"\n\thelp\n\t  Second.\nif A\nconfig B\n\tbool "b"\nendif\nendmenu\n'
    )
    menus = Menus(load(tmp_path / "Kconfig"))
    one, two = menus.rows()
    first, second = menus.rows(one.node)[0], menus.rows(two.node)[0]
    assert (first.symbol, second.symbol) == ("A", "A")
    assert menus.find("A") == first.node != second.node
    assert [menus.info(row.node).help for row in (first, second)] == ["First.", "Second."]
    assert prompts(menus, two.node) == ["as a switch"]
    menus.tree.syms["A"].set_value(2)
    assert (menus.row(first.node).value, menus.row(second.node).value) == ("y", "y")
    assert prompts(menus, two.node) == ["as a switch", "b"]
    assert [menus.info(row.row.node).path[-1] for row in menus.search("as a")] == ["One", "Two"]
