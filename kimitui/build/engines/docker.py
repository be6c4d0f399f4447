"""The engine for Docker and Podman: every job is a container of a daemon, on this machine or far away.

Nothing is shared with the daemon but what goes through its API: the toolchain becomes an image, inputs are put into
volumes before a job starts, outputs are fetched when it has ended. Outputs of earlier steps stay in volumes for as long
as the build takes, and nothing but the image stays longer.
"""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import docker
from docker.errors import ImageNotFound, NotFound
from docker.types import LogConfig
from docker.types import Mount as VolumeMount

from kimitui.build.engines import archives
from kimitui.build.engines.base import Job, Mount
from kimitui.build.engines.daemon import Place
from kimitui.errors import MachineError

_REPOSITORY = "kimitui-toolchain"
_SESSION = "kimitui.session"
_MAX_PROCESSES = 4096
_MEMORY_SHARE = 0.9  # of the daemon's machine, for one step
_ENDED_BY_KILL = 128 + 9


class DockerEngine:
    """Runs jobs as containers. What a build needs in the daemon is there within `opened`, and only there."""

    def __init__(self, place: Place, *, reason: str | None = None) -> None:
        """`reason` is why it was chosen where the user did not say which engine, for a line that tells so."""
        self.name = place.name
        self.daemon = place
        self._place = place
        self._reason = reason
        self._opened: _Opened | None = None
        self._image = ""
        self._memory_bytes = 0
        self._first = threading.Lock()
        self._lock = threading.Lock()
        self._held: dict[Path, _Held] = {}

    def warning(self) -> str | None:
        """Why it was chosen, where the user did not choose."""
        return f"{self._reason}: building with {self.name}" if self._reason else None

    @contextlib.contextmanager
    def opened(self, root: Path, digest: str, session: Path, tell: Callable[[str], None]) -> Iterator[None]:
        """What jobs need, and taking away afterwards what the build left.

        `session` names the build: what builds whose directory is gone have left is taken away first. The daemon is not
        asked before the first job: a build that finds everything in the store needs none.
        """
        self._opened = _Opened(root, digest, session, tell)
        try:
            yield
        finally:
            self._held.clear()
            if self._image:
                with contextlib.suppress(MachineError), self._client() as client:
                    _remove(client, str(session))
            self._opened, self._image = None, ""

    def start(self, job: Job) -> _Execution:
        """Start a job, the first one after the toolchain is an image of the daemon. Raises MachineError."""
        with self._client() as client:
            with self._first:
                if not self._image:
                    self._begin(client)
            execution = _Execution(self, job, self._container(client, job))
            try:
                execution.begin()
            except BaseException:
                execution.remove()
                raise
        return execution

    @contextlib.contextmanager
    def _client(self) -> Iterator[docker.APIClient]:
        """A connection of its own for who asks, since they must not be shared among threads."""
        with self._place.client() as client, self._image_is_kept():
            yield client

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what a client raises into errors that a user can act on."""
        with self._place.explained(), self._image_is_kept():
            yield

    @contextlib.contextmanager
    def _image_is_kept(self) -> Iterator[None]:
        try:
            yield
        except ImageNotFound as error:
            raise MachineError(
                f"{self.name} has lost the toolchain's image: {error.explanation}",
                fix="Run the command again; it is handed over anew.",
            ) from error

    def _begin(self, client: docker.APIClient) -> None:
        assert self._opened is not None, "jobs start within opened"
        self._sweep(client, self._opened.session)
        self._memory_bytes = int(_MEMORY_SHARE * client.info().get("MemTotal", 0))
        self._image = self._imported(client, self._opened.root, self._opened.digest, self._opened.tell)

    @property
    def _session(self) -> str:
        return str(self._opened.session) if self._opened else ""

    # The toolchain

    def _imported(self, client: docker.APIClient, root: Path, digest: str, tell: Callable[[str], None]) -> str:
        """The id of the toolchain's image. It is found by its label: what it is called is the daemon's business."""
        label = f"{_REPOSITORY}={digest}"

        def found() -> str | None:
            return next((str(image["Id"]) for image in client.images(filters={"label": label})), None)

        if image := found():
            return image
        tell(f"handing the toolchain to {self.name}; this is needed once")
        tag = digest[:16]
        with archives.packed([(".", root)]) as stream:
            client.import_image(stream, repository=_REPOSITORY, tag=tag, changes=[f"LABEL {label}"], stream_src=True)
        if (image := found()) is None:
            raise MachineError(f"{self.name} did not take the toolchain", fix="Look at the daemon's own log.")
        if not client.images(f"{_REPOSITORY}:{tag}"):
            # Podman calls every import `latest`.
            client.tag(image, _REPOSITORY, tag)
            with contextlib.suppress(NotFound):
                client.remove_image(f"{_REPOSITORY}:latest")
        return image

    # A job's container

    def _container(self, client: docker.APIClient, job: Job) -> str:
        """The id of a container that is ready to start."""
        volumes: list[_Volume] = []
        for directory, mounts in _by_directory(job.mounts).items():
            (first, *others) = mounts
            if first.final and not others:
                volumes.append(_Volume(self._hold(client, first), directory, writable=False))
                continue
            volume = _Volume(self._volume(client), directory, writable=any(mount.writable for mount in mounts))
            self._fill(client, volume, [m for m in mounts if not m.writable])
            volumes.append(volume)
        if job.scratch:
            volumes.append(_Volume(self._volume(client), "/build", writable=True))
        memory = {"mem_limit": self._memory_bytes} if self._memory_bytes else {}
        tmpfs = {"/tmp": "exec,mode=1777"} if job.scratch else {"/tmp": "exec,mode=1777", "/build": "exec,mode=0755"}
        return self._create(
            client,
            # The daemon adds variables of its own; a step sees exactly those it is given.
            ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in sorted(job.env.items())), *job.argv],
            volumes,
            read_only=True,
            tmpfs=tmpfs,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            pids_limit=_MAX_PROCESSES,
            **memory,
        )

    def _create(self, client: docker.APIClient, argv: Sequence[str], volumes: Sequence[_Volume], **host: Any) -> str:
        mounts = [
            VolumeMount(volume.target, volume.name, type="volume", read_only=not volume.writable) for volume in volumes
        ]
        made = client.create_container(
            self._image,
            command=list(argv),
            user="0:0",
            working_dir="/build",
            hostname="kimigayo",
            labels={_SESSION: self._session},
            host_config=client.create_host_config(
                mounts=mounts, network_mode="none", log_config=LogConfig(type="none"), **host
            ),
        )
        return str(made["Id"])

    def _volume(self, client: docker.APIClient) -> str:
        return str(client.create_volume(f"kimitui-{uuid.uuid4().hex}", labels={_SESSION: self._session})["Name"])

    def _hold(self, client: docker.APIClient, mount: Mount) -> str:
        """The volume that has what is in a directory of this machine, filled when it is first asked for."""
        with self._lock:
            held = self._held.setdefault(mount.host, _Held())
        with held.lock:
            if not held.volume:
                name = self._volume(client)
                self._fill(client, _Volume(name, mount.target, writable=True), [mount])
                held.volume = name
            return held.volume

    def _fill(self, client: docker.APIClient, volume: _Volume, mounts: Sequence[Mount]) -> None:
        """Put what `mounts` have on this machine into a volume."""
        if not mounts:
            return
        # A volume can only be written through a container, which need not run.
        carrier = self._create(client, ["/bin/true"], [_Volume(volume.name, volume.target, writable=True)])
        try:
            names = [str(PurePosixPath(mount.target).relative_to(volume.target)) for mount in mounts]
            entries = list(zip(names, (mount.host for mount in mounts), strict=True))
            with archives.packed(entries) as stream:
                client.put_archive(carrier, volume.target, stream)
        finally:
            client.remove_container(carrier, force=True)

    # What is left

    def _sweep(self, client: docker.APIClient, session: Path) -> None:
        """Take away what killed builds with the same cache left."""
        labels = [
            *((one.get("Labels") or {}).get(_SESSION) for one in _containers(client, _SESSION)),
            *((one.get("Labels") or {}).get(_SESSION) for one in _volumes(client, _SESSION)),
        ]
        for label in {label for label in labels if label}:
            if Path(label).parent == session.parent and not Path(label).exists():
                _remove(client, label)


@dataclass(frozen=True)
class _Opened:
    root: Path
    digest: str
    session: Path
    tell: Callable[[str], None]


@dataclass(frozen=True)
class _Volume:
    name: str
    target: str
    writable: bool


class _Held:
    """A volume that several jobs read, or "" as long as it is not filled."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.volume = ""


