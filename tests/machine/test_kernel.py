"""The kernel that is built is the one that was asked for, and only what is asked for is built."""

from __future__ import annotations

import json
import re
from itertools import chain, combinations
from pathlib import Path

import pytest

from kimitui.build import plan as planning
from kimitui.build import release
from kimitui.build.build import Request, build, build_until
from kimitui.build.plan import Plan, Source
from kimitui.config import Configuration
from kimitui.errors import BuildError, PresetError
from kimitui.kconfig import linux as linux_tree
from kimitui.kconfig.explain import read_dotconfig
from kimitui.resources import cache_dir
from tests.build.conftest import kimitui
from tests.machine.conftest import MACHINES, Image, MakeMachine

FORMATS = ("rootfs", "oci", "squashfs", "initramfs", "vmlinuz")


def write(directory: Path, text: str, name: str = "asked") -> Path:
    path = directory / f"{name}.json5"
    path.write_text(text)
    return path


def plan_of(config: Configuration) -> Plan:
    """The plan with sources that nothing opens."""
    sources = {name: Source(name, "1", Path("/none"), name) for name in planning.components(config)}
    return planning.plan(config, sources=sources, release=release.load(), toolchain_digest="t", trees=Path("/none"))


@pytest.mark.parametrize("formats", [*chain.from_iterable(combinations(FORMATS, count) for count in range(6))])
def test_only_the_steps_of_the_formats_that_are_asked_for(tmp_path: Path, formats: tuple[str, ...]) -> None:
    text = f'{{ extends: "minimal", image: {{ formats: {json.dumps(formats)} }} }}'
    steps = {step.name for step in plan_of(Configuration.open(str(write(tmp_path, text)))).steps}
    wanted = {"linux-headers", "musl", "busybox-tree", "busybox-config", "busybox", "rootfs"}
    wanted |= {"layer"} if "oci" in formats else set()
    wanted |= {"squashfs"} if "squashfs" in formats else set()
    wanted |= {"linux-tree", "linux-config", "linux"} if "vmlinuz" in formats else set()
    if "initramfs" in formats:
        wanted |= {"initramfs", "initramfs-busybox", "initramfs-busybox-config"}
    assert steps == wanted


def test_the_phases_of_a_build_follow_each_other() -> None:
    plan = plan_of(Configuration.open("vm"))
    lower, upper = ({step.name for step in plan.until(phase)} for phase in ("lower", "upper"))
    assert {"linux", "busybox"} <= lower
    assert upper == lower | {"rootfs"}
    assert upper < {step.name for step in plan.until("pack")} == {step.name for step in plan.steps}


@pytest.mark.build
def test_a_build_ends_where_it_is_told_to_and_says_where_things_are(tmp_path: Path) -> None:
    found = {}
    for phase in ("lower", "upper"):
        printed = kimitui(
            "build", "minimal", "--until", phase, "--out", tmp_path / "out", "--json", "--progress", "plain"
        )
        found[phase] = {name: Path(path) for name, path in json.loads(printed).items()}
    assert (found["lower"]["busybox"] / "busybox").is_file()
    assert found["upper"].keys() - found["lower"].keys() == {"rootfs"}
    assert (found["upper"]["rootfs"] / "rootfs.tar").is_file()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("preset", ["vm", "vm-minimal"])
@pytest.mark.parametrize("arch", linux_tree.ARCHES)
def test_presets_need_no_modules_and_boot_what_they_pack(preset: str, arch: str) -> None:
    wanted = Configuration.open(preset, arch=arch).requested("kernel")
    assert {wanted.get(name) for name in ("SQUASHFS", "SQUASHFS_ZSTD", "OVERLAY_FS", "VIRTIO_BLK")} == {"y"}
    assert wanted.get("MODULES", "n") == "n"
    assert "m" not in wanted.values()


@pytest.mark.build
@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        ("WIREGUARDD: true", "WIREGUARD"),  # the nearest name
        ("ARM64_SVE: true", "ARM64_SVE"),  # another architecture's
        ("VIRTIO_NET: true, NET: false", "NET"),  # the unmet dependency
        ('NR_CPUS: "many"', "NR_CPUS"),
        ("MODULES: true, MODULE_SIG: true, KEYS: true, CRYPTO: true", "another in every build"),
    ],
)
def test_what_linux_does_not_allow_is_said_before_anything_is_built(tmp_path: Path, kernel: str, message: str) -> None:
    preset = write(tmp_path, f'{{ extends: "vm-minimal", kernel: {{ {kernel} }} }}')
    with pytest.raises(PresetError) as caught:
        build(Request(Configuration.open(str(preset)), cache_dir(), tmp_path / "out"), emit=lambda _event: None)
    assert message in str(caught.value)
    assert str(preset) in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.build
