"""What a user finds in an image that was really built."""

from __future__ import annotations

import json
import re
import stat
import tarfile
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile

from kimitui.build import elf, release
from kimitui.build.build import Request, build
from kimitui.build.plan import rootfs as root_step
from kimitui.config import Configuration
from kimitui.errors import BuildError
from kimitui.resources import cache_dir
from tests.build.conftest import Image, kimitui

pytestmark = pytest.mark.build

TRAP = b"\x0f\x0b"  # ud2, where a checked function of fortify-headers ends up that was asked for too much

# mov or sub with %fs:0x28, where Linux keeps the stack's canary on x86_64.
CANARY = re.compile(rb"\x64\x48[\x8b\x2b\x33\x3b][\x04\x0c\x14\x1c\x24\x2c\x34\x3c]\x25\x28\x00\x00\x00", re.DOTALL)


@pytest.fixture(scope="module", params=["minimal", "dynamic"])
def image(request: pytest.FixtureRequest) -> Image:
    made: Image = request.getfixturevalue(request.param)
    return made


def text_section(path: Path) -> bytes:
    with path.open("rb") as file:
        section = ELFFile(file).get_section_by_name(".text")
        assert section is not None
        return bytes(section.data())


# **Feature: kimigayo-os-core, Property 3: every essential Unix tool is there**
def test_every_applet_runs(image: Image) -> None:
    links = [path for path in image.rootfs.rglob("*") if path.is_symlink() and path.readlink().name == "busybox"]
    names = sorted(f"/{path.relative_to(image.rootfs)}" for path in links)
    assert len(names) > 50
    # 126 and 127 are the shell's words for a program that cannot be run; above 128 a signal ended it.
    script = 'for path; do "$path" --help >/tmp/log 2>&1; echo "$path $? $(grep -c "applet not found" /tmp/log)"; done'
    ran = [line.split() for line in image.run(script, "sh", *names).splitlines()]
    assert [line[0] for line in ran] == names
    assert [line for line in ran if int(line[1]) >= 126 or line[2] != "0"] == []


def test_the_shell_and_the_tools_work_together(image: Image) -> None:
    script = (
        "printf 'b\\na\\n' | sort | head -n 1; echo $((6 * 7)); ls /etc/os-release; id -u; printf '1\\n2\\n' | xargs"
    )
    assert image.run(script).split("\n") == ["a", "42", "/etc/os-release", "0", "1 2", ""]


# **Feature: kimigayo-os-core, Property 4: PIE, stack protector, RELRO and a non-executable stack**
def test_hardening_is_in_the_file(image: Image) -> None:
    facts = elf.read(image.rootfs / "bin/busybox")
    assert (facts.machine, facts.pie, facts.nx, facts.relro) == ("EM_X86_64", True, True, "full")
    assert len(CANARY.findall(text_section(image.rootfs / "bin/busybox"))) > 20


def test_hardening_can_be_switched_off(soft: Image) -> None:
    facts = elf.read(soft.rootfs / "bin/busybox")
    assert (facts.pie, facts.relro) == (False, "none")
    assert CANARY.findall(text_section(soft.rootfs / "bin/busybox")) == []


def test_lengths_are_checked_where_that_is_asked_for(minimal: Image, fortified: Image) -> None:
    traps = [text_section(image.rootfs / "bin/busybox").count(TRAP) for image in (minimal, fortified)]
    assert traps[1] > traps[0] + 20


# **Feature: kimigayo-os-core, Property 29: static and dynamic linking can both be chosen**
def test_static_and_dynamic_linking(minimal: Image, dynamic: Image) -> None:
    static, shared = (elf.read(image.rootfs / "bin/busybox") for image in (minimal, dynamic))
    assert (static.interpreter, static.needed) == (None, ())
    assert (shared.interpreter, shared.needed) == ("/lib/ld-musl-x86_64.so.1", ("libc.so",))
    assert not (minimal.rootfs / "lib/libc.so").exists()


