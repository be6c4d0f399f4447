"""The command line as a user sees it: what it prints, what it points at, how it exits, and what it leaves alone."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

import kimitui
from kimitui.resources import cache_dir

ROOT = os.geteuid() == 0
NOBODY = 65534

EARLIER = {
    "out/bad/x86_64/rootfs.tar": b"an earlier image",
    "out/bad/x86_64/SHA256SUMS": b"its digest",
    "out/minimal/x86_64/rootfs.tar": b"another one",
}


@dataclass(frozen=True)
class Said:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err

    @property
    def data(self) -> Any:
        """What was printed, as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Here:
    """A directory to work in, with a cache of its own, and artifacts of earlier builds in `out`."""

    directory: Path
    environment: Mapping[str, str]
    user: int | None = None
    before: tuple[str, ...] = ()
    python: str = sys.executable

    @property
    def kimitui(self) -> tuple[str, ...]:
        """The command."""
        return self.python, "-m", "kimitui"

    def run(self, *arguments: object, **environment: str) -> Said:
        """Run kimitui; whatever happens, nobody wants to see a traceback."""
        said = self._run((*self.before, *self.kimitui, *map(str, arguments)), environment)
        assert "Traceback" not in said.all, said.all
        return said

    def run_python(self, code: str, **environment: str) -> Said:
        """Run Python code."""
        return self._run((*self.before, self.python, "-c", code), environment)

    def _run(self, argv: tuple[str, ...], environment: Mapping[str, str]) -> Said:
        done = subprocess.run(
            argv,
            cwd=self.directory,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def write(self, name: str, text: str | bytes) -> Path:
        """Write a file."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def files(self, name: str) -> dict[str, bytes]:
        """The files below a directory, by path."""
        found = (path for path in sorted((self.directory / name).rglob("*")) if path.is_file())
        return {str(path.relative_to(self.directory)): path.read_bytes() for path in found}


def prepared(directory: Path) -> Here:
    libraries = [str(Path(kimitui.__file__).parents[1]), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("KIMITUI_", "XDG_"))},
        "HOME": str(directory / "home"),
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(libraries)),
        "KIMITUI_CACHE": str(directory / "cache"),
    }
    here = Here(directory, environment)
    (directory / "home").mkdir()
    for name, content in EARLIER.items():
        here.write(name, content)
    return here


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    """Whatever a test does here, the earlier artifacts are afterwards as they were."""
    made = prepared(tmp_path)
    yield made
    assert made.files("out") == EARLIER


@pytest.fixture
def ordinary() -> Iterator[Here]:
    """As `here`, for an ordinary user, whoever runs the tests."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        made = prepared(directory)
        if ROOT:
            for path in (directory, *directory.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
            made = replace(made, user=NOBODY, python=_python_of_everybody(made))
        yield made
        assert made.files("out") == EARLIER


def _python_of_everybody(here: Here) -> str:
    """An interpreter that user NOBODY may run, too; root's own may be in root's home."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for python in (sys.executable, f"/usr/bin/{version}"):
        with suppress(OSError):
            if replace(here, user=NOBODY, python=python).run_python("import kimitui.cli, pyjson5").code == 0:
                return python
    pytest.skip(f"user {NOBODY} may run no Python that has what kimitui needs")


# Presets

DEEP = "[" * 100_000
LONG = "a" * 300
BAD_PRESETS = [
    pytest.param('{ image: { arch "arm64" } }', (1, 17), "this is not JSON5: expected colon", id="not JSON5"),
    pytest.param("", (1, 1), "there is no value in it", id="empty"),
    pytest.param('{\n  name: "bad",\n', (1, 1), "this is not JSON5: unclosed object", id="cut off"),
    pytest.param(b'{ name: "\xff" }', (1, 10), "save the file as UTF-8", id="not UTF-8"),
    pytest.param('["image"]', (1, 1), 'write { extends: "minimal" }', id="not an object"),
    pytest.param(DEEP, (1, 33), "maximum nesting level exceeded", id="deep nesting"),
    pytest.param("{ bussybox: { ASH: true } }", (1, 3), 'did you mean "busybox"?', id="unknown section"),
    pytest.param('{ image: { buget: "5MB" } }', (1, 12), 'did you mean "budget"?', id="unknown key"),
    pytest.param("{ busybox: { ash: true } }", (1, 14), 'did you mean "ASH"?', id="wrong case"),
    pytest.param("{ image: {},\n  image: {} }", (2, 3), "the other one is in line 1", id="section twice"),
    pytest.param("{ busybox: { LS: true, LS: false } }", (1, 24), '"LS" is there twice', id="key twice"),
    pytest.param("{ busybox: true }", (1, 12), "must be an object, not true", id="section of the wrong type"),
    pytest.param('{ busybox: { ASH: "yes" } }', (1, 14), 'must be true or false, not "yes"', id="wrong type"),
    pytest.param("{ busybox: { ASH: null } }", (1, 19), "cannot be null", id="null"),
    pytest.param(f"{{ busybox: {{ X: 0x{'F' * 6000} }} }}", (1, 17), "is too large a number", id="huge number"),
    pytest.param('{ image: { arch: "arm46" } }', (1, 12), 'did you mean "arm64"?', id="wrong value"),
    pytest.param('{ image: { formats: ["ocl"] } }', (1, 12), 'did you mean "oci"?', id="wrong value in a list"),
    pytest.param('{ image: { budget: "5 apples" } }', (1, 12), "write a number with B, kB, MB", id="bad budget"),
    pytest.param('{ image: { command: "sh \'" } }', (1, 12), "no closing quotation", id="bad command"),
    pytest.param('{ image: { hostname: "my host" } }', (1, 12), "letters, digits and hyphens", id="bad host name"),
    pytest.param(
        '{\n  image: { formats: ["rootfs"], compression: "zstd" } }',
        (2, 33),
        "(IMAGE_FORMAT_OCI), which is off",
        id="unmet dependency",
    ),
    pytest.param(
        "{ busybox: { NOLOGIN: true } }",
        (1, 14),
        "(BUSYBOX_FEATURE_SH_EMBEDDED_SCRIPTS), which is off",
        id="unmet dependency of an applet",
    ),
    pytest.param("{ kernel: { WIREGUARD: true } }", (1, 13), "(IMAGE_FORMAT_VMLINUZ), which is off", id="no kernel"),
    pytest.param('{ name: "../../etc/bad" }', (1, 9), "and no path", id="name with a path"),
    pytest.param(f'{{ name: "{LONG}" }}', (1, 9), "at most 64 characters", id="long name"),
    pytest.param('{ extends: "minmal" }', (1, 3), 'did you mean "minimal"?', id="missing base"),
    pytest.param('{ extends: "./no/such.json5" }', (1, 3), "there is no preset no/such.json5", id="missing file"),
    pytest.param(f'{{ extends: "./{LONG}" }}', (1, 3), "there is no preset", id="long path"),
    pytest.param('{ extends: "../etc" }', (1, 3), "there is no preset ../etc", id="missing path"),
    pytest.param('{ extends: "./bad.json5" }', (1, 3), "in a circle: bad → bad", id="extends itself"),
]


@pytest.mark.parametrize(("text", "where", "says"), BAD_PRESETS)
def test_a_bad_preset_is_refused_with_the_place_and_what_to_do(
    here: Here, text: str | bytes, where: tuple[int, int], says: str
) -> None:
    here.write("bad.json5", text)
    checked = here.run("check", "./bad.json5")
    built = here.run("build", "./bad.json5", "--offline")
    for said in (checked, built):
        assert said.code == 2
        assert says in said.err
        assert f"bad.json5:{where[0]}:{where[1]}" in said.err
    assert built.err.startswith("kimitui: ")
    assert not (here.directory / "cache").exists()


def test_a_circle_is_named_with_the_place_where_it_closes(here: Here) -> None:
    here.write("presets/bad.json5", '{ extends: "a" }')
    here.write("presets/a.json5", '{\n extends: "b" }')
    here.write("presets/b.json5", '{\n\n extends: "bad" }')
    said = here.run("build", "bad")
    assert said.code == 2
    assert "bad → a → b → bad" in said.err
    assert "presets/b.json5:3:2" in said.err
    assert "take one of them out of the circle" in said.err


def test_a_mistake_in_an_extended_preset_is_told_there(here: Here) -> None:
    here.write("presets/base.json5", "{ busybox: {\n  LS: 1 } }")
    here.write("bad.json5", '{ extends: "./presets/base.json5" }')
    said = here.run("check", "./bad.json5")
    assert (said.code, "presets/base.json5:2:3" in said.err) == (2, True)


def test_a_directory_is_no_preset(here: Here) -> None:
    said = here.run("build", "./", "--offline")
    assert (said.code, said.err) == (
        2,
        "kimitui: this is a directory, not a preset\n  at .\n  name a .json5 file in it\n",
    )


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("PNIG: true", 'did you mean "PING"?'),
        ("FEATURE_LS_WIDTH: true, LS: false", "(LS), which is off"),
        ("FEATURE_LS_WIDTH: 3", "must be true or false, not 3"),
    ],
)
def test_what_only_upstream_knows_is_checked_against_its_source(
    here: Here, busybox_source: Path, key: str, says: str
) -> None:
    here.write("bad.json5", f'{{ extends: "minimal", busybox: {{\n  {key} }} }}')
    unknown = here.run("check", "./bad.json5", "--offline")
    assert unknown.code == 3
    assert "is not cached, and --offline forbids fetching it" in unknown.err
    assert here.run("sources", "add", busybox_source).code == 0
    said = here.run("check", "./bad.json5", "--offline")
    assert said.code == 2
    assert says in said.err
    assert "bad.json5:2:3" in said.err


def test_several_presets_are_checked_and_the_worst_one_decides(here: Here) -> None:
    here.write("bad.json5", "{ busybox: { LS: 1 } }")
    said = here.run("check", "minimal", "./bad.json5", "standard")
    assert said.code == 2
    assert said.out.splitlines() == ["minimal: good", "standard: good"]
    assert said.err.startswith("./bad.json5: busybox.LS must be true or false")


OVERRIDING = '{ extends: "standard", init: { system: "none" }, busybox: { ASH: false } }'


def test_what_is_not_in_force_is_said(here: Here) -> None:
    here.write("less.json5", OVERRIDING)
    checked = here.run("check", "./less.json5")
    assert checked.code == 0
    assert "busybox.NOLOGIN (on at " in checked.out
    assert "is not in force: it needs" in checked.out
    built = here.run("build", "./less.json5", "--offline", "--progress", "json")
    messages = [json.loads(line) for line in built.out.splitlines()]
    assert {"info"} == {message["level"] for message in messages if "NOLOGIN" in message.get("text", "")}


# The command line itself


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["biuld"], "Did you mean: kimitui build"),
        (["biuld", "minimal", "--offline"], "Did you mean: kimitui build"),
        (["minmal"], 'did you mean "minimal"?'),
        (["build", "minmal"], 'did you mean "minimal"?'),
        (["check", "minmal"], 'did you mean "minimal"?'),
        (["diff", "minimal", "standrad"], 'did you mean "standard"?'),
        (["build", "no/such.json5"], "kimitui list shows the presets there are"),
        (["build", ""], "an empty name is not a preset"),
        (["build", LONG], "at most 64 characters"),
        (["build"], "See: kimitui build --help"),
        (["--build"], "See: kimitui build --help"),
        (["build", "minimal", "--arch", "arm46"], "choose from x86_64, arm64, riscv64, i686"),
        (["check", "minimal", "--arch", "mips"], "choose from x86_64, arm64, riscv64, i686"),
        (["build", "minimal", "--progress", "loud"], "choose from auto, rich"),
        (["build", "minimal", "--source", "musl"], "For example: --source musl=../musl"),
        (["build", "minimal", "--source", "=x"], "For example: --source musl=../musl"),
        (["build", "minimal", "--source", "musl="], "For example: --source musl=../musl"),
        (["sources", "fetch", "lnux"], "Did you mean linux?"),
        (["sources", "add", "no-such-file"], "there is no such file"),
        (["sources"], "See: kimitui sources --help"),
        (["cache", "prune", "--days", "soon"], "'soon' is not a number of days"),
        (["cache", "prune", "--days", "-1"], "'-1' is not a number of days"),
        (["cache", "prune", "--days", "nan"], "'nan' is not a number of days"),
        (["list", "--jsno"], "See: kimitui"),
        (["minimal"], "the configurator needs a terminal"),
        (["menuconfig"], "there is no Kconfig or Config.in here"),
        (["menuconfig", "no-such-tree"], "there is no Kconfig or Config.in here"),
        ([], "Without one, use: kimitui build PRESET"),
    ],
)
def test_wrong_usage_is_answered_with_what_is_right(here: Here, arguments: list[str], says: str) -> None:
    said = here.run(*arguments)
    assert said.code == 2
    assert says in said.err or says in said.err.replace("'", ""), "Python quotes choices before 3.12 only"
    assert said.out == ""


def test_menuconfig_names_the_line_of_a_malformed_tree_or_file(here: Here) -> None:
    here.write("Kconfig", b'config A\n\tbool "a"\n')
    said = here.run("menuconfig")
    assert said.code == 2 and "the configurator needs a terminal" in said.err
    here.write(".config", b"CONFIG_A=y\n>>>>>>> theirs\n")
    said = here.run("menuconfig", "Kconfig")
    assert said.code == 2 and "this is no line of a .config file: >>>>>>> theirs" in said.err
    assert "at .config:2:1" in said.err
    here.write("Kconfig", b"config A\n\tbol\n")
    said = here.run("menuconfig", ".", "--config", "other")
    assert said.code == 2 and "Kconfig:2:1" in said.err


def test_a_file_that_no_component_wants_is_not_taken(here: Here) -> None:
    here.write("some.tar", b"something")
    said = here.run("sources", "add", "some.tar")
    assert said.code == 2
    assert "no component wants this file" in said.err and "at some.tar" in said.err
    assert here.files("cache") == {}


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("mulsl=.", "there is no component `mulsl`"),
        ("musl=no/such/path", "the source given for musl does not exist"),
        ("musl=/dev/null", "is neither a file nor a directory"),
    ],
)
def test_a_stand_in_for_a_source_must_be_one(here: Here, source: str, says: str) -> None:
    said = here.run("build", "minimal", "--offline", "--source", source)
    assert said.code == 2
    assert says in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--build", "./bad.json5"],
        ["./bad.json5", "--build"],
        ["--offline", "--build", "./bad.json5", "--arch", "arm64"],
        ["--cache-dir", "elsewhere", "build", "./bad.json5"],
        ["build", "--cache-dir", "elsewhere", "./bad.json5"],
    ],
)
def test_there_are_several_ways_to_say_build(here: Here, arguments: list[str]) -> None:
    here.write("bad.json5", "{ busybox: { LS: 1 } }")
    assert here.run(*arguments) == here.run("build", "./bad.json5")


def test_help_and_version_are_no_errors(here: Here) -> None:
    assert here.run("--version").out == f"kimitui {kimitui.__version__}\n"
    for command in ("build", "run", "shell", "list", "check", "diff", "sources", "cache", "doctor"):
        assert command in here.run("--help").out
        assert here.run(command, "--help").code == 0


def test_debug_shows_the_traceback_and_changes_nothing_else(here: Here) -> None:
    here.write("bad.json5", "{ busybox: { LS: 1 } }")
    plain = here.run("build", "./bad.json5")
    debug = here._run((*here.kimitui, "--debug", "build", "./bad.json5"), {})
    assert (debug.code, "Traceback" in debug.err) == (2, True)
    assert debug.err.endswith(plain.err)


def test_a_defect_is_told_as_one(here: Here) -> None:
    code = "import sys; from kimitui import cli, preset; del preset.list_presets; sys.exit(cli.main(['list']))"
    said = here.run_python(code)
    assert said.code == 1
    assert "AttributeError" in said.err and "presets.py:" in said.err and "Please report it" in said.err
    assert "Traceback" not in said.err


# Results

PRESET_KEYS = {"name", "description", "extends", "path"}
CHECK_KEYS = {"preset", "good", "error", "where", "details", "fix", "overridden"}
RESULTS = [
    pytest.param(["list"], PRESET_KEYS, id="list"),
    pytest.param(["check", "minimal", "standard"], CHECK_KEYS, id="check"),
    pytest.param(["check", "minimal", "./bad.json5"], CHECK_KEYS, id="check a bad one"),
    pytest.param(["diff", "minimal", "standard"], {"section", "key", "a", "b", "prompt"}, id="diff"),
    pytest.param(["sources", "list"], {"component", "version", "file", "sha256", "cached", "bytes"}, id="sources list"),
    pytest.param(["sources", "verify"], set(), id="sources verify"),
    pytest.param(["cache", "info"], {"directory", "bytes"}, id="cache info"),
    pytest.param(["cache", "prune", "--days", "1"], {"removed", "freed_bytes"}, id="cache prune"),
    pytest.param(["doctor"], {"subject", "good", "found", "fix", "optional"}, id="doctor"),
]


@pytest.mark.parametrize(("arguments", "keys"), RESULTS)
def test_every_result_is_there_as_text_and_as_json(here: Here, arguments: list[str], keys: set[str]) -> None:
    here.write("bad.json5", "{ busybox: { LS: 1 } }")
    text, said = here.run(*arguments), here.run(*arguments, "--json")
    assert text.out
    assert said.code == text.code
    assert (said.err == "") or "doctor" not in arguments
    found = said.data if isinstance(said.data, list) else [said.data]
    assert bool(found) == bool(keys)
    assert all(set(row) == keys for row in found)


def test_a_refusal_is_there_as_json(here: Here) -> None:
    here.write("bad.json5", "{ image: { archh: 1 }, busybox: { LS: 1 } }")
    said = here.run("check", "./bad.json5", "--json")
    assert said.data == [
        {
            "preset": "./bad.json5",
            "good": False,
            "error": 'there is no "archh" in the section image',
            "where": "bad.json5:1:12",
            "details": ["bad.json5:1:35: busybox.LS must be true or false, not 1"],
            "fix": 'did you mean "arch"?',
            "overridden": [],
        }
    ]


def test_presets_of_the_current_directory_come_first(here: Here) -> None:
    here.write("presets/minimal.json5", '{ description: "mine" }')
    here.write("presets/broken.json5", "{")
    said = here.run("list", "--json")
    assert said.code == 2
    assert "presets/broken.json5:1:" in said.err
    rows = said.data
    assert [row["path"] for row in rows if row["name"] == "minimal"] == ["presets/minimal.json5"]
    names = [row["name"] for row in rows]
    assert names == sorted(set(names)) and {"extended", "minimal", "standard", "vm"} <= set(names)


def test_presets_that_say_the_same_make_the_same_image(here: Here) -> None:
    here.write("same.json5", '{ extends: "minimal" }')
    assert here.run("diff", "minimal", "./same.json5").out == "minimal and ./same.json5 make the same image\n"
    assert here.run("diff", "minimal", "./same.json5", "--json").data == []


@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["diff", "minimal", "extended"], ["--help"]])
def test_a_reader_may_go_away(here: Here, arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [*here.kimitui, *arguments],
            cwd=here.directory,
            env=dict(here.environment),
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writer)
    assert done.stderr == ""


def test_output_that_does_not_fit_on_the_disk_is_an_error(here: Here) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*here.kimitui, "list"],
            cwd=here.directory,
            env=dict(here.environment),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr.startswith("kimitui: No space left on device\n")
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr


def test_a_terminal_need_not_know_every_character(here: Here) -> None:
    said = here.run("diff", "minimal", "standard", PYTHONIOENCODING="ascii")
    assert said.code == 0
    assert "\\u2192" in said.out


# Machines


@pytest.mark.parametrize(
    ("cache", "arguments"),
    [
        ("file", ["build", "minimal", "--offline"]),
        ("file/below", ["build", "minimal", "--offline"]),
        ("file", ["cache", "info"]),
        ("file/below", ["cache", "prune"]),
    ],
)
def test_a_cache_that_cannot_be_made_is_told_with_another_choice(here: Here, cache: str, arguments: list[str]) -> None:
    here.write("file", b"in the way")
    path = here.directory / cache
    for said in (here.run(*arguments, KIMITUI_CACHE=str(path)), here.run(*arguments, "--cache-dir", path)):
        if "bubblewrap is not installed" in said.err:
            pytest.skip("bubblewrap is not installed")
        assert said.code == 3
        assert f"the cache directory cannot be made: Not a directory\n  at {path}\n" in said.err
        assert "Choose another with --cache-dir or KIMITUI_CACHE." in said.err
    assert here.files("file") == {} and (here.directory / "file").read_bytes() == b"in the way"


def test_doctor_sees_a_cache_that_cannot_be_made(here: Here) -> None:
    here.write("file", b"in the way")
    said = here.run("doctor", "--json", KIMITUI_CACHE=str(here.directory / "file/below"))
    rows = said.data
    (row,) = [row for row in rows if row["subject"] == "cache"]
    assert (said.code, row["good"]) == (3, False)
    assert "Not a directory" in row["found"] and "--cache-dir" in row["fix"]


def test_an_archive_cannot_be_taken_into_a_cache_that_is_a_file(here: Here, busybox_source: Path) -> None:
    here.write("file", b"in the way")
    said = here.run("sources", "add", busybox_source, "--cache-dir", "file")
    assert said.code == 3
    assert "Not a directory" in said.err and "KIMITUI_CACHE" in said.err


def test_a_user_without_a_home_is_told_what_to_set(ordinary: Here) -> None:
    if not ROOT:
        pytest.skip("needs a user that is not in /etc/passwd, and only root can become one")
    environment = {name: value for name, value in ordinary.environment.items() if name not in ("HOME", "KIMITUI_CACHE")}
    stranger = replace(ordinary, environment=environment, user=54321)
    said = stranger.run("cache", "info")
    assert said.code == 3
    assert "no home directory" in said.err and "KIMITUI_CACHE" in said.err


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_a_cache_of_somebody_else_is_told_with_another_choice(ordinary: Here) -> None:
    assert ordinary.run("cache", "info").code == 0
    cache = ordinary.directory / "cache"
    parts = [cache, *(path for path in cache.iterdir() if path.is_dir())]
    for path in parts:
        path.chmod(0o555)
    try:
        said = ordinary.run("build", "minimal", "--offline")
    finally:
        for path in parts:
            path.chmod(0o755)
    if "This machine refuses sandboxes" in said.err:
        pytest.skip("ordinary users have no sandbox on this machine")
    assert said.code == 3
    assert f"the cache directory cannot be written: Permission denied\n  at {cache}" in said.err
    assert "--cache-dir" in said.err


@pytest.mark.parametrize("out", ["file", "file/below"])
def test_artifacts_that_have_no_place_are_told_before_anything_is_built(here: Here, out: str) -> None:
    here.write("file", b"in the way")
    said = here.run("build", "minimal", "--out", out)
    assert said.code == 3
    assert f"The artifacts cannot be written: Not a directory\n  at {here.directory / out}" in said.err
    assert "choose another with --out" in said.err
    assert not (here.directory / "cache").exists()


def test_artifacts_that_may_not_be_written_are_told_before_anything_is_built(ordinary: Here) -> None:
    places = [ordinary.directory / "out" / "minimal", ordinary.directory / "out"]
    for place in places:
        place.chmod(0o555)
    try:
        for preset in ("minimal", "standard"):  # the one has a directory there, the other would need one
            said = ordinary.run("build", preset)
            assert said.code == 3
            assert "The artifacts cannot be written: Permission denied" in said.err
            assert "choose another with --out" in said.err
    finally:
        for place in places:
            place.chmod(0o755)


def tools(here: Here, *names: str) -> str:
    """A PATH with only these of the machine's tools."""
    directory = here.directory / "tools"
    directory.mkdir()
    for name in names:
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"{name} is not installed")
        (directory / name).symlink_to(path)
    return str(directory)


def test_without_bubblewrap_it_says_what_to_install(here: Here) -> None:
    said = here.run("build", "minimal", PATH=tools(here))
    assert said.code == 3
    assert said.err == (
        "kimitui: bubblewrap is not installed\n  apt-get install bubblewrap (or your system's package of it)\n"
    )


def test_doctor_names_every_missing_tool_with_its_package(here: Here) -> None:
    path = tools(here)
    said = here.run("doctor", PATH=path)
    assert said.code == 3
    for package in ("bubblewrap", "mmdebstrap", "apt", "qemu-system-x86", "qemu-system-arm"):
        assert f"apt-get install {package}\n" in said.out
    rows = here.run("doctor", "--json", PATH=path).data
    assert {"bwrap", "mmdebstrap", "apt-get"} <= {row["subject"] for row in rows if not row["good"]}


@pytest.fixture
def unplugged(here: Here) -> Here:
    """As `here`, without a network."""
    before = ("unshare", "--net") if ROOT else ("unshare", "--user", "--map-root-user", "--net")
    if subprocess.run([*before, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("unshare cannot make a network namespace here")
    return replace(here, before=before)


def test_without_a_network_every_place_that_was_tried_is_named(unplugged: Here) -> None:
    said = unplugged.run("sources", "fetch", "fortify-headers")
    assert said.code == 3
    assert "cannot be fetched: no place can be reached" in said.err
    assert "| https://github.com/" in said.err
    assert "Check the network" in said.err and "kimitui sources add FILE" in said.err


def test_without_mmdebstrap_it_says_what_to_install(unplugged: Here) -> None:
    said = unplugged.run("build", "minimal", PATH=tools(unplugged, "bwrap", "unshare"))
    if "refuses sandboxes" in said.err:
        pytest.skip("no sandbox in a network namespace here")
    assert said.code == 3
    assert "kimitui: mmdebstrap is not installed" in said.err
    assert "apt-get install mmdebstrap" in said.err


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_offline_with_an_empty_cache_says_what_to_do(here: Here) -> None:
    said = here.run("build", "minimal", "--offline")
    assert said.code == 3
    assert "--offline forbids the network" in said.err
    assert "Run the command once without --offline." in said.err


REFUSED = "No permissions to create new namespace"


@pytest.fixture
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PATH with a bubblewrap that the machine does not let work."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        bwrap = directory / "bwrap"
        bwrap.write_text(f"#!/bin/sh\necho 'bwrap: {REFUSED}' >&2\nexit 1\n")
        bwrap.chmod(0o755)
        yield f"{directory}:{os.environ['PATH']}"


def test_where_namespaces_are_refused_it_says_what_to_change(ordinary: Here, refusing: str) -> None:
    said = ordinary.run("build", "minimal", PATH=refusing)
    assert said.code == 3
    assert f"This machine refuses sandboxes: {REFUSED}" in said.err
    for setting in ("user.max_user_namespaces", "kernel.apparmor_restrict_unprivileged_userns"):
        assert f"sysctl -w {setting}=" in said.err
    doctor = ordinary.run("doctor", PATH=refusing)
    assert (doctor.code, f"MISSING  sandbox: {REFUSED}" in doctor.out) == (3, True)


@pytest.mark.skipif(not ROOT, reason="only root can build in a chroot")
def test_where_namespaces_are_refused_root_is_warned_of_what_is_lost(here: Here, refusing: str) -> None:
    code = "from kimitui.build.engines import choose; engine = choose(); print(engine.name, engine.warning())"
    said = here.run_python(code, PATH=refusing)
    assert said.out.startswith("chroot ")
    for lost in (REFUSED, "reach the network", "see other processes"):
        assert lost in said.out
    built = here.run("build", "minimal", "--offline", PATH=refusing)
    assert "warning: No sandbox on this machine" in built.err


@pytest.fixture
def small_disk(here: Here) -> Iterator[Path]:
    """A disk of 64 KiB."""
    disk = here.directory / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if not ROOT or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root can mount a small disk, and not everywhere")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_told_and_keeps_nothing_half(here: Here, busybox_source: Path, small_disk: Path) -> None:
    said = here.run("sources", "add", busybox_source, "--cache-dir", small_disk)
    assert said.code == 3
    assert "the disk is full: there is no room for the source archives" in said.err
    assert "Make room" in said.err
    assert "not cached" in here.run("sources", "list", "--cache-dir", small_disk).out
    assert [path.name for path in (small_disk / "sources").iterdir() if path.suffix != ".lock"] == []


# Builds: in the user's own cache, as any build is


@pytest.fixture
def builder(here: Here) -> Here:
    return replace(here, environment={**here.environment, "KIMITUI_CACHE": str(cache_dir())})


@pytest.mark.build
def test_artifacts_that_do_not_fit_on_the_disk_leave_the_earlier_ones(builder: Here, small_disk: Path) -> None:
    earlier = {"disk/minimal/x86_64/rootfs.tar": b"an earlier image"}
    for name, content in earlier.items():
        builder.write(name, content)
    said = builder.run("build", "minimal", "--out", small_disk)
    assert said.code == 3
    assert "The artifacts cannot be written: No space left on device" in said.err
    assert builder.files("disk") == earlier


@pytest.mark.build
def test_an_exceeded_budget_warns_and_stops_only_where_that_is_wanted(builder: Here) -> None:
    preset = '{ name: "small", extends: "minimal", image: { budget: "100kB" } }'
    builder.write("small.json5", preset)
    warned = builder.run("build", "./small.json5", "--out", "made", "--progress", "plain")
    assert warned.code == 0
    assert "warning: the image is over the budget: " in warned.err
    assert "OVER BUDGET" in warned.out
    made = builder.files("made")
    assert "made/small/x86_64/rootfs.tar" in made

    builder.write("small.json5", preset.replace("}", ', hostname: "other" }', 1))
    refused = builder.run("build", "./small.json5", "--out", "made", "--strict", "--progress", "plain")
    assert refused.code == 1
    assert "kimitui: the image is over the budget: " in refused.err
    assert "small.json5" in refused.err and "raise image.budget" in refused.err
    assert builder.files("made") == made


@pytest.mark.build
def test_a_stand_in_that_the_image_does_not_use_is_told(builder: Here) -> None:
    said = builder.run("build", "minimal", "--out", "made", "--source", "fortify-headers=.", "--progress", "plain")
    assert said.code == 0
    assert "warning: fortify-headers is not used by this image" in said.err


@pytest.mark.build
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_ends_at_once_and_leaves_nothing(builder: Here, number: signal.Signals) -> None:
    # A number that no build had, so that there is something to compile.
    history = random.randrange(201, 2000)
    builder.write("new.json5", f'{{ extends: "minimal", busybox: {{ FEATURE_EDITING_HISTORY: {history} }} }}')
    with subprocess.Popen(
        [*builder.kimitui, "build", "./new.json5", "--out", "made", "--progress", "json"],
        cwd=builder.directory,
        env=dict(builder.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        next(line for line in process.stdout if json.loads(line)["event"] == "started")
        itself = psutil.Process(process.pid)
        children = itself.children(recursive=True)
        (session,) = {Path(file.path) for file in itself.open_files() if Path(file.path).name.startswith("build-")}
        process.send_signal(number)
        _, errors = process.communicate()
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "kimitui: The build was cancelled"
    assert "Traceback" not in errors
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)
    assert not session.exists() and not session.with_suffix("").exists()
    assert not (builder.directory / "made").exists()
