"""The launcher of services: what it starts has what it was given, and no more."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from kimitui.build import elf
from tests.build.conftest import Image

pytestmark = [
    pytest.mark.build,
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces with more than one user need root"),
]

ALL = "mount,pid,ipc,uts,net"
# Numbers of x86_64.
KEYCTL, GETPID = 250, 39


@dataclass(frozen=True)
class Ran:
    status: int
    output: str
    error: str


@dataclass(frozen=True)
class Machine:
    """The image as a system of its own, with all rights or without any."""

    rootfs: Path
    probe: Path

    def run(self, script: str, *, privileged: bool = True) -> Ran:
        """Run a shell's script; in /mnt there are the FIFOs `ready` and `gone`."""
        with tempfile.TemporaryDirectory() as fifos:
            Path(fifos).chmod(0o755)
            for name in ("ready", "gone"):
                os.mkfifo(Path(fifos, name))
                Path(fifos, name).chmod(0o666)
            return self._run(script, privileged, fifos)

    def _run(self, script: str, privileged: bool, fifos: str) -> Ran:
        command = [
            "bwrap",
            *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net"),
            "--die-with-parent",
            *("--cap-add" if privileged else "--cap-drop", "ALL"),
            "--clearenv",
            *("--setenv", "PATH", "/sbin:/bin:/usr/sbin:/usr/bin"),
            *("--bind", str(self.rootfs), "/"),
            *("--ro-bind", str(self.probe), "/opt/probe"),
            *("--proc", "/proc"),
            *("--dev", "/dev"),
            *("--tmpfs", "/tmp"),
            *("--tmpfs", "/run"),
            *("--bind", fifos, "/mnt"),
            *("/bin/sh", "-c", script),
        ]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def contain(self, options: str, script: str, *, privileged: bool = True) -> Ran:
        """Run a shell's script contained; it must not have single quotes."""
        return self.run(f"exec contain --name test {options} -- sh -c '{script}'", privileged=privileged)


@pytest.fixture(scope="module")
def machine(contained: Image, probe: Path) -> Machine:
    (contained.rootfs / "opt/probe").touch()
    with (contained.rootfs / "etc/group").open("a") as group:
        group.write("logs:x:77:daemon,nobody\nothers:x:78:daemon\n")
    return Machine(contained.rootfs, probe)


def status(text: str) -> dict[str, str]:
    """The fields of a `/proc/<pid>/status`."""
    return {name: " ".join(value.split()) for name, _, value in (line.partition(":") for line in text.splitlines())}


