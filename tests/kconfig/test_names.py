from __future__ import annotations

from pathlib import Path

import pytest

from kimitui.kconfig.loader import load
from kimitui.kconfig.names import SECTIONS, Names, WrongValueError, nearest, section_of
from kimitui.kconfig.types import Kconfig

TREE = """
config MODULES
	def_bool y

config BUSYBOX_PING
	bool "ping"

config BUSYBOX_INCLUDE_SUSv2
	bool "old"

choice BUSYBOX_SH
	prompt "sh"
config BUSYBOX_SH_IS_ASH
	bool "ash"
config BUSYBOX_SH_IS_NONE
	bool "none"
endchoice

config KERNEL_WIREGUARD
	tristate "WireGuard"

config HARDENING_HEAP_START
	hex "where"
	default 0x1F

config IMAGE_MEMORY
	int "memory"
	default 128
	depends on IMAGE_FORMAT_DISK

config IMAGE_HOSTNAME
	string "host name"
	default "kimigayo"

choice HARDENING_STACK_PROTECTOR
	prompt "Stack protector"
	depends on IMAGE_FORMAT_OCI
config HARDENING_STACK_PROTECTOR_NONE
	bool "none"
config HARDENING_STACK_PROTECTOR_STRONG
	bool "strong"
endchoice

config IMAGE_FORMATS
	def_bool y
config IMAGE_FORMAT_ROOTFS
	bool "rootfs"
	default y
config IMAGE_FORMAT_OCI
	bool "oci"
	default y
config IMAGE_FORMAT_DISK
	bool "disk"
config IMAGE_FORMAT_NAME
	string "no member: it is text"

config IMAGE_HAS_RADIUS
	bool

config SERVICE_NTPD
	bool "time"
config PACKAGE_DROPBEAR
	bool "ssh"
config INIT_OPENRC
	bool "openrc"
config UNPREFIXED
	bool "x"
"""


@pytest.fixture
def tree(tmp_path: Path) -> Kconfig:
    (tmp_path / "Kconfig").write_text(TREE)
    return load(tmp_path / "Kconfig")


def test_keys_follow_from_the_names_of_the_symbols(tree: Kconfig) -> None:
    names = Names(tree)
    assert {(*key, entry.type, entry.settable) for key, entry in names.entries.items()} == {
        ("busybox", "PING", "bool", True),
        ("busybox", "INCLUDE_SUSv2", "bool", True),
        ("busybox", "SH_IS_ASH", "bool", True),
        ("busybox", "SH_IS_NONE", "bool", True),
        ("kernel", "WIREGUARD", "tristate", True),
        ("hardening", "heap_start", "hex", True),
        ("hardening", "stack_protector", "choice", True),
        ("image", "memory", "int", True),
        ("image", "hostname", "string", True),
        ("image", "formats", "list", True),
        ("image", "format_name", "string", True),
        ("image", "has_radius", "bool", False),
        ("services", "ntpd", "bool", True),
        ("packages", "dropbear", "bool", True),
        ("init", "openrc", "bool", True),
    }
    assert list(dict.fromkeys(section for section, _ in names.entries)) == [
        section for section in SECTIONS if section in {key[0] for key in names.entries}
    ]
    assert names.keys("image") == ["memory", "hostname", "formats", "format_name"]


def test_members_lead_to_their_choice_or_list(tree: Kconfig) -> None:
    names = Names(tree)
    protector = names.entries["hardening", "stack_protector"]
    assert dict(protector.members) == {
        "none": "HARDENING_STACK_PROTECTOR_NONE",
        "strong": "HARDENING_STACK_PROTECTOR_STRONG",
    }
    assert names.by_symbol["HARDENING_STACK_PROTECTOR_STRONG"] is protector
    assert names.by_symbol["HARDENING_STACK_PROTECTOR"] is protector
    assert names.by_symbol["IMAGE_FORMAT_OCI"].key == "formats"
    assert names.by_symbol["BUSYBOX_SH_IS_ASH"].key == "SH_IS_ASH"
    assert "UNPREFIXED" not in names.by_symbol


