"""How much of a source file is there only under an option: its lines between `#ifdef CONFIG_X` and `#endif`, counted.

It is a measure without a build, which says how the size of an object that many options share is spread over them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

Guard = frozenset[tuple[str, bool]]
"""Options that have to be on (True) or off (False), all of them."""

NONE: Guard = frozenset()

_DIRECTIVE = re.compile(r"\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b\s*(.*)")
_TERM = re.compile(
    r"(!?)\s*(?:defined\s*\(?\s*CONFIG_(\w+)\s*\)?|IS_(?:ENABLED|REACHABLE|BUILTIN)\s*\(\s*CONFIG_(\w+)\s*\))"
)
_INCLUDE = re.compile(r'^#[ \t]*include[ \t]+"([\w-]+\.[ch])".*$', re.MULTILINE)
_FUNCTION = re.compile(r"^[a-z][\w \t*]*\([^;{}]*\)\n\{", re.MULTILINE)
_FUNCTIONS = 3
"""A header with so many functions more than are inline is code."""
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def guards(text: str) -> Counter[Guard]:
    """The number of lines with code in a C or assembler file, by what they are guarded with.

    A guard that is not understood counts as none; the definitions of macros are lines like all others.
    """
    found: Counter[Guard] = Counter()
    nested: list[tuple[Guard, Guard | None]] = []
    text = _COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), text).replace("\\\n", " ")
    for line in text.splitlines():
        directive = _DIRECTIVE.fullmatch(line.split("//")[0])
        if directive is None:
            if line.strip() and not line.lstrip().startswith("#include"):
                found[frozenset().union(*(guard for guard, _ in nested))] += 1
            continue
        word, rest = directive.groups()
        if word in ("if", "ifdef", "ifndef"):
            guard = _condition(word, rest)
            nested.append((guard, _opposite(guard)))
        elif word in ("else", "elif") and nested:
            _guard, opposite = nested.pop()
            nested.append((opposite or NONE, None))
        elif word == "endif" and nested:
            nested.pop()
    return found


@cache
def counted(file: Path) -> Mapping[Guard, int]:
    """The lines of a source, by what they are guarded with, as `guards` counts them."""
    return guards(code_of(file))


def code_of(file: Path) -> str:
    """A source with the code that it includes from its own directory: C files, and headers that define functions."""

    def included(match: re.Match[str]) -> str:
        other = file.parent / match[1]
        if not other.is_file():
            return match[0]
        text = other.read_text(encoding="utf-8", errors="replace")
        functions = len(_FUNCTION.findall(text)) - len(re.findall(r"\binline\b", text))
        return text if match[1].endswith(".c") or functions >= _FUNCTIONS else match[0]

    return _INCLUDE.sub(included, file.read_text(encoding="utf-8", errors="replace"))


def lines_of(directory: Path, path: str, values: Mapping[str, str]) -> int:
    """How many lines of an object's source are compiled with the values of a `.config`; 0 where it is made."""
    file = source_of(directory, path)
    if file is None:
        return 0
    return sum(
        count
        for guard, count in counted(file).items()
        if all((values.get(option, "n") != "n") == on for option, on in guard)
    )


def source_of(directory: Path, path: str) -> Path | None:
    """The source of an object, by its path below the directory of Linux' source; None where it is made."""
    files = (directory / f"{path.removesuffix('.o')}{suffix}" for suffix in (".c", ".S"))
    return next((file for file in files if file.is_file()), None)


def defines_tracepoints(directory: Path, path: str) -> bool:
    """Whether an object's source defines tracepoints, most of whose code is made by macros."""
    file = source_of(directory, path)
    return file is not None and "define CREATE_TRACE_POINTS" in file.read_text(encoding="utf-8", errors="replace")


def size_of(directory: Path, path: str) -> int:
    """Bytes of an object's source; 0 where it is made."""
    file = source_of(directory, path)
    return file.stat().st_size if file else 0


def _condition(word: str, rest: str) -> Guard:
    rest = rest.strip()
    if word in ("ifdef", "ifndef"):
        name = rest.split()[0] if rest else ""
        return frozenset([(_option(name), word == "ifdef")]) if name.startswith("CONFIG_") else NONE
    # Of alternatives the first one counts; the others are mostly for other architectures.
    return frozenset(_terms(rest.split("||")[0]))


def _terms(text: str) -> Iterator[tuple[str, bool]]:
    for part in text.split("&&"):
        if term := _TERM.search(part):
            yield _option(term[2] or term[3]), not term[1]


def _option(name: str) -> str:
    return name.removeprefix("CONFIG_").removesuffix("_MODULE")


def _opposite(guard: Guard) -> Guard | None:
    if len(guard) != 1:
        return None
    ((option, on),) = guard
    return frozenset([(option, not on)])
