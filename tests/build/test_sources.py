from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from kimitui.build import download, sources
from kimitui.build.events import Event, Message, Transfer
from kimitui.build.lock import Archive, Component, DebianSource
from kimitui.build.sources import SourceCache
from kimitui.errors import BuildError, KimituiError, MachineError, UsageError
from tests.build.web import Web, serving

CONTENT = b"an archive" * 50_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
OTHER = b"the same release, packed by somebody else"
OTHER_SHA256 = hashlib.sha256(OTHER).hexdigest()


def component(*urls: str, debian: DebianSource | None = None) -> Component:
    archive = Archive("thing", "1.0", "thing-1.0.tar", SHA256, urls, debian)
    return Component("thing", "1.0", "MIT", "A thing", (archive,))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "RETRY_PAUSE_SECONDS", 0.0)


@pytest.fixture
def web() -> Iterator[Web]:
    with serving(thing_tar=CONTENT, other_tar=OTHER) as web:
        yield web


@pytest.fixture
def cache(tmp_path: Path) -> SourceCache:
    return SourceCache(tmp_path / "cache")


@pytest.fixture
def events() -> list[Event]:
    return []


def refused(wanted: Component, cache: SourceCache, *, offline: bool = False) -> KimituiError:
    with pytest.raises(KimituiError) as caught:
        sources.fetch(wanted, cache, emit=lambda event: None, offline=offline)
    return caught.value


