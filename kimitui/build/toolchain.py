"""The toolchain: a Debian root file system, made with mmdebstrap, in which everything is compiled.

It belongs wholly to the user who makes it and is mounted read-only at / of every step, so it has no device nodes, no
set-user-ID programs and nothing of the host (name server, host name, mirror).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from kimitui.build import clock as clocks
from kimitui.build import definition, disk, mmdebstrap
from kimitui.build.clock import Clock
from kimitui.build.events import Emit, LogLine, Message
from kimitui.build.locks import held
from kimitui.errors import MachineError
from kimitui.resources import BUILDER_DIR

if TYPE_CHECKING:
    from kimitui.build.engines.daemon import Place

MadeBy = Literal["mmdebstrap", "Dockerfile"]

_MADE_BY = "made-by"

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
    `definition_digest` is its name in the cache; `packages` maps Debian package names to installed versions; `made_by`
    is how it was made.
    """

    root: Path
    digest: str
    definition_digest: str
    packages: Mapping[str, str]
    made_by: MadeBy = "mmdebstrap"


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
    daemon: Place | None = None,
) -> Toolchain:
    """The toolchain, from the cache or newly made; `emit` and `pulse`, called again and again, may raise to cancel.

    Making it takes about a minute and the network. It is made beside its place and renamed into it, so it is there
    whole or not at all; when two processes want it, the second waits and uses the first one's. Where mmdebstrap cannot
    run on this machine, `daemon` makes it from `builder/Dockerfile`.

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
                found = _make(cache_dir, wanted, emit, clock, pulse, daemon)
            return found


def _make(
    cache_dir: Path,
    wanted: Definition,
    emit: Emit,
    clock: Clock,
    pulse: Callable[[], None],
    daemon: Place | None,
) -> Toolchain:
    parent = cache_dir / "toolchain"
    refused = _refusal() if daemon else None
    made_by: MadeBy = "Dockerfile" if daemon and refused else "mmdebstrap"
    how = f" from builder/Dockerfile in {daemon.name}, because {refused}" if daemon and refused else ""
    emit(Message(clock(), "info", f"making the toolchain (Debian {wanted.suite}){how}; this is needed once"))
    directory = Path(tempfile.mkdtemp(prefix=f"{wanted.digest}.tmp-", dir=parent))
    try:
        root = directory / "root"
        words: dict[str, Any] = {
            "suite": wanted.suite,
            "packages": wanted.packages,
            "exclude": wanted.exclude,
            "log": cache_dir / "logs" / "toolchain.log",
            "line": lambda text: emit(LogLine(clock(), "toolchain", text)),
            "pulse": pulse,
        }
        if daemon and made_by == "Dockerfile":
            from kimitui.build.engines import dockerfile

            dockerfile.make_root(daemon, root, **words)
            mmdebstrap.tidy(root)
        else:
            mmdebstrap.make_root(root, scratch_link=directory / "scratch", **words)
        for name in wanted.mount_points:
            (root / name).mkdir(exist_ok=True)
            (root / name).chmod(0o755)
        packages = mmdebstrap.installed(root)
        (directory / "packages.json").write_text(json.dumps(packages, indent=1, sort_keys=True) + "\n")
        (directory / _MADE_BY).write_text(f"{made_by}\n")
        directory.chmod(0o755)
        directory.rename(parent / wanted.digest)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    return _toolchain(parent / wanted.digest, wanted, packages)


def _toolchain(directory: Path, wanted: Definition, packages: Mapping[str, str]) -> Toolchain:
    made_by: MadeBy = "mmdebstrap"
    with contextlib.suppress(FileNotFoundError):  # there was a time when nothing else made it
        if (directory / _MADE_BY).read_text().strip() == "Dockerfile":
            made_by = "Dockerfile"
    # The same packages in another base are not the same files, so nobody's outputs are taken for the other's.
    apart = {} if made_by == "mmdebstrap" else {"made_by": made_by}
    return Toolchain(
        root=directory / "root",
        digest=_digest_of({"definition": asdict(wanted), "packages": packages, **apart}),
        definition_digest=wanted.digest,
        packages=packages,
        made_by=made_by,
    )


def _refusal() -> str | None:
    """Why mmdebstrap cannot run on this machine."""
    try:
        mmdebstrap.check_tools()
    except MachineError as error:
        return error.what
    return None


def _remove_leftovers(parent: Path, wanted: Definition) -> None:
    """Take away what a killed run left. To be called with the lock held."""
    for directory in parent.glob(f"{wanted.digest}.tmp-*"):
        mmdebstrap.remove_scratch(directory / "scratch")
        shutil.rmtree(directory, ignore_errors=True)


def _digest_of(data: object) -> str:
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