def test_a_value_that_does_not_survive_stops_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What is said beforehand cannot be seen here: the check that does it is out of the way.
    monkeypatch.setattr("kimitui.build.preflight.check_upstream", lambda *_: None)
    preset = write(tmp_path, '{ extends: "vm-minimal", kernel: { BRIDGE_IGMP_SNOOPING: true } }')
    with pytest.raises(BuildError) as caught:
        build_until(
            Request(Configuration.open(str(preset)), cache_dir(), tmp_path / "out"), "lower", emit=lambda _event: None
        )
    assert "BRIDGE_IGMP_SNOOPING: wanted y, got nothing; needs" in str(caught.value)
    assert "(BRIDGE)" in str(caught.value)


@pytest.fixture(scope="module", params=MACHINES)
def image(request: pytest.FixtureRequest, machine: MakeMachine) -> Image:
    return machine(request.param)


@pytest.mark.build
def test_every_value_is_in_the_kernel_that_was_built(image: Image) -> None:
    wanted = Configuration.open("vm-minimal", arch=image.directory.name).requested("kernel")
    got = read_dotconfig(image.directory / "kernel.config")
    assert {name: got.get(name, "n") for name in wanted} == wanted


@pytest.mark.build
def test_only_what_was_asked_for_is_there(image: Image) -> None:
    assert {path.name for path in image.directory.iterdir()} == {
        *("vmlinuz", "kernel.config", "System.map.zst", "system.squashfs", "initramfs.cpio.zst"),
        *("build-info.json", "SHA256SUMS"),
    }


@pytest.mark.build
def test_the_kernel_says_nothing_of_who_built_it_when_and_where(image: Image) -> None:
    epoch = release.load().source_date_epoch
    said = image.command("cat /proc/version; uname -v; date +%s -r /run/kimigayo/system/bin/busybox")
    version, uname, seconds = said.splitlines()
    assert re.fullmatch(r"Linux version [\d.]+ \(kimitui@kimigayo\) \(.*\) #1 .*", version)
    assert uname.startswith("#1 ")
    assert int(seconds) == epoch


# **Feature: kimigayo-os-core, Property 19: twice the same input, twice the same bytes**
@pytest.mark.build
@pytest.mark.slow
def test_the_kernel_is_the_same_from_another_cache(machine: MakeMachine, tmp_path: Path) -> None:
    first = machine("x86_64").directory
    cache = tmp_path / "another cache"
    cache.mkdir()
    for name in ("toolchain", "sources"):
        (cache / name).symlink_to(cache_dir() / name)
    environment = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "USER": "somebody", "KBUILD_BUILD_USER": "somebody"}
    # The objects of another kernel are there when it is built, with more in some of them, and others' options off.
    other = tmp_path / "other.json5"
    options = "BLK_DEV_LOOP: true, EFI_PARTITION: true, ISO9660_FS: true, PCI: true, RTC_CLASS: true, UNIX98_PTYS: true"
    formats = 'image: { formats: ["vmlinuz"] }'
    other.write_text(f'{{ extends: "vm-minimal", {formats}, kernel: {{ {options}, MODULES: true, VFAT_FS: "m" }} }}')
    for preset in (other, "vm-minimal"):
        arguments = (preset, "--arch", "x86_64", "--cache-dir", cache, "--out", tmp_path / "out", "--offline")
        kimitui("build", *arguments, "--progress", "plain", environment=environment, cwd=tmp_path)
    again = tmp_path / "out/vm-minimal/x86_64"
    for name in sorted(path.name for path in first.iterdir()):
        assert (again / name).read_bytes() == (first / name).read_bytes(), name


@pytest.mark.build
def test_sizes_stay_within_what_is_promised(machine: MakeMachine) -> None:
    sizes = {path.name: path.stat().st_size for path in machine("x86_64").directory.iterdir()}
    assert sizes["vmlinuz"] <= 1_200_000
    assert sum(sizes.values()) <= 2_000_000
