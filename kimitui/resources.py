"""Where the files that come with kimitui are: in a checkout at its root, in an installed package beside the code."""

from __future__ import annotations

import os
from pathlib import Path

from kimitui.errors import MachineError

_PACKAGE = Path(__file__).resolve().parent
_ROOT = _PACKAGE / "data" if (_PACKAGE / "data").is_dir() else _PACKAGE.parent

KCONFIG_DIR = _ROOT / "kconfig"
PRESETS_DIR = _ROOT / "presets"
BUILDER_DIR = _ROOT / "builder"


def cache_dir() -> Path:
    """The directory of all caches: `$KIMITUI_CACHE`, else `kimitui` under `$XDG_CACHE_HOME` or `~/.cache`.

    Raises MachineError for a user without a home directory.
    """
    if override := os.environ.get("KIMITUI_CACHE"):
        return Path(override).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    if base and Path(base).is_absolute():
        return Path(base) / "kimitui"
    try:
        return Path.home() / ".cache" / "kimitui"
    except RuntimeError as error:
        raise MachineError(
            "this user has no home directory to keep the caches in",
            fix="Choose a directory with --cache-dir or KIMITUI_CACHE.",
        ) from error


def config_dir() -> Path:
    """Where users keep settings: `kimitui` under `$XDG_CONFIG_HOME` or `~/.config`. Raises as `state_dir` does."""
    return _user_dir("XDG_CONFIG_HOME", ".config")


def state_dir() -> Path:
    """The directory for what should outlive a session: `kimitui` under `$XDG_STATE_HOME` or `~/.local/state`.

    Raises MachineError for a user without a home directory.
    """
    return _user_dir("XDG_STATE_HOME", ".local/state")


def _user_dir(variable: str, default: str) -> Path:
    """As the XDG Base Directory Specification has it: a relative path does not count."""
    given = Path(os.environ.get(variable, ""))
    if given.is_absolute():
        return given / "kimitui"
    try:
        return Path.home() / default / "kimitui"
    except RuntimeError as error:
        raise MachineError("this user has no home directory", fix=f"Choose a directory with {variable}.") from error