# **Feature: kimigayo-os-core, Property 5: ASLR and DEP are in force**
def test_addresses_are_random_and_relocations_read_only(image: Image) -> None:
    def mappings() -> list[tuple[int, int, str]]:
        rows = re.findall(r"^(\w+)-(\w+) (\S+) .*busybox$", image.run("cat /proc/self/maps"), re.MULTILINE)
        return [(int(start, 16), int(end, 16), mode) for start, end, mode in rows]

    first, second = mappings(), mappings()
    assert first[0][0] != second[0][0]
    with (image.rootfs / "bin/busybox").open("rb") as file:
        relro = next(s for s in ELFFile(file).iter_segments() if s["p_type"] == "PT_GNU_RELRO")
        middle = first[0][0] + relro["p_vaddr"] + relro["p_memsz"] // 2
    assert [mode for start, end, mode in first if start <= middle < end] == ["r--p"]
    assert not [mode for _start, _end, mode in first if "w" in mode and "x" in mode]


# **Feature: kimigayo-os-core, Property 23: the image carries its build metadata**
def test_release_and_metadata(image: Image) -> None:
    said = image.run(". /etc/os-release; echo $NAME; echo $VERSION_CODENAME; echo $VARIANT_ID; cat /etc/hostname")
    variant = image.directory.parent.name
    assert said.splitlines() == ["Kimigayo OS", release.load().name.lower(), variant, "kimigayo"]
    inside = json.loads((image.rootfs / "etc/kimigayo/build.json").read_text())
    outside = json.loads((image.directory / "build-info.json").read_text())
    assert inside["toolchain"] == outside["toolchain"]["digest"]
    assert inside["configuration"]["busybox"]["ASH"] is True
    assert outside["configuration"]["busybox"]["TELNETD"] is False
    assert outside["toolchain"]["packages"]["gcc-14"].startswith("14.")
    assert set(outside["sources"]) == {"linux", "musl", "busybox"}


def test_owners_modes_and_times(image: Image) -> None:
    epoch = release.load().source_date_epoch
    with tarfile.open(image.directory / "rootfs.tar") as archive:
        members = {member.name: member for member in archive}
    assert list(members) == sorted(members, key=lambda name: name.encode())
    assert {(m.uid, m.gid, m.mtime) for m in members.values()} == {(0, 0, epoch)}
    assert not [name for name, m in members.items() if m.mode & (stat.S_ISUID | stat.S_ISGID)]
    writable = {name for name, m in members.items() if m.mode & stat.S_IWOTH and not m.issym()}
    assert writable == {"tmp", "var/tmp"}
    modes = {name: members[name].mode for name in ("tmp", "root", "etc/shadow", "etc/passwd", "bin/busybox")}
    assert modes == {"tmp": 0o1777, "root": 0o700, "etc/shadow": 0o600, "etc/passwd": 0o644, "bin/busybox": 0o755}
    for directory in ("bin", "dev", "etc", "home", "proc", "run", "sbin", "sys", "usr/bin", "usr/sbin", "var/log"):
        assert members[directory].isdir()


def members_of(image: Image) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(image.directory / "rootfs.tar") as archive:
        return {member.name: member for member in archive}


def test_users_have_a_home_and_no_password(laid: Image) -> None:
    etc = laid.rootfs / "etc"
    assert "app:x:1000:1000:app:/home/app:/bin/sh\n" in (etc / "passwd").read_text()
    assert "web:x:33:33:web:/srv/www:/bin/false\n" in (etc / "passwd").read_text()
    assert "web:x:33:\n" in (etc / "group").read_text()
    assert {line.split(":")[1] for line in (etc / "shadow").read_text().splitlines()} == {"!"}
    members = members_of(laid)
    owned = {name: (m.uid, m.gid) for name, m in members.items() if m.uid or m.gid}
    assert owned == {
        "home/app": (1000, 1000),
        "home/app/.profile": (1000, 1000),
        "srv/www": (33, 33),
        "srv/www/index.html": (33, 33),
    }
    assert len(members) == len({name.rstrip("/") for name in members})
    assert laid.run("id -un app; id -gn web; echo ~app").split() == ["app", "web", "/home/app"]


