"""What modules take where they are installed: as it was measured, and what options make of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from kimitui.kconfig.loader import load
from kimitui.sizes.kernel import Model
from kimitui.sizes.linux import modules
from kimitui.sizes.linux.conditions import Conditions
from kimitui.sizes.linux.designs import ALL_MODULES, TRIMMED_MODULES
from kimitui.sizes.linux.fit import with_modules
from kimitui.sizes.linux.record import KINDS, Installed, Measured
from kimitui.sizes.linux.slice import Slice
from kimitui.sizes.tarball import members_bytes

COMPOSITION = {
    "fs/fat/fat.ko": ("fs/fat/cache.o", "fs/fat/dir.o"),
    "lib/tiny.ko": ("lib/tiny.o",),
    "net/sched/cls.ko": ("net/sched/cls.o",),
}
SIZES = {"fs/fat/cache.o": 3_000, "fs/fat/dir.o": 7_000, "lib/tiny.o": 100, "net/sched/cls.o": 4_000}
EACH = 5_000
KCONFIG = """
config MODULES
	bool "MODULES"
	modules
config FAT
	tristate "FAT"
config CLS
	tristate "CLS"
config TINY
	tristate "TINY"
config TRACE
	bool "TRACE"
config DIRS
	bool "DIRS"
config TRIM_UNUSED_KSYMS
	bool "TRIM_UNUSED_KSYMS"
config UBSAN
	bool "UBSAN"
config UBSAN_TRAP
	bool "UBSAN_TRAP"
	depends on UBSAN
