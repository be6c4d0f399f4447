"""How long builds and commands take, what they need, and what is built; with what other benches need for builds."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kimitui.build import sources as sourcing
from kimitui.build import toolchain as toolchains
from kimitui.build.engines.base import Job, Mount
from kimitui.build.engines.sandbox import SandboxEngine
from kimitui.build.flags import flags
from kimitui.config import Configuration
from kimitui.resources import cache_dir

Report = Callable[[str, str, str], None]

RUNS = 3


def run(*arguments: object, cwd: Path | None = None) -> tuple[float, str]:
    """How long a kimitui command takes, in seconds, and what it prints."""
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "kimitui", *map(str, arguments)], capture_output=True, text=True, check=False, cwd=cwd
    )
    seconds = time.monotonic() - start
    if done.returncode:
        sys.exit(done.stderr)
    return seconds, done.stdout


@contextmanager
def new_cache(*, toolchain: bool = True) -> Iterator[Path]:
    """A cache with the user's sources, with or without the toolchain, and nothing else."""
    with tempfile.TemporaryDirectory(prefix="kimitui-bench-", dir=cache_dir().parent) as directory:
        cache = Path(directory)
        for name in ("sources", *(("toolchain",) if toolchain else ())):
            (cache / name).symlink_to(cache_dir() / name)
        yield cache


def build(cache: Path, preset: str | Path, *arguments: object) -> tuple[float, list[dict[str, object]]]:
    """Seconds and events of a build into a directory that vanishes."""
    with tempfile.TemporaryDirectory() as out:
        seconds, printed = run(
            "build", preset, "--cache-dir", cache, "--out", out, "--offline", "--progress", "json", *arguments
        )
    return seconds, [json.loads(line) for line in printed.splitlines()]


def steps(events: list[dict[str, object]], kind: str) -> list[str]:
    return [str(event["step"]) for event in events if event["event"] == kind]


def seconds_of(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} s (of {len(values)}: {min(values):.2f}–{max(values):.2f})"


def outputs_of(cache: Path) -> dict[str, Path]:
    """The outputs of the steps in a cache that holds one build, by name."""
    return {json.loads(path.read_text())["name"]: path.parent / "output" for path in cache.glob("store/*/*/step.json")}


def in_sandbox(script: str, components: tuple[str, ...], inputs: dict[str, str]) -> float:
    """Seconds that a script of this directory takes where steps run, with these sources and files in /input."""
    made = toolchains.ensure(cache_dir(), emit=lambda _event: None)
    lock, source_cache = sourcing.load_lock(), sourcing.SourceCache(cache_dir())
    archives = {name: sourcing.fetch(lock[name], source_cache, emit=lambda _event: None).path for name in components}
    with tempfile.TemporaryDirectory(dir=cache_dir().parent) as directory:
        work = Path(directory)
        for name in ("output", "input", "scratch"):
            (work / name).mkdir()
        (work / "input/step.sh").write_text(Path(__file__).with_name(script).read_text())
        for name, text in inputs.items():
            (work / "input" / name).write_text(text)
        job = Job(
            root=made.root,
            argv=("/bin/sh", "/input/step.sh"),
            env={
                "PATH": "/usr/bin:/bin",
                "LC_ALL": "C.UTF-8",
                "HOME": "/build",
                "TRIPLE": "x86_64-linux-gnu",
                "SOURCE_DATE_EPOCH": "0",
                "JOBS": str(len(os.sched_getaffinity(0)) + 1),
            },
            mounts=(
                Mount(work / "output", "/output", writable=True),
                Mount(work / "input", "/input"),
                *(Mount(path, f"/sources/{name}") for name, path in archives.items()),
            ),
            scratch=work / "scratch" if script == "bare-kernel.sh" else None,
        )
        start = time.monotonic()
        execution = SandboxEngine().start(job)
        lines = list(execution.lines())
        if execution.wait():
            sys.exit("\n".join(lines[-30:]))
        return time.monotonic() - start


