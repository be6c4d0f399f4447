"""The data follow from what was measured: here of a small source, whose kernels are known to the byte."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from kimitui.errors import KimituiError
from kimitui.kconfig.loader import load
from kimitui.sizes.kernel import Model
from kimitui.sizes.linux import image
from kimitui.sizes.linux.conditions import Conditions
from kimitui.sizes.linux.factors import core_factors
from kimitui.sizes.linux.fit import fit
from kimitui.sizes.linux.record import Measured, Vector
from kimitui.sizes.linux.slice import Slice

ASKED = ("MODULES", "SMP", "NET", "IPV6", "FTRACE", "EVENT_TRACING", "KALLSYMS", "UNWINDER_ORC")
PACKERS = ("KERNEL_GZIP", "KERNEL_XZ")
KCONFIG = "".join(f'config {name}\n\tbool "{name}"\n' for name in (*ASKED, *PACKERS) if name != "MODULES")
FILES = {
    "Kconfig": f'config MODULES\n\tbool "MODULES"\n\tmodules\n{KCONFIG}',
    "Kbuild": "obj-y += init/\nobj-$(CONFIG_NET) += net/\n",
    "init/Makefile": "obj-y := main.o traced.o\n",
    "init/main.c": "int main;\n",
    "init/traced.c": "#define CREATE_TRACE_POINTS\n",
    "net/Makefile": "obj-y := core.o\n",
    # A third of it is there only with IPv6.
    "net/core.c": "int a;\nint b;\n#ifdef CONFIG_IPV6\nint c;\n#endif\n",
}
EVERYTHING = {"SMP": "y", "NET": "y", "IPV6": "y", "FTRACE": "y", "EVENT_TRACING": "y"}


def of(code: int) -> Vector:
    """An object with code, as much else, and half of both when it is packed."""
    return code, code, 0, 0, 0, 0, code


def objects(values: Mapping[str, str]) -> dict[str, Vector]:
    """What the kernel is made of: SMP adds a tenth to all, and tracing doubles one object."""
    more = 1.1 if values.get("SMP") == "y" else 1.0
    found = {
        "init/main.o": of(round(10_000 * more)),
        "init/traced.o": of(round(2_000 * more * (2 if values.get("EVENT_TRACING") == "y" else 1))),
    }
    if values.get("NET") == "y":
        found["net/core.o"] = of(round((3_000 if values.get("IPV6") == "y" else 2_000) * more))
    return found


def packed(values: Mapping[str, str]) -> dict[str, str]:
    """With the packer that is usual."""
    return {**values, **({} if "KERNEL_XZ" in values else {"KERNEL_GZIP": "y"})}


def measured(name: str, use: str, values: Mapping[str, str], *only: str) -> Measured:
    values = packed(values)
    found = objects(values)
    if use != "fit":
        return Measured(name, use, values, values, {path: found[path] for path in only or found}, 0, 0, {})
    content = sum(sizes[6] for sizes in found.values())
    orc_bytes = sum(sizes[0] for sizes in found.values()) // 2 if values.get("UNWINDER_ORC") == "y" else 0
    every = {word: round(content * share + orc_bytes // 4) for word, share in (("gzip", 1), ("xz", 0.8))}
    every |= dict.fromkeys(("zstd", "lz4"), content)
    word = "xz" if values.get("KERNEL_XZ") == "y" else "gzip"
    taken: dict[str, dict[str, int]] = {}
    if orc_bytes:
        cost = orc_bytes // 4
        taken["orc"] = {"bytes": orc_bytes, **dict.fromkeys(every, cost)}
        taken["whole"] = every
        taken["plain"] = {packer: size - cost for packer, size in every.items()}
    return Measured(name, use, values, values, found, 0, every[word] + 1_000, every, orc_bytes, pieces=taken)


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in EVERYTHING.items() if name not in names}


KERNELS = (
    measured("everything-00", "base", EVERYTHING),
    measured("variant-FTRACE", "variant", without("FTRACE", "EVENT_TRACING"), "init/traced.o"),
    measured("core-00-everything", "core", EVERYTHING, "init/main.o"),
    measured("core-01-SMP", "core", without("SMP"), "init/main.o"),
    measured("sample-SMP", "sample", without("SMP"), "net/core.o"),
    measured("vm", "fit", without("FTRACE", "EVENT_TRACING")),
    measured("small", "fit", {"UNWINDER_ORC": "y", "KERNEL_XZ": "y"}),
    measured("net", "fit", {"NET": "y", "KERNEL_XZ": "y"}),
)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("linux")
    for name, text in FILES.items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return directory


def fitted(source: Path, *kernels: Measured) -> Model:
    tree = load(source / "Kconfig")
    slice_ = Slice(tree, (*ASKED, *PACKERS), {})
    data = fit(kernels, arch="x86_64", platform="x86", origin={}, slice_=slice_, tree=tree, source=source)
    return Model(data)


@pytest.mark.parametrize(
    "values",
    [
        EVERYTHING,
        without("SMP"),
        without("IPV6"),
        without("NET", "IPV6"),
        without("FTRACE", "EVENT_TRACING"),
        without("FTRACE", "EVENT_TRACING", "SMP", "IPV6"),
        {"UNWINDER_ORC": "y"},
        {"KERNEL_XZ": "y"},
        {"KERNEL_XZ": "y", "UNWINDER_ORC": "y", "SMP": "y"},
    ],
)
def test_a_kernel_that_was_not_measured_comes_out_as_it_would_be(source: Path, values: dict[str, str]) -> None:
    found = fitted(source, *KERNELS).sizes(packed(values))
    true = measured("true", "fit", values)
    raw = sum(code + rest for code, rest, *_ in true.objects.values()) + true.orc_bytes
    assert found.raw_bytes == pytest.approx(raw, rel=0.002)
    assert found.vmlinuz_bytes == pytest.approx(true.vmlinuz_bytes, rel=0.002)


def test_what_lines_say_of_an_option_is_not_counted_twice_in_the_core(source: Path) -> None:
    """A third of net/core.c is for IPv6; all else that IPv6 changes is a tenth, everywhere."""
    on = measured("core-00-everything", "core", EVERYTHING, "net/core.o", "init/main.o")
    smaller = {"net/core.o": of(2_000), "init/main.o": of(round(on.objects["init/main.o"][0] / 1.1))}
    off = Measured("core-01-IPV6", "core", without("IPV6"), without("IPV6"), smaller, 0, 0, {})
    tree = load(source / "Kconfig")
    (found,) = core_factors([on, off], Conditions(Slice(tree, (*ASKED, *PACKERS), {}), tree), source)
    assert found.options == {"IPV6": True}
    assert found.by_kind[0] == pytest.approx(1.1, rel=0.001)


def test_formulas_do_not_depend_on_the_order_of_sets(source: Path) -> None:
    tree = load(source / "Kconfig")
    conditions = Conditions(Slice(tree, ASKED, {}), tree)
    one, other = frozenset([("NET", "value")]), frozenset([("SMP", "on")])
    assert conditions.any_of([one, other]) == conditions.any_of([other, one])


def test_how_packing_depends_on_size_and_on_what_the_compiler_aims_at_is_found() -> None:
    contents = [1e6, 1.5e6, 2e6, 4e6, 7e6]
    is_fast = [False, True, False, False, True]
    pairs = zip(contents, is_fast, strict=True)
    scales = [0.8 * (content / 1e6) ** -0.05 * (1.1 if fast else 1.0) for content, fast in pairs]
    assert image.scaling(scales, contents, is_fast) == pytest.approx((0.8, 0.95, 1.1), rel=1e-4)
    # What is not there to be seen is not guessed.
    mean = pytest.approx((sum(scales[:2]) / 2, 1.0, 1.0))
    assert image.scaling(scales[:2], contents[:2], is_fast[:2]) == mean


def test_too_little_is_refused(source: Path) -> None:
    with pytest.raises(KimituiError, match="too little has been measured"):
        fitted(source, *(kernel for kernel in KERNELS if kernel.use != "fit"))
