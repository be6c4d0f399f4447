"""Estimates of kernels, for every request that the menu can make."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimitui.build import sources
from kimitui.sizes.kernel import DATA, Model, kernel_sizes, model
from kimitui.sizes.linux import campaign, designs
from kimitui.sizes.linux.designs import PREFIX, Drawing

FILES = sorted(DATA.glob("linux-*.json"))
# Where nothing has been measured there is nothing to hold.
ARCHES = [path.stem.removeprefix("linux-") for path in FILES]


@pytest.fixture(scope="module", params=ARCHES)
def arch(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def drawing(arch: str) -> Drawing:
    return Drawing(arch)


@pytest.fixture(scope="module")
def known(arch: str) -> Model:
    found = model(arch)
    assert found is not None
    return found


shares = st.floats(0.02, 0.98)
seeds = st.integers(0, 10**9).map(str)


SMALL: dict[str, Any] = {
    "arch": "small",
    "origin": {},
    "kinds": ["code", "rest", "orc", "exports", "relocations", "names", "packed"],
    "slice": {
        "base": {"TTY": "y"},
        "symbols": [
            {"name": "MODULES", "visible": "y"},
            {"name": "NET", "visible": "y"},
            {"name": "INET", "visible": "NET", "tristate": True},
            {"name": "FAST", "visible": "y"},
            {"name": "MOVES", "visible": "y"},
            {"name": "ZSTD", "visible": "y"},
        ],
    },
    "smaller": [],
    "only": [["ZSTD", "n"]],
    "groups": [
        {
            "factors": [["FAST", [1.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.25]], ["NET", [1.1, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]]],
            "parts": [["y", [1000, 500, 0, 40, 10, 100, 800], [["init/main.o", 1000, 500]]]],
        },
        {
            "factors": [["FAST", [1.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.25]]],
            "parts": [
                ["NET", [200, 100, 0, 20, 5, 10, 160], [["net/core.o", 150, 50], ["net/socket.o", 50, 50]]],
                ["& INET NET", [400, 100, 0, 0, 5, 20, 240], [["net/ip.o", 300, 100], ["net/else.o", 100, 0]]],
            ],
        },
    ],
    "image": {
        "installed": {
            "builtin": [0.1, 0.2, 0.01],
            "least": [1.0, 1.0],
            "modules": [[[2.0, 3.0, 1.0], [1.0, 2.0, 0.5], [0.25, 0.5, 0.1], ["net/ip.o"]]],
            "options": [["FAST", [0.2, 0.1]]],
            "trimmed": "MOVES",
            "usual": [[1.5, 2.0, 0.5], [1.25, 1.5, 0.25], [0.5, 0.5, 0.25]],
        },
        "kinds": {
            "exports": {"of": "exports", "when": "MODULES", "factor": 0.5},
            "names": {"of": "names", "when": "n", "factor": 2.0},
            "relocations": {"of": "relocations", "when": "MOVES", "factor": 4.0},
        },
        "compressors": [
            {
                "when": "ZSTD",
                "packed": {"scale": 0.5, "power": 1.0, "factors": [["FAST", 1.2]]},
                "content": {},
                "wrapper": 10,
            },
            {
                "when": "y",
                "packed": {"scale": 1.0, "power": 1.0, "factors": []},
                "content": {"exports": 0.5, "relocations": 0.5},
                "wrapper": 50,
            },
        ],
        "wrapper": [["MOVES", 7]],
    },
    "comparison": {},
}


@pytest.mark.parametrize(
    ("requested", "vmlinuz", "modules", "raw"),
    [
        ({}, 850, 0, 1500),
        ({"NET": "y"}, 1010, 0, 1900),
        ({"INET": "y"}, 850, 0, 1500),  # it needs NET
        ({"NET": "y", "INET": "y"}, 1250, 0, 2400),
        ({"NET": "y", "INET": "m"}, 1250, 0, 2400),  # without modules it is built in
        ({"NET": "y", "INET": "m", "MODULES": "y"}, 1025, 800 + 150 + 150 + 190, 1930),
        ({"NET": "y", "INET": "m", "MODULES": "y", "FAST": "y"}, 1265, 1140 + 150 + 255, 2580),
        ({"NET": "y", "INET": "m", "MODULES": "y", "MOVES": "y"}, 1062, 400 + 125 + 150 + 190, 1930),
        ({"FAST": "y"}, 1050, 0, 2000),
        ({"MOVES": "y"}, 877, 0, 1500),
        ({"ZSTD": "y"}, 410, 0, 1500),
        ({"ZSTD": "y", "FAST": "y"}, 610, 0, 2000),
        ({"UNHEARD_OF": "y"}, 850, 0, 1500),
    ],
)
def test_parts_factors_and_packing(requested: Mapping[str, str], vmlinuz: int, modules: int, raw: int) -> None:
    found = Model(SMALL).sizes(requested)
    assert (found.vmlinuz_bytes, found.modules_bytes, found.raw_bytes) == (vmlinuz, modules, raw)


def test_the_more_there_is_the_better_it_packs() -> None:
    whole = {"when": "y", "packed": {"scale": 0.8, "power": 0.5, "factors": []}, "content": {}, "wrapper": 0}
    data = {**SMALL, "image": {**SMALL["image"], "compressors": [whole]}}
    once, twice = (Model(data).sizes(requested).vmlinuz_bytes for requested in ({}, {"NET": "y", "INET": "y"}))
    assert once == round(0.8 * 1e6 * (800 / 1e6) ** 0.5)
    assert twice == round(0.8 * 1e6 * (1200 / 1e6) ** 0.5)


@pytest.mark.parametrize(
    ("requested", "without", "brought"),
    [
        ({"NET": "y", "INET": "y"}, "INET", [("net/else.o", 100, False, ()), ("net/ip.o", 400, False, ())]),
        (
            {"NET": "y"},
            "NET",
            [("lib/both.o", 100, False, ()), ("net/core.o", 200, False, ()), ("net/socket.o", 100, False, ())],
        ),
        ({"NET": "y", "MOVES": "y"}, "MOVES", [("lib/both.o", 100, True, ("NET",))]),
        ({"NET": "y", "MOVES": "y", "FAST": "y"}, "MOVES", [("lib/both.o", 150, True, ("NET",))]),
        ({"MOVES": "y"}, "MOVES", [("lib/both.o", 100, False, ())]),
        ({}, "NET", []),
    ],
)
def test_what_an_option_brings(
    requested: Mapping[str, str], without: str, brought: list[tuple[str, int, bool, tuple[str, ...]]]
) -> None:
    core, rest = SMALL["groups"]
    both = ["| MOVES NET", [100, 0, 0, 0, 0, 0, 50], [["lib/both.o", 100, 0]]]
    groups = [core, {**rest, "parts": [*rest["parts"], both]}]
    found = Model({**SMALL, "groups": groups}).linked(requested, {}, {without: "n"})
    assert [(one.path, one.size_bytes, one.stays, one.held_by) for one in found] == brought


@settings(max_examples=40, deadline=None)
@given(seed=seeds, share=shares)
def test_estimates_are_finite_and_positive(known: Model, drawing: Drawing, seed: str, share: float) -> None:
    found = known.sizes(drawing.random(seed, share))
    for size in (found.vmlinuz_bytes, found.raw_bytes):
        assert math.isfinite(size) and size > 0
    assert found.modules_bytes >= 0
    assert found.vmlinuz_bytes < found.raw_bytes * 1.2


@settings(max_examples=15, deadline=None)
@given(seed=seeds, share=shares, data=st.data())
def test_switching_on_never_lowers_what_is_linked(
    known: Model, drawing: Drawing, seed: str, share: float, data: st.DataObject
) -> None:
    before = drawing.random(seed, share)
    off = [name for name, value in before.items() if value == "n" and known.closure.positions.get(name) is not None]
    name = data.draw(st.sampled_from(off))
    after = {**before, name: "y"}
    values = known.closure.values(before), known.closure.values(after)
    numbers = [pair for pair in zip(*values, strict=True) if all(isinstance(one, int) for one in pair)]
    if any(int(now) < int(then) for then, now in numbers) or values[0] == values[1] or name in known.smaller:
        return  # it takes the place of something, or forbids it
    assert known.sizes(after).raw_bytes >= known.sizes(before).raw_bytes


@settings(max_examples=15, deadline=None)
@given(seed=seeds, share=shares, order=st.randoms(use_true_random=False))
def test_the_order_of_changes_does_not_matter(
    arch: str, known: Model, drawing: Drawing, seed: str, share: float, order: object
) -> None:
    end = drawing.random(seed, share)
    steps = list(end.items())
    order.shuffle(steps)  # type: ignore[attr-defined]
    values: dict[str, str] = {}
    for name, value in steps[:60]:
        values[name] = value
        known.sizes(values)
    fresh = Model(json.loads((DATA / f"linux-{arch}.json").read_text()))
    assert known.sizes(end) == fresh.sizes(end)


def test_what_was_not_measured_is_not_covered() -> None:
    small = Model(SMALL)
    assert small.covers({"NET": "y"}) and not small.covers({"NET": "y", "ZSTD": "y"})


def delta(known: Model, before: Mapping[str, str], after: Mapping[str, str]) -> int:
    return known.sizes(after).vmlinuz_bytes - known.sizes(before).vmlinuz_bytes


@settings(max_examples=10, deadline=None)
@given(seed=seeds, share=shares)
def test_what_a_toggle_changes_is_the_difference_of_the_totals(
    known: Model, drawing: Drawing, seed: str, share: float
) -> None:
    before = drawing.random(seed, share)
    after = drawing.random(seed, share / 2)
    assert delta(known, before, after) == -delta(known, after, before)
    assert delta(known, before, before) == 0


def test_larger_presets_are_larger(known: Model, arch: str) -> None:
    minimal, vm = (known.sizes(designs.preset(name, arch)) for name in ("vm-minimal", "vm"))
    assert minimal.raw_bytes < vm.raw_bytes and minimal.vmlinuz_bytes < vm.vmlinuz_bytes


def test_a_file_system_costs_what_it_brings(known: Model, drawing: Drawing, arch: str) -> None:
    vm = designs.preset("vm", arch)
    found = {
        name: delta(known, vm, drawing.changed({name: "y"}, vm)) for name in ("BTRFS_FS", "XFS_FS", "SQUASHFS_LZ4")
    }
    assert found["BTRFS_FS"] > found["XFS_FS"] > 100_000 > found["SQUASHFS_LZ4"] > 0


def test_an_architecture_without_data_has_no_estimate() -> None:
    assert kernel_sizes({}, "vax") is None


def test_what_was_measured_is_what_is_built(arch: str, known: Model) -> None:
    """After a change of the version or the base: kimitui sizes measure-linux."""
    origin = known.origin
    component = sources.load_lock()["linux"]
    assert origin["linux"] == component.version
    assert origin["source"] in {archive.sha256 for archive in component.archives}
    assert origin["base"] == campaign.base_digest(arch)


def test_the_data_are_small_and_name_options_that_there_are(arch: str, known: Model, drawing: Drawing) -> None:
    assert (DATA / f"linux-{arch}.json").stat().st_size < 1_000_000
    switches = {name.removeprefix(PREFIX) for name in drawing.names}
    assert len(switches & known.closure.positions.keys()) > len(switches) * 0.6
