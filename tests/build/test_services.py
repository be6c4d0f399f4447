"""Services where there is no machine: the same init in a sandbox, with the rights that a container engine gives."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from kimitui.config import Configuration
from tests.build.conftest import Image, Make

pytestmark = pytest.mark.build

# What Docker leaves to a container without privileges.
CAPABILITIES = ("audit_write", "chown", "dac_override", "fowner", "fsetid", "kill", "mknod", "net_bind_service",
                "net_raw", "setfcap", "setgid", "setpcap", "setuid", "sys_chroot")  # fmt: skip
PROBE = """
until [ -e /run/rc/.up ]; do sleep 0.1; done
echo = status; rc-status
echo = processes; ps -o user,args
echo = rights; read -r pid </run/service/httpd/supervise/pid; grep -E '^Cap(Eff|Bnd)' /proc/$pid/status
echo = restart; rc-service httpd restart; echo $?; rc-service httpd status
echo = left; rc-service hostname start; echo $?
echo = ssh; sleep 5 | nc 127.0.0.1 22 | head -n 1
echo = page; wget -qO- http://127.0.0.1:8080/
kill -USR2 1
"""


def sections(text: str) -> dict[str, str]:
    parts = re.split(r"^= (\w+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


# **Feature: kimigayo-os-core, Property 12: only what was switched on starts**
def test_the_same_init_runs_in_a_container(served: Image, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(served.rootfs, root, symlinks=True)
    (root / "probe").write_text(PROBE)
    done = subprocess.run(
        [
            "bwrap",
            *("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--as-pid-1", "--die-with-parent"),
            *("--cap-drop", "ALL"),
            *(word for name in CAPABILITIES for word in ("--cap-add", f"CAP_{name.upper()}")),
            *("--clearenv", "--bind", str(root), "/", "--proc", "/proc", "--dev", "/dev"),
            *("--tmpfs", "/run", "--tmpfs", "/tmp"),
            *("/bin/sh", "-c", "sh /probe >/said 2>&1 & exec /sbin/init"),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    said = sections((root / "said").read_text())
    states = dict(re.findall(r"^(\S+) +\S+ +(.*)$", said["status"], re.MULTILINE))
    left_out = dict.fromkeys(("console", "hostname", "klogd", "mounts", "sysctl"), "left out")
    assert states == left_out | dict.fromkeys(("app", "crond", "httpd", "sshd", "syslogd"), "started")
    # Said once, with the reasons, by what starts the services.
    assert done.stdout.count("rc: in a container, left out: ") == 1
    assert "mounts (the engine mounts)" in done.stdout and "sysctl (the kernel is the host's)" in done.stdout
    running = [line.split(None, 1) for line in said["processes"].splitlines()]
    assert ["app", "sleep 1000"] in running
    supervised = {words[1] for words in running if words[1].startswith("runsv ")}
    assert supervised == {f"runsv {name}" for name in ("app", "crond", "httpd", "sshd", "syslogd")}
    # What binds a port of root's is not root for that.
    assert ["httpd", "httpd -f -p 8080 -h /srv/www"] in running
    assert said["rights"].split() == ["CapEff:", f"{1 << 10:016x}", "CapBnd:", f"{1 << 10:016x}"]
    assert said["restart"].split() == ["0", "started"]
    assert said["left"].splitlines() == ["rc: hostname is left out in a container", "1"]
    assert said["ssh"].startswith("SSH-2.0-dropbear")
    assert said["page"] == "hello\n"
    # It ends by itself, and nothing is cut off.
    assert "Requesting system poweroff" in done.stderr
    assert "killed" not in done.stdout + done.stderr


def test_users_of_services_are_in_the_image(served: Image) -> None:
    users = dict(re.findall(r"^(\w+):x:(\d+):", (served.rootfs / "etc/passwd").read_text(), re.MULTILINE))
    assert users["httpd"] == "102"
    assert {"app", "httpd"} <= users.keys() and "ntpd" not in users
    assert "app:!:" in (served.rootfs / "etc/shadow").read_text()


def test_the_record_names_services(served: Image) -> None:
    decided = json.loads((served.rootfs / "etc/kimigayo/build.json").read_text())["configuration"]
    assert decided["services"]["app"] == {"command": "sleep 1000", "needs": ["mounts"]}


def test_init_and_service_files_stay_small(minimal: Image, make_image: Make, tmp_path: Path) -> None:
    assert not (minimal.rootfs / "etc/rc").exists()
    path = tmp_path / "small.json5"
    path.write_text(
        '{ extends: "minimal", init: { system: "busybox", supervision: false },'
        " services: { console: true, hostname: true } }"
    )
    root = make_image(path).rootfs
    places = [root / "etc/fstab", root / "etc/inittab", *(root / "etc/rc").rglob("*"), *(root / "sbin").glob("rc-*")]
    assert sum(place.stat().st_size for place in places if place.is_file() and not place.is_symlink()) <= 10_000


def test_tini_starts_one_program(make_image: Make, tmp_path: Path) -> None:
    path = tmp_path / "one.json5"
    path.write_text('{ extends: "minimal", init: { system: "tini" }, image: { command: "sh -c true" } }')
    config = Configuration.open(str(path))
    assert (config.string("IMAGE_ENTRYPOINT"), config.string("IMAGE_COMMAND")) == ("/sbin/tini --", "sh -c true")
    # It hands on what its program ends with.
    image = make_image(path)
    assert image.run("/sbin/tini -s -- sh -c 'exit 7'; echo $?") == "7\n"
