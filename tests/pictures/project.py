"""A directory with presets, as a user's project would be."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from unittest.mock import patch

from kimitui.resources import PRESETS_DIR
from kimitui.tui import settings

_LOOKS = ("NO_COLOR", "COLORFGBG", "TERM_PROGRAM")


@contextmanager
def project() -> Iterator[Path]:
    """A directory as a user's would be, and the current one meanwhile; with a copy of the presets of kimitui.

    No settings of who runs this are read, nor written.
    """
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory).resolve()
        shutil.copytree(PRESETS_DIR, root / "kimitui" / "presets")
        (root / "presets").mkdir()
        for path in Path(__file__).parent.glob("*.json5"):
            shutil.copy(path, root / "presets")
        home = {name: str(root / "home") for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
        environment = {name: value for name, value in os.environ.items() if name not in _LOOKS} | home
        with (
            chdir(root),
            patch("kimitui.resources.PRESETS_DIR", root / "kimitui" / "presets"),
            patch.dict(os.environ, environment, clear=True),
        ):
            settings.note_start()  # the hint at the very first start is a scene of its own
            yield root
