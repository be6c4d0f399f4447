"""The definitions of packages, and which of them a preset gets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kimitui.build import packages, replaced
from kimitui.build.lock import load_lock
from kimitui.build.plan import components
from kimitui.config import Configuration
from kimitui.errors import PresetError, UsageError
from kimitui.kconfig.types import Kconfig
from kimitui.resources import BUILDER_DIR


def write(directory: Path, text: str) -> Path:
    path = directory / "preset.json5"
    path.write_text(text)
    return path


def opened(directory: Path, text: str) -> Configuration:
    return Configuration.open(str(write(directory, text)))


def test_menu_definitions_sources_and_steps_go_together(system_kconfig: Kconfig) -> None:
    defined = packages.load()
    in_menu = {name for name in system_kconfig.syms if name.startswith("PACKAGE_")}
    assert {package.symbol for package in defined.values() if package.symbol} == in_menu
    assert set(defined) <= set(load_lock())
    scripts = {path.name for path in (BUILDER_DIR / "steps").glob("package-*.sh")} - {"package-lib.sh"}
    assert scripts == {f"package-{name}.sh" for name in defined}
    used = {name for package in defined.values() for name in package.uses}
    assert used == {package.name for package in defined.values() if package.symbol is None}


def test_only_what_is_on_is_fetched(tmp_path: Path) -> None:
    base = ("linux", "musl", "busybox")
    assert components(opened(tmp_path, '{ extends: "minimal" }')) == base
    some = opened(tmp_path, '{ extends: "minimal", packages: { tcpdump: true, tini: true } }')
    assert components(some) == (*base, "tini", "libpcap", "tcpdump")
    assert [package.name for package in packages.installed(some)] == ["tini", "tcpdump"]


def test_curl_brings_whom_it_trusts_unless_told_otherwise(tmp_path: Path) -> None:
    def names(text: str) -> list[str]:
        config = opened(tmp_path, f'{{ extends: "minimal", packages: {{ {text} }} }}')
        return [package.name for package in packages.installed(config)]

    assert names("curl: true") == ["ca-certificates", "curl"]
    assert names("curl: true, ca_certificates: false") == ["curl"]


def test_an_unknown_package_names_the_line_and_the_nearest(tmp_path: Path) -> None:
    preset = write(tmp_path, '{ extends: "minimal",\n  packages: { dropbaer: true } }')
    with pytest.raises(PresetError, match="dropbear") as caught:
        Configuration.open(str(preset))
    assert f"{preset}:2:15" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{ a: { uses: ["b"] }, b: {} }', "`a` uses `b`, which does not come before it"),
        ("{ a: { symbl: 'A' } }", "unknown field `symbl`"),
        ("{ a: { symbol: 1 } }", "`symbol`"),
        ("{ a: { files: 'x' } }", "must have a list"),
    ],
)
def test_malformed_definitions(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=re.escape(complaint)):
        packages.load(write(tmp_path, text))


def test_what_gives_way_is_said() -> None:
    links = "/usr/bin/lsof\n/sbin/tune2fs\n/bin/ls\n/usr/bin/top\n"
    brought = {
        "lsof": frozenset({"usr/bin/lsof"}),
        "e2fsprogs": frozenset({"usr/sbin/tune2fs", "etc/ls", "usr/sbin/debugfs", "usr/libexec/bin/top"}),
    }
    assert list(replaced.messages(links, brought, ["usr/bin/top", "etc/ls", "usr/bin/lsof", "bin/busybox", "x"])) == [
        "packages: lsof takes the place of BusyBox's lsof",
        "packages: e2fsprogs takes the place of BusyBox's tune2fs",
        "image.files: /bin/busybox takes the place of that of BusyBox",
        "image.files: /etc/ls takes the place of that of e2fsprogs",
        "image.files: /usr/bin/lsof takes the place of that of lsof",
        "image.files: /usr/bin/top takes the place of that of BusyBox",
    ]
