"""Contained services in a machine: what every process of theirs may do is read back from the kernel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kimitui.build import services
from kimitui.config import Configuration
from kimitui.services.model import Service
from tests.build.conftest import kimitui
from tests.machine.conftest import Image

pytestmark = [pytest.mark.build, pytest.mark.slow]

PRESET = """{
  extends: "vm",
  hardening: { containment: true },
  kernel: { AUDIT: true },
  services: {
    crond: true, dnsd: true, ftpd: true, httpd: true, ntpd: true, sshd: true, telnetd: true,
    hostile: {
      command: "sh -c 'trap : TERM; sleep 2; mount -t tmpfs none /tmp; echo survived'",
      after: ["networking", "syslogd"],
      seccomp: ["@program"],
      restart: { policy: "never" },
    },
  },
}
"""

# Numbers of capabilities, from the kernel's include/uapi/linux/capability.h.
NUMBERS = {
    "chown": 0, "dac_override": 1, "fowner": 3, "kill": 5, "setgid": 6, "setuid": 7, "net_bind_service": 10,
    "net_broadcast": 11, "net_admin": 12, "net_raw": 13, "sys_chroot": 18, "sys_admin": 21, "sys_nice": 23,
    "sys_time": 25, "syslog": 34,
}  # fmt: skip

# A line for every process that is no kernel thread: command line, limits, namespaces.
LOOK = r"""
i=0
while [ ! -e /run/rc/.up ] && [ $i -lt 100 ]; do sleep 1; i=$((i + 1)); done
rc-status >&2
for process in /proc/[0-9]*; do
    line=$(tr '\0' ' ' <$process/cmdline 2>/dev/null)
    [ "$line" ] || continue
    echo "$line|$(sed -n 's/^\(NoNewPrivs\|Seccomp\|CapEff\|CapBnd\):.//p' $process/status | tr '\n' ' ')|$(
        for name in mnt pid ipc uts net; do readlink $process/ns/$name; done | tr '\n' ' ')"
done
"""


@pytest.fixture(scope="module")
def contained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Image, tuple[Service, ...]]:
    directory = tmp_path_factory.mktemp("contained")
    path = directory / "contained.json5"
    path.write_text(PRESET)
    printed = kimitui("build", path, "--out", directory / "out", "--json", "--progress", "plain")
    chosen = services.chosen(Configuration.open(str(path))).services
    return Image(Path(json.loads(printed)["directory"])), tuple(one for one in chosen if one.kind == "daemon")


# **Feature: kimigayo-os-core, Property 7: every service runs in its own namespaces behind a seccomp filter**
def test_every_service_is_within_its_limits(contained: tuple[Image, tuple[Service, ...]]) -> None:
    image, daemons = contained
    seen = [line.split("|") for line in image.command(LOOK).splitlines() if line.count("|") == 2]
    by_command = {command.strip(): (limits.split(), spaces.split()) for command, limits, spaces in seen}
    _, first = by_command["init"]
    for service in daemons:
        if service.name == "hostile":
            continue
        limits, spaces = by_command[" ".join(service.command)]
        capabilities = sum(1 << NUMBERS[name] for name in service.capabilities)
        assert limits == [f"{capabilities:016x}", f"{capabilities:016x}", "1", "2"], service.name
        own = [f"namespaces.{name}" not in (service.limits or {}) for name in ("mount", "pid", "ipc", "uts")]
        assert [here != there for here, there in zip(spaces, first, strict=True)] == [*own, False], service.name


# **Feature: kimigayo-os-core, Property 7: every service runs in its own namespaces behind a seccomp filter**
def test_a_forbidden_call_ends_the_service_and_is_logged(contained: tuple[Image, tuple[Service, ...]]) -> None:
    said = contained[0].command(
        "until grep -q 'hostile ended' /var/log/messages; do sleep 1; done; grep hostile /var/log/messages; dmesg | "
        "grep type=1326; rc-status"
    )
    assert "survived" not in said
    assert "sig=31" in said and "syscall=165" in said, "the kernel's log has the number of the call"
    assert "ended" in said


def test_what_is_contained_does_its_work(contained: tuple[Image, tuple[Service, ...]]) -> None:
    said = contained[0].command(
        "while [ ! -e /run/rc/.up ]; do sleep 1; done; echo hello >/srv/www/index.html; "
        "wget -qO- http://127.0.0.1/; echo quit | nc 127.0.0.1 21 | head -c 3; echo; "
        "sleep 1 | nc 127.0.0.1 22 | head -c 7; echo; netstat -tln | grep -q ':23 '; echo $?"
    )
    assert said.splitlines() == ["hello", "220", "SSH-2.0", "0"]