def test_values_are_read_as_a_preset_writes_them(tree: Kconfig) -> None:
    names = Names(tree)

    def value(section: str, key: str) -> object:
        return names.entries[section, key].value(tree)

    assert value("image", "formats") == ["rootfs", "oci"]
    assert value("hardening", "stack_protector") == "none"
    assert value("hardening", "heap_start") == "0x1F"
    assert value("image", "hostname") == "kimigayo"
    assert value("image", "memory") is None
    assert value("kernel", "WIREGUARD") is False
    tree.syms["KERNEL_WIREGUARD"].set_value(1)
    tree.syms["IMAGE_FORMAT_DISK"].set_value(2)
    tree.syms["IMAGE_FORMAT_OCI"].set_value(0)
    assert value("kernel", "WIREGUARD") == "m"
    assert value("image", "memory") == 128
    assert value("image", "formats") == ["rootfs", "disk"]
    assert value("hardening", "stack_protector") is None


@pytest.mark.parametrize(
    ("section", "key", "value", "expected"),
    [
        ("busybox", "PING", True, {"BUSYBOX_PING": "y"}),
        ("kernel", "WIREGUARD", "m", {"KERNEL_WIREGUARD": "m"}),
        ("hardening", "stack_protector", "strong", {"HARDENING_STACK_PROTECTOR_STRONG": "y"}),
        ("hardening", "heap_start", 31, {"HARDENING_HEAP_START": "0x1f"}),
        ("hardening", "heap_start", "0x1F", {"HARDENING_HEAP_START": "0x1f"}),
        ("image", "memory", -5, {"IMAGE_MEMORY": "-5"}),
        ("image", "hostname", "ü", {"IMAGE_HOSTNAME": "ü"}),
        (
            "image",
            "formats",
            ["disk"],
            {"IMAGE_FORMAT_ROOTFS": "n", "IMAGE_FORMAT_OCI": "n", "IMAGE_FORMAT_DISK": "y"},
        ),
    ],
)
def test_values_become_assignments(
    tree: Kconfig, section: str, key: str, value: bool | int | str | list[str], expected: dict[str, str]
) -> None:
    assert Names(tree).entries[section, key].assignments(value) == expected


@pytest.mark.parametrize(
    ("section", "key", "value", "says"),
    [
        ("busybox", "PING", "y", 'must be true or false, not "y"'),
        ("busybox", "PING", 1, "must be true or false, not 1"),
        ("busybox", "PING", "m", "must be true or false"),
        ("busybox", "PING", ["a"], "not a list"),
        ("kernel", "WIREGUARD", 1, 'must be true, "m" or false, not 1'),
        ("hardening", "stack_protector", True, 'must be one of "none", "strong", not true'),
        ("hardening", "stack_protector", "stong", '"stong" is none of "none", "strong"'),
        ("hardening", "heap_start", "xyz", "must be a number such as"),
        ("hardening", "heap_start", -1, "must be a number such as"),
        ("hardening", "heap_start", True, "must be a number such as"),
        ("image", "memory", "5", "must be a whole number"),
        ("image", "memory", True, "must be a whole number, not true"),
        ("image", "hostname", 5, "must be text in quotes, not 5"),
        ("image", "hostname", "a\nb", "one line of printable text"),
        ("image", "formats", "oci", 'must be a list of "rootfs", "oci", "disk", not "oci"'),
        ("image", "formats", ["oci", "tar"], '"tar" is none of'),
        ("image", "formats", ["oci", "oci"], "twice"),
    ],
)
def test_values_that_do_not_fit_say_what_does(
    tree: Kconfig, section: str, key: str, value: bool | int | str | list[str], says: str
) -> None:
    with pytest.raises(WrongValueError) as caught:
        Names(tree).entries[section, key].assignments(value)
    assert says in str(caught.value)


def test_every_value_of_the_system_tree_can_be_assigned_again(system_kconfig: Kconfig) -> None:
    for entry in Names(system_kconfig).entries.values():
        value = entry.value(system_kconfig)
        if value is not None:
            assigned = entry.assignments(value)
            assert {name: system_kconfig.syms[name].str_value for name in assigned} == assigned


def test_every_symbol_of_the_system_tree_has_a_section(system_kconfig: Kconfig) -> None:
    names = Names(system_kconfig)
    for symbol in system_kconfig.unique_defined_syms:
        if symbol.name == "MODULES":  # Kconfig's name for what makes tristates possible; it repeats KERNEL_MODULES
            continue
        assert section_of(symbol.name), symbol.name
        assert symbol.name in names.by_symbol


def test_the_nearest_name_disregards_case() -> None:
    assert nearest("pign", ["PING", "CAT"]) == "PING"
    assert nearest("zzzz", ["PING", "CAT"]) is None
