from __future__ import annotations

from pathlib import Path

import pytest

from kimitui.build.arch import ARCHES
from kimitui.build.flags import Flags, flags
from kimitui.config import Configuration


def of(tmp_path: Path, text: str) -> Flags:
    path = tmp_path / "preset.json5"
    path.write_text("{" + text + "}")
    return flags(Configuration.open(str(path)))


@pytest.mark.parametrize(
    ("preset", "compiled", "linked"),
    [
        ("", {"-fPIE", "-fstack-protector-strong", "-fstack-clash-protection"}, {"-static-pie"}),
        ("image: { link: 'dynamic' }", {"-fPIE"}, {"-pie", "-Wl,-z,relro,-z,now"}),
        ("hardening: { pie: false }", {"-fno-pie"}, {"-static", "-no-pie"}),
        ("hardening: { pie: false }, image: { link: 'dynamic' }", {"-fno-pie"}, {"-no-pie"}),
        ("hardening: { stack_protector: 'all' }", {"-fstack-protector-all"}, set()),
        ("hardening: { stack_protector: 'none' }", {"-fno-stack-protector"}, set()),
        ("hardening: { relro: 'none' }", set(), {"-Wl,-z,norelro"}),
        ("hardening: { auto_var_init: true }", {"-ftrivial-auto-var-init=zero"}, set()),
        ("hardening: { branch_protection: true }", {"-fcf-protection=full"}, set()),
        (
            "hardening: { branch_protection: true }, image: { arch: 'arm64' }",
            {"-mbranch-protection=standard"},
            set(),
        ),
        ("image: { arch: 'riscv64' }", {"-fvisibility=hidden"}, {"-static-pie", "-Wl,--exclude-libs,ALL"}),
        ("hardening: { fortify: '3' }", {"-D_FORTIFY_SOURCE=3", "/steps/fortify-headers/include"}, set()),
    ],
)
def test_options_become_flags(tmp_path: Path, preset: str, compiled: set[str], linked: set[str]) -> None:
    made = of(tmp_path, preset)
    assert compiled <= set(made.compile)
    assert linked <= set(made.link)


def test_what_is_off_leaves_no_flag(tmp_path: Path) -> None:
    made = of(tmp_path, "hardening: { stack_clash: false, auto_var_init: false }")
    words = " ".join(made.compile)
    assert not any(word in words for word in ("clash", "auto-var", "FORTIFY", "cf-protection", "branch-protection"))


@pytest.mark.parametrize("arch", ARCHES)
def test_levels_set_the_group(tmp_path: Path, arch: str) -> None:
    image = f"image: {{ arch: '{arch}' }}"
    today = of(tmp_path, image)
    assert of(tmp_path, f"{image}, hardening: {{ level: 'basic' }}") == today
    none = of(tmp_path, f"{image}, hardening: {{ level: 'none' }}")
    assert set(none.compile) == {"-fno-pie", "-fno-stack-protector"}
    assert {"-static", "-no-pie", "-Wl,-z,norelro"} <= set(none.link)
    full = of(tmp_path, f"{image}, hardening: {{ level: 'full' }}")
    assert "-fstack-protector-all" in full.compile
    assert set(today.compile) - {"-fstack-protector-strong"} <= set(full.compile)
    assert ("-mbranch-protection=standard" in full.compile) == (arch == "arm64")
    assert ("-fzero-call-used-regs=used-gpr" in full.compile) == (arch != "riscv64")
    assert "-fcf-protection=full" not in full.compile


def test_a_level_can_be_refined_in_the_same_preset_and_in_one_that_extends_it(tmp_path: Path) -> None:
    refined = of(tmp_path, "hardening: { level: 'full', stack_protector: 'strong', pie: false }")
    assert {"-fstack-protector-strong", "-fno-pie", "-fzero-call-used-regs=used-gpr"} <= set(refined.compile)
    (tmp_path / "base.json5").write_text('{ hardening: { level: "none", pie: true } }')
    made = of(tmp_path, 'extends: "base", hardening: { level: "full" }')
    assert {"-fstack-protector-all", "-fPIE"} <= set(made.compile)


def test_riscv64_has_no_stack_clash_protection(tmp_path: Path) -> None:
    """The compiler of the toolchain would accept the flag there and do nothing, so it must not be given."""
    assert "-fstack-clash-protection" not in of(tmp_path, "image: { arch: 'riscv64' }").compile


def test_the_c_library_itself_is_not_fortified(tmp_path: Path) -> None:
    made = of(tmp_path, "hardening: { fortify: '2' }")
    assert "-D_FORTIFY_SOURCE=2" in made.compile
    assert not any("FORTIFY" in word for word in made.libc)
