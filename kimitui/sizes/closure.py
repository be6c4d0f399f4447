"""What follows from the options that are asked for, without Linux' own tree: a slice of it, as formulas.

Linux' Kconfig tree takes seconds to read; of its seventeen thousand options a thousand can differ between the kernels
that are built here. `kimitui.sizes.linux.slice` writes those as formulas when sizes are measured. Here they are
evaluated with Kconfig's rules: `n`, `m` and `y` are 0, 1 and 2, *and* is the smaller one, *or* the larger one.

A formula is a text in prefix notation: `& A | B ! C` is `A && (B || !C)`, and `= A "y"` compares.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from operator import itemgetter
from typing import Any

TRISTATES = {"n": 0, "m": 1, "y": 2}

Value = int | str
"""0, 1, 2 for `n`, `m`, `y`; the text of a number or string."""

Values = Sequence[Value]
_Read = Callable[[Values], Any]


class Formulas:
    """Compiles formulas over numbered symbols; a name that has no number is off, as in Kconfig.

    `texts` are the symbols whose values are texts.
    """

    def __init__(self, positions: Mapping[str, int], texts: Container[str] = ()) -> None:
        self._positions = positions
        self._texts = texts
        self._known: dict[str, tuple[_Read, frozenset[int]]] = {}

    def compile(self, text: str) -> tuple[_Read, frozenset[int]]:
        """A function from the values to the formula's (0, 1 or 2), and the positions it reads.

        Raises ValueError for what is no formula.
        """
        if text not in self._known:
            words = text.split()
            reads: set[int] = set()
            function, end = self._parse(words, 0, reads)
            if end != len(words):
                raise ValueError(f"no formula: {text}")
            self._known[text] = function, frozenset(reads)
        return self._known[text]

    def _parse(self, words: Sequence[str], start: int, reads: set[int]) -> tuple[_Read, int]:
        try:
            word = words[start]
        except IndexError:
            raise ValueError(f"no formula: {' '.join(words)}") from None
        if word in ("&", "|"):
            left, end = self._parse(words, start + 1, reads)
            right, end = self._parse(words, end, reads)
            return (_and if word == "&" else _or)(left, right), end
        if word == "!":
            inner, end = self._parse(words, start + 1, reads)
            return (lambda values: 2 - inner(values)), end
        if word in _RELATIONS:
            first, second = words[start + 1 : start + 3]
            return self._relation(word, first, second, reads), start + 3
        return self._tristate(word, reads), start + 1

    def _tristate(self, word: str, reads: set[int]) -> _Read:
        if word in TRISTATES:
            constant = TRISTATES[word]
            return lambda _values: constant
        position = self._positions.get(word)
        if position is None:
            return lambda _values: 0
        reads.add(position)
        return (lambda _values: 0) if word in self._texts else itemgetter(position)

    def _relation(self, word: str, first: str, second: str, reads: set[int]) -> _Read:
        compare = _compared(_RELATIONS[word], self._operand(first, reads), self._operand(second, reads))
        position = self._positions.get(first)
        constant = TRISTATES.get(second[1:-1]) if second.startswith('"') else None
        if position is None or constant is None or first in self._texts:
            return compare
        # What is nearly always compared: a switch with y, m or n.
        answers = tuple(2 if _RELATIONS[word](value, constant) else 0 for value in range(3))
        value_of = itemgetter(position)
        return lambda values: answers[value_of(values)]

    def _operand(self, word: str, reads: set[int]) -> _Read:
        """A side of a comparison: a symbol's value or, quoted, a constant."""
        if word.startswith('"'):
            constant = word.strip('"')
            return lambda _values: constant
        position = self._positions.get(word)
        if position is None:
            return lambda _values: "n"
        reads.add(position)
        return lambda values: values[position]


def _and(left: _Read, right: _Read) -> _Read:
    def both(values: Values) -> int:
        one: int = left(values)
        if not one:
            return 0
        other: int = right(values)
        return one if one < other else other

    return both


def _or(left: _Read, right: _Read) -> _Read:
    def either(values: Values) -> int:
        one: int = left(values)
        if one == 2:
            return 2
        other: int = right(values)
        return one if one > other else other

    return either


def _compared(relation: Callable[[Any, Any], bool], first: _Read, second: _Read) -> _Read:
    def compare(values: Values) -> int:
        one, other = _comparable(first(values)), _comparable(second(values))
        if isinstance(one, str) or isinstance(other, str):
            one, other = str(one), str(other)
        return 2 if relation(one, other) else 0

    return compare


def _comparable(value: Value) -> Value:
    if isinstance(value, str):
        if value in TRISTATES:
            return TRISTATES[value]
        try:
            return int(value, 0)
        except ValueError:
            return value
    return value


_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}


@dataclass(frozen=True)
class _Rule:
    """How one symbol or choice gets its value from those before it."""

    evaluate: Callable[[Values, Mapping[str, str]], Value]
    reads: frozenset[int]
    asks: tuple[str, ...]
    """The requested symbols it looks at."""


