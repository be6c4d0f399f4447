"""Images in the daemons of Docker and Podman, which the test starts."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kimitui.build import load, push
from kimitui.build.arch import ARCHES
from kimitui.build.engines import daemon as talking
from kimitui.build.reference import Reference
from kimitui.cli import main
from kimitui.errors import MachineError
from tests.build import daemons
from tests.build import registry as registries
from tests.build.conftest import Image, kimitui
from tests.build.daemons import Daemon
from tests.build.made import artifacts
from tests.build.registry import needs_registry

in_daemons = pytest.mark.skipif(os.geteuid() != 0, reason="a daemon of one's own needs root")


@pytest.fixture(scope="module", params=["docker", "podman"])
def daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    with daemons.started(request.param) as running:
        yield running


@in_daemons
@pytest.mark.daemon
@pytest.mark.build
def test_an_image_is_loaded_and_runs_by_the_lines_that_are_printed(
    daemon: Daemon, minimal: Image, tmp_path: Path
) -> None:
    arguments = ("load", minimal.directory, "--engine", daemon.name, "--tag", "mine:1", "--tag", "mine")
    environment = {**daemon.environment, "PWD": str(tmp_path)}
    loaded = json.loads(kimitui(*arguments, "--json", environment=environment))
    first, *further = loaded["references"]
    assert first.endswith(minimal.reference) and further == ["mine:1", "mine"]
    assert loaded["warning"] is None
    for line in (loaded["run"], loaded["locked_down"]):
        words = [word for word in shlex.split(line) if word != "-it"]
        assert words[:2] == [daemon.name, "run"] and words[-1] == "mine:1"
        ran = subprocess.run(
            [*daemon.command, *words[1:-1], "--network", "none", *daemon.run_options, words[-1], "id", "-u"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ran.returncode, ran.stdout) == (0, "0\n"), ran.stderr
    printed = kimitui(*arguments, environment=environment)
    assert f"Loaded into {daemon.name}: " in printed
    assert f"Run it:       {daemon.name} run --rm -it mine:1\n" in printed
    assert f"Locked down:  {daemon.name} run --rm -it --read-only" in printed


@in_daemons
@pytest.mark.daemon
def test_an_image_for_another_processor_is_loaded_with_a_warning(daemon: Daemon, tmp_path: Path) -> None:
    place = daemon.place
    own = talking.status(place).arch
    other = "arm64" if own == "amd64" else "x86_64"
    loaded = load.load(artifacts(tmp_path, other), place)
    assert loaded.warning is not None and f"the image is for {other}, and {daemon.name} runs on" in loaded.warning
    assert load.check(place, next(arch for arch in ARCHES.values() if arch.oci == own)) is None
    assert loaded.references[0].endswith("kimigayo-os:0.1.0-minimal")


@in_daemons
@pytest.mark.daemon
def test_where_layers_in_zstd_are_not_read_that_is_said(daemon: Daemon, tmp_path: Path) -> None:
    made = artifacts(tmp_path, content=b"a layer that it does not have yet", compression="zstd")
    if daemon.name == "docker" and int(talking.status(daemon.place).version.partition(".")[0]) < 23:
        with pytest.raises(MachineError, match="docker says: ") as caught:
            load.load(made, daemon.place)
        assert "set image.compression to gzip" in str(caught.value)
    else:
        assert load.load(made, daemon.place).references


@in_daemons
@pytest.mark.daemon
@needs_registry
def test_docker_pulls_its_own_architecture_from_what_was_pushed(daemon: Daemon, tmp_path: Path) -> None:
    if daemon.name == "podman":
        pytest.skip("Podman wants to be told of registries without TLS")
    with registries.running() as registry:
        made = [artifacts(tmp_path, arch, content=arch.encode()) for arch in ("arm64", "x86_64", "riscv64")]
        pushed = push.push(made, Reference(f"{registry.host}/team/os"))
        image = daemon.client.images.pull(f"{registry.host}/team/os", "latest-minimal")
        assert image.attrs["Architecture"] == talking.status(daemon.place).arch
        assert image.attrs["RepoDigests"] == [f"{registry.host}/team/os@{pushed.tags['latest-minimal']}"]


@in_daemons
@pytest.mark.daemon
def test_without_a_sandbox_the_daemon_that_answers_builds(daemon: Daemon, tmp_path: Path) -> None:
    code = "from kimitui.build.engines import choose; engine = choose(); print(engine.name, engine.warning())"
    nowhere = {"DOCKER_HOST": "unix:///nowhere", "CONTAINER_HOST": "unix:///nowhere"}
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **nowhere, **daemon.environment, "PATH": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    reason = "No sandbox on this machine (bubblewrap is not installed)"
    assert said == f"{daemon.name} {reason}: building with {daemon.name}\n"


@in_daemons
@pytest.mark.daemon
def test_doctor_says_how_the_daemon_is(
    daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in daemon.environment.items():
        monkeypatch.setenv(name, value)

    def rows() -> dict[str, dict[str, object]]:
        assert main(["doctor", "--json"]) in (0, 3)
        return {row["subject"]: row for row in json.loads(capsys.readouterr().out)}

    found = rows()[daemon.name]
    version = daemon.client.version()["Version"]
    assert found["good"] and found["found"] == f"{version}, as root, on {talking.status(daemon.place).arch}"
    # A daemon runs the steps and makes the toolchain, so nothing on this machine need do it.
    monkeypatch.setenv("PATH", str(tmp_path))
    without = rows()
    for name in ("bwrap", "mmdebstrap"):
        assert without[name]["optional"] and not without[name]["good"]


@in_daemons
@pytest.mark.daemon
def test_what_the_daemon_does_not_take_is_said(
    daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = artifacts(tmp_path)
    (made / "image.oci.tar").write_bytes(b"no archive" * 1000)
    for name, value in daemon.environment.items():
        monkeypatch.setenv(name, value)
    assert main(["load", str(made), "--engine", daemon.name]) == 3
    assert f"kimitui: {daemon.name} says: " in capsys.readouterr().err


def test_what_cannot_be_is_said_before_anything_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/socket")
    monkeypatch.setenv("CONTAINER_HOST", f"unix://{tmp_path}/socket")

    def said(*arguments: object) -> tuple[int, str]:
        code = main(["load", *map(str, arguments), "--cache-dir", str(tmp_path / "cache")])
        return code, capsys.readouterr().err

    for engine in ("docker", "podman"):
        code, text = said("minimal", "--engine", engine)
        assert code == 3 and f"{engine} cannot be reached" in text and f"at {tmp_path}/socket" in text
    code, text = said("vm-minimal")
    assert code == 2 and "its image.formats lack oci" in text and "json5:" in text
    code, text = said("minimal", "--tag", "No Name")
    assert code == 2 and "cannot be the name of an image" in text
    made = artifacts(tmp_path)
    (made / "image.oci.tar").unlink()
    code, text = said(made)
    assert code == 2 and "there is no image.oci.tar among these artifacts" in text
    assert not (tmp_path / "cache").exists()
