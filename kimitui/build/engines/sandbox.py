"""The embedded engine: bubblewrap, no daemon, no privileges."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from kimitui.build.engines.base import Job
from kimitui.build.engines.process import ProcessExecution
from kimitui.errors import MachineError

_NAMESPACES = (
    "--unshare-user",
    "--unshare-ipc",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-uts",
    "--unshare-cgroup-try",
)


class SandboxEngine:
    """Runs jobs under bubblewrap."""

    name = "sandbox"
    daemon = None

    def warning(self) -> str | None:
        """None: every promise is kept."""
        return None

    def opened(
        self, root: Path, digest: str, session: Path, tell: Callable[[str], None]
    ) -> contextlib.AbstractContextManager[None]:
        """Nothing is needed but the toolchain's directory."""
        return contextlib.nullcontext()

    def start(self, job: Job) -> ProcessExecution:
        """Start a job; MachineError where bubblewrap is missing."""
        return ProcessExecution(command(job))


def container(root: Path, argv: Sequence[str], env: Mapping[str, str], *, leads: bool = False) -> list[str]:
    """The bubblewrap command line for a program in the root file system `root`, which it may write to.

    With `leads` the program leads the session, as a shell with jobs must.
    """
    settings = [word for name, value in sorted(env.items()) for word in ("--setenv", name, value)]
    return [
        _bubblewrap(),
        *_NAMESPACES,
        "--die-with-parent",
        "--new-session",
        *(("--as-pid-1",) if leads else ()),
        *("--uid", "0", "--gid", "0"),
        *("--hostname", "kimigayo"),
        "--clearenv",
        *settings,
        *("--bind", str(root), "/"),
        *("--dev", "/dev"),
        *("--proc", "/proc"),
        *("--tmpfs", "/tmp"),
        *("--tmpfs", "/run"),
        *("--chdir", "/"),
        *("--", *argv),
    ]


def command(job: Job, *, leads: bool = False) -> list[str]:
    """The bubblewrap command line for a job; with `leads` its program leads the session, as a shell with jobs must."""
    parents = sorted({str(Path(mount.target).parent) for mount in job.mounts} - {"/"})
    argv = [
        _bubblewrap(),
        *_NAMESPACES,
        "--die-with-parent",
        "--new-session",
        *(("--as-pid-1",) if leads else ()),
        "--disable-userns",
        *("--cap-drop", "ALL"),
        *("--uid", "0", "--gid", "0"),
        *("--hostname", "kimigayo"),
        "--clearenv",
        *("--ro-bind", str(job.root), "/"),
        *("--dev", "/dev"),
        *("--proc", "/proc"),
        *("--tmpfs", "/tmp"),
        *(("--bind", str(job.scratch), "/build") if job.scratch else ("--tmpfs", "/build")),
    ]
    for parent in parents:
        argv += ["--tmpfs", parent]
    for mount in job.mounts:
        argv += ["--bind" if mount.writable else "--ro-bind", str(mount.host), mount.target]
    for parent in parents:
        argv += ["--remount-ro", parent]
    for name, value in sorted(job.env.items()):
        argv += ["--setenv", name, value]
    return [*argv, "--chdir", "/build", "--", *job.argv]


@cache
def _bubblewrap() -> str:
    if path := shutil.which("bwrap"):
        return path
    raise MachineError("bubblewrap is not installed", fix="apt-get install bubblewrap (or your system's package of it)")


@cache
def refusal() -> str | None:
    """Why sandboxes cannot be made on this machine, as bubblewrap says it; None where they can.

    Raises MachineError where bubblewrap is missing.
    """
    probe = subprocess.run(
        [
            _bubblewrap(),
            *_NAMESPACES,
            "--disable-userns",
            "--ro-bind",
            "/",
            "/",
            "--proc",
            "/proc",
            "--dev",
            "/dev",
            "--",
            "/bin/true",
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if probe.returncode == 0:
        return None
    return probe.stderr.strip().removeprefix("bwrap: ") or f"exit status {probe.returncode}"
