"""Sources: have an archive of a component in the cache, checked, wherever it can be had."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kimitui.build import apt_source, disk, lock
from kimitui.build import clock as clocks
from kimitui.build.clock import Clock
from kimitui.build.download import PlaceError, Reason, download, sha256_of
from kimitui.build.events import Emit, Message, Transfer
from kimitui.build.lock import Archive, Component, load_lock
from kimitui.build.source_cache import Checked, SourceCache
from kimitui.build.source_tree import LocalSource, override
from kimitui.errors import BuildError, KimituiError, MachineError, UsageError

__all__ = [
    "Archive",
    "Checked",
    "Component",
    "FetchedSource",
    "LocalSource",
    "SourceCache",
    "Status",
    "add",
    "fetch",
    "load_lock",
    "override",
    "status",
    "verify",
]


@dataclass(frozen=True)
class FetchedSource:
    """An archive of a component, in the cache and with the right digest."""

    archive: Archive
    path: Path


@dataclass(frozen=True)
class Status:
    """Whether an archive is cached, and how big it is (0 if it is not)."""

    archive: Archive
    cached: bool
    size_bytes: int


@dataclass(frozen=True)
class _Tried:
    place: str
    reason: Reason
    text: str


def fetch(
    component: Component,
    cache: SourceCache,
    *,
    emit: Emit,
    offline: bool = False,
    clock: Clock | None = None,
) -> FetchedSource:
    """An archive of `component`: a cached one, else from upstream, else from Debian. `emit` may raise to cancel.

    Raises `BuildError` if some place gave a wrong file and none the right one; `MachineError` if no place gave any,
    if `offline` and none is cached, or if the disk is full or refuses.
    """
    clock = clock or clocks.started_now()
    with disk.errors_explained("the source archives", cache.directory):
        if found := _cached(component, cache, emit, clock):
            return found
        if offline:
            raise _offline(component)
        tried: list[_Tried] = []
        for archive, place, get in _places(component, cache, emit, clock):
            text = f"waiting for another kimitui that fetches {archive.file_name}"
            with cache.lock(archive.sha256, waiting=partial(emit, Message(clock(), "info", text))):
                if found := _cached(component, cache, emit, clock):
                    return found
                try:
                    get()
                except PlaceError as error:
                    tried.append(_Tried(place, error.reason, str(error)))
                    if error.reason is Reason.DIGEST:
                        emit(Message(clock(), "warning", f"{place}: {error}"))
                    continue
                return FetchedSource(archive, cache.put(cache.part(archive.sha256), archive.sha256))
    raise _unobtainable(component, tried)


def add(file: Path, cache: SourceCache, components: Mapping[str, Component] | None = None) -> Archive:
    """Take `file` into the cache. Raises `UsageError` if the lock names no archive with its digest."""
    components = components or load_lock()
    if not file.is_file():
        raise UsageError("there is no such file", where=file)
    with disk.errors_explained("the source archives", cache.directory):
        digest = sha256_of(file)
        archives = [archive for component in components.values() for archive in component.archives]
        for archive in archives:
            if archive.sha256 == digest:
                with cache.lock(digest):
                    if cache.find(archive) or cache.copy(file, digest):
                        return archive
    raise UsageError(
        f"no component wants this file: its SHA-256 is {digest}",
        where=file,
        details=tuple(f"{archive.sha256}  {archive.file_name}" for archive in archives),
        fix=f"Wanted are the archives listed above. To pin another release, edit {lock.LOCK_FILE}.",
    )


def status(cache: SourceCache, components: Mapping[str, Component] | None = None) -> tuple[Status, ...]:
    """Every archive the lock names, in its order."""
    rows = []
    for component in (components or load_lock()).values():
        for archive in component.archives:
            path = cache.path(archive.sha256)
            size_bytes = path.stat().st_size if path.is_file() else 0
            rows.append(Status(archive, path.is_file(), size_bytes))
    return tuple(rows)


def verify(cache: SourceCache) -> tuple[Checked, ...]:
    """Hash everything in the cache; bad files are removed and reported as not `good`."""
    with disk.errors_explained("the source archives", cache.directory):
        return tuple(cache.check(digest) for digest in cache.digests())


def _cached(component: Component, cache: SourceCache, emit: Emit, clock: Clock) -> FetchedSource | None:
    for archive in component.archives:
        was_there = cache.path(archive.sha256).exists()
        if path := cache.find(archive):
            return FetchedSource(archive, path)
        if was_there:
            text = f"the cached {archive.file_name} was damaged and has been removed"
            emit(Message(clock(), "warning", text))
    return None


def _places(
    component: Component, cache: SourceCache, emit: Emit, clock: Clock
) -> Iterator[tuple[Archive, str, Callable[[], None]]]:
    """Where the component's archives can be had, best first: archive, place in words, and how to get it.

    Getting it makes the cache's `.part` the archive, with the right digest.
    """

    def progress(name: str, done_bytes: int, total_bytes: int) -> None:
        emit(Transfer(clock(), name, done_bytes, total_bytes))

    for archive in component.archives:
        for url in archive.urls:
            get = partial(
                download,
                url,
                cache.part(archive.sha256),
                sha256=archive.sha256,
                progress=partial(progress, archive.file_name),
            )
            yield archive, url, get
    for archive in component.archives:
        if archive.debian:
            get = partial(
                apt_source.fetch,
                archive.debian,
                archive.sha256,
                cache.part(archive.sha256),
                apt_dir=cache.cache_dir / "apt",
                progress=partial(progress, archive.file_name),
            )
            yield archive, str(archive.debian), get


def _offline(component: Component) -> MachineError:
    wanted = " or ".join(archive.file_name for archive in component.archives)
    return MachineError(
        f"{component.name} {component.version} is not cached, and --offline forbids fetching it",
        details=tuple(f"{archive.sha256}  {archive.file_name}" for archive in component.archives),
        fix=f"Run `kimitui sources fetch` with a network, or give {wanted} to `kimitui sources add FILE`.",
    )


_HEADLINES = {
    Reason.DIGEST: "what was offered as {name} {version} is not the file that the lock names",
    Reason.GONE: "{name} {version} has vanished from where it was",
    Reason.TRUNCATED: "{name} {version} did not arrive whole",
    Reason.NETWORK: "{name} {version} cannot be fetched: no place can be reached",
    Reason.REFUSED: "{name} {version} cannot be fetched",
    Reason.ABSENT: "{name} {version} cannot be fetched",
}

_FIXES = {
    Reason.DIGEST: "The wrong file was thrown away. A proxy or login page in between may have answered; if upstream"
    " really replaced the archive, find out why before you change its sha256 in {lock}.",
    Reason.GONE: "If the release was withdrawn or moved, bump the pin: `version`, `file`, `sha256`, `urls` and"
    " `debian` of {name} in {lock}.",
    Reason.TRUNCATED: "Run it again: the download goes on where it stopped.",
    Reason.NETWORK: "Check the network, and https_proxy if you are behind a proxy.",
}


def _unobtainable(component: Component, tried: Sequence[_Tried]) -> KimituiError:
    """The error after every place failed; the worst reason gives the headline, every reason its advice."""
    reasons = [reason for reason in Reason if any(one.reason is reason for one in tried)]
    words = {"name": component.name, "version": component.version, "lock": lock.LOCK_FILE}
    advice = [_FIXES[reason].format(**words) for reason in reasons if reason in _FIXES]
    names = " or ".join(archive.file_name for archive in component.archives)
    advice.append(f"Or get {names} elsewhere and give it to `kimitui sources add FILE`.")
    headline = _HEADLINES[reasons[0]] if reasons else "the lock names no place for {name} {version}"
    kind = BuildError if Reason.DIGEST in reasons else MachineError
    return kind(
        headline.format(**words),
        details=tuple(f"{one.place}: {one.text}" for one in tried),
        fix="\n".join(advice),
    )
