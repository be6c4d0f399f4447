"""Which Debian mirror this machine uses, according to its own apt configuration.

No mirror's name stands in this repository, and nobody has to configure one twice.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

# Newer releases of debian-archive-keyring name the file .pgp.
_KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
)

_FIELDS = ("REPO_URI", "RELEASE", "COMPONENT", "ORIGIN", "SIGNED_BY")


class NoMirrorError(Exception):
    """This machine has no apt-get, or no Debian mirror in its configuration; the text says which."""


@dataclass(frozen=True)
class Mirror:
    """A Debian archive as apt is configured for it; `signed_by` is Debian's keyring, if it is installed."""

    uri: str
    signed_by: Path | None

    def source_line(self, kind: str, suite: str) -> str:
        """A line for sources.list; `kind` is `deb` or `deb-src`."""
        options = f"[signed-by={self.signed_by}] " if self.signed_by else ""
        return f"{kind} {options}{self.uri} {suite} main"


def mirror() -> Mirror:
    """The Debian mirror of this machine's apt configuration: its first that is not the security archive.

    Raises `NoMirrorError` if there is none.
    """
    if not shutil.which("apt-get"):
        raise NoMirrorError("apt-get is not installed")
    keyring = next((path for path in _KEYRINGS if path.exists()), None)
    uri = next((target["REPO_URI"] for target in _index_targets() if _is_debian(target)), None)
    if uri is None:
        raise NoMirrorError("this machine's apt configuration has no Debian mirror")
    return Mirror(uri=uri, signed_by=keyring)


def proxy_settings() -> tuple[str, ...]:
    """The machine's apt settings about proxies, as lines of apt.conf; none if there is no apt."""
    if not shutil.which("apt-config"):
        return ()
    dump = subprocess.run(
        ["apt-config", "dump"],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )
    setting = re.compile(r'Acquire::https?::.*proxy.* ".+";', re.IGNORECASE)
    return tuple(line for line in dump.stdout.splitlines() if setting.fullmatch(line))


def _index_targets() -> Iterator[dict[str, str]]:
    """What apt knows of each index it would fetch; a field that apt does not know is empty.

    Asked twice: apt tells a repository's origin only after an update, and leaves out what was never updated (as
    in a container whose package lists were deleted).
    """
    for options in ((), ("--no-release-info",)):
        listing = subprocess.run(
            [
                "apt-get",
                "indextargets",
                *options,
                "--format",
                "|".join(f"$({field})" for field in _FIELDS),
            ],
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
        for line in listing.stdout.splitlines():
            values = line.split("|")
            if len(values) == len(_FIELDS):
                yield {
                    field: "" if value == f"$({field})" else value for field, value in zip(_FIELDS, values, strict=True)
                }


def _is_debian(target: dict[str, str]) -> bool:
    path = urlsplit(target["REPO_URI"]).path.rstrip("/")
    if target["RELEASE"].endswith("-security") or path.endswith("-security"):
        return False
    if target["ORIGIN"]:
        return target["ORIGIN"] == "Debian"
    # Never updated: other vendors also end their addresses in /debian, but name their components otherwise.
    return target["COMPONENT"] == "main" and path.rpartition("/")[2] in ("debian", "debian.list")


def environment() -> dict[str, str]:
    """The caller's environment (proxies stay in force) with messages in English."""
    return {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
