from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kimitui.config_types import Refused
from kimitui.dotconfig import DotConfig, default_path, find_root
from kimitui.errors import Location, MachineError, UsageError
from kimitui.kconfig.types import Kconfig

TREE = """
mainmenu "A machine"

config MODULES
	def_bool y
	option modules

config NET
	tristate "network"

config WIFI
	tristate "wireless"
	depends on NET
	select CRYPTO

config CRYPTO
	tristate "ciphers"

config NAME
	string "name"
	default "box"

config SIZE
	int "size"
	range 1 100
	default 10

config BASE
	hex "base"
	default 0x1000

choice
	prompt "which"
config WHICH_A
	bool "a"
config WHICH_B
	bool "b"
endchoice

choice
	prompt "perhaps"
	optional
config PERHAPS_A
	bool "perhaps a"
config PERHAPS_B
	bool "perhaps b"
endchoice

config HIDDEN
	def_bool WHICH_B
"""

FILE = """\
#
# Written long ago
#
CONFIG_NET=m
CONFIG_NAME="a \\"quoted\\" \\\\ name"
CONFIG_SIZE=20
# CONFIG_WHICH_A is not set
CONFIG_WHICH_B=y
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Kconfig").write_text(TREE)
    return tmp_path / "Kconfig"


def opened(root: Path, text: str | None = None) -> DotConfig:
    if text is not None:
        (root.parent / ".config").write_text(text)
    return DotConfig(root, root.parent / ".config")


def value(config: DotConfig, symbol: str) -> str:
    return config.tree.syms[symbol].str_value


def test_a_file_is_read(root: Path) -> None:
    config = opened(root, FILE)
    assert {name: value(config, name) for name in ("NET", "NAME", "SIZE", "WHICH_B", "HIDDEN")} == {
        "NET": "m",
        "NAME": 'a "quoted" \\ name',
        "SIZE": "20",
        "WHICH_B": "y",
        "HIDDEN": "y",
    }
    assert (config.notes, config.changes(), config.modified) == ((), [], False)
    assert config.tree.mainmenu_text == "A machine"


def test_without_a_file_there_are_the_defaults_and_nothing_is_saved_yet(root: Path) -> None:
    config = opened(root)
    assert value(config, "NAME") == "box"
    assert config.unsaved and not config.modified
    assert config.base_name == "the defaults"
    config.save()
    assert not config.unsaved
    assert "CONFIG_WHICH_A=y\n" in (root.parent / ".config").read_text()


def test_what_was_saved_is_kept_as_old(root: Path) -> None:
    config = opened(root, FILE)
    config.set("WIFI", "m")
    assert config.unsaved
    assert config.save() == root.parent / ".config"
    text = (root.parent / ".config").read_text()
    assert "CONFIG_WIFI=m\n" in text and 'CONFIG_NAME="a \\"quoted\\" \\\\ name"\n' in text
    assert (root.parent / ".config.old").read_text() == FILE
    again = opened(root)
    assert (again.resolved(), again.unsaved, again.notes) == (config.resolved(), False, ())
    config.save()
    assert (root.parent / ".config.old").read_text() == FILE  # nothing new was saved


def test_a_minimal_file_holds_only_what_differs_and_gives_the_same(root: Path) -> None:
    config = opened(root, FILE)
    config.save_minimal(root.parent / "defconfig")
    lines = (root.parent / "defconfig").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        "CONFIG_NET=m",
        'CONFIG_NAME="a \\"quoted\\" \\\\ name"',
        "CONFIG_SIZE=20",
        "CONFIG_WHICH_B=y",
    ]
    assert DotConfig(root, root.parent / "defconfig").resolved() == config.resolved()


def test_what_needs_something_pulls_it_and_changes_are_against_the_file(root: Path) -> None:
    config = opened(root, "# CONFIG_NET is not set\n")
    change = config.set("WIFI", True)
    assert [one.symbol for one in change.pulled] == ["NET"]
    assert [(one.key, one.before_words, one.after_words, one.is_set) for one in config.changes()] == [
        ("CRYPTO", "off", "on", False),
        ("NET", "off", "on", True),
        ("WIFI", "off", "on", True),
    ]
    assert config.changes()[0].describe() == "ciphers (CRYPTO): off → on"
    with pytest.raises(Refused) as caught:
        config.set("CRYPTO", False)
    assert [one.text for one in caught.value.alternatives] == ['switch off "wireless" (WIFI)']
    config.unset("NET")
    assert value(config, "WIFI") == "n"
    config.undo()
    config.undo()
    assert config.changes() == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("CONFIG_GONE=y", "this tree has no symbol GONE"),
        ("# CONFIG_GONE is not set", "this tree has no symbol GONE"),
        ("CONFIG_NET=perhaps", "NET cannot be perhaps: it can only be y, m or n"),
        ("CONFIG_WHICH_A=m", "WHICH_A cannot be m: it can only be y or n"),
        ("CONFIG_SIZE=big", "SIZE cannot be big: it takes a whole number"),
        ("CONFIG_BASE=-0x1", "BASE cannot be -0x1: it takes a hexadecimal number"),
        ("CONFIG_NAME=box", "NAME cannot be box: it takes text in quotes"),
        ("CONFIG_SIZE=1000", "SIZE cannot be 1000: it must be from 1 to 100"),
        ("CONFIG_WIFI=y", 'WIFI cannot be y: it needs "network" (NET), which is off'),
    ],
)
def test_what_is_not_taken_as_it_is_written_is_told_with_its_line(root: Path, line: str, says: str) -> None:
    config = opened(root, f"# a comment\n\n{line}\n")
    assert config.remarks == (f"{root.parent}/.config:3:1: {says}",)


def test_a_symbol_that_is_set_twice_has_the_last_value(root: Path) -> None:
    config = opened(root, "CONFIG_SIZE=5\nCONFIG_SIZE=6\n")
    assert value(config, "SIZE") == "6"
    assert [note.text for note in config.notes] == ["SIZE is set a second time; line 1 says 5"]


def test_what_follows_from_other_values_is_no_remark(root: Path) -> None:
    assert opened(root, "# CONFIG_HIDDEN is not set\nCONFIG_WHICH_B=y\n").notes == ()


def test_unknown_symbols_are_left_out_and_stay_in_the_old_file(root: Path) -> None:
    config = opened(root, "CONFIG_GONE=y\nCONFIG_NET=y\n")
    assert config.unknown == ("GONE",) and config.unsaved
    config.save()
    assert "GONE" not in (root.parent / ".config").read_text()
    assert "GONE" in (root.parent / ".config.old").read_text()


@pytest.mark.parametrize("line", ["<<<<<<< HEAD", "CONFIG_NET = y", "NET=y", "CONFIG_=y", "garbage"])
def test_a_malformed_file_names_the_line(root: Path, line: str) -> None:
    with pytest.raises(UsageError) as caught:
        opened(root, f"CONFIG_NET=y\n{line}\n")
    assert caught.value.where == Location(root.parent / ".config", 2, 1)
    assert line in caught.value.what and caught.value.exit_code == 2


def test_a_malformed_tree_names_file_and_line(root: Path) -> None:
    root.write_text('config A\n\tbool "a"\n\tdepend on B\n')
    with pytest.raises(UsageError) as caught:
        opened(root)
    assert caught.value.where == Location(root, 3, 1)


def test_a_file_that_cannot_be_read_or_written_is_told(root: Path) -> None:
    (root.parent / ".config").mkdir()
    with pytest.raises(MachineError):
        opened(root)
    config = DotConfig(root, root.parent / "elsewhere" / ".config")
    with pytest.raises(MachineError):
        config.save()
    assert config.unsaved


def test_another_file_is_loaded_as_one_step(root: Path) -> None:
    config = opened(root, FILE)
    before = config.resolved()
    (root.parent / "other").write_text("CONFIG_SIZE=7\nCONFIG_GONE=y\n")
    change = config.load(root.parent / "other")
    assert change.label == "loaded other" and config.unknown == ("GONE",)
    assert (value(config, "SIZE"), value(config, "NAME"), value(config, "WHICH_A")) == ("7", "box", "y")
    config.undo()
    assert config.resolved() == before and not config.can_undo
    (root.parent / "other").write_text("nonsense\n")
    with pytest.raises(UsageError):
        config.load(root.parent / "other")
    assert config.resolved() == before


def test_where_a_value_comes_from(root: Path) -> None:
    config = opened(root, FILE)
    config.set("WIFI", "m")
    place = f"is set at {root.parent}/.config"
    told = {
        name: str(config.origin(name)) for name in ("NET", "WHICH_A", "WHICH_B", "WIFI", "CRYPTO", "BASE", "HIDDEN")
    }
    assert told == {
        "NET": f"{place}:4:1",
        "WHICH_A": "is the default",
        "WHICH_B": f"{place}:8:1",
        "WIFI": "was set and is not saved yet",
        "CRYPTO": 'is switched on by "wireless" (WIFI)',
        "BASE": "is the default",
        "HIDDEN": "follows from other options",
    }
    config.save()
    assert str(config.origin("WIFI")).startswith(place)


def test_an_optional_choice_can_be_made_and_kept(root: Path) -> None:
    config = opened(root)
    assert value(config, "PERHAPS_A") == "n"
    config.set("PERHAPS_B", True)
    assert value(config, "PERHAPS_B") == "y"
    config.save()
    assert value(opened(root), "PERHAPS_B") == "y"
    config.undo()
    assert value(config, "PERHAPS_B") == "n"


def test_the_environment_is_what_the_tree_may_ask_for(tmp_path: Path) -> None:
    (tmp_path / "src" / "arch" / "mips").mkdir(parents=True)
    (tmp_path / "src" / "Kconfig").write_text('source "arch/$(ARCH)/Kconfig"\n')
    (tmp_path / "src" / "arch" / "mips" / "Kconfig").write_text('config MIPS\n\tbool "mips"\n')
    config = DotConfig(
        tmp_path / "src" / "Kconfig",
        tmp_path / ".config",
        environment={"ARCH": "mips", "CONFIG_": "MY_", "srctree": str(tmp_path / "src")},
    )
    config.set("MIPS", True)
    config.save()
    assert (tmp_path / ".config").read_text() == "MY_MIPS=y\n"


def test_where_things_are(root: Path, tmp_path: Path) -> None:
    assert find_root(root.parent) == root
    assert default_path(root, {}) == root.parent / ".config"
    assert default_path(root, {"KCONFIG_CONFIG": "my.config"}) == Path("my.config")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"no Kconfig or Config\.in here"):
        find_root(tmp_path / "empty")


def test_busybox(busybox_upstream: Kconfig, tmp_path: Path) -> None:
    config = DotConfig(Path(busybox_upstream.srctree) / "Config.in", tmp_path / ".config")
    config.set("LS", False)
    change = config.set("FEATURE_LS_COLOR", True)
    assert "LS" in {one.symbol for one in change.pulled}
    config.set("EXTRA_CFLAGS", "-Os")
    config.save()
    again = DotConfig(config.kconfig, tmp_path / ".config")
    assert (again.resolved(), again.notes, again.unsaved) == (config.resolved(), (), False)
    while config.undo():
        pass
    assert config.changes() == []


SETTINGS = [
    *((name, value) for name in ("NET", "WIFI", "CRYPTO") for value in (True, "m", False)),
    *((name, True) for name in ("WHICH_A", "WHICH_B", "PERHAPS_A", "PERHAPS_B")),
    ("NAME", ""), ("NAME", 'x"\\'), ("SIZE", 1), ("SIZE", 100), ("BASE", "0x10"),
]  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(SETTINGS), max_size=8), st.booleans())
def test_what_is_saved_is_what_is_read(root: Path, edits: list[tuple[str, str | bool | int]], minimal: bool) -> None:
    path = root.parent / ".config"
    path.unlink(missing_ok=True)
    config = DotConfig(root, path)
    beginning = config.resolved()
    for name, wanted in edits:
        config.set(name, wanted) if not config.problem(name, wanted) else None
    config.save_minimal(path) if minimal else config.save()
    again = DotConfig(root, path)
    assert (again.resolved(), again.notes, again.changes()) == (config.resolved(), (), [])
    while config.undo():
        pass
    assert config.resolved() == beginning
