"""What flags make of sections."""

from __future__ import annotations

import json

import pytest

from kimitui.sizes.busybox import ARCHES, DATA, load
from kimitui.sizes.flagged import Node, by_node, digest, fitted, rows
from kimitui.sizes.objects import Object, Section


def compiled(*sections: tuple[str, int, tuple[str | int, ...]]) -> Object:
    """An object with these sections, at their index: name, bytes, what it refers to."""
    found = {
        index: Section(
            name,
            "text" if name.startswith(".text") else "relro" if name.startswith(".data.rel.ro") else "rodata",
            size,
            16,
            frozenset(refers),
        )
        for index, (name, size, refers) in enumerate(sections)
    }
    return Object(found, {}, frozenset(), frozenset())


NUMBERS: dict[Node, int] = {
    ("a.o", "copy", "text"): 0,
    ("a.o", "main", "text"): 1,
    ("a.o", "step.part.0", "text"): 2,
    ("a.o", "names", "relro"): 3,
    ("b.o", "other", "text"): 4,
}


def test_every_function_has_its_own_growth() -> None:
    base = {
        "a.o": compiled((".text.main", 100, ()), (".text.copy", 50, ())),
        "b.o": compiled((".text.other", 70, ())),
    }
    other = {
        "a.o": compiled((".text.main", 110, ()), (".text.copy", 90, ())),
        "b.o": compiled((".text.other", 70, ())),
    }
    assert by_node(base, other, NUMBERS) == {0: 40, 1: 10}


def test_a_function_that_is_inlined_no_more_counts_with_its_caller() -> None:
    base = {"a.o": compiled((".text.main", 100, ()))}
    other = {"a.o": compiled((".text.main", 60, (1,)), (".text.step", 30, (2,)), (".text.deeper", 25, ()))}
    assert by_node(base, other, NUMBERS) == {1: 15}


def test_a_function_that_is_inlined_now_is_nothing_by_itself() -> None:
    base = {"a.o": compiled((".text.main", 100, (1,)), (".text.copy", 50, ()))}
    other = {"a.o": compiled((".text.main", 145, ()))}
    assert by_node(base, other, NUMBERS) == {0: -50, 1: 45}


def test_a_function_that_is_split_in_another_way_is_the_same() -> None:
    base = {"a.o": compiled((".text.main", 100, (1,)), (".text.step.part.0", 50, ()))}
    other = {"a.o": compiled((".text.main", 100, (1,)), (".text.step.isra.0", 58, ()))}
    assert by_node(base, other, NUMBERS) == {2: 8}


def test_a_table_that_needs_no_addresses_any_more_is_the_same() -> None:
    base = {"a.o": compiled((".text.main", 100, (1,)), (".data.rel.ro.local.names", 64, ()))}
    other = {"a.o": compiled((".text.main", 96, (1,)), (".rodata.names", 64, ()))}
    assert by_node(base, other, NUMBERS) == {1: -4}


def test_what_is_no_node_is_left_alone() -> None:
    base = {"a.o": compiled((".text.main", 100, ()), (".text.unused", 50, ()))}
    other = {"a.o": compiled((".text.main", 110, ()), (".text.unused", 90, ()))}
    assert by_node(base, other, NUMBERS) == {1: 10}


def test_functions_that_call_each_other_come_to_an_end() -> None:
    base = {"a.o": compiled((".text.main", 100, ()))}
    other = {"a.o": compiled((".text.main", 100, ()), (".text.ping", 30, (2,)), (".text.pong", 30, (1,)))}
    assert by_node(base, other, NUMBERS) == {}


def test_a_line_has_what_all_flags_make_of_a_node() -> None:
    assert rows([{4: 7, 1: 0}, {2: -3, 4: 1}]) == [[2, 0, -3], [4, 7, 1]]


def test_what_is_usual_is_bytes_for_each_and_for_every_byte() -> None:
    base = {"a.o": compiled((".text.main", 100, ()), (".text.copy", 200, ()))}
    other = {"a.o": compiled((".text.main", 115, ()), (".text.copy", 225, ()))}
    assert fitted(base, other)["text"] == [5.0, 0.1]


@pytest.mark.parametrize("arch", ARCHES)
def test_changes_are_of_the_program_that_was_measured(arch: str) -> None:
    """After a change of that: kimitui sizes measure flags."""
    program, flags = (json.loads((DATA / f"{what}-{arch}.json").read_text()) for what in ("busybox", "flags"))
    assert flags["about"]["program"] == digest(program["program"])
    assert flags["about"]["sources"] == program["about"]["sources"]
    assert len(flags["nodes"]) > 1000


@pytest.mark.parametrize("arch", ARCHES)
def test_what_a_shared_library_brings_has_no_flags_of_the_program(arch: str) -> None:
    model = load(arch, static=False)
    assert model is not None
    changed = ("HARDENING_STACK_PROTECTOR=none",)
    imports = [node for node, (*_, kind, _size) in enumerate(model.program.nodes) if kind == "import"]
    assert imports
    assert all(model.sizes(changed)[node] == model.sizes(())[node] for node in imports)
