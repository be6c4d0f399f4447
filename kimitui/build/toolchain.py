"""The toolchain: a Debian root file system, made with mmdebstrap, in which everything is compiled.

It belongs wholly to the user who makes it and is mounted read-only at / of every step, so it has no device nodes, no
set-user-ID programs and nothing of the host (name server, host name, mirror).
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from kimitui.build import clock as clocks
from kimitui.build import definition, disk, mmdebstrap
from kimitui.build.clock import Clock
from kimitui.build.events import Emit, LogLine, Message
from kimitui.build.locks import held
from kimitui.errors import MachineError
from kimitui.resources import BUILDER_DIR

DEFINITION_FILE = BUILDER_DIR / "toolchain.json5"


@dataclass(frozen=True)
class Definition:
    """What the toolchain is made of; `exclude` are dpkg's `path-exclude` patterns."""

    suite: str
    packages: tuple[str, ...]
    exclude: tuple[str, ...]
    mount_points: tuple[str, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the definition, in hexadecimal."""
        return _digest_of(asdict(self))


@dataclass(frozen=True)
class Toolchain:
    """A toolchain that is ready for use.

    `digest` identifies what is in it (definition and installed versions) and goes into every step's key;
    `definition_digest` is its name in the cache; `packages` maps Debian package names to installed versions.
    """

    root: Path
    digest: str
    definition_digest: str
    packages: Mapping[str, str]


def load_definition(path: Path = DEFINITION_FILE) -> Definition:
    """Read the definition. Raises `UsageError` if it is malformed."""
    fields = definition.Fields(
        definition.read(path),
        path,
        path.name,
        known=frozenset({"suite", "packages", "exclude", "mount_points"}),
    )
    return Definition(
        suite=fields.text("suite"),
        packages=tuple(sorted(fields.texts("packages"))),
        exclude=tuple(sorted(fields.texts("exclude"))),
        mount_points=tuple(sorted(fields.texts("mount_points"))),
    )


def find(cache_dir: Path, wanted: Definition) -> Toolchain | None:
    """The toolchain made from this definition, if it is in the cache."""
    directory = cache_dir / "toolchain" / wanted.digest
    try:
        packages: dict[str, str] = json.loads((directory / "packages.json").read_text())
    except FileNotFoundError:
        return None
    return _toolchain(directory, wanted, packages)


def ensure(
    cache_dir: Path,
    *,
    emit: Emit,
    offline: bool = False,
    wanted: Definition | None = None,
    clock: Clock | None = None,
    pulse: Callable[[], None] = lambda: None,
) -> Toolchain:
    """The toolchain, from the cache or newly made; `emit` and `pulse`, called again and again, may raise to cancel.

    Making it takes about a minute and the network. It is made beside its place and renamed into it, so it is there
    whole or not at all; when two processes want it, the second waits and uses the first one's.

    Raises `MachineError` if the machine lacks something, `BuildError` if mmdebstrap fails for another reason.
    """
    wanted = wanted or load_definition()
    clock = clock or clocks.started_now()
    parent = cache_dir / "toolchain"

    def tell_waiting() -> None:
        emit(Message(clock(), "info", "waiting for another kimitui that is making the toolchain"))

    with disk.errors_explained("the toolchain", parent):
        if found := find(cache_dir, wanted):
            return found
        if offline:
            raise MachineError(
                "the toolchain has not been made yet, and --offline forbids the network",
                where=parent,
                fix="Run the command once without --offline.",
            )
        with held(parent / f"{wanted.digest}.lock", waiting=tell_waiting):
            # Another process may have made it while this one waited.
            found = find(cache_dir, wanted)
            if not found:
                _remove_leftovers(parent, wanted)
                found = _make(cache_dir, wanted, emit, clock, pulse)
            return found


def _make(cache_dir: Path, wanted: Definition, emit: Emit, clock: Clock, pulse: Callable[[], None]) -> Toolchain:
    parent = cache_dir / "toolchain"
    emit(Message(clock(), "info", f"making the toolchain (Debian {wanted.suite}); this is needed once"))
    directory = Path(tempfile.mkdtemp(prefix=f"{wanted.digest}.tmp-", dir=parent))
    try:
        root = directory / "root"
        mmdebstrap.make_root(
            root,
            suite=wanted.suite,
            packages=wanted.packages,
            exclude=wanted.exclude,
            scratch_link=directory / "scratch",
            log=cache_dir / "logs" / "toolchain.log",
            line=lambda text: emit(LogLine(clock(), "toolchain", text)),
            pulse=pulse,
        )
        for name in wanted.mount_points:
            (root / name).mkdir(exist_ok=True)
            (root / name).chmod(0o755)
        packages = mmdebstrap.installed(root)
        (directory / "packages.json").write_text(json.dumps(packages, indent=1, sort_keys=True) + "\n")
        directory.chmod(0o755)
        directory.rename(parent / wanted.digest)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    return _toolchain(parent / wanted.digest, wanted, packages)


def _toolchain(directory: Path, wanted: Definition, packages: Mapping[str, str]) -> Toolchain:
    return Toolchain(
        root=directory / "root",
        digest=_digest_of({"definition": asdict(wanted), "packages": packages}),
        definition_digest=wanted.digest,
        packages=packages,
    )


def _remove_leftovers(parent: Path, wanted: Definition) -> None:
    """Take away what a killed run left. To be called with the lock held."""
    for directory in parent.glob(f"{wanted.digest}.tmp-*"):
        mmdebstrap.remove_scratch(directory / "scratch")
        shutil.rmtree(directory, ignore_errors=True)


def _digest_of(data: object) -> str:
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
