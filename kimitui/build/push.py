"""Pushes built images to a registry: each architecture by itself, and an index of them all.

skopeo does the talking. It sends no blob that the registry has, and keeps every digest as it is in the OCI archives.
What it does not read, the credential stores of Docker's configuration, is read for it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from kimitui.build.artifacts import stored
from kimitui.build.artifacts.oci import file_digest
from kimitui.build.artifacts.stored import StoredImage
from kimitui.build.reference import Reference
from kimitui.build.step import canonical_json
from kimitui.errors import BuildError, MachineError, UsageError

Rolling = Literal["latest", "stable", "edge"]
ROLLING: tuple[Rolling, ...] = get_args(Rolling)

_INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
_REF_NAME = "org.opencontainers.image.ref.name"
_TAIL_LINES = 6
_DENIED = ("unauthorized", "authentication required", "denied", "invalid username/password")
_UNREACHABLE = (
    "connection refused",
    "no such host",
    "no route to host",
    "network is unreachable",
    "i/o timeout",
    "server misbehaving",
    "certificate",
)


@dataclass(frozen=True)
class Pushed:
    """`tags` and `platforms` (`linux/amd64`) map to digests, as `sha256:…`."""

    repository: str
    tags: Mapping[str, str]
    platforms: Mapping[str, str]


def check_machine(target: Reference) -> None:
    """Raise MachineError if it is plain beforehand that nothing can be pushed to `target` from this machine."""
    _skopeo()
    with _authentication(target.repository):
        pass  # a helper that is missing


def push(
    directories: Sequence[Path],
    target: Reference,
    *,
    rolling: Sequence[Rolling] = ("latest",),
    say: Callable[[str], None] = lambda _text: None,
) -> Pushed:
    """Push the images in directories of artifacts, one per architecture, to the repository of `target`.

    Each gets a tag with its architecture, and all together the tag of `target`, or without one that of the release and
    then the `rolling` ones. With one image those are the image itself, else an index. What rolls comes last, so that
    a push that breaks off leaves nothing half under it. Raises UsageError where there is no image or one twice,
    MachineError where the registry cannot be reached or does not allow it, BuildError where it says anything else.
    """
    images = [stored.read(directory) for directory in directories]
    _check_together(images)
    variant = images[0].reference.rpartition(":")[2]
    tag = target.tag or variant
    suffix = variant.removeprefix(images[0].version)
    with tempfile.TemporaryDirectory(prefix="kimitui-") as name, _authentication(target.repository) as options:
        layout = Path(name)
        manifests = [_unpack(image, layout) for image in images]
        index = _write_index(layout, manifests)
        whole = index if len(manifests) > 1 else _digest(manifests[0])
        tags: dict[str, str] = {}

        def send(tag: str, digest: str) -> None:
            say(f"{target.repository}:{tag}")
            _copy(layout, digest, f"{target.repository}:{tag}", options)
            tags[tag] = digest

        for image, manifest in zip(images, manifests, strict=True):
            send(f"{tag}-{image.arch.oci}", _digest(manifest))
        send(tag, whole)
        if target.tag is None:
            for word in rolling:
                send(f"{word}{suffix}", whole)
    platforms = {
        f"linux/{image.arch.oci}": _digest(manifest) for image, manifest in zip(images, manifests, strict=True)
    }
    return Pushed(target.repository, tags, platforms)


def _check_together(images: Sequence[StoredImage]) -> None:
    names = {image.reference for image in images}
    if len(names) > 1:
        raise UsageError(f"these are different images: {', '.join(sorted(names))}", fix="Push one after the other.")
    arches = [image.arch.name for image in images]
    if len(set(arches)) < len(arches):
        raise UsageError(f"an architecture is there twice: {', '.join(arches)}")


# What is pushed, as an OCI layout


def _unpack(image: StoredImage, layout: Path) -> dict[str, Any]:
    """Put the blobs of an archive into a layout; what the archive's index says of the image in it."""
    blobs = layout / "blobs/sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(image.archive) as archive:
            for member in archive:
                if member.isfile() and member.name.startswith("blobs/sha256/"):
                    content = archive.extractfile(member)
                    assert content is not None
                    path = blobs / Path(member.name).name
                    with path.open("wb") as file:
                        shutil.copyfileobj(content, file)
                    if file_digest(path) != path.name:
                        raise ValueError(f"{member.name} is not what its name says")
            index = archive.extractfile("index.json")
            assert index is not None
            (manifest,) = json.load(index)["manifests"]
            if not (blobs / _digest(manifest).partition(":")[2]).is_file():
                raise ValueError("its manifest is not in it")
    except (tarfile.TarError, ValueError, KeyError, EOFError) as error:
        raise BuildError(f"the image is damaged: {error}", where=image.archive, fix="Build it again.") from error
    return {name: manifest[name] for name in ("mediaType", "digest", "size", "platform")}