def test_files_are_laid_over_everything(laid: Image, minimal: Image) -> None:
    assert laid.run("top; cat /etc/motd").split() == ["mine", "hello"]
    members = members_of(laid)
    modes = {name: members[name].mode for name in ("etc/motd", "usr/bin/top", "home/app/.profile", "tmp/note")}
    assert modes == {"etc/motd": 0o644, "usr/bin/top": 0o755, "home/app/.profile": 0o600, "tmp/note": 0o644}
    # What was there stays as it was: links to directories, and the modes of directories.
    assert members["run/app/state"].isfile()
    before = members_of(minimal)
    for name in ("var/run", "tmp", "root", "etc", "etc/shadow"):
        assert (members[name].mode, members[name].linkname) == (before[name].mode, before[name].linkname), name
    assert members["etc/localtime"].linkname == "/usr/share/zoneinfo/../../../../../etc/passwd"


def test_only_who_asks_for_it_gets_a_set_user_id_busybox(laid: Image) -> None:
    setuid = [name for name, member in members_of(laid).items() if member.mode & (stat.S_ISUID | stat.S_ISGID)]
    assert setuid == ["bin/busybox"]


def test_a_container_runs_as_the_user_that_the_preset_names(laid: Image) -> None:
    with tarfile.open(laid.directory / "image.oci.tar") as archive:

        def load(name: str) -> Any:
            file = archive.extractfile(name)
            assert file is not None
            return json.load(file)

        run = load(load("manifest.json")[0]["Config"])["config"]
    assert (run["User"], run["WorkingDir"]) == ("1000:1000", "/srv")


def test_replacing_an_applet_is_said_even_if_everything_is_cached(laid: Image, presets: Path, tmp_path: Path) -> None:
    printed = kimitui("build", presets / "laid.json5", "--out", tmp_path, "--progress", "json")
    events = [json.loads(line) for line in printed.splitlines()]
    said = [event["text"] for event in events if event["event"] == "message"]
    assert "image.files: /usr/bin/top takes the place of that of BusyBox" in said
    assert (tmp_path / "laid/x86_64/rootfs.tar").read_bytes() == (laid.directory / "rootfs.tar").read_bytes()


def test_a_shell_that_is_not_there_stops_the_build(presets: Path, tmp_path: Path) -> None:
    preset = tmp_path / "wrong.json5"
    preset.write_text('{ extends: "minimal", image: { users: "app:::/bin/zsh" } }')
    with pytest.raises(BuildError) as caught:
        build(Request(Configuration.open(str(preset)), cache_dir(), tmp_path / "out"), emit=lambda _event: None)
    assert "the shell /bin/zsh of app is not in the image" in str(caught.value)


def test_an_account_without_password_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "files/etc").mkdir(parents=True)
    (tmp_path / "files/etc/shadow").write_text("root:::0:::::\n")
    preset = tmp_path / "open.json5"
    preset.write_text('{ extends: "minimal", image: { files: "files" } }')
    with pytest.raises(BuildError, match="every account has a password or is locked"):
        build(Request(Configuration.open(str(preset)), cache_dir(), tmp_path / "out"), emit=lambda _event: None)


def test_sums_are_right(image: Image) -> None:
    import hashlib

    for line in (image.directory / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((image.directory / name).read_bytes()).hexdigest() == digest


# **Feature: kimigayo-os-core, Property 1: the base image is within its budget**
def test_sizes_stay_within_the_budget(minimal: Image) -> None:
    assert (minimal.directory / "rootfs.tar").stat().st_size <= 900_000


def test_the_levels_kernel_settings_are_in_a_machine_and_in_no_container(minimal: Image, tmp_path: Path) -> None:
    text = '{{ extends: "machine", image: {{ formats: ["rootfs", "squashfs"] }}, hardening: {{ level: "{}" }} }}'
    for level, files in (("none", []), ("basic", ["10-basic.conf"]), ("full", ["10-basic.conf", "20-full.conf"])):
        preset = tmp_path / f"{level}.json5"
        preset.write_text(text.format(level))
        config = Configuration.open(str(preset))
        assert config.is_on("HARDENING_SYSCTL") == config.is_on("BUSYBOX_BB_SYSCTL") == bool(files)
        settings = root_step.settings(config)
        assert sorted(name.rpartition("/")[2] for name in settings) == files
        for file in settings.values():
            lines = [line for line in file.content.decode().splitlines() if line and not line.startswith("#")]
            assert lines and all(re.fullmatch(r"[a-z0-9_.]+ = \d+", line) for line in lines)
    assert not (minimal.rootfs / "etc/sysctl.d").exists()
