"""What a level of hardening means."""

from __future__ import annotations

from pathlib import Path

import pytest

from kimitui.config import Configuration
from kimitui.kconfig import linux

BOOTS = 'image: { formats: ["rootfs", "vmlinuz"], arch: "%s" }'


def of(tmp_path: Path, text: str) -> Configuration:
    path = tmp_path / "preset.json5"
    path.write_text(f"{{ {text} }}")
    return Configuration.open(str(path))


def kernel(tmp_path: Path, arch: str, hardening: str, further: str = "") -> set[str]:
    config = of(tmp_path, f"{BOOTS % arch}, hardening: {{ {hardening} }}{further}")
    return {name for name, value in config.requested("kernel").items() if value == "y"}


@pytest.mark.parametrize("arch", linux.ARCHES)
def test_each_level_protects_the_kernel_more(tmp_path: Path, arch: str) -> None:
    none, basic, full = (kernel(tmp_path, arch, f'level: "{level}"') for level in ("none", "basic", "full"))
    assert none < basic < full
    assert basic == kernel(tmp_path, arch, "")
    assert {"FORTIFY_SOURCE", "HARDENED_USERCOPY", "SECURITY_YAMA", "SECURITY_DMESG_RESTRICT"} <= basic - none
    assert {"INIT_ON_FREE_DEFAULT_ON", "SECURITY_LOCKDOWN_LSM", "ZERO_CALL_USED_REGS"} <= full - basic


def test_a_single_option_of_the_kernel_refines_the_level(tmp_path: Path) -> None:
    refined = kernel(tmp_path, "x86_64", 'level: "full"', ", kernel: { KFENCE: false, HARDENED_USERCOPY: false }")
    assert kernel(tmp_path, "x86_64", 'level: "full"') - refined == {"KFENCE", "HARDENED_USERCOPY"}


def test_without_a_kernel_the_level_asks_nothing_of_one(tmp_path: Path) -> None:
    assert of(tmp_path, 'hardening: { level: "full" }').requested("kernel") == {}


def test_a_preset_that_extends_another_keeps_its_single_options(tmp_path: Path) -> None:
    (tmp_path / "base.json5").write_text('{ hardening: { level: "full", pie: false } }')
    config = of(tmp_path, 'extends: "base", hardening: { level: "basic" }')
    assert not config.is_on("HARDENING_PIE")
    assert config.choice("HARDENING_STACK_PROTECTOR") == "strong"
    assert config.own_values() == {"hardening": {"level": "basic"}}
