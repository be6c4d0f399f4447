# SPDX-License-Identifier: GPL-2.0-only
"""The objects of a built tree of BusyBox: how each was compiled, what its sources name, what becomes of it under other
values of the symbols."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shlex
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Generated headers that name every symbol there is.
_ALL = frozenset({"autoconf.h", "applets.h", "usage.h", "usage_compressed.h", "bbconfigopts.h", "bbconfigopts_bz2.h"})
_KBUILD = re.compile(rb"^//kbuild:lib-\$\(CONFIG_([A-Z0-9_]+)\)\s*\+=\s*(.*)$", re.MULTILINE)
_TABLES = "applet_tables.h"
_FUNCTION = re.compile(r"^\w+_main,$", re.MULTILINE)
MENTION = re.compile(rb"\b(?:ENABLE|CONFIG|IF|IF_NOT)_([A-Z0-9_]+)")

Values = tuple[tuple[str, str], ...]


class Objects:
    """The objects of a built tree, and what becomes of them under other values."""

    def __init__(
        self,
        commands: Mapping[str, list[str]],
        autoconf: str,
        scratch: Path,
        always: Mapping[str, Mapping[str, str]],
    ) -> None:
        """`always` has by object what is assigned in all of its compilations."""
        self._commands = commands
        self._always = always
        self._autoconf = autoconf
        self._scratch = scratch
        _write_tables(scratch)
        self._known: dict[tuple[str, Values], bytes] = {}
        self._wanted: dict[bytes, frozenset[str]] = {}

    def compiled(self, name: str, values: Mapping[str, str]) -> bytes:
        """The object's bytes; empty where it does not compile."""
        if not values and Path(name).exists():
            return Path(name).read_bytes()
        key = (name, tuple(sorted(values.items())))
        if key not in self._known:
            self._known[key] = self._compile(name, values)
        return self._known[key]

    def wants(self, content: bytes) -> frozenset[str]:
        """What an object's bytes need of others."""
        key = hashlib.sha256(content).digest()
        if key not in self._wanted:
            place = self._scratch / f"{key.hex()}.wants"
            place.write_bytes(content)
            argv = [f"{os.environ['TRIPLE']}-nm", "--undefined-only", "--format=just-symbols", str(place)]
            done = subprocess.run(argv, capture_output=True, check=True, text=True)
            place.unlink()
            self._wanted[key] = frozenset(done.stdout.split())
        return self._wanted[key]

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
            sys.stdout.write(f"{name} does not compile with {dict(values)}: {_first_error(done.stderr)}\n")
            return b""
        content = target.read_bytes()
        target.unlink()
        return content

    def _words(self, name: str, values: Mapping[str, str]) -> list[str]:
        """The command that compiles an object, told of other values."""
        text = with_values(self._autoconf, {**self._always.get(name, {}), **values})
        place = self._scratch / hashlib.sha256(text.encode()).hexdigest()[:16]
        header = place / "autoconf.h"
        if not header.exists():
            place.mkdir(exist_ok=True)
            partial = place / f"{os.getpid()}-{name.replace('/', '-')}.part"
            partial.write_text(text)
            partial.rename(header)
        first, *words = self._commands[name]
        return [first, f"-I{self._scratch}", *(str(header) if word == "include/autoconf.h" else word for word in words)]


def _write_tables(directory: Path) -> None:
    """Write BusyBox's tables of applets with one function for all, so that they compile where an applet is off."""
    text = Path(f"include/{_TABLES}").read_text()
    (directory / _TABLES).write_text("int any_main(int, char **);\n" + _FUNCTION.sub("any_main,", text))


def _first_error(output: bytes) -> str:
    return next((line for line in output.decode(errors="replace").splitlines() if "error" in line), "no error")


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


@dataclass(frozen=True)
class Mentions:
    """The files that an object is made of, the symbols to try because its C file names them, or only its headers do,
    and all that are named.

    Without one of `makers` the object is not compiled; if that is the only one, it need not be tried.
    """

    sources: list[Path]
    own: list[str]
    shared: list[str]
    named: frozenset[str]
    makers: frozenset[str]


def mentions(target: str, rules: str, symbols: set[str]) -> Mentions:
    """What of `symbols` is named where, from the rules that make has of an object."""
    sources = re.findall(r"^\s+(\S+\.[ch])\s*\\?$", rules, re.MULTILINE)
    sources += re.findall(r":= (\S+\.c) ", rules)
    paths = [Path(source) for source in dict.fromkeys(sources)]
    paths = [path for path in paths if not path.is_absolute() and path.exists() and path.name not in _ALL]
    own: set[str] = set()
    shared: set[str] = set()
    only: set[str] = set()
    for path in paths:
        content = path.read_bytes()
        named = {word.decode() for word in MENTION.findall(content)} & symbols
        if path.suffix == ".c":
            makers = [
                symbol.decode() for symbol, names in _KBUILD.findall(content) if Path(target).name.encode() in names
            ]
            only |= set(makers if len(makers) == 1 else ())
            own |= named
        else:
            shared |= named
    return Mentions(paths, sorted(own - only), sorted(shared - own), frozenset(own | shared), frozenset(only))


def commands(symbols: set[str]) -> dict[str, tuple[list[str], Mentions]]:
    """By object that was compiled, the command, and what of `symbols` is named where."""
    found = {}
    for file in sorted(Path().rglob(".*.o.cmd")):
        text = file.read_text()
        target, _, command = text.splitlines()[0].removeprefix("cmd_").partition(" := ")
        if not target.endswith(".o") or " -c " not in command or target.startswith(("scripts/", "applets/usage")):
            continue
        words = [word for word in shlex.split(command) if not word.startswith("-Wp,-MD")]
        if words[0] == "/build/cc":
            found[target] = words, mentions(target, text, symbols)
    return found


def add(archive: tarfile.TarFile, path: str, content: bytes) -> None:
    """Write an object to an archive."""
    member = tarfile.TarInfo(path)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))
