"""Results of measuring kernels, taken from one machine to another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kimitui.errors import UsageError
from kimitui.sizes.linux import record
from kimitui.sizes.linux.results import keep, take


def result(directory: Path, name: str) -> Path:
    """As a campaign leaves it, with files that nothing reads afterwards."""
    found = directory / f"{name}-0123456789ab"
    found.mkdir(parents=True)
    (found / "design.json").write_text(json.dumps({"name": name, "use": "sample", "requested": {"NET": "y"}}))
    (found / "objects.json").write_text('{"kinds": ["text", "packed"], "objects": {"init/main.o": [4000, 1900]}}')
    (found / "kernel.config").write_text("CONFIG_NET=y\n# CONFIG_SMP is not set\n")
    (found / "log").write_text("  CC      init/main.o\n" * 1000)
    return found


def test_results_are_the_same_elsewhere(tmp_path: Path) -> None:
    directories = [result(tmp_path / "here", name) for name in ("sample-SMP", "core-01-NET")]
    keep(tmp_path / "results.tar.xz", "key", directories)
    assert take(tmp_path / "results.tar.xz", "key", tmp_path / "there" / "results") == 2
    for directory in directories:
        there = tmp_path / "there" / "results" / directory.name
        assert record.read(there) == record.read(directory)
        assert not (there / "log").exists()


def test_the_order_of_measuring_makes_no_difference(tmp_path: Path) -> None:
    directories = [result(tmp_path / "here", name) for name in ("sample-SMP", "core-01-NET")]
    keep(tmp_path / "a.tar.xz", "key", directories)
    keep(tmp_path / "b.tar.xz", "key", reversed(directories))
    assert (tmp_path / "a.tar.xz").read_bytes() == (tmp_path / "b.tar.xz").read_bytes()


def test_what_was_measured_here_stays(tmp_path: Path) -> None:
    keep(tmp_path / "results.tar.xz", "key", [result(tmp_path / "here", "sample-SMP")])
    own = result(tmp_path / "there" / "results", "sample-SMP")
    (own / "vmlinuz-bytes").write_text("1\n")
    unfinished = tmp_path / "there" / "results" / "core-01-NET-0123456789ab"
    unfinished.mkdir()
    assert take(tmp_path / "results.tar.xz", "key", tmp_path / "there" / "results") == 0
    assert record.read(own).vmlinuz_bytes == 1


def test_results_of_another_toolchain_are_not_taken(tmp_path: Path) -> None:
    keep(tmp_path / "results.tar.xz", "older", [result(tmp_path / "here", "sample-SMP")])
    assert take(tmp_path / "results.tar.xz", "key", tmp_path / "there") == 0
    assert list((tmp_path / "there").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"something else", b"\xfd7zXZ\x00\x00\x04cut off"])
def test_what_is_no_archive_is_named_and_left(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "results.tar.xz"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="not an archive") as raised:
        take(path, "key", tmp_path / "results")
    assert raised.value.where == path
    assert path.read_bytes() == content
