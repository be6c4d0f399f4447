"""The kernels that are measured can be built, and differ as they should."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import pytest

from kimitui import config_upstream
from kimitui.kconfig import explain, linux
from kimitui.kconfig.types import Kconfig
from kimitui.sizes.closure import Closure
from kimitui.sizes.kernel import model
from kimitui.sizes.linux import designs
from kimitui.sizes.linux.designs import COMPILED_IN, EXCLUSIVE, Drawing

ARCH = "x86_64"


@pytest.fixture(scope="module")
def drawing() -> Drawing:
    return Drawing(ARCH)


@pytest.fixture
def upstream(linux_upstream: Mapping[str, Kconfig]) -> Iterator[Kconfig]:
    yield linux_upstream[ARCH]
    linux_upstream[ARCH].unset_values()


def on(requested: Mapping[str, str]) -> set[str]:
    return {name for name, value in requested.items() if value in ("y", "m")}


def test_linux_keeps_what_is_drawn(upstream: Kconfig) -> None:
    for design in (*designs.from_presets(ARCH), *designs.drawn(ARCH, fit=2, check=8)):
        config_upstream.apply_upstream(upstream, design.requested, beneath=linux.beneath(upstream, ARCH))
        assert not explain.requested_but_lost(upstream, design.requested), design.name


def test_draws_are_small_and_large_and_none_twice() -> None:
    drawn = [on(design.requested) for design in designs.drawn(ARCH, fit=4, check=8)]
    assert len({frozenset(one) for one in drawn}) == len(drawn)
    assert min(map(len, drawn)) < 20 and max(map(len, drawn)) > 180
    assert [design.requested for design in designs.drawn(ARCH, fit=4, check=8)] == [
        design.requested for design in designs.drawn(ARCH, fit=4, check=8)
    ]


def test_the_kernel_that_has_everything_has_all_that_can_be_together(drawing: Drawing) -> None:
    vm = designs.preset("vm", ARCH)
    everything = drawing.everything(vm)
    left_out = {name for name, value in everything.items() if value == "n"}
    assert not left_out & {"BTRFS_FS", "XFS_FS", "WIREGUARD", "NF_TABLES", "DRM", "KALLSYMS", "MODULES"}
    assert {"SLUB_TINY", "BASE_SMALL", "KASAN"} <= left_out
    assert len(on(everything)) > 180 and set(EXCLUSIVE) <= left_out | {"TRIM_UNUSED_KSYMS"}


def test_a_sample_differs_in_its_option(drawing: Drawing) -> None:
    base = drawing.everything(designs.preset("vm", ARCH))
    first, *rest = designs.sampled(ARCH, base, ("mm/slub.o",))
    assert first.requested == base and first.use == "base"
    for design in rest:
        option = design.name.removeprefix("sample-")
        assert option in COMPILED_IN
        assert design.requested.get(option, "n") != base.get(option, "n")
        assert design.objects == ("mm/slub.o",)


def test_less_and_less_is_left_of_the_kernel_that_has_everything(drawing: Drawing, upstream: Kconfig) -> None:
    base = drawing.everything(designs.preset("vm", ARCH))
    steps = [one for one in designs.core(ARCH, base, ("mm/slub.o",)) if one.use == "core"]
    assert steps[0].requested == base
    for before, after in pairwise(steps):
        assert on(after.requested) < on(before.requested), after.name
        *_, option = after.name.split("-", 2)
        assert after.requested.get(option, "n") == "n"
    more = [one for one in designs.core(ARCH, base, ("mm/slub.o",)) if one.use == "more"]
    assert len(more) > 5 and all(one.name.removeprefix("more-") in on(one.requested) for one in more)


def test_what_changes_single_objects_is_measured_both_ways(drawing: Drawing) -> None:
    base = drawing.everything(designs.preset("vm", ARCH))
    found = {one.name: one for one in designs.variants(ARCH, base, ("fs/ext4/super.o",))}
    assert {"everything-traced", "everything-crc", "variant-FTRACE", "variant-CRC32_SARWATE"} == found.keys()
    for name, one in found.items():
        assert (one.requested == base) == name.startswith("everything")


def test_the_data_follow_linuxs_own_tree(upstream: Kconfig, drawing: Drawing) -> None:
    """The slice in the data gives Linux' own values, whatever is drawn."""
    found = model(ARCH)
    if found is None:
        pytest.skip("no kernel has been measured")
    closure: Closure = found.closure
    for number in range(12):
        requested = drawing.random(f"slice {number}", (number + 1) / 13)
        config_upstream.apply_upstream(upstream, requested, beneath=linux.beneath(upstream, ARCH))
        values = closure.values(requested)
        for name, position in closure.positions.items():
            value = values[position]
            if name in upstream.syms and isinstance(value, int):
                assert value == upstream.syms[name].tri_value, (number, name)


def test_all_that_can_be_a_module_is_one_and_a_sample_of_them_has_each_option_changed(upstream: Kconfig) -> None:
    base, trimmed, *rest = designs.modules(ARCH)
    assert list(base.requested.values()).count("m") > 80 and not base.objects and not trimmed.objects
    assert trimmed.requested == {**base.requested, designs.TRIMMING: "y"}
    for design in rest:
        option = design.name.removeprefix("modules-")
        assert design.requested.get(option, "n") != base.requested.get(option, "n")
        assert design.objects == designs.MODULES
        config_upstream.apply_upstream(upstream, design.requested, beneath=linux.beneath(upstream, ARCH))
        for name in ("FAT_FS", "ISO9660_FS", "OVERLAY_FS", "HID", "TUN", "USB_STORAGE", "VIRTIO_NET", "NF_NAT"):
            assert upstream.syms[name].str_value == "m", (design.name, name)
