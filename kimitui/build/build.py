"""One build from a configuration to the artifacts: the room in which sources, toolchain, steps and engine meet."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from kimitui import config_texts
from kimitui.build import clock as clocks
from kimitui.build import contents, overlay, preflight
from kimitui.build import plan as planning
from kimitui.build import release as releases
from kimitui.build import sources as sourcing
from kimitui.build import toolchain as toolchains
from kimitui.build.artifacts import build_info, directory, oci
from kimitui.build.artifacts.made import Made
from kimitui.build.clock import Clock
from kimitui.build.engines import choose
from kimitui.build.events import Done, Emit, Event, Message, Planned
from kimitui.build.plan import Source
from kimitui.build.runner import Cancellation, Root, Runner
from kimitui.build.source_tree import LocalSource
from kimitui.build.step import StepSource
from kimitui.build.store import Store
from kimitui.build.toolchain import Toolchain
from kimitui.config import Configuration
from kimitui.errors import BuildError, CancelledError
from kimitui.sizes.units import format_size

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """What to build and where. `overrides` maps components to directories or archives that stand in for them."""

    config: Configuration
    cache_dir: Path
    out_dir: Path
    overrides: Mapping[str, Path] = field(default_factory=dict)
    offline: bool = False
    strict: bool = False


@dataclass(frozen=True)
class Result:
    """`artifacts` maps file name to size in bytes; `budget_bytes` is None without a budget."""

    directory: Path
    reference: str
    artifacts: Mapping[str, int]
    rootfs_bytes: int
    budget_bytes: int | None


def build(request: Request, *, emit: Emit, cancellation: Cancellation | None = None) -> Result:
    """Build a configuration.

    Events go to `emit`, from several threads but one at a time. Raises BuildError, MachineError,
    CancelledError; the artifacts of an earlier build are then as they were.
    """
    cancellation = cancellation or Cancellation()
    clock = clocks.started_now()
    emit = _one_at_a_time(emit)
    config = request.config
    release = releases.load()
    target = request.out_dir / config.name / config.choice("IMAGE_ARCH")
    preflight.check_output(target)
    contents.check(config)
    for item in config.overridden:
        emit(Message(clock(), "info", item.describe()))
    local = {name: sourcing.override(name, path) for name, path in request.overrides.items()}
    engine = choose()
    if warning := engine.warning():
        emit(Message(clock(), "warning", warning))
    store = Store(request.cache_dir)
    with store.session() as session:
        sources, toolchain = _prepare(request, local, emit, clock, cancellation)
        busybox = sources["busybox"]
        preflight.check_upstream(config, StepSource(busybox.path, busybox.digest), request.cache_dir)
        plan = planning.plan(
            config,
            sources=sources,
            release=release,
            toolchain_digest=toolchain.digest,
            trees=request.cache_dir,
        )
        graph = {step.name: tuple(used.name for used in step.uses) for step in plan.steps}
        emit(Planned(clock(), config.name, plan.arch.name, graph, store.durations(plan.arch.name)))
        runner = Runner(
            store=store,
            engine=engine,
            root=Root(toolchain.root, toolchain.digest),
            session=session,
            emit=emit,
            clock=clock,
            cancellation=cancellation,
        )
        entries = runner.run(plan.steps)
        for message in _shadowed(config, entries[plan.busybox.name].output):
            emit(Message(clock(), "info", message))
        made = Made(config, plan, entries, release, toolchain, sources)
        rootfs_bytes = made.rootfs.stat().st_size
        budget_bytes = _check_budget(
            config, rootfs_bytes, request.strict, lambda text: emit(Message(clock(), "warning", text))
        )
        with directory.staged(target) as staging:
            _write_artifacts(staging, made)
            artifacts = {path.name: path.stat().st_size for path in sorted(staging.iterdir())}
    emit(Done(clock(), target, artifacts))
    return Result(target, made.reference, artifacts, rootfs_bytes, budget_bytes)


def _one_at_a_time(emit: Emit) -> Emit:
    lock = threading.Lock()

    def locked(event: Event) -> None:
        with lock:
            emit(event)

    return locked


def _prepare(
    request: Request,
    local: Mapping[str, LocalSource],
    emit: Emit,
    clock: Clock,
    cancellation: Cancellation,
) -> tuple[dict[str, Source], Toolchain]:
    """Fetch the sources while the toolchain is made: the one waits for the network, the other for the processor."""

    def cancellable(event: Event) -> None:
        cancellation.check()
        emit(event)

    def task(work: Callable[[], T]) -> T:
        try:
            return work()
        except BaseException:
            cancellation.cancel()
            raise

    with ThreadPoolExecutor(max_workers=2) as pool:
        toolchain = pool.submit(
            task,
            lambda: toolchains.ensure(
                request.cache_dir,
                emit=cancellable,
                offline=request.offline,
                clock=clock,
                pulse=cancellation.check,
            ),
        )
        sources = pool.submit(task, lambda: _sources(request, local, cancellable, clock))
    # The one that was cancelled because the other failed has nothing to say.
    for error in (toolchain.exception(), sources.exception()):
        if error is not None and not isinstance(error, CancelledError):
            raise error
    return sources.result(), toolchain.result()


def _sources(request: Request, local: Mapping[str, LocalSource], emit: Emit, clock: Clock) -> dict[str, Source]:
    lock = sourcing.load_lock()
    cache = sourcing.SourceCache(request.cache_dir)
    result: dict[str, Source] = {}
    for name in planning.components(request.config):
        version = lock[name].version
        if name in local:
            result[name] = Source(name, version, local[name].path, local[name].digest, local=True)
            emit(Message(clock(), "warning", f"{name} comes from {local[name].path}, not from the lock"))
        else:
            fetched = sourcing.fetch(lock[name], cache, emit=emit, offline=request.offline, clock=clock)
            result[name] = Source(name, version, fetched.path, fetched.archive.sha256)
    for name in local.keys() - result.keys():
        emit(Message(clock(), "warning", f"{name} is not used by this image, so {local[name].path} is not either"))
    return result


def _shadowed(config: Configuration, busybox: Path) -> list[str]:
    """What of BusyBox the user's own files take the place of, in words."""
    files = contents.files(config)
    names = overlay.replaced(files, (busybox / "busybox.links").read_text()) if files else []
    return [f"image.files: /{name} takes the place of BusyBox's" for name in names]


