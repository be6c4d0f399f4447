"""What a machine mounts when it starts: /etc/fstab, which the service `mounts` follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kimitui.services.files import File, text
from kimitui.services.model import Service

_WRITABLE = ("/home", "/root", "/var")
_NOT_ON_ROOT = ("/dev", "/proc", "/run", "/sys", "/tmp")


@dataclass(frozen=True)
class Protection:
    """What mounts forbid: devices, programs where data is, changes of the root, set-user-ID programs anywhere."""

    nodev: bool
    noexec: bool
    read_only: bool
    nosuid: bool


def fstab(protection: Protection, writable: Mapping[str, bool]) -> File:
    """The table for a machine that our initramfs has started; `writable` are the places that a read-only root has.

    Those that are true are made where they are not there.
    """
    nodev = ("nodev",) * protection.nodev
    data = ("nosuid", *nodev, *("noexec",) * protection.noexec)
    kernel = ("nosuid", "nodev", "noexec")
    lines = [
        _line("proc", "/proc", "proc", *kernel),
        _line("sysfs", "/sys", "sysfs", *kernel),
        _line("devtmpfs", "/dev", "devtmpfs", "nosuid", "noexec", "mode=0755"),
        _line("tmpfs", "/run", "tmpfs", *data, "mode=0755"),
        _line("tmpfs", "/tmp", "tmpfs", *data, "mode=1777"),
        _line("devpts", "/dev/pts", "devpts", "nosuid", "noexec", "gid=5", "mode=0620"),
        _line("tmpfs", "/dev/shm", "tmpfs", *data, "mode=1777"),
    ]
    if protection.read_only:
        for place, made in writable.items():
            lines.append(_line(place, place, "none", "bind", *data, *("x-mount.mkdir",) * made))
        # Where the initramfs keeps what was written; through the places above it is written all the same.
        lines.append(_line("none", "/run/kimigayo/data", "none", "remount", "ro", *kernel))
    root = (*("ro",) * protection.read_only, *("nosuid",) * protection.nosuid, *nodev)
    return text(*lines, *([_line("none", "/", "none", "remount", *root)] if root else []))


def writable(services: Iterable[Service], homes: Iterable[str]) -> dict[str, bool]:
    """The places that stay writable where the root file system is not, in order, and whether they are directories.

    Data, homes, and what services write to, of which nobody knows what it is.
    """
    services = tuple(services)
    directories = {*_WRITABLE, *homes, *(one.path for service in services for one in service.directories)}
    wanted = {*directories, *written(services)} - {"/"}
    apart = sorted(place for place in wanted if not any(place.startswith(f"{other}/") for other in wanted))
    return {place: place in directories for place in apart if not _is_apart(place)}


def written(services: Iterable[Service]) -> tuple[str, ...]:
    """The places on the root file system that services say they write to, but for those that may write to all of it."""
    wanted = {path for one in services for path in (*one.write, *(each.path for each in one.directories))}
    return tuple(sorted(path for path in wanted - {"/"} if not _is_apart(path)))


def _is_apart(path: str) -> bool:
    """Whether a path is on a file system of its own, not on the root's."""
    return f"{path}/".startswith(tuple(f"{other}/" for other in _NOT_ON_ROOT))


def _line(what: str, where: str, kind: str, *options: str) -> str:
    return f"{what} {where} {kind} {','.join(options)} 0 0"
