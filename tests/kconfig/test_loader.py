from __future__ import annotations

import os
from pathlib import Path

import pytest

from kimitui.errors import KimituiError, Location
from kimitui.kconfig.loader import load
from kimitui.kconfig.system import load_system_tree


def tree(directory: Path, text: str, name: str = "Kconfig") -> Path:
    path = directory / name
    path.write_text(text)
    return path


def test_a_tree_is_read_relative_to_its_root_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    tree(tmp_path, 'source "sub/Kconfig"\n')
    tree(tmp_path / "sub", 'rsource "more.kconfig"\n')
    tree(tmp_path / "sub", 'config A\n\tbool "a"\n', "more.kconfig")
    monkeypatch.chdir("/")
    assert [symbol.name for symbol in load(tmp_path / "Kconfig").unique_defined_syms] == ["A"]
    monkeypatch.chdir(tmp_path.parent)
    assert "A" in load(Path(tmp_path.name) / "Kconfig").syms


def test_a_directory_may_have_a_name_that_reads_as_a_pattern(tmp_path: Path) -> None:
    strange = tmp_path / "[a]*"
    strange.mkdir()
    tree(strange, 'source "*.kconfig"\n')
    tree(strange, 'config A\n\tbool "a"\n', "more.kconfig")
    assert "A" in load(strange / "Kconfig").syms


def test_the_environment_does_not_leak_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kconfigfunctions.py").write_text("raise SystemExit('code from the path was run')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "CONFIG_": "X_",
        "srctree": "/nowhere",
        "ARCH": "leaked",
        "KCONFIG_STRICT": "y",
        "KCONFIG_CONFIG_HEADER": "leaked",
    }.items():
        monkeypatch.setenv(name, value)
    path = tree(tmp_path, 'config A\n\tstring\n\tdefault "$(ARCH)"\nconfig B\n\tbool "b"\n\tdepends on UNKNOWN\n')
    before = dict(os.environ)
    found = load(path)
    assert found.syms["A"].str_value == ""
    assert getattr(found, "config_prefix") == "CONFIG_"  # noqa: B009 - it has no types
    assert not found.warnings
    assert load(path, environment={"ARCH": "given"}).syms["A"].str_value == "given"
    assert dict(os.environ) == before


def test_warnings_are_kept_and_not_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = load(tree(tmp_path, "config A\n\tbool a\n\tdefault 17\n"))
    assert found.warnings
    kept = len(found.warnings)
    found.syms["A"].set_value("nonsense")
    assert len(found.warnings) == kept
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("config A\n\tbool 'a\n", 2, "unterminated string"),
        ("config A\n\tbool\n\nnonsense here\n", 4, "couldn't parse"),
        ("config\n", 1, "missing or bad symbol name"),
        ('\nmenu "a"\n', 2, "expected 'endmenu'"),
        ('config A\n\tbool "a"\n\tdepends on (B\n', 3, ""),
        ('\nsource "missing.kconfig"\n', 2, "missing.kconfig"),
        ('mainmenu "x"\nsource "Kconfig"\n', 2, "recursive"),
        ('config A\n\tbool "a"\n\tdepends on B\nconfig B\n\tbool "b"\n\tdepends on A\n', 1, "ependency loop"),
    ],
)
def test_a_malformed_tree_names_file_and_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    path = tree(tmp_path, text)
    with pytest.raises(KimituiError) as caught:
        load(path)
    assert says in str(caught.value)
    assert caught.value.where == Location(path, line, 1)


def test_an_error_in_an_included_file_names_that_file(tmp_path: Path) -> None:
    tree(tmp_path, 'source "more.kconfig"\n')
    more = tree(tmp_path, "\n\nwhat is this\n", "more.kconfig")
    with pytest.raises(KimituiError) as caught:
        load(tmp_path / "Kconfig")
    assert caught.value.where == Location(more, 3, 1)


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KimituiError, match="cannot read"):
        load(tmp_path / "missing")
    with pytest.raises(KimituiError):
        load(tmp_path)
    (tmp_path / "Kconfig").write_bytes(b'config A\n\tbool "\xff"\n')
    with pytest.raises(KimituiError):
        load(tmp_path / "Kconfig")
    deep = "(" * 20_000 + "A" + ")" * 20_000
    with pytest.raises(KimituiError, match="nested too deeply"):
        load(tree(tmp_path, f'config A\n\tbool "a"\nconfig B\n\tbool "b"\n\tdepends on {deep}\n'))


def test_the_system_tree_is_sound(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    found = load_system_tree()
    assert list(found.warnings) == []
    undefined = {
        symbol.name
        for symbol in found.syms.values()
        if not symbol.nodes and not symbol.is_constant and not symbol.name.isdigit() and symbol.name != "MODULES"
    }
    assert {name for name in undefined if not name.startswith("0x")} == set()


def test_everything_in_the_system_tree_that_can_be_set_has_a_prompt_and_help() -> None:
    for node in load_system_tree().node_iter():
        if node.prompt and node.item not in (None,) and hasattr(node.item, "nodes"):
            assert node.prompt[0].strip()
            assert node.help and node.help.strip(), f"{node.filename}:{node.linenr} has no help"


def test_two_trees_do_not_share_values() -> None:
    one, other = load_system_tree(), load_system_tree()
    one.syms["HARDENING_PIE"].set_value(0)
    assert (one.syms["HARDENING_PIE"].tri_value, other.syms["HARDENING_PIE"].tri_value) == (0, 2)


def test_a_source_tree_can_lie_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "src" / "sub").mkdir(parents=True)
    (tmp_path / "build").mkdir()
    tree(tmp_path / "build", 'source "sub/Kconfig"\n')
    tree(tmp_path / "src" / "sub", 'config A\n\tbool "a"\n')
    assert "A" in load(tmp_path / "build" / "Kconfig", srctree=tmp_path / "src").syms
    with pytest.raises(KimituiError):
        load(tmp_path / "build" / "Kconfig")


def test_a_file_that_is_not_there_is_told_where_it_is_asked_for(tmp_path: Path) -> None:
    path = tree(tmp_path, '\nsource "sub/Config.in"\n', "Config.in")
    with pytest.raises(KimituiError) as caught:
        load(path)
    assert caught.value.where == Location(path, 2, 1)
    assert "sub/Config.in" in caught.value.what and caught.value.fix is None


def test_where_busybox_has_to_make_files_first_that_is_said(busybox_unpacked: Path) -> None:
    with pytest.raises(KimituiError) as caught:
        load(busybox_unpacked / "Config.in")
    assert caught.value.fix is not None and "make gen_build_files" in caught.value.fix
