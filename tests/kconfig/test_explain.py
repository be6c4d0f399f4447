from __future__ import annotations

from pathlib import Path

import pytest

from kimitui.errors import KimituiError, Location
from kimitui.kconfig.explain import (
    Lost,
    compare_with_dotconfig,
    needs,
    quoted,
    read_dotconfig,
    requested_but_lost,
    why_not,
)
from kimitui.kconfig.loader import load
from kimitui.kconfig.types import Kconfig

TREE = """
config MODULES
	def_bool y

config NSENTER
	bool "nsenter: enter namespaces"

config PING
	bool "ping"

config UNSHARE
	bool "unshare"
	depends on NSENTER

config BOTH
	bool "both"
	depends on NSENTER && PING

config EITHER
	bool "either"
	depends on NSENTER || PING

config UNLESS
	bool "unless"
	depends on !WGET

config NEITHER
	bool "neither"
	depends on !(WGET || PING)

config WGET
	bool "wget"
	default y
	select TLS
	select LIB

config TLS
	bool "tls"

config LIB
	bool

config HIDDEN
	bool

config NEEDS_HIDDEN
	bool "needs hidden"
	depends on LIB2

config LIB2
	bool
config USER_1
	bool "user 1"
	select LIB2
config USER_2
	bool "user 2"
	select LIB2 if PING

config NEEDS_UNKNOWN
	bool "needs unknown"
	depends on WHAT_IS_THIS

config MODULE
	tristate "module"
	depends on PARENT
config PARENT
	tristate "parent"
	default m

config NUMBER
	int "number"
	range 1 16
	default 8
config LOCKED_NUMBER
	int "locked number"
	depends on NSENTER
	default 3
config MASK
	hex "mask"
	range 0x10 0xFF
	default 0x1F
config TEXT
	string "text"
	default "abc"
config LOCKED_TEXT
	string "locked text"
	depends on PING
config BY_NUMBER
	bool "by number"
	depends on NUMBER > 10
config BY_TEXT
	bool "by text"
	depends on TEXT = "xyz" && 10 < NUMBER

choice ARCH
	prompt "Processor"
config ARCH_X86
	bool "x86"
config ARCH_ARM
	bool "arm"
endchoice
config NEEDS_ARM
	bool "needs arm"
	depends on ARCH_ARM
choice
	prompt "Packing"
	depends on PING
config GZIP
	bool "gzip"
config XZ
	bool "xz"
endchoice

menu "closed"
	visible if PING
config IN_CLOSED
	bool "in closed"
endmenu
config DEFINED_TWICE
	bool "first"
	depends on NSENTER && WHAT_IS_THIS
config DEFINED_TWICE
	bool "second"
	depends on PING
"""


@pytest.fixture
def tree(tmp_path: Path) -> Kconfig:
    (tmp_path / "Kconfig").write_text(TREE)
    return load(tmp_path / "Kconfig")


