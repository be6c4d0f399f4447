from __future__ import annotations

from pathlib import Path

import pytest

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


def test_riscv64_has_no_stack_clash_protection(tmp_path: Path) -> None:
    """The compiler of the toolchain would accept the flag there and do nothing, so it must not be given."""
    assert "-fstack-clash-protection" not in of(tmp_path, "image: { arch: 'riscv64' }").compile


def test_the_c_library_itself_is_not_fortified(tmp_path: Path) -> None:
    made = of(tmp_path, "hardening: { fortify: '2' }")
    assert "-D_FORTIFY_SOURCE=2" in made.compile
    assert not any("FORTIFY" in word for word in made.libc)