class _Execution:
    """A container under way."""

    def __init__(self, engine: DockerEngine, job: Job, container: str) -> None:
        self._engine = engine
        self._job = job
        self._container = container
        self._status: int | None = None
        self._client = engine._place.connect()
        self._chunks: Iterator[bytes] = iter(())

    def begin(self) -> None:
        """Start it, listening before it says anything."""
        with self._engine._explained():
            self._chunks = self._client.attach(self._container, stdout=True, stderr=True, stream=True)
            self._client.start(self._container)

    def lines(self) -> Iterator[str]:
        """What the job prints, line by line without line ends, until it ends."""
        rest = b""
        with self._engine._explained():
            for chunk in self._chunks:
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    yield line.rstrip(b"\r").decode("utf-8", "replace")
        if rest:
            yield rest.decode("utf-8", "replace")

    def wait(self) -> int:
        """Its exit status; negative: the number of the signal that ended it. Where it is 0, the output is fetched."""
        if self._status is None:
            self._status = -9  # should this fail, nothing is left to wait for
            try:
                with self._engine._explained():
                    status = int(self._client.wait(self._container)["StatusCode"])
                    if status == 0:
                        self._fetch()
                self._status = -9 if status == _ENDED_BY_KILL else status
            finally:
                self.remove()
        return self._status

    def kill(self) -> None:
        """End it and all its processes at once."""
        # Another thread may be waiting on the other connection. What is not there or does not run any more has ended.
        with contextlib.suppress(MachineError, NotFound), self._engine._client() as client:
            client.kill(self._container)

    def remove(self) -> None:
        """Take it out of the daemon with the volumes that only it has."""
        with contextlib.suppress(MachineError, NotFound), self._engine._client() as client:
            mounts = client.inspect_container(self._container)["Mounts"]
            client.remove_container(self._container, force=True)
            kept = {held.volume for held in self._engine._held.values()}
            for mount in mounts:
                if mount.get("Name") and mount["Name"] not in kept:
                    client.remove_volume(mount["Name"], force=True)
        self._client.close()

    def _fetch(self) -> None:
        for mount in self._job.mounts:
            if mount.writable and not mount.cache:
                chunks, _ = self._client.get_archive(self._container, mount.target)
                try:
                    archives.unpack(chunks, mount.host)
                except BaseException:
                    # The daemon lets go of a container only when its archive was taken to the end.
                    for _ in chunks:
                        pass
                    raise


