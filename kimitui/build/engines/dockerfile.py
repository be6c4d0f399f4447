"""Makes the toolchain's root file system in a daemon, from `builder/Dockerfile`, for machines without mmdebstrap."""

from __future__ import annotations

import contextlib
import io
import os
import re
import tarfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import docker

from kimitui.build import debian
from kimitui.build.engines import archives
from kimitui.build.engines.daemon import Place
from kimitui.errors import BuildError
from kimitui.resources import BUILDER_DIR

FILE = BUILDER_DIR / "Dockerfile"

_TAIL_LINES = 12
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# The ones that every Dockerfile has without declaring them.
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


def make_root(
    place: Place,
    root: Path,
    *,
    suite: str,
    packages: Sequence[str],
    exclude: Sequence[str],
    log: Path,
    line: Callable[[str], None],
    pulse: Callable[[], None],
) -> None:
    """Make the directory `root`: Debian `suite` with `packages`, without the paths that match `exclude`.

    The daemon builds an image of it, and keeps neither that nor the base if it had it not before. All that it prints
    goes to `log` and, line by line, to `line`; `pulse` is called with every piece; both may raise to cancel.
    Raises MachineError if the daemon cannot be reached, BuildError if it cannot build it.
    """
    base = f"debian:{suite}-slim"
    arguments = {
        "BASE": base,
        "SUITE": suite,
        "PACKAGES": " ".join(packages),
        "EXCLUDE": " ".join(exclude),
        "MIRROR": _mirror(),
        **{name: os.environ[name] for name in _PROXIES if name in os.environ},
    }
    log.parent.mkdir(parents=True, exist_ok=True)
    with place.client() as client, contextlib.ExitStack() as undo:
        if not client.images(base):
            undo.callback(_remove_image, client, base)
        with log.open("w", encoding="utf-8") as file:

            def tell(text: str) -> None:
                file.write(f"{text}\n")
                line(text)

            image = _build(client, arguments, tell, pulse, log)
        undo.callback(_remove_image, client, image)
        container = str(client.create_container(image, command=["/bin/true"], network_disabled=True)["Id"])
        undo.callback(client.remove_container, container, force=True)
        root.mkdir()
        try:
            archives.unpack_root(_watched(client.export(container), pulse), root)
        except tarfile.TarError as error:
            raise BuildError(f"{place.name} hands the toolchain over damaged: {error}", where=log) from error


def _mirror() -> str:
    try:
        return debian.mirror().uri
    except debian.NoMirrorError:
        return ""


def _build(
    client: docker.APIClient,
    arguments: dict[str, str],
    tell: Callable[[str], None],
    pulse: Callable[[], None],
    log: Path,
) -> str:
    """Build the image; its id."""
    # The machine's own network: its mirror may be one that only it reaches.
    said: Iterator[dict[str, Any]] = client.build(
        fileobj=io.BytesIO(FILE.read_bytes()),
        buildargs=arguments,
        network_mode="host",
        rm=True,
        forcerm=True,
        decode=True,
    )
    image, pending = "", ""
    lines: deque[str] = deque(maxlen=_TAIL_LINES)
    for piece in said:
        pulse()
        if "error" in piece:
            lines += str(piece["error"]).strip().splitlines()
            raise BuildError("the toolchain could not be made from builder/Dockerfile", where=log, details=tuple(lines))
        # Comes in pieces of lines, coloured, and with what a terminal would write over.
        *whole, pending = (pending + str(piece.get("stream") or piece.get("status") or "")).split("\n")
        for one in whole:
            if text := _COLOUR.sub("", one).rstrip().rpartition("\r")[2]:
                lines.append(text)
                tell(text)
        image = str((piece.get("aux") or {}).get("ID") or image)
    # Not every daemon says the image's id apart.
    return image or (lines[-1].split()[-1] if lines else "")


def _watched(chunks: Iterator[bytes], pulse: Callable[[], None]) -> Iterator[bytes]:
    for chunk in chunks:
        pulse()
        yield chunk


def _remove_image(client: docker.APIClient, image: str) -> None:
    with contextlib.suppress(docker.errors.APIError):  # others may use it by now
        client.remove_image(image)
