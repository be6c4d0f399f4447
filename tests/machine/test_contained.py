"""Every service in a machine that contains them: it does its work, and what it may do besides is read back."""

from __future__ import annotations

import json
import re
import shutil
import socket
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from kimitui.build import services
from kimitui.config import Configuration
from kimitui.services.model import Service
from tests.build.conftest import kimitui
from tests.machine.conftest import TIMEOUT_SECONDS, Image

pytestmark = [pytest.mark.build, pytest.mark.slow]

PRESET = """{
  extends: "vm",
  hardening: { containment: true, locked_root: false, read_only_root: true },
  image: { files: "files" },
  busybox: { DMESG: true, FTPGET: true, LOGGER: true },
  kernel: { AUDIT: true, I6300ESB_WDT: true, WATCHDOG: true },
  services: {
    crond: true, devices: true, dnsd: true, ftpd: true, getty: true, getty_terminal: "ttyS1", httpd: true,
    networking_address: "192.168.1.1/24", networking_interface: "eth1", ntpd: true, sshd: true, telnetd: true,
    udhcpd: true, watchdog: true,
    hostile: {
      command: "sh -c 'sleep 2; exec mount -t tmpfs none /tmp'",
      after: ["networking", "syslogd"],
      seccomp: ["@program"],
      restart: { policy: "never" },
    },
  },
}
"""
PASSWORD = "correct horse"
# What openssl passwd -6 -salt kimitui says of it.
HASH = "$6$kimitui$Qt3ZekZqKXHxBELZ6wNPW/7RsRnRuaxsRWHMUNp4FWozO.qM4nx3V/9seMtiN/ATwDW583rQuMFP/9QloTWt50"
FILES = {
    "etc/dnsd.conf": "box.test 10.1.2.3\n",
    "etc/mdev.conf": "ttyS1 root:tty 0640\n",
    "etc/udhcpd.conf": "interface eth1\nstart 192.168.1.100\nend 192.168.1.199\nlease_file /var/lib/udhcpd/leases\n",
    "srv/ftp/file": "by ftp\n",
    "srv/www/index.html": "by http\n",
    "var/spool/cron/crontabs/root": "* * * * * echo ran >/run/cron\n",
}

# A hub with two of the machine's cards at it, one serial line more, and the watchdog of many PCs.
DEVICES = (
    *("-netdev", "hubport,id=hub1,hubid=0", "-device", "virtio-net-pci,netdev=hub1,romfile="),
    *("-netdev", "hubport,id=hub2,hubid=0", "-device", "virtio-net-pci,netdev=hub2,romfile="),
    *("-device", "i6300esb"),
    *("-chardev", "null,id=line", "-serial", "chardev:line"),
)

UP = "while [ ! -e /run/rc/.up ]; do sleep 0.5; done\n"

# Numbers of capabilities, from the kernel's include/uapi/linux/capability.h.
NUMBERS = {
    "chown": 0, "dac_override": 1, "fowner": 3, "kill": 5, "setgid": 6, "setuid": 7, "net_bind_service": 10,
    "net_broadcast": 11, "net_admin": 12, "net_raw": 13, "sys_module": 16, "sys_chroot": 18, "sys_admin": 21,
    "sys_nice": 23, "sys_time": 25, "mknod": 27, "syslog": 34,
}  # fmt: skip

# A line for every process that is no kernel thread: command line, limits, namespaces.
LOOK = r"""
rc-status >&2
for process in /proc/[0-9]*; do
    line=$(tr '\0' ' ' <$process/cmdline 2>/dev/null)
    [ "$line" ] || continue
    echo "$line|$(sed -n 's/^\(NoNewPrivs\|Seccomp\|CapEff\|CapBnd\):.//p' $process/status | tr '\n' ' ')|$(
        for name in mnt pid ipc uts net; do readlink $process/ns/$name; done | tr '\n' ' ')"
done
"""