def _write_index(layout: Path, manifests: Sequence[dict[str, Any]]) -> str:
    """Add the index of the manifests to a layout, in which everything is then found by its digest; its digest."""
    content = canonical_json({"schemaVersion": 2, "mediaType": _INDEX_TYPE, "manifests": list(manifests)})
    path = layout / "blobs/sha256/index"
    path.write_bytes(content)
    digest = file_digest(path)
    path.rename(path.with_name(digest))
    index = {"mediaType": _INDEX_TYPE, "digest": f"sha256:{digest}", "size": len(content)}
    entries = [{**entry, "annotations": {_REF_NAME: _name(_digest(entry))}} for entry in (*manifests, index)]
    (layout / "oci-layout").write_bytes(canonical_json({"imageLayoutVersion": "1.0.0"}))
    (layout / "index.json").write_bytes(canonical_json({"schemaVersion": 2, "manifests": entries}))
    return str(index["digest"])


def _digest(descriptor: Mapping[str, Any]) -> str:
    return str(descriptor["digest"])


def _name(digest: str) -> str:
    return digest.replace(":", "-")


# skopeo


def _skopeo() -> str:
    if path := shutil.which("skopeo"):
        return path
    raise MachineError(
        "skopeo is not installed; images are pushed with it", fix="apt-get install skopeo (or your system's package)"
    )


@contextlib.contextmanager
def _authentication(repository: str) -> Iterator[list[str]]:
    """The options that say who somebody is, in a file that only they can read and that is gone afterwards."""
    from kimitui.build.engines import credentials  # its imports take a fifth of a second

    registry = credentials.registry(repository)
    options = ["--dest-tls-verify=false"] if _is_here(registry) else []
    known = credentials.authfile(registry)
    if known is None:
        yield options  # skopeo knows further places: who logged in with podman
        return
    with tempfile.NamedTemporaryFile("w", prefix="kimitui-", suffix=".json") as file:
        json.dump(known, file)
        file.flush()
        yield [*options, f"--dest-authfile={file.name}"]


def _is_here(registry: str) -> bool:
    """Whether a registry is on this machine's loopback, where Docker, too, does without TLS."""
    host = registry.rpartition(":")[0] if registry.rpartition(":")[2].isdigit() else registry
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    return host == "localhost"


def _copy(layout: Path, digest: str, target: str, options: Sequence[str]) -> None:
    said_digest = layout / "digest"
    done = subprocess.run(
        [
            _skopeo(),
            "--insecure-policy",  # the policy is about images from elsewhere
            "copy",
            "--all",
            "--preserve-digests",
            f"--digestfile={said_digest}",
            *options,
            f"oci:{layout}:{_name(digest)}",
            f"docker://{target}",
        ],
        env={**os.environ, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        raise _explained(target, done.stderr)
    if (found := said_digest.read_text().strip()) != digest:
        raise BuildError(f"the registry has something else than was sent: {found}, not {digest}", where=target)


def _explained(target: str, said: str) -> BuildError | MachineError:
    tail = tuple(said.strip().splitlines()[-_TAIL_LINES:])
    lower = said.lower()
    repository = target.rpartition(":")[0]
    if any(word in lower for word in _UNREACHABLE):
        return MachineError(
            "the registry cannot be reached", where=target, details=tail, fix="Check its name and the network."
        )
    if any(word in lower for word in _DENIED):
        return MachineError(
            "the registry does not let you push",
            where=target,
            details=tail,
            fix=f"Log in (docker login {repository.partition('/')[0]}), as somebody who may write to {repository}.",
        )
    return BuildError("the registry did not take the image", where=target, details=tail)
