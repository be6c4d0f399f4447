"""Runs a graph of steps on an engine: in parallel where it allows, each at most once, and keeps nothing half."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from filelock import Timeout

from kimitui.build.engines.base import Engine, Execution, Job, Mount
from kimitui.build.events import Cached, Emit, Failed, Finished, LogLine, Started, Waiting
from kimitui.build.step import Step, in_order, keys
from kimitui.build.store import Entry, Store, remove_tree
from kimitui.errors import BuildError, CancelledError, KimituiError, MachineError

_TAIL_LINES = 20
_MAX_LOG_BYTES = 64 * 1024 * 1024
_WORK_IN_MEMORY_BYTES = 1024 * 1024 * 1024


@dataclass(frozen=True)
class Root:
    """The file system that steps run in: the toolchain's directory and the digest that names its content."""

    path: Path
    digest: str


class Cancellation:
    """Lets another thread end a build: every running step is killed, and no further one starts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._executions: set[Execution] = set()
        self.requested = False

    def cancel(self) -> None:
        """End the build; returns at once, the build ends with CancelledError."""
        with self._lock:
            self.requested = True
            for execution in self._executions:
                execution.kill()

    def check(self) -> None:
        """Raise CancelledError if the build is to end."""
        if self.requested:
            raise CancelledError("The build was cancelled")

    @contextlib.contextmanager
    def watch(self, execution: Execution) -> Iterator[None]:
        """Kill `execution` when the build is cancelled meanwhile, and when the block is left by an error."""
        with self._lock:
            self._executions.add(execution)
            if self.requested:
                execution.kill()
        try:
            yield
        except BaseException:
            execution.kill()
            execution.wait()
            raise
        finally:
            with self._lock:
                self._executions.discard(execution)


class Runner:
    """Runs steps; one instance for one build."""

    def __init__(
        self,
        *,
        store: Store,
        engine: Engine,
        root: Root,
        session: Path,
        emit: Emit,
        clock: Callable[[], float],
        cancellation: Cancellation,
    ) -> None:
        self._store = store
        self._engine = engine
        self._root = root
        self._session = session
        self._emit = emit
        self._clock = clock
        self._cancellation = cancellation
        self._cpus = len(os.sched_getaffinity(0))

    def run(self, steps: tuple[Step, ...]) -> dict[str, Entry]:
        """The store entry of every step, by name.

        `steps` must be in an order in which every step follows those it uses. Raises BuildError where a step fails,
        MachineError, CancelledError; steps that run at that moment are ended first.
        """
        step_keys = keys(steps, self._root.digest)
        done: dict[str, Entry] = {}
        pending = list(steps)
        running: dict[Future[Entry], str] = {}
        with ThreadPoolExecutor(max_workers=max(2, self._cpus), thread_name_prefix="step") as pool:
            try:
                while pending or running:
                    for step in [s for s in pending if all(used.name in done for used in s.uses)]:
                        pending.remove(step)
                        running[pool.submit(self._make, step, step_keys, dict(done))] = step.name
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        done[running.pop(future)] = future.result()
            except BaseException:
                # One failure ends the rest: what the user must see should not wait for a kernel to compile.
                self._cancellation.cancel()
                raise
        return done

    def job(self, step: Step, done: Mapping[str, Entry]) -> Job:
        """The job of a step whose `uses` are in `done`, with its inputs in place; what it makes will not be kept."""
        return self._job(step, self._workspace(step), keys(in_order((step,)), self._root.digest), done)

    def _make(self, step: Step, step_keys: Mapping[str, str], done: Mapping[str, Entry]) -> Entry:
        key = step_keys[step.name]
        if entry := self._store.find(key):
            self._emit(Cached(self._clock(), step.name, key, entry.log))
            return entry
        self._cancellation.check()
        with self._exclusively(step, key):
            if entry := self._store.find(key):
                self._emit(Cached(self._clock(), step.name, key, entry.log))
                return entry
            try:
                return self._execute(step, key, step_keys, done)
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    message = f"No space is left for the step {step.name}"
                    fix = "Free some space (kimitui cache prune), or put the cache elsewhere with --cache-dir."
                    raise MachineError(message, where=self._store.directory, fix=fix) from error
                raise

    @contextlib.contextmanager
    def _exclusively(self, step: Step, key: str) -> Iterator[None]:
        lock = self._store.lock(key)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self._emit(Waiting(self._clock(), step.name))
            while not lock.is_locked:
                self._cancellation.check()
                with contextlib.suppress(Timeout):
                    lock.acquire(timeout=0.5)
        try:
            yield
        finally:
            lock.release()

    def _execute(self, step: Step, key: str, step_keys: Mapping[str, str], done: Mapping[str, Entry]) -> Entry:
        workspace = self._workspace(step)
        log = self._store.logs / f"{step.name}-{step.arch}-{key[:12]}.log"
        began = self._clock()
        self._emit(Started(began, step.name, log))
        tail, status = self._carry_out(step, self._job(step, workspace, step_keys, done), log)
        try:
            self._cancellation.check()
            if status != 0:
                raise BuildError(
                    f"The step {step.name} failed ({_how(status)})",
                    where=log,
                    fix="The whole log is in that file.",
                    details=tuple(tail),
                )
            if step.verify is not None:
                step.verify(workspace / "output")
        except CancelledError:
            raise  # no fault of this step: the user ended the build, or another step failed
        except KimituiError as error:
            self._emit(Failed(self._clock(), step.name, error.what, log))
            raise
        for name in ("build", "input"):
            remove_tree(workspace / name)
        log.replace(workspace / "log")
        seconds = self._clock() - began
        entry = self._store.commit(
            key, workspace, description={"name": step.name, "arch": step.arch, "seconds": round(seconds, 2)}
        )
        self._emit(Finished(self._clock(), step.name, key, seconds, entry.log))
        return entry

    def _workspace(self, step: Step) -> Path:
        """A new directory for a run of the step, with its inputs."""
        workspace = self._session / step.name
        for name in ("build", "output", "input"):
            (workspace / name).mkdir(parents=True)
        (workspace / "output").chmod(0o755)
        for name, file in step.inputs().items():
            path = workspace / "input" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
            path.chmod(0o755 if file.executable else 0o644)
        return workspace

    def _job(self, step: Step, workspace: Path, step_keys: Mapping[str, str], done: Mapping[str, Entry]) -> Job:
        # What ccache cannot see by itself: the toolchain, and headers and specs files that come from other steps.
        compiler = [self._root.digest, *(step_keys[used.name] for used in step.uses if used.headers)]
        return Job(
            root=self._root.path,
            scratch=workspace / "build" if step.large or not _has_memory() else None,
            argv=("/bin/sh", "/input/step.sh"),
            env={
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME": "/build",
                "USER": "root",
                "LC_ALL": "C.UTF-8",
                "TZ": "UTC0",
                "ARCH": step.arch,
                "JOBS": str(self._cpus + 1),  # one more than processors: something always waits for the disk
                "CCACHE_DIR": "/ccache",
                "CCACHE_COMPILERCHECK": "string:" + hashlib.sha256(" ".join(compiler).encode()).hexdigest(),
                "CCACHE_NOCPP2": "true",
                "CCACHE_NODIRECT": "true",
                "CCACHE_NOCOMPRESS": "true",
                "CCACHE_NOSTATS": "true",
                **step.parameters,
            },
            mounts=(
                Mount(workspace / "output", "/output", writable=True),
                Mount(workspace / "input", "/input"),
                Mount(self._store.ccache, "/ccache", writable=True, cache=True),
                *(Mount(source.path, f"/sources/{name}") for name, source in step.sources.items()),
                *(Mount(done[used.name].output, f"/steps/{used.name}", final=True) for used in step.uses),
            ),
        )

    def _carry_out(self, step: Step, job: Job, log: Path) -> tuple[deque[str], int]:
        """Run the job; the last lines it printed, and its exit status."""
        tail: deque[str] = deque(maxlen=_TAIL_LINES)
        with log.open("w", encoding="utf-8", errors="replace") as file:
            execution = self._engine.start(job)
            with self._cancellation.watch(execution):
                for line in execution.lines():
                    if file.tell() < _MAX_LOG_BYTES:
                        file.write(line + "\n")
                    tail.append(line)
                    self._emit(LogLine(self._clock(), step.name, line))
                return tail, execution.wait()


def _how(status: int) -> str:
    return f"exit status {status}" if status >= 0 else f"ended by signal {-status}"


def _has_memory() -> bool:
    """Whether small steps can work in memory, which is several times faster than many small files on a disk."""
    text = Path("/proc/meminfo").read_text() if Path("/proc/meminfo").exists() else ""
    available = re.search(r"^MemAvailable:\s*(\d+) kB$", text, re.MULTILINE)
    return available is not None and int(available[1]) * 1024 >= _WORK_IN_MEMORY_BYTES