def _check_budget(config: Configuration, rootfs_bytes: int, strict: bool, warn: Callable[[str], None]) -> int | None:
    budget_bytes = preflight.budget_bytes(config)
    if budget_bytes is not None and rootfs_bytes > budget_bytes:
        message = (
            f"rootfs.tar is over the budget: {format_size(rootfs_bytes)} of {format_size(budget_bytes)}, "
            f"{format_size(rootfs_bytes - budget_bytes)} too much"
        )
        if strict:
            raise BuildError(message, where=config.preset.path, fix="Switch something off, or raise image.budget.")
        warn(message)
    return budget_bytes


def _write_artifacts(staging: Path, made: Made) -> None:
    formats = made.config.family("IMAGE_FORMATS")
    if "rootfs" in formats:
        directory.copy(made.rootfs, staging / "rootfs.tar")
    if "oci" in formats:
        oci.write(
            staging / "image.oci.tar",
            config=_image_config(made),
            rootfs=made.rootfs,
            layer=made.layer,
            compression=made.config.choice("IMAGE_COMPRESSION"),
        )
    build_info.write(staging / "build-info.json", made, sorted(staging.iterdir()))
    sums = "".join(f"{oci.file_digest(path)}  {path.name}\n" for path in sorted(staging.iterdir()))
    (staging / "SHA256SUMS").write_text(sums)


def _image_config(made: Made) -> oci.ImageConfig:
    config, release = made.config, made.release
    created = datetime.fromtimestamp(release.source_date_epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return oci.ImageConfig(
        reference=made.reference,
        architecture=made.plan.arch.oci,
        created=release.source_date_epoch,
        command=preflight.words(config, "IMAGE_COMMAND"),
        entrypoint=preflight.words(config, "IMAGE_ENTRYPOINT"),
        user=contents.run_as(config),
        workdir=config.string("IMAGE_WORKDIR"),
        environment=config_texts.environment(config.string("IMAGE_ENV")),
        ports=config_texts.ports(config.string("IMAGE_PORTS")),
        labels={
            "org.opencontainers.image.title": f"Kimigayo OS {config.name}",
            "org.opencontainers.image.description": config.description,
            "org.opencontainers.image.version": release.version,
            "org.opencontainers.image.ref.name": made.reference,
            "org.opencontainers.image.created": created,
            **config_texts.labels(config.string("IMAGE_LABELS")),
        },
    )