WORK = r"""
say() { echo "= $1"; }
say status; rc-status
say http; wget -qO- http://127.0.0.1/
say ftp; cd /root && ftpget 127.0.0.1 got file && cat got
say dns; nslookup box.test 127.0.0.1 | grep -o '10\.1\.2\.3'
say telnet; sleep 2 | nc 127.0.0.1 23 | tr -cd 'a-z:\n' | grep -o 'login:'
say ssh
dropbearkey -t ed25519 -f /root/key 2>/dev/null | grep ^ssh- >/root/key.pub
mkdir -p -m 700 /root/.ssh && cp /root/key.pub /root/.ssh/authorized_keys
dbclient -y -i /root/key root@127.0.0.1 'id -u; echo "$SSH_CONNECTION" | cut -d " " -f 1' 2>/dev/null
say static; ip -4 -o address show dev eth1 | grep -o 'inet [0-9./]*'
ping -c 1 -q 192.168.1.1 | grep -o ' 0% packet loss'
say dhcp; ip -4 -o address show dev eth0 | grep -o 'inet 10[0-9./]*'; grep -v '^#' /etc/resolv.conf
say lease
ip link set dev eth2 up
udhcpc -i eth2 -n -q -t 10 -T 1 -s /bin/true 2>&1 | grep -o 'lease of [0-9.]* obtained from [0-9.]*'
say device; stat -c '%a %G' /dev/ttyS1
say log; grep -c 'kern.*Linux version' /var/log/messages
logger hello there; sleep 1; grep -o 'hello there' /var/log/messages
say watchdog; for fd in /proc/[0-9]*/fd/*; do readlink $fd; done | grep -x /dev/watchdog
dmesg | grep -o -i 'i6300esb.*initialized' | sed 's/ .*//'
say cron; until [ -e /run/cron ]; do sleep 1; done; cat /run/cron
"""


@dataclass(frozen=True)
class Contained:
    """The machine with all services, and those that run all the time."""

    image: Image
    daemons: tuple[Service, ...]


@pytest.fixture(scope="module")
def contained(tmp_path_factory: pytest.TempPathFactory, probe: Path) -> Contained:
    directory = tmp_path_factory.mktemp("contained")
    for name, text in FILES.items():
        path = directory / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (directory / "files/opt").mkdir()
    shutil.copy(probe, directory / "files/opt/probe")
    accounts = ("daemon", "nobody", "dnsd", "ftpd", "hostile", "httpd", "ntpd")
    shadow = [f"root:{HASH}::0:::::", *(f"{name}:!::0:::::" for name in accounts)]
    (directory / "files/etc/shadow").write_text("\n".join(shadow) + "\n")
    path = directory / "contained.json5"
    path.write_text(PRESET)
    printed = kimitui("build", path, "--out", directory / "out", "--json", "--progress", "plain")
    chosen = services.chosen(Configuration.open(str(path))).services
    image = Image(Path(json.loads(printed)["directory"]))
    return Contained(image, tuple(one for one in chosen if one.kind == "daemon"))