@contextmanager
def without_root() -> Iterator[None]:
    """As the user nobody if these tests run as root, to whom no mode is a hindrance."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


# Fetching


def test_fetches_and_keeps(web: Web, cache: SourceCache, events: list[Event]) -> None:
    fetched = sources.fetch(component(web.url("thing.tar")), cache, emit=events.append)
    assert fetched.path == cache.path(SHA256)
    assert fetched.path.read_bytes() == CONTENT
    assert fetched.path.stat().st_mode & 0o777 == 0o444
    transfers = [event for event in events if isinstance(event, Transfer)]
    assert (transfers[-1].name, transfers[-1].done_bytes) == ("thing-1.0.tar", len(CONTENT))
    assert not cache.part(SHA256).exists()


def test_a_cached_archive_needs_no_network(web: Web, cache: SourceCache) -> None:
    wanted = component(web.url("thing.tar"))
    first = sources.fetch(wanted, cache, emit=lambda event: None)
    assert sources.fetch(wanted, cache, emit=lambda event: None, offline=True) == first
    assert len(web.asked) == 1


def test_any_cached_archive_of_the_component_will_do(web: Web, cache: SourceCache) -> None:
    only = component(web.url("nowhere.tar"))
    other = Archive("thing", "1.0", "other.tar", OTHER_SHA256, (web.url("other.tar"),), None)
    wanted = replace(only, archives=(*only.archives, other))
    assert sources.fetch(wanted, cache, emit=lambda event: None).archive is other
    web.asked.clear()
    assert sources.fetch(wanted, cache, emit=lambda event: None).archive is other
    assert web.asked == []


def test_the_next_place_is_tried(web: Web, cache: SourceCache, events: list[Event]) -> None:
    wanted = component(web.url("nowhere.tar"), web.url("other.tar"), web.url("thing.tar"))
    assert sources.fetch(wanted, cache, emit=events.append).path.read_bytes() == CONTENT
    warnings = [event for event in events if isinstance(event, Message) and event.level == "warning"]
    assert len(warnings) == 1
    assert "wrong file" in warnings[0].text


def test_a_damaged_file_in_the_cache_is_fetched_again(web: Web, cache: SourceCache, events: list[Event]) -> None:
    wanted = component(web.url("thing.tar"))
    path = sources.fetch(wanted, cache, emit=events.append).path
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    assert sources.fetch(wanted, cache, emit=events.append).path.read_bytes() == CONTENT
    assert any(isinstance(event, Message) and "damaged" in event.text for event in events)


def test_a_touched_file_in_the_cache_is_still_good(web: Web, cache: SourceCache) -> None:
    wanted = component(web.url("thing.tar"))
    path = sources.fetch(wanted, cache, emit=lambda event: None).path
    os.utime(path, (0, 0))
    assert cache.find(wanted.archives[0]) == path
    assert len(web.asked) == 1


# What can go wrong: each its own error, every place named


def test_wrong_digest(web: Web, cache: SourceCache) -> None:
    error = refused(component(web.url("other.tar"), web.url("nowhere.tar")), cache)
    assert isinstance(error, BuildError)
    assert error.exit_code == 1
    assert "is not the file that the lock names" in error.what
    assert OTHER_SHA256 in str(error)
    assert web.url("other.tar") in str(error)
    assert web.url("nowhere.tar") in str(error)
    assert [path.suffix for path in cache.directory.iterdir()] == [".lock"], "a bad file is never kept"


def test_vanished_archive(web: Web, cache: SourceCache) -> None:
    error = refused(component(web.url("nowhere.tar"), web.url("neither.tar")), cache)
    assert isinstance(error, MachineError)
    assert "has vanished" in error.what
    assert web.url("nowhere.tar") in str(error)
    assert web.url("neither.tar") in str(error)
    assert "sources.json5" in str(error), "how to bump the pin"


def test_truncated_file(web: Web, cache: SourceCache) -> None:
    web.cuts = [10, 10, 10]
    error = refused(component(web.url("thing.tar")), cache)
    assert isinstance(error, MachineError)
    assert "did not arrive whole" in error.what
    assert not cache.path(SHA256).exists()


def test_no_network(cache: SourceCache) -> None:
    error = refused(component("http://kimitui.invalid/thing.tar"), cache)
    assert isinstance(error, MachineError)
    assert "no place can be reached" in error.what
    assert "http://kimitui.invalid/thing.tar" in str(error)


def test_offline_and_not_cached(web: Web, cache: SourceCache) -> None:
    error = refused(component(web.url("thing.tar")), cache, offline=True)
    assert isinstance(error, MachineError)
    assert "--offline" in error.what
    assert SHA256 in str(error)
    assert web.asked == []


def test_no_place_at_all(cache: SourceCache) -> None:
    assert "names no place" in refused(component(), cache).what


def test_full_disk(web: Web, cache: SourceCache) -> None:
    cache.directory.mkdir(parents=True)
    cache.part(SHA256).symlink_to("/dev/full")
    error = refused(component(web.url("thing.tar")), cache)
    assert isinstance(error, MachineError)
    assert "the disk is full" in error.what


def test_no_permission(web: Web, cache: SourceCache) -> None:
    cache.cache_dir.mkdir()
    cache.cache_dir.chmod(0o555)
    with without_root():
        error = refused(component(web.url("thing.tar")), cache)
    assert isinstance(error, MachineError)
    assert "no permission" in error.what
    assert str(cache.cache_dir) in str(error)


def test_the_cache_is_a_file(web: Web, cache: SourceCache) -> None:
    cache.cache_dir.touch()
    assert isinstance(refused(component(web.url("thing.tar")), cache), MachineError)


def test_a_machine_without_apt(cache: SourceCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    error = refused(component(debian=DebianSource("musl", "1.2.6-2", "sid")), cache)
    assert isinstance(error, MachineError)
    assert "Debian source package musl=1.2.6-2 (sid): apt-get is not installed" in str(error)


def test_a_machine_without_debian_mirror(cache: SourceCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conf = tmp_path / "apt.conf"
    conf.write_text('Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "-";\n')
    monkeypatch.setenv("APT_CONFIG", str(conf))
    error = refused(component(debian=DebianSource("musl", "1.2.6-2", "sid")), cache)
    assert "apt configuration has no Debian mirror" in str(error)


# Several processes

CHILD = """
import sys
from pathlib import Path
from kimitui.build import sources
from kimitui.build.lock import Archive, Component
from kimitui.build.events import Message, Transfer

def emit(event):
    if isinstance(event, Message):
        print(event.text, flush=True)
    elif event.done_bytes:
        print("received", flush=True)

