"""Under which options Linux links which object: read from the source's makefiles, without running make.

Kbuild's makefiles say it in a few forms (`obj-$(CONFIG_X) += x.o`, `x-y := a.o b.o`, `obj-$(CONFIG_X) += x/`, `ifdef
CONFIG_X`), which is all that is understood here; what is not is left out, and who measures holds the result against
what a build has linked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

Literal = tuple[str, str]
"""A test of an option: its name, and `value` (its value), `on`, `off`, `y`, `m` or `not y`."""

Condition = frozenset[Literal]
"""All of these hold; the least of their values is how the object is built, in the kernel or as a module."""

ALWAYS: Condition = frozenset()

_ASSIGNMENT = re.compile(r"\s*(?P<name>[^\s:=+?#]+(?:\([^)]*\)[^\s:=+?]*)*)\s*(?P<sign>\+|:|::|\?)?=\s*(?P<words>.*)")
_OPTION = re.compile(r"\$\(CONFIG_(\w+)\)")
_SUBSTITUTED = re.compile(r"\$\((?:subst m,y,\s*\$\(CONFIG_(\w+)\)|CONFIG_(\w+):m=y)\)")
_REFERENCE = re.compile(r"\$\((\w[\w-]*)\)")
_PREFIXED = re.compile(r"\$\(addprefix\s+([^,]+),((?:[^()]|\([^()]*\))*)\)")
_TEST = re.compile(r"\s*(ifdef|ifndef|ifeq|ifneq|else|endif)\b\s*(.*)")
_COMPARED = re.compile(r"\(\s*\$\(CONFIG_(\w+)\)\s*,\s*(\w*)\s*\)")


def conditions(source: Path, platform: str, *, bits: int = 64) -> dict[str, set[Condition]]:
    """For every object below `source`, by path such as `fs/ext4/inode.o`, the conditions any of which builds it in.

    `platform` is the architecture as Linux names it; `bits` the size of its words.
    """
    found: dict[str, set[Condition]] = {}
    variables = {"SRCARCH": platform, "BITS": str(bits)}
    seen: set[tuple[str, Condition]] = set()
    pending: list[tuple[str, Condition]] = [("", ALWAYS), ("lib", ALWAYS)]
    pending += [(f"arch/{platform}/{name}", ALWAYS) for name in ("lib", "video")]
    pending += [(f"arch/{platform}/{name}", _value(option)) for name, option in (("pci", "PCI"), ("power", "PM"))]
    while pending:
        directory, condition = pending.pop()
        if (directory, condition) in seen:
            continue
        seen.add((directory, condition))
        makefile = _Makefile(source, directory, variables)
        for target, parts in makefile.built():
            together = condition | parts
            path = f"{directory}/{target}".lstrip("/")
            if target.endswith("/"):
                pending.append((_normal(path.rstrip("/")), together))
            else:
                found.setdefault(_normal(path), set()).add(together)
    return found


def holds(condition: Condition, value_of: Callable[[str], int]) -> bool:
    """Whether a condition builds an object into the kernel; `value_of` says 0, 1 or 2 for an option's n, m or y."""

    def passed(test: Literal) -> bool:
        option, kind = test
        value = value_of(option)
        return {"on": value > 0, "off": value == 0, "m": value == 1, "not y": value < 2}.get(kind, value == 2)

    return all(map(passed, condition))


def _value(option: str) -> Condition:
    return frozenset([(option, "value")])


