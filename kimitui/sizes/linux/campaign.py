"""Builds the kernels that are measured, one after the other in one directory, and keeps what each one takes.

It can be interrupted at any time: every kernel's result is a directory of its own in the cache, which is there whole or
not at all, and what is there is not built again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock

from kimitui import config_upstream
from kimitui.build import workshop
from kimitui.build.engines import sandbox
from kimitui.build.engines.base import Job, Mount
from kimitui.build.engines.sandbox import SandboxEngine
from kimitui.build.events import Emit
from kimitui.build.plan import dotconfig
from kimitui.build.plan.context import builder_file
from kimitui.build.runner import Cancellation
from kimitui.build.step import canonical_json, in_order
from kimitui.build.workshop import Request
from kimitui.config import Configuration
from kimitui.errors import BuildError, MachineError
from kimitui.kconfig import linux as linux_tree
from kimitui.kconfig.types import Kconfig
from kimitui.sizes import tools
from kimitui.sizes.linux import designs, guards, kbuild, record, results
from kimitui.sizes.linux.designs import Design

_FILES = ("sizes-linux.sh", "sizes_linux.py", "sizes_elf.py", "sizes_packed.py", "linux-lib.sh")
_LOG_LINES = 30


@dataclass(frozen=True)
class Origin:
    """What sizes are measured with: all that must be the same for them to hold."""

    linux: str
    source: str
    """SHA-256 of Linux' source archive."""
    toolchain: str
    """The digest that names the toolchain's content."""
    base: str
    """SHA-256 of what every kernel has."""

    @property
    def key(self) -> str:
        """A name for the results' directory."""
        return hashlib.sha256(canonical_json(vars(self))).hexdigest()[:16]


@dataclass(frozen=True)
class Laboratory:
    """Where kernels are measured: `source` is Linux' unpacked source, `tree` its Kconfig tree.

    `tools` are the versions of what compiles and packs.
    """

    arch: str
    platform: str
    origin: Origin
    tools: Mapping[str, str]
    source: Path
    tree: Kconfig
    results: Path
    _session: Path
    _job: Job
    _cancellation: Cancellation

    def measured(self, design: Design) -> Path | None:
        """The directory of a kernel's result, if it has been measured."""
        directory = self._directory(design)
        return directory if (directory / record.FILES[0]).exists() else None

    def measure(self, design: Design) -> Path:
        """Build a kernel, unless that was done; the directory of its result. Raises BuildError, CancelledError."""
        if found := self.measured(design):
            return found
        target = self._directory(design)
        self.results.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._session) as name:
            staging = Path(name) / "result"
            staging.mkdir()
            texts = {symbol for symbol in design.requested if linux_tree.is_text(self.tree, symbol)}
            requested = {**linux_tree.base(self.arch), **design.requested}
            (staging / "requested.config").write_text(dotconfig.text(requested, texts))
            (staging / "design.json").write_text(
                json.dumps({"name": design.name, "use": design.use, "requested": dict(design.requested)}, indent=1)
            )
            (staging / "wanted").write_text("".join(f"{path}\n" for path in design.objects))
            if design.use == "modules":
                (staging / "modules-only").touch()
            if design.use == "fit":
                (staging / "take-apart").touch()
            self._build(design, staging)
            shutil.rmtree(target, ignore_errors=True)
            staging.rename(target)
        return target

    def take(self, archive: Path) -> int:
        """Take over the results of an archive; how many. Raises UsageError where it cannot be read."""
        return results.take(archive, self.results.parent.name, self.results) if archive.exists() else 0

    def keep(self, archive: Path, wanted: Iterable[Design]) -> None:
        """Write the results of all that has been measured of `wanted` into an archive."""
        found = [directory for design in wanted if (directory := self.measured(design))]
        results.keep(archive, self.results.parent.name, found)

    def _directory(self, design: Design) -> Path:
        content = canonical_json({"requested": dict(design.requested), "objects": list(design.objects)})
        return self.results / f"{design.name}-{hashlib.sha256(content).hexdigest()[:12]}"

    def _build(self, design: Design, staging: Path) -> None:
        job = replace(
            self._job,
            argv=("/bin/sh", "/input/sizes-linux.sh"),
            mounts=(*self._job.mounts, Mount(staging, "/sources/measured", writable=True)),
        )
        execution = SandboxEngine().start(job)
        with self._cancellation.watch(execution), (staging / "log").open("w", buffering=1) as log:
            tail: list[str] = []
            for line in execution.lines():
                log.write(line + "\n")
                tail = [*tail[-_LOG_LINES:], line]
            status = execution.wait()
        self._cancellation.check()
        if status:
            kept = self.results.with_name(f"{design.name}.log")
            shutil.copyfile(staging / "log", kept)
            raise BuildError(f"the kernel {design.name} cannot be built", details=tuple(tail), where=kept)


