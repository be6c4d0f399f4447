"""The kernel in presets, with the real system tree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from kimitui import preset
from kimitui.config import Configuration, Refused
from kimitui.errors import Location, PresetError
from kimitui.kconfig import linux
from kimitui.kconfig.types import Kconfig

PLACE = Path("/nowhere/edge.json5")


def configured(text: str) -> Configuration:
    return Configuration.from_preset(preset.parse(text, PLACE))


def test_without_a_kernel_nothing_is_asked_of_linux() -> None:
    assert configured("{}").requested("kernel") == {}
    assert not any(configured("{}").is_on(name) for name in ("KERNEL_NET", "KERNEL_BLOCK", "KERNEL_SECCOMP"))


def test_an_option_without_a_kernel_says_what_it_needs() -> None:
    with pytest.raises(PresetError, match=r"needs .*\"vmlinuz\" \(IMAGE_FORMAT_VMLINUZ\)"):
        configured("{ kernel: { WIREGUARD: true } }")


def test_options_upstream_symbols_and_values_are_asked_of_linux() -> None:
    config = configured(
        '{ image: { formats: ["vmlinuz"] }, kernel: { MODULES: true, WIREGUARD: "m", NR_CPUS: 4, LSM: "yama",'
        ' SECURITY: true, KERNEL_GZIP: true, DM_SNAPSHOT: "m" } }'
    )
    wanted = config.requested("kernel")
    asked = {name: wanted.get(name) for name in ("WIREGUARD", "NR_CPUS", "LSM", "KERNEL_GZIP", "KERNEL_XZ")}
    assert asked == {"WIREGUARD": "m", "NR_CPUS": "4", "LSM": "yama", "KERNEL_GZIP": "y", "KERNEL_XZ": "n"}
    assert wanted["DM_SNAPSHOT"] == "m"
    # Nothing is asked of what only another architecture has.
    assert "SERIAL_AMBA_PL011" not in wanted and "SERIAL_8250" in wanted


def test_a_module_needs_modules() -> None:
    with pytest.raises(PresetError, match=r'needs "Loadable modules" \(KERNEL_MODULES\), which is off') as caught:
        configured('{ image: { formats: ["vmlinuz"] }, kernel: { WIREGUARD: "m" } }')
    assert caught.value.where == Location(PLACE, 1, 46)


def test_upstream_symbols_that_no_kernel_is_built_for_are_noted() -> None:
    config = configured("{ kernel: { DM_SNAPSHOT: true } }")
    (unused,) = config.overridden
    assert (unused.section, unused.key, unused.where) == ("kernel", "DM_SNAPSHOT", Location(PLACE, 1, 13))
    assert "(IMAGE_FORMAT_VMLINUZ), which is off" in unused.describe()
    with pytest.raises(Refused, match="would have no effect"):
        config.set_upstream("kernel", "DM_SNAPSHOT", True)
    assert not configured('{ image: { formats: ["vmlinuz"] }, kernel: { DM_SNAPSHOT: true } }').overridden


@pytest.mark.parametrize(
    ("symbols", "says"),
    [
        ("DM_SNAPSHOT: true, BLK_DEV_DM: true", ""),
        ("DM_SNAPSHOT: true", '"Device mapper support" (BLK_DEV_DM), which is off'),
        ("DM_SNAPSHOT: 5", 'must be true, "m" or false, not 5'),
        ("DM_SNAPSHOTS: true", 'did you mean "DM_SNAPSHOT"?'),
        ("TTY: false", ""),
        ('FW_LOADER: true, EXTRA_FIRMWARE: "a.bin"', ""),
    ],
)
def test_upstream_symbols_are_checked_against_linuxs_tree(
    linux_upstream: Mapping[str, Kconfig], symbols: str, says: str
) -> None:
    config = configured(
        f'{{ image: {{ formats: ["vmlinuz"] }}, kernel: {{ SERIAL_8250: false, UNIX98_PTYS: false, {symbols} }} }}'
    )
    tree = linux_upstream["x86_64"]
    try:
        if not says:
            config.validate_upstream("kernel", tree, beneath=linux.beneath(tree, "x86_64"))
            return
        with pytest.raises(PresetError) as caught:
            config.validate_upstream("kernel", tree, beneath=linux.beneath(tree, "x86_64"))
        assert says in str(caught.value)
        assert caught.value.where and caught.value.where != Location(PLACE)
    finally:
        tree.unset_values()


@pytest.mark.parametrize("arch", ["arm64", "riscv64"])
def test_where_a_boot_loader_unpacks_the_kernel_there_is_no_choice_of_a_packer(arch: str) -> None:
    asked = Configuration.open("vm", arch=arch).requested("kernel")
    assert asked["NET"] == "y" and not any(name.startswith("KERNEL_") for name in asked)
    with pytest.raises(PresetError, match="KERNEL_ZSTD cannot be on"):
        configured(f'{{ image: {{ arch: "{arch}", formats: ["vmlinuz"] }}, kernel: {{ KERNEL_ZSTD: true }} }}')
