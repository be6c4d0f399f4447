"""The same bytes every time: elsewhere, in another environment, after being killed, from another cache."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from kimitui.resources import cache_dir
from tests.build.conftest import Image, kimitui

pytestmark = pytest.mark.build


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache with the toolchain and the sources, but without any step's output and without ccache."""
    path = tmp_path / "another cache"
    path.mkdir()
    for name in ("toolchain", "sources"):
        (path / name).symlink_to(cache_dir() / name)
    return path


# **Feature: kimigayo-os-core, Property 19: twice the same input, twice the same bytes**
def test_killed_and_resumed_elsewhere_it_is_the_same(minimal: Image, cache: Path, tmp_path: Path) -> None:
    workplace = tmp_path / "place with ü and space"
    workplace.mkdir()
    command = [sys.executable, "-m", "kimitui", "build", "minimal", "--cache-dir", cache, "--progress", "json"]
    environment = {**os.environ, "TZ": "Asia/Tokyo", "LC_ALL": "C", "HOME": str(tmp_path), "CFLAGS": "-O0"}
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, cwd=workplace, env=environment, umask=0o077
    ) as process:
        assert process.stdout is not None
        # In the middle of BusyBox: some objects are compiled, the program is not there.
        compiled = 0
        for line in process.stdout:
            event = json.loads(line)
            compiled += event["event"] == "logline" and event["step"] == "busybox" and "  CC  " in event["line"]
            if compiled == 20:
                break
        family = psutil.Process(process.pid).children(recursive=True)
        assert "bwrap" in [member.name() for member in family]
        process.send_signal(signal.SIGKILL)
        assert psutil.wait_procs(family, timeout=60)[1] == []
    assert not (workplace / "out").exists()

    printed = subprocess.run(
        list(map(str, command)), capture_output=True, check=True, text=True, cwd=workplace, env=environment, umask=0o077
    ).stdout
    events = [json.loads(line) for line in printed.splitlines()]
    assert {event["step"] for event in events if event["event"] == "cached"} >= {"musl", "linux-headers"}
    again = workplace / "out/minimal/x86_64"
    for name in ("rootfs.tar", "image.oci.tar", "build-info.json", "SHA256SUMS"):
        assert (again / name).read_bytes() == (minimal.directory / name).read_bytes(), name
    assert list((cache / "tmp").iterdir()) == []


def test_nothing_changed_runs_nothing(minimal: Image, tmp_path: Path) -> None:
    printed = kimitui("build", "minimal", "--offline", "--out", tmp_path, "--progress", "json")
    events = [json.loads(line)["event"] for line in printed.splitlines()]
    assert "started" not in events
    assert events.count("cached") == 7
    assert (tmp_path / "minimal/x86_64/rootfs.tar").read_bytes() == (minimal.directory / "rootfs.tar").read_bytes()


def test_source_date_epoch_is_honoured(minimal: Image, tmp_path: Path) -> None:
    kimitui("build", "minimal", "--out", tmp_path, environment={"SOURCE_DATE_EPOCH": "1000000000"})
    info = json.loads((tmp_path / "minimal/x86_64/build-info.json").read_text())
    assert info["release"]["source_date_epoch"] == 1_000_000_000
    assert (tmp_path / "minimal/x86_64/rootfs.tar").read_bytes() != (minimal.directory / "rootfs.tar").read_bytes()
