"""How much of a source file is there only under an option: its lines between `#ifdef CONFIG_X` and `#endif`, counted.

It is a measure without a build, which says how the size of an object that many options share is spread over them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

Guard = frozenset[tuple[str, bool]]
"""Options that have to be on (True) or off (False), all of them."""

NONE: Guard = frozenset()

_DIRECTIVE = re.compile(r"\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b\s*(.*)")
_TERM = re.compile(
    r"(!?)\s*(?:defined\s*\(?\s*CONFIG_(\w+)\s*\)?|IS_(?:ENABLED|REACHABLE|BUILTIN)\s*\(\s*CONFIG_(\w+)\s*\))"
)
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


def source_of(directory: Path, path: str) -> Path | None:
    """The source of an object, by its path below the directory of Linux' source; None where it is made."""
    files = (directory / f"{path.removesuffix('.o')}{suffix}" for suffix in (".c", ".S"))
    return next((file for file in files if file.is_file()), None)


def size_of(directory: Path, path: str) -> int:
    """Bytes of an object's source; 0 where it is made."""
    file = source_of(directory, path)
    return file.stat().st_size if file else 0


def _condition(word: str, rest: str) -> Guard:
    rest = rest.strip()
    if word in ("ifdef", "ifndef"):
        name = rest.split()[0] if rest else ""
        return frozenset([(_option(name), word == "ifdef")]) if name.startswith("CONFIG_") else NONE
    if "||" in rest:
        return NONE
    return frozenset(_terms(rest))


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
