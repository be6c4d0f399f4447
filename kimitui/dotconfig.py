"""DotConfig: any Kconfig tree with a `.config` applied, to be edited as a preset's configuration is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from kimitui import files
from kimitui.config_edit import Attempt
from kimitui.config_types import Change, Origin
from kimitui.editing import Editing
from kimitui.errors import KimituiError, Location, MachineError, UsageError
from kimitui.kconfig import dotconfig
from kimitui.kconfig.dotconfig import Contents, Note
from kimitui.kconfig.loader import load
from kimitui.kconfig.names import Entry, Names
from kimitui.kconfig.types import Symbol

ROOTS = ("Kconfig", "Config.in")
"""What the root file of a tree is called."""


class DotConfig(Editing):
    """A Kconfig tree and the values of a `.config` file.

    `path` is where the file is, or will be. `notes` say what of it is not taken as it is written, `unknown` are the
    symbols in it that the tree does not have; they are left out when it is saved, and stay in `.config.old`. The base
    that changes are compared with are the values as they were read; without a file, the defaults.
    """

    def __init__(self, kconfig: Path, path: Path, *, environment: Mapping[str, str] | None = None) -> None:
        """Read the tree whose root file is `kconfig` and, if there is one, the file at `path`.

        `environment` is what the tree may ask for, such as `srctree` and `ARCH`. Raises KimituiError, with the place,
        if the tree is malformed, UsageError if the file is, MachineError if it cannot be read.
        """
        given = dict(environment or {})
        srctree = Path(given["srctree"]) if given.get("srctree") else None
        try:
            tree = load(kconfig, environment=given, srctree=srctree)
        except KimituiError as error:
            raise UsageError(error.what, where=error.where, fix=error.fix, details=error.details) from error
        super().__init__(tree, Names.plain(tree))
        self.kconfig = kconfig
        self._path = path
        self.notes: tuple[Note, ...] = ()
        self.unknown: tuple[str, ...] = ()
        self._contents: tuple[Path, Contents] | None = None  # what was read or written last
        self._on_disk: str | None = None
        self._differs = True  # from what is in the file, even without an edit
        if path.exists():
            self._on_disk = _read(path)
            self._apply(path, self._on_disk)
            self._base_name = "the file as it was read"
        else:
            self._base_name = "the defaults"
        self._begin(self._state.assigned)

    @property
    def name(self) -> str:
        """What is edited, in a word."""
        return self.path.name

    @property
    def path(self) -> Path:
        """The file the values belong to, which need not be there yet."""
        return self._path

    @property
    def base_name(self) -> str:
        """What changes are counted from, in words."""
        return self._base_name

    @property
    def remarks(self) -> tuple[str, ...]:
        """What of the file is not taken as it is written, with the line."""
        return tuple(map(str, self.notes))

    @property
    def unsaved(self) -> bool:
        """Whether saving would change the file: because of an edit, or because the tree makes something else of it."""
        return self.modified or self._differs

    @property
    def changed_on_disk(self) -> bool:
        """Whether the file is not as it was read or saved last."""
        try:
            return self.path.read_text(encoding="utf-8") != self._on_disk
        except FileNotFoundError:
            return self._on_disk is not None
        except (OSError, UnicodeDecodeError):
            return True

    def load(self, path: Path) -> Change:
        """Take the values of another file, as one step; `notes` and `unknown` are then about that one.

        Raises UsageError, with the line, if it is malformed, MachineError if it cannot be read; then nothing changes.
        """
        text = _read(path)
        dotconfig.parse(self.tree, text, path)
        differs = self._differs
        before = self._state.assigned
        self._apply(path, text)
        after = self._state.assigned
        self._differs = differs
        self._state.apply(self._state.replacing(before))
        return self._done(f"loaded {path.name}", Attempt(self._state.apply(self._state.replacing(after))))

    def save(self, path: Path | None = None) -> Path:
        """Write all values where they came from, or to `path`, which is then where they belong; returns where.

        What was there is kept as `.config.old`. Raises MachineError if the file cannot be written.
        """
        target = path or self.path
        text = dotconfig.full_text(self.tree)
        _keep_old(target, text)
        files.write(target, text, what="the configuration")
        self._path = target
        self._contents = target, dotconfig.parse(self.tree, text, target)
        self._on_disk = text
        self._differs = False
        self._saved = self._state.assigned
        self._saved_values = self._values
        return target

    def save_minimal(self, path: Path) -> Path:
        """Write only what differs from the defaults, as `make savedefconfig` does. Raises MachineError."""
        files.write(path, dotconfig.minimal_text(self.tree), what="the minimal configuration")
        return path

    def _written(self, entry: Entry, given: Sequence[Symbol]) -> Origin | None:
        if self._contents is None:
            return None
        path, contents = self._contents
        for symbol in given:
            if contents.values.get(symbol.name) == symbol.str_value:
                return Origin("is set", Location(path, contents.lines[symbol.name], 1))
        return None

    def _apply(self, path: Path, text: str) -> None:
        """Make what a file says the values of the tree, and note what does not come true."""
        read = dotconfig.parse(self.tree, text, path)
        self._state.apply(self._state.replacing({}))
        for name, value in read.values.items():
            if self.names.by_symbol[name].settable:
                self._state.apply(self._state.delta({name: value}))
        self._contents = path, read
        self.unknown = read.unknown
        written = dotconfig.parse(self.tree, dotconfig.full_text(self.tree), path).values
        self._differs = bool(read.unknown) or written != read.values
        self.notes = (*read.notes, *dotconfig.without_effect(self.tree, read, path))


def find_root(directory: Path) -> Path:
    """The root file of the Kconfig tree in `directory`. Raises UsageError if there is none."""
    for name in ROOTS:
        if (directory / name).is_file():
            return directory / name
    raise UsageError(
        f"there is no {' or '.join(ROOTS)} here",
        where=directory,
        fix="name the root file of the tree: kimitui menuconfig path/to/Kconfig",
    )


def default_path(kconfig: Path, environment: Mapping[str, str]) -> Path:
    """Where the `.config` of a tree is: what KCONFIG_CONFIG says, else beside the tree's root file."""
    given = environment.get("KCONFIG_CONFIG")
    return Path(given) if given else kconfig.parent / ".config"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError("the .config file is not UTF-8 text", where=path) from error
    except OSError as error:
        raise MachineError(f"cannot read the .config file: {error.strerror or error}", where=path) from error


def _keep_old(path: Path, text: str) -> None:
    """Copy the file that is about to be replaced by `text` to `.old`."""
    target = Path(os.path.realpath(path))
    old = path.with_name(f"{path.name}.old")
    try:
        if target.is_file() and target.read_bytes() != text.encode():
            shutil.copy2(target, old)
    except OSError as error:
        raise MachineError(
            f"cannot keep what was saved before: {error.strerror or error}", where=old, fix="save it somewhere else"
        ) from error
