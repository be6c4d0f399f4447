from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kimitui.build import download as module
from kimitui.build.download import PlaceError, Reason, download
from tests.build.web import Web, serving

CONTENT = random.Random(1).randbytes(700_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_PAUSE_SECONDS", 0.0)


@pytest.fixture
def web() -> Iterator[Web]:
    with serving(a_tar=CONTENT) as web:
        yield web


def refused(url: str, part: Path, sha256: str = SHA256) -> PlaceError:
    with pytest.raises(PlaceError) as caught:
        download(url, part, sha256=sha256)
    return caught.value


def test_downloads_and_tells_progress(web: Web, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    download(web.url("a.tar"), tmp_path / "part", sha256=SHA256, progress=lambda *numbers: told.append(numbers))
    assert (tmp_path / "part").read_bytes() == CONTENT
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert told == sorted(told)


def test_resumes_what_is_there(web: Web, tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_bytes(CONTENT[:123_456])
    told: list[tuple[int, int]] = []
    download(web.url("a.tar"), part, sha256=SHA256, progress=lambda *numbers: told.append(numbers))
    assert part.read_bytes() == CONTENT
    assert web.asked == [("/a.tar", "bytes=123456-")]
    assert told[0] == (123_456, len(CONTENT))


def test_server_that_ignores_range(web: Web, tmp_path: Path) -> None:
    web.understands_range = False
    part = tmp_path / "part"
    part.write_bytes(CONTENT[:1000])
    download(web.url("a.tar"), part, sha256=SHA256)
    assert part.read_bytes() == CONTENT


def test_everything_was_there_already(web: Web, tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_bytes(CONTENT)
    download(web.url("a.tar"), part, sha256=SHA256)
    assert part.read_bytes() == CONTENT
    assert web.asked == [("/a.tar", f"bytes={len(CONTENT)}-")]


def test_more_was_there_than_the_server_has(web: Web, tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_bytes(CONTENT + b"more")
    download(web.url("a.tar"), part, sha256=SHA256)
    assert part.read_bytes() == CONTENT


def test_what_was_there_is_of_another_file(web: Web, tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_bytes(b"something else")
    download(web.url("a.tar"), part, sha256=SHA256)
    assert part.read_bytes() == CONTENT
    assert [wanted for _, wanted in web.asked] == ["bytes=14-", ""]


def test_goes_on_after_the_transfer_broke_off(web: Web, tmp_path: Path) -> None:
    web.cuts = [100_000, 50_000]
    download(web.url("a.tar"), tmp_path / "part", sha256=SHA256)
    assert [wanted for _, wanted in web.asked] == ["", "bytes=100000-", "bytes=150000-"]


def test_truncated_for_good(web: Web, tmp_path: Path) -> None:
    web.cuts = [10, 10, 10]
    part = tmp_path / "part"
    error = refused(web.url("a.tar"), part)
    assert error.reason is Reason.TRUNCATED
    assert f"of {len(CONTENT)} bytes" in str(error)
    assert part.read_bytes() == CONTENT[:30], "kept, to be continued another day"


@given(have=st.integers(0, len(CONTENT)), cuts=st.lists(st.integers(0, len(CONTENT)), max_size=2), ranges=st.booleans())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_breaks_the_file_is_whole_or_refused(tmp_path: Path, have: int, cuts: list[int], ranges: bool) -> None:
    part = tmp_path / "part"
    part.write_bytes(CONTENT[:have])
    with serving(a_tar=CONTENT) as web:
        web.cuts, web.understands_range = cuts, ranges
        download(web.url("a.tar"), part, sha256=SHA256)
    assert part.read_bytes() == CONTENT


def test_wrong_file_is_not_kept(web: Web, tmp_path: Path) -> None:
    part = tmp_path / "part"
    error = refused(web.url("a.tar"), part, sha256="0" * 64)
    assert error.reason is Reason.DIGEST
    assert SHA256 in str(error)
    assert not part.exists()


def test_vanished(web: Web, tmp_path: Path) -> None:
    error = refused(web.url("b.tar"), tmp_path / "part")
    assert error.reason is Reason.GONE
    assert "404" in str(error)
    assert len(web.asked) == 1, "a vanished file is not asked for again"


def test_busy_server_is_asked_again(web: Web, tmp_path: Path) -> None:
    web.statuses = [503, 429]
    download(web.url("a.tar"), tmp_path / "part", sha256=SHA256)
    assert len(web.asked) == 3


def test_refused(web: Web, tmp_path: Path) -> None:
    web.statuses = [403]
    assert refused(web.url("a.tar"), tmp_path / "part").reason is Reason.REFUSED


def test_nobody_listens(tmp_path: Path) -> None:
    with serving() as web:
        url = web.url("a.tar")
    error = refused(url, tmp_path / "part")
    assert error.reason is Reason.NETWORK
    assert "refused" in str(error)
    assert "object at 0x" not in str(error)


def test_unknown_host(tmp_path: Path) -> None:
    error = refused("http://kimitui.invalid/a.tar", tmp_path / "part")
    assert error.reason is Reason.NETWORK
    assert str(error) == "the host name cannot be resolved"


def test_archive_is_not_unpacked_on_the_way(web: Web, tmp_path: Path) -> None:
    # Some servers say so of every .tar.gz, and clients that believe it keep a .tar.
    web.headers = {"Content-Encoding": "gzip"}
    download(web.url("a.tar"), tmp_path / "part", sha256=SHA256)
    assert (tmp_path / "part").read_bytes() == CONTENT


def test_full_disk(web: Web, tmp_path: Path) -> None:
    (tmp_path / "part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        download(web.url("a.tar"), tmp_path / "part", sha256=SHA256)


def test_progress_may_cancel(web: Web, tmp_path: Path) -> None:
    def cancel(done_bytes: int, total_bytes: int) -> None:
        if done_bytes:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(web.url("a.tar"), tmp_path / "part", sha256=SHA256, progress=cancel)
    download(web.url("a.tar"), tmp_path / "part", sha256=SHA256)
    assert web.asked[-1][1].startswith("bytes="), "continued, not begun again"
