"""Where a preset may be saved."""

from __future__ import annotations

import os
from pathlib import Path

from kimitui import preset as presets
from kimitui import resources
from kimitui.errors import KimituiError, PresetError


def target(text: str) -> Path:
    """The file that a name (`edge` is ./presets/edge.json5) or a path means. Raises PresetError if it is neither."""
    text = text.strip()
    if not text:
        raise PresetError("a name is needed")
    path = Path(text).expanduser()
    if "/" not in text and not text.startswith("~") and not text.endswith(presets.SUFFIX):
        path = Path("presets") / f"{text}{presets.SUFFIX}"
    elif path.is_dir():
        raise PresetError("this is a directory, not a preset", where=path)
    elif not text.endswith(presets.SUFFIX):
        path = path.with_name(f"{path.name}{presets.SUFFIX}")
    presets.parse("{}", path)  # the file's name must be the name of a preset
    return path


def problem(text: str) -> str:
    """Why nothing can be saved there, "" if it can."""
    try:
        path = target(text)
    except KimituiError as error:
        return error.what
    return refusal(path)


def refusal(path: Path) -> str:
    """Why the file must not be written: it belongs to an installed kimitui. "" if it may be."""
    if not is_installed():
        return ""
    inside = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(resources.PRESETS_DIR))
    return f"{path.name} comes with kimitui and is not overwritten; choose another name" if inside else ""


def is_installed() -> bool:
    """Whether the built-in presets lie in an installed package, and not in a checkout that one works on."""
    return resources.PRESETS_DIR.parent.name == "data"
