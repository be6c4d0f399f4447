"""What users set for themselves: the theme and the keys, in files that they write; and what was shown already."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from kimitui import files
from kimitui.errors import KimituiError, Location, MachineError, UsageError
from kimitui.resources import config_dir, state_dir

THEMES = ("auto", "dark", "light", "high-contrast", "no-colour")
"""The themes that can be asked for; `auto` is what suits the terminal. Here, because textual need not be imported."""

_HINTED = "hinted"


@dataclass
class Settings:
    """What the files say. `keys` are the entries of keys.json5 as they are written, with their places.

    `problems` are errors in the files; what they concern stays as kimitui has it.
    """

    theme: str = "auto"
    keys: dict[str, tuple[object, Location]] = field(default_factory=dict)
    problems: list[KimituiError] = field(default_factory=list)


def read() -> Settings:
    """The settings of this user. Never raises: a mistake in a file is a problem to show, and the work goes on."""
    settings = Settings()
    for name, take in (("config.json5", _take_config), ("keys.json5", _take_keys)):
        try:
            take(settings, _entries(config_dir() / name))
        except KimituiError as error:
            settings.problems.append(error)
    return settings


def keys_file() -> str:
    """Where the user's keys are, in words: for a user without a home directory there is only a variable."""
    try:
        return str(config_dir() / "keys.json5")
    except MachineError:
        return "$XDG_CONFIG_HOME/kimitui/keys.json5"


def save_theme(theme: str) -> Path:
    """Write the theme's name into config.json5, whose other text stays as it is; returns where.

    Raises KimituiError if it cannot be written, or cannot be changed without losing what is written there.
    """
    path = config_dir() / "config.json5"
    entries = _entries(path)
    text = path.read_text(encoding="utf-8") if entries else "{\n}\n"
    if "theme" in entries:
        text = re.sub(r"""(\btheme["']?\s*:\s*)("[^"]*"|'[^']*')""", rf'\g<1>"{theme}"', text, count=1)
    else:
        text = text.replace("{", f'{{\n  theme: "{theme}",', 1)
    from kimitui.preset import decode

    wanted = {key: value for key, (value, _) in entries.items()} | {"theme": theme}
    if decode(text, path) != wanted:
        raise UsageError("the theme could not be written there", where=path, fix=f'Write theme: "{theme}" yourself.')
    _write(path, text)
    return path


def is_first_start() -> bool:
    """Whether the hint for beginners was never shown to this user."""
    try:
        return not (state_dir() / _HINTED).exists()
    except MachineError:
        return True


def note_start() -> None:
    """Remember that the hint was shown. Where that cannot be written, it will just be shown again."""
    with suppress(KimituiError):
        _write(state_dir() / _HINTED, "")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MachineError(f"cannot make the directory: {error.strerror}", where=path.parent) from error
    files.write(path, text, what="the settings")


def _entries(path: Path) -> dict[str, tuple[object, Location]]:
    """The members of the object in a JSON5 file with their places; {} if there is no such file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except NotADirectoryError:
        return {}
    except OSError as error:
        raise MachineError(f"cannot be read: {error.strerror}", where=path) from error
    except UnicodeDecodeError as error:
        raise UsageError("this is not UTF-8 text", where=path, fix="Save the file as UTF-8.") from error
    from kimitui import json5_text  # most users have no such file
    from kimitui.preset import decode

    data = decode(text, path)
    structure = json5_text.scan(text)
    if not isinstance(data, dict) or structure is None:
        raise UsageError("this must be an object", where=Location(path, 1, 1), fix="Write { and } around it.")
    places = {item.key: Location(path, *json5_text.position(text, item.start)) for item in structure.items}
    return {key: (value, places[key]) for key, value in data.items()}


def _take_config(settings: Settings, entries: dict[str, tuple[object, Location]]) -> None:
    for key, (value, where) in entries.items():
        if key != "theme":
            fix = "There is only: theme. Keys are set in keys.json5, beside this file."
            settings.problems.append(UsageError(f'there is no setting "{key}"', where=where, fix=fix))
        elif value not in THEMES:
            fix = f"There are {', '.join(THEMES)}."
            settings.problems.append(UsageError(f"there is no theme {value!r}", where=where, fix=fix))
        else:
            settings.theme = str(value)


def _take_keys(settings: Settings, entries: dict[str, tuple[object, Location]]) -> None:
    settings.keys = entries
