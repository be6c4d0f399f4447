"""The image in a Docker daemon that the test starts, and in Podman."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.build import daemons
from tests.build.conftest import Image
from tests.inits import Init

pytestmark = [
    pytest.mark.build,
    pytest.mark.daemon,
    pytest.mark.skipif(os.geteuid() != 0, reason="a Docker daemon of one's own needs root"),
]


@pytest.fixture(scope="module")
def running() -> Iterator[daemons.Daemon]:
    """A Docker daemon of the tests' own."""
    with daemons.running() as running:
        yield running


@pytest.fixture(scope="module")
def engine(running: daemons.Daemon) -> Path:
    """Where the daemon has its data and its socket."""
    return running.directory


@pytest.fixture(scope="module")
def daemon(running: daemons.Daemon) -> Iterator[docker.DockerClient]:
    """A client of the daemon."""
    client = docker.DockerClient(base_url=running.url, version="1.41")
    yield client
    client.close()


def test_docker_loads_and_runs_it(daemon: docker.DockerClient, minimal: Image) -> None:
    (image,) = daemon.images.load((minimal.directory / "image.oci.tar").read_bytes())
    assert image.tags == [minimal.reference] == ["kimigayo-os:0.1.0-minimal"]
    said = daemon.containers.run(
        minimal.reference, ["/bin/sh", "-c", ". /etc/os-release; echo $NAME; id -u"], network_mode="none", remove=True
    )
    assert said.splitlines() == [b"Kimigayo OS", b"0"]
    container = daemon.containers.create(minimal.reference, network_mode="none")
    assert container.attrs["Config"]["Cmd"] == ["/bin/sh"]
    container.remove()


def test_docker_runs_it_locked_down(daemon: docker.DockerClient, dynamic: Image) -> None:
    daemon.images.load((dynamic.directory / "image.oci.tar").read_bytes())
    said = daemon.containers.run(
        dynamic.reference,
        ["/bin/sh", "-c", "touch /etc/new 2>/dev/null || echo read-only; grep CapEff /proc/self/status"],
        network_mode="none",
        read_only=True,
        cap_drop=["ALL"],
        remove=True,
    )
    assert said.split() == [b"read-only", b"CapEff:", b"0000000000000000"]


def test_docker_runs_services(daemon: docker.DockerClient, served: Image, init: Init) -> None:
    daemon.images.load((served.directory / "image.oci.tar").read_bytes())
    container = daemon.containers.run(served.reference, network_mode="none", detach=True)
    try:
        up = f"until [ -e /run/rc/.up ]; do sleep 0.1; done; {init.listing}; wget -qO- http://127.0.0.1:8080/"
        status, said = container.exec_run(["/bin/sh", "-c", up])
        assert isinstance(said, bytes) and status == 0, said
        states = init.states(said.decode())
        ours = {"app", "crond", "httpd", "sshd", "syslogd"}
        assert {name for name, state in states.items() if state == "started"} == ours
        assert said.endswith(b"\nhello\n")
        # Asked to stop, it stops its services and ends, before the daemon would lose patience.
        container.stop(timeout=60)
        assert container.wait()["StatusCode"] != 137
        assert container.logs().count(b"left out: ") == 1
    finally:
        container.remove(force=True)


# What the applets of the image do in a container that may do nothing else.
WORK = r"""
set -e
cd /tmp
mkdir -p a/b; echo hello >a/b/file; cp -R a c; mv c d; ln -s file a/b/link; ln a/b/file a/hard; chmod 640 a/hard
touch -d @1000 a/hard; stat -c '%a %Y' a/hard; readlink a/b/link; realpath a/b/link; find a -type f | sort
tar czf a.tgz a; rm -r a; tar xzf a.tgz; sha256sum a/b/file | cut -c 1-8; gzip -c a/hard | gunzip
dd if=/dev/zero of=zeros bs=1k count=4 2>/dev/null; wc -c <zeros; du -k zeros >/dev/null; df /tmp >/dev/null
printf 'b\na\nb\n' | sort | uniq -c | tr -d ' '; sed s/h/j/ a/hard; grep -c l a/hard; seq 3 2>/dev/null || true
ps >/dev/null; top -b -n 1 >/dev/null; free >/dev/null; id; uname -m; hostname; date -d @0 -u +%Y; env | grep -c PATH
sleep 0; (exit 3) || echo $?; sleep 100 & kill $!; wait $! || echo $?; trap 'echo trapped' USR1; kill -USR1 $$
ip -o link | cut -d : -f 2 | head -n 1; ip addr add 127.0.0.2/8 dev lo 2>/dev/null || echo no network administration
nc -l -p 8080 -e cat & until echo question | nc 127.0.0.1 8080; do :; done 2>/dev/null
mktemp -d >/dev/null; xargs -n 1 echo <a/hard; netstat -tn | head -n 1; vi --help 2>/dev/null || true
rmdir /tmp/nothing 2>/dev/null || echo nothing
"""


