"""What holds for the sizes of every configuration."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimitui import preset as presets
from kimitui.build.sources import load_lock
from kimitui.config import Configuration
from kimitui.sizes import busybox, draw, panel
from kimitui.sizes.beside import METADATA, beside
from kimitui.sizes.estimate import Estimator, busybox_values, estimate
from kimitui.sizes.running import Running

ARCHES = tuple(arch for arch in busybox.ARCHES if busybox.load(arch))


@functools.cache
def opened(name: str) -> Configuration:
    return Configuration.open(name)


def switches(config: Configuration, sections: Sequence[str] = ("busybox",)) -> list[str]:
    return [
        entry.symbol
        for entry in config.names.entries.values()
        if entry.section in sections and entry.type in ("bool", "tristate") and entry.settable
    ]


def applet_names() -> frozenset[str]:
    model = busybox.load("x86_64")
    assert model is not None
    return model.applets


SYMBOLS = switches(opened("minimal"))
APPLETS = [symbol for symbol in SYMBOLS if symbol.removeprefix("BUSYBOX_").lower() in applet_names()]
HARDENING = [
    "HARDENING_PIE",
    "HARDENING_STACK_CLASH",
    "HARDENING_AUTO_VAR_INIT",
    "HARDENING_ZERO_REGISTERS",
    "HARDENING_STACK_PROTECTOR_ALL",
    "HARDENING_RELRO_NONE",
]


def toggled(config: Configuration, symbols: Sequence[str]) -> int:
    """Toggle what can be toggled; how many undos take it back."""
    done = 0
    for symbol in symbols:
        if config.consequences(symbol):
            config.toggle(symbol)
            done += 1
    return done


@given(
    st.sampled_from(ARCHES),
    st.sampled_from(["static", "dynamic"]),
    st.lists(st.sampled_from(SYMBOLS + HARDENING), max_size=10),
)
@settings(max_examples=40, deadline=None)
def test_every_size_is_positive_and_the_parts_sum_up_to_the_whole(arch: str, link: str, symbols: list[str]) -> None:
    config = opened("standard").copy()
    config.set("IMAGE_ARCH", arch)
    config.set("IMAGE_LINK", link)
    toggled(config, symbols)
    sizes = estimate(config)
    assert not sizes.unknown
    assert ("musl" in sizes.components) == (link == "dynamic")
    assert all(size > 0 for size in (*sizes.components.values(), *sizes.artifacts.values(), sizes.total_bytes))
    assert sum(sizes.components.values()) == sizes.contents_bytes
    assert sizes.total_bytes > sizes.contents_bytes - sizes.components["base"]
    assert sizes.artifacts["rootfs.tar"] == sizes.total_bytes
    assert not sizes.exact


@given(st.booleans(), st.lists(st.sampled_from(APPLETS), unique=True, max_size=10), st.sampled_from(APPLETS))
@settings(max_examples=40, deadline=None)
def test_an_applet_more_never_links_less(static: bool, others: list[str], applet: str) -> None:
    config = opened("minimal").copy()
    toggled(config, others)
    model = busybox.load("x86_64", static=static)
    assert model is not None
    key = applet.removeprefix("BUSYBOX_")
    without, with_it = Running(model).built({**busybox_values(config), key: "n"}, (), ({}, {key: "y"}))
    assert with_it.linked_bytes >= without.linked_bytes
    assert with_it.links >= without.links
    assert with_it.imports >= without.imports
    assert (with_it.imports > 0) != static


@given(st.booleans(), st.integers(0, 1000), st.sampled_from([0.2, 0.6, 1.0]), st.sampled_from([0.0, 0.3, 0.9]))
@settings(max_examples=40, deadline=None)
def test_with_less_switched_on_it_is_never_more_than_with_everything(
    static: bool, seed: int, applets: float, others: float
) -> None:
    model = busybox.load("x86_64", static=static)
    assert model is not None
    everything = dict.fromkeys(model.symbols, "y")
    random = Random(seed)
    shares = {symbol: applets if model.applets_of(symbol) else others for symbol in sorted(model.symbols)}
    less = {symbol: "y" if random.random() < share else "n" for symbol, share in shares.items()}
    less["FEATURE_COMPRESS_USAGE"] = "y"  # what it is for: without it there is more
    whole, some = Running(model).built(everything, (), ({}, less))
    assert 0 < some.file_bytes <= whole.file_bytes
    assert 0 < some.packed_bytes <= whole.packed_bytes


@pytest.mark.parametrize("number", [1, 12, 29])
def test_the_metadata_are_as_long_as_what_the_preset_says(number: int) -> None:
    config = draw.configuration(6, number, "x86_64")
    sizes = estimate(config)
    everything = beside(config, "", Path(), lambda plan: {})
    others = sum(size for path, (part, size) in everything.files.items() if part == "base" and path != METADATA)
    true = len(everything.contents[METADATA])
    # Drawn presets switch off much that would come on by itself, and on what need not be said.
    assert abs(sizes.components["base"] - others - true) < true // 10


def test_usage_texts_are_packed_where_busybox_packs_them() -> None:
    model = busybox.load("x86_64")
    assert model is not None
    usage = dict.fromkeys(["SHOW_USAGE", "FEATURE_VERBOSE_USAGE", "FEATURE_COMPRESS_USAGE"], "y")
    plain, few, many = {"FEATURE_COMPRESS_USAGE": "n"}, {"LS": "y", "CAT": "y"}, dict.fromkeys(model.symbols, "y")
    running = Running(model)
    # A few texts stay as they are, unless what unpacks them is there anyway.
    for values, packed in ((few, False), ({**few, "BUNZIP2": "y"}, True), (many, True)):
        asked, unpacked = running.built({**values, **usage}, (), ({}, plain))
        assert (asked != unpacked) == packed
    # However one comes to them, and back.
    now, more, again = Running(model).built({**few, **usage}, (), ({}, many, {}))
    assert now == again
    assert more == running.built({**few, **usage, **many}, ())[0]
    assert now == running.built({**few, **usage}, ())[0]


@given(st.lists(st.sampled_from(SYMBOLS), unique=True, min_size=2, max_size=12), st.randoms())
@settings(max_examples=20, deadline=None)
def test_the_order_of_toggles_does_not_matter(symbols: list[str], random: object) -> None:
    first = opened("minimal").copy()
    toggled(first, symbols)
    second = opened("minimal").copy()
    shuffled = [symbol for symbol in reversed(symbols) if first.values[symbol] != second.values[symbol]]
    toggled(second, shuffled)
    if first.values == second.values:
        assert estimate(first) == estimate(second)


@given(
    st.sampled_from(["minimal", "standard"]),
    st.sampled_from(["static", "dynamic"]),
    st.lists(st.sampled_from(SYMBOLS), unique=True, min_size=1, max_size=20),
)
@settings(max_examples=20, deadline=None)
def test_what_is_shown_for_a_toggle_is_the_difference_of_the_totals(name: str, link: str, symbols: list[str]) -> None:
    config = opened(name).copy()
    config.set("IMAGE_LINK", link)
    before = estimate(config).total_bytes
    deltas = Estimator(config).deltas(symbols)
    for symbol in symbols[:5]:
        if (delta := deltas[symbol]) is not None:
            config.toggle(symbol)
            assert estimate(config).total_bytes - before == delta
            config.undo()


@given(
    st.booleans(),
    st.lists(st.sampled_from(switches(opened("vm"), ("kernel", "services"))), unique=True, min_size=1, max_size=20),
)
@settings(max_examples=20, deadline=None)
def test_so_it_is_for_options_of_the_kernel(modules: bool, symbols: list[str]) -> None:
    config = opened("vm").copy()
    config.set("KERNEL_MODULES", modules)
    before = estimate(config)
    assert before.counted == ("rootfs.tar", "vmlinuz") and before.total_bytes > sum(before.parts.values())
    deltas = Estimator(config).deltas(symbols)
    for symbol in symbols:
        if (delta := deltas[symbol]) is not None:
            config.toggle(symbol)
            assert estimate(config).total_bytes - before.total_bytes == delta, symbol
            config.undo()


def test_a_driver_costs_its_part_of_the_kernel_or_brings_one_along() -> None:
    symbol = "KERNEL_BTRFS_FS"
    (machine,) = Estimator(opened("vm").copy()).deltas([symbol]).values()
    (container,) = Estimator(opened("standard").copy()).deltas([symbol]).values()
    assert machine is not None and container is not None and 100_000 < machine < 1_000_000 < container


def test_what_nothing_was_measured_of_is_named() -> None:
    config = opened("vm").copy()
    assert "vmlinuz" in estimate(config).artifacts and not estimate(config).unknown
    config.set("IMAGE_ARCH", "i686")
    assert "vmlinuz" in estimate(config).unknown and not estimate(config).is_exact


@given(
    st.sampled_from(["minimal", "standard"]),
    st.lists(st.lists(st.sampled_from(SYMBOLS + HARDENING), min_size=1, max_size=8), min_size=2, max_size=6),
)
@settings(max_examples=20, deadline=None)
def test_one_who_has_seen_many_changes_says_what_a_new_one_says(name: str, steps: list[list[str]]) -> None:
    config = opened(name).copy()
    lasting = Estimator(config)
    for symbols in steps:
        toggled(config, symbols)
        looked = lasting.deltas(symbols)
        assert lasting.sizes() == estimate(config)
        assert looked == Estimator(config).deltas(symbols)


@pytest.mark.parametrize("symbol", [*HARDENING, "PACKAGE_TINI", "SERVICE_NTPD", "HARDENING_NO_SETUID"])
def test_so_it_is_for_options_beside_busybox(symbol: str) -> None:
    config = opened("standard").copy()
    before = estimate(config).total_bytes
    delta = Estimator(config).deltas([symbol])[symbol]
    assert delta is not None
    config.toggle(symbol)
    assert estimate(config).total_bytes - before == delta


def test_what_a_preset_lays_over_the_image_counts(tmp_path: Path) -> None:
    (tmp_path / "files/etc").mkdir(parents=True)
    (tmp_path / "files/etc/motd").write_bytes(b"x" * 100_000)
    path = tmp_path / "more.json5"
    path.write_text('{ extends: "minimal", image: { files: "files" } }')
    with_files = estimate(Configuration.from_preset(presets.read(path)))
    assert with_files.components["files"] == 100_000
    # Blocks of tar; and the metadata says of the image only what the preset itself decides.
    assert 90_000 < with_files.total_bytes - estimate(opened("minimal")).total_bytes < 110_000


@pytest.mark.parametrize("method", ["gzip", "zstd"])
def test_texts_that_are_packed_already_do_not_pack_again(method: str) -> None:
    config = opened("minimal").copy()
    config.set("IMAGE_COMPRESSION", method)
    packed = estimate(config)
    config.set("BUSYBOX_FEATURE_COMPRESS_USAGE", "n")
    plain = estimate(config)
    more = plain.total_bytes - packed.total_bytes
    assert more > 8_000
    assert abs(plain.artifacts["image.oci.tar"] - packed.artifacts["image.oci.tar"]) < more / 2


@pytest.mark.parametrize("method", ["zstd", "xz", "lz4", "none"])
def test_a_system_image_is_whole_blocks_and_smaller_than_what_is_in_it(method: str) -> None:
    config = opened("minimal").copy()
    config.set("IMAGE_FORMAT_SQUASHFS", "y")
    config.set("IMAGE_SQUASHFS", method)
    sizes = estimate(config)
    image = sizes.artifacts["system.squashfs"]
    assert image % 4096 == 0
    assert image < sizes.total_bytes
    assert (image < sizes.contents_bytes * 0.75) == (method != "none")


def test_a_kernel_that_is_like_those_measured_is_estimated() -> None:
    config = opened("vm").copy()
    before = estimate(config).artifacts["vmlinuz"]
    assert 1_000_000 < before < 5_000_000
    config.set("KERNEL_XFS_FS", "y")
    sizes = estimate(config)
    assert sizes.artifacts["vmlinuz"] > before + 100_000
    assert 0 < sizes.uncertainty["vmlinuz"] <= 0.05  # what the worst of the drawn kernels may be off


def test_modules_are_in_the_root_file_system_and_their_lists_with_them() -> None:
    config = opened("vm").copy()
    config.set("KERNEL_MODULES", True)
    lists = estimate(config)
    assert 5_000 < lists.components["linux"] < 100_000
    config.set("KERNEL_WIREGUARD", "y")
    built_in = estimate(config)
    config.set("KERNEL_WIREGUARD", "m")
    module = estimate(config)
    assert not module.unknown
    assert module.components["linux"] > lists.components["linux"] + 100_000
    assert module.artifacts["vmlinuz"] < built_in.artifacts["vmlinuz"]
    assert module.artifacts["system.squashfs"] > built_in.artifacts["system.squashfs"]
    assert module.total_bytes > built_in.total_bytes  # neither packed nor without what linking needs


def test_with_a_shared_c_library_a_program_is_smaller_and_the_image_has_the_library() -> None:
    config = opened("minimal").copy()
    static = estimate(config)
    config.set("IMAGE_LINK", "dynamic")
    dynamic = estimate(config)
    assert dynamic.components["busybox"] < static.components["busybox"]
    assert 400_000 < dynamic.components["musl"] < 900_000
    assert dynamic.total_bytes > static.total_bytes
    config.set("HARDENING_STACK_PROTECTOR", "all")
    assert estimate(config).components["musl"] > dynamic.components["musl"]


def test_openrc_is_estimated_with_what_it_needs() -> None:
    config = opened("standard").copy()
    config.set("INIT_SYSTEM", "openrc")
    sizes = estimate(config)
    assert not sizes.unknown
    assert sizes.components["openrc"] > 500_000
    assert sizes.components["musl"] > 400_000


def test_the_budget_is_the_presets() -> None:
    assert estimate(opened("minimal")).budget_bytes == 5_000_000


def test_an_architecture_without_data_is_said_to_be_unknown() -> None:
    sizes = estimate(Configuration.open("minimal", arch="i686"))
    assert "busybox" in sizes.unknown
    assert "busybox" not in sizes.components
    assert "image.oci.tar" not in sizes.artifacts


@pytest.mark.parametrize("arch", ARCHES)
def test_data_are_of_the_sources_that_the_lock_names(arch: str) -> None:
    model = busybox.load(arch)
    assert model is not None
    lock = load_lock()
    for component in ("busybox", "musl"):
        pinned = {archive.sha256 for archive in lock[component].archives}
        assert model.about["sources"][component] in pinned, (
            f"{component} is another than the one that was measured: kimitui sizes measure --arch {arch} busybox"
        )


def test_an_options_bytes_are_said_by_function() -> None:
    config = opened("standard").copy()
    found = panel.detail(config, "BUSYBOX_VI")
    assert found is not None
    assert ("editors/vi.o", "vi_main") in {(part.owner, part.name) for part in found.alone}
    assert found.alone_bytes == sum(part.size_bytes for part in found.alone)
    shared = next(part for part in found.shared if part.name == "xmalloc")
    assert "ls" in shared.shared_with
    assert "vi" not in shared.shared_with


def test_the_largest_contributors_save_what_they_say() -> None:
    config = opened("standard").copy()
    first, *others = panel.contributors(Estimator(config), config)
    assert len(others) == 9
    assert all(first.saved_bytes >= other.saved_bytes > 0 for other in others)
    before = estimate(config).total_bytes
    config.toggle(first.symbol)
    assert before - estimate(config).total_bytes == first.saved_bytes
