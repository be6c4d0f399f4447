"""A daemon of Docker or Podman that a test starts, with data and a socket of its own."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import psutil
import pytest
import requests

from kimitui.build.engines.daemon import Name, Place, docker_place, podman_place


@dataclass(frozen=True)
class Daemon:
    """A daemon that answers at `url`; its data are below `directory`.

    `command` begins commands of its own client; `run_options` is what containers need on any machine that tests run on.
    """

    url: str
    directory: Path
    process: subprocess.Popen[bytes]
    name: Name = "docker"
    command: tuple[str, ...] = ()
    run_options: tuple[str, ...] = ()

    @property
    def log(self) -> str:
        """What it has said so far."""
        return (self.directory / "log").read_text()

    @property
    def environment(self) -> dict[str, str]:
        """What leads to it."""
        return {"DOCKER_HOST" if self.name == "docker" else "CONTAINER_HOST": self.url}

    @property
    def place(self) -> Place:
        """It, as kimitui finds it by the environment."""
        return docker_place(self.environment) if self.name == "docker" else podman_place(self.environment)

    @property
    def client(self) -> docker.DockerClient:
        """A client of it that is not kimitui's."""
        return docker.DockerClient(base_url=self.url, version="1.40")

    @property
    def left(self) -> list[str]:
        """Containers and volumes in it."""
        client = self.client
        try:
            found = [*client.containers.list(all=True), *client.volumes.list()]
        finally:
            client.close()
        return [str(one.id) for one in found]


@contextlib.contextmanager
def short_directory() -> Iterator[Path]:
    """A socket's path must be short, and so must Podman's directories; those of pytest are not."""
    directory = Path(tempfile.mkdtemp(prefix="kimitui-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def running(*options: str, data: Path | None = None) -> Iterator[Daemon]:
    """A Docker daemon for the block, ended by its process; `data` is where it keeps images and volumes."""
    with short_directory() as directory:
        command = [
            "dockerd",
            *("--data-root", data or directory / "data"),
            *("--exec-root", directory / "exec"),
            *("--pidfile", directory / "pid"),
            *("--host", f"unix://{directory}/socket"),
            "--bridge=none",
            "--iptables=false",
            "--default-ulimit=nofile=1024:1024",
            "--default-ulimit=nproc=1024:1024",
            *options,
        ]
        try:
            with _served(list(map(str, command)), directory) as process:
                url = f"unix://{directory}/socket"
                yield _waited_for(Daemon(url, directory, process, command=("docker", "--host", url)))
        finally:
            _end_what_is_left(directory)


def _end_what_is_left(directory: Path) -> None:
    """Where a test killed the daemon, what it started goes on: containerd, and the containers below their shims.

    A build that was cancelled may leave mounts in Podman.
    """
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess):
            if any(str(directory) in word for word in process.cmdline()):
                for one in (*process.children(recursive=True), process):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        one.kill()
    for line in reversed(Path("/proc/mounts").read_text().splitlines()):
        if line.split()[1].startswith(f"{directory}/"):
            subprocess.run(["umount", "--lazy", line.split()[1]], check=False)


# What Podman asks of a machine by default is more than some allow to root.
_CONTAINERS = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
log_driver = "k8s-file"
[engine]
events_logger = "file"
"""


@contextlib.contextmanager
def podman_running() -> Iterator[Daemon]:
    """Podman's API service for the block, ended by its process."""
    with short_directory() as directory:
        (directory / "containers.conf").write_text(_CONTAINERS)
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "CONTAINERS_CONF": f"{directory}/containers.conf"}
        # crun, Debian's default, refuses machines with control groups of both versions; runc comes with Docker.
        podman = ["podman", "--runtime", "runc", "--storage-driver", "overlay"]
        podman += ["--root", f"{directory}/root", "--runroot", f"{directory}/run", "--tmpdir", f"{directory}/tmp"]
        url = f"unix://{directory}/socket"
        with _served([*podman, "system", "service", "--time", "0", url], directory, environment) as process:
            try:
                yield _waited_for(
                    Daemon(
                        url, directory, process, "podman", ("podman", "--remote", "--url", url), ("--cgroups=enabled",)
                    )
                )
            finally:
                # Its containers are no children of it.
                subprocess.run([*podman, "rm", "--all", "--force"], env=environment, check=False, capture_output=True)
                _end_what_is_left(directory)


@contextlib.contextmanager
def started(name: Name) -> Iterator[Daemon]:
    """The daemon of that name; where it cannot run, the test is skipped, with the reason."""
    tool = "dockerd" if name == "docker" else "podman"
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")
    with running() if name == "docker" else podman_running() as daemon:
        yield daemon


@contextlib.contextmanager
def _served(
    command: list[str], directory: Path, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    with (
        (directory / "log").open("wb") as file,
        subprocess.Popen(command, stdout=file, stderr=file, env=environment) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()


def _waited_for(daemon: Daemon) -> Daemon:
    assert _answers(daemon), daemon.log
    return daemon


def _answers(daemon: Daemon) -> bool:
    """Wait until the daemon answers, as long as it lives; it tells nobody when it is ready."""
    while daemon.process.poll() is None:
        with contextlib.suppress(docker.errors.DockerException, requests.RequestException):
            client = daemon.client
            try:
                return bool(client.ping())
            finally:
                client.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            daemon.process.wait(timeout=0.1)
    return False
