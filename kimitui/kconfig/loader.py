"""kconfiglib, opened by our conventions.

A tree depends on its files and on what is passed in, never on the environment or the current directory;
warnings are kept in `Kconfig.warnings`, not printed; an error names file and line.
"""

from __future__ import annotations

import glob
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import kconfiglib

from kimitui.errors import KimituiError, Location
from kimitui.kconfig.types import Kconfig

_SWAP = threading.Lock()
_PLACE = re.compile(r"^\s*(?:error: )?(?P<file>[^\n:]+):(?P<line>\d+): (?P<text>.*)", re.DOTALL)


_AT_END = re.compile(r"at end of '(?P<file>[^'\n]+)'")
_DEFINED = re.compile(r"defined at (?P<file>[^\n:]+):(?P<line>\d+)")
_MODULES = re.compile(r"\s*modules\s*(#.*)?\n?")

Shell = Callable[[str], str]
"""Answers the command of a `$(shell,…)` macro with what it prints; may raise KimituiError."""


class _Kconfig(kconfiglib.Kconfig):  # type: ignore[misc]
    """kconfiglib's, made to read what Linux has written since 5.13: `modules` for `option modules`."""

    def _tokenize(self, line: str) -> Any:
        # Lines of help texts do not come here.
        return super()._tokenize("\toption modules\n" if _MODULES.fullmatch(line) else line)


class _Os:
    """`os` as kconfiglib sees it while it reads a tree: with an environment of its own.

    kconfiglib asks the environment in a dozen places (prefix of symbols, source tree, Python functions to
    import, macros). Replacing the name `os` in kconfiglib alone leaves the process's environment, which other
    threads start programs with, as it is.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environ = dict(environment)

    def getenv(self, name: str, default: str | None = None) -> str | None:
        return self.environ.get(name, default)

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


@contextmanager
def _isolated(directory: Path, environment: Mapping[str, str], shell: Shell | None) -> Iterator[None]:
    fixed = {
        **environment,
        "srctree": str(directory),
        "KCONFIG_FUNCTIONS": f"{__name__}.none",  # else any kconfigfunctions.py on the path would be run
    }
    find = kconfiglib.iglob
    prefix = f"{os.path.realpath(directory)}{os.sep}"

    def iglob(pattern: str) -> Any:
        # A directory may have a name that reads as a pattern; only what the tree says is one.
        relative = pattern.removeprefix(prefix)
        return find(pattern if relative == pattern else glob.escape(prefix) + relative)

    run = kconfiglib._shell_fn

    def answer(kconfig: Any, name: str, command: str) -> Any:
        return run(kconfig, name, command) if shell is None else shell(command)

    with _SWAP:
        before = kconfiglib.os, kconfiglib.iglob
        kconfiglib.os, kconfiglib.iglob, kconfiglib._shell_fn = _Os(fixed), iglob, answer
        try:
            yield
        finally:
            (kconfiglib.os, kconfiglib.iglob), kconfiglib._shell_fn = before, run


def load(path: Path, *, environment: Mapping[str, str] | None = None, shell: Shell | None = None) -> Kconfig:
    """The tree whose root file is `path`; paths in `source` are relative to the directory of `path`.

    `environment` is all that macros such as `$(ARCH)` can see. `shell` answers `$(shell,…)`; without it the commands
    are run, as in every other configurator, so give one for a tree whose commands must not be. What kconfiglib warns
    about is in the result's `warnings`; nothing is added to them later. Raises KimituiError, with file and line, if
    the tree is malformed, has a dependency loop, is not UTF-8 or cannot be read.
    """
    path = path.absolute()
    try:
        with _isolated(path.parent, environment or {}, shell):
            tree = _Kconfig(path.name, warn_to_stderr=False, encoding="utf-8")
    except kconfiglib.KconfigError as error:
        raise _malformed(path, str(error)) from error
    except OSError as error:
        raise KimituiError(
            f"cannot read the Kconfig tree: {error.strerror or error}", where=Path(error.filename or path)
        ) from error
    except RecursionError as error:
        raise KimituiError("the Kconfig tree is nested too deeply", where=path) from error
    tree.warn = False  # evaluating would otherwise add the same warnings again and again
    return cast(Kconfig, tree)


def _malformed(path: Path, message: str) -> KimituiError:
    message = message.strip()
    where: Location | Path = path
    if found := _PLACE.match(message):
        message = found["text"].strip()
        where = Location(path.parent / found["file"], int(found["line"]), 1)
    elif found := _AT_END.search(message):
        file = path.parent / found["file"]
        where = Location(file, len(file.read_bytes().splitlines()), 1)
    elif found := _DEFINED.search(message):
        where = Location(path.parent / found["file"], int(found["line"]), 1)
    first, *rest = message.removeprefix("error: ").splitlines() or [""]
    return KimituiError(
        f"malformed Kconfig: {first}", where=where, details=tuple(line for line in rest if line.strip())
    )