def _by_directory(mounts: Sequence[Mount]) -> dict[str, list[Mount]]:
    """The mounts by the directory that is a volume for them: their own, or for files the one they are in.

    Where a file is, the directories beside it are in the same volume.
    """
    with_files = {str(PurePosixPath(mount.target).parent) for mount in mounts if not mount.host.is_dir()}
    result: dict[str, list[Mount]] = {}
    for mount in mounts:
        parent = str(PurePosixPath(mount.target).parent)
        result.setdefault(parent if parent in with_files else mount.target, []).append(mount)
    return result


def _containers(client: docker.APIClient, label: str) -> list[dict[str, Any]]:
    return list(client.containers(all=True, filters={"label": label}))


def _volumes(client: docker.APIClient, label: str) -> list[dict[str, Any]]:
    return list(client.volumes(filters={"label": label}).get("Volumes") or ())


def _remove(client: docker.APIClient, session: str) -> None:
    label = f"{_SESSION}={session}"
    for container in _containers(client, label):
        with contextlib.suppress(NotFound):
            client.remove_container(container["Id"], force=True)
    for volume in _volumes(client, label):
        with contextlib.suppress(NotFound):
            client.remove_volume(volume["Name"], force=True)


def prune(place: Place) -> list[str]:
    """Remove every toolchain's image from the daemon; their tags. Raises MachineError."""
    with place.client() as client:
        images = client.images(filters={"label": _REPOSITORY})
        for image in images:
            client.remove_image(image["Id"], force=True)
        return sorted(tag for image in images for tag in image.get("RepoTags") or [image["Id"]])