def _normal(path: str) -> str:
    """A path without `x/../`."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


class _Makefile:
    """The lists of one directory's makefile."""

    def __init__(self, source: Path, directory: str, variables: Mapping[str, str]) -> None:
        self._lists: dict[str, list[tuple[str, Condition]]] = {}
        """The words of each variable; of `obj-$(CONFIG_X)` under `obj`, with the option as a condition."""
        self._variables = variables
        for name in ("Kbuild", "Makefile"):
            path = source / directory / name
            if path.is_file():
                self._read(source, path)
                break

    def built(self) -> Iterator[tuple[str, Condition]]:
        """Objects and directories (ending in `/`) that are built, with composite objects taken apart."""
        for name in ("obj", "lib"):
            for word, condition in self._lists.get(name, ()):
                if word.endswith("/"):
                    yield word, condition
                elif word.endswith(".o"):
                    yield from self._taken_apart(word, condition, 0)

    def _taken_apart(self, word: str, condition: Condition, depth: int) -> Iterator[tuple[str, Condition]]:
        stem = word.removesuffix(".o")
        parts = self._lists.get(stem) if depth < 4 else None
        if parts is None:
            yield word, condition
            return
        for part, further in parts:
            # A part of an object is in it whether its option is y or m.
            together = condition | {(option, "on" if test == "value" else test) for option, test in further}
            if part != word and part.endswith(".o"):
                yield from self._taken_apart(part, together, depth + 1)
            elif part == word:
                yield word, together

    def _read(self, source: Path, path: Path) -> None:
        tests: list[Literal | None] = []
        text = re.sub(r"[ \t]*\\\n[ \t]*", " ", path.read_text(encoding="utf-8", errors="replace"))
        for line in text.splitlines():
            line = line.split("#", 1)[0]
            if line.startswith("\t") and not _ASSIGNMENT.fullmatch(line):
                continue
            if test := _TEST.fullmatch(line):
                _nest(tests, test[1], test[2])
            elif line.startswith("include ") and "$(src" in line:
                target = re.sub(
                    r"\$\((src|srctree)\)", lambda m: "." if m[1] == "src" else str(source), line[8:].strip()
                )
                included = (path.parent / target).resolve()
                if included.is_file() and included.is_relative_to(source):
                    self._read(source, included)
            elif assignment := _ASSIGNMENT.fullmatch(line):
                tested = frozenset(test for test in tests if test)
                if assignment["sign"] != "+":
                    self._replace(assignment["name"])
                self._assign(assignment["name"], assignment["words"], tested)

    def _replace(self, name: str) -> None:
        """`x-$(CONFIG_A) := b.o` after `x-y := a.o` is the same variable, where A is y, and takes its place."""
        stem, condition = self._named(name)
        for option, _kind in condition:
            before = self._lists.get(stem or "", [])
            before[:] = [(word, further or frozenset([(option, "not y")])) for word, further in before]

    def _assign(self, name: str, words: str, tests: Condition) -> None:
        stem, condition = self._named(name)
        if stem is None:
            return
        for word, further in list(self._expanded(words)):
            self._lists.setdefault(stem, []).append((word, tests | condition | further))

    def _named(self, name: str) -> tuple[str | None, Condition]:
        """Which list a variable's name means, and the options in it."""
        name = name.replace("$(BITS)", self._variables["BITS"])
        if found := _SUBSTITUTED.search(name):
            rest, condition = name.replace(found[0], ""), frozenset([(found[1] or found[2], "on")])
        elif options := _OPTION.findall(name):
            if len(options) > 1:
                return None, ALWAYS
            rest, condition = _OPTION.sub("", name), _value(options[0])
        else:
            rest, condition = re.sub(r"-(y|m|objs)$", "-", name), ALWAYS
            if rest == name:
                return (None if "$" in name else name), ALWAYS
        return (rest.removesuffix("-") if rest.endswith("-") and "$" not in rest else None), condition

    def _expanded(self, words: str) -> Iterator[tuple[str, Condition]]:
        words = _PREFIXED.sub(lambda m: " ".join(f"{m[1].strip()}{word}" for word in m[2].split()), words)
        for word in words.split():
            word = _REFERENCE.sub(lambda m: self._variables.get(m[1], m[0]), word)
            if reference := _REFERENCE.fullmatch(word):
                stem, _condition = self._named(reference[1])
                yield from self._lists.get(stem or "", ())
            elif "$" not in word:
                yield word, ALWAYS


def _nest(tests: list[Literal | None], word: str, rest: str) -> None:
    """Follow `ifdef`, `else` and `endif`; None stands for a test that is not understood, and counts as true."""
    if word == "endif":
        if tests:
            tests.pop()
        return
    if word == "else":
        if tests:
            last = tests.pop()
            opposite = {"on": "off", "off": "on", "y": "not y", "not y": "y"}
            tests.append((last[0], opposite[last[1]]) if last and last[1] in opposite else None)
        return
    tests.append(_test(word, rest))


def _test(word: str, rest: str) -> Literal | None:
    if word in ("ifdef", "ifndef"):
        option = rest.strip().removeprefix("CONFIG_")
        return (option, "on" if word == "ifdef" else "off") if option != rest.strip() else None
    compared = _COMPARED.fullmatch(rest.strip())
    if compared is None:
        return None
    option, value = compared.groups()
    kind = {"y": "y", "": "off", "m": "m"}.get(value)
    if kind is None:
        return None
    if word == "ifneq":
        kind = {"y": "not y", "off": "on"}.get(kind, "")
    return (option, kind) if kind else None
