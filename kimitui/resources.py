"""Where the files that come with kimitui are: in a checkout at its root, in an installed package beside the code."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_ROOT = _PACKAGE / "data" if (_PACKAGE / "data").is_dir() else _PACKAGE.parent

KCONFIG_DIR = _ROOT / "kconfig"
PRESETS_DIR = _ROOT / "presets"
BUILDER_DIR = _ROOT / "builder"


def cache_dir() -> Path:
    """The directory of all caches: `$KIMITUI_CACHE`, else `kimitui` under `$XDG_CACHE_HOME` or `~/.cache`."""
    if override := os.environ.get("KIMITUI_CACHE"):
        return Path(override).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache") / "kimitui"
