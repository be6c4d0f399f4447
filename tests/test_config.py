from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kimitui import preset, resources
from kimitui.config import Change, Configuration, Difference, Refused, ValueChange
from kimitui.errors import Location, MachineError, PresetError, UsageError
from kimitui.kconfig.loader import load
from kimitui.kconfig.names import JsonValue
from kimitui.kconfig.types import Kconfig

TREE = """
config MODULES
	def_bool KERNEL_MODULES

choice IMAGE_ARCH
	prompt "Architecture"
config IMAGE_ARCH_X86_64
	bool "x86_64"
config IMAGE_ARCH_ARM64
	bool "arm64"
config IMAGE_ARCH_RISCV64
	bool "riscv64"
endchoice
config IMAGE_ARCH_TUNED
	bool "tuned"
	depends on IMAGE_ARCH_ARM64 && !HARDENING_LEVEL_NONE
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
choice IMAGE_COMPRESSION
	prompt "Compression"
	depends on IMAGE_FORMAT_OCI
config IMAGE_COMPRESSION_GZIP
	bool "gzip"
config IMAGE_COMPRESSION_ZSTD
	bool "zstd"
endchoice
config IMAGE_BUDGET
	string "Budget"
	default ""
config IMAGE_COMMAND
	string "Command"
	default "/bin/sh"
config IMAGE_ENTRYPOINT
	string "Entry point"
config IMAGE_HOSTNAME
	string "Host name"
	default "kimigayo"
config IMAGE_DISK_LABEL
	string "Disk label"
	depends on IMAGE_FORMAT_DISK
	default "kimigayo"

config BUSYBOX_ASH
	bool "ash"
config BUSYBOX_HUSH
	bool "hush"
choice
	prompt "sh"
	default BUSYBOX_SH_IS_ASH if BUSYBOX_ASH
	default BUSYBOX_SH_IS_NONE
config BUSYBOX_SH_IS_ASH
	bool "ash"
config BUSYBOX_SH_IS_HUSH
	bool "hush"
config BUSYBOX_SH_IS_NONE
	bool "none"
endchoice
config BUSYBOX_TELNETD
	bool "telnetd"
	select BUSYBOX_SYSLOG
config BUSYBOX_FEATURE_TELNETD_ALONE
	bool "standalone"
	default y
	depends on BUSYBOX_TELNETD
config BUSYBOX_SYSLOG
	bool
config BUSYBOX_LOGGER
	bool "logger"
	depends on BUSYBOX_SYSLOG
config HARDENING_LABELS
	bool "labels"
	depends on SELINUX
config BUSYBOX_NTPD
	bool "ntpd"
config BUSYBOX_MAX_LEN
	int "longest line"
	range 128 8192
	default 1024
	depends on BUSYBOX_ASH

config KERNEL_MODULES
	bool "modules"
	default y
config KERNEL_WIREGUARD
	tristate "WireGuard"
config KERNEL_TUNNEL
	tristate "tunnels"
	depends on KERNEL_WIREGUARD

choice HARDENING_LEVEL
	prompt "Level"
	default HARDENING_LEVEL_BASIC
config HARDENING_LEVEL_NONE
	bool "none"
config HARDENING_LEVEL_BASIC
	bool "basic"
config HARDENING_LEVEL_FULL
	bool "full"
endchoice
config HARDENING_PIE
	bool "PIE"
	default y if !HARDENING_LEVEL_NONE
config HARDENING_STACK_CLASH
	bool "stack clash"
	default y
	depends on !IMAGE_ARCH_RISCV64
config HARDENING_SHADOW
	bool "shadow stack"
	default y if HARDENING_LEVEL_FULL

config SERVICE_NTPD
	bool "network time"
	select BUSYBOX_NTPD
"""

UPSTREAM = """
config ASH
	bool "ash"
config HUSH
	bool "hush"
choice
	prompt "sh"
config SH_IS_ASH
	bool "ash"
config SH_IS_HUSH
	bool "hush"
config SH_IS_NONE
	bool "none"
endchoice
config TELNETD
	bool "telnetd"
config FEATURE_TELNETD_ALONE
	bool "standalone"
	depends on TELNETD
config LOGGER
	bool "logger"
config NTPD
	bool "ntpd"
config MAX_LEN
	int "longest"
	default 1024
config LS
	bool "ls"
	default y
config FEATURE_LS_COLOR
	bool "colours"
	depends on LS && !STATIC
config FEATURE_LS_WIDTH
	int "width"
	range 10 200
	depends on LS
config FEATURE_NAME
	string "name"
config STATIC
	bool "static"
"""

BASE = """{
  description: "the base",
  busybox: { ASH: true, TELNETD: true, FEATURE_TELNETD_ALONE: true, MAX_LEN: 512 },
  image: { budget: "5MB" },
}
"""


