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
_NOT_FOUND = re.compile(r"'(?P<name>[^']+)' not found \(in ")
_DEFINED = re.compile(r"defined at (?P<file>[^\n:]+):(?P<line>\d+)")
_OF_PARSING = {"_functions", "_readline", "_filestack", "_tokens", "_set_match", "_unset_match"}
_MODULES = re.compile(r"\s*modules\s*(#.*)?\n?")

Shell = Callable[[str], str]
"""Answers the command of a `$(shell,…)` macro with what it prints; may raise KimituiError."""


class StorableKconfig(kconfiglib.Kconfig):  # type: ignore[misc]
    """kconfiglib's, made to read what Linux has written since 5.13: `modules` for `option modules`.

    It can be pickled, without what is of use only while it is parsed.
    """

    def _tokenize(self, line: str) -> Any:
        # Lines of help texts do not come here.
        return super()._tokenize("\toption modules\n" if "modules" in line and _MODULES.fullmatch(line) else line)

    def __getstate__(self) -> dict[str, Any]:
        names = (name for name in kconfiglib.Kconfig.__slots__ if name not in _OF_PARSING)
        return {name: getattr(self, name) for name in names if hasattr(self, name)}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self._functions: dict[str, Any] = {}
        self._set_match = kconfiglib._re_match(self.config_prefix + "([^=]+)=(.*)")
        self._unset_match = kconfiglib._re_match(f"# {self.config_prefix}([^ ]+) is not set")


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
        "KCONFIG_FUNCTIONS": f"{__name__}.none",  # else any kconfigfunctions.py on the path would be run
        **environment,
        "srctree": str(directory),
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


def load(
    path: Path,
    *,
    environment: Mapping[str, str] | None = None,
    shell: Shell | None = None,
    srctree: Path | None = None,
) -> Kconfig:
    """The tree whose root file is `path`; paths in `source` are relative to `srctree`, else to the directory of `path`.

    `environment` is all that macros such as `$(ARCH)` can see. `shell` answers `$(shell,…)`; without it the commands
    are run, as in every other configurator, so give one for a tree whose commands must not be. What kconfiglib warns
    about is in the result's `warnings`; nothing is added to them later. Raises KimituiError, with file and line, if
    the tree is malformed, has a dependency loop, is not UTF-8 or cannot be read.
    """
    path = path.absolute()
    directory = srctree.absolute() if srctree is not None else path.parent
    root = path.relative_to(directory) if path.is_relative_to(directory) else path
    try:
        with _isolated(directory, environment or {}, shell):
            tree = StorableKconfig(str(root), warn_to_stderr=False, encoding="utf-8")
    except kconfiglib.KconfigError as error:
        raise _malformed(path, directory, str(error)) from error
    except OSError as error:
        raise _unreadable(path, directory, error) from error
    except RecursionError as error:
        raise KimituiError("the Kconfig tree is nested too deeply", where=path) from error
    tree.warn = False  # evaluating would otherwise add the same warnings again and again
    return cast(Kconfig, tree)


def _unreadable(path: Path, directory: Path, error: OSError) -> KimituiError:
    where: Location | Path = Path(error.filename or path)
    what = error.strerror or str(error)
    if found := _PLACE.match(str(error)):  # a file that another one sources
        where = Location(directory / found["file"], int(found["line"]), 1)
        what = found["text"].strip()
    return KimituiError(f"cannot read the Kconfig tree: {what}", where=where)


def _malformed(path: Path, directory: Path, message: str) -> KimituiError:
    message = message.strip()
    where: Location | Path = path
    if found := _PLACE.match(message):
        message = found["text"].strip()
        where = Location(directory / found["file"], int(found["line"]), 1)
    elif found := _AT_END.search(message):
        file = directory / found["file"]
        where = Location(file, len(file.read_bytes().splitlines()), 1)
    elif found := _DEFINED.search(message):
        where = Location(directory / found["file"], int(found["line"]), 1)
    if found := _NOT_FOUND.match(message):
        # BusyBox makes some of its files itself.
        made = (directory / "init" / "Config.src").is_file()
        fix = "run make gen_build_files in BusyBox's directory first, which makes it" if made else None
        return KimituiError(f"malformed Kconfig: there is no file {found['name']}", where=where, fix=fix)
    first, *rest = message.removeprefix("error: ").splitlines() or [""]
    return KimituiError(
        f"malformed Kconfig: {first}", where=where, details=tuple(line for line in rest if line.strip())
    )