archive = Archive("thing", "1.0", "thing-1.0.tar", sys.argv[2], (sys.argv[1],), None)
thing = Component("thing", "1.0", "MIT", "A thing", (archive,))
print(sources.fetch(thing, sources.SourceCache(Path(sys.argv[3])), emit=emit).path, flush=True)
"""


def child(web: Web, cache: SourceCache) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, web.url("thing.tar"), SHA256, str(cache.cache_dir)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def assert_set(event: threading.Event) -> None:
    assert event.wait(60)


def test_two_processes_share_one_download(web: Web, cache: SourceCache) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        asked.set()
        go_on.wait(60)

    web.before_body = hold
    with child(web, cache) as first:
        assert asked.wait(60)
        with child(web, cache) as second:
            assert second.stdout and "waiting for another kimitui" in second.stdout.readline()
            go_on.set()
            assert second.stdout.read().split() == [str(cache.path(SHA256))]
    assert (first.returncode, second.returncode) == (0, 0)
    assert len(web.asked) == 1


def test_killed_in_the_middle_goes_on_where_it_was(web: Web, cache: SourceCache) -> None:
    killed = threading.Event()
    web.cuts = [300_000]
    web.after_cut = lambda: assert_set(killed)
    with child(web, cache) as process:
        assert process.stdout and process.stdout.readline() == "received\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed.set()
    fetched = sources.fetch(component(web.url("thing.tar")), cache, emit=lambda event: None)
    assert fetched.path.read_bytes() == CONTENT
    assert web.asked[-1][1].startswith("bytes=")


# Adding, listing, verifying


def lock_of(wanted: Component) -> dict[str, Component]:
    return {wanted.name: wanted}


def test_add(cache: SourceCache, tmp_path: Path) -> None:
    file = tmp_path / "downloaded-by-hand"
    file.write_bytes(CONTENT)
    wanted = component()
    assert sources.add(file, cache, lock_of(wanted)) == wanted.archives[0]
    assert sources.add(file, cache, lock_of(wanted)) == wanted.archives[0], "twice is as good as once"
    assert sources.fetch(wanted, cache, emit=lambda event: None, offline=True).path.read_bytes() == CONTENT
    assert file.read_bytes() == CONTENT


def test_add_what_nobody_wants(cache: SourceCache, tmp_path: Path) -> None:
    file = tmp_path / "other.tar"
    file.write_bytes(OTHER)
    with pytest.raises(UsageError) as caught:
        sources.add(file, cache, lock_of(component()))
    assert OTHER_SHA256 in str(caught.value)
    assert f"{SHA256}  thing-1.0.tar" in str(caught.value)
    assert not cache.path(OTHER_SHA256).exists()


def test_add_a_missing_file(cache: SourceCache, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        sources.add(tmp_path / "nowhere", cache, lock_of(component()))


def test_status(web: Web, cache: SourceCache) -> None:
    wanted = component(web.url("thing.tar"))
    assert [(row.cached, row.size_bytes) for row in sources.status(cache, lock_of(wanted))] == [(False, 0)]
    sources.fetch(wanted, cache, emit=lambda event: None)
    assert [(row.cached, row.size_bytes) for row in sources.status(cache, lock_of(wanted))] == [(True, len(CONTENT))]


def test_verify_finds_what_the_stamp_hides(web: Web, cache: SourceCache) -> None:
    wanted = component(web.url("thing.tar"))
    path = sources.fetch(wanted, cache, emit=lambda event: None).path
    assert [(checked.path, checked.good) for checked in sources.verify(cache)] == [(path, True)]
    times = path.stat()
    path.chmod(0o644)
    path.write_bytes(CONTENT[:-1] + b"!")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    (checked,) = sources.verify(cache)
    assert not checked.good
    assert checked.actual_sha256 == hashlib.sha256(CONTENT[:-1] + b"!").hexdigest()
    assert not path.exists()
    assert sources.verify(cache) == ()


def test_verify_an_empty_cache(cache: SourceCache) -> None:
    assert sources.verify(cache) == ()


# The real Debian


def system_lists() -> list[tuple[str, int]]:
    return sorted((path.name, path.stat().st_mtime_ns) for path in Path("/var/lib/apt/lists").iterdir())


MUSL = "d585fd3b613c66151fc3249e8ed44f77020cb5e6c1e635a616d3f9f82460512a"


@pytest.mark.build
@pytest.mark.parametrize("version", ["1.2.6-2", "1.2.6-0"])  # the second was never in Debian
def test_from_debian(cache: SourceCache, version: str) -> None:
    before = system_lists()
    archive = Archive("musl", "1.2.6", "musl-1.2.6.tar.gz", MUSL, (), DebianSource("musl", version, "sid"))
    events: list[Event] = []
    fetched = sources.fetch(
        Component("musl", "1.2.6", "MIT", "musl", (archive,)),
        cache,
        emit=events.append,
    )
    assert hashlib.sha256(fetched.path.read_bytes()).hexdigest() == MUSL
    assert isinstance(events[-1], Transfer)
    assert events[-1].total_bytes == fetched.path.stat().st_size
    assert system_lists() == before, "the machine's own package lists are not touched"
    assert not list(cache.directory.glob("*.apt"))


@pytest.mark.build
def test_gone_from_debian(cache: SourceCache) -> None:
    error = refused(component(debian=DebianSource("kimitui-never-was", "1.0-1", "sid")), cache)
    assert isinstance(error, MachineError)
    assert "has vanished" in error.what
    assert "Debian source package kimitui-never-was=1.0-1 (sid)" in str(error)


@pytest.mark.build
def test_debian_has_another_archive_now(cache: SourceCache) -> None:
    error = refused(component(debian=DebianSource("musl", "1.2.5-1", "sid")), cache)
    assert "has vanished" in error.what
    assert "another archive" in str(error)
