"""The same builds in Docker and in the sandbox: what a daemon costs."""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kimitui.build import toolchain as toolchains
from kimitui.build.engines.docker import DockerEngine
from kimitui.resources import cache_dir
from tests.bench.builds import RUNS, Report, build, new_cache, seconds_of, steps
from tests.build import daemons
from tests.build.daemons import Daemon

PRESET = "standard"


def engines(report: Report) -> None:
    """A daemon that is started for it, and takes the toolchain before anything else is measured."""
    if not shutil.which("dockerd"):
        report("Docker: dockerd is not installed", "", "")
        return
    with _started() as daemon:
        report("Docker: import of the toolchain", f"{seconds_to_import(daemon):.1f} s", "≤ 40 s")
        _compare(report)


@contextmanager
def _started() -> Iterator[Daemon]:
    with daemons.running() as daemon:
        before = dict(os.environ)
        os.environ.update(daemon.environment)
        try:
            yield daemon
        finally:
            os.environ.clear()
            os.environ.update(before)


def seconds_to_import(daemon: Daemon) -> float:
    """How long a daemon takes that does not have the toolchain yet."""
    made = toolchains.ensure(cache_dir(), emit=lambda _event: None)
    with tempfile.TemporaryDirectory() as directory:
        start = time.monotonic()
        with DockerEngine(daemon.place).opened(made.root, made.digest, Path(directory), lambda _text: None):
            return time.monotonic() - start


def _compare(report: Report) -> None:
    """Builds in the daemon and in the sandbox take turns, each with an empty cache; then what is cached."""
    cold: dict[str, list[float]] = {"docker": [], "sandbox": []}
    cached: dict[str, list[float]] = {"docker": [], "sandbox": []}
    count = 0
    for _ in range(RUNS):
        for engine in cold:
            with new_cache() as cache:
                cold[engine].append(build(cache, PRESET, "--engine", engine)[0])
                for _ in range(RUNS):
                    seconds, events = build(cache, PRESET, "--engine", engine)
                    cached[engine].append(seconds)
                count = len(steps(events, "cached"))
    ratios = [theirs / ours for theirs, ours in zip(cold["docker"], cold["sandbox"], strict=True)]
    report(f"Docker: `{PRESET}`, empty cache, toolchain present", seconds_of(cold["docker"]), "")
    report("the same in the sandbox", seconds_of(cold["sandbox"]), "")
    report("ratio, pair by pair", f"{statistics.median(ratios):.2f}", "≤ 1.10")
    further = statistics.median(cached["docker"]) - statistics.median(cached["sandbox"])
    measured = f"{1000 * further / count:.1f} ms a step ({1000 * further:.0f} ms in all)"
    report(f"Docker: nothing changed, {count} steps cached: beyond the sandbox", measured, "≤ 20 ms a step")
