"""The same jobs and builds in daemons of Docker and Podman that the test starts."""

from __future__ import annotations

import hashlib
import http.server
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest

from kimitui.build.engines.base import Engine, Job, Mount
from kimitui.build.engines.daemon import Place, docker_place
from kimitui.build.engines.docker import DockerEngine, prune
from kimitui.build.engines.sandbox import SandboxEngine
from kimitui.errors import MachineError
from kimitui.resources import cache_dir
from tests.build import daemons
from tests.build.conftest import Image, Make, kimitui
from tests.build.daemons import Daemon

pytestmark = [
    pytest.mark.build,
    pytest.mark.daemon,
    pytest.mark.skipif(os.geteuid() != 0, reason="a Docker daemon of one's own needs root"),
]


@dataclass(frozen=True)
class Served:
    """A daemon, by its socket and, if it is Docker's, over TLS."""

    daemon: Daemon
    over_tls: dict[str, str] | None = None

    @property
    def left(self) -> list[str]:
        """Containers and volumes in the daemon."""
        return self.daemon.left


@pytest.fixture(scope="module", params=["docker", "podman"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if request.param == "podman":
        with daemons.started("podman") as daemon:
            yield Served(daemon)
        return
    directory = tmp_path_factory.mktemp("tls")
    certificates(directory)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = [
        f"--tls{kind}={directory}/{name}.pem" for kind, name in (("cacert", "ca"), ("cert", "cert"), ("key", "key"))
    ]
    with daemons.running(f"--host=tcp://127.0.0.1:{port}", "--tlsverify", *options) as daemon:
        over_tls = {
            "DOCKER_HOST": f"tcp://127.0.0.1:{port}",
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(directory),
        }
        yield Served(daemon, over_tls)


def certificates(directory: Path) -> None:
    """`ca.pem`, and `cert.pem` with `key.pem`, which server and client both use."""
    (directory / "extensions").write_text("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n")
    for command in (
        "req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca.pem -subj /CN=authority -days 2",
        "req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=daemon",
        "x509 -req -in request.pem -CA ca.pem -CAkey ca-key.pem -CAcreateserial -out cert.pem -extfile extensions",
    ):
        subprocess.run(["openssl", *command.split()], cwd=directory, check=True, capture_output=True)


@pytest.fixture(scope="module")
def small(minimal: Image) -> Path:
    """A root file system for jobs that is there at once."""
    for name in ("build", "input", "output", "ccache", "sources", "steps"):
        (minimal.rootfs / name).mkdir(exist_ok=True)
    return minimal.rootfs


@pytest.fixture
def engine(served: Served, small: Path, tmp_path: Path) -> Iterator[DockerEngine]:
    with opened(served.daemon.place, small, tmp_path) as engine:
        yield engine
    assert served.left == []


class opened:  # noqa: N801 # a context manager
    """An engine within `opened`, by its place."""

    def __init__(self, place: Place, root: Path, directory: Path) -> None:
        self.engine = DockerEngine(place)
        (directory / "session").mkdir(exist_ok=True)
        self.context = self.engine.opened(root, "0" * 64, directory / "session", lambda _text: None)

    def __enter__(self) -> DockerEngine:
        self.context.__enter__()
        return self.engine

    def __exit__(self, *what: object) -> None:
        self.context.__exit__(None, None, None)


def job(root: Path, directory: Path, script: str, *mounts: Mount) -> Job:
    for name in ("output", "input", "cache"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    (directory / "input/step.sh").write_text(script)
    return Job(
        root=root,
        argv=("/bin/sh", "/input/step.sh"),
        env={"PATH": "/usr/bin:/bin", "GREETING": "hello"},
        mounts=(
            Mount(directory / "output", "/output", writable=True),
            Mount(directory / "input", "/input"),
            Mount(directory / "cache", "/ccache", writable=True, cache=True),
            *mounts,
        ),
    )


def run(engine: Engine, job: Job) -> tuple[int, list[str]]:
    execution = engine.start(job)
    lines = list(execution.lines())
    return execution.wait(), lines


def files(directory: Path) -> dict[str, tuple[str, str]]:
    """What is below a directory: mode, and content or where it leads."""
    found = {}
    for path in sorted(directory.rglob("*")):
        content = str(path.readlink()) if path.is_symlink() else path.read_bytes().hex() if path.is_file() else ""
        found[str(path.relative_to(directory))] = (
            oct(path.lstat().st_mode),
            hashlib.sha256(content.encode()).hexdigest(),
        )
    return found


# What a job sees and may do, and files of every kind as its output.
LOOK_ABOUT = r"""
pwd; id -u; hostname; umask; env | cut -d= -f1 | grep -v -e PWD -e SHLVL -e '^_$' | sort | tr '\n' ' '; echo
cat /sources/archive /sources/tree/file /steps/one/deep/file; ls /sources /steps
grep -e CapEff -e NoNewPrivs /proc/self/status; tail -n +3 /proc/net/dev | cut -d: -f1
for path in /new /etc/new /input/step.sh /sources/new /steps/one/new; do
    (echo bad >$path) 2>/dev/null && echo wrote $path
done
cd /output
mkdir -p sub/empty; echo made >sub/result; ln -s /nowhere absolute; ln -s sub/result relative; ln sub/result hard
chmod 4711 hard; mkdir locked; echo x >locked/inside; chmod 555 locked; : >'a name'; touch /ccache/kept
printf 'no end of line'
"""


def test_a_job_is_the_same_as_in_the_sandbox(engine: DockerEngine, small: Path, tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("an archive\n")
    for name in ("tree", "step/deep"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").write_text(f"{name}\n")
    mounts = (
        Mount(tmp_path / "archive", "/sources/archive"),
        Mount(tmp_path / "tree", "/sources/tree"),
        Mount(tmp_path / "step", "/steps/one", final=True),
    )
    theirs = run(SandboxEngine(), job(small, tmp_path / "sandbox", LOOK_ABOUT, *mounts))
    ours = run(engine, job(small, tmp_path / "docker", LOOK_ABOUT, *mounts))
    assert ours == theirs
    assert ours[0] == 0 and "NoNewPrivs:\t1" in ours[1] and not any(line.startswith("wrote") for line in ours[1])
    assert files(tmp_path / "docker/output") == files(tmp_path / "sandbox/output")
    assert (tmp_path / "docker/output/hard").samefile(tmp_path / "docker/output/sub/result")


def test_large_work_is_on_the_disk_of_the_daemon(engine: DockerEngine, small: Path, tmp_path: Path) -> None:
    wanted = replace(job(small, tmp_path, "df /build | tail -n 1; echo x >y; pwd"), scratch=tmp_path)
    status, lines = run(engine, wanted)
    assert status == 0 and "tmpfs" not in lines[0] and lines[-1] == "/build"


def test_a_failed_job_says_how(engine: DockerEngine, small: Path, tmp_path: Path) -> None:
    assert run(engine, job(small, tmp_path, "echo made >/output/x; echo said >&2; exit 3")) == (3, ["said"])
    assert list((tmp_path / "output").iterdir()) == []


def test_killing_ends_it_and_leaves_nothing(engine: DockerEngine, served: Served, small: Path, tmp_path: Path) -> None:
    execution = engine.start(job(small, tmp_path, "sleep 1000 & echo ready; wait"))
    lines = execution.lines()
    assert next(lines) == "ready"
    execution.kill()
    assert list(lines) == [] and execution.wait() == -9
    assert served.left == []


def test_the_daemon_may_be_far_away(served: Served, small: Path, tmp_path: Path) -> None:
    if served.over_tls is None:
        pytest.skip("Podman's service does not speak TLS")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/file").write_text("content\n")
    with opened(docker_place(served.over_tls), small, tmp_path) as engine:
        wanted = job(
            small, tmp_path, "cat /steps/one/file | tee /output/x", Mount(tmp_path / "tree", "/steps/one", final=True)
        )
        assert run(engine, wanted) == (0, ["content"])
    assert (tmp_path / "output/x").read_text() == "content\n"
    assert served.left == []


def test_what_a_killed_build_left_is_taken_away(served: Served, small: Path, tmp_path: Path) -> None:
    killed = opened(served.daemon.place, small, tmp_path)
    killed.__enter__().start(job(small, tmp_path, "sleep 1000"))
    assert len(served.left) > 1
    (tmp_path / "session").rmdir()
    assert len(served.left) > 1
    engine = DockerEngine(served.daemon.place)
    with engine.opened(small, "0" * 64, tmp_path / "next", lambda _text: None):
        assert run(engine, job(small, tmp_path, "true")) == (0, [])
        assert served.left == []


def test_a_build_that_runs_nothing_needs_no_daemon(small: Path, tmp_path: Path) -> None:
    with opened(docker_place({"DOCKER_HOST": f"unix://{tmp_path}/socket"}), small, tmp_path):
        pass


def test_an_image_that_was_removed_meanwhile(served: Served, small: Path, tmp_path: Path) -> None:
    with opened(served.daemon.place, small, tmp_path) as engine:
        assert run(engine, job(small, tmp_path, "true")) == (0, [])
        (tag,) = prune(served.daemon.place)
        assert tag.endswith(f"kimitui-toolchain:{'0' * 16}")
        with pytest.raises(MachineError, match="lost the toolchain's image") as caught:
            engine.start(job(small, tmp_path, "true"))
    assert "Run the command again" in str(caught.value)
    assert served.left == []


def test_a_daemon_that_dies_meanwhile(small: Path, tmp_path: Path) -> None:
    with daemons.running() as daemon, opened(daemon.place, small, tmp_path) as engine:
        execution = engine.start(job(small, tmp_path, "echo ready; exec sleep 1000"))
        lines = execution.lines()
        assert next(lines) == "ready"
        daemon.process.kill()
        with pytest.raises(MachineError, match="docker cannot be reached"):
            list(lines)
            execution.wait()


def test_a_daemon_without_space(small: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "kimitui", data], check=True)
    try:
        with (
            daemons.running(data=data) as daemon,
            pytest.raises(MachineError, match="no space left") as caught,
            opened(daemon.place, small, tmp_path) as engine,
        ):
            (tmp_path / "large").write_bytes(os.urandom(4_000_000))
            run(engine, job(small, tmp_path, "true", Mount(tmp_path / "large", "/sources/large")))
        assert "system prune" in str(caught.value)
    finally:
        subprocess.run(["umount", "--lazy", data], check=True)


def test_no_space_on_this_machine(engine: DockerEngine, small: Path, tmp_path: Path) -> None:
    wanted = job(small, tmp_path, "dd if=/dev/zero of=/output/large bs=1M count=4 2>/dev/null")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "kimitui", tmp_path / "output"], check=True)
    try:
        execution = engine.start(wanted)
        assert list(execution.lines()) == []
        with pytest.raises(OSError, match="No space left"):  # it is not the daemon that lacks it
            execution.wait()
        assert execution.wait() == -9
    finally:
        subprocess.run(["umount", tmp_path / "output"], check=True)


def test_a_daemon_that_is_not_there(small: Path, tmp_path: Path) -> None:
    with (
        opened(docker_place({"DOCKER_HOST": f"unix://{tmp_path}/socket"}), small, tmp_path) as engine,
        pytest.raises(MachineError, match="docker cannot be reached") as caught,
    ):
        engine.start(job(small, tmp_path, "true"))
    assert "DOCKER_HOST" in str(caught.value) and caught.value.exit_code == 3


def test_no_permission_for_the_socket(served: Served, small: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    answers = context.Queue()

    wanted = job(small, tmp_path, "true")

    def ask() -> None:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        try:
            with opened(served.daemon.place, small, Path("/tmp")) as engine:
                engine.start(wanted)
        except (MachineError, OSError) as error:
            answers.put(str(error))

    served.daemon.directory.chmod(0o755)
    (served.daemon.directory / "socket").chmod(0o600)
    process = context.Process(target=ask)
    process.start()
    assert "no permission for the socket" in answers.get(timeout=60)
    process.join()


class Old(http.server.BaseHTTPRequestHandler):
    """A daemon of 2014."""

    version: ClassVar = {"ApiVersion": "1.12", "Version": "1.0"}

    def do_GET(self) -> None:
        body = json.dumps(self.version).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None: ...


def test_a_daemon_that_is_too_old(small: Path, tmp_path: Path) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), Old) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            place = docker_place({"DOCKER_HOST": f"tcp://127.0.0.1:{server.server_port}"})
            with opened(place, small, tmp_path) as engine, pytest.raises(MachineError, match="too old"):
                engine.start(job(small, tmp_path, "true"))
        finally:
            server.shutdown()


def use_new_cache(served: Served, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache with the user's sources and toolchain and nothing else; what is started from now on finds the daemon."""
    for name in ("sources", "toolchain"):
        (cache / name).symlink_to(cache_dir() / name)
    for name, value in served.daemon.environment.items():
        monkeypatch.setenv(name, value)


def outputs(cache: Path) -> dict[str, tuple[str, Path]]:
    """By key, the name and the output of every step in a cache."""
    found = {}
    for path in cache.glob("store/*/*/step.json"):
        found[path.parent.name] = json.loads(path.read_text())["name"], path.parent / "output"
    return found


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["minimal", "standard"])
def test_every_step_has_the_same_bytes(
    preset: str, served: Served, make_image: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = make_image(preset)
    use_new_cache(served, tmp_path, monkeypatch)
    arguments = ("--offline", "--engine", served.daemon.name, "--cache-dir", tmp_path, "--out", tmp_path / "out")
    kimitui("build", preset, *arguments, "--progress", "plain")
    in_sandbox, in_daemon = outputs(cache_dir()), outputs(tmp_path)
    wanted = {"busybox-tree", "linux-headers", "musl", "busybox", "rootfs", "layer"}
    assert {name for name, _ in in_daemon.values()} >= wanted
    for key, (name, output) in in_daemon.items():
        assert files(output) == files(in_sandbox[key][1]), name
    sums = [(path / "SHA256SUMS").read_text() for path in (tmp_path / "out" / preset / "x86_64", ours.directory)]
    assert sums[0] == sums[1]
    assert served.left == []
    images = [tag for image in served.daemon.client.images.list() for tag in image.tags]
    assert images and all("kimitui-toolchain:" in tag for tag in images)
    assert "kimitui-toolchain:" in kimitui("cache", "prune", "--engine", served.daemon.name)
    assert served.daemon.client.images.list() == []


@pytest.mark.slow
def test_a_build_that_is_cancelled_leaves_nothing(
    served: Served, minimal: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_new_cache(served, tmp_path, monkeypatch)
    arguments = ("minimal", "--offline", "--engine", served.daemon.name, "--cache-dir", tmp_path, "--progress", "json")
    command = [sys.executable, "-m", "kimitui", "build", *map(str, arguments), "--out", str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        events = (json.loads(line)["event"] for line in process.stdout)
        assert "logline" in events, process.stderr.read()  # a container runs
        assert served.left != []
        process.send_signal(signal.SIGINT)
        list(events)
        said = process.stderr.read()
    assert process.returncode == 130, said
    assert served.left == []
    assert list((tmp_path / "tmp").iterdir()) == [] and not (tmp_path / "out").exists()
    sandbox = outputs(cache_dir())
    for key, (name, output) in outputs(tmp_path).items():
        assert files(output) == files(sandbox[key][1]), name
