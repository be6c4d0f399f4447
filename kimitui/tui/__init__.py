"""The terminal user interface; the only place that imports textual."""

from __future__ import annotations

import gc
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from kimitui import resources
from kimitui.errors import MachineError

if TYPE_CHECKING:
    from kimitui.build.engines import Choice
    from kimitui.editing import Editing

_FRAMES_PER_SECOND = "250"


def run(
    opened: str | Editing | None,
    *,
    cache_dir: Path,
    out_dir: Path,
    ascii_only: bool = False,
    theme: str | None = None,
    engine: Choice = "auto",
) -> int:
    """Open the configurator with a preset, by name or path, another configuration, or the list of presets.

    Returns the exit code.

    `ascii_only` draws with ASCII characters alone; `theme` is one of `settings.THEMES`, None what the user's settings
    say; `engine` is what runs builds. Raises KimituiError, before the screen is touched, if the preset cannot be
    opened.
    """
    # To look through a tree of thousands of options for garbage takes as long as to paint it, and there is none yet.
    gc.disable()
    try:
        return _run(opened, cache_dir, out_dir, ascii_only=ascii_only, theme=theme, engine=engine)
    finally:
        gc.enable()


def _run(
    opened: str | Editing | None,
    cache_dir: Path,
    out_dir: Path,
    *,
    ascii_only: bool,
    theme: str | None,
    engine: Choice,
) -> int:
    # Textual waits for the next frame before it paints, 17 ms unless told otherwise when it is imported. Its
    # variable is taken away again, so that no program started later sees it.
    given = os.environ.get("TEXTUAL_FPS")
    os.environ["TEXTUAL_FPS"] = given or _FRAMES_PER_SECOND
    try:
        from kimitui.tui.app import KimituiApp  # a command that shows no screen must not wait for textual
    finally:
        if given is None:
            del os.environ["TEXTUAL_FPS"]

    with suppress(OSError, MachineError):
        resources.cache_dir().mkdir(parents=True, exist_ok=True)  # the next start finds the parsed tree there
    app = KimituiApp(
        opened, cache_dir=cache_dir, out_dir=out_dir, ascii_only=ascii_only, theme_choice=theme, engine=engine
    )
    app.when_painted = _collect_again
    # The terminal was closed, or the machine goes down: what is unsaved is kept, and no build stays behind.
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, lambda received, _frame: app.hang_up(received))
    try:
        app.run()
    finally:
        app.end_build()
    return app.return_code or 0


def _collect_again() -> None:
    """Collect garbage from now on, but do not look for it in what there is already: that stays to the end."""
    gc.freeze()
    gc.enable()
