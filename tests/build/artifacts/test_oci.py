from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from kimitui.build.artifacts import oci
from tests.build.conftest import Image

CONFIG = oci.ImageConfig(
    reference="kimigayo-os:0.1.0-minimal",
    architecture="arm64",
    created=1_700_000_000,
    command=("/bin/sh",),
    entrypoint=(),
    labels={"org.opencontainers.image.version": "0.1.0"},
)


@pytest.fixture
def rootfs(tmp_path: Path) -> Path:
    path = tmp_path / "rootfs.tar"
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("hello")
        member.size = 5
        archive.addfile(member, io.BytesIO(b"hello"))
    return path


@pytest.fixture
def layer(rootfs: Path) -> Path:
    path = rootfs.with_name("layer")
    path.write_bytes(gzip.compress(rootfs.read_bytes(), mtime=0))
    return path


def written(directory: Path, rootfs: Path, layer: Path, config: oci.ImageConfig = CONFIG) -> Path:
    target = directory / "image.oci.tar"
    oci.write(target, config=config, rootfs=rootfs, layer=layer, compression="gzip")
    return target


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        return {m.name: file.read() for m in archive if (file := archive.extractfile(m)) is not None}


def test_the_digests_hold_together(tmp_path: Path, rootfs: Path, layer: Path) -> None:
    files = members(written(tmp_path, rootfs, layer))
    for name, content in files.items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"

    def blob(descriptor: dict[str, object]) -> bytes:
        content = files[f"blobs/{str(descriptor['digest']).replace(':', '/')}"]
        assert descriptor["size"] == len(content)
        return content

    (entry,) = json.loads(files["index.json"])["manifests"]
    assert entry["platform"] == {"architecture": "arm64", "os": "linux"}
    manifest = json.loads(blob(entry))
    assert gzip.decompress(blob(manifest["layers"][0])) == rootfs.read_bytes()
    config = json.loads(blob(manifest["config"]))
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(rootfs.read_bytes()).hexdigest()}"]
    assert (config["created"], config["architecture"]) == ("2023-11-14T22:13:20Z", "arm64")
    assert config["config"]["Cmd"] == ["/bin/sh"]
    assert "Entrypoint" not in config["config"]
    (docker,) = json.loads(files["manifest.json"])
    assert docker["RepoTags"] == ["kimigayo-os:0.1.0-minimal"]
    assert files[docker["Config"]] == blob(manifest["config"])
    assert files[docker["Layers"][0]] == blob(manifest["layers"][0])


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, rootfs: Path, layer: Path) -> None:
    first = written(tmp_path, rootfs, layer).read_bytes()
    os.utime(layer, (0, 0))
    old = os.umask(0o077)
    try:
        assert written(tmp_path, rootfs, layer).read_bytes() == first
    finally:
        os.umask(old)
    assert written(tmp_path, rootfs, layer, replace(CONFIG, created=0)).read_bytes() != first


def test_command_and_entry_point(tmp_path: Path, rootfs: Path, layer: Path) -> None:
    config = replace(CONFIG, command=(), entrypoint=("/sbin/tini", "--"))
    files = members(written(tmp_path, rootfs, layer, config))
    (docker,) = json.loads(files["manifest.json"])
    run = json.loads(files[docker["Config"]])["config"]
    assert run["Entrypoint"] == ["/sbin/tini", "--"]
    assert "Cmd" not in run


def test_how_a_container_runs(tmp_path: Path, rootfs: Path, layer: Path) -> None:
    config = replace(
        CONFIG,
        user="1000:1000",
        workdir="/srv",
        environment={"LANG": "C.UTF-8", "GREETING": "good morning"},
        ports=("80/tcp", "53/udp"),
    )
    files = members(written(tmp_path, rootfs, layer, config))
    (docker,) = json.loads(files["manifest.json"])
    run = json.loads(files[docker["Config"]])["config"]
    assert (run["User"], run["WorkingDir"]) == ("1000:1000", "/srv")
    assert run["Env"][1:] == ["LANG=C.UTF-8", "GREETING=good morning"]
    assert run["Env"][0].startswith("PATH=")
    assert run["ExposedPorts"] == {"80/tcp": {}, "53/udp": {}}


@pytest.mark.build
@pytest.mark.parametrize(
    ("kind", "preset"), [("oci-archive", "minimal"), ("oci-archive", "soft"), ("docker-archive", "minimal")]
)
def test_skopeo_copies_it(kind: str, preset: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    image: Image = request.getfixturevalue(preset)
    archive = image.directory / "image.oci.tar"
    subprocess.run(
        ["skopeo", "--tmpdir", tmp_path, "--insecure-policy", "copy", f"{kind}:{archive}", f"dir:{tmp_path / 'copy'}"],
        check=True,
        capture_output=True,
    )
    inspected = subprocess.run(
        ["skopeo", "inspect", f"dir:{tmp_path / 'copy'}"], check=True, capture_output=True, text=True
    )
    said = json.loads(inspected.stdout)
    assert (said["Architecture"], said["Os"]) == ("amd64", "linux")
    assert said["Labels"]["org.opencontainers.image.version"] == "0.1.0"
