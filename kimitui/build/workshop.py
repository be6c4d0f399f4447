"""The room of one build, in which sources, toolchain, plan, steps and engine meet."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from kimitui.build import clock as clocks
from kimitui.build import contents, preflight, services
from kimitui.build import plan as planning
from kimitui.build import release as releases
from kimitui.build import sources as sourcing
from kimitui.build import toolchain as toolchains
from kimitui.build.clock import Clock
from kimitui.build.engines import Choice, choose
from kimitui.build.events import Emit, Event, Message, Planned
from kimitui.build.plan import Phase, Plan, Source
from kimitui.build.release import Release
from kimitui.build.runner import Cancellation, Root, Runner
from kimitui.build.source_tree import LocalSource
from kimitui.build.step import Step
from kimitui.build.store import Entry, Store
from kimitui.build.toolchain import Toolchain
from kimitui.config import Configuration
from kimitui.errors import CancelledError

if TYPE_CHECKING:
    from kimitui.build.engines.daemon import Place

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
    engine: Choice = "auto"


@dataclass(frozen=True)
class Workshop:
    """All that a build needs, ready; `steps` are those of the plan that belong to the build's phase.

    `session` is a directory for temporary files; it is removed at the end, or by the next build after one was killed.
    """

    plan: Plan
    steps: tuple[Step, ...]
    release: Release
    toolchain: Toolchain
    sources: Mapping[str, Source]
    runner: Runner
    session: Path
    emit: Emit
    clock: Clock

    def run(self) -> dict[str, Entry]:
        """Run the steps; the store's entry of each, by its name. Raises as `Runner.run` does."""
        return self.runner.run(self.steps)

    def tell(self, level: str, text: str) -> None:
        """Say something worth a line: `info` or `warning`."""
        self.emit(Message(self.clock(), level, text))


@contextlib.contextmanager
def opened(
    request: Request, *, emit: Emit, cancellation: Cancellation | None = None, phase: Phase = "pack"
) -> Iterator[Workshop]:
    """Check the configuration, fetch its sources, make the toolchain, plan; the block runs the steps.

    Raises PresetError for what upstream does not allow, BuildError, MachineError, CancelledError.
    """
    cancellation = cancellation or Cancellation()
    clock = clocks.started_now()
    emit = _one_at_a_time(emit)
    config = request.config
    release = releases.load()
    contents.check(config)
    services.chosen(config)
    for item in config.overridden:
        emit(Message(clock(), "info", item.describe()))
    local = {name: sourcing.override(name, path) for name, path in request.overrides.items()}
    engine = choose(request.engine)
    if warning := engine.warning():
        emit(Message(clock(), "warning", warning))
    store = Store(request.cache_dir)
    with store.session() as session:
        sources, toolchain = _prepare(request, local, emit, clock, cancellation, engine.daemon)
        preflight.check_upstream(config, sources, request.cache_dir)
        plan = planning.plan(
            config,
            sources=sources,
            release=release,
            toolchain_digest=toolchain.digest,
            trees=request.cache_dir,
        )
        steps = plan.until(phase)
        graph = {step.name: tuple(used.name for used in step.uses) for step in steps}
        emit(Planned(clock(), config.name, plan.arch.name, graph, store.durations(plan.arch.name), engine.name))
        runner = Runner(
            store=store,
            engine=engine,
            root=Root(toolchain.root, toolchain.digest),
            session=session,
            emit=emit,
            clock=clock,
            cancellation=cancellation,
        )
        with engine.opened(
            toolchain.root, toolchain.digest, session, lambda text: emit(Message(clock(), "info", text))
        ):
            yield Workshop(plan, steps, release, toolchain, sources, runner, session, emit, clock)


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
    daemon: Place | None,
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
                daemon=daemon,
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