def as_written(
    image: Image, engine: Path, *command: str, options: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run the image with the very line that its build ends with, but for the terminal."""
    line = json.loads((image.directory / "build-info.json").read_text())["run"]
    words = [word for word in shlex.split(line) if word != "-it"]
    return subprocess.run(
        [
            words[0],
            "--host",
            f"unix://{engine}/socket",
            *words[1:-1],
            "--network",
            "none",
            *options,
            words[-1],
            *command,
        ],
        cwd=image.directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_line_that_a_build_ends_with(daemon: docker.DockerClient, engine: Path, minimal: Image) -> None:
    daemon.images.load((minimal.directory / "image.oci.tar").read_bytes())
    ran = as_written(minimal, engine, "/bin/sh", "-c", WORK)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.splitlines()[-1] == "nothing"
    found = as_written(minimal, engine, "cat", "/proc/self/status").stdout
    assert {"Seccomp:\t2", "NoNewPrivs:\t1", "CapEff:\t0000000000000000"} <= set(found.splitlines())
    refused = "touch /etc/new || mount -t tmpfs none /tmp || umount /tmp || hostname other || date -s 2030-01-01"
    ran = as_written(minimal, engine, "/bin/sh", "-c", f"{refused} || echo refused")
    assert ran.stdout.splitlines()[-1] == "refused"
    assert "Read-only file system" in ran.stderr
    assert ran.stderr.count("Operation not permitted") + ran.stderr.count("permission denied") == 4, ran.stderr


# Every service with its rights, and who would be on their way.
RIGHTS = r"""
until [ -e /run/rc/.up ]; do sleep 0.1; done
for name in app crond httpd sshd syslogd; do
    read -r pid </run/service/$name/supervise/pid
    echo $name $(sed -n -E 's/^(Uid|CapEff|NoNewPrivs|Seccomp):.([0-9a-f]*).*/\2/p' /proc/$pid/status)
done
wget -qO- http://127.0.0.1:8080/
touch /etc/new 2>/dev/null || echo read-only
until grep -h -o 'contain: app: .*' /var/log/messages; do sleep 0.1; done
"""


def test_the_line_of_an_image_with_services(daemon: docker.DockerClient, engine: Path, limited: Image) -> None:
    daemon.images.load((limited.directory / "image.oci.tar").read_bytes())
    started = as_written(limited, engine, options=("--detach",))
    assert started.returncode == 0, started.stderr
    container = daemon.containers.get(started.stdout.strip())
    try:
        status, said = container.exec_run(["/bin/sh", "-c", RIGHTS])
        assert isinstance(said, bytes) and status == 0, said
        *lines, page, system, left = said.decode().splitlines()
        found = {line.split()[0]: line.split()[1:] for line in lines}
        user = {name: int(words[0]) for name, words in found.items()}
        assert {name for name, uid in user.items() if uid} == {"app", "httpd"}
        assert {name: words[2:] for name, words in found.items()} == {name: ["1", "2"] for name in found}
        rights = {name: int(words[1], 16) for name, words in found.items()}
        assert (rights["app"], rights["httpd"], rights["syslogd"]) == (0, 1 << 10, 0)
        assert (page, system) == ("hello", "read-only")
        # What an engine does not allow is said, once for each start.
        assert left.startswith("contain: app: runs without what the kernel refuses: namespaces.mount, namespaces.pid")
        container.stop(timeout=60)
    finally:
        with contextlib.suppress(docker.errors.APIError):  # --rm has seen to it
            container.remove(force=True)


# Numbers of x86_64; clone3 looks as if the kernel was too old for it, so that a C library uses clone.
CALLS = {
    "getpid": (39, "allowed"),
    "mount": (165, "Operation not permitted"),
    "keyctl": (250, "Operation not permitted"),
    "unshare": (272, "Operation not permitted"),
    "clone3": (435, "Function not implemented"),
    "a call of the future": (900, "Function not implemented"),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_forbidden_call_fails(
    daemon: docker.DockerClient, engine: Path, minimal: Image, probe: Path, call: str
) -> None:
    daemon.images.load((minimal.directory / "image.oci.tar").read_bytes())
    number, said = CALLS[call]
    volume = ("--volume", f"{probe}:/opt/probe:ro")
    ran = as_written(minimal, engine, "/opt/probe", "call", str(number), options=volume)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"{said}\n", "")


@pytest.fixture
def podman() -> Iterator[list[str | Path]]:
    with daemons.short_directory() as directory:
        roots: list[str | Path] = ["--root", directory / "root", "--runroot", directory / "run"]
        # crun, Debian's default, refuses machines with control groups of both versions; runc comes with Docker.
        yield ["podman", "--runtime", "runc", "--storage-driver", "vfs", *roots]


def test_podman_loads_it(podman: list[str | Path], minimal: Image) -> None:
    archive = minimal.directory / "image.oci.tar"
    loaded = subprocess.run([*podman, "load", "--input", archive], check=True, capture_output=True, text=True)
    assert minimal.reference in loaded.stdout
    limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
    # Its status and not what it prints: on a busy machine Podman loses that, where a container ends at once.
    for user, status in ((0, 0), (1, 1)):
        command = (*podman, "run", "--rm", "--network", "none", *limits, minimal.reference)
        ran = subprocess.run([*command, "sh", "-c", f'test "$(id -u)" = {user}'], capture_output=True, check=False)
        assert ran.returncode == status, ran.stderr
