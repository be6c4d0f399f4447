"""The terminal belongs to the machine while it runs, and is as before afterwards. A shell stands in for QEMU here."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from kimitui.errors import BuildError, MachineError
from kimitui.machine.console import Console
from kimitui.machine.ended import Ended


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends of a terminal: whoever types, and the program."""
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


def test_what_is_typed_arrives_unchanged_and_the_terminal_is_restored(terminal: tuple[int, int]) -> None:
    typist, program = terminal
    before = termios.tcgetattr(program)
    shown = bytearray()
    script = "printf ready; head -c 5 | od -An -tx1"

    def show(data: bytes) -> None:
        shown.extend(data)
        if shown == b"ready":
            os.write(typist, b"a\x03\x04\r\xff")

    with open(program, "rb", buffering=0, closefd=False) as keyboard:
        ended = Console(["sh", "-c", script], show=show).run(keyboard)
    assert shown.split() == [b"ready", b"61", b"03", b"04", b"0d", b"ff"]
    assert ended.problem() is None
    assert termios.tcgetattr(program) == before


@pytest.mark.parametrize(("typed", "arrives"), [(b"\x01\x01.", b"01 2e"), (b"\x01b.", b"01 62 2e")])
def test_ctrl_a_is_typed_twice(terminal: tuple[int, int], typed: bytes, arrives: bytes) -> None:
    typist, program = terminal
    shown = bytearray()
    script = f"printf ready; head -c {len(arrives.split())} | od -An -tx1"

    def show(data: bytes) -> None:
        shown.extend(data)
        if shown == b"ready":
            os.write(typist, typed)

    with open(program, "rb", buffering=0, closefd=False) as keyboard:
        Console(["sh", "-c", script], show=show).run(keyboard)
    assert shown.removeprefix(b"ready").strip() == arrives


def test_ctrl_a_x_ends_the_machine(terminal: tuple[int, int]) -> None:
    typist, program = terminal
    before = termios.tcgetattr(program)
    with open(program, "rb", buffering=0, closefd=False) as keyboard:
        ended = Console(["sh", "-c", "echo; cat"], show=lambda _: _write(typist, b"\x01x")).run(keyboard)
    assert ended.asked
    assert ended.problem() is None
    assert termios.tcgetattr(program) == before


def _write(descriptor: int, data: bytes) -> None:
    os.write(descriptor, data)


def test_a_machine_that_does_not_end_is_ended(terminal: tuple[int, int]) -> None:
    program = terminal[1]
    before = termios.tcgetattr(program)
    console = Console(["sh", "-c", "echo still here; cat"], show=lambda _: None, timeout_seconds=0.2)
    with open(program, "rb", buffering=0, closefd=False) as keyboard, pytest.raises(BuildError) as caught:
        console.run(keyboard)
    assert "after 0.2 s" in str(caught.value)
    assert "still here" in str(caught.value)
    assert termios.tcgetattr(program) == before


def test_input_may_be_a_file(tmp_path: Path) -> None:
    typed, shown = tmp_path / "typed", bytearray()
    typed.write_bytes(b"echo from a file\n")
    with typed.open("rb", buffering=0) as keyboard:
        Console(["sh", "-c", "read line; eval $line"], show=shown.extend).run(keyboard)
    assert bytes(shown) == b"from a file\n"


def test_an_ended_kimitui_leaves_nothing_behind(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from kimitui.commands.run import ended_by_signals\n"
        "from kimitui.machine.console import Console\n"
        f"script = 'echo $$ >{tmp_path}/pid; echo; exec sleep 1000'\n"
        "def show(_):\n"
        "    print(flush=True)\n"
        "with ended_by_signals():\n"
        "    Console(['sh', '-c', script], show=show).run()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def ended(printed: str, *, status: int = 0, complaints: tuple[str, ...] = ()) -> Ended:
    return Ended(status, False, printed, complaints)


def test_what_the_initramfs_says_is_the_error() -> None:
    problem = ended(
        "[ 1.0] x\r\nkimigayo: no system image\r\nkimigayo: give its device\r\n"
        "[ 1.1] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100\r\n"
    ).problem()
    assert isinstance(problem, BuildError)
    assert problem.what == "the machine did not start: no system image"
    assert problem.fix == "give its device"


def test_a_panic_is_an_error_and_a_poweroff_is_none() -> None:
    problem = ended("Kernel panic - not syncing: VFS: Unable to mount root fs\r\n").problem()
    assert problem is not None
    assert problem.what == "the kernel stopped: VFS: Unable to mount root fs"
    assert ended("Welcome\r\n[ 9.1] reboot: Power down\r\n").problem() is None


@pytest.mark.parametrize(
    "printed",
    [
        "Kernel panic - not syncing: System is deadlocked on memory\r\n",
        "Out of memory: Killed process 1\r\nKernel panic - not syncing: Attempted to kill init!\r\n",
    ],
)
def test_too_little_memory_is_said(printed: str) -> None:
    problem = ended(printed).problem()
    assert problem is not None
    assert "too little memory" in problem.what
    assert "--memory" in (problem.fix or "")


def test_what_qemu_says_is_passed_on() -> None:
    problem = ended("", status=1, complaints=('qemu-system-x86_64: Failed to get "write" lock',)).problem()
    assert isinstance(problem, MachineError)
    assert "write" in str(problem)
