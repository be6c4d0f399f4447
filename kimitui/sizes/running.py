"""BusyBox under a configuration that is edited: what the last one needed is kept, and only what changes is added up."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from kimitui.sizes.busybox import RELOCATED, Built, BusyBox
from kimitui.sizes.walk import Move, Walk

Scenario = Mapping[str, str]
"""Kconfig values of the symbols, by upstream name, that differ from the configuration's."""

# Sums over applets are kept in one number: how many, letters of names, tenths of the weights of usage texts, links,
# lengths of texts.
_BITS = 32
_FIELD = (1 << _BITS) - 1
_LETTERS, _USAGE, _LINKS, _LENGTHS = (_BITS * field for field in range(1, 5))
# Texts of less than this are left as they are (libbb/appletlib.c) unless what unpacks them is there anyway: for one of
# two applets, or of these where they open what is packed.
_COMPRESS, _FEW_BYTES = "FEATURE_COMPRESS_USAGE", 4 * 1024
_UNPACKING = ("BUNZIP2", "BZCAT")
_OPENING, _OPENED_BY = "FEATURE_SEAMLESS_BZ2", ("TAR", "MODPROBE", "INSMOD", "DEPMOD", "MAN")


def built(model: BusyBox, values: Mapping[str, str], flags: Sequence[str]) -> Built:
    """BusyBox under the values of its symbols; `flags` is what of the hardening differs from what was measured."""
    return Running(model).built(values, flags)[0]


Added = tuple[Move, dict[int, int], list[int]]
"""What new values did: the move, what nodes weighed before, and terms of usage texts that changed."""