def sections(text: str) -> dict[str, list[str]]:
    parts = re.split(r"^= (\w+)\n", text, flags=re.MULTILINE)
    return {name: body.split("\n")[:-1] for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def test_every_service_does_its_work(contained: Contained) -> None:
    status, said = contained.image.with_devices(UP + WORK, *DEVICES)
    assert status == 0, said
    found = sections(said)
    states = {line.split()[0]: line.split()[2] for line in found["status"]}
    assert set(states.values()) - {"failed"} == {"started"} and {*states} >= {one.name for one in contained.daemons}
    assert [name for name, state in states.items() if state == "failed"] in ([], ["hostile"])
    del found["status"]
    assert found == {
        "http": ["by http"],
        "ftp": ["by ftp"],
        "dns": ["10.1.2.3"],
        "telnet": ["login:"],
        "ssh": ["0", "127.0.0.1"],
        "static": ["inet 192.168.1.1/24", " 0% packet loss"],
        "dhcp": ["inet 10.0.2.15/24", "nameserver 10.0.2.3"],
        "lease": ["lease of 192.168.1.100 obtained from 192.168.1.1"],
        "device": ["640 tty"],
        "log": ["1", "hello there"],
        "watchdog": ["/dev/watchdog", "i6300ESB"],
        "cron": ["ran"],
    }


# **Feature: kimigayo-os-core, Property 7: every service runs in its own namespaces behind a seccomp filter**
def test_every_service_is_within_its_limits(contained: Contained) -> None:
    status, said = contained.image.with_devices(UP + LOOK, *DEVICES)
    assert status == 0, said
    seen = [line.split("|") for line in said.splitlines() if line.count("|") == 2]
    by_command = {command.strip(): (limits.split(), spaces.split()) for command, limits, spaces in seen}
    _, first = by_command["init"]
    for service in contained.daemons:
        if service.name == "hostile":
            continue
        limits, spaces = by_command[" ".join(service.command)]
        capabilities = sum(1 << NUMBERS[name] for name in service.capabilities)
        assert limits == [f"{capabilities:016x}", f"{capabilities:016x}", "1", "2"], service.name
        own = [f"namespaces.{name}" not in (service.limits or {}) for name in ("mount", "pid", "ipc", "uts")]
        assert [here != there for here, there in zip(spaces, first, strict=True)] == [*own, False], service.name


# **Feature: kimigayo-os-core, Property 7: every service runs in its own namespaces behind a seccomp filter**
def test_a_forbidden_call_ends_the_service_and_is_logged(contained: Contained) -> None:
    said = contained.image.command(
        "cd /var/log; until grep -q 'hostile ended' messages; do sleep 1; done; grep -o 'contain: hostile.*' messages; "
        "grep -o 'rc: hostile.*' messages; dmesg | grep -o 'type=1326.*'; rc-service hostile status || true"
    )
    killed, ended, logged, state = said.splitlines()
    assert killed == "contain: hostile: killed: it tried a system call that its filter forbids"
    assert (ended, state) == ("rc: hostile ended with status 159", "failed")  # 128 and SIGSYS
    assert "sig=31" in logged and "syscall=165" in logged, "the kernel's log has the number of the call"


# **Feature: kimigayo-os-core, Property 27: start, stop, restart, status for every service**
def test_every_service_is_stopped_and_started(contained: Contained) -> None:
    status, said = contained.image.with_devices(
        UP
        + r"""
        for name in $(rc-status | sed 's/ .*//'); do
            case $name in console | hostile | mounts) continue ;; esac
            for verb in stop status start status restart status; do
                rc-service $name $verb >/run/said 2>&1
                echo $name $verb $? $([ $verb != status ] || cat /run/said)
            done
        done
        """,
        *DEVICES,
    )
    assert status == 0, said
    verbs = ("stop 0", "status 3 stopped", "start 0", "status 0 started", "restart 0", "status 0 started")
    lines = said.splitlines()
    names = list(dict.fromkeys(line.split()[0] for line in lines))
    assert {one.name for one in contained.daemons} - {"hostile"} < set(names)
    assert lines == [f"{name} {verb}" for name in names for verb in verbs]


# **Feature: kimigayo-os-core, Property 5: ASLR and DEP are in force**
def test_memory_and_files_are_data_or_programs(contained: Contained) -> None:
    said = contained.image.command(
        UP
        + r"""
        for i in 1 2; do echo "= maps$i"; cat /proc/self/maps; done
        echo "= stack"; contain --name test -- /opt/probe stack
        echo "= writes"
        for place in /etc /usr/bin /opt /boot /home /root /var/lib /var/tmp /tmp /run /dev/shm; do
            mkdir -p $place/new 2>/dev/null && echo $place
        done
        echo "= programs"
        for place in /home /root /var/tmp /tmp /run /dev/shm; do
            cp /bin/busybox $place/true && { $place/true 2>/dev/null; echo $?; }
        done
        echo "= setuid"; find / -xdev -type f \( -perm -4000 -o -perm -2000 \)
        echo "= mounts"; cat /proc/mounts
        echo "= sysctl"
        sed -n 's/ *= */ /p' /etc/sysctl.d/* | while read -r key value; do
            file=/proc/sys/$(echo $key | tr . /)
            [ ! -e $file ] || echo "$key $value $(cat $file)"
        done
        """
    )
    found = sections(said)
    # Of a program that is started twice, nothing is at the same place; nothing can be written and executed.
    first, second = ({line.split()[0] for line in found[name] if "vsyscall" not in line} for name in ("maps1", "maps2"))
    assert len(first) > 5 and not first & second
    assert not [line for line in found["maps1"] if re.match(r"\S+ .wx", line)]
    assert found["stack"] == ["Permission denied"]
    assert found["writes"] == ["/home", "/root", "/var/lib", "/var/tmp", "/tmp", "/run", "/dev/shm"]
    assert found["programs"] == ["126"] * 6
    assert found["setuid"] == []
    # What this kernel has no setting for is passed over; of two files, the later one counts.
    settings = {key: (wanted, actual) for key, wanted, actual in map(str.split, found["sysctl"])}
    assert {"kernel.dmesg_restrict", "kernel.kptr_restrict", "kernel.randomize_va_space"} <= settings.keys()
    assert [key for key, (wanted, actual) in settings.items() if wanted != actual] == []
    mounts = {words[1]: set(words[3].split(",")) for words in map(str.split, found["mounts"])}
    assert {"ro", "nosuid", "nodev"} <= mounts["/"]
    assert {"ro", "nosuid", "nodev", "noexec"} <= mounts["/run/kimigayo/data"]
    assert {"/var", "/home", "/root", "/etc/dropbear", "/srv/www"} <= mounts.keys()
    for where in mounts.keys() - {"/"}:
        assert {"nosuid", "noexec"} <= mounts[where], where
        assert "nodev" in mounts[where] or where in ("/dev", "/dev/pts"), where


def test_somebody_logs_in_on_a_serial_line(contained: Contained, tmp_path: Path) -> None:
    line = Path("/tmp") / f"kimitui-{tmp_path.name}"
    listener = socket.socket(socket.AF_UNIX)
    seen = bytearray()

    def person() -> None:
        peer, _ = listener.accept()
        peer.settimeout(TIMEOUT_SECONDS)
        typed = (
            (b"login: ", b"root"),
            (b"Password: ", PASSWORD.encode()),
            (b"# ", b"id -u; readlink /proc/self/fd/0; : >/run/in"),
        )
        for prompt, answer in typed:
            # The shell asks where the cursor is.
            while not seen.replace(b"\x1b[6n", b"").endswith(prompt):
                seen.extend(peer.recv(4096))
            peer.sendall(answer + b"\r")
        while data := peer.recv(4096):
            seen.extend(data)

    listener.bind(str(line))
    listener.listen()
    try:
        typist = threading.Thread(target=person)
        typist.start()
        serial = ("-chardev", f"socket,id=line,path={line}", "-serial", "chardev:line")
        script = f"{UP} until [ -e /run/in ]; do sleep 0.5; done"
        status, said = contained.image.with_devices(script, *serial)
        typist.join()
    finally:
        listener.close()
        line.unlink()
    assert status == 0, said
    assert b"kimigayo login: " in seen
    assert re.search(r"\n0\r?\n/dev/ttyS1\r?\n", seen.decode(errors="replace").replace("\r\r", "\r")), seen


def test_a_seed_is_kept_for_the_next_start(contained: Contained, tmp_path: Path) -> None:
    disk = tmp_path / "data.img"
    script = UP + "rc-service random_seed status; sha256sum /var/lib/seedrng/*; ls -ld /var/lib/seedrng"
    seeds = []
    for _ in range(3):
        status, said = contained.image.with_devices(script, data=disk)
        assert status == 0, said
        state, seed, directory = said.splitlines()
        assert state == "started" and directory.startswith("drwx------")
        seeds.append(seed.split()[0])
    assert len(set(seeds)) == len(seeds)


def test_a_machine_that_hangs_starts_again(contained: Contained) -> None:
    # What feeds the watchdog is stopped, as everything would be; QEMU ends where a machine would start again.
    status, said = contained.image.with_devices(
        UP
        + "for one in /proc/[0-9]*; do read name <$one/comm; [ $name != watchdog ] || kill -STOP ${one#/proc/}; done\n"
        "echo hangs; while :; do sleep 1; done",
        *DEVICES,
    )
    assert (status, said) == (None, "hangs\n")
