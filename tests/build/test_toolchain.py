from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from kimitui.build import mmdebstrap, toolchain
from kimitui.build.events import Event, LogLine
from kimitui.build.toolchain import Definition, Toolchain
from kimitui.errors import BuildError, CancelledError, MachineError, UsageError
from kimitui.resources import cache_dir

ROOT = Path(__file__).parents[2]
SMALL = Definition(
    suite="trixie", packages=("make",), exclude=("/usr/share/doc/*", "/usr/share/man/*"), mount_points=("build", "dev")
)


@contextmanager
def without_root() -> Iterator[None]:
    """As the user nobody if these tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def leftovers(cache: Path) -> list[Path]:
    """Everything that is not a lock or a log: unfinished toolchains and their scratch directories."""
    unfinished = list((cache / "toolchain").glob("*.tmp-*"))
    return unfinished + [(path / "scratch").readlink() for path in unfinished if (path / "scratch").is_symlink()]


# The definition


def test_the_definition_of_this_repository() -> None:
    definition = toolchain.load_definition()
    assert definition.suite == "trixie"
    assert {"gcc", "make", "meson", "gcc-aarch64-linux-gnu", "gcc-riscv64-linux-gnu"} <= set(definition.packages)
    assert {"build", "output", "sources", "steps", "input", "ccache", "proc", "dev", "tmp"} <= set(
        definition.mount_points
    )


def test_only_the_content_of_the_definition_counts(tmp_path: Path) -> None:
    path = tmp_path / "toolchain.json5"
    path.write_text('{ suite: "trixie", packages: ["make", "gcc"] }')
    first = toolchain.load_definition(path)
    path.write_text('// why\n{ packages: ["gcc", "make"], suite: "trixie" }')
    assert toolchain.load_definition(path).digest == first.digest
    path.write_text('{ suite: "sid", packages: ["make", "gcc"] }')
    assert toolchain.load_definition(path).digest != first.digest


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{ packages: [] }", "lacks the field `suite`"),
        ('{ suite: "trixie", packages: [1] }', "list of texts as `packages`"),
        ('{ suite: "trixie", pakages: [] }', "unknown field `pakages`"),
    ],
)
def test_malformed_definition(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "toolchain.json5"
    path.write_text(text)
    with pytest.raises(UsageError, match=complaint):
        toolchain.load_definition(path)


# What the machine may lack


def test_offline(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="--offline"):
        toolchain.ensure(tmp_path, emit=lambda event: None, offline=True)


def test_without_mmdebstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match="mmdebstrap is not installed") as caught:
        toolchain.ensure(tmp_path, emit=lambda event: None, wanted=SMALL)
    assert "apt-get install mmdebstrap" in str(caught.value)
    assert leftovers(tmp_path) == []


def test_unwritable_cache(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with without_root(), pytest.raises(MachineError, match="no permission"):
        toolchain.ensure(tmp_path, emit=lambda event: None, wanted=SMALL)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a user without subordinate ids: nobody")
@pytest.mark.skipif(not shutil.which("newuidmap"), reason="needs newuidmap")
def test_user_without_subordinate_ids(tmp_path: Path) -> None:
    with without_root(), pytest.raises(MachineError, match="nobody has no subordinate ids") as caught:
        mmdebstrap.check_machine(tmp_path)
    assert "usermod --add-subuids" in str(caught.value)


CHILD = """
import os, signal, sys
from pathlib import Path
from kimitui.build import toolchain
from kimitui.build.events import LogLine
from kimitui.errors import KimituiError

lines = 0

def emit(event):
    global lines
    lines += isinstance(event, LogLine)
    if lines == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

small = toolchain.Definition("trixie", ("make",), ("/usr/share/doc/*", "/usr/share/man/*"), ("build", "dev"))
try:
    toolchain.ensure(Path(sys.argv[1]), emit=emit, wanted=small)
except KimituiError as error:
    print(type(error).__name__, error)
