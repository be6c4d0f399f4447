"""What `kimitui suggest` proposes for scripts as people write them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kimitui.build import packages
from kimitui.config import Configuration
from kimitui.errors import UsageError
from kimitui.kconfig.applets import applet_symbols
from kimitui.kconfig.names import Names
from kimitui.kconfig.types import Kconfig
from kimitui.suggest import files, needs, proposal
from kimitui.suggest.knowledge import ALL_OPTIONS, BUILTINS, CONSTRUCTS
from kimitui.suggest.proposal import Suggestion

SCRIPTS = Path(__file__).parent / "scripts"


def suggest(*paths: Path, against: str | None = None) -> Suggestion:
    return proposal.suggest(needs.of(files.find(paths)), against)


def written(directory: Path, text: str, name: str = "script.sh") -> Path:
    (directory / name).write_text(text)
    return directory / name


def keys(suggestion: Suggestion, section: str = "busybox") -> set[str]:
    return {item.key for item in suggestion.items if item.section == section}


def test_a_directory_of_scripts() -> None:
    found = suggest(SCRIPTS)
    assert [path.name for path in found.scripts] == ["backup.sh", "healthcheck", "messages", "provision.sh"]
    applets = (
        "BASH_IS_ASH CAT CHROOT DATE DIRNAME ECHO ENV FEATURE_GZIP_LEVELS FIND GREP GZIP LOGGER LS MKTEMP NICE RM "
        "SH_IS_ASH SLEEP SORT TAR TEE UNAME WGET XZ"
    )
    assert keys(found) == set(applets.split())
    assert keys(found, "packages") == {"curl", "dropbear"}
    said = {remark.what: [f"{where.path.name}:{where.line}" for where in remark.where] for remark in found.impossible}
    assert said == {
        "an array is bash's alone": ["provision.sh:3", "provision.sh:4"],
        "apt-get is neither in BusyBox nor in a package": ["provision.sh:5"],
        "declare is a builtin of bash": ["provision.sh:3"],
        "sudo is neither in BusyBox nor in a package": ["provision.sh:5"],
        "zstd is neither in BusyBox nor in a package": ["backup.sh:35"],
    }
    unknown = {remark.what: [f"{where.path.name}:{where.line}" for where in remark.where] for remark in found.unknown}
    assert unknown == {
        'eval is given "$AFTERWARDS"': ["provision.sh:10"],
        'the command is "$HOOK"': ["provision.sh:11"],
    }


def test_what_is_pasted_into_a_preset_makes_the_scripts_run(tmp_path: Path) -> None:
    found = suggest(SCRIPTS)
    preset = written(tmp_path, f'{{\n  name: "pasted",\n{found.text}\n}}\n', "pasted.json5")
    Configuration.open(str(preset))
    again = suggest(SCRIPTS, against=str(preset))
    assert not again.items
    assert again.impossible == found.impossible


def test_it_is_the_smallest_set(tmp_path: Path) -> None:
    script = SCRIPTS / "healthcheck"
    found = suggest(script)
    assert len(found.items) > 2
    for item in found.items:
        rest = {other.key: True for other in found.items if other is not item}
        preset = written(tmp_path, json.dumps({"name": "less", "busybox": rest}), "less.json5")
        assert suggest(script, against=str(preset)).items, f"{item.key} is not needed"


def test_against_a_preset_only_what_it_lacks(tmp_path: Path) -> None:
    script = SCRIPTS / "healthcheck"
    assert not suggest(script, against="minimal").items
    without = written(tmp_path, '{ extends: "minimal", busybox: { FEATURE_WGET_TIMEOUT: false } }', "without.json5")
    assert keys(suggest(script, against=str(without))) == {"FEATURE_WGET_TIMEOUT"}


def test_builtins_need_no_applet_unless_another_program_starts_them(tmp_path: Path) -> None:
    builtin = written(tmp_path, "echo a; printf b; test c; [ d ]; kill 1; pwd; true; command false\n")
    assert keys(suggest(builtin)) == {"SH_IS_ASH"}
    program = written(tmp_path, "xargs echo; find . -exec test {} ';'; /usr/bin/printf b; exec kill 1; env [ d ]\n")
    assert keys(suggest(program)) == {"ECHO", "ENV", "FIND", "KILL", "PRINTF", "SH_IS_ASH", "TEST", "TEST1", "XARGS"}


def test_any_shell_will_do(tmp_path: Path) -> None:
    script = written(tmp_path, "#!/bin/sh\necho a\n")
    hush = written(tmp_path, "{ busybox: { HUSH: true } }", "hush.json5")
    assert not suggest(script, against=str(hush)).items
    ash = written(tmp_path, "{ busybox: { ASH: true, SH_IS_ASH: true, ASH_ECHO: false } }", "quiet.json5")
    assert keys(suggest(script, against=str(ash))) == {"ASH_ECHO"}


def test_functions_and_aliases_are_no_commands_even_in_another_file(tmp_path: Path) -> None:
    written(tmp_path, "helper() { die; }\nalias l='ls -l'\n", "lib.sh")
    written(tmp_path, '. "$(dirname "$0")/lib.sh"\ndie() { exit 1; }\nhelper\nl\n', "main.sh")
    written(tmp_path, "helper\n", "apart.sh")
    found = suggest(tmp_path)
    assert keys(found) == {"DIRNAME", "LS", "SH_IS_ASH"}
    assert [(remark.what, remark.where[0].path.name) for remark in found.impossible] == [
        ("helper is neither in BusyBox nor in a package", "apart.sh")
    ]


def test_what_a_preset_rules_out_is_said(tmp_path: Path) -> None:
    script = written(tmp_path, "#!/bin/sh\nmodinfo x\n")
    small = written(tmp_path, "{ busybox: { SH_IS_ASH: true, MODPROBE_SMALL: true, LSMOD: true } }", "small.json5")
    found = suggest(script, against=str(small))
    assert [remark.what.split(":")[0] for remark in found.impossible] == ["modinfo"] or keys(found) == {"MODINFO"}


@pytest.mark.parametrize("text", ["#!/usr/bin/python3\n", "a\0b"])
def test_what_is_no_script_is_refused_if_it_is_named_and_left_out_otherwise(tmp_path: Path, text: str) -> None:
    other = written(tmp_path, text)
    with pytest.raises(UsageError, match="this is no shell script"):
        files.find([other])
    with pytest.raises(UsageError, match="there is no shell script in this directory"):
        files.find([tmp_path])
    script = written(tmp_path, "a\n", "a.sh")
    assert [found.path for found in files.find([tmp_path])] == [script]


def test_applets_are_those_of_busybox_itself(system_kconfig: Kconfig, busybox_upstream: Kconfig) -> None:
    table = (Path(busybox_upstream.srctree) / "include/applets.h").read_text()
    upstream: dict[str, set[str]] = {}
    for symbol, name in re.findall(r"IF_(\w+)\(\s*(?:IF_\w+\()?APPLET\w*\(\s*([^,\s]+)\s*,", table):
        upstream.setdefault(name, set()).add(f"BUSYBOX_{symbol}")
    upstream["busybox"] = {"BUSYBOX_BUSYBOX"}  # its line has no symbol
    ours = applet_symbols(Names(system_kconfig))
    assert len(upstream) > 400
    assert {name: symbol for name, symbol in ours.items() if symbol not in upstream.get(name, {symbol})} == {}
    assert upstream.keys() - ours.keys() <= {"ipconfig"}  # an abandoned one that is not in the tree either
    assert not ours.keys() - upstream.keys()


def test_builtins_are_those_of_ash(busybox_unpacked: Path, system_kconfig: Kconfig) -> None:
    source = (busybox_unpacked / "shell/ash.c").read_text()
    table = source[source.index("builtintab[] = {") :]
    names = set(re.findall(r'BUILTIN_\w+\s+"([^"]+)"', table[: table.index("};")]))
    # sleep only with a setting that is not in the tree, history only for people.
    assert names - BUILTINS.keys() <= {"sleep", "history"}
    assert not BUILTINS.keys() - names
    symbols = {symbol for those in [*BUILTINS.values(), *CONSTRUCTS.values()] for symbol in those} | ALL_OPTIONS
    assert not {symbol for symbol in symbols if symbol not in system_kconfig.syms}


def test_the_command_line(tmp_path: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "kimitui", "suggest", *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    good = run(str(SCRIPTS / "healthcheck"))
    assert good.returncode == 0
    assert "  GREP: true, // grep: healthcheck:4\n" in good.stdout
    lacking = run(str(SCRIPTS), "--json")
    data: Any = json.loads(lacking.stdout)
    assert lacking.returncode == 1
    assert {"section": "packages", "key": "curl"}.items() <= data["items"][-2].items()
    assert any(one["where"] == [f"{SCRIPTS}/provision.sh:11"] for one in data["unknown"])
    missing = run("nowhere.sh")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "there is no such file" in missing.stderr


def test_programs_of_packages_are_named_once() -> None:
    programs = [program for package in packages.load().values() for program in package.programs]
    assert sorted(set(programs)) == sorted(programs)