# **Feature: kimigayo-os-core, Property 7: every service starts in its own namespaces behind a seccomp filter**
def test_it_has_the_rights_it_was_given_and_no_others(machine: Machine) -> None:
    ran = machine.contain(
        f"--user nobody --namespaces {ALL} --capabilities net_bind_service,kill --seccomp /usr/lib/seccomp/base.bpf",
        "exec cat /proc/self/status",
    )
    found = status(ran.output)
    assert (ran.status, ran.error) == (0, "")
    assert (found["Seccomp"], found["NoNewPrivs"]) == ("2", "1")
    rights = f"{1 << 10 | 1 << 5:016x}"
    assert {found[f"Cap{name}"] for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {rights}
    assert (found["Uid"], found["Gid"]) == ("65534 65534 65534 65534", "65534 65534 65534 65534")
    assert found["Groups"].split() == ["77", "65534"]
    assert found["Pid"] == "2"


def test_root_has_no_more_rights_than_were_given(machine: Machine) -> None:
    found = status(machine.contain("--user root --capabilities chown", "exec cat /proc/self/status").output)
    assert (found["Uid"].split()[0], found["CapEff"], found["CapBnd"]) == ("0", f"{1:016x}", f"{1:016x}")
    found = status(machine.contain("--user root", "exec cat /proc/self/status").output)
    assert (found["CapEff"], found["CapAmb"], found["NoNewPrivs"], found["Seccomp"]) == ("0" * 16, "0" * 16, "1", "0")


def test_namespaces_are_its_own(machine: Machine) -> None:
    names = ("mnt", "pid", "ipc", "uts", "net")
    script = "for name in mnt pid ipc uts net; do readlink /proc/self/ns/$name; done"
    ran = machine.run(f"{script}; contain --name test --namespaces {ALL} -- sh -c '{script}'")
    outside, inside = ran.output.split()[: len(names)], ran.output.split()[len(names) :]
    assert len(inside) == len(names)
    assert not set(outside) & set(inside)
    some = machine.run(f"{script}; contain --name test --namespaces uts,ipc -- sh -c '{script}'").output.split()
    assert [name for name, old, new in zip(names, some[:5], some[5:], strict=True) if old != new] == ["ipc", "uts"]


def test_it_sees_no_process_of_others_and_a_loopback_of_its_own(machine: Machine) -> None:
    ran = machine.contain(
        f"--namespaces {ALL} --capabilities net_raw",
        "echo /proc/[0-9]*; ip -o link; ping -c 1 127.0.0.1 >/dev/null && echo up",
    )
    assert ran.output.split()[:2] == ["/proc/1", "/proc/2"]
    assert "/proc/3" not in ran.output
    assert [line.split(":")[1].strip() for line in ran.output.splitlines() if ": <" in line] == ["lo"]
    assert ran.output.splitlines()[-1] == "up"


def test_the_system_is_read_only_but_for_what_is_named(machine: Machine) -> None:
    ran = machine.contain(
        "--namespaces mount,pid --capabilities dac_override --directory /run/app/state:0750:nobody "
        "--write /run/app --write /etc/hosts",
        "for path in /etc/new /run/new /dev/new /bin/sh /var/lib/new /run/app/new /run/app/state/new /tmp/new "
        "/etc/hosts /dev/null; do (: >>$path) 2>/dev/null && echo $path; done; "
        "echo 1 2>/dev/null >/proc/sys/kernel/sysrq && echo sysctl; "
        'while read _ where _ options _; do case $options in rw*) echo "$where $options"; esac; done </proc/mounts',
    )
    lines = ran.output.splitlines()
    assert lines[:5] == ["/run/app/new", "/run/app/state/new", "/tmp/new", "/etc/hosts", "/dev/null"]
    writable = dict(line.split() for line in lines[5:])
    assert {"nosuid", "noexec"} <= set(writable["/run/app"].split(","))
    assert {"nosuid", "nodev", "noexec"} <= set(writable["/tmp"].split(","))
    assert set(writable) == {"/run/app", "/etc/hosts", "/tmp"}


def test_nothing_that_is_writable_can_be_executed(machine: Machine) -> None:
    script = "for d in /run/app /tmp; do cp /bin/busybox $d/true && $d/true || echo $?; done"
    ran = machine.contain("--namespaces mount --directory /run/app:0755:root --write /run/app", script)
    assert ran.output.split() == ["126", "126"]


def test_tmp_is_its_own_unless_it_is_named(machine: Machine) -> None:
    look = "ls /tmp; touch /tmp/inside"
    before, after = "touch /tmp/outside", "ls /tmp"
    ran = machine.run(f"{before}; contain --name test --namespaces mount -- sh -c '{look}'; echo -; {after}")
    assert ran.output.split() == ["-", "outside"]
    ran = machine.run(
        f"{before}; contain --name test --namespaces mount --write /tmp -- sh -c '{look}'; echo -; {after}"
    )
    assert ran.output.split() == ["outside", "-", "inside", "outside"]


def test_everything_can_stay_writable(machine: Machine) -> None:
    ran = machine.contain("--namespaces mount --write /", "touch /run/new && cp /bin/busybox /run/true && /run/true")
    assert (ran.status, ran.error) == (0, "")


def test_directories_are_made_and_belong_to_their_user(machine: Machine) -> None:
    script = (
        "mkdir -m 700 /run/there; contain --name test "
        "--directory /run/a/b:0750:nobody --directory /run/there:2755:daemon "
        "-- stat -c '%n %a %U' /run/a /run/a/b /run/there"
    )
    assert machine.run(script).output.splitlines() == [
        "/run/a 755 root",
        "/run/a/b 750 nobody",
        "/run/there 2755 daemon",
    ]
    ran = machine.run(
        "ln -s /etc /run/link; contain --name test --directory /run/link:0777:nobody -- true; stat -c %U /etc"
    )
    assert (ran.output, ran.error) == ("root\n", "contain: test: --directory /run/link: Not a directory\n")


def test_the_environment_is_what_was_given(machine: Machine) -> None:
    ran = machine.run("SECRET=1 contain --name test --user daemon --env A='b c' --env HOME=/run --env A=d -- env")
    assert sorted(ran.output.splitlines()) == [
        "A=d",
        "HOME=/run",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "USER=daemon",
    ]


@pytest.mark.parametrize("namespaces", ["pid,mount", "uts"])
def test_a_forbidden_system_call_ends_it_and_is_said(machine: Machine, namespaces: str) -> None:
    common = f"contain --name test --namespaces {namespaces} --seccomp /usr/lib/seccomp/base.bpf -- /opt/probe call"
    ran = machine.run(f"{common} {GETPID}; {common} {KEYCTL}; echo $?")
    assert ran.output.splitlines() == ["allowed", "159"]  # 128 and SIGSYS
    if "pid" in namespaces:
        assert ran.error == "contain: test: killed: it tried a system call that its filter forbids\n"
    else:
        assert "Bad system call" in ran.error


def test_a_filter_holds_for_children(machine: Machine) -> None:
    ran = machine.contain("--seccomp /usr/lib/seccomp/program.bpf", "(hostname other); echo $?; hostname")
    assert ran.output.split()[0] == "159"
    assert ran.output.split()[1] != "other"


# **Feature: kimigayo-os-core, Property 5: ASLR and DEP are in force**
def test_an_executable_stack_is_refused(machine: Machine) -> None:
    assert machine.run("contain --name test -- /opt/probe stack").output == "Permission denied\n"
    assert machine.run("contain --name test --executable-memory -- /opt/probe stack").output == "allowed\n"


@pytest.mark.parametrize("namespaces", ["pid,mount", "uts"])
def test_the_exit_status_is_passed_on(machine: Machine, namespaces: str) -> None:
    common = f"contain --name test --namespaces {namespaces} --"
    script = (
        f"{common} sh -c 'exit 42'; echo $?; {common} sh -c 'kill -9 $$'; echo $?; "
        f"{common} nonesuch; echo $?; {common} /etc/passwd; echo $?"
    )
    ran = machine.run(script)
    assert ran.output.split() == ["42", "137", "127", "126"]
    said = [line for line in ran.error.splitlines() if line.startswith("contain")]
    assert said == [
        "contain: test: nonesuch: No such file or directory",
        "contain: test: /etc/passwd: Permission denied",
    ]


@pytest.mark.parametrize("namespaces", ["pid,mount", "uts"])
def test_signals_are_passed_on(machine: Machine, namespaces: str) -> None:
    ran = machine.run(
        f"contain --name test --namespaces {namespaces} --user nobody -- sh -c '"
        'trap "echo term; exit 3" TERM; trap "echo hup" HUP; echo >/mnt/ready; while :; do read line || :; done'
        "' </dev/zero & read line </mnt/ready; kill -TERM $!; wait $!; echo $?"
    )
    assert ran.error == ""
    assert ran.output.split() == ["term", "3"]


def test_it_has_no_way_out_when_the_launcher_is_killed(machine: Machine) -> None:
    ran = machine.run(
        "contain --name test --namespaces pid,mount -- sh -c '"
        "exec 4>/mnt/gone; exec sleep 1000' & exec 5</mnt/gone; kill -KILL $!; cat <&5; wait $!; echo $?"
    )
    # cat ends when nobody has the other end open any more.
    assert ran.output.split() == ["137"]


def test_process_1_reaps_and_takes_all_with_it(machine: Machine) -> None:
    ran = machine.run(
        "contain --name test --namespaces pid,mount --write /run -- sh -c '"
        'sh -c "true & echo \\$!" >/run/pid; while [ -e /proc/$(cat /run/pid) ]; do :; done; echo reaped; '
        "exec 3>/mnt/gone; sleep 1000 &' & cat /mnt/gone; wait $!; echo $?"
    )
    assert ran.output.split() == ["reaped", "0"]


def test_the_launcher_itself_keeps_no_rights(machine: Machine) -> None:
    ran = machine.run(
        "contain --name test --namespaces pid,mount -- sh -c '"
        "cat /proc/1/status; echo >/mnt/ready; read line' </dev/zero & read line </mnt/ready; "
        "cat /proc/$!/status; kill $!"
    )
    inside, _, outside = ran.output.partition("\nName:")
    for found in (status(inside), status(f"Name:{outside}")):
        assert (found["Name"], found["CapEff"], found["NoNewPrivs"]) == ("contain", f"{1 << 5:016x}", "1")


def test_without_rights_it_says_once_what_it_leaves_out(machine: Machine) -> None:
    options = f"--user nobody --namespaces {ALL} --capabilities net_raw --seccomp /usr/lib/seccomp/program.bpf"
    ran = machine.contain(options, "grep -E ^NoNew\\|^Seccomp: /proc/self/status", privileged=False)
    assert (ran.status, ran.output.split()) == (0, ["NoNewPrivs:", "1", "Seccomp:", "2"])
    assert ran.error == (
        "contain: test: runs without what the kernel refuses: namespaces.mount, namespaces.pid, namespaces.ipc, "
        "namespaces.uts, namespaces.net, capabilities.bounding, user, capabilities\n"
    )
    ran = machine.contain(f"{options} --strict", "echo started", privileged=False)
    assert (ran.status, ran.output) == (125, "")
    assert ran.error == "contain: test: namespaces.mount: Operation not permitted\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "contain: no command: put it behind --"),
        ("--name test --", "contain: no command: put it behind --"),
        ("true", "contain: unknown option: true"),
        ("--namepaces pid -- true", "contain: unknown option: --namepaces"),
        ("--write", "contain: --write: lacks its value"),
        ("--user root -- true", "contain: --name: is missing"),
        ("--name test --user nonesuch -- true", "contain: test: --user: no such user: nonesuch"),
        ("--name test --namespaces mount,user -- true", "contain: test: --namespaces: no such namespace: user"),
        (
            "--name test --capabilities cap_chown -- true",
            "contain: test: --capabilities: no such capability: cap_chown",
        ),
        ("--name test --seccomp /none -- true", "contain: test: --seccomp /none: No such file or directory"),
        ("--name test --seccomp /etc/hostname -- true", "contain: test: --seccomp /etc/hostname: is no filter"),
        ("--name test --seccomp /dev/null -- true", "contain: test: --seccomp /dev/null: is no filter"),
        ("--name test --seccomp /dev/zero -- true", "contain: test: --seccomp /dev/zero: is no filter"),
        ("--name test --namespaces mount --write var -- true", "contain: test: --write var: is no absolute path"),
        (
            "--name test --namespaces mount --write /none -- true",
            "contain: test: --write /none: No such file or directory",
        ),
        ("--name test --env =x -- true", "contain: test: --env =x: wants NAME=VALUE"),
        *(
            (
                f"--name test --directory {given} -- true",
                "contain: test: --directory: wants PATH:MODE:USER, such as /run/app:0750:app",
            )
            for given in (
                "/run/x",
                "/run/x:0755",
                "/run/x:0789:root",
                "/run/x::root",
                "run/x:0755:root",
                "/x:77777:root",
            )
        ),
        ("--name test --directory /run/x:0755:none -- true", "contain: test: --directory: no such user: none"),
    ],
)
def test_wrong_arguments(machine: Machine, arguments: str, message: str) -> None:
    assert machine.run(f"contain {arguments}") == Ran(125, "", f"{message}\n")


