"""A shell where a step runs: what the step sees is there, and nothing of what is done is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kimitui.resources import cache_dir
from tests.build.conftest import Image
from tests.machine.conftest import Ran
from tests.machine.talk import talk

pytestmark = [pytest.mark.build, pytest.mark.usefixtures("minimal")]  # what the shell needs is built by then


def shell(*arguments: object, typed: str = "") -> Ran:
    command = [sys.executable, "-m", "kimitui", "shell", *map(str, arguments)]
    done = subprocess.run(command, input=typed, capture_output=True, text=True, check=False)
    return Ran(done.returncode, done.stdout, done.stderr)


def outputs() -> dict[Path, tuple[int, int]]:
    """Every file in the store, with its size and when it was written."""
    found = {}
    for root, _, names in os.walk(cache_dir() / "store"):
        for path in (Path(root, name) for name in names):
            status = path.lstat()
            found[path] = (status.st_size, status.st_mtime_ns)
    return found


def test_programs_are_compiled_against_the_presets_own_library() -> None:
    script = (
        "ls /steps; . /input/lib.sh; target_cc >cc; chmod +x cc; echo 'int main(void) { return 42; }' >program.c;"
        "./cc $CFLAGS_TARGET $LDFLAGS_TARGET program.c -o program; ./program || echo $?; grep -ac GLIBC program"
    )
    ran = shell("minimal", "--command", script)
    words = ran.output.split()
    assert {"musl", "linux-headers", "busybox-config", "busybox-tree"} <= set(words)
    assert words[-2:] == ["42", "0"], ran.output + ran.error


def test_the_step_itself_runs_and_nothing_is_kept() -> None:
    before = outputs()
    script = "ls /ccache; sh /input/step.sh >log 2>&1 && ls /output; echo >/output/new; rm -rf /steps/musl/lib 2>log"
    ran = shell("minimal", "--command", f"{script}; touch /steps/new; exit 5")
    assert ran.status == 5
    assert ran.output.split() == ["busybox", "busybox.links", "busybox.unstripped"]
    assert "Read-only file system" in ran.error
    after = outputs()
    assert before.items() <= after.items()  # others may build meanwhile
    assert not [path for path in after if path.name == "new"]
    assert shell("minimal", "--command", "ls /output /build").output.split() == ["/build:", "/output:"]


def test_another_step_and_another_architecture() -> None:
    ran = shell("minimal", "musl", "--command", "echo $ARCH $TRIPLE; ls /sources")
    assert (ran.status, ran.output) == (0, "x86_64 x86_64-linux-gnu\nmusl\n")


def test_commands_come_from_standard_input() -> None:
    ran = shell("minimal", typed="pwd\nexit 3\n")
    assert (ran.status, ran.output.splitlines()[-1]) == (3, "/build")


def test_at_a_terminal_jobs_can_be_stopped() -> None:
    dialogue = [("build# $", "echo $((6 * 7))-\n"), ("42-.*# $", "sleep 100\n"), ("sleep 100", "\x03")]
    status, seen = talk(["shell", "minimal"], [*dialogue, ("# $", "echo $?-\n"), ("130-.*# $", "exit 7\n")])
    assert status == 7, seen
    assert "nothing of what you do is kept" in seen


def test_a_step_that_is_not_there_is_named_with_the_nearest() -> None:
    ran = shell("minimal", "busybx", "--command", "true")
    assert ran.status == 2
    assert "no step busybx" in ran.error and "Did you mean busybox?" in ran.error


@pytest.mark.parametrize(("preset", "status"), [("minimall", 2), ("minimal --arch i386", 2), ("minimal --source x", 2)])
def test_what_cannot_be_opened_is_refused(preset: str, status: int) -> None:
    ran = shell(*preset.split(), "--command", "true")
    assert ran.status == status
    assert ran.error.startswith("kimitui") or "usage" in ran.error
    assert "Traceback" not in ran.error


def test_what_was_built_is_not_touched(minimal: Image) -> None:
    before = {path: path.read_bytes() for path in minimal.directory.iterdir()}
    shell("minimal", "rootfs", "--command", "sh /input/step.sh")
    assert {path: path.read_bytes() for path in minimal.directory.iterdir()} == before