@pytest.mark.parametrize(
    ("symbol", "wanted", "reason"),
    [
        ("UNSHARE", "y", 'needs "nsenter" (NSENTER), which is off'),
        ("BOTH", "y", 'needs "nsenter" (NSENTER), which is off; and "ping" (PING), which is off'),
        (
            "EITHER",
            "y",
            'needs one of "nsenter" (NSENTER) and "ping" (PING), which are all off',
        ),
        ("UNLESS", "y", 'needs "wget" (WGET) to be off, but it is on'),
        ("NEITHER", "y", 'needs "wget" (WGET) to be off, but it is on'),
        ("TLS", "n", 'is switched on by "wget" (WGET)'),
        ("LIB", "n", 'is switched on by "wget" (WGET)'),
        ("LIB2", "y", 'cannot be set by hand; it is switched on by "user 1" (USER_1) or "user 2" (USER_2)'),
        ("HIDDEN", "y", "cannot be set by hand; its value follows from others"),
        (
            "NEEDS_HIDDEN",
            "y",
            'needs LIB2, which is off (switched on by "user 1" (USER_1) or "user 2" (USER_2))',
        ),
        ("NEEDS_UNKNOWN", "y", "needs WHAT_IS_THIS, which does not exist here"),
        ("MODULE", "y", 'needs "parent" (PARENT) on, which is a module'),
        ("MODULE", "m", ""),
        ("PING", "m", "cannot be a module, only on or off"),
        ("PING", "7", "can only be on or off"),
        ("PING", "y", ""),
        ("PING", "n", ""),
        ("NUMBER", "16", ""),
        ("NUMBER", "17", "must be from 1 to 16"),
        ("NUMBER", "0", "must be from 1 to 16"),
        ("NUMBER", "many", "can only be a number"),
        ("NUMBER", "1_0", "can only be a number"),
        ("NUMBER", "08", ""),
        ("MASK", "0x1f", ""),
        ("MASK", "0x100", "must be from 0x10 to 0xFF"),
        ("LOCKED_NUMBER", "5", 'needs "nsenter" (NSENTER), which is off'),
        ("TEXT", "anything", ""),
        ("LOCKED_TEXT", "x", 'needs "ping" (PING), which is off'),
        ("BY_NUMBER", "y", 'needs "number" (NUMBER) to be more than 10, but it is 8'),
        (
            "BY_TEXT",
            "y",
            'needs "text" (TEXT) to be "xyz", but it is "abc"; and "number" (NUMBER) to be more than 10, but it is 8',
        ),
        ("ARCH_ARM", "y", ""),
        ("ARCH_X86", "n", 'is the one chosen in "Processor" (ARCH); choose another one instead'),
        ("ARCH_ARM", "n", ""),
        ("NEEDS_ARM", "y", 'needs "Processor" (ARCH) to be "arm", but it is "x86"'),
        ("XZ", "y", 'needs "ping" (PING), which is off'),
        ("IN_CLOSED", "y", 'needs "ping" (PING), which is off'),
        ("DEFINED_TWICE", "y", 'needs "ping" (PING), which is off'),
        ("WHAT_IS_THIS", "y", "is mentioned in the tree, but nothing defines it"),
    ],
)
def test_the_reason_is_named(tree: Kconfig, symbol: str, wanted: str, reason: str) -> None:
    assert why_not(tree.syms[symbol], wanted) == reason


def test_what_a_menu_or_a_choice_needs_is_named(tree: Kconfig) -> None:
    (choice,) = [found for found in tree.unique_choices if not found.name]
    (menu,) = [node for node in tree.node_iter() if node.prompt and node.prompt[0] == "closed"]
    module = tree.syms["MODULE"].nodes[0].dep
    assert needs(choice.direct_dep) == 'needs "ping" (PING), which is off'
    assert needs(menu.visibility) == 'needs "ping" (PING), which is off'
    assert needs(menu.dep) == ""
    assert needs(module) == ""
    assert needs(module, 2) == 'needs "parent" (PARENT) on, which is a module'
    tree.syms["PING"].set_value("y")
    assert needs(choice.direct_dep) == needs(menu.visibility) == ""