class Running:
    """BusyBox under the values that were given last. For one thread."""

    def __init__(self, model: BusyBox) -> None:
        self._model = model
        self._walk = Walk(model.program)
        self._applets = _Applets(model)
        self._values: Mapping[str, str] = {}
        self._flags: tuple[str, ...] = ()
        self._weighed = False
        self._weights: list[int] = []
        self._sum = 0
        self._taken: frozenset[str] = frozenset()
        self._listed = self._applets.take(frozenset(), self._walk.held)

    def built(
        self,
        values: Mapping[str, str],
        flags: Sequence[str],
        scenarios: Sequence[Scenario] = ({},),
        taken: Collection[str] = (),
    ) -> list[Built]:
        """The program in each scenario; `values` are BusyBox's symbols, `flags` what of the hardening differs.

        `taken` are names of programs that are there by themselves, so that no link of that name leads to BusyBox.
        """
        if not self._weighed or tuple(flags) != self._flags:
            self._weighed, self._flags = True, tuple(flags)
            self._weigh(self._flags)
        self._follow(values)
        if self._taken != (wanted := frozenset(taken)):
            self._taken = wanted
            self._listed = self._applets.take(wanted, self._walk.held)
        unchanged = self._result()
        return [self._in_scenario(scenario) if scenario else unchanged for scenario in scenarios]

    def sections(self, values: Mapping[str, str]) -> tuple[float, float]:
        """What deflate leaves of the sections of code and of all the rest, each by itself, with the usual flags."""
        self.built(values, ())
        return self._model.packed_sections(self._sum, self._table_sizes())

    def _follow(self, values: Mapping[str, str]) -> None:
        before = self._values
        changed = {symbol: value for symbol, value in values.items() if before.get(symbol) != value}
        changed.update(dict.fromkeys(before.keys() - values.keys(), "n"))
        if changed:
            self._add(changed)
            self._values = dict(values)
            self._settle(self._values)

    def _in_scenario(self, scenario: Scenario) -> Built:
        before = self._sum, self._listed
        made = [self._add(scenario), *self._settle({**self._values, **scenario})]
        result = self._result()
        for move, weights, terms in reversed(made):
            self._walk.back(move)
            for node, weight in weights.items():
                self._weights[node] = weight
            self._applets.back(move.entries, terms)
        self._sum, self._listed = before
        return result

    def _settle(self, values: Mapping[str, str]) -> list[Added]:
        """Have usage texts packed as BusyBox does that under these values, which are followed already."""
        compress = self._model.number.get(_COMPRESS)
        packed = values.get(_COMPRESS) == "y" and (self._listed >> _LENGTHS >= _FEW_BYTES or _unpacks(values))
        if compress is None or self._walk.held[compress] == packed:
            return []
        return [self._add({_COMPRESS: "y" if packed else "n"})]

    def _add(self, values: Mapping[str, str]) -> Added:
        """Bring everything in line with new values; the move, what nodes weighed before, and terms that changed."""
        model, walk, weights = self._model, self._walk, self._weights
        move = walk.move(values)
        before: dict[int, int] = {}
        for literal in move.literals:
            for node in model.program.terms_with.get(literal, ()):
                if node not in before:
                    old = before[node] = weights[node]
                    new = weights[node] = model.weight(node, self._flags, walk.held)
                    if walk.needed_before(move, node):
                        self._sum += new - old
        for node in walk.changed(move):
            self._sum += weights[node] if walk.needs(node) else -weights[node]
        change, terms = self._applets.follow(move.entries, move.literals, walk.held)
        self._listed += change
        return move, before, terms

    def _weigh(self, flags: tuple[str, ...]) -> None:
        """Weigh all nodes anew."""
        model, walk = self._model, self._walk
        self._weights = list(model.weights(flags))
        for node in model.program.terms:
            self._weights[node] = model.weight(node, flags, walk.held)
        self._sum = sum([self._weights[node] for node in walk.needed])

    def _result(self) -> Built:
        return self._model.layout(self._sum, self._table_sizes(), self._listed >> _LINKS & _FIELD, self._flags)

    def _table_sizes(self) -> Mapping[str, int]:
        """The bytes of the tables of applets and of their usage texts, by name."""
        model, walk, listed = self._model, self._walk, self._listed
        count, letters, usage = listed & _FIELD, listed >> _LETTERS & _FIELD, listed >> _USAGE & _FIELD
        if count < 2:
            return {}
        hints = 8 if count >= 128 else 4 if count >= 32 else 0
        fixed, factor, power = map(float, model.usage["fit"])
        sizes = {
            RELOCATED: 8 * count,
            "applet_names": letters + count + 1,
            "applet_nameofs": 2 * (hints - 1) if hints else 0,
            "applet_flags": -(-count // 4),
            "applet_suid": -(-count // 4),
            "applet_install_loc": -(-count // 2),
            "packed_usage": round(fixed + factor * (usage / 10) ** power),
        }
        there = {name: sizes[name] for name, node in model.tables.items() if walk.needs(node)}
        shown = model.number.get("SHOW_USAGE")
        if "packed_usage" not in there and shown is not None and walk.held[shown]:
            there["usage_messages"] = listed >> _LENGTHS  # the texts as they are
        return there


def _unpacks(values: Mapping[str, str]) -> bool:
    """Whether what unpacks usage texts is there without them."""
    opening = _OPENED_BY if values.get(_OPENING) == "y" else ()
    return any(values.get(name) == "y" for name in (*_UNPACKING, *opening))


class _Applets:
    """The sums over the applets that are on."""

    def __init__(self, model: BusyBox) -> None:
        usage = model.usage
        weights, lengths = usage["weights"], usage["lengths"]
        self._entries = [(literals, name) for literals, name, _, _ in model.entries]
        self._fixed = [
            1
            + (len(name) << _LETTERS)
            + (round(10 * weights.get(name, 0.0)) << _USAGE)
            + (lengths.get(name, 0) << _LENGTHS)
            for _, name in self._entries
        ]
        self._parts: list[int] = []
        # A text that is so much lighter is as much shorter.
        self._terms: list[tuple[int, str, int]] = [
            (
                one,
                name,
                (round(10 * difference) << _USAGE) + (round(lengths[name] * difference / weights[name]) << _LENGTHS),
            )
            for one, name, difference in usage["terms"]
        ]
        # Without long texts, an applet's is down to a line, and what options add to the long one is gone with it.
        self._short = model.number.get("!FEATURE_VERBOSE_USAGE", -1)
        self._shortened = {name for literal, name, _ in self._terms if literal == self._short}
        self._terms_with: dict[int, list[int]] = {}
        self._terms_of: dict[str, list[int]] = {}
        for number, (literal, name, _) in enumerate(self._terms):
            self._terms_with.setdefault(literal, []).append(number)
            self._terms_of.setdefault(name, []).append(number)
        self._on = [False] * len(self._entries)
        self._counted = [False] * len(self._terms)
        self._there: dict[str, int] = {}

    def take(self, taken: Collection[str], held: Sequence[bool]) -> int:
        """All sums anew, where programs of the names `taken` need no links."""
        self._parts = [
            fixed + (name != "busybox" and name not in taken and 1 << _LINKS)
            for fixed, (_, name) in zip(self._fixed, self._entries, strict=True)
        ]
        self._on = [all(held[literal] for literal in literals) for literals, _ in self._entries]
        self._there = {}
        for (_, name), there in zip(self._entries, self._on, strict=True):
            self._there[name] = self._there.get(name, 0) + there
        self._counted = [self._counts(number, held) for number in range(len(self._terms))]
        applets = [part for part, there in zip(self._parts, self._on, strict=True) if there]
        terms = [part for (_, _, part), there in zip(self._terms, self._counted, strict=True) if there]
        return sum(applets) + sum(terms)

    def follow(self, entries: Iterable[int], literals: Iterable[int], held: Sequence[bool]) -> tuple[int, list[int]]:
        """By what the sums change when entries come or go and literals change; and the terms that do so."""
        change = 0
        looked: set[int] = set()
        for number in entries:
            change += self._switch(number)
            looked.update(self._terms_of.get(self._entries[number][1], ()))
        for literal in literals:
            looked.update(range(len(self._terms)) if literal == self._short else self._terms_with.get(literal, ()))
        terms = [number for number in looked if self._counts(number, held) != self._counted[number]]
        for number in terms:
            self._counted[number] = there = not self._counted[number]
            change += self._terms[number][2] if there else -self._terms[number][2]
        return change, terms

    def back(self, entries: Iterable[int], terms: Iterable[int]) -> None:
        """Take back what `follow` did."""
        for number in entries:
            self._switch(number)
        for number in terms:
            self._counted[number] = not self._counted[number]

    def _switch(self, number: int) -> int:
        name = self._entries[number][1]
        self._on[number] = there = not self._on[number]
        self._there[name] += 1 if there else -1
        return self._parts[number] if there else -self._parts[number]

    def _counts(self, number: int, held: Sequence[bool]) -> bool:
        literal, name, _ = self._terms[number]
        if not held[literal] or not self._there.get(name, 0):
            return False
        return literal == self._short or name not in self._shortened or not held[self._short]