class Closure:
    """The options of a slice. Plain data in (see `linux_slice`), values out."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        names = [str(one["name"]) for one in data["symbols"]]
        self.positions = {name: position for position, name in enumerate(names)}
        texts = {str(one["name"]) for one in data["symbols"] if one.get("text") or "members" in one}
        self.formulas = Formulas(self.positions, texts)
        self._constant = dict(data["base"])
        self._rules = [self._rule(one) for one in data["symbols"]]
        self._asking: dict[str, list[int]] = {}
        self._reading: list[list[int]] = [[] for _ in names]
        for position, rule in enumerate(self._rules):
            for name in rule.asks:
                self._asking.setdefault(name, []).append(position)
            for read in rule.reads:
                if read >= position:
                    raise ValueError(f"{names[position]} is read before {names[read]}")
                self._reading[read].append(position)

    def values(self, requested: Mapping[str, str]) -> list[Value]:
        """The value of every symbol for what is requested, by upstream symbol, as Kconfig values."""
        wanted = {**self._constant, **requested}
        values: list[Value] = [0] * len(self._rules)
        for position, rule in enumerate(self._rules):
            values[position] = rule.evaluate(values, wanted)
        return values

    def changed(
        self, values: list[Value], requested: Mapping[str, str], names: Iterable[str]
    ) -> tuple[list[Value], list[int]]:
        """The values after the requests of `names` have changed to those in `requested`, and which differ.

        `values` are those for the requests before, and stay as they are.
        """
        wanted = {**self._constant, **requested}
        now = list(values)
        noted = {position for name in names for position in self._asking.get(name, ())}
        pending = sorted(noted)
        different = []
        # Rules read only what comes before them, so the first of the pending ones is always ready.
        while pending:
            position = heappop(pending)
            value = self._rules[position].evaluate(now, wanted)
            if value != now[position]:
                now[position] = value
                different.append(position)
                for reader in self._reading[position]:
                    if reader not in noted:
                        noted.add(reader)
                        heappush(pending, reader)
        return now, different

    def _rule(self, one: Mapping[str, Any]) -> _Rule:
        if "members" in one:
            return self._choice(one)
        if "choice" in one:
            choice, name, position = self.positions[one["choice"]], str(one["name"]), None
            del position
            return _Rule(lambda values, _wanted: 2 if values[choice] == name else 0, frozenset([choice]), ())
        if one.get("text"):
            return self._text(one)
        return self._switch(one)

    def _switch(self, one: Mapping[str, Any]) -> _Rule:
        name = str(one["name"])
        compile_ = self.formulas.compile
        visible, reads = compile_(one.get("visible", "n"))
        selected, more = compile_(one.get("selected", "n"))
        implied, further = compile_(one.get("implied", "n"))
        reads |= more | further
        defaults = []
        for value, condition in one.get("defaults", ()):
            (what, first), (when, second) = compile_(value), compile_(condition)
            defaults.append((what, when))
            reads |= first | second
        modules = self.positions.get("MODULES")
        tristate = bool(one.get("tristate")) and modules is not None
        if tristate and modules is not None:
            reads |= {modules}

        def evaluate(values: Values, wanted: Mapping[str, str]) -> Value:
            if seen := visible(values):
                if not tristate:
                    seen = 2
                value = min(TRISTATES.get(wanted.get(name, "n"), 0), seen)
            else:
                value = next((min(what(values), found) for what, when in defaults if (found := when(values))), 0)
                value = max(value, implied(values))
            value = max(value, selected(values))
            if value == 1 and not (tristate and modules is not None and values[modules]):
                return 2
            return int(value)

        return _Rule(evaluate, frozenset(reads), (name,))

    def _text(self, one: Mapping[str, Any]) -> _Rule:
        name = str(one["name"])
        visible, reads = self.formulas.compile(one.get("visible", "n"))
        defaults = []
        for value, condition in one.get("defaults", ()):
            when, more = self.formulas.compile(condition)
            reads |= more
            # A default is a constant, quoted, or another symbol's value.
            source = None if value.startswith('"') else self.positions.get(value)
            if source is not None:
                reads |= {source}
            defaults.append((value.strip('"'), source, when))

        def evaluate(values: Values, wanted: Mapping[str, str]) -> Value:
            if name in wanted and visible(values):
                return wanted[name]
            for constant, source, when in defaults:
                if when(values):
                    return constant if source is None else values[source]
            return ""

        return _Rule(evaluate, frozenset(reads), (name,))

    def _choice(self, one: Mapping[str, Any]) -> _Rule:
        visible, reads = self.formulas.compile(one["visible"])
        members = []
        for name, condition in one["members"]:
            when, more = self.formulas.compile(condition)
            reads |= more
            members.append((str(name), when))
        offered = dict(members)
        defaults = []
        for name, condition in one["defaults"]:
            when, more = self.formulas.compile(condition)
            reads |= more
            defaults.append((str(name), when))

        def evaluate(values: Values, wanted: Mapping[str, str]) -> Value:
            if not visible(values):
                return ""
            for name, when in members:
                if wanted.get(name) == "y" and when(values):
                    return name
            for name, when in defaults:
                if when(values) and name in offered and offered[name](values):
                    return name
            return next((name for name, when in members if when(values)), "")

        return _Rule(evaluate, frozenset(reads), tuple(name for name, _ in members))
