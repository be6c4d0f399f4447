"""What was built boots, keeps what it is told to keep, and says what is wrong when it cannot."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from kimitui.build.arch import ARCHES
from tests.machine.conftest import MACHINES, TIMEOUT_SECONDS, Image, MakeMachine
from tests.machine.talk import talk

pytestmark = pytest.mark.build


@pytest.fixture(scope="module", params=MACHINES)
def image(request: pytest.FixtureRequest, machine: MakeMachine) -> Image:
    return machine(request.param)


@pytest.fixture(scope="module")
def x86(machine: MakeMachine) -> Image:
    return machine("x86_64")


def mounts(text: str) -> dict[str, tuple[str, str]]:
    """File system and options by mount point, from `/proc/mounts`."""
    return {words[1]: (words[2], words[3]) for words in map(str.split, text.splitlines()) if len(words) == 6}


# **Feature: kimigayo-os-core, Property 16: every supported architecture builds and behaves alike**
def test_it_boots_into_an_immutable_system(image: Image) -> None:
    said = image.command(
        "uname -m; hostname; cat /proc/cpuinfo | grep -c ^processor; . /etc/os-release; echo $VARIANT_ID;"
        "echo changed >/etc/os-release && cat /etc/os-release;"
        "touch /run/kimigayo/system/new 2>&1; grep NAME= /run/kimigayo/system/etc/os-release; cat /proc/mounts",
        *("--processors", "1"),
    )
    words, table = said.split('PRETTY_NAME="')
    assert words.splitlines()[:5] == [ARCHES[image.directory.name].machine, "kimigayo", "1", "vm-minimal", "changed"]
    assert "Read-only file system" in words
    found = mounts(table)
    assert found["/"][0] == "overlay"
    assert found["/run/kimigayo/system"][0] == "squashfs"
    assert "ro" in found["/run/kimigayo/system"][1].split(",")
    assert found["/run/kimigayo/data"][0] == "tmpfs"
    assert {found[where][0] for where in ("/proc", "/sys", "/dev", "/tmp")} == {"proc", "sysfs", "devtmpfs", "tmpfs"}
    # What can be written to, programs apart, is data; and no device is anywhere but in /dev.
    for where in found.keys() - {"/", "/dev", "/dev/pts"}:
        assert {"nosuid", "nodev", "noexec"} <= set(found[where][1].split(",")), where
    assert {"nosuid", "nodev"} <= set(found["/"][1].split(","))
    assert {"nosuid", "noexec"} <= set(found["/dev"][1].split(","))
    assert {"/dev/shm", "/run", "/tmp"} <= found.keys()


def test_changes_survive_on_a_disk_and_nowhere_else(image: Image, tmp_path: Path) -> None:
    disk = tmp_path / "data, disk.img"
    image.command("echo kept >/root/file; rm /etc/profile", "--data", disk)
    e2fsck = shutil.which("e2fsck", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert e2fsck
    # Clean: it was unmounted in order, and there is nothing to repair.
    subprocess.run([e2fsck, "-fn", disk], check=True, capture_output=True)
    assert image.command("cat /root/file; ls /etc/profile 2>&1 | grep -c 'No such'", "--data", disk) == "kept\n1\n"
    # Neither without the disk, nor where it is not to be used.
    assert image.run("--command", "cat /root/file").status == 1
    assert image.run("--command", "cat /root/file", "--data", disk, "--append", "kimigayo.transient").status == 1


@pytest.mark.parametrize("words", ["kimigayo.system= kimigayo.data=", "kimigayo.data=LABEL=kimigayo-data"])
def test_disks_are_found_by_what_is_on_them(words: str, x86: Image, tmp_path: Path) -> None:
    disk = tmp_path / "data.img"
    x86.command("echo kept >/root/file", "--data", disk, "--data-size", "8")
    # What kimitui run says of the devices is overridden.
    assert x86.command("cat /root/file", "--data", disk, "--append", words) == "kept\n"


def test_a_command_has_its_output_and_its_exit_status(x86: Image) -> None:
    ran = x86.run("--command", "echo it\\'s; echo wrong >&2; printf 'no end'; exit 42")
    assert (ran.status, ran.output) == (42, "it's\nwrong\nno end")


def type_into(image: Image, dialogue: list[tuple[str, str]], *arguments: str) -> tuple[int, str]:
    """Start a machine on a terminal and type each text when its pattern was printed; exit status and all output."""
    return talk(["run", str(image.directory), "--timeout", str(TIMEOUT_SECONDS), *arguments], dialogue)


def test_the_console_is_a_shell_and_poweroff_ends_it(x86: Image) -> None:
    dialogue = [("# $", "tty; echo $((6 * 7))-\n"), ("42-.*# $", "sleep 100\n"), ("sleep 100", "\x03")]
    status, seen = type_into(x86, [*dialogue, ("# $", "poweroff\n")])
    assert status == 0
    assert "Power down" in seen


def test_a_disk_full_of_zeros_is_reported_and_left_alone(x86: Image, tmp_path: Path) -> None:
    disk = tmp_path / "zeros.img"
    disk.write_bytes(bytes(1024 * 1024))
    ran = x86.run("--command", "true", "--data", disk)
    assert ran.status == 1
    assert "the data on /dev/vdb cannot be mounted" in ran.error
    assert "kimigayo.transient" in ran.error
    assert disk.read_bytes() == bytes(1024 * 1024)


@pytest.mark.parametrize("word", ["kimigayo.system=/dev/vdz", "kimigayo.system=PARTLABEL=other"])
def test_a_system_image_that_is_not_there_is_named(x86: Image, word: str) -> None:
    ran = x86.run("--command", "true", "--append", f"{word} kimigayo.wait=0")
    assert ran.status == 1
    assert word.partition("=")[2] in ran.error
    assert "kimigayo.system=" in ran.error


def test_it_waits_for_a_system_image(x86: Image) -> None:
    status, seen = type_into(x86, [], "--append", "kimigayo.system=/dev/vdz kimigayo.wait=2")
    (stopped,) = re.findall(r"\[ *([\d.]+)\] Kernel panic", seen)
    assert (status, float(stopped) > 2) == (1, True)  # by the machine's own clock
    assert seen.count("vdz is not there after 2 s") == 2


def test_an_image_that_is_cut_off_is_reported(x86: Image, tmp_path: Path) -> None:
    directory = tmp_path / "x86_64"
    shutil.copytree(x86.directory, directory)
    system = directory / "system.squashfs"
    os.truncate(system, system.stat().st_size - 8192)
    ran = Image(directory).run("--command", "true")
    assert ran.status == 1
    assert "cut off" in ran.error
    # And by the machine itself, where nobody looked before.
    head = bytearray(system.read_bytes())
    head[40:48] = system.stat().st_size.to_bytes(8, "little")
    system.write_bytes(head)
    ran = Image(directory).run("--command", "true")
    assert ran.status == 1
    assert "the system image on /dev/vda cannot be mounted" in ran.error


def test_an_init_that_is_not_there_is_named(x86: Image) -> None:
    ran = x86.run("--command", "true", "--append", "init=/sbin/nosuch")
    assert ran.status == 1
    assert "/sbin/nosuch" in ran.error


def test_too_little_memory_is_said(x86: Image) -> None:
    for memory in (8, 18):
        ran = x86.run("--command", "true", "--memory", memory)
        assert ran.status != 0
        assert "memory" in ran.error
        assert "--memory" in ran.error


def test_the_smallest_memory_that_is_promised(x86: Image) -> None:
    said = x86.command("free -k", "--memory", "48")
    used_kb = int(said.splitlines()[1].split()[2])
    assert used_kb <= 16 * 1024


def test_the_shell_of_the_initramfs_is_offered(x86: Image) -> None:
    dialogue = [("# $", "ls /run/kimigayo/system/etc/os-release; exit\n")]
    status, seen = type_into(x86, dialogue, "--append", "init=/sbin/nosuch kimigayo.debug")
    assert "a shell, as kimigayo.debug asks" in seen
    assert seen.count("/run/kimigayo/system/etc/os-release") == 2
    assert (status, "has no /sbin/nosuch" in seen) == (1, True)


# **Feature: kimigayo-os-core, Property 5: ASLR and DEP are in force**
def test_the_kernel_is_set_as_the_level_says(x86: Image) -> None:
    wanted = {
        "kernel/randomize_va_space": "2",
        "kernel/kptr_restrict": "2",
        "kernel/dmesg_restrict": "1",
        "fs/protected_symlinks": "1",
        "fs/protected_regular": "2",
    }
    script = (
        f"cd /proc/sys; for name in {' '.join(wanted)}; do echo $name $(cat $name); done; "
        "for _ in 1 2; do echo =; cat /proc/self/maps; done"
    )
    settings, *maps = x86.command(script).split("=\n")
    assert dict(line.split() for line in settings.splitlines()) == wanted
    # Of a program that is started twice, nothing is at the same place, and nothing can be written and executed.
    first, second = ([line.split() for line in text.splitlines()] for text in maps)
    assert {"/bin/busybox", "[stack]"} <= {words[-1] for words in first}
    assert not {words[0] for words in first if "vsyscall" not in words[-1]} & {words[0] for words in second}
    assert not [words for words in (*first, *second) if "w" in words[1] and "x" in words[1]]
