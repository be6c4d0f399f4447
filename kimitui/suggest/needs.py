"""What scripts need of the image they run in, whatever is in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kimitui.errors import Location
from kimitui.suggest import commands
from kimitui.suggest.commands import Command, Commands
from kimitui.suggest.files import ShellFile
from kimitui.suggest.knowledge import BASH_BUILTINS, BUILTINS, option_symbols
from kimitui.suggest.shell import ARITHMETIC, BASH_COMPAT, ONLY_BASH, Word, parse

_PROGRAM_DIRECTORIES = frozenset({"/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"})


@dataclass(frozen=True)
class Need:
    """Something that scripts need, and where they do.

    `in_shell` is false where a builtin of the shell does not do, because another program starts it or it has a path.
    `symbols` are what the options with which it is called need. `doubtful` says that it is only in scripts that are not
    wholly understood, where it may be no command at all, or a function of a script that is not among those given.
    """

    name: str
    where: tuple[Location, ...]
    in_shell: bool
    symbols: tuple[str, ...] = ()
    doubtful: bool = False


@dataclass(frozen=True)
class Remark:
    """Something that a user has to look at: `what` in words, a place for each time."""

    what: str
    where: tuple[Location, ...]


@dataclass(frozen=True)
class Needs:
    """What scripts need, by name; each list sorted.

    `commands` may be builtins, applets, or programs of packages. `constructs` are those of the language that not every
    BusyBox shell has. `impossible` is what no BusyBox shell has, `unknown` what only a run decides.
    """

    scripts: tuple[Path, ...]
    commands: tuple[Need, ...]
    constructs: tuple[Need, ...]
    impossible: tuple[Remark, ...]
    unknown: tuple[Remark, ...]


def of(scripts: Sequence[ShellFile]) -> Needs:
    """What `scripts` need together."""
    read = {script.path: commands.commands(parse(script.source)) for script in scripts}
    names = {path.name for path in read}
    found = _Found(frozenset(path for path, has in read.items() if has.unread or has.sourced - names))
    for script in scripts:
        own = read[script.path]
        functions = _functions(script.path, read)
        found.interpreter(script)
        for command in own.commands:
            found.command(script.path, command, functions, names)
        for use in own.uses:
            found.construct(use.construct, Location(script.path, use.line, 1))
        for unknown in own.unknown:
            found.unknown(unknown.what, Location(script.path, unknown.line, 1))
        for missing in sorted(own.sourced - names):
            found.unknown(
                f"the script {missing}, which is read as a part of this one, is not among those given",
                Location(script.path),
            )
        for line in own.unread:
            found.unknown("the syntax is not understood, and commands may be missed", Location(script.path, line, 1))
    return found.needs(tuple(sorted(read)))


def _functions(path: Path, read: Mapping[Path, Commands]) -> frozenset[str]:
    """The functions and aliases that a script sees: its own, and those of all that read each other."""
    together = {path}
    while True:
        sourced = {name for one in together for name in read[one].sourced}
        named = {one.name for one in together}
        further = {one for one, has in read.items() if one.name in sourced or has.sourced & named} - together
        if not further:
            return frozenset(name for one in together for name in read[one].functions)
        together |= further


class _Found:
    def __init__(self, doubtful: frozenset[Path]) -> None:
        self._doubtful = doubtful
        self._commands: dict[tuple[str, bool], tuple[list[Location], set[str]]] = {}
        self._constructs: dict[str, list[Location]] = {}
        self._impossible: dict[str, list[Location]] = {}
        self._unknown: dict[str, list[Location]] = {}

    def interpreter(self, script: ShellFile) -> None:
        """The first line of a script starts a program, too; without one, it is what is called sh."""
        words = script.interpreter or ("/bin/sh",)
        where = Location(script.path, 1, 1)
        for call in (words[:1], words[1:] if words[0].endswith("/env") else ()):
            name = next((word for word in call if not word.startswith("-") and "=" not in word), "")
            if name:
                self._need(name.rpartition("/")[2], where, in_shell=False)

    def command(self, path: Path, command: Command, functions: frozenset[str], scripts: Iterable[str]) -> None:
        """A command that a script runs."""
        where = Location(path, command.line, 1)
        name = command.name
        if "/" in name:
            file = PurePosixPath(name)
            if str(file.parent) not in _PROGRAM_DIRECTORIES:
                if file.name not in scripts:
                    self.unknown(f"it runs the file {name}", where)
                return
            name = file.name
        elif command.in_shell and name in functions:
            return
        if name in BASH_BUILTINS and command.in_shell:
            self._impossible.setdefault(f"{name} is a builtin of bash", []).append(where)
            return
        self._need(name, where, in_shell=command.in_shell and name in BUILTINS, arguments=command.arguments)

    def construct(self, construct: str, where: Location) -> None:
        """A construct of the language."""
        if construct in ONLY_BASH:
            self._impossible.setdefault(f"{construct} is bash's alone", []).append(where)
        elif construct == ARITHMETIC:
            self._constructs.setdefault("arithmetic", []).append(where)
        elif construct in BASH_COMPAT.values():
            self._constructs.setdefault("bash", []).append(where)

    def unknown(self, what: str, where: Location) -> None:
        """Something that only a run of the script shows."""
        self._unknown.setdefault(what, []).append(where)

    def _need(self, name: str, where: Location, *, in_shell: bool, arguments: Sequence[Word] = ()) -> None:
        places, symbols = self._commands.setdefault((name, in_shell), ([], set()))
        places.append(where)
        symbols.update(option_symbols(name, arguments))

    def needs(self, scripts: tuple[Path, ...]) -> Needs:
        """All of it."""
        return Needs(
            scripts,
            tuple(
                Need(
                    name,
                    tuple(where),
                    in_shell,
                    tuple(sorted(symbols)),
                    all(place.path in self._doubtful for place in where),
                )
                for (name, in_shell), (where, symbols) in sorted(self._commands.items())
            ),
            tuple(Need(name, tuple(where), True) for name, where in sorted(self._constructs.items())),
            _remarks(self._impossible),
            _remarks(self._unknown),
        )


def _remarks(found: Mapping[str, list[Location]]) -> tuple[Remark, ...]:
    return tuple(Remark(what, tuple(where)) for what, where in sorted(found.items()))