def cold(report: Report) -> None:
    """`minimal` from an empty cache, beside a bare make of the same sources and configuration."""
    ours, bare = [], []
    for _ in range(RUNS):
        with new_cache() as cache:
            ours.append(build(cache, "minimal")[0])
            bare.append(bare_make(cache))
    report("`minimal`, empty cache, toolchain present", seconds_of(ours), "≤ 75 s")
    report("the same with bare make in the same sandbox", seconds_of(bare), "")
    ratios = [mine / theirs for mine, theirs in zip(ours, bare, strict=True)]
    report("ratio, pair by pair", f"{statistics.median(ratios):.2f}", "≤ 1.05")


def bare_make(cache: Path) -> float:
    """Seconds that tests/bench/bare.sh takes with the configuration of the build that `cache` holds."""
    wanted = flags(Configuration.open("minimal"))
    words = {"LIBC": wanted.libc, "COMPILE": wanted.compile, "LINK": wanted.link}
    inputs = {
        "config": (outputs_of(cache)["busybox-config"] / "busybox.config").read_text(),
        "musl.specs": (outputs_of(cache)["musl"] / "lib/musl.specs").read_text(),
        "flags": "".join(f"{name}='{' '.join(value)}'\n" for name, value in words.items()),
    }
    return in_sandbox("bare.sh", ("linux", "musl", "busybox"), inputs)


def with_toolchain(report: Report) -> None:
    """`minimal` from an empty cache that has the sources only."""
    with new_cache(toolchain=False) as cache, tempfile.TemporaryDirectory() as out:
        seconds, _ = run("build", "minimal", "--cache-dir", cache, "--out", out, "--progress", "plain")
    report("`minimal`, empty cache, toolchain made as well", f"{seconds:.1f} s", "≤ 180 s")


def warm(report: Report) -> None:
    """What a second build costs: nothing changed, one applet changed, another architecture."""
    with new_cache() as cache, tempfile.TemporaryDirectory() as directory:
        build(cache, "minimal")
        report("nothing changed", seconds_of([build(cache, "minimal")[0] for _ in range(5)]), "≤ 1.0 s")
        times = []
        for applet in ("SEQ", "REV", "TAC"):
            preset = Path(directory) / "one.json5"
            preset.write_text(f'{{ extends: "minimal", busybox: {{ {applet}: true }} }}')
            times.append(build(cache, preset)[0])
        report("one applet changed", seconds_of(times), "≤ 8 s")
        _, events = build(cache, "minimal", "--arch", "arm64")
        report("second architecture: steps that run", ", ".join(steps(events, "started")), "its own only")
        report("second architecture: steps taken from the store", ", ".join(steps(events, "cached")), "")


def memory(report: Report) -> None:
    """The most memory that kimitui's own process takes while it builds."""
    with new_cache() as cache, tempfile.TemporaryDirectory() as out:
        script = (
            "import resource, sys; from kimitui.cli import main\n"
            "status = main(sys.argv[1:])\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
            "sys.exit(status)"
        )
        command = ["build", "minimal", "--cache-dir", cache, "--out", out, "--offline", "--progress", "plain"]
        done = subprocess.run(
            [sys.executable, "-c", script, *map(str, command)], capture_output=True, text=True, check=True
        )
    report("kimitui's own memory while building", f"{int(done.stdout.split()[-1]) * 1024 / 1e6:.0f} MB", "≤ 150 MB")


def sizes(report: Report) -> None:
    """What the images weigh."""
    for preset, bar in (("minimal", "≤ 0.9 MB"), ("standard", "≤ 2.5 MB"), ("extended", "≤ 15 MB")):
        _, events = build(cache_dir(), preset)
        artifacts = events[-1]["artifacts"]
        assert isinstance(artifacts, dict)
        rootfs, oci = artifacts["rootfs.tar"], artifacts["image.oci.tar"]
        report(f"`{preset}`: rootfs.tar, image.oci.tar", f"{rootfs:,} B, {oci:,} B", f"rootfs.tar {bar}")


def commands(report: Report) -> None:
    """How long the commands take that people wait for."""
    for arguments in (("list",), ("check", "standard"), ("diff", "minimal", "extended")):
        run(*arguments)
        times = [run(*arguments)[0] for _ in range(11)]
        report(f"`kimitui {' '.join(arguments)}`", seconds_of(times), "≤ 0.25 s")