@pytest.fixture(autouse=True, scope="module")
def small_tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small system tree in place of the real one, for the whole module; yields the directory of built-in presets."""
    root = tmp_path_factory.mktemp("resources")
    (root / "kconfig").mkdir()
    (root / "kconfig" / "Kconfig").write_text(TREE)
    (root / "presets").mkdir()
    (root / "presets" / "base.json5").write_text(BASE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resources, "KCONFIG_DIR", root / "kconfig")
        patch.setattr(resources, "PRESETS_DIR", root / "presets")
        yield root / "presets"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def upstream(tmp_path: Path) -> Kconfig:
    (tmp_path / "Config.in").write_text(UPSTREAM)
    return load(tmp_path / "Config.in")


def configured(text: str = '{ extends: "base" }', *, arch: str | None = None) -> Configuration:
    return Configuration.from_preset(preset.parse(text, Path("/nowhere/edge.json5")), arch=arch)


def wrong(text: str) -> PresetError:
    with pytest.raises(PresetError) as caught:
        configured(text)
    assert caught.value.exit_code == 2
    assert isinstance(caught.value.where, Location)
    return caught.value


def place(error: PresetError) -> tuple[int, int]:
    assert isinstance(error.where, Location)
    return error.where.line, error.where.column


# What the builder reads


def test_a_preset_and_what_it_extends_are_applied() -> None:
    config = configured("""{
      name: "edge",
      extends: "base",
      image: { formats: ["disk", "oci"], arch: "arm64", compression: "zstd" },
      kernel: { WIREGUARD: "m" },
      busybox: { TELNETD: false, LOGGER: false, SH_IS_HUSH: true },
      services: { ntpd: true },
    }""")
    assert (config.name, config.description) == ("edge", "the base")
    assert config.choice("IMAGE_ARCH") == "arm64"
    assert config.choice("IMAGE_COMPRESSION") == "zstd"
    assert config.family("IMAGE_FORMATS") == ("oci", "disk")
    assert config.string("IMAGE_BUDGET") == "5MB"
    assert config.is_on("SERVICE_NTPD") and config.is_on("BUSYBOX_NTPD")
    assert not config.is_on("BUSYBOX_TELNETD")
    assert config.is_on("BUSYBOX_SH_IS_HUSH") and not config.is_on("BUSYBOX_SH_IS_ASH")
    assert config.number("BUSYBOX_MAX_LEN") == 512
    assert config.resolved()["kernel"] == {"MODULES": True, "TUNNEL": False, "WIREGUARD": "m"}


def test_a_reference_is_opened(here: Path) -> None:
    assert Configuration.open("base").name == "base"
    (here / "edge.json5").write_text('{ extends: "base", image: { budget: "1MB" } }')
    assert Configuration.open("./edge.json5").string("IMAGE_BUDGET") == "1MB"
    with pytest.raises(PresetError):
        Configuration.open("bass")


def test_lists_replace_and_the_rest_adds_up() -> None:
    config = configured('{ extends: "base", image: { formats: ["disk"] } }')
    assert config.family("IMAGE_FORMATS") == ("disk",)
    assert config.resolved()["image"]["budget"] == "5MB"
    assert configured("{ image: { formats: [] } }").family("IMAGE_FORMATS") == ()


def test_what_is_out_of_play_has_no_value() -> None:
    config = configured('{ image: { formats: ["rootfs"] } }')
    assert config.choice("IMAGE_COMPRESSION") == ""
    assert config.string("IMAGE_DISK_LABEL") == ""
    assert config.number("BUSYBOX_MAX_LEN") is None
    resolved = config.resolved()
    assert resolved["image"]["compression"] is None
    assert resolved["image"]["disk_label"] is None
    assert resolved["busybox"]["MAX_LEN"] is None
    assert "MAX_LEN" not in config.requested("busybox")


def test_all_that_can_be_set_is_asked_of_upstream() -> None:
    config = configured(
        '{ extends: "base", busybox: { FEATURE_LS_COLOR: false, FEATURE_LS_WIDTH: 80, X_TEXT: "a b" } }'
    )
    assert config.requested("busybox") == {
        "ASH": "y",
        "FEATURE_LS_COLOR": "n",
        "FEATURE_LS_WIDTH": "80",
        "FEATURE_TELNETD_ALONE": "y",
        "HUSH": "n",
        "LOGGER": "n",
        "MAX_LEN": "512",
        "NTPD": "n",
        "SH_IS_ASH": "y",
        "SH_IS_HUSH": "n",
        "SH_IS_NONE": "n",
        "TELNETD": "y",
        "X_TEXT": "a b",
    }
    assert config.further["busybox"] == {"FEATURE_LS_COLOR": False, "FEATURE_LS_WIDTH": 80, "X_TEXT": "a b"}
    assert config.resolved()["busybox"]["FEATURE_LS_WIDTH"] == 80


def test_resolved_values_are_plain_sorted_and_the_same_each_time() -> None:
    one, other = configured(), configured('{ image: {}, extends: "base" }')
    assert json.dumps(one.resolved()) == json.dumps(other.resolved())
    assert all(list(values) == sorted(values) for values in one.resolved().values())
    assert "SYSLOG" not in one.resolved()["busybox"]


def test_an_unknown_name_is_a_mistake_of_the_caller() -> None:
    config = configured()
    for call in (config.is_on, config.string, config.choice, config.family, config.number):
        with pytest.raises(KeyError):
            call("IMAGE_NOTHING")
    with pytest.raises(KeyError):
        config.choice("HARDENING_PIE")
    with pytest.raises(KeyError):
        config.family("HARDENING_PIE")


def test_the_architecture_can_be_overridden() -> None:
    text = '{ extends: "base", image: { arch: "arm64" }, hardening: { stack_clash: true } }'
    config = configured(text, arch="riscv64")
    assert config.choice("IMAGE_ARCH") == "riscv64"
    assert not config.is_on("HARDENING_STACK_CLASH")
    (lost,) = config.overridden
    assert (lost.section, lost.key, lost.wanted) == ("hardening", "stack_clash", True)
    assert lost.where == Location(Path("/nowhere/edge.json5"), 1, 59)
    assert "IMAGE_ARCH_RISCV64" in lost.reason
    assert config.own_values() == {"image": {"arch": "arm64"}}
    assert not config.modified
    assert not config.is_changed("IMAGE_ARCH")
    with pytest.raises(UsageError, match='no architecture "riscv46"') as caught:
        configured(arch="riscv46")
    assert 'did you mean "riscv64"?' in str(caught.value)


# What a preset may not ask for


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("{ image: { archh: 'arm64' } }", (1, 12), 'did you mean "arch"?'),
        ("{ hardening: { PIE: true } }", (1, 16), 'did you mean "pie"?'),
        ("{ image: { format_oci: true } }", (1, 12), 'there is no "format_oci" in the section image'),
        ("{ busybox: { telnetd: true } }", (1, 14), 'did you mean "TELNETD"?'),
        ("{ busybox: { '1': true } }", (1, 14), "they are in upper case"),
        ("{ busybox: { LS: ['a'] } }", (1, 14), "cannot be a list"),
        ("{ hardening: { stack_clesh: true } }", (1, 16), 'did you mean "stack_clash"?'),
        ("{ init: { openrc: true } }", (1, 11), "the section init is not configurable in this version"),
        ("{ busybox: { ASH: 1 } }", (1, 14), "busybox.ASH must be true or false, not 1"),
        ("{ busybox: { ASH: 'm' } }", (1, 14), "must be true or false"),
        ("{ kernel: { WIREGUARD: 'yes' } }", (1, 13), 'must be true, "m" or false'),
        ("{ image: { arch: 'amr64' } }", (1, 12), 'did you mean "arm64"?'),
        ("{ image: { arch: true } }", (1, 12), 'must be one of "x86_64", "arm64", "riscv64", not true'),
        ("{ image: { formats: ['ocl'] } }", (1, 12), '"ocl" is none of'),
        ("{ image: { budget: '5 apples' } }", (1, 12), "write a number with B, kB"),
        ("{ image: { budget: 5000000 } }", (1, 12), "must be text in quotes"),
        ("{ image: { budget: '%s MB' } }" % ("9" * 400), (1, 12), "more than any image can have"),
        ('{ image: { command: "sh -c \'x" } }', (1, 12), "cannot be split into words: no closing quotation"),
        ('{ image: { entrypoint: "a \\\\" } }', (1, 12), "cannot be split into words: no escaped character"),
        ("{ image: { hostname: '' } }", (1, 12), "is not a host name"),
        ("{ image: { hostname: 'my host' } }", (1, 12), "letters, digits and hyphens"),
        ("{ image: { hostname: 'a..b' } }", (1, 12), "is not a host name"),
        ("{ image: { hostname: '%s' } }" % ("a" * 65), (1, 12), "at most 64 characters"),
        ("{ busybox: { ASH: true, MAX_LEN: 5 } }", (1, 25), "it must be from 128 to 8192"),
        ("{\n busybox: {\n  MAX_LEN: 512 } }", (3, 3), 'it needs "ash" (BUSYBOX_ASH), which is off'),
        ("{ busybox: { FEATURE_TELNETD_ALONE: true } }", (1, 14), 'it needs "telnetd" (BUSYBOX_TELNETD), which is off'),
        ("{ busybox: { NTPD: false }, services: { ntpd: true } }", (1, 14), 'switched on by "network time"'),
        ("{ busybox: { SYSLOG: true } }", (1, 14), "cannot be set by hand"),
        ("{ busybox: { SH_IS_ASH: true, SH_IS_HUSH: true } }", (1, 14), 'that is "hush" (BUSYBOX_SH_IS_HUSH)'),
        ("{ image: { arch: 'riscv64' }, hardening: { stack_clash: true } }", (1, 44), "IMAGE_ARCH_RISCV64"),
        ("{ image: { formats: ['disk'], compression: 'zstd' } }", (1, 31), '"oci" (IMAGE_FORMAT_OCI), which is off'),
    ],
)
def test_what_a_preset_cannot_have_names_place_and_reason(text: str, where: tuple[int, int], says: str) -> None:
    error = wrong(text)
    assert place(error) == where
    assert says in str(error)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("budget", ""),
        ("budget", "1.5 MiB"),
        ("command", ""),
        ("command", "/bin/sh -c 'echo \"hello\"'"),
        ("entrypoint", "/sbin/init"),
        ("hostname", "edge-7.example.org"),
    ],
)
def test_texts_that_say_something_are_taken_as_they_are(key: str, text: str) -> None:
    config = configured(json.dumps({"image": {key: text}}))
    assert config.string(f"IMAGE_{key.upper()}") == text


def test_all_mistakes_are_told_at_once() -> None:
    error = wrong("{ image: { archh: 1, arch: 2 },\n busybox: { lower: 1 } }")
    assert place(error) == (1, 12)
    assert [line.split(": ")[0] for line in error.details] == [
        "/nowhere/edge.json5:1:22",
        "/nowhere/edge.json5:2:13",
    ]


def test_a_mistake_in_a_base_is_told_there(here: Path) -> None:
    (here / "bad.json5").write_text("{ busybox: {\n LOGGER: true } }")
    (here / "edge.json5").write_text('{ extends: "bad", busybox: { TELNETD: true } }')
    with pytest.raises(PresetError) as caught:
        Configuration.open("edge.json5")
    assert caught.value.where == Location(Path("bad.json5"), 2, 2)


def test_what_extends_a_preset_may_decide_against_it_and_that_is_told() -> None:
    config = configured('{ extends: "base", busybox: { TELNETD: false } }')
    assert not config.is_on("BUSYBOX_FEATURE_TELNETD_ALONE")
    (lost,) = config.overridden
    assert (lost.section, lost.key, lost.wanted) == ("busybox", "FEATURE_TELNETD_ALONE", True)
    assert lost.where.path.name == "base.json5" and lost.where.line == 3
    assert 'needs "telnetd" (BUSYBOX_TELNETD), which is off' in lost.reason
    assert lost.describe() == (
        f"busybox.FEATURE_TELNETD_ALONE (on at {lost.where}) is not in force: "
        'it needs "telnetd" (BUSYBOX_TELNETD), which is off'
    )
    assert config.own_values() == {"busybox": {"TELNETD": False}}
    assert configured().overridden == ()


# The upstream tree


def test_what_upstream_accepts_is_fine(upstream: Kconfig) -> None:
    config = configured(
        '{ extends: "base", busybox: { FEATURE_LS_WIDTH: 80, FEATURE_LS_COLOR: true, FEATURE_NAME: "x" } }'
    )
    config.validate_upstream("busybox", upstream)
    assert upstream.syms["FEATURE_LS_WIDTH"].str_value == "80"
    assert upstream.syms["SH_IS_ASH"].str_value == "y"
    other = configured()
    other.validate_upstream("busybox", upstream)
    assert upstream.syms["FEATURE_LS_COLOR"].str_value == "n"


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("FEATURE_LS_COLR: true", 'did you mean "FEATURE_LS_COLOR"?'),
        ("FEATURE_LS_WIDTH: true", "must be a whole number, not true"),
        ("FEATURE_LS_WIDTH: 300", "must be from 10 to 200"),
        ("FEATURE_LS_COLOR: 1", "must be true or false"),
        ("FEATURE_NAME: false", "must be text in quotes"),
        ("LS: false, FEATURE_LS_COLOR: true", 'needs "ls" (LS), which is off'),
    ],
)
def test_what_upstream_does_not_accept_names_place_and_reason(upstream: Kconfig, key: str, says: str) -> None:
    config = configured(f'{{ extends: "base",\n busybox: {{ {key} }} }}')
    with pytest.raises(PresetError) as caught:
        config.validate_upstream("busybox", upstream)
    assert says in str(caught.value)
    line = f" busybox: {{ {key} }} }}"
    assert caught.value.where == Location(Path("/nowhere/edge.json5"), 2, line.index(key.rpartition(", ")[2]) + 1)


def test_what_the_builder_sets_counts(upstream: Kconfig) -> None:
    config = configured("{ busybox: { FEATURE_LS_COLOR: true } }")
    config.validate_upstream("busybox", upstream)
    with pytest.raises(PresetError, match="FEATURE_LS_COLOR cannot be on"):
        config.validate_upstream("busybox", upstream, extra={"STATIC": "y"})


def test_a_symbol_of_our_tree_that_upstream_lost_is_found(tmp_path: Path) -> None:
    (tmp_path / "Config.in").write_text(UPSTREAM.replace("config NTPD\n", "config NTP\n"))
    with pytest.raises(PresetError, match="NTPD"):
        configured().validate_upstream("busybox", load(tmp_path / "Config.in"))


# Changing


def test_one_change_is_one_notification_with_all_consequences() -> None:
    config = configured()
    seen: list[Change] = []
    unsubscribe = config.subscribe(seen.append)
    change = config.set("BUSYBOX_TELNETD", False)
    assert seen == [change]
    assert set(change.changes) == {
        ValueChange("BUSYBOX_TELNETD", "telnetd", "y", "n"),
        ValueChange("BUSYBOX_FEATURE_TELNETD_ALONE", "standalone", "y", "n"),
        ValueChange("BUSYBOX_SYSLOG", "", "y", "n"),
    }
    assert config.undo() is not None and len(seen) == 2
    assert {(one.symbol, one.before, one.after) for one in seen[1].changes} == {
        (one.symbol, one.after, one.before) for one in change.changes
    }
    unsubscribe()
    unsubscribe()
    config.set("BUSYBOX_TELNETD", False)
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("HARDENING_LABELS", True, "does not exist"),
        ("BUSYBOX_SYSLOG", True, 'switched on by "telnetd" (BUSYBOX_TELNETD)'),
        ("BUSYBOX_MAX_LEN", 5, "from 128 to 8192"),
        ("BUSYBOX_MAX_LEN", "many", "whole number"),
        ("BUSYBOX_ASH", "m", "true or false"),
        ("IMAGE_ARCH", "mips", "is none of"),
        ("IMAGE_ARCH_RISCV64", False, "choose another one instead"),
        ("IMAGE_FORMATS", ["tar"], "is none of"),
        ("IMAGE_BUDGET", "large", "is not a size"),
        ("HARDENING_STACK_CLASH", True, "either choose"),
        ("HARDENING_PEI", True, 'did you mean "HARDENING_PIE"?'),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(name: str, value: JsonValue, says: str) -> None:
    config = configured('{ extends: "base", image: { arch: "riscv64" }, busybox: { TELNETD: false } }')
    before, seen = config.resolved(), list[Change]()
    config.subscribe(seen.append)
    problem = config.problem(name, value)
    with pytest.raises(Refused) as caught:
        config.set(name, value)
    assert says in str(caught.value)
    assert problem == "; ".join(filter(None, (caught.value.what, caught.value.fix)))
    assert (config.resolved(), seen, config.undo(), config.modified) == (before, [], None, False)


def test_what_a_value_needs_is_switched_on_with_it_as_one_step() -> None:
    config = configured('{ extends: "base", busybox: { TELNETD: false } }')
    before = config.resolved()
    assert config.problem("BUSYBOX_LOGGER", True) == ""
    change = config.toggle("BUSYBOX_LOGGER")
    assert change.label == "logger: on"
    assert change.pulled == (ValueChange("BUSYBOX_TELNETD", "telnetd", "n", "y"),)
    assert config.is_on("BUSYBOX_LOGGER") and config.own_values()["busybox"] == {"LOGGER": True}
    assert config.undo() is not None
    assert (config.resolved(), config.can_undo) == (before, False)
    assert config.redo() is not None and config.is_on("BUSYBOX_TELNETD")


def test_a_module_needs_no_more_than_a_module() -> None:
    config = configured()
    assert [one.after for one in config.set("KERNEL_TUNNEL", "m").pulled] == ["m"]
    config.undo()
    assert [one.after for one in config.set("KERNEL_TUNNEL", True).pulled] == ["y"]
    config.undo()
    config.set("KERNEL_MODULES", False)
    change = config.set("KERNEL_TUNNEL", "m")
    assert {one.symbol: one.after for one in change.pulled} == {"KERNEL_MODULES": "y", "KERNEL_WIREGUARD": "m"}


def test_a_text_pulls_what_it_belongs_to() -> None:
    config = configured()
    assert [one.symbol for one in config.set("IMAGE_DISK_LABEL", "x").pulled] == ["IMAGE_FORMAT_DISK"]
    assert config.string("IMAGE_DISK_LABEL") == "x"


def test_nothing_is_taken_away_unasked() -> None:
    config = configured('{ extends: "base", image: { arch: "riscv64" } }')
    with pytest.raises(Refused) as caught:
        config.set("HARDENING_STACK_CLASH", True)
    x86_64, arm64 = caught.value.alternatives
    assert x86_64.text == 'choose "x86_64" (IMAGE_ARCH_X86_64) for "Architecture"'
    assert {(one.symbol, one.after) for one in arm64.changes} == {
        ("IMAGE_ARCH_RISCV64", "n"),
        ("IMAGE_ARCH_ARM64", "y"),
        ("HARDENING_STACK_CLASH", "y"),
    }
    change = config.apply_fix(arm64)
    assert change.changes == arm64.changes and config.choice("IMAGE_ARCH") == "arm64"
    assert config.undo() is not None and config.choice("IMAGE_ARCH") == "riscv64"


def test_what_is_kept_on_can_go_with_what_keeps_it() -> None:
    config = configured()
    config.set("SERVICE_NTPD", True)
    with pytest.raises(Refused, match='switched on by "network time"') as caught:
        config.toggle("BUSYBOX_NTPD")
    (both,) = caught.value.alternatives
    assert both.text == 'switch off "network time" (SERVICE_NTPD)'
    assert caught.value.fix == f"for that, {both.text}"
    config.apply_fix(both)
    assert not config.is_on("BUSYBOX_NTPD") and not config.is_on("SERVICE_NTPD")
    assert config.undo() is not None and config.is_on("SERVICE_NTPD")


def test_an_alternative_that_came_too_late_is_refused() -> None:
    config = configured('{ extends: "base", image: { arch: "riscv64" } }')
    with pytest.raises(Refused) as caught:
        config.set("IMAGE_ARCH_TUNED", True)
    (arm64,) = caught.value.alternatives
    config.set("HARDENING_LEVEL", "none")
    before = config.resolved()
    with pytest.raises(Refused):
        config.apply_fix(arm64)
    assert config.resolved() == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BUSYBOX_TELNETD", False),
        ("BUSYBOX_ASH", "n"),
        ("BUSYBOX_MAX_LEN", "0256"),
        ("IMAGE_ARCH", "riscv64"),
        ("IMAGE_ARCH_X86_64", True),
        ("IMAGE_FORMATS", ["disk"]),
        ("IMAGE_BUDGET", "12MB"),
        ("KERNEL_WIREGUARD", "m"),
    ],
)
def test_asking_whether_a_value_can_be_changes_nothing(name: str, value: JsonValue) -> None:
    config = configured()
    config.toggle("BUSYBOX_NTPD")
    config.undo()
    before, seen = config.resolved(), list[Change]()
    config.subscribe(seen.append)
    assert config.problem(name, value) == ""
    assert (config.resolved(), seen, config.modified) == (before, [], False)
    assert config.redo() is not None


def test_a_copy_is_the_same_and_goes_its_own_way() -> None:
    config = configured('{ extends: "base", busybox: { EXTRA: 3 } }', arch="arm64")
    config.set("BUSYBOX_SH_IS_HUSH", True)
    config.set("IMAGE_FORMATS", ["disk"])
    seen: list[Change] = []
    config.subscribe(seen.append)
    twin = config.copy()
    before = config.resolved()
    assert (twin.resolved(), twin.own_values(), twin.further) == (before, config.own_values(), config.further)
    assert (twin.preset, twin.modified, twin.overridden) == (config.preset, True, config.overridden)
    assert "arch" not in twin.own_values()["image"]

    assert twin.undo() is None
    twin.set("BUSYBOX_TELNETD", False)
    twin.set("IMAGE_ARCH", "riscv64")
    assert (config.resolved(), seen, twin.tree is config.tree) == (before, [], False)
    changed = twin.resolved()
    while config.undo():
        pass
    assert (twin.resolved(), config.modified) == (changed, False)


def test_a_copy_knows_what_was_saved(here: Path) -> None:
    config = configured()
    config.set("BUSYBOX_NTPD", True)
    config.save(here / "edge.json5", extend=False)
    twin = config.copy()
    assert not twin.modified
    twin.set("BUSYBOX_NTPD", False)
    twin.save()
    assert (twin.modified, "NTPD" in (here / "edge.json5").read_text()) == (False, False)
    assert config.is_on("BUSYBOX_NTPD")


def test_values_are_set_in_either_notation() -> None:
    config = configured()
    config.set("BUSYBOX_NTPD", "y")
    config.set("BUSYBOX_MAX_LEN", "0256")
    config.set("KERNEL_WIREGUARD", "m")
    config.set("IMAGE_ARCH", "arm64")
    config.set("IMAGE_COMPRESSION_ZSTD", True)
    config.set("IMAGE_FORMATS", ["oci", "disk"])
    config.set("IMAGE_FORMAT_ROOTFS", True)
    config.set("HARDENING_PIE", "n")
    assert config.own_values() == {
        "image": {"arch": "arm64", "compression": "zstd", "formats": ["rootfs", "oci", "disk"]},
        "kernel": {"WIREGUARD": "m"},
        "busybox": {"MAX_LEN": 256, "NTPD": True},
        "hardening": {"pie": False},
    }


def test_toggling_goes_through_what_is_possible() -> None:
    config = configured()

    def states(name: str, times: int) -> list[str]:
        found = []
        for _ in range(times):
            config.toggle(name)
            found.append(config.tree.syms[name].str_value)
        return found

    assert states("BUSYBOX_NTPD", 3) == ["y", "n", "y"]
    assert states("KERNEL_WIREGUARD", 4) == ["m", "y", "n", "m"]
    assert states("KERNEL_TUNNEL", 3) == ["m", "n", "m"]
    config.set("KERNEL_MODULES", False)
    assert states("KERNEL_WIREGUARD", 2) == ["n", "y"]
    assert states("IMAGE_ARCH_ARM64", 1) == ["y"]
    for name, says in {
        "IMAGE_ARCH_ARM64": "choose another one",
        "IMAGE_BUDGET": "no yes/no option",
        "IMAGE_ARCH": "no yes/no option",
        "BUSYBOX_LOGER": "did you mean",
        "BUSYBOX_SYSLOG": "is switched on by",
    }.items():
        with pytest.raises(Refused, match=says):
            config.toggle(name)
    config.set("SERVICE_NTPD", True)
    with pytest.raises(Refused, match='switched on by "network time"'):
        config.toggle("BUSYBOX_NTPD")


def test_taking_back_leads_to_the_base() -> None:
    config = configured(
        '{ extends: "base", busybox: { TELNETD: false, SH_IS_HUSH: true }, image: { formats: ["oci"] } }'
    )
    assert config.is_changed("BUSYBOX_TELNETD")
    config.unset("BUSYBOX_TELNETD")
    config.unset("BUSYBOX_SH_IS_HUSH")
    config.unset("IMAGE_FORMATS")
    config.unset("IMAGE_ARCH")
    assert config.is_on("BUSYBOX_TELNETD") and config.is_on("BUSYBOX_SH_IS_ASH")
    assert config.own_values() == {}
    assert config.resolved() == configured().resolved()
    with pytest.raises(KeyError):
        config.unset("BUSYBOX_LOGER")


def test_changed_means_other_than_the_base() -> None:
    config = configured('{ extends: "base", image: { arch: "arm64" } }')
    assert config.is_changed("IMAGE_ARCH") and config.is_changed("IMAGE_ARCH_X86_64")
    assert not config.is_changed("IMAGE_FORMATS")
    config.set("IMAGE_FORMAT_DISK", True)
    assert config.is_changed("IMAGE_FORMATS") and config.is_changed("IMAGE_FORMAT_DISK")
    assert not config.is_changed("IMAGE_FORMAT_OCI")
    config.set("BUSYBOX_TELNETD", False)
    assert config.is_changed("BUSYBOX_SYSLOG")


def test_changes_against_the_base_say_what_was_set_and_what_follows() -> None:
    config = configured("""{
      extends: "base",
      image: { budget: "5MB", formats: ["oci"] },
      busybox: { SH_IS_HUSH: true, EXTRA: 3, MAX_LEN: 1024, NTPD: false },
      hardening: { level: "none" },
    }""")
    told = [(one.section, one.key, one.before_words, one.after_words, one.is_set) for one in config.changes()]
    assert told == [
        ("image", "formats", "[rootfs, oci]", "[oci]", True),
        ("busybox", "EXTRA", "nothing", "3", True),
        ("busybox", "MAX_LEN", "512", "1024", True),
        ("busybox", "SH_IS_HUSH", "off", "on", True),
        ("hardening", "level", '"basic"', '"none"', True),
        ("hardening", "pie", "on", "off", False),
    ]
    first, *_, pie = config.changes()
    assert first.prompt == "formats" and first.symbols == tuple(f"IMAGE_FORMAT_{x}" for x in ("ROOTFS", "OCI", "DISK"))
    assert pie.describe() == "PIE (hardening.pie): on → off"


def test_single_changes_are_taken_back() -> None:
    config = configured('{ extends: "base", busybox: { SH_IS_HUSH: true, EXTRA: 3 }, hardening: { level: "none" } }')
    keys = [one.key for one in config.changes() if one.is_set]
    for change in config.changes():
        if change.is_set:
            config.unset(change.symbol)
            keys.remove(change.key)
            assert [one.key for one in config.changes() if one.is_set] == keys
    assert config.changes() == []
    assert config.resolved() == configured().resolved()


def test_a_preset_without_a_base_differs_from_the_defaults_of_the_tree() -> None:
    config = configured('{ hardening: { level: "full" }, busybox: { TELNETD: true } }', arch="riscv64")
    assert {one.key: one.is_set for one in config.changes()} == {
        "TELNETD": True,
        "FEATURE_TELNETD_ALONE": False,
        "level": True,
        "shadow": False,
    }
    assert configured("{}").changes() == []


def test_after_saving_as_an_extension_the_saved_preset_is_the_base(here: Path) -> None:
    config = configured('{ extends: "base", busybox: { NTPD: true } }')
    assert [one.key for one in config.changes()] == ["NTPD"]
    Path("presets").mkdir()
    Path("presets/edge.json5").write_text(config.preset.text)
    config = Configuration.open("edge")
    config.set("BUSYBOX_HUSH", True)
    config.save(Path("presets/child.json5"), extend=True)
    assert [one.key for one in config.changes()] == ["HUSH"]


def test_where_a_value_comes_from() -> None:
    config = configured(
        """{ extends: "base",
      busybox: { TELNETD: false }, image: { arch: "riscv64" } }""",
    )
    config.set("BUSYBOX_HUSH", True)
    config.set("SERVICE_NTPD", True)
    told = {
        name: str(config.origin(name)).replace(str(resources.PRESETS_DIR), "presets")
        for name in ("BUSYBOX_TELNETD", "BUSYBOX_MAX_LEN", "BUSYBOX_HUSH", "BUSYBOX_NTPD", "BUSYBOX_SYSLOG",
                     "IMAGE_ARCH", "IMAGE_ARCH_ARM64", "IMAGE_HOSTNAME")
    }  # fmt: skip
    assert told == {
        "BUSYBOX_TELNETD": "is set at /nowhere/edge.json5:2:18",
        "BUSYBOX_MAX_LEN": "is set at presets/base.json5:3:69",
        "BUSYBOX_HUSH": "was set and is not saved yet",
        "BUSYBOX_NTPD": 'is switched on by "network time" (SERVICE_NTPD)',
        "BUSYBOX_SYSLOG": "follows from other options",
        "IMAGE_ARCH": "is set at /nowhere/edge.json5:2:45",
        "IMAGE_ARCH_ARM64": "is set at /nowhere/edge.json5:2:45",
        "IMAGE_HOSTNAME": "is the default",
    }
    assert str(configured(arch="arm64").origin("IMAGE_ARCH")) == "was asked for with --arch"
    assert config.origin("MODULES") is None


def test_undo_and_redo_have_no_limit() -> None:
    config = configured()
    states = [config.resolved()]
    for number in range(300):
        config.set("BUSYBOX_MAX_LEN", 200 + number)
        states.append(config.resolved())
    for state in reversed(states[:-1]):
        assert config.undo() is not None
        assert config.resolved() == state
    assert config.undo() is None and not config.can_undo
    for state in states[1:]:
        assert config.redo() is not None
        assert config.resolved() == state
    assert config.redo() is None and not config.can_redo


def test_a_new_change_ends_redo() -> None:
    config = configured()
    config.toggle("BUSYBOX_NTPD")
    config.undo()
    config.toggle("BUSYBOX_HUSH")
    assert config.redo() is None


def test_setting_what_is_there_is_no_step() -> None:
    config = configured()
    seen: list[Change] = []
    config.subscribe(seen.append)
    assert config.set("BUSYBOX_TELNETD", True).changes == ()
    assert (seen, config.undo()) == ([], None)


def test_what_was_asked_for_stays_when_what_selected_it_goes() -> None:
    config = configured()
    config.set("SERVICE_NTPD", True)
    config.set("BUSYBOX_NTPD", True)
    config.set("SERVICE_NTPD", False)
    assert config.is_on("BUSYBOX_NTPD")
    config.undo()
    config.undo()
    config.set("SERVICE_NTPD", False)
    assert not config.is_on("BUSYBOX_NTPD")


def test_modified_is_about_what_would_be_saved() -> None:
    config = configured()
    config.toggle("BUSYBOX_NTPD")
    assert config.modified
    config.toggle("BUSYBOX_NTPD")
    assert not config.modified
    config.set("SERVICE_NTPD", True)
    config.undo()
    assert not config.modified


def test_upstream_symbols_can_be_set_and_undone() -> None:
    config = configured('{ extends: "base", busybox: { FEATURE_LS_WIDTH: 80 } }')
    config.set_upstream("busybox", "FEATURE_LS_COLOR", False)
    config.set_upstream("busybox", "TELNETD", False)
    assert config.modified
    assert config.own_values() == {"busybox": {"FEATURE_LS_COLOR": False, "FEATURE_LS_WIDTH": 80, "TELNETD": False}}
    config.unset("BUSYBOX_FEATURE_LS_WIDTH")
    assert config.is_changed("BUSYBOX_FEATURE_LS_COLOR")
    assert config.further["busybox"] == {"FEATURE_LS_COLOR": False}
    for _ in range(3):
        config.undo()
    assert config.further["busybox"] == {"FEATURE_LS_WIDTH": 80} and not config.modified
    with pytest.raises(Refused):
        config.set_upstream("busybox", "lower", True)
    with pytest.raises(Refused):
        config.set_upstream("hardening", "UNKNOWN", True)


# What a preset holds


def test_only_what_differs_from_the_base_is_own() -> None:
    config = configured('{ extends: "base", image: { budget: "5MB", arch: "x86_64" }, busybox: { NTPD: true } }')
    assert config.own_values() == {"busybox": {"NTPD": True}}


def test_a_value_that_equals_the_base_is_own_where_something_else_would_change_it() -> None:
    config = configured()
    config.set("HARDENING_SHADOW", False)
    assert config.own_values() == {}
    config.set("HARDENING_LEVEL", "full")
    assert config.own_values() == {"hardening": {"level": "full", "shadow": False}}


def test_consequences_are_not_own() -> None:
    config = configured()
    config.set("HARDENING_LEVEL", "none")
    assert not config.is_on("HARDENING_PIE")
    assert config.own_values() == {"hardening": {"level": "none"}}


def test_a_difference_is_told_in_words() -> None:
    other = configured(
        '{ extends: "base", image: { formats: ["oci", "disk"] }, busybox: { TELNETD: false, LS: true },'
        ' kernel: { WIREGUARD: "m" } }'
    )
    differences = configured().diff(other)
    assert differences[0] == Difference("image", "disk_label", None, "kimigayo", "Disk label")
    assert [difference.describe() for difference in differences] == [
        'Disk label (image.disk_label): nothing → "kimigayo"',
        "formats (image.formats): without rootfs, with disk",
        "WireGuard (kernel.WIREGUARD): off → a module",
        "standalone (busybox.FEATURE_TELNETD_ALONE): on → off",
        "busybox.LS: nothing → on",
        "telnetd (busybox.TELNETD): on → off",
    ]
    assert other.diff(other) == []
    assert [(one.key, one.before, one.after) for one in other.diff(configured())] == [
        (one.key, one.after, one.before) for one in differences
    ]


# Saving


EDGE = """\
// Mine.
{
  extends: "base",
  image: { budget: "5MB" }, // said again, on purpose
  busybox: {
    TELNETD: false, // unsafe
    FEATURE_LS_COLOR: false,
  },
}
"""


def test_saving_without_changes_keeps_every_byte(here: Path) -> None:
    (here / "edge.json5").write_text(EDGE)
    config = Configuration.open("edge.json5")
    config.save()
    assert (here / "edge.json5").read_text() == EDGE


def test_saving_changes_only_what_changed(here: Path) -> None:
    (here / "edge.json5").write_text(EDGE)
    config = Configuration.open("edge.json5")
    config.set("BUSYBOX_TELNETD", True)
    config.set("BUSYBOX_NTPD", True)
    config.set("IMAGE_BUDGET", "1MB")
    assert config.save() == Path("edge.json5")
    assert (here / "edge.json5").read_text() == EDGE.replace("    TELNETD: false, // unsafe\n", "").replace(
        "5MB", "1MB"
    ).replace("COLOR: false,\n", "COLOR: false,\n    NTPD: true,\n")
    assert not config.modified
    config.undo()
    assert config.modified and config.string("IMAGE_BUDGET") == "5MB"
    config.save()
    assert Configuration.open("edge.json5").string("IMAGE_BUDGET") == "5MB"
    assert Configuration.open("edge.json5").resolved() == config.resolved()


def test_saving_elsewhere_keeps_what_it_extends(here: Path) -> None:
    (here / "presets").mkdir()
    (here / "presets" / "mine.json5").write_text('{ extends: "base" }')
    (here / "presets" / "edge.json5").write_text('{ name: "edge", extends: "mine", image: { arch: "arm64" } }')
    config = Configuration.open("edge")
    (here / "other").mkdir()
    config.save(Path("other/copy.json5"))
    assert (here / "other" / "copy.json5").read_text() == (
        '{ name: "copy", extends: "mine", image: { arch: "arm64" } }'
    )
    (here / "presets" / "deep").mkdir()
    (here / "presets" / "deep" / "base.json5").write_text("{}")
    (here / "presets" / "edge.json5").write_text('{ extends: "./mine.json5" }')
    config = Configuration.open("edge")
    config.save(Path("other/by-path.json5"))
    assert (here / "other" / "by-path.json5").read_text() == '{ extends: "../presets/mine.json5" }'
    assert config.name == "by-path"
    config = Configuration.open("mine")
    config.save(Path("presets/deep/copy.json5"))
    text = (here / "presets" / "deep" / "copy.json5").read_text()
    assert text != '{ extends: "base" }'  # that would be another one
    assert Configuration.open("presets/deep/copy.json5").resolved() == config.resolved()


def test_a_new_preset_can_extend_the_one_that_is_open(here: Path) -> None:
    config = Configuration.open("base")
    config.set("IMAGE_ARCH", "arm64")
    config.set("BUSYBOX_TELNETD", False)
    config.save(Path("edge.json5"), extend=True)
    assert (here / "edge.json5").read_text() == (
        '{\n  name: "edge",\n  extends: "base",\n  image: { arch: "arm64" },\n  busybox: { TELNETD: false },\n}\n'
    )
    assert (config.name, config.modified) == ("edge", False)
    assert config.is_changed("IMAGE_ARCH")
    assert config.own_values() == {"image": {"arch": "arm64"}, "busybox": {"TELNETD": False}}
    config.undo()
    config.save()
    assert "TELNETD" not in (here / "edge.json5").read_text()
    with pytest.raises(PresetError, match="extend itself"):
        config.save(extend=True)


def test_an_overriding_architecture_is_not_saved(here: Path) -> None:
    (here / "edge.json5").write_text('{ image: { arch: "arm64" }, hardening: { stack_clash: true } }')
    config = Configuration.open("edge.json5", arch="riscv64")
    config.set("BUSYBOX_NTPD", True)
    config.save()
    assert (here / "edge.json5").read_text() == (
        '{ image: { arch: "arm64" }, busybox: { NTPD: true }, hardening: { stack_clash: true } }'
    )
    assert config.choice("IMAGE_ARCH") == "riscv64"


@pytest.mark.parametrize("name", ["Upper.json5", "no-suffix", ".json5", "a b.json5"])
def test_a_file_name_that_is_no_preset_name_is_refused(here: Path, name: str) -> None:
    config = Configuration.open("base")
    with pytest.raises(PresetError):
        config.save(Path(name))
    assert list(here.iterdir()) == []


def test_what_cannot_be_written_changes_nothing(here: Path) -> None:
    config = Configuration.open("base")
    config.toggle("BUSYBOX_NTPD")
    with pytest.raises(MachineError):
        config.save(Path("missing/edge.json5"))
    assert config.modified and config.name == "base"


# For all ways to use it


VALUES: dict[str, list[JsonValue]] = {
    "IMAGE_ARCH": ["x86_64", "arm64", "riscv64"],
    "IMAGE_ARCH_TUNED": [True, False],
    "IMAGE_FORMATS": [[], ["oci"], ["rootfs", "disk"], ["rootfs", "oci"]],
    "IMAGE_FORMAT_OCI": [True, False],
    "IMAGE_COMPRESSION": ["gzip", "zstd"],
    "IMAGE_BUDGET": ["", "1MB"],
    "IMAGE_DISK_LABEL": ["", "x"],
    "BUSYBOX_ASH": [True, False],
    "BUSYBOX_HUSH": [True, False],
    "BUSYBOX_SH_IS_ASH": [True],
    "BUSYBOX_SH_IS_HUSH": [True],
    "BUSYBOX_SH_IS_NONE": [True, False],
    "BUSYBOX_TELNETD": [True, False],
    "BUSYBOX_FEATURE_TELNETD_ALONE": [True, False],
    "BUSYBOX_LOGGER": [True, False],
    "BUSYBOX_NTPD": [True, False],
    "BUSYBOX_MAX_LEN": [128, 512, 1024],
    "KERNEL_MODULES": [True, False],
    "KERNEL_WIREGUARD": [True, False, "m"],
    "KERNEL_TUNNEL": [True, False, "m"],
    "HARDENING_LEVEL": ["none", "basic", "full"],
    "HARDENING_PIE": [True, False],
    "HARDENING_STACK_CLASH": [True, False],
    "HARDENING_SHADOW": [True, False],
    "SERVICE_NTPD": [True, False],
}
SETTINGS = [(name, value) for name, values in VALUES.items() for value in values]
STARTS = [
    '{ extends: "base" }',
    "{}",
    """{
      extends: "base",
      // reasons
      image: { formats: ["disk"], budget: "5MB" },
      hardening: { level: "full", shadow: false /* no hardware */ },
      busybox: { TELNETD: false, SH_IS_HUSH: true, EXTRA: 3 },
      kernel: { WIREGUARD: "m" },
    }""",
]


class Anything(RuleBasedStateMachine):
    """Whatever is done: undoing it all is the beginning, and what is saved gives the same configuration."""

    def __init__(self) -> None:
        super().__init__()
        self.config = configured()
        self.history: list[object] = []

    @precondition(lambda self: not self.history)
    @rule(text=st.sampled_from(STARTS), arch=st.sampled_from([None, None, "riscv64"]))
    def start(self, text: str, arch: str | None) -> None:
        self.config = configured(text, arch=arch)
        self.history = [self.config.resolved()]

    def _has(self, name: str, value: JsonValue) -> bool:
        entry = self.config.names.by_symbol[name]
        if entry.symbol != name:
            return self.config.is_on(name) == value
        now = entry.value(self.config.tree)
        if isinstance(now, list) and isinstance(value, list):
            return set(now) == set(value)
        return now == value

    def _depth(self) -> int:
        return len(self.config._undo)

    @precondition(lambda self: self.history)
    @rule(setting=st.sampled_from(SETTINGS))
    def set(self, setting: tuple[str, JsonValue]) -> None:
        before, depth = self.config.resolved(), self._depth()
        problem = self.config.problem(*setting)
        assert self.config.resolved() == before
        try:
            change = self.config.set(*setting)
        except Refused as error:
            assert problem.startswith(error.what)
            assert self.config.resolved() == before
            assert self._depth() == depth
            for alternative in error.alternatives:
                change = self.config.apply_fix(alternative)
                assert change.changes == alternative.changes
                assert self._has(*setting)
                self.config.undo()
                assert self.config.resolved() == before
            if error.alternatives:
                depth = min(depth, self._depth())
                del self.history[depth + 1 :]
        else:
            assert problem == ""
            assert self._has(*setting)
            before_values = {one.symbol: one.before for one in change.changes}
            for one in change.pulled:
                assert (one.before, one.after) in (("n", "y"), ("n", "m"), ("m", "y"), ("", one.after))
            assert before_values.keys() >= {one.symbol for one in change.pulled}
            assert (self.config.resolved() != before) <= bool(change.changes)
            self._record(depth)

    @precondition(lambda self: self.history)
    @rule(name=st.sampled_from(sorted(VALUES)))
    def toggle(self, name: str) -> None:
        before, depth = self.config.resolved(), self._depth()
        try:
            change = self.config.toggle(name)
        except Refused:
            assert self.config.resolved() == before
        else:
            assert change.changes
            assert self.config.resolved() != before
            self._record(depth)

    @precondition(lambda self: self.history)
    @rule(name=st.sampled_from(sorted(VALUES)))
    def unset(self, name: str) -> None:
        depth = self._depth()
        self.config.unset(name)
        self._record(depth)

    def _record(self, depth: int) -> None:
        if self._depth() > depth:
            del self.history[depth + 1 :]
            self.history.append(self.config.resolved())

    @precondition(lambda self: self.history)
    @rule()
    def undo_and_redo(self) -> None:
        now = self.config.resolved()
        if self.config.undo():
            assert self.config.resolved() == self.history[self._depth()]
            assert self.config.redo()
        assert self.config.resolved() == now

    @precondition(lambda self: self.history)
    @rule()
    def copy(self) -> None:
        twin = self.config.copy()
        assert twin.resolved() == self.config.resolved()
        assert twin.own_values() == self.config.own_values()
        assert twin.modified == self.config.modified

    @precondition(lambda self: self.history)
    @rule()
    def undo(self) -> None:
        if self.config.undo():
            assert self.config.resolved() == self.history[self._depth()]

    @precondition(lambda self: self.history)
    @invariant()
    def saved_and_read_it_is_the_same(self) -> None:
        config = self.config
        text = config._text_for(config.preset.path)
        assert config.modified or text == config.preset.text
        again = configured(text)
        assert again.own_values() == config.own_values()
        if not config._override:
            assert again.resolved() == config.resolved()
        if config.own_values() == {}:
            assert (
                again.resolved() == Configuration(again.chain[:-1] or [preset.parse("{}", Path("/x.json5"))]).resolved()
            )

    @precondition(lambda self: self.history)
    @rule()
    def taking_every_change_back_is_the_base(self) -> None:
        twin = self.config.copy()
        while changes := twin.changes():
            assert any(one.is_set for one in changes)
            for change in changes:
                twin.unset(change.symbol)
        bases = twin.chain[:-1] or [preset.parse("{}", Path("/x.json5"))]
        arch = "riscv64" if twin._override else None
        assert twin.resolved() == Configuration(bases, arch=arch).resolved()

    @precondition(lambda self: self.history)
    @invariant()
    def looking_changes_nothing(self) -> None:
        now, assigned = self.config.resolved(), self.config._state.assigned
        self.config.own_values()
        self.config.modified  # noqa: B018
        self.config.requested("busybox")
        assert (self.config.resolved(), self.config._state.assigned) == (now, assigned)

    def teardown(self) -> None:
        if self.history:
            while self.config.undo():
                pass
            assert self.config.resolved() == self.history[0]
            assert not self.config.modified


TestAnything = Anything.TestCase
TestAnything.settings = settings(deadline=None, max_examples=60, stateful_step_count=15)
