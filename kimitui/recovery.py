"""Unsaved changes on disk, so that a crash does not lose them.

    <state>/recovery/<digest of the preset's path>-<random>.json    one configurator's unsaved changes to one preset
    <state>/recovery/<digest of the preset's path>-<random>.lock    locked as long as that configurator lives

The kernel lets go of a lock when its holder dies, so changes whose lock can be had have lost their owner, however that
ended, and are offered to the next one that opens the preset. While somebody holds a lock, nobody else touches the file.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kimitui import preset as presets
from kimitui.errors import KimituiError, MachineError
from kimitui.preset import Preset
from kimitui.resources import state_dir

if TYPE_CHECKING:
    from kimitui.config import Configuration
    from kimitui.config_types import Change, Values

_FORMAT = 1


@dataclass(frozen=True)
class Draft:
    """Unsaved changes.

    `preset` is the absolute path of the preset, `text` the text the changes were made to, `saved` whether that was in
    the file; `values` are what `Configuration.own_values` gave, `time` is when that was, in seconds since 1970.
    """

    preset: Path
    text: str
    saved: bool
    values: Values
    time: float

    def read(self) -> Preset:
        """The preset the changes were made to. Raises PresetError if this kimitui cannot read it."""
        return presets.parse(self.text, self.preset)

    def on_disk(self) -> Literal["same", "changed", "gone", "new"]:
        """What became of the preset's file since: `gone` was there and is not, `new` was not there and is."""
        try:
            now = self.preset.read_bytes().decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            return "gone" if self.saved else "same"
        except OSError:
            return "changed"
        if now == self.text:
            return "same"
        return "changed" if self.saved else "new"


def draft(config: Configuration) -> Draft:
    """The unsaved changes of `config` as they are now."""
    preset = config.preset
    return Draft(preset.path.absolute(), preset.text, preset.path.exists(), config.own_values(), time.time())


def restore(config: Configuration, draft: Draft) -> tuple[Change, tuple[str, ...]]:
    """Make the changes in `draft` to `config` as one step that can be undone.

    Where the preset's file has changed since, they are made on top of what it holds now. Also returns, one line each,
    what cannot be any more and why. Raises PresetError if the preset that was changed cannot be read.
    """
    from kimitui.config import Configuration  # to look for what was left behind, nobody need load the tree

    values = draft.values
    if config.preset.text != draft.text:
        values = _on_top(Configuration.from_preset(draft.read()).own_values(), draft.values, config.own_values())
    return config.replace(values, "unsaved changes restored")


def _on_top(before: Values, after: Values, now: Values) -> Values:
    """`now` with what differs between `before` and `after`."""
    result = {section: dict(values) for section, values in now.items()}
    for section in {*before, *after}:
        old, new = before.get(section, {}), after.get(section, {})
        own = result.setdefault(section, {})
        for key in {*old, *new}:
            if key not in new:
                own.pop(key, None)
            elif key not in old or old[key] != new[key]:
                own[key] = new[key]
    return result


class RecoveryFile:
    """The file in which one configurator keeps the unsaved changes to one preset. Nothing is written until `write`."""

    def __init__(self, directory: Path | None = None) -> None:
        """`directory` is where recovery files are, by default the user's."""
        self._directory = directory
        self._path: Path | None = None
        self._lock: _Lock | None = None

    def write(self, draft: Draft) -> None:
        """Keep `draft` in place of what was kept before; whole or not at all. Raises MachineError if that fails."""
        try:
            path = self._own(draft)
            temporary = path.with_suffix(".part")
            with temporary.open("w", encoding="utf-8") as file:
                json.dump(_as_data(draft), file, indent=1, sort_keys=True)
            temporary.replace(path)  # not forced to the disk: this is against a crash of the program, and happens often
        except OSError as error:
            raise MachineError(
                f"unsaved changes cannot be kept for a crash: {error.strerror or error}",
                where=self._path or self._directory or "the state directory",
                fix="Make room or give yourself the permission there, or choose a directory with XDG_STATE_HOME.",
            ) from error

    def remove(self) -> None:
        """There is nothing unsaved any more."""
        if self._path is not None:
            for suffix in (".json", ".part"):
                with contextlib.suppress(OSError):
                    self._path.with_suffix(suffix).unlink()
        self._let_go()

    def leave(self) -> None:
        """Leave what was kept to whoever opens the preset next."""
        if self._lock is not None:
            self._lock.release()
        self._path = self._lock = None

    def _own(self, draft: Draft) -> Path:
        stem = f"{_key(draft.preset)}-"
        if self._path is not None and not self._path.name.startswith(stem):
            self.remove()  # it was saved elsewhere, and the changes since are to that file
        if self._path is None:
            directory = self._directory or recovery_dir()
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = directory / f"{stem}{uuid.uuid4().hex[:12]}.json"
            self._path, self._lock = path, _Lock(path.with_suffix(".lock"))
        return self._path

    def _let_go(self) -> None:
        if self._lock is not None:
            self._lock.remove()
        self._path = self._lock = None


