"""What this machine has, what it lacks for building images, and how to get it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from kimitui.build import disk
from kimitui.build.arch import ARCHES
from kimitui.errors import MachineError
from kimitui.machine.data import mke2fs
from kimitui.machine.qemu import PACKAGES
from kimitui.sizes.units import format_size

# A toolchain, the kernel's source, packed and unpacked, and some builds.
_WANTED_BYTES = 6_000_000_000
# What builds need no more where a daemon runs the steps and makes the toolchain.
_DONE_BY_DAEMONS = ("bwrap", "mmdebstrap", "sandbox", "newuidmap", "/etc/subuid", "/etc/subgid")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `fix` says what to do where it is not `good`; `optional`: builds need it not."""

    subject: str
    good: bool
    found: str
    fix: str = ""
    optional: bool = False


def examine(cache_dir: Path) -> list[Finding]:
    """Look at everything a build needs, then at what else can be had: daemons, registries, machines."""
    daemons = list(_daemons())
    here = [*_tools(), *_namespaces(), *_user_mapping()]
    if any(finding.good for finding in daemons):
        here = [replace(one, optional=True) if one.subject in _DONE_BY_DAEMONS else one for one in here]
    return [*here, *_disk(cache_dir), *daemons, *_pushing(), *_machines()]


def _tools() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", sys.version_info >= (3, 11), version, "Install Python 3.11 or later.")
    for tool, package, purpose in (
        ("bwrap", "bubblewrap", "the sandbox"),
        ("mmdebstrap", "mmdebstrap", "making the toolchain"),
        ("apt-get", "apt", "fetching sources where upstream cannot be reached"),
    ):
        path = shutil.which(tool)
        yield Finding(tool, path is not None, path or "missing", f"For {purpose}: apt-get install {package}")


def _namespaces() -> Iterator[Finding]:
    if shutil.which("bwrap") is None:
        return
    from kimitui.build.engines.sandbox import refusal

    reason = refusal()
    fix = "Allow user namespaces: sysctl -w user.max_user_namespaces=15000 (or see what your system calls it)."
    if os.geteuid() == 0:
        fix += " Without them, root builds in a plain chroot."
    yield Finding("sandbox", reason is None, reason or "works", fix)


def _user_mapping() -> Iterator[Finding]:
    """An ordinary user needs subordinate ids to make the toolchain."""
    if os.geteuid() == 0:
        return
    import pwd

    user = pwd.getpwuid(os.geteuid()).pw_name
    newuidmap = shutil.which("newuidmap")
    yield Finding("newuidmap", newuidmap is not None, newuidmap or "missing", "apt-get install uidmap")
    for file in (Path("/etc/subuid"), Path("/etc/subgid")):
        try:
            mapped = any(line.split(":")[0] in (user, str(os.geteuid())) for line in file.read_text().splitlines())
        except OSError:
            mapped = False
        kind = "subuids" if file.name == "subuid" else "subgids"
        fix = f"As root: usermod --add-{kind} 100000-165535 {user}"
        yield Finding(str(file), mapped, f"{'has' if mapped else 'lacks'} a range for {user}", fix)


def _disk(cache_dir: Path) -> Iterator[Finding]:
    refused = disk.refusal(cache_dir)
    found = f"{refused.filename}: {refused.strerror}" if refused else str(cache_dir)
    yield Finding(
        "cache", refused is None, found, "Make it a directory you can write to, or choose another (--cache-dir)."
    )
    existing = disk.nearest_existing(cache_dir)
    free = shutil.disk_usage(existing).free
    yield Finding(
        "disk space",
        free >= _WANTED_BYTES,
        f"{format_size(free)} free",
        f"A first build wants {format_size(_WANTED_BYTES)}; put the cache elsewhere with --cache-dir.",
    )


def _daemons() -> Iterator[Finding]:
    """What `--engine docker` and `kimitui load` need."""
    from kimitui.build.engines import daemon

    packages = {"docker": "docker.io", "podman": "podman"}
    for place, package in ((daemon.place(name), packages[name]) for name in daemon.NAMES):
        try:
            status = daemon.status(place)
        except MachineError as error:
            installed = shutil.which(place.name) or shutil.which(f"{place.name}d")
            fix = (error.fix or "See its own log.").splitlines()[0] if installed else f"apt-get install {package}"
            found = f"{error.what} ({error.where})" if error.where else error.what
            yield Finding(place.name, False, found, f"To build in it or load images into it: {fix}", optional=True)
        else:
            yield Finding(place.name, True, status.words, optional=True)


def _pushing() -> Iterator[Finding]:
    """What `kimitui push` needs."""
    path = shutil.which("skopeo")
    yield Finding(
        "skopeo", path is not None, path or "missing", "To push images: apt-get install skopeo", optional=True
    )


def _machines() -> Iterator[Finding]:
    """What `kimitui run` needs."""
    for arch in ARCHES.values():
        tool = f"qemu-system-{arch.qemu}"
        path = shutil.which(tool)
        fix = f"To start {arch.name} machines (kimitui run): apt-get install {PACKAGES[arch.name]}"
        yield Finding(tool, path is not None, path or "missing", fix, optional=True)
    path = mke2fs()
    fix = "To make disks for data (kimitui run --data): apt-get install e2fsprogs"
    yield Finding("mke2fs", path is not None, path or "missing", fix, optional=True)
