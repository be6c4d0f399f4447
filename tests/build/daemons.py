"""A Docker daemon that a test starts, with data and a socket of its own."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import requests


@dataclass(frozen=True)
class Daemon:
    """A daemon that answers at `url`; its data are below `directory`."""

    url: str
    directory: Path
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> str:
        """What it has said so far."""
        return (self.directory / "log").read_text()


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
    """A daemon for the block, ended by its process; `data` is where it keeps images and volumes."""
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
        log = directory / "log"
        with log.open("wb") as file, subprocess.Popen(list(map(str, command)), stdout=file, stderr=file) as process:
            daemon = Daemon(f"unix://{directory}/socket", directory, process)
            try:
                assert _answers(daemon), daemon.log
                yield daemon
            finally:
                process.terminate()


def _answers(daemon: Daemon) -> bool:
    """Wait until the daemon answers, as long as it lives; dockerd tells nobody when it is ready."""
    while daemon.process.poll() is None:
        with contextlib.suppress(docker.errors.DockerException, requests.RequestException):
            client = docker.DockerClient(base_url=daemon.url, version="1.41")
            try:
                return bool(client.ping())
            finally:
                client.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            daemon.process.wait(timeout=0.1)
    return False