"""
ALL = {"MODULES": "y", "FAT": "m", "CLS": "m", "TINY": "m", "TRACE": "y", "DIRS": "y"}
ASKED = (*ALL, "TRIM_UNUSED_KSYMS", "UBSAN", "UBSAN_TRAP")


def taken(values: Mapping[str, str]) -> dict[str, int]:
    """By module, the bytes of its file, of which each has the same beside what its objects make.

    Tracing adds a quarter to that, and DIRS brings an object; checks add as much again, but for those that need not
    say where they are. A third of what is in fat.ko is what it offers to others, and nobody uses.
    """
    parts = {
        "fs/fat/fat.ko": 2.0 * (10_000 if values.get("DIRS") == "y" else 3_000),
        "lib/tiny.ko": 0.0,
        "net/sched/cls.ko": 3.0 * 4_000,
    }
    if values.get("TRIM_UNUSED_KSYMS") == "y":
        parts["fs/fat/fat.ko"] *= 2 / 3
    factor = 1.25 if values.get("TRACE") == "y" else 1
    if values.get("UBSAN") == "y":
        factor += 0.1 if values.get("UBSAN_TRAP") == "y" else 1
    return {module: EACH + round(size * factor) for module, size in parts.items()}


def measured(name: str, values: Mapping[str, str], *only: str) -> Measured:
    sizes = {module: size for module, size in taken(values).items() if not only or module in only}
    files = [Installed(f"lib/modules/0/kernel/{module}", size, size // 2) for module, size in sizes.items()]
    lists = [
        Installed("lib/modules/0/modules.dep", 1_000, 100),
        Installed("lib/modules/0/modules.builtin.bin", 500, 50),
    ]
    composition = {module: COMPOSITION[module] for module in sizes}
    return Measured(name, "modules", values, values, {}, 0, 0, {}, modules=[*files, *lists], composition=composition)


@pytest.fixture(scope="module")
def conditions(tmp_path_factory: pytest.TempPathFactory) -> Conditions:
    path = tmp_path_factory.mktemp("linux") / "Kconfig"
    path.write_text(KCONFIG)
    tree = load(path)
    return Conditions(Slice(tree, ASKED, {}), tree)


def model(conditions: Conditions, *kernels: Measured) -> Model:
    none = [0] * (len(KINDS) - 2)
    parts = [
        [when, [SIZES[path], 0, *none], [[path, SIZES[path], 0]]]
        for when, path in (
            ("FAT", "fs/fat/cache.o"),
            ("& FAT DIRS", "fs/fat/dir.o"),
            ("CLS", "net/sched/cls.o"),
            ("TINY", "lib/tiny.o"),
        )
    ]
    compressor = {"when": "y", "packed": {"scale": 1.0, "power": 1.0, "factors": []}, "content": {}, "wrapper": 0}
    tristate = {"FAT", "CLS", "TINY"}
    data = {
        "kinds": list(KINDS),
        "origin": {},
        "slice": {
            "base": {},
            "symbols": [{"name": name, "visible": "y", "tristate": name in tristate} for name in ASKED],
        },
        "groups": [{"parts": parts, "factors": []}],
        "only": [],
        "smaller": [],
        "image": {"installed": modules.NOTHING, "kinds": {}, "compressors": [compressor], "wrapper": []},
        "comparison": {},
    }
    return Model(with_modules(data, kernels, conditions))


EVERY = measured(ALL_MODULES, ALL)
TRACE_OFF = measured("modules-TRACE", {**ALL, "TRACE": "n"}, "net/sched/cls.ko")


def installed(values: Mapping[str, str], *which: str) -> int:
    """With the lists, in proportion."""
    files = [taken(values)[module] for module in which]
    return round(sum(files) * (1 + 1_000 / sum(taken(ALL).values())))


def test_what_was_measured_comes_out_as_it_is(conditions: Conditions) -> None:
    found = model(conditions, EVERY, TRACE_OFF).sizes(ALL)
    files = [*taken(ALL).values(), 1_000]
    assert found.modules_bytes == pytest.approx(sum(files), rel=0.001)
    assert found.modules_members_bytes == pytest.approx(members_bytes(files, 3), rel=0.001)
    assert found.modules_packed_bytes == pytest.approx(sum(taken(ALL).values()) / 2 + 100, rel=0.001)


@pytest.mark.parametrize(
    ("off", "which"),
    [
        ({"CLS": "n"}, ("fs/fat/fat.ko", "lib/tiny.ko")),
        ({"CLS": "y", "TINY": "y"}, ("fs/fat/fat.ko",)),
        ({"TRACE": "n"}, ("fs/fat/fat.ko", "lib/tiny.ko", "net/sched/cls.ko")),
        ({"TRACE": "n", "FAT": "n"}, ("lib/tiny.ko", "net/sched/cls.ko")),
        ({"FAT": "n", "CLS": "n", "TINY": "n"}, ()),
    ],
)
def test_what_is_left_takes_what_it_took(conditions: Conditions, off: dict[str, str], which: tuple[str, ...]) -> None:
    values = {**ALL, **off}
    found = model(conditions, EVERY, TRACE_OFF).sizes(values)
    assert found.modules_bytes == pytest.approx(installed(values, *which), rel=0.001)


def test_an_object_less_makes_a_module_smaller_by_its_share(conditions: Conditions) -> None:
    less = model(conditions, EVERY, TRACE_OFF).sizes({**ALL, "CLS": "n", "TINY": "n", "DIRS": "n"})
    assert less.modules_bytes == pytest.approx(installed(ALL, "fs/fat/fat.ko") * 3_000 / 10_000, rel=0.001)


def test_an_option_that_was_off_when_all_was_measured_makes_them_larger(conditions: Conditions) -> None:
    off = {**ALL, "TRACE": "n"}
    on = measured("modules-TRACE", ALL, "net/sched/cls.ko")
    found = model(conditions, measured(ALL_MODULES, off), on)
    for values in (off, ALL):
        files = sum(taken(values).values())
        lists = 1 + 1_000 / sum(taken(off).values())
        assert found.sizes(values).modules_bytes == pytest.approx(files * lists, rel=0.001)


def test_checks_that_stop_the_kernel_are_told_from_those_that_do_not(conditions: Conditions) -> None:
    checked, trapped = {**ALL, "UBSAN": "y"}, {**ALL, "UBSAN": "y", "UBSAN_TRAP": "y"}
    samples = [measured("modules-UBSAN", checked, "net/sched/cls.ko")]
    samples.append(measured("modules-UBSAN_TRAP", trapped, "net/sched/cls.ko"))
    found = model(conditions, EVERY, TRACE_OFF, *samples)
    for values in (ALL, checked, trapped):
        every = installed(values, *taken(values))
        assert found.sizes(values).modules_bytes == pytest.approx(every, rel=0.001)


def test_what_nobody_uses_can_be_left_out(conditions: Conditions) -> None:
    values = {**ALL, "TRIM_UNUSED_KSYMS": "y"}
    found = model(conditions, EVERY, TRACE_OFF, measured(TRIMMED_MODULES, values)).sizes(values)
    assert found.modules_bytes == pytest.approx(sum(taken(values).values()) + 1_000, rel=0.002)


def test_without_any_that_was_measured_there_is_nothing(conditions: Conditions) -> None:
    assert model(conditions, TRACE_OFF).sizes(ALL).modules_bytes == 0
