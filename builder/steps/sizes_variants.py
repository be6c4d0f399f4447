# SPDX-License-Identifier: GPL-2.0-only
"""Compiles BusyBox's objects again with other values of the symbols that they depend on.

Runs in the sandbox, in BusyBox's tree. `/input/variants.json` has by symbol the values to try, each with all that has
to be assigned for it, and the symbols that need it. A symbol that stands in an object's C file is tried by itself;
those that only headers name are tried all at once, and by halves where that makes a difference to what the
preprocessor leaves of the C file. What comes out other than in the base is written to /output/variants.tar as
`<object>/<symbol>=<value>/<which>.o`: `off` has the value, and all that needs the symbol at `n`; `without` has only
what needs it at `n`, if anything does. Objects that only other values have are written as `<object>/=/base.o`.

What several symbols do together is written to /output/joint.tar; see sizes_joint.py. `followed_by` has by symbol those
that go off with it, or come on, and that nobody sets: who names one of these depends on that symbol.
"""

from __future__ import annotations

import json
import os
import sys
import tarfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from sizes_joint import joint
from sizes_objects import Mentions, Objects, add, commands, mentions


def main() -> None:
    """Read what is wanted, compile it, write what differs."""
    wanted = json.loads(Path("/input/variants.json").read_text())
    needs: Mapping[str, list[str]] = wanted["needed_by"]
    values: Mapping[str, Mapping[str, Mapping[str, str]]] = wanted["values"]
    followed: Mapping[str, list[str]] = wanted["followed_by"]
    symbols = {*values, *(other for others in (*followed.values(), *needs.values()) for other in others)}
    found = commands(symbols)
    further: Mapping[str, Mapping[str, Any]] = wanted["further"]
    for name, other in further.items():
        words, _ = found[other["like"]]
        command = _like(words, other["like"], name)
        found[name] = command, mentions(name, f":= {command[-1]} ", symbols)
    found = {name: (words, _following(mentioned, followed)) for name, (words, mentioned) in found.items()}
    always = {name: other["values"] for name, other in further.items()}
    lines = {name: words for name, (words, _) in found.items()}
    Path("/build/variants").mkdir()
    objects = Objects(lines, Path("include/autoconf.h").read_text(), Path("/build/variants"), always)

    def differing(name: str) -> list[tuple[str, bytes]]:
        members = list(_differing(objects, name, found[name][1], needs, values))
        return [*members, (f"{name}/=/base.o", objects.compiled(name, {}))] if name in further else members

    def together(name: str) -> list[tuple[str, bytes]]:
        off = {symbol: tried["n"] for symbol, tried in values.items() if "n" in tried}
        return list(joint(objects, name, found[name][1], off, needs))

    _write("variants.tar", differing, found)
    _write("joint.tar", together, found)


def _write(archive: str, make: Callable[[str], list[tuple[str, bytes]]], names: Iterable[str]) -> None:
    with (
        tarfile.open(Path("/output") / archive, "w") as members,
        ThreadPoolExecutor(int(os.environ["JOBS"])) as pool,
    ):
        for found in pool.map(make, names):
            for path, content in found:
                add(members, path, content)


def _following(mentioned: Mentions, followed: Mapping[str, list[str]]) -> Mentions:
    """With the symbols that those follow which the C file names."""
    leading = {name for name, others in followed.items() if not set(others).isdisjoint(mentioned.own)}
    own = {*mentioned.own, *leading} - mentioned.makers
    return replace(mentioned, own=sorted(own), shared=[name for name in mentioned.shared if name not in own])


def _like(command: list[str], name: str, other: str) -> list[str]:
    """The command that compiles `other`, from the one that compiles `name`."""
    stem, new = name.removesuffix(".o"), other.removesuffix(".o")
    return [word.replace(f"{stem}.", f"{new}.") for word in command]


def _differing(
    objects: Objects,
    name: str,
    mentioned: Mentions,
    needed_by: Mapping[str, list[str]],
    values: Mapping[str, Mapping[str, Mapping[str, str]]],
) -> Iterable[tuple[str, bytes]]:
    base = objects.compiled(name, {})
    if not base:
        sys.exit(f"{name} does not compile")
    tried = [symbol for symbol in mentioned.own if symbol in values]
    if shared := [symbol for symbol in mentioned.shared if symbol in values]:
        tried += _effective(objects, name, objects.preprocessed(name, {}), shared)
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
