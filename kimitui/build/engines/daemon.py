"""The daemons of Docker and Podman: where they are, how they are, and what is asked of them besides running steps."""

from __future__ import annotations

import contextlib
import os
import re
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import docker
import requests
import urllib3
from docker.constants import DEFAULT_UNIX_SOCKET
from docker.errors import APIError, DockerException, InvalidVersion
from docker.utils import kwargs_from_env, parse_repository_tag

from kimitui.errors import MachineError

Name = Literal["docker", "podman"]
NAMES: tuple[Name, ...] = get_args(Name)

PATIENCE_SECONDS = 24 * 60 * 60
"""How long to wait for an answer: a step may take hours, and so may a slow line that the toolchain goes over."""

_GLANCE_SECONDS = 10
_START = (
    "Start it, or say where it is (DOCKER_HOST, docker context use; CONTAINER_HOST for podman).\n"
    "Builds do without: kimitui build --engine sandbox."
)
_PERMISSION = (
    "Add yourself to the group that owns the socket (docker: usermod -aG docker $USER, then log in again), or use the "
    "rootless daemon.\nBuilds do without: kimitui build --engine sandbox."
)


# What a connection that breaks off may look like, by the layer that noticed.
_LOST = (
    DockerException,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    ssl.SSLError,
    ConnectionError,
    TimeoutError,
)


class _Client(docker.APIClient):
    """Trusts the authority that the daemon's settings name, and not the one that REQUESTS_CA_BUNDLE names instead."""

    def merge_environment_settings(self, *words: Any) -> Any:
        settings = super().merge_environment_settings(*words)
        return {**settings, "verify": self.verify} if isinstance(self.verify, str) else settings


@dataclass(frozen=True)
class Place:
    """Which daemon: how it is called, and what a client of it is made with."""

    name: str
    settings: Callable[[], Mapping[str, Any]]

    def connect(self, patience_seconds: int = PATIENCE_SECONDS) -> docker.APIClient:
        """A client. Raises what the package does where there is no daemon, or one that is too old."""
        settings = self.settings()
        ssh = str(settings.get("base_url", "")).startswith("ssh://")
        return _Client(version="auto", timeout=patience_seconds, use_ssh_client=ssh, **settings)

    @property
    def address(self) -> str:
        """Where it is, as the environment has it."""
        try:
            url = str(self.settings().get("base_url") or DEFAULT_UNIX_SOCKET)
        except (DockerException, OSError, ValueError):
            return self.name
        return url.removeprefix("http+").removeprefix("unix://")

    @contextlib.contextmanager
    def client(self, patience_seconds: int = PATIENCE_SECONDS) -> Iterator[docker.APIClient]:
        """A connection, for one thread. Raises MachineError for what goes wrong with the daemon in the block."""
        with self.explained():
            try:
                client = self.connect(patience_seconds)
            except OSError as error:
                raise self._unreachable(error) from error
            try:
                yield client
            finally:
                client.close()

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what a client raises into errors that a user can act on; what this machine's disk says stays."""
        try:
            yield
        except InvalidVersion as error:
            raise MachineError(f"the {self.name} daemon is too old: {error}", fix="Install a newer one.") from error
        except APIError as error:
            raise self.refusal(str(error.explanation or error)) from error
        except _LOST as error:
            raise self._unreachable(error) from error

    def refusal(self, said: str) -> MachineError:
        """The error for what the daemon answers instead of doing it."""
        full = "no space left" in said.lower()
        return MachineError(
            f"{self.name} says: {said.strip()}",
            fix=f"Free some space where the daemon runs ({self.name} system prune)." if full else None,
        )

    def _unreachable(self, error: Exception) -> MachineError:
        causes: list[BaseException] = [error]
        while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None and cause not in causes:
            causes.append(cause)
        texts = " ".join(map(str, causes))
        if any(isinstance(one, PermissionError) for one in causes) or "Permission denied" in texts:
            return MachineError(f"no permission for the socket of {self.name}", where=self.address, fix=_PERMISSION)
        # Between the cause and what the client says of it are exceptions that repeat each other, as arguments.
        inner = [one for cause in causes for one in (cause, *_arguments(cause)) if isinstance(one, OSError)]
        reason = next((one.strerror for one in reversed(inner) if one.strerror), str(error))
        return MachineError(f"{self.name} cannot be reached: {reason}", where=self.address, fix=_START)


def _arguments(error: BaseException) -> Iterator[BaseException]:
    for argument in error.args:
        if isinstance(argument, BaseException):
            yield argument
            yield from _arguments(argument)


def place(name: Name) -> Place:
    """The daemon of that name."""
    return docker_place() if name == "docker" else podman_place()


def docker_place(environment: Mapping[str, str] = os.environ) -> Place:
    """The daemon that the docker command would use: DOCKER_HOST, else the current context."""

    def settings() -> Mapping[str, Any]:
        if environment.get("DOCKER_HOST"):
            return dict(kwargs_from_env(environment=dict(environment)))
        return dict(docker.ContextAPI.kwargs_from_context(environment=dict(environment)))

    return Place("docker", settings)


def podman_place(environment: Mapping[str, str] = os.environ) -> Place:
    """Podman's API socket: CONTAINER_HOST, else the user's own, else the machine's."""

    def settings() -> Mapping[str, Any]:
        own = Path(environment.get("XDG_RUNTIME_DIR", f"/run/user/{os.geteuid()}")) / "podman/podman.sock"
        socket = own if own.exists() else Path("/run/podman/podman.sock")
        return {"base_url": environment.get("CONTAINER_HOST") or f"unix://{socket}"}

    return Place("podman", settings)


@dataclass(frozen=True)
class Status:
    """What a daemon says of itself; `arch` is its machine's in OCI's words, such as `amd64`."""

    version: str
    arch: str
    rootless: bool

    @property
    def words(self) -> str:
        """All of it, for people."""
        return f"{self.version}, {'rootless' if self.rootless else 'as root'}, on {self.arch}"


def status(place: Place) -> Status:
    """Ask a daemon how it is. Raises MachineError where it cannot be reached or does not answer soon."""
    with place.client(_GLANCE_SECONDS) as client:
        version, info = client.version(), client.info()
    options = " ".join(map(str, info.get("SecurityOptions") or ()))
    return Status(str(version.get("Version", "")), str(version.get("Arch", "")), "rootless" in options)


def answers(place: Place) -> bool:
    """Whether the daemon can be reached."""
    try:
        with place.client(_GLANCE_SECONDS) as client:
            return bool(client.ping())
    except MachineError:
        return False


def load(place: Place, archive: Path, names: Sequence[str] = ()) -> tuple[str, ...]:
    """Hand an image to a daemon, which then has it also under `names`; the references it is known by there.

    `archive` is one that `docker load` reads. Raises MachineError where the daemon does not take it.
    """
    with place.client() as client:
        with archive.open("rb") as file:
            # The status was sent before the archive was read, so errors come as words.
            said = list(client.load_image(file, quiet=True))  # type: ignore[no-untyped-call]
        for line in said:
            if "error" in line:
                raise place.refusal(str(line["error"]))
        text = "".join(str(line.get("stream", "")) for line in said)
        loaded = re.findall(r"^Loaded image(?:\(s\))?: (.+?)\s*$", text, re.MULTILINE)
        if not loaded:
            raise place.refusal(text or "nothing, and has no image")
        for name in names:
            repository, tag = parse_repository_tag(name)
            client.tag(loaded[0], repository, tag or "latest", force=True)
    return (*loaded, *names)
