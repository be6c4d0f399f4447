"""In a real terminal: what a user would see with a pair of eyes."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import sys
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.terminal import Terminal
from tests.tui.conftest import BASE, CHILD

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

PROGRAM = """
import sys
import tarfile
from pathlib import Path
from kimitui.tui import run
sys.exit(run(None, cache_dir=Path("cache"), out_dir=Path("out"), ascii_only="--ascii" in sys.argv))
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "base.json5").write_text(BASE)
    (tmp_path / "presets" / "child.json5").write_text(CHILD)
    (tmp_path / "program.py").write_text(PROGRAM)
    homes = {f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("CONFIG", "STATE")}
    with Terminal(tmp_path / "tmux.socket", cwd=tmp_path, environment=homes) as started:
        yield started


@pytest.mark.parametrize("variant", ["", "NO_COLOR=1", "--ascii"])
def test_start_navigate_toggle_save_quit(terminal: Terminal, tmp_path: Path, variant: str) -> None:
    option = variant if variant.startswith("--") else ""
    setting = variant if "=" in variant else ""
    terminal.press(f"{setting} {shlex.quote(sys.executable)} program.py {option}; echo left with $?", "Enter")
    terminal.wait_for("n new from this one")
    shown = terminal.wait_for("For tests")
    assert option != "--ascii" or shown.isascii()
    terminal.press("Enter")
    terminal.wait_for("BusyBox --->")
    terminal.press("/")
    terminal.wait_for("Search:")
    terminal.press("busybox_cat")
    terminal.wait_for("1 found")
    terminal.press("Enter")
    terminal.wait_for("Space toggle")
    terminal.press("Space")
    terminal.wait_for("~ [*] cat")
    terminal.resize(120, 40)
    terminal.wait_for(": commands")
    terminal.resize(60, 20)
    terminal.wait_for("~ [*] cat")
    terminal.press("s")
    terminal.wait_for("Saved as presets/base.json5")
    assert "CAT: true" in (tmp_path / "presets" / "base.json5").read_text()
    terminal.press("q")
    terminal.wait_for("left with 0")


def test_a_killed_configurator_loses_nothing(terminal: Terminal, tmp_path: Path) -> None:
    start = f"{shlex.quote(sys.executable)} program.py & echo $! >pid; fg; echo left with $?"
    terminal.press("set -m", "Enter", start, "Enter")
    terminal.wait_for("n new from this one")
    terminal.wait_for("For tests")
    terminal.press("Enter")
    terminal.wait_for("BusyBox --->")
    terminal.press("/")
    terminal.wait_for("Search:")
    terminal.press("busybox_cat")
    terminal.wait_for("1 found")
    terminal.press("Enter")
    terminal.wait_for("Space toggle")
    terminal.press("Space")
    terminal.wait_for("~ [*] cat")
    terminal.wait_for_file(tmp_path / "state" / "kimitui" / "recovery", "*.json")
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    terminal.wait_for("left with 137")
    terminal.press("stty sane", "C-j", start, "C-j")  # nobody put the terminal in order again
    terminal.wait_for("There are unsaved changes to base.json5")
    terminal.press("r")
    terminal.wait_for("Your unsaved changes are restored")
    terminal.press("s")
    terminal.wait_for("Saved as presets/base.json5")
    assert "CAT: true" in (tmp_path / "presets" / "base.json5").read_text()
    terminal.press("q")
    terminal.wait_for("left with 0")
    assert list((tmp_path / "state" / "kimitui" / "recovery").iterdir()) == []


def test_a_closed_terminal_leaves_the_changes_and_no_process(terminal: Terminal, tmp_path: Path) -> None:
    terminal.press(f"{shlex.quote(sys.executable)} program.py & echo $! >pid; fg", "Enter")
    terminal.wait_for("For tests")
    terminal.press("Enter")
    terminal.wait_for("BusyBox --->")
    terminal.press("/")
    terminal.wait_for("Search:")
    terminal.press("busybox_cat")
    terminal.wait_for("1 found")
    terminal.press("Enter")
    terminal.wait_for("Space toggle")
    terminal.press("Space")
    terminal.wait_for("~ [*] cat")
    terminal.close()
    terminal.wait_for_file(tmp_path / "state" / "kimitui" / "recovery", "*.json")
    pid = int((tmp_path / "pid").read_text())
    terminal.wait_until(lambda: not running(pid), "the configurator ends")


def running(pid: int) -> bool:
    """Whether a process is there that is not only waited for."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    return False


@pytest.mark.build
def test_from_the_list_of_presets_to_an_image(terminal: Terminal, tmp_path: Path) -> None:
    """The program as it is installed, the cache of the user: what is there is not made again."""
    preset = tmp_path / "presets" / "edge.json5"
    preset.write_text('{ name: "edge", extends: "minimal", image: { budget: "900kB" } } // mine\n')
    for name in ("base", "child"):
        (tmp_path / "presets" / f"{name}.json5").unlink()
    terminal.press(f"{shlex.quote(sys.executable)} -m kimitui; echo left with $?", "Enter")
    terminal.wait_for("edge", "that come with kimitui")
    terminal.press("/")
    terminal.wait_for("Filter:")
    terminal.press("edge", "Enter")
    terminal.wait_for("presets/edge.json5")
    terminal.press("Enter")
    terminal.wait_for("BusyBox --->", "Hardening --->")
    terminal.press("/")
    terminal.wait_for("Search:")
    terminal.press("busybox_tac")
    terminal.wait_for("1 found")
    terminal.press("Enter")
    terminal.wait_for("[ ] tac", gone="Search:")
    terminal.press("Space")
    terminal.wait_for("~ [*] tac", "unsaved")
    terminal.press("s")
    terminal.wait_for("Saved as presets/edge.json5", gone="unsaved")
    assert "TAC: true" in preset.read_text() and "// mine" in preset.read_text()
    terminal.press("b")
    terminal.wait_for("build for x86_64")
    terminal.wait_for("Built edge in", "of 900 kB", patience=1800)
    archive = tmp_path / "out" / "edge" / "x86_64" / "rootfs.tar"
    with tarfile.open(archive) as rootfs:
        assert "tac" in {Path(name).name for name in rootfs.getnames()}
    terminal.press("Escape")
    terminal.wait_for("~ [*] tac")
    terminal.press("q")
    terminal.wait_for("left with 0")
