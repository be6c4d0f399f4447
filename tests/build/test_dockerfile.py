"""The toolchain that a daemon makes. Debian's image is made here: there need not be a registry."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from kimitui.build import debian, mmdebstrap, toolchain
from kimitui.build.engines import archives
from kimitui.build.engines.docker import DockerEngine, prune
from kimitui.build.events import Event, LogLine, Message
from kimitui.build.toolchain import Definition
from kimitui.errors import BuildError, CancelledError, MachineError
from tests.build import daemons
from tests.build.daemons import Daemon
from tests.build.engines.test_docker import job, run

pytestmark = [
    pytest.mark.build,
    pytest.mark.daemon,
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="a Docker daemon of one's own needs root"),
]

BASE = "debian:trixie-slim"
SMALL = Definition(
    suite="trixie",
    packages=("file", "make"),
    exclude=("/usr/share/doc/*", "/usr/share/man/*"),
    mount_points=("build", "ccache", "dev", "input", "output", "proc", "sources", "steps", "tmp"),
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root file system of an image of Debian that knows where Debian is."""
    directory = tmp_path_factory.mktemp("base")
    root = directory / "root"
    mmdebstrap.make_root(
        root,
        suite="trixie",
        packages=("debian-archive-keyring",),
        exclude=("/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/man/*"),
        scratch_link=directory / "scratch",
        log=directory / "log",
        line=lambda _line: None,
        pulse=lambda: None,
    )
    for name in ("apt.conf.d", "preferences.d", "sources.list.d"):
        (root / "etc/apt" / name).mkdir(parents=True)
    (root / "etc/apt/sources.list").write_text(f"{debian.mirror().source_line('deb', 'trixie')}\n")
    (root / "tmp").chmod(0o1777)
    return root


@pytest.fixture(scope="module", params=["docker", "podman"])
def daemon(request: pytest.FixtureRequest, base: Path) -> Iterator[Daemon]:
    """A daemon that has that image."""
    with daemons.started(request.param) as running:
        api = running.client.api
        with archives.packed([(".", base)]) as stream:
            api.import_image(stream, repository="debian", tag="trixie-slim", stream_src=True)
        (image,) = api.images()
        api.tag(image["Id"], "debian", "trixie-slim")
        api.close()
        yield running


@pytest.fixture
def without_mmdebstrap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has no mmdebstrap, but the rest."""

    def check_tools() -> None:
        raise MachineError("mmdebstrap is not installed")

    monkeypatch.setattr(mmdebstrap, "check_tools", check_tools)


@pytest.mark.usefixtures("without_mmdebstrap")
def test_the_daemon_makes_the_toolchain_and_keeps_nothing(daemon: Daemon, tmp_path: Path) -> None:
    events: list[Event] = []
    made = toolchain.ensure(tmp_path, emit=events.append, wanted=SMALL, daemon=daemon.place)
    assert made.made_by == "Dockerfile" and {"make", "file", "libc6"} <= set(made.packages)
    (said,) = [event.text for event in events if isinstance(event, Message)]
    assert f"from builder/Dockerfile in {daemon.name}, because mmdebstrap is not installed" in said
    assert any("make" in event.line for event in events if isinstance(event, LogLine))
    assert "make" in (tmp_path / "logs/toolchain.log").read_text()
    assert toolchain.find(tmp_path, SMALL) == made
    # The two kinds never stand in for each other.
    record = json.loads((made.root.parent / "packages.json").read_text())
    (made.root.parent / "made-by").unlink()
    other = toolchain.find(tmp_path, SMALL)
    assert other is not None and other.packages == record and other.digest != made.digest
    # As mmdebstrap's: for whoever made it, and nothing of the daemon's machine.
    assert not (made.root / "usr/share/doc/make").exists() and not (made.root / ".dockerenv").exists()
    assert list((made.root / "dev").iterdir()) == [] and (made.root / "ccache").is_dir()
    assert daemon.left == []
    (image,) = daemon.client.images.list()
    assert any(tag.endswith(BASE) for tag in image.tags)


@pytest.mark.usefixtures("without_mmdebstrap")
def test_steps_run_in_it(daemon: Daemon, tmp_path: Path) -> None:
    made = toolchain.ensure(tmp_path, emit=lambda _event: None, wanted=SMALL, daemon=daemon.place)
    engine = DockerEngine(daemon.place)
    (tmp_path / "session").mkdir()
    with engine.opened(made.root, made.digest, tmp_path / "session", lambda _text: None):
        assert run(engine, job(made.root, tmp_path / "job", "make --version | head -n 1 | cut -c 1-8")) == (
            0,
            ["GNU Make"],
        )
    assert len(prune(daemon.place)) == 1


@pytest.mark.usefixtures("without_mmdebstrap")
def test_a_package_that_debian_does_not_have(daemon: Daemon, tmp_path: Path) -> None:
    wrong = replace(SMALL, packages=("no-such-package",))
    with pytest.raises(BuildError, match=r"from builder/Dockerfile") as caught:
        toolchain.ensure(tmp_path, emit=lambda _event: None, wanted=wrong, daemon=daemon.place)
    assert "no-such-package" in caught.value.where.read_text()  # type: ignore[union-attr]
    assert list((tmp_path / "toolchain").glob("*.tmp-*")) == [] and daemon.left == []


@pytest.mark.usefixtures("without_mmdebstrap")
def test_cancelling_leaves_nothing(daemon: Daemon, tmp_path: Path) -> None:
    def emit(event: Event) -> None:
        if isinstance(event, LogLine) and "Get:" in event.line:
            raise CancelledError("enough")

    with pytest.raises(CancelledError):
        toolchain.ensure(tmp_path, emit=emit, wanted=SMALL, daemon=daemon.place)
    assert list((tmp_path / "toolchain").glob("*.tmp-*")) == []
    # The daemon notices a little later that nobody wants it any more.
    for container in daemon.client.containers.list(all=True):
        with contextlib.suppress(docker.errors.NotFound):
            container.wait(condition="removed")
    assert daemon.left == []


def test_where_mmdebstrap_works_it_is_taken(daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def make_root(root: Path, **_words: object) -> None:
        asked.append(root)
        raise BuildError("enough")

    monkeypatch.setattr(mmdebstrap, "make_root", make_root)
    with pytest.raises(BuildError, match="enough"):
        toolchain.ensure(tmp_path, emit=lambda _event: None, wanted=SMALL, daemon=daemon.place)
    assert len(asked) == 1