class Left:
    """Changes whose owner is gone. They are held, so that nobody else is asked about them, until one of the methods."""

    def __init__(self, path: Path, draft: Draft, lock: _Lock) -> None:
        self.draft = draft
        self._path = path
        self._lock = lock

    def discard(self) -> None:
        """Remove them for good."""
        self._path.unlink(missing_ok=True)
        self._lock.remove()

    def release(self) -> None:
        """Leave them for another time."""
        self._lock.release()


class _Lock:
    """A lock file that is held from the beginning. filelock does the same, but takes 60 ms to import."""

    def __init__(self, path: Path) -> None:
        """Raises BlockingIOError if somebody holds it, another OSError if there can be none."""
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise

    def release(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)

    def remove(self) -> None:
        """Let go of it for good."""
        with contextlib.suppress(OSError):
            self._path.unlink()
        os.close(self._descriptor)


def recovery_dir() -> Path:
    """Where recovery files are. Raises MachineError for a user without a home directory."""
    return state_dir() / "recovery"


def find_left(preset: Path | None = None, directory: Path | None = None) -> list[Left]:
    """The changes that somebody left behind, to `preset` or to any, the newest first.

    Each has to be discarded or released. A file that this kimitui cannot read is left alone.
    """
    pattern = f"{_key(preset)}-*.json" if preset is not None else "*.json"
    found = [left for path in _files(directory, pattern) if (left := _take(path)) is not None]
    return sorted(found, key=lambda left: left.draft.time, reverse=True)


def _files(directory: Path | None, pattern: str) -> Iterator[Path]:
    try:
        yield from sorted((directory or recovery_dir()).glob(pattern))
    except (OSError, MachineError):
        return


def _take(path: Path) -> Left | None:
    try:
        lock = _Lock(path.with_suffix(".lock"))
    except OSError:
        return None
    try:
        return Left(path, _from_data(json.loads(path.read_text(encoding="utf-8"))), lock)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, KimituiError):
        lock.release()
        return None


def _key(preset: Path) -> str:
    return hashlib.sha256(os.fsencode(os.path.realpath(preset))).hexdigest()[:16]


def _as_data(draft: Draft) -> dict[str, object]:
    return {
        "format": _FORMAT,
        "preset": str(draft.preset),
        "text": draft.text,
        "text_sha256": hashlib.sha256(draft.text.encode()).hexdigest(),
        "saved": draft.saved,
        "values": draft.values,
        "time": draft.time,
    }


def _from_data(data: dict[str, object]) -> Draft:
    """Raises ValueError, KeyError or TypeError for what is no draft."""
    values, text = data["values"], data["text"]
    if data["format"] != _FORMAT or not isinstance(values, dict) or not isinstance(text, str):
        raise ValueError("another format")
    if hashlib.sha256(text.encode()).hexdigest() != data["text_sha256"]:
        raise ValueError("damaged")
    if not all(isinstance(section, dict) for section in values.values()):
        raise TypeError("no sections")
    return Draft(Path(str(data["preset"])), text, bool(data["saved"]), values, float(str(data["time"])))


__all__ = ["Draft", "Left", "RecoveryFile", "draft", "find_left", "recovery_dir", "restore"]
