# SPDX-License-Identifier: GPL-2.0-only
"""What several symbols of BusyBox do to an object together, and none of them alone.

What is under `#if ENABLE_A || ENABLE_B` goes only when both are off. So the symbols that stand together in a statement
with `||` are switched off together: of up to six all sets of two and more, of more all at once. And an object can need
another one's function for A, and elsewhere for B. So what it needs no more with all symbols off, but with any one of
them off, is looked for with fewer and fewer of them off.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import combinations
from pathlib import Path

from sizes_objects import MENTION, Mentions, Objects

_MOST = 6  # two to the power of it are compiled
_WAYS = 8  # to do without the same function
_COMMENT = re.compile(rb"/\*.*?\*/|//[^\n]*", re.DOTALL)
_DIRECTIVE = re.compile(rb"^(\s*#[^\n]*)$", re.MULTILINE)

Symbols = tuple[str, ...]


def joint(
    objects: Objects,
    name: str,
    mentions: Mentions,
    off: Mapping[str, Mapping[str, str]],
    needed_by: Mapping[str, list[str]],
) -> Iterable[tuple[str, bytes]]:
    """The object `name` without several symbols, where that does what no part of them does.

    Path and content, as `<object>/<A,B,C>/<A,B>.o`: of A, B and C, A and B are off, and with them everything that needs
    one of the three. There are those with none of them off (`=.o`), each, all but each, and all. `off` has by symbol
    what is assigned where it is off.
    """
    one = _Object(objects, name, mentions, off, needed_by)
    found: set[Symbols] = set()
    for group in one.groups():
        sets = [some for some in _sets(group) if one.is_possible(some)]
        if any(one.does_more(some) for some in sets):
            found.update(sets)
    found |= one.no_longer_needing(found)
    for together in sorted(found):
        parts = sorted({(), *((symbol,) for symbol in together), *_all_but_each(together), together})
        compiled = {part: one.compiled(together, part) for part in parts}
        if all(compiled.values()):
            yield from ((f"{name}/{','.join(together)}/{','.join(part) or '='}.o", compiled[part]) for part in parts)


class _Object:
    def __init__(
        self,
        objects: Objects,
        name: str,
        mentions: Mentions,
        off: Mapping[str, Mapping[str, str]],
        needed_by: Mapping[str, list[str]],
    ) -> None:
        self._objects = objects
        self._name = name
        self._mentions = mentions
        self._needed_by = needed_by
        self._off = off
        # Without the symbols that compile it, it is not there.
        self._symbols = off.keys() - mentions.makers

    def compiled(self, together: Symbols, off: Symbols) -> bytes:
        """Its bytes with `off` off, and everything that needs any of `together`; empty where it does not compile."""
        needing = {other for symbol in together for other in self._needed_by.get(symbol, ())} & self._mentions.named
        values = dict.fromkeys(sorted(needing - set(together)), "n")
        for symbol in off:
            values |= self._off[symbol]
        return self._objects.compiled(self._name, values)

    def groups(self) -> list[Symbols]:
        """The symbols of every statement with `||`; of those in headers, where they matter to the C file."""
        own, shared = (
            {
                tuple(sorted(group))
                for source in self._mentions.sources
                if (source.suffix == ".c") == is_own
                for named in _alternatives(source)
                if len(group := named & self._symbols) > 1
            }
            for is_own in (True, False)
        )
        shared -= own
        if shared and self._matter({symbol for group in shared for symbol in group}):
            own |= {group for group in shared if self._matter(group)}
        return sorted(own)

    def _matter(self, symbols: Iterable[str]) -> bool:
        base = self._objects.preprocessed(self._name, {})
        return self._objects.preprocessed(self._name, dict.fromkeys(symbols, "n")) != base

    def is_possible(self, together: Symbols) -> bool:
        """Whether each of several symbols can be on without the others."""
        return not any(other in self._needed_by.get(symbol, ()) for symbol in together for other in together)

    def does_more(self, together: Symbols) -> bool:
        """Whether without any of the symbols something is different that is the same as long as one is left."""
        whole = self.compiled(together, together)
        return bool(whole) and all(
            self.compiled(together, part) not in (whole, b"") for part in _all_but_each(together)
        )

    def no_longer_needing(self, known: Iterable[Symbols]) -> set[Symbols]:
        """The sets without which it does not need something of another object that it needs as long as one is left."""
        # What other symbols belong to is switched off last.
        order = sorted(
            {*self._mentions.own} & self._symbols, key=lambda symbol: (len(self._needed_by.get(symbol, ())), symbol)
        )
        gone = self._gone(tuple(order))
        for some in (*((symbol,) for symbol in order), *known):
            gone -= self._gone(some)
        found: set[Symbols] = set()
        for what in sorted(gone):
            tried: set[Symbols] = set()
            left = [tuple(order)]
            while left and len(tried) < _WAYS:
                symbols = left.pop()
                if symbols not in tried and what in self._gone(symbols):
                    tried.add(symbols)
                    fewest = self._fewest(symbols, what)
                    found.add(fewest)
                    left += [tuple(other for other in symbols if other != symbol) for symbol in fewest]
        return {some for some in found if len(some) > 1 and self.is_possible(some)}

    def _gone(self, off: Symbols) -> set[str]:
        """What it does not need with symbols off, of what it needs in the base; nothing where it does not compile."""
        content = self.compiled(off, off)
        base = self._objects.compiled(self._name, {})
        return set(self._objects.wants(base) - self._objects.wants(content)) if content else set()

    def _fewest(self, symbols: Symbols, what: str) -> Symbols:
        """Those of `symbols` that have to be off, none of which can be left out, for it not to need something."""
        kept: list[str] = []
        left = list(symbols)
        while what not in self._gone(tuple(kept)):
            # The shortest beginning that is enough ends with one that has to be off.
            low, high = 1, len(left)
            while low < high:
                middle = (low + high) // 2
                if what in self._gone((*left[:middle], *kept)):
                    high = middle
                else:
                    low = middle + 1
            kept.append(left[low - 1])
            left = left[: low - 1]
        return tuple(sorted(kept))


def _sets(group: Symbols) -> list[Symbols]:
    if len(group) > _MOST:
        return [group]
    return [one for size in range(2, len(group) + 1) for one in combinations(group, size)]


def _all_but_each(together: Symbols) -> list[Symbols]:
    return [tuple(other for other in together if other != symbol) for symbol in together]


@cache
def _alternatives(source: Path) -> list[set[str]]:
    """The symbols that a file names, by statement, of those with `||`."""
    text = _COMMENT.sub(b" ", source.read_bytes()).replace(b"\\\n", b" ")
    statements = re.split(rb"[;{}]", _DIRECTIVE.sub(rb";\1;", text))
    return [{word.decode() for word in MENTION.findall(one)} for one in statements if b"||" in one]
