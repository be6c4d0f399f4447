"""From what a script calls to the commands that run: those that other commands start included.

`find -exec`, `xargs`, `env`, `sudo` and the like are looked through, and text that a shell is given to run (`eval`,
`trap`, `sh -c`) is read as the script it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kimitui.suggest.shell import Assigned, Script, Use, Word, parse


@dataclass(frozen=True)
class Command:
    """A command and its arguments. `in_shell`: a function or builtin of this name would be run in its place."""

    name: str
    arguments: tuple[Word, ...]
    line: int
    in_shell: bool


@dataclass(frozen=True)
class Unknown:
    """What a run of the script decides; `what` says it in words."""

    what: str
    line: int


@dataclass(frozen=True)
class Commands:
    """What a script runs, in its order. `sourced` are the names of the files that it reads as a part of itself."""

    commands: tuple[Command, ...]
    unknown: tuple[Unknown, ...]
    sourced: frozenset[str]
    functions: frozenset[str]
    uses: tuple[Use, ...]
    unread: tuple[int, ...]


@dataclass(frozen=True)
class _Prefix:
    """A command that is followed by another one.

    `valued` are its short options that take the next word, `long` the long ones; `operands` come before the other
    command, `assigns` says that assignments may.
    """

    valued: str = ""
    long: tuple[str, ...] = ()
    operands: int = 0
    assigns: bool = False


_PREFIXES: Mapping[str, _Prefix] = {
    "busybox": _Prefix(),
    "chpst": _Prefix("uUbeonmdolpfcrt/P"),
    "chroot": _Prefix(operands=1),
    "chrt": _Prefix("TPD", operands=1),
    "command": _Prefix(),
    "contain": _Prefix(),
    "doas": _Prefix("uC"),
    "env": _Prefix("uC", ("--unset", "--chdir"), assigns=True),
    "envdir": _Prefix(operands=1),
    "envuidgid": _Prefix(operands=1),
    "exec": _Prefix("a"),
    "fakeroot": _Prefix(),
    "gosu": _Prefix(operands=1),
    "ionice": _Prefix("cn", ("--class", "--classdata")),
    "linux32": _Prefix(),
    "linux64": _Prefix(),
    "ltrace": _Prefix("eopsu"),
    "nice": _Prefix("n", ("--adjustment",)),
    "nohup": _Prefix(),
    "nsenter": _Prefix("tSG", ("--target", "--setuid", "--setgid")),
    "setarch": _Prefix(operands=1),
    "setpriv": _Prefix(long=("--inh-caps", "--ambient-caps", "--bounding-set")),
    "setsid": _Prefix(),
    "setuidgid": _Prefix(operands=1),
    "softlimit": _Prefix("acdfilmnoprst"),
    "stdbuf": _Prefix("ioe", ("--input", "--output", "--error")),
    "strace": _Prefix("abeoOpPsSuEI"),
    "su-exec": _Prefix(operands=1),
    "sudo": _Prefix("ugpCDhrtTU", ("--user", "--group", "--prompt", "--chdir", "--host"), assigns=True),
    "taskset": _Prefix(operands=1),
    "time": _Prefix("fo", ("--format", "--output")),
    "timeout": _Prefix("ks", ("--kill-after", "--signal"), operands=1),
    "tini": _Prefix("pe"),
    "unshare": _Prefix("RwSG", ("--root", "--wd", "--setuid", "--setgid")),
    "watch": _Prefix("n", ("--interval",)),
    "xargs": _Prefix("adEILnPs", ("--arg-file", "--delimiter", "--max-args", "--max-procs", "--max-lines")),
}
SHELLS = frozenset({"sh", "ash", "bash", "dash", "hush", "ksh", "mksh", "zsh"})
"""What reads a script, and text with -c."""
_SHELL_VALUED = "oO"
_FIND_RUNS = ("-exec", "-execdir", "-ok", "-okdir")
# No commands, though the grammar takes them for some after a mistake.
_WORDS = "! { } case do done elif else esac fi for if in then until while"
_RESERVED = frozenset(_WORDS.split())
_LITERAL_ENDS = (";", "+")


def commands(script: Script) -> Commands:
    """The commands of `script`."""
    finder = _Finder(script.assigned)
    finder.add(script)
    return Commands(
        tuple(finder.commands),
        tuple(dict.fromkeys(finder.unknown)),
        frozenset(finder.sourced),
        frozenset(finder.functions),
        tuple(finder.uses),
        tuple(sorted(set(finder.unread))),
    )


class _Finder:
    def __init__(self, assigned: Sequence[Assigned]) -> None:
        self._values: dict[str, list[str | None]] = {}
        for one in assigned:
            self._values.setdefault(one.variable, []).append(one.value)
        self.commands: list[Command] = []
        self.unknown: list[Unknown] = []
        self.sourced: set[str] = set()
        self.functions: set[str] = set()
        self.uses: list[Use] = []
        self.unread: list[int] = []

    def add(self, script: Script) -> None:
        """Take in a script, or a piece of text that is run as one."""
        self.functions |= script.functions
        self.uses += script.uses
        self.unread += script.unread
        for call in script.calls:
            if call.words[0].text == "read":
                for word in call.words[1:]:
                    self._values.setdefault(word.text or "", []).append(None)
        for call in script.calls:
            self._call(call.words, call.line, True)

    def _call(self, words: Sequence[Word], line: int, in_shell: bool) -> None:
        for first, *rest in self._spelled_out(words, line):
            self._command(first, tuple(rest), line, in_shell)

    def _spelled_out(self, words: Sequence[Word], line: int) -> Iterator[tuple[Word, ...]]:
        """The call with its name as literal text: several if a variable is given one of several values."""
        if not words:
            return
        if words[0].text is not None or words[0].file_name:
            yield tuple(words)
            return
        values = self._values.get(words[0].variable, [])
        for value in dict.fromkeys(values):
            if value is not None and (parts := value.split()):
                yield (*(Word((part,), part) for part in parts), *words[1:])
        if not values or None in values:
            self.unknown.append(Unknown(f"the command is {words[0].raw}", line))

    def _command(self, first: Word, arguments: tuple[Word, ...], line: int, in_shell: bool) -> None:
        name = first.text if first.text is not None else first.raw
        if not name or name.startswith("-") or name in _RESERVED:
            return
        self.commands.append(Command(name, arguments, line, in_shell and "/" not in name))
        called = first.file_name or name
        if called in ("eval", "trap", "alias", ".", "source") and in_shell:
            self._builtin(called, arguments, line)
        elif called == "find":
            self._find(arguments, line)
        elif called == "start-stop-daemon":
            self._valued(arguments, ("-x", "--exec", "-a", "--startas"), line)
        elif called in SHELLS or called == "su":
            self._shell(called, arguments, line)
        elif called == "flock":
            self._flock(arguments, line)
        elif called in _PREFIXES and not (called == "command" and self._asks(arguments)):
            self._call(_after(_PREFIXES[called], arguments), line, called == "command" and in_shell)

    @staticmethod
    def _asks(arguments: Sequence[Word]) -> bool:
        """Whether `command` only says what would be run."""
        return bool(arguments) and arguments[0].text in ("-v", "-V")

    def _builtin(self, name: str, arguments: tuple[Word, ...], line: int) -> None:
        if name == "eval":
            self._text(arguments, line, "eval is given")
        elif name == "trap":
            if arguments and arguments[0].text not in ("-", "", "--", "-p", "-l"):
                self._text(arguments[:1], line, "trap is given")
        elif name == "alias":
            for word in arguments:
                alias, equals, value = (word.text or "").partition("=")
                if equals:
                    self.functions.add(alias)
                    self.add(parse(value.encode(errors="surrogateescape"), line))
        elif arguments:
            if file_name := arguments[0].file_name:
                self.sourced.add(file_name)
            else:
                self.unknown.append(Unknown(f"it reads the script {arguments[0].raw}", line))

    def _text(self, words: Sequence[Word], line: int, what: str) -> None:
        """Read what is given to a shell as text."""
        texts = [word.text for word in words]
        if None in texts:
            self.unknown.append(Unknown(f"{what} {' '.join(word.raw for word in words)}", line))
        else:
            source = " ".join(text for text in texts if text).encode(errors="surrogateescape")
            self.add(parse(source, line))

    def _shell(self, name: str, arguments: tuple[Word, ...], line: int) -> None:
        """A shell runs the text after -c, or the file that it is given."""
        following = iter(range(len(arguments)))
        for position in following:
            text = arguments[position].text
            if text is None:
                return
            if not text.startswith("-"):
                if name != "su":
                    file = text if "/" in text else f"./{text}"
                    self.commands.append(Command(file, (), line, False))
                    return
            elif not text.startswith("--") and "c" in text:
                self._text(arguments[position + 1 : position + 2], line, f"{name} -c is given")
                return
            elif text[-1] in _SHELL_VALUED:
                next(following, None)

    def _find(self, arguments: tuple[Word, ...], line: int) -> None:
        position = 0
        while position < len(arguments):
            if arguments[position].text in _FIND_RUNS:
                rest = arguments[position + 1 :]
                end = next((index for index, word in enumerate(rest) if word.text in _LITERAL_ENDS), len(rest))
                self._call(rest[:end], line, False)
                position += end
            position += 1

    def _valued(self, arguments: tuple[Word, ...], options: Sequence[str], line: int) -> None:
        """A command that is the value of an option."""
        for option, value in pairwise(arguments):
            if option.text in options:
                self._call((value,), line, False)

    def _flock(self, arguments: tuple[Word, ...], line: int) -> None:
        rest = _after(_Prefix("wE", ("--timeout", "--wait"), operands=1), arguments)
        if rest and rest[0].text == "-c":
            self._text(rest[1:2], line, "flock -c is given")
        else:
            self._call(rest, line, False)


def _after(prefix: _Prefix, arguments: Sequence[Word]) -> Sequence[Word]:
    """What follows the options and operands of a command that is followed by another."""
    position = 0
    while position < len(arguments):
        text = arguments[position].text
        if text is None or len(text) < 2 or not text.startswith("-"):
            break
        position += 1
        if text == "--":
            break
        if text in prefix.long or (not text.startswith("--") and text[-1] in prefix.valued):
            position += 1
    position += prefix.operands
    while prefix.assigns and position < len(arguments) and _is_assignment(arguments[position]):
        position += 1
    return arguments[position:]


def _is_assignment(word: Word) -> bool:
    first = word.parts[0]
    name, equals, _ = (first if isinstance(first, str) else "").partition("=")
    return bool(equals) and name.isidentifier()