def test_a_broken_user_file_is_said(machine: Machine) -> None:
    script = "mount -t tmpfs tmpfs /etc; {0}contain --name test --user x -- true; echo $?"  # without /etc/passwd
    ran = machine.run(script.format(""))
    assert (ran.output, ran.error) == ("125\n", "contain: test: /etc/passwd: No such file or directory\n")
    ran = machine.run(script.format("echo x:x:one:1::/:/bin/sh >/etc/passwd; : >/etc/group; "))
    assert (ran.output, ran.error) == ("125\n", "contain: test: the numbers of x: Invalid argument\n")
    ran = machine.run(script.format("head -c 70000 /dev/zero | tr '\\0' x >/etc/passwd; "))
    assert (ran.output, ran.error) == ("125\n", "contain: test: /etc/passwd: File too large\n")


def test_it_is_small_and_hardened_and_on_record(contained: Image) -> None:
    program = contained.rootfs / "sbin/contain"
    assert program.stat().st_size <= 40_000
    facts = elf.read(program)
    assert (facts.pie, facts.interpreter, facts.nx, facts.relro) == (True, None, True, "full")
    info = json.loads((contained.directory / "build-info.json").read_text())
    assert info["programs"]["/sbin/contain"]["stack_protector"] is True
    files = {path: (contained.rootfs / path[1:]).stat().st_size for path in info["containment"]}
    assert files == info["containment"]
    assert "/usr/lib/seccomp/base.bpf" in files
