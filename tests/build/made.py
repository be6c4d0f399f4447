"""A directory of artifacts with a small container image in it, made at once."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import tarfile
from pathlib import Path

from kimitui.build.arch import ARCHES
from kimitui.build.artifacts import build_info, container, oci, stored

VERSION = "0.1.0"


def artifacts(
    directory: Path,
    arch: str = "x86_64",
    *,
    preset: str = "minimal",
    content: bytes = b"hello",
    compression: str = "gzip",
) -> Path:
    """The artifacts of a preset for an architecture, below `directory`; the image holds one file."""
    made = directory / preset / arch
    made.mkdir(parents=True)
    reference = f"kimigayo-os:{VERSION}" + ("" if preset == "standard" else f"-{preset}")
    rootfs, layer = made / "rootfs.tar", made / "layer"
    with tarfile.open(rootfs, "w") as archive:
        member = tarfile.TarInfo("hello")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    if compression == "zstd":
        subprocess.run(["zstd", "--quiet", rootfs, "-o", layer], check=True)
    else:
        layer.write_bytes(gzip.compress(rootfs.read_bytes(), mtime=0))
    config = oci.ImageConfig(
        reference=reference,
        architecture=ARCHES[arch].oci,
        created=1_700_000_000,
        command=("/hello",),
        entrypoint=(),
        labels={},
    )
    oci.write(made / stored.ARCHIVE, config=config, rootfs=rootfs, layer=layer, compression=compression)
    layer.unlink()
    record = {
        "arch": arch,
        "preset": preset,
        "reference": reference,
        "release": {"version": VERSION},
        "configuration": {"image": {"compression": compression}},
        "run": container.run_line(reference, container.PROFILE, container.Grants()),
    }
    (made / build_info.NAME).write_text(json.dumps(record))
    return made


def manifest_digest(made: Path) -> str:
    """The digest of the image's manifest, as its archive says."""
    with tarfile.open(made / stored.ARCHIVE) as archive:
        index = archive.extractfile("index.json")
        assert index is not None
        (manifest,) = json.load(index)["manifests"]
    return str(manifest["digest"])
