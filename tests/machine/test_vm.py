"""The preset vm: what it has beyond vm-minimal works, within what is promised."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.build.conftest import kimitui
from tests.machine.conftest import Image

pytestmark = [pytest.mark.build, pytest.mark.slow]


@pytest.fixture(scope="module")
def vm(tmp_path_factory: pytest.TempPathFactory) -> Image:
    out = tmp_path_factory.mktemp("vm")
    return Image(Path(json.loads(kimitui("build", "vm", "--out", out, "--json", "--progress", "plain"))["directory"]))


def test_it_gets_an_address_by_dhcp(vm: Image) -> None:
    # udhcpc goes on in the background; the address is QEMU's first.
    said = vm.command(
        "until ip -4 addr show dev eth0 | grep -q inet; do sleep 0.1; done; ip -4 addr; ip route; cat /etc/resolv.conf"
    )
    assert "inet 10.0.2.15/24" in said
    assert "default via 10.0.2.2" in said
    assert "nameserver 10.0.2.3" in said


def test_sizes_and_memory_stay_within_what_is_promised(vm: Image) -> None:
    assert (vm.directory / "vmlinuz").stat().st_size <= 2_500_000
    assert not (vm.directory / "rootfs.tar").exists()
    used_kb = int(vm.command("free -k", "--memory", "48").splitlines()[1].split()[2])
    assert used_kb <= 16 * 1024


@pytest.mark.parametrize("processors", ["1", "2"])
def test_it_has_as_many_processors_as_are_asked_for(processors: str, vm: Image) -> None:
    assert vm.command("grep -c ^processor /proc/cpuinfo", "--processors", processors) == f"{processors}\n"


def test_changes_outlive_a_machine_that_is_switched_off_at_once(vm: Image, tmp_path: Path) -> None:
    disk = tmp_path / "data.img"
    ran = vm.run("--command", "echo kept >/root/file; poweroff -f", "--data", disk)
    assert ran.status == 1
    assert vm.command("cat /root/file", "--data", disk) == "kept\n"