@pytest.mark.parametrize("name", ["system_kconfig", "busybox_upstream"])
def test_there_is_a_reason_exactly_where_a_value_is_impossible(name: str, request: pytest.FixtureRequest) -> None:
    found: Kconfig = request.getfixturevalue(name)
    for symbol in found.unique_defined_syms:
        if symbol.orig_type in (
            found.n.orig_type,
            found.syms["PING" if "PING" in found.syms else "HARDENING_PIE"].orig_type,
        ):
            for value in (0, 2):
                if symbol.tri_value == value:
                    assert why_not(symbol, "ny"[value // 2]) == ""
                elif symbol.choice is None:
                    possible = value in symbol.assignable
                    assert bool(why_not(symbol, "ny"[value // 2])) != possible, symbol.name


def test_what_was_asked_for_and_lost_is_listed(tree: Kconfig) -> None:
    wanted = {
        "PING": "n",
        "UNSHARE": "y",
        "TLS": "n",
        "NUMBER": "8",
        "MASK": "0x1f",
        "TEXT": "abc",
        "LOCKED_NUMBER": "3",
        "PNG": "n",
        "WHAT_IS_THIS": "y",
        "EITHER": "n",
        "ARCH_ARM": "y",
        "USER_1": "y",
    }
    assert requested_but_lost(tree, wanted) == [
        Lost("UNSHARE", "y", "n", 'needs "nsenter" (NSENTER), which is off'),
        Lost("TLS", "n", "y", 'is switched on by "wget" (WGET)'),
        Lost("LOCKED_NUMBER", "3", "", 'needs "nsenter" (NSENTER), which is off'),
        Lost("PNG", "n", "", "does not exist; did you mean PING?"),
        Lost("WHAT_IS_THIS", "y", "", "does not exist"),
        Lost("ARCH_ARM", "y", "n", 'is not the one chosen in "Processor" (ARCH): that is "x86" (ARCH_X86)'),
        Lost("USER_1", "y", "n", "is off, although nothing in the tree asks for that"),
    ]


def test_a_dotconfig_is_compared_by_what_it_says(tree: Kconfig, tmp_path: Path) -> None:
    path = tmp_path / ".config"
    path.write_text(
        "#\n# made by somebody\n#\nCONFIG_NSENTER=y\n# CONFIG_PING is not set\nCONFIG_WGET=y\nCONFIG_TLS=y\n"
        'CONFIG_NUMBER=12\nCONFIG_MASK=0x2A\nCONFIG_TEXT="a \\"b\\" \\\\ c"\n\n'
    )
    wanted = {
        "NSENTER": "y",
        "PING": "n",
        "UNSHARE": "n",
        "NUMBER": "12",
        "MASK": "0x2a",
        "TEXT": 'a "b" \\ c',
    }
    assert compare_with_dotconfig(tree, wanted, path) == []
    lost = compare_with_dotconfig(
        tree, {"NSENTER": "n", "BOTH": "y", "TLS": "n", "TEXT": "x", "LOCKED_TEXT": "x", "NO": "n"}, path
    )
    assert [(one.symbol, one.got) for one in lost] == [
        ("NSENTER", "y"),
        ("BOTH", ""),
        ("TLS", "y"),
        ("TEXT", 'a "b" \\ c'),
        ("LOCKED_TEXT", ""),
        ("NO", ""),
    ]
    reasons = {one.symbol: one.reason for one in lost}
    assert reasons["BOTH"] == 'needs "ping" (PING), which is off'
    assert reasons["TLS"] == 'is switched on by "wget" (WGET)'
    assert "does not exist" in reasons["NO"]
    assert all(reasons.values())


@pytest.mark.parametrize(
    ("content", "line"),
    [(b"CONFIG_A=y\nCONFIG_B y\n", 2), (b'CONFIG_A="open\n', 1), (b"\n\nhello\n", 3), (b"CONFIG_A=y\n\xff\n", 0)],
)
def test_a_malformed_dotconfig_names_the_line(tmp_path: Path, content: bytes, line: int) -> None:
    path = tmp_path / ".config"
    path.write_bytes(content)
    with pytest.raises(KimituiError) as caught:
        read_dotconfig(path)
    assert caught.value.where == (Location(path, line, 1) if line else path)


@pytest.mark.parametrize("text", ["", "plain", 'with "quotes"', "back\\slash", '\\"', "n", "ü"])
def test_a_text_in_a_dotconfig_is_read_as_it_was_written(tmp_path: Path, text: str) -> None:
    (tmp_path / ".config").write_text(f"CONFIG_TEXT={quoted(text)}\n")
    assert read_dotconfig(tmp_path / ".config") == {"TEXT": text}


def test_a_missing_dotconfig_is_an_error(tree: Kconfig, tmp_path: Path) -> None:
    with pytest.raises(KimituiError, match=r"cannot read the \.config file"):
        compare_with_dotconfig(tree, {}, tmp_path / "missing")


def test_explaining_changes_nothing(tree: Kconfig) -> None:
    before = {symbol.name: (symbol.str_value, symbol.user_value) for symbol in tree.unique_defined_syms}
    for symbol in tree.unique_defined_syms:
        for wanted in ("y", "m", "n", "5", "x"):
            why_not(symbol, wanted)
    assert before == {symbol.name: (symbol.str_value, symbol.user_value) for symbol in tree.unique_defined_syms}
