"""A root file system runs in the sandbox, as it would in a container, and leaves nothing behind."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.build.conftest import kimitui
from tests.machine.conftest import Ran
from tests.machine.talk import talk

pytestmark = pytest.mark.build


@pytest.fixture(scope="module")
def minimal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifacts of `minimal`."""
    out = tmp_path_factory.mktemp("out")
    return Path(json.loads(kimitui("build", "minimal", "--out", out, "--json", "--progress", "plain"))["directory"])


def run(directory: Path, *arguments: object, typed: str = "") -> Ran:
    command = [sys.executable, "-m", "kimitui", "run", str(directory), "--container", *map(str, arguments)]
    done = subprocess.run(command, input=typed, capture_output=True, text=True, check=False)
    return Ran(done.returncode, done.stdout, done.stderr)


def test_a_command_has_its_output_and_its_exit_status(minimal: Path) -> None:
    ran = run(minimal, "--command", "echo it\\'s; echo wrong >&2; . /etc/os-release; echo $VARIANT_ID; id -u; exit 42")
    assert (ran.status, ran.output, ran.error) == (42, "it's\nminimal\n0\n", "wrong\n")


def test_it_may_be_written_to_and_every_run_is_the_first(minimal: Path) -> None:
    before = (minimal / "rootfs.tar").read_bytes()
    ran = run(minimal, "--command", "echo new >/etc/motd && rm /etc/passwd && cat /etc/motd")
    assert (ran.status, ran.output) == (0, "new\n")
    assert run(minimal, "--command", "cat /etc/motd /etc/passwd").output.startswith("root:")
    assert (minimal / "rootfs.tar").read_bytes() == before


def test_there_is_nothing_of_the_host(minimal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "told")
    ran = run(minimal, "--command", f"env; hostname; ls -d {Path(__file__).parent}; ls /sys/class/net; ls /proc")
    assert "SECRET" not in ran.output and "kimigayo" in ran.output.splitlines()
    assert "No such file" in ran.error
    processes = [line for line in ran.output.splitlines() if line.isdigit()]
    assert len(processes) <= 3  # bubblewrap's own first one, the shell, ls


def test_commands_come_from_standard_input(minimal: Path) -> None:
    ran = run(minimal, typed="echo $((6 * 7))\nexit 3\n")
    assert (ran.status, ran.output) == (3, "42\n")


def test_at_a_terminal_jobs_can_be_stopped(minimal: Path) -> None:
    command = ["run", str(minimal), "--container"]
    dialogue = [("# $", "echo $((6 * 7))-\n"), ("42-.*# $", "sleep 100\n"), ("sleep 100", "\x03")]
    status, seen = talk(command, [*dialogue, ("# $", "echo status $?\n"), ("status 130.*# $", "exit 7\n")])
    assert status == 7, seen


def test_a_container_that_does_not_end_is_ended(minimal: Path) -> None:
    ran = run(minimal, "--timeout", "0.5", "--command", "sleep 1000")
    assert ran.status == 1
    assert "still running after 0.5 s" in ran.error and "--timeout" in ran.error


def test_what_is_for_machines_is_refused(minimal: Path) -> None:
    given = ("--data", "disk.img"), ("--data-size", "8"), ("--memory", "64"), ("--processors", "1"), ("--append", "x")
    for arguments in given:
        ran = run(minimal, *arguments)
        assert ran.status == 2
        assert "for machines, not for containers" in ran.error


def copied(minimal: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(minimal, tmp_path / "x86_64"))


def test_a_directory_without_a_root_file_system(minimal: Path, tmp_path: Path) -> None:
    directory = copied(minimal, tmp_path)
    (directory / "rootfs.tar").unlink()
    ran = run(directory, "--command", "true")
    assert ran.status == 2
    assert "no rootfs.tar" in ran.error and "image.formats" in ran.error


@pytest.mark.parametrize("length", [0, 100, 4000, 300_000])
def test_a_root_file_system_that_is_cut_off(length: int, minimal: Path, tmp_path: Path) -> None:
    directory = copied(minimal, tmp_path)
    archive = directory / "rootfs.tar"
    archive.write_bytes(archive.read_bytes()[:length])
    ran = run(directory, "--command", "true")
    assert ran.status == 1
    assert "is damaged" in ran.error and str(archive) in ran.error
    assert "Traceback" not in ran.error


def test_a_directory_that_holds_something_else(tmp_path: Path) -> None:
    ran = run(tmp_path, "--command", "true")
    assert ran.status == 2
    assert "build-info.json" in ran.error


def test_another_processors_programs(minimal: Path, tmp_path: Path) -> None:
    directory = copied(minimal, tmp_path)
    (directory / "build-info.json").write_text('{"arch": "riscv64"}')
    # Whether they run is found out, not looked up: these do.
    assert run(directory, "--command", "echo runs").output == "runs\n"
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    (root / "bin/sh").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(200))
    (root / "bin/sh").chmod(0o755)
    subprocess.run(["tar", "-C", root, "-cf", directory / "rootfs.tar", "."], check=True)
    ran = run(directory, "--command", "true")
    assert ran.status == 3
    assert "for riscv64" in ran.error and "without --container" in ran.error
