# SPDX-License-Identifier: GPL-2.0-only
"""Compiles BusyBox's objects again with other values of the symbols that they depend on.

Runs in the sandbox, in BusyBox's tree. `/input/variants.json` has by symbol the values to try, each with all that has
to be assigned for it, and the symbols that need it. A symbol that stands in an object's C file is tried by itself;
those that only headers name are tried all at once, and by halves where that makes a difference to what the
preprocessor leaves of the C file. What comes out other than in the base is written to /output/variants.tar as
`<object>/<symbol>=<value>/<which>.o`: `off` has the value, and all that needs the symbol at `n`; `without` has only
what needs it at `n`, if anything does. Objects that only other values have are written as `<object>/=/base.o`.

With `naming`, which has by symbol those that go off with it and that nobody sets, only objects are looked at whose C
file names one of those, and only those symbols are tried on them.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

# Generated headers that name every symbol there is.
_ALL = frozenset({"autoconf.h", "applets.h", "usage.h", "usage_compressed.h", "bbconfigopts.h", "bbconfigopts_bz2.h"})
_KBUILD = re.compile(rb"^//kbuild:lib-\$\(CONFIG_([A-Z0-9_]+)\)\s*\+=\s*(.*)$", re.MULTILINE)
_MENTION = re.compile(rb"\b(?:ENABLE|CONFIG|IF|IF_NOT)_([A-Z0-9_]+)")

Values = tuple[tuple[str, str], ...]


class Objects:
    """The objects of a built tree, and what becomes of them under other values."""

    def __init__(self, commands: Mapping[str, list[str]], autoconf: str, scratch: Path) -> None:
        self._commands = commands
        self._autoconf = autoconf
        self._scratch = scratch
        self._known: dict[tuple[str, Values], bytes] = {}

    def compiled(self, name: str, values: Mapping[str, str]) -> bytes:
        """The object's bytes; empty where it does not compile."""
        if not values and Path(name).exists():
            return Path(name).read_bytes()
        key = (name, tuple(sorted(values.items())))
        if key not in self._known:
            self._known[key] = self._compile(name, values)
        return self._known[key]

    def preprocessed(self, name: str, values: Mapping[str, str]) -> bytes:
        """A digest of what the preprocessor leaves of the object's C file, without what headers bring."""
        words = self._words(name, values)
        argv = [*words[: words.index("-o")], *words[words.index("-o") + 2 :], "-E", "-w"]
        done = subprocess.run([word for word in argv if word != "-c"], capture_output=True, check=False)
        own, source, kept = True, words[-1].encode(), hashlib.sha256(str(done.returncode).encode())
        for line in done.stdout.splitlines():
            if line.startswith(b"# "):
                own = line.split(b'"')[1] == source
            elif own:
                kept.update(line)
        return kept.digest()

    def _compile(self, name: str, values: Mapping[str, str]) -> bytes:
        words = self._words(name, values)
        target = self._scratch / f"{hashlib.sha256(repr((name, values)).encode()).hexdigest()}.o"
        done = subprocess.run(
            [*words[: words.index("-o")], "-w", "-o", str(target), *words[words.index("-o") + 2 :]],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            return b""
        content = target.read_bytes()
        target.unlink()
        return content

    def _words(self, name: str, values: Mapping[str, str]) -> list[str]:
        """The command that compiles an object, told of other values."""
        text = with_values(self._autoconf, values)
        place = self._scratch / hashlib.sha256(text.encode()).hexdigest()[:16]
        header = place / "autoconf.h"
        if not header.exists():
            place.mkdir(exist_ok=True)
            partial = place / f"{os.getpid()}-{name.replace('/', '-')}.part"
            partial.write_text(text)
            partial.rename(header)
        return [str(header) if word == "include/autoconf.h" else word for word in self._commands[name]]


def with_values(autoconf: str, values: Mapping[str, str]) -> str:
    """BusyBox's generated header with other values."""
    kept = []
    lines = iter(autoconf.splitlines())
    for line in lines:
        found = re.match(r"#(?:define|undef) CONFIG_([A-Z0-9_]+)\b", line)
        if found and found[1] in values:
            # ENABLE_ follows, then IF_ in two forms within a conditional, then IF_NOT_.
            for rest in lines:
                if re.match(r"#define IF_NOT_", rest):
                    break
        else:
            kept.append(line)
    for name, value in values.items():
        if value == "n":
            kept += [
                f"#undef CONFIG_{name}",
                f"#define ENABLE_{name} 0",
                f"#define IF_{name}(...)",
                f"#define IF_NOT_{name}(...) __VA_ARGS__",
            ]
        else:
            kept += [
                f"#define CONFIG_{name} {1 if value == 'y' else value}",
                f"#define ENABLE_{name} 1",
                f"#define IF_{name}(...) __VA_ARGS__",
                f"#define IF_NOT_{name}(...)",
            ]
    return "\n".join(kept) + "\n"


def main() -> None:
    """Read what is wanted, compile it, write what differs."""
    wanted = json.loads(Path("/input/variants.json").read_text())
    needs: Mapping[str, list[str]] = wanted["needed_by"]
    values: Mapping[str, Mapping[str, Mapping[str, str]]] = wanted["values"]
    naming: Mapping[str, list[str]] = wanted.get("naming", {})
    symbols = {*values, *(other for others in (*naming.values(), *needs.values()) for other in others)}
    commands, mentions = {}, {}
    for file in sorted(Path().rglob(".*.o.cmd")):
        text = file.read_text()
        target, _, command = text.splitlines()[0].removeprefix("cmd_").partition(" := ")
        if not target.endswith(".o") or " -c " not in command or target.startswith(("scripts/", "applets/usage")):
            continue
        words = [word for word in shlex.split(command) if not word.startswith("-Wp,-MD")]
        if words[0] != "/build/cc":
            continue
        mentioned = _mentions(target, text, symbols)
        if naming:
            named = {name for name, others in naming.items() if not set(others).isdisjoint(mentioned.own)}
            mentioned = replace(mentioned, own=sorted(named - mentioned.makers), shared=[])
            if not mentioned.own:
                continue
        commands[target] = words
        mentions[target] = mentioned
    objects = Objects(commands, Path("include/autoconf.h").read_text(), Path("/build/variants"))
    Path("/build/variants").mkdir()
    with (
        tarfile.open("/output/variants.tar", "w") as archive,
        ThreadPoolExecutor(int(os.environ["JOBS"])) as pool,
    ):
        for found in pool.map(lambda name: list(_differing(objects, name, mentions[name], needs, values)), commands):
            for path, content in found:
                _add(archive, path, content)
        for name, other in wanted["further"].items():
            commands[name] = _like(commands[other["like"]], other["like"], name)
            if not (content := objects.compiled(name, other["values"])):
                sys.exit(f"{name} does not compile")
            _add(archive, f"{name}/=/base.o", content)


def _add(archive: tarfile.TarFile, path: str, content: bytes) -> None:
    member = tarfile.TarInfo(path)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _like(command: list[str], name: str, other: str) -> list[str]:
    """The command that compiles `other`, from the one that compiles `name`."""
    stem, new = name.removesuffix(".o"), other.removesuffix(".o")
    return [word.replace(f"{stem}.", f"{new}.") for word in command]


@dataclass(frozen=True)
class _Mentions:
    """The symbols to try because an object's C file names them, or only its headers do, and all that are named.

    Without one of `makers` the object is not compiled; if that is the only one, it need not be tried.
    """

    own: list[str]
    shared: list[str]
    named: frozenset[str]
    makers: frozenset[str]


def _mentions(target: str, rules: str, symbols: set[str]) -> _Mentions:
    sources = re.findall(r"^\s+(\S+\.[ch])\s*\\?$", rules, re.MULTILINE)
    sources += re.findall(r":= (\S+\.c) ", rules)
    own: set[str] = set()
    shared: set[str] = set()
    only: set[str] = set()
    for source in dict.fromkeys(sources):
        path = Path(source)
        if path.is_absolute() or not path.exists() or path.name in _ALL:
            continue
        content = path.read_bytes()
        named = {word.decode() for word in _MENTION.findall(content)} & symbols
        if path.suffix == ".c":
            makers = [
                symbol.decode() for symbol, names in _KBUILD.findall(content) if Path(target).name.encode() in names
            ]
            only |= set(makers if len(makers) == 1 else ())
            own |= named
        else:
            shared |= named
    return _Mentions(sorted(own - only), sorted(shared - own), frozenset(own | shared), frozenset(only))


def _differing(
    objects: Objects,
    name: str,
    mentioned: _Mentions,
    needed_by: Mapping[str, list[str]],
    values: Mapping[str, Mapping[str, Mapping[str, str]]],
) -> Iterable[tuple[str, bytes]]:
    base = objects.compiled(name, {})
    if not base:
        sys.exit(f"{name} does not compile")
    tried = list(mentioned.own)
    if mentioned.shared:
        tried += _effective(objects, name, objects.preprocessed(name, {}), mentioned.shared)
    for symbol in tried:
        for value, assigned in values[symbol].items():
            dependents = (
                {other: "n" for other in needed_by.get(symbol, ()) if other in mentioned.named} if value == "n" else {}
            )
            off = objects.compiled(name, {**dependents, **assigned})
            without = objects.compiled(name, dependents) if dependents else base
            if off and without and off != without:
                yield f"{name}/{symbol}={value}/off.o", off
                if without != base:
                    yield f"{name}/{symbol}={value}/without.o", without


def _effective(objects: Objects, name: str, base: bytes, symbols: list[str]) -> list[str]:
    """Those of `symbols` that make a difference, found by halving."""
    if not symbols:
        return []
    if objects.preprocessed(name, dict.fromkeys(symbols, "n")) == base:
        return []
    if len(symbols) == 1:
        return symbols
    middle = len(symbols) // 2
    return _effective(objects, name, base, symbols[:middle]) + _effective(objects, name, base, symbols[middle:])


if __name__ == "__main__":
    main()
