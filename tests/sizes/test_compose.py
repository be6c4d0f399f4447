"""From compilations under some values to what a program is under any."""

from __future__ import annotations

from collections.abc import Collection
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from kimitui.sizes.compose import Graph, Joint, Variants, drop_idle_terms, graph, lasting, replace_symbol
from kimitui.sizes.objects import Object, Section
from kimitui.sizes.reach import holds

SYMBOLS = ("A", "B", "C")
LIBRARY = Object(
    {number: Section(f".text.{name}", "text", 1000, 16, frozenset()) for number, name in enumerate(["match", "sort"])},
    {"match": 0, "sort": 1},
    frozenset(),
    frozenset(),
)

Needed = list[frozenset[str]]
"""What some code is compiled for: all of any of the sets; `!A` is that A is off."""

LITERALS = (*SYMBOLS, *(f"!{symbol}" for symbol in SYMBOLS))
needed = st.lists(st.frozensets(st.sampled_from(LITERALS), min_size=1), min_size=1, max_size=3)
codes = st.lists(st.tuples(needed, st.integers(1, 50)), max_size=3)


def is_there(code: Needed, off: Collection[str]) -> bool:
    values = {symbol: "n" if symbol in off else "y" for symbol in SYMBOLS}
    return any(all(holds(literal, values) for literal in one) for one in code)


def compiled(off: Collection[str], codes: list[tuple[Needed, int]], calls: dict[str, Needed]) -> Object:
    """An object of one function, with the parts and calls in it that are compiled then."""
    size = 100 + sum(size for code, size in codes if is_there(code, off))
    refers = frozenset(name for name, code in calls.items() if is_there(code, off))
    return Object({0: Section(".text.main", "text", size, 16, refers)}, {"main": 0}, frozenset(), refers)


def composed(codes: list[tuple[Needed, int]], calls: dict[str, Needed]) -> Graph:
    """The graph from compilations with one symbol off, and with several."""

    def of(*off: str) -> Object:
        return compiled(off, codes, calls)

    variants: Variants = {"a.o": {f"{symbol}=n": {"off": of(symbol)} for symbol in SYMBOLS}}
    sets = [one for size in (2, 3) for one in combinations(SYMBOLS, size)]
    joint: Joint = {
        "a.o": {
            one: {part: of(*part) for size in range(len(one) + 1) for part in combinations(one, size)} for one in sets
        }
    }
    return graph({"a.o": of(), "libc.a:x.o": LIBRARY}, variants, joint, ())


@given(codes, needed, needed, st.sets(st.sampled_from(SYMBOLS)))
def test_it_is_what_is_compiled_whatever_is_off(
    codes: list[tuple[Needed, int]], match: Needed, sort: Needed, off: set[str]
) -> None:
    calls = {"match": match, "sort": sort}
    found = composed(codes, calls)
    values = {symbol: "n" if symbol in off else "y" for symbol in SYMBOLS}
    main = "a.o", ".text.main"
    size = found.nodes[main].size_bytes + sum(
        more for literal, more in found.terms.get(main, {}).items() if holds(literal, values)
    )
    led = {
        target[1].removeprefix(".text.")
        for (source, target), conditions in found.edges.items()
        if source == main and any(all(holds(one, values) for one in condition) for condition in conditions)
    }
    truth = compiled(off, codes, calls)
    assert size == truth.sections[0].size_bytes
    assert led == truth.sections[0].refers


def alone(*sections: tuple[str, int, tuple[str, ...]]) -> Object:
    """An object with these functions: name, bytes, what they call."""
    found = {
        index: Section(f".text.{name}", "text", size, 16, frozenset(calls))
        for index, (name, size, calls) in enumerate(sections)
    }
    named = {name: index for index, (name, _, _) in enumerate(sections)}
    return Object(found, named, frozenset(), frozenset(called for _, _, calls in sections for called in calls))


def test_a_function_that_is_there_only_without_an_applet_keeps_its_bytes() -> None:
    both = alone(("one_main", 10, ("open",)), ("two_main", 12, ("open",)), ("open", 90, ()))
    # Called from one place, it is made for that place and has another name.
    one = alone(("one_main", 10, ("open.constprop.0",)), ("open.constprop.0", 70, ()))
    other = alone(("two_main", 80, ()))
    found = graph({"a.o": both}, {"a.o": {"TWO=n": {"off": one}, "ONE=n": {"off": other}}}, {}, ())
    drop_idle_terms(found, [], [(("ONE",), ("a.o", ".text.one_main")), (("TWO",), ("a.o", ".text.two_main"))])
    terms = {key[1].removeprefix(".text."): found.terms.get(key, {}) for key in found.nodes}
    assert terms["open.constprop.0"] == {"!TWO": 70}
    assert terms["two_main"] == {"!ONE": 68}
    assert terms["one_main"] == {}


def test_what_every_program_has_does_not_depend_on_options() -> None:
    main = alone(("main", 10, ("setlocale",)), ("ls_main", 20, ("malloc",)), ("yes_main", 20, ()))
    plain = alone(("main", 8, ()), ("ls_main", 20, ("malloc",)), ("yes_main", 20, ()))
    objects = {
        "a.o": main,
        "libc.a:setlocale.lo": alone(("setlocale", 100, ())),
        "libc.a:malloc.lo": alone(("malloc", 900, ())),
    }
    start = [("a.o", ".text.main")]
    assert lasting(graph(objects, {}, {}, ()), start, []) == {"a.o", "libc.a:setlocale.lo"}
    found = graph(objects, {"a.o": {"LOCALE_SUPPORT=n": {"off": plain}}}, {}, ())
    assert lasting(found, start, []) == {"a.o"}
    # What most applets need is as good as always there.
    ls, yes = (("LS",), ("a.o", ".text.ls_main")), (("YES",), ("a.o", ".text.yes_main"))
    assert lasting(found, start, [ls, yes]) == {"a.o"}
    assert lasting(found, start, [ls, ls, yes]) == {"a.o", "libc.a:malloc.lo"}


def test_a_symbol_can_stand_for_others() -> None:
    base = alone(("main", 30, ("unpack",)), ("unpack", 100, ()))
    found = graph({"a.o": base}, {"a.o": {"SCRIPTS=n": {"off": alone(("main", 10, ()))}}}, {}, ())
    replace_symbol(found, "SCRIPTS", {"NOLOGIN", "MIM"})
    main, unpack = ("a.o", ".text.main"), ("a.o", ".text.unpack")
    assert found.edges[main, unpack] == [{"MIM|NOLOGIN"}]
    assert found.terms[main] == {"!MIM|NOLOGIN": -20}
