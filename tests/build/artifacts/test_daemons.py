"""The image in a Docker daemon that the test starts, and in Podman."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
import requests

from tests.build.conftest import Image

pytestmark = [
    pytest.mark.build,
    pytest.mark.daemon,
    pytest.mark.skipif(os.geteuid() != 0, reason="a Docker daemon of one's own needs root"),
]


def answering(process: subprocess.Popen[bytes], client: docker.DockerClient) -> bool:
    """Wait until the daemon answers, as long as it lives; dockerd tells nobody when it is ready."""
    while process.poll() is None:
        with contextlib.suppress(docker.errors.APIError, requests.RequestException):
            return bool(client.ping())
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)
    return False


@contextlib.contextmanager
def short_directory() -> Iterator[Path]:
    """A socket's path must be short, and so must Podman's directories; those of pytest are not."""
    directory = Path(tempfile.mkdtemp(prefix="kimitui-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def daemon() -> Iterator[docker.DockerClient]:
    """A client of a Docker daemon with its own data and socket; stopped by its process."""
    with short_directory() as directory:
        log = directory / "log"
        command = [
            "dockerd",
            *("--data-root", directory / "data"),
            *("--exec-root", directory / "exec"),
            *("--pidfile", directory / "pid"),
            *("--host", f"unix://{directory}/socket"),
            "--bridge=none",
            "--iptables=false",
            "--default-ulimit=nofile=1024:1024",
            "--default-ulimit=nproc=1024:1024",
        ]
        with log.open("wb") as file, subprocess.Popen(list(map(str, command)), stdout=file, stderr=file) as process:
            try:
                client = docker.DockerClient(base_url=f"unix://{directory}/socket", version="1.41")
                assert answering(process, client), log.read_text()
                yield client
                client.close()
            finally:
                process.terminate()


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


def test_docker_runs_services(daemon: docker.DockerClient, served: Image) -> None:
    daemon.images.load((served.directory / "image.oci.tar").read_bytes())
    container = daemon.containers.run(served.reference, network_mode="none", detach=True)
    try:
        up = "until [ -e /run/rc/.up ]; do sleep 0.1; done; rc-status; wget -qO- http://127.0.0.1:8080/"
        status, said = container.exec_run(["/bin/sh", "-c", up])
        assert isinstance(said, bytes) and status == 0, said
        lines = [line.split(None, 2) for line in said.decode().splitlines()]
        assert {name for name, _, state in lines[:-1] if state == "started"} == {
            "app",
            "crond",
            "httpd",
            "sshd",
            "syslogd",
        }
        assert lines[-1] == ["hello"]
        # Asked to stop, it stops its services and ends, before the daemon would lose patience.
        container.stop(timeout=60)
        assert container.wait()["StatusCode"] != 137
        assert container.logs().count(b"left out: ") == 1
    finally:
        container.remove(force=True)


@pytest.fixture
def podman() -> Iterator[list[str | Path]]:
    with short_directory() as directory:
        roots: list[str | Path] = ["--root", directory / "root", "--runroot", directory / "run"]
        # crun, Debian's default, refuses machines with control groups of both versions; runc comes with Docker.
        yield ["podman", "--runtime", "runc", "--storage-driver", "vfs", *roots]


def test_podman_loads_it(podman: list[str | Path], minimal: Image) -> None:
    archive = minimal.directory / "image.oci.tar"
    loaded = subprocess.run([*podman, "load", "--input", archive], check=True, capture_output=True, text=True)
    assert minimal.reference in loaded.stdout
    limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
    ran = subprocess.run(
        [*podman, "run", "--rm", "--network", "none", *limits, minimal.reference, "id", "-u"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert ran.stdout == "0\n"
