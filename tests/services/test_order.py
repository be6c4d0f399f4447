"""In which order services start."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimitui.services.model import Kind, Service
from kimitui.services.order import CycleError, start_order

KINDS: tuple[Kind, ...] = ("daemon", "oneshot", "terminal")


def service(name: str, *after: str, needs: tuple[str, ...] = (), kind: Kind = "daemon") -> Service:
    return Service(name=name, kind=kind, command=(name,), after=after, needs=needs)


def names(services: tuple[Service, ...]) -> list[str]:
    return [one.name for one in services]


@st.composite
def acyclic(draw: st.DrawFn) -> list[Service]:
    """Services that wait only for some that are numbered lower, and for some that are not on, in any order."""
    count = draw(st.integers(0, 12))
    found = []
    for number in range(count):
        earlier = [f"s{other}" for other in range(number)]
        before = draw(st.lists(st.sampled_from([*earlier, "off"]), unique=True, max_size=4))
        cut = draw(st.integers(0, len(before)))
        kind = draw(st.sampled_from(KINDS))
        found.append(service(f"s{number}", *before[cut:], needs=tuple(before[:cut]), kind=kind))
    return draw(st.permutations(found))


# **Feature: kimigayo-os-core, Property 24: start order follows dependencies**
@given(acyclic())
def test_for_all_acyclic_graphs_each_service_follows_what_it_waits_for(services: list[Service]) -> None:
    order = start_order(services)
    places = {one.name: place for place, one in enumerate(order)}
    assert sorted(places) == sorted(one.name for one in services)
    for one in services:
        for other in one.before:
            assert other not in places or places[other] < places[one.name]
    assert order == start_order(reversed(services))


@given(acyclic(), st.data())
def test_for_all_cycles_one_is_named(services: list[Service], data: st.DataObject) -> None:
    circle = [f"c{number}" for number in range(data.draw(st.integers(1, 4)))]
    every = [*services, *(service(name, circle[place - 1]) for place, name in enumerate(circle))]
    with pytest.raises(CycleError) as caught:
        start_order(data.draw(st.permutations(every)))
    found = caught.value.names
    assert found[0] == found[-1] == "c0"
    assert sorted(found[:-1]) == circle
    waits = {one.name: one.before for one in every}
    assert all(later in waits[earlier] for earlier, later in pairwise(found))


def test_what_is_set_up_once_comes_first_and_terminals_last() -> None:
    services = [
        service("e", kind="oneshot"),
        service("a"),
        service("c", "d", kind="oneshot"),
        service("d"),
        service("0", kind="terminal"),
    ]
    assert names(start_order(services)) == ["e", "d", "c", "a", "0"]
