"""A real terminal: tmux, with its window looked at and its keys pressed by a program."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_LOOKS_APART = 0.004  # seconds


class Terminal:
    """A tmux server of its own with one window, in which a shell runs. `close` ends it."""

    def __init__(
        self,
        socket: Path,
        *,
        cwd: Path,
        size: tuple[int, int] = (80, 24),
        environment: Mapping[str, str] | None = None,
        patience: float = 120.0,
    ) -> None:
        """`patience` is how many seconds to wait at most for something to be shown."""
        self.patience = patience
        self._tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]
        width, height = map(str, size)
        # What tells programs how large a terminal is, whatever it is, does not tell of this one.
        inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        variables = {**inherited, "PYTHONPATH": str(_ROOT), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        subprocess.run(
            [*self._tmux, "new-session", "-d", "-x", width, "-y", height, "sh"],
            cwd=cwd,
            env={**variables, **(environment or {})},
            check=True,
        )
        self.wait_until(lambda: bool(self.screen().strip()), "the shell is there")

    def press(self, *keys: str) -> None:
        """Press keys, named as tmux does; a word that names none is typed."""
        subprocess.run([*self._tmux, "send-keys", *keys], check=True)

    def screen(self) -> str:
        """What is shown."""
        command = [*self._tmux, "capture-pane", "-p"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def resize(self, width: int, height: int) -> None:
        """Give the window another size."""
        subprocess.run([*self._tmux, "resize-window", "-x", str(width), "-y", str(height)], check=True)

    def wait_for(self, *texts: str, gone: str = "", patience: float | None = None) -> str:
        """The first screen that shows all `texts`, and not `gone`. `patience` is for what takes longer, in seconds."""
        screen = ""

        def shown() -> bool:
            nonlocal screen
            screen = self.screen()
            return all(text in screen for text in texts) and not (gone and gone in screen)

        try:
            self.wait_until(shown, f"{texts!r} is shown{f', and {gone!r} no more' if gone else ''}", patience)
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{screen}") from None
        return screen

    def wait_for_file(self, directory: Path, pattern: str) -> Path:
        """The first file in `directory` whose name matches `pattern`."""
        self.wait_until(lambda: any(directory.glob(pattern)), f"{directory} has a {pattern}")
        return min(directory.glob(pattern))

    def wait_until(self, condition: Callable[[], bool], what: str, patience: float | None = None) -> None:
        """Until `condition` holds; an AssertionError says `what` never came to be."""
        deadline = time.monotonic() + (patience or self.patience)
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"it never came to this: {what}")
            time.sleep(_LOOKS_APART)  # between two looks, not for anything to happen

    def close(self) -> None:
        """End the server and what runs in it."""
        subprocess.run([*self._tmux, "kill-server"], check=False, stderr=subprocess.DEVNULL)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
