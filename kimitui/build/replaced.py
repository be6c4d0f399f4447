"""What takes the place of what in the root file system, for whoever wonders which program it is that runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

_PATH = ("bin", "sbin", "usr/bin", "usr/sbin")


def messages(links: str, packages: Mapping[str, frozenset[str]], files: Iterable[str]) -> Iterator[str]:
    """A line for each package and each file that something else gives way to; `rootfs.sh` does what is said here.

    `links` is BusyBox's list of applets, one absolute path in a line; `packages` are the paths that each package brings
    and `files` those of the user's own, without a slash at the start.
    """
    applets = {line.removeprefix("/") for line in links.splitlines()}
    for package, paths in packages.items():
        programs = {PurePosixPath(path).name for path in paths if str(PurePosixPath(path).parent) in _PATH}
        given_way = {applet for applet in applets if PurePosixPath(applet).name in programs}
        if given_way:
            names = ", ".join(sorted(PurePosixPath(applet).name for applet in given_way))
            yield f"packages: {package} takes the place of BusyBox's {names}"
        applets -= given_way
    owners = {path: package for package, paths in packages.items() for path in paths}
    owners |= dict.fromkeys(applets | {"bin/busybox"}, "BusyBox")
    for path in sorted(owners.keys() & set(files)):
        yield f"image.files: /{path} takes the place of that of {owners[path]}"


def tree(root: Path) -> frozenset[str]:
    """The paths of all files and links below `root`."""
    found = (path for path in root.rglob("*") if path.is_symlink() or not path.is_dir())
    return frozenset(str(path.relative_to(root)) for path in found)
