"""What is needed after many changes is what is needed when one looks for the first time."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from kimitui.sizes.reach import Program, holds, is_open
from kimitui.sizes.walk import Walk

NODES, SYMBOLS = 9, "ABCD"
LITERALS = [*SYMBOLS, *(f"!{symbol}" for symbol in SYMBOLS), "E=2", "A|B", "!A|B", "B|C|D"]

nodes = st.integers(0, NODES - 1)
conditions = st.lists(st.lists(st.integers(0, len(LITERALS) - 1), max_size=2), min_size=1, max_size=2)
values = st.dictionaries(st.sampled_from([*SYMBOLS, "E"]), st.sampled_from(["y", "n", "2"]))


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Small programs with all that large ones have: cycles, edges under conditions, pairs that lead on together."""
    data = {
        "objects": ["a.o"],
        "nodes": [[0, f"f{number}", "text", 1] for number in range(NODES)],
        "literals": LITERALS,
        "edges": [draw(st.lists(nodes, max_size=2)) for _ in range(NODES)],
        "conditions": draw(st.lists(conditions, min_size=3, max_size=3)),
        "conditional": draw(st.lists(st.tuples(nodes, nodes, st.integers(0, 2)), max_size=8)),
        "terms": [],
        "joins": draw(st.lists(st.tuples(nodes, nodes, nodes), max_size=3)),
        "roots": draw(st.lists(nodes, max_size=1)),
    }
    entries = st.lists(
        st.tuples(st.lists(st.integers(0, len(LITERALS) - 1), min_size=1, max_size=2), nodes), max_size=4
    )
    return Program.from_data(data, draw(entries))


def needed(program: Program, given_values: Mapping[str, str]) -> list[int]:
    """As one would say it in a sentence: again and again, until nothing is added."""
    held = [holds(literal, given_values) for literal in program.literals]
    found = {*program.roots, *(node for literals, node in program.entries if all(held[one] for one in literals))}
    before = -1
    while before != len(found):
        before = len(found)
        for node in list(found):
            found.update(program.edges[node])
            for target, number in program.conditional.get(node, ()):
                if is_open(program.conditions[number], held):
                    found.add(target)
            found.update(target for other, target in program.joins.get(node, ()) if other in found)
    return sorted(found)


@given(programs(), st.lists(values, max_size=6))
def test_it_is_so_after_any_changes(program: Program, changes: list[dict[str, str]]) -> None:
    walk = Walk(program)
    now: dict[str, str] = {}
    assert walk.needed == needed(program, now)
    for change in changes:
        before = set(walk.needed)
        move = walk.move(change)
        now |= change
        assert walk.needed == needed(program, now)
        assert set(walk.changed(move)) == before ^ set(walk.needed)


@given(programs(), values, st.lists(values, max_size=4))
def test_what_is_only_looked_at_leaves_nothing_behind(
    program: Program, start: dict[str, str], looks: list[dict[str, str]]
) -> None:
    walk = Walk(program)
    walk.move(start)
    before = walk.needed
    for look in looks:
        walk.back(walk.move(look))
        assert walk.needed == before
    end = dict.fromkeys([*SYMBOLS, "E"], "n")
    walk.move(end)
    assert walk.needed == needed(program, end)