"""


def child(cache: Path, *before: str, killed_at_line: int = -1) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*before, sys.executable, "-c", CHILD, str(cache), str(killed_at_line)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.mark.skipif(not shutil.which("bwrap"), reason="needs bubblewrap")
def test_full_disk(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    disk = ("bwrap", "--dev-bind", "/", "/", "--size", "50000000", "--tmpfs", str(cache))
    told = child(cache, *disk)
    assert told.stdout.startswith("MachineError not enough space"), told
    assert "KIMITUI_CACHE" in told.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's mmdebstrap cannot run within bubblewrap")
@pytest.mark.skipif(not shutil.which("bwrap"), reason="needs bubblewrap")
def test_no_network(tmp_path: Path) -> None:
    told = child(tmp_path, "bwrap", "--dev-bind", "/", "/", "--unshare-net")
    assert "MachineError the toolchain could not be made: Debian's mirror cannot be reached" in told.stdout, told
    assert str(tmp_path / "logs" / "toolchain.log") in told.stdout
    assert leftovers(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="is about root in a container without privileges")
def test_root_that_cannot_mount(tmp_path: Path) -> None:
    told = child(tmp_path, "setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin")
    assert "MachineError root cannot mount anything here" in told.stdout, told


# Making it


@pytest.fixture(scope="module")
def made() -> Toolchain:
    return toolchain.ensure(cache_dir(), emit=lambda event: None)


@pytest.mark.build
def test_packages_are_recorded(made: Toolchain) -> None:
    wanted = set(toolchain.load_definition().packages)
    assert wanted <= set(made.packages)
    assert made.packages["gcc-14"].startswith("14.")


@pytest.mark.build
def test_everything_belongs_to_the_caller(made: Toolchain) -> None:
    for directory, directories, files in os.walk(made.root):
        if directory == str(made.root):
            directories.remove("dev")  # the chroot engine makes its nodes there
        for name in directories + files:
            path = Path(directory) / name
            status = path.lstat()
            assert status.st_uid == os.geteuid(), path
            if stat.S_ISLNK(status.st_mode):
                continue
            assert stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode), f"{path} is a device"
            assert not status.st_mode & (stat.S_ISUID | stat.S_ISGID), f"{path} sets an id"
            assert status.st_mode & 0o044 == 0o044, f"{path} is not readable"


@pytest.mark.build
def test_nothing_of_the_host_is_in_it(made: Toolchain) -> None:
    assert (made.root / "etc/hostname").read_text() == "kimitui\n"
    assert not (made.root / "etc/resolv.conf").exists()
    assert not (made.root / "etc/apt").exists()


@pytest.mark.build
@pytest.mark.skipif(not shutil.which("bwrap"), reason="needs bubblewrap")
@pytest.mark.parametrize("prefix", ["", "aarch64-linux-gnu-", "riscv64-linux-gnu-", "i686-linux-gnu-"])
def test_compilers_run_in_it(made: Toolchain, prefix: str) -> None:
    compiled = subprocess.run(
        [
            "bwrap",
            "--unshare-all",
            *("--uid", "0", "--gid", "0"),
            *("--ro-bind", str(made.root), "/"),
            *("--dev", "/dev"),
            *("--proc", "/proc"),
            *("--tmpfs", "/tmp"),
            *("--tmpfs", "/output"),
            *("/bin/sh", "-c", f"echo 'int f(void) {{ return 1; }}' | {prefix}gcc -x c -c -o /output/f.o - && echo ok"),
        ],
        capture_output=True,
        text=True,
    )
    assert compiled.stdout == "ok\n", compiled.stderr


@pytest.mark.build
def test_the_second_time_it_is_there(made: Toolchain) -> None:
    events: list[Event] = []
    assert toolchain.ensure(cache_dir(), emit=events.append, offline=True) == made
    assert events == []


@pytest.mark.build
def test_cancelling_leaves_nothing(tmp_path: Path) -> None:
    lines: list[str] = []

    def emit(event: Event) -> None:
        if isinstance(event, LogLine):
            lines.append(event.line)
        if len(lines) == 100:
            raise CancelledError("cancelled")

    with pytest.raises(CancelledError):
        toolchain.ensure(tmp_path, emit=emit, wanted=SMALL)
    assert leftovers(tmp_path) == []
    assert (tmp_path / "logs" / "toolchain.log").read_text().splitlines() == lines


@pytest.mark.build
def test_killed_and_made_again(tmp_path: Path) -> None:
    child(tmp_path, killed_at_line=300)
    killed = leftovers(tmp_path)
    assert len(killed) == 2, "the unfinished toolchain and its scratch directory"
    assert str(killed[1]) not in Path("/proc/self/mounts").read_text()
    again = toolchain.ensure(tmp_path, emit=lambda event: None, wanted=SMALL)
    assert not any(path.exists() for path in killed)
    assert leftovers(tmp_path) == []
    assert (again.root / "usr/bin/make").exists()
    assert {path.name for path in again.root.iterdir()} >= {"build", "dev"}
    assert toolchain.find(tmp_path, SMALL) == again


@pytest.mark.build
def test_a_package_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="mmdebstrap could not make") as caught:
        toolchain.ensure(
            tmp_path,
            emit=lambda event: None,
            wanted=replace(SMALL, packages=("kimitui-never-was",)),
        )
    assert "kimitui-never-was" in str(caught.value)
    assert caught.value.where == tmp_path / "logs" / "toolchain.log"
    assert leftovers(tmp_path) == []
