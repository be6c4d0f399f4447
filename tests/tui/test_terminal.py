"""In a real terminal: what a user would see with a pair of eyes."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.conftest import BASE, CHILD

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from pathlib import Path
from kimitui.tui import run
sys.exit(run(None, cache_dir=Path("cache"), out_dir=Path("out"), ascii_only="--ascii" in sys.argv))
"""


class Terminal:
    """A tmux server of its own with one window."""

    def __init__(self, directory: Path) -> None:
        self._tmux = ["tmux", "-S", str(directory / "tmux.socket"), "-f", "/dev/null"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        environment |= {f"XDG_{name}_HOME": str(directory / name.lower()) for name in ("CONFIG", "STATE")}
        subprocess.run(
            [*self._tmux, "new-session", "-d", "-x", "80", "-y", "24", "sh"], cwd=directory, env=environment, check=True
        )

    def type(self, *keys: str) -> None:
        subprocess.run([*self._tmux, "send-keys", *keys], check=True)

    def screen(self) -> str:
        return subprocess.run(
            [*self._tmux, "capture-pane", "-p"], check=True, capture_output=True, text=True
        ).stdout  # fmt: skip

    def resize(self, width: int, height: int) -> None:
        subprocess.run([*self._tmux, "resize-window", "-x", str(width), "-y", str(height)], check=True)

    def wait_for(self, text: str) -> str:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if text in (screen := self.screen()):
                return screen
            time.sleep(0.02)  # between two looks, not for anything to happen
        raise AssertionError(f"{text!r} never showed:\n{self.screen()}")

    def wait_for_file(self, directory: Path, pattern: str) -> None:
        deadline = time.monotonic() + 30
        while not list(directory.glob(pattern)):
            assert time.monotonic() < deadline, f"there never was a {pattern} in {directory}"
            time.sleep(0.02)  # between two looks, not for anything to happen

    def close(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], check=False)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "base.json5").write_text(BASE)
    (tmp_path / "presets" / "child.json5").write_text(CHILD)
    (tmp_path / "program.py").write_text(PROGRAM)
    started = Terminal(tmp_path)
    yield started
    started.close()


@pytest.mark.parametrize("variant", ["", "NO_COLOR=1", "--ascii"])
def test_start_navigate_toggle_save_quit(terminal: Terminal, tmp_path: Path, variant: str) -> None:
    option = variant if variant.startswith("--") else ""
    setting = variant if "=" in variant else ""
    terminal.type(f"{setting} {shlex.quote(sys.executable)} program.py {option}; echo left with $?", "Enter")
    terminal.wait_for("n new from this one")
    shown = terminal.wait_for("For tests")
    assert option != "--ascii" or shown.isascii()
    terminal.type("Enter")
    terminal.wait_for("BusyBox --->")
    terminal.type("/")
    terminal.wait_for("Search:")
    terminal.type("busybox_cat")
    terminal.wait_for("1 found")
    terminal.type("Enter")
    terminal.wait_for("Space toggle")
    terminal.type("Space")
    terminal.wait_for("~ [*] cat")
    terminal.resize(120, 40)
    terminal.wait_for(": commands")
    terminal.resize(60, 20)
    terminal.wait_for("~ [*] cat")
    terminal.type("s")
    terminal.wait_for("Saved as presets/base.json5")
    assert "CAT: true" in (tmp_path / "presets" / "base.json5").read_text()
    terminal.type("q")
    terminal.wait_for("left with 0")


def test_a_killed_configurator_loses_nothing(terminal: Terminal, tmp_path: Path) -> None:
    start = f"{shlex.quote(sys.executable)} program.py & echo $! >pid; fg; echo left with $?"
    terminal.type("set -m", "Enter", start, "Enter")
    terminal.wait_for("n new from this one")
    terminal.wait_for("For tests")
    terminal.type("Enter")
    terminal.wait_for("BusyBox --->")
    terminal.type("/")
    terminal.wait_for("Search:")
    terminal.type("busybox_cat")
    terminal.wait_for("1 found")
    terminal.type("Enter")
    terminal.wait_for("Space toggle")
    terminal.type("Space")
    terminal.wait_for("~ [*] cat")
    terminal.wait_for_file(tmp_path / "state" / "kimitui" / "recovery", "*.json")
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    terminal.wait_for("left with 137")
    terminal.type("stty sane", "C-j", start, "C-j")  # nobody put the terminal in order again
    terminal.wait_for("There are unsaved changes to base.json5")
    terminal.type("r")
    terminal.wait_for("Your unsaved changes are restored")
    terminal.type("s")
    terminal.wait_for("Saved as presets/base.json5")
    assert "CAT: true" in (tmp_path / "presets" / "base.json5").read_text()
    terminal.type("q")
    terminal.wait_for("left with 0")
    assert list((tmp_path / "state" / "kimitui" / "recovery").iterdir()) == []


def test_a_closed_terminal_leaves_the_changes_and_no_process(terminal: Terminal, tmp_path: Path) -> None:
    terminal.type(f"{shlex.quote(sys.executable)} program.py & echo $! >pid; fg", "Enter")
    terminal.wait_for("For tests")
    terminal.type("Enter")
    terminal.wait_for("BusyBox --->")
    terminal.type("/")
    terminal.wait_for("Search:")
    terminal.type("busybox_cat")
    terminal.wait_for("1 found")
    terminal.type("Enter")
    terminal.wait_for("Space toggle")
    terminal.type("Space")
    terminal.wait_for("~ [*] cat")
    terminal.close()
    terminal.wait_for_file(tmp_path / "state" / "kimitui" / "recovery", "*.json")
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 30
    while Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes():
        assert time.monotonic() < deadline, "it is still there"
        time.sleep(0.02)  # between two looks, not for anything to happen