@contextmanager
def opened(arch: str, cache: Path, *, emit: Emit, scratch: Path | None = None) -> Iterator[Laboratory]:
    """A place to measure kernels of `arch` in. `scratch` is where they are built; else in the cache.

    Only one can be open for an architecture at a time. Raises MachineError without a sandbox, and what a build raises.
    """
    if refusal := sandbox.refusal():
        raise MachineError(f"This machine refuses sandboxes: {refusal}", fix="kimitui doctor says what to do.")
    config = Configuration.open("vm", arch=arch)
    cancellation = Cancellation()
    request = Request(config, cache, Path("out").absolute())
    with workshop.opened(request, emit=emit, cancellation=cancellation) as room:
        step = room.plan.linux
        assert step is not None
        (tree_step,) = (used for used in step.uses if used.name == "linux-tree")
        done = room.runner.run(in_order((tree_step,)))
        files = {name: builder_file(f"steps/{name}") for name in _FILES}
        # Of the step only what it is given: it has no output here.
        step = replace(step, uses=(tree_step,), files={**files}, verify=None)
        source = room.sources["linux"]
        origin = Origin(room.sources["linux"].version, source.digest, room.toolchain.digest, base_digest(arch))
        directory = cache / "sizes" / f"linux-{arch}-{origin.key}"
        build = (scratch or directory) / "build"
        build.mkdir(parents=True, exist_ok=True)
        with FileLock(directory / "lock" if scratch is None else scratch / "lock"):
            yield Laboratory(
                arch=arch,
                platform=room.plan.arch.linux,
                origin=origin,
                tools=tools.of(room.toolchain.packages, arch),
                source=done[tree_step.name].output / "linux",
                tree=linux_tree.upstream_tree(source.path, cache, source.digest, arch),
                results=directory / "results",
                _session=room.session,
                _job=replace(room.runner.job(step, done), scratch=build),
                _cancellation=cancellation,
            )


def linked(laboratory: Laboratory, requested: Mapping[str, str]) -> list[str]:
    """The objects that Linux links for a request, largest source first.

    A compiler spends about the same time on the headers of each, so the large ones tell most in the same time; what
    small ones take can be told from their lines the while.
    """
    tree = laboratory.tree
    config_upstream.apply_upstream(tree, requested, beneath=linux_tree.beneath(tree, laboratory.arch))

    def value_of(option: str) -> int:
        symbol = tree.syms.get(option)
        return int(symbol.tri_value) if symbol is not None and symbol.nodes else 0

    found = kbuild.conditions(laboratory.source, laboratory.platform)
    objects = (path for path, conditions in found.items() if any(kbuild.holds(one, value_of) for one in conditions))
    return sorted(objects, key=lambda path: (-guards.size_of(laboratory.source, path), path))


def run(
    laboratory: Laboratory, wanted: Iterable[Design], *, turn: Callable[[Design], bool] = lambda _design: True
) -> Iterator[tuple[Design, Path]]:
    """Measure kernels in their order; those for which `turn` says no are left out."""
    for design in wanted:
        if turn(design):
            yield design, laboratory.measure(design)


def base_digest(arch: str) -> str:
    """SHA-256, in hexadecimal, of what every kernel of an architecture has before the options."""
    content = canonical_json(linux_tree.base(arch))
    return hashlib.sha256(content).hexdigest()


__all__ = ["Design", "Laboratory", "Origin", "designs", "opened", "run"]
