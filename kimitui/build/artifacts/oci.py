"""The OCI archive: an OCI image layout and Docker's `manifest.json` in one tar.

Sources: OCI image specification 1.1 (image-layout, manifest, config); Docker image specification 1.2 for
`manifest.json`, which `docker load` reads where it does not know OCI layouts yet.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from kimitui.build.step import canonical_json

_COPY_BYTES = 1024 * 1024
_LAYER_TYPES = {
    "gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
    "zstd": "application/vnd.oci.image.layer.v1.tar+zstd",
    "none": "application/vnd.oci.image.layer.v1.tar",
}


@dataclass(frozen=True)
class ImageConfig:
    """What the image says of itself; `created` is in seconds since 1970, `architecture` in OCI's words.

    `user` is `uid:gid`, None for root; `environment` comes on top of PATH; `ports` are such as `80/tcp`.
    """

    reference: str
    architecture: str
    created: int
    command: tuple[str, ...]
    entrypoint: tuple[str, ...]
    labels: Mapping[str, str]
    user: str | None = None
    workdir: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Blob:
    digest: str
    size_bytes: int
    content: bytes | Path


def write(target: Path, *, config: ImageConfig, rootfs: Path, layer: Path, compression: str) -> None:
    """Write the archive of an image with one layer to `target`.

    `rootfs` is the layer as a plain tar, `layer` the same compressed by `compression` (gzip, zstd, none).
    The same arguments give the same bytes.
    """
    layer_blob = _Blob(file_digest(layer), layer.stat().st_size, layer)
    files = _files(config, file_digest(rootfs), layer_blob, compression)
    with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as archive:
        for directory in ("blobs", "blobs/sha256"):
            member = _member(directory, config.created)
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(member)
        for name, content in sorted(files.items()):
            member = _member(name, config.created)
            if isinstance(content, Path):
                member.size = content.stat().st_size
                with content.open("rb") as file:
                    archive.addfile(member, file)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))


def archive_bytes(config: ImageConfig, layer_bytes: int, compression: str) -> int:
    """How large the archive of an image with a layer of `layer_bytes` is."""
    layer = _Blob("0" * 64, layer_bytes, Path())
    files = _files(config, "0" * 64, layer, compression)
    sizes = [len(content) if isinstance(content, bytes) else layer_bytes for content in files.values()]
    blocks = 2 + sum(1 + -(-size // tarfile.BLOCKSIZE) for size in sizes) + 2
    return -(-blocks * tarfile.BLOCKSIZE // tarfile.RECORDSIZE) * tarfile.RECORDSIZE


def _files(config: ImageConfig, diff_id: str, layer_blob: _Blob, compression: str) -> dict[str, bytes | Path]:
    """The files of the archive by name; the layer's is where it lies."""
    created = datetime.fromtimestamp(config.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    config_blob = _json_blob(_image_config(config, created, diff_id))
    manifest_blob = _json_blob(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": _descriptor("application/vnd.oci.image.config.v1+json", config_blob),
            "layers": [_descriptor(_LAYER_TYPES[compression], layer_blob)],
        }
    )
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            {
                **_descriptor("application/vnd.oci.image.manifest.v1+json", manifest_blob),
                "platform": {"architecture": config.architecture, "os": "linux"},
                "annotations": {
                    # The tag for OCI's tools, the full name for containerd and Docker.
                    "org.opencontainers.image.ref.name": config.reference.rpartition(":")[2],
                    "io.containerd.image.name": f"docker.io/library/{config.reference}",
                },
            }
        ],
    }
    docker_manifest = [
        {
            "Config": _blob_path(config_blob),
            "RepoTags": [config.reference],
            "Layers": [_blob_path(layer_blob)],
        }
    ]
    return {
        "index.json": canonical_json(index),
        "manifest.json": canonical_json(docker_manifest),
        "oci-layout": canonical_json({"imageLayoutVersion": "1.0.0"}),
        **{_blob_path(blob): blob.content for blob in (config_blob, manifest_blob, layer_blob)},
    }


def file_digest(path: Path) -> str:
    """SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return _digest(file)


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(_COPY_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _image_config(config: ImageConfig, created: str, diff_id: str) -> dict[str, object]:
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **config.environment}
    run: dict[str, object] = {
        "Env": [f"{name}={value}" for name, value in environment.items()],
        "Labels": dict(config.labels),
        "WorkingDir": config.workdir,
    }
    if config.user:
        run["User"] = config.user
    if config.ports:
        run["ExposedPorts"] = {port: {} for port in config.ports}
    if config.command:
        run["Cmd"] = list(config.command)
    if config.entrypoint:
        run["Entrypoint"] = list(config.entrypoint)
    return {
        "created": created,
        "architecture": config.architecture,
        "os": "linux",
        "config": run,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff_id}"]},
        "history": [{"created": created, "created_by": "kimitui"}],
    }


def _json_blob(data: object) -> _Blob:
    content = canonical_json(data)
    return _Blob(hashlib.sha256(content).hexdigest(), len(content), content)


def _descriptor(media_type: str, blob: _Blob) -> dict[str, object]:
    return {"mediaType": media_type, "digest": f"sha256:{blob.digest}", "size": blob.size_bytes}


def _blob_path(blob: _Blob) -> str:
    return f"blobs/sha256/{blob.digest}"


def _member(name: str, mtime: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.mtime = mtime
    member.mode = 0o644
    return member
