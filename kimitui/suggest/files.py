"""Shell scripts: which files are, and what is in them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kimitui.errors import MachineError, UsageError
from kimitui.suggest.commands import SHELLS, commands
from kimitui.suggest.shell import parse

_SUFFIXES = (".sh", ".ash", ".bash", ".dash", ".ksh")
_LIMIT_BYTES = 10_000_000  # no script is longer; whatever this is, it is none
_FIRST_LINE_BYTES = 256


@dataclass(frozen=True)
class ShellFile:
    """A script: where it is, its text, and the words of its first line after `#!` (empty if it has no such line)."""

    path: Path
    source: bytes
    interpreter: tuple[str, ...]


def find(paths: Iterable[Path]) -> tuple[ShellFile, ...]:
    """The scripts among `paths`: files that are named, and what lies in directories, by path; none of them twice.

    In a directory, a file is a script if its first line names a shell, its name ends as those of scripts do, or another
    script there reads a file of this name as a part of itself; hidden directories are left out. Raises UsageError for a
    path that is not there, a file that is named and is no shell script, and directories without any; MachineError for
    what cannot be read.
    """
    found: dict[Path, ShellFile] = {}
    for path in paths:
        if path.is_dir():
            inside = _inside(path)
            if not inside:
                raise UsageError("there is no shell script in this directory", where=path)
        else:
            script = _read(path, named=True)
            inside = [script] if script is not None else []
        found |= {script.path.resolve(): script for script in inside}
    return tuple(found.values())


def _inside(directory: Path) -> list[ShellFile]:
    files = list(_files(directory))
    inside = {file: script for file in files if (script := _read(file, named=False)) is not None}
    ahead = list(inside.values())
    while ahead:
        sourced = commands(parse(ahead.pop().source)).sourced
        for file in files:
            if file.name in sourced and file not in inside and (script := _read(file, named=True)) is not None:
                inside[file] = script
                ahead.append(script)
    return [inside[file] for file in files if file in inside]


def _files(directory: Path) -> Iterator[Path]:
    for parent, directories, names in os.walk(directory, onerror=_refuse):
        directories[:] = sorted(name for name in directories if not name.startswith("."))
        yield from (path for name in sorted(names) if (path := Path(parent, name)).is_file())


def _refuse(error: OSError) -> None:
    raise MachineError(f"cannot read the directory: {error.strerror}", where=error.filename) from error


def _read(path: Path, *, named: bool) -> ShellFile | None:
    try:
        with path.open("rb") as file:
            start = file.read(_FIRST_LINE_BYTES)
            interpreter = _interpreter(start)
            is_script = _is_shell(interpreter) if interpreter else path.name.endswith(_SUFFIXES) or named
            if not is_script or b"\0" in start:
                if named:
                    raise UsageError(
                        f"this is no shell script: its first line says {' '.join(interpreter)}"
                        if interpreter
                        else "this is no shell script",
                        where=path,
                    )
                return None
            source = start + file.read(_LIMIT_BYTES)
    except FileNotFoundError:
        raise UsageError("there is no such file", where=path) from None
    except OSError as error:
        raise MachineError(f"cannot read the script: {error.strerror}", where=path) from error
    if len(source) > _LIMIT_BYTES:
        raise UsageError(f"this is no shell script: it has more than {_LIMIT_BYTES} bytes", where=path)
    return ShellFile(path, source, interpreter)


def _interpreter(start: bytes) -> tuple[str, ...]:
    if not start.startswith(b"#!"):
        return ()
    return tuple(start[2:].partition(b"\n")[0].decode(errors="replace").split())


def _is_shell(interpreter: tuple[str, ...]) -> bool:
    names = [word.rpartition("/")[2] for word in interpreter]
    if names[0] == "env":
        names = [name for name in names[1:] if not name.startswith("-") and "=" not in name] or names
    return names[0] in SHELLS
