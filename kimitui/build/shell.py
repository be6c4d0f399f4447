"""A shell where a step would run, to look at it and to try things; nothing of it is kept."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kimitui import terminal
from kimitui.build import workshop
from kimitui.build.engines import sandbox
from kimitui.build.engines.base import Mount
from kimitui.build.events import Emit
from kimitui.build.runner import Cancellation
from kimitui.build.step import in_order
from kimitui.build.workshop import Request
from kimitui.errors import MachineError, UsageError
from kimitui.kconfig.names import nearest

_WELCOME = """\
This is where the step {name} runs; nothing of what you do is kept.
  /sources  sources, read-only          /steps   what it builds on, read-only
  /input    step.sh and its inputs      /build   scratch: you are here
  sh /input/step.sh runs it, with the result in /output; leave with exit.
"""


def run(
    request: Request,
    step_name: str,
    command: str | None,
    *,
    emit: Emit,
    say: Callable[[str], None],
    cancellation: Cancellation | None = None,
) -> int:
    """Make what the step uses, then run a shell (or `command` in one) in its place; the shell's exit status.

    `say` gets a few lines for whoever sits at the shell.
    Raises UsageError for a step that the configuration does not have, MachineError without a sandbox, and what
    `build` raises.
    """
    if refusal := sandbox.refusal():
        raise MachineError(f"This machine refuses sandboxes: {refusal}", fix="kimitui doctor says what to do.")
    with workshop.opened(request, emit=emit, cancellation=cancellation) as room:
        steps = {step.name: step for step in room.steps}
        if step_name not in steps:
            near = nearest(step_name, steps)
            raise UsageError(
                f"this image has no step {step_name}",
                fix=(f"Did you mean {near}? " if near else "") + f"Its steps: {', '.join(steps)}.",
            )
        step = steps[step_name]
        job = room.runner.job(step, room.runner.run(in_order(step.uses)))
        with tempfile.TemporaryDirectory(prefix="kimitui-") as caches:
            job = replace(
                job,
                argv=terminal.shell("/bin/sh") if command is None else ("/bin/sh", "-c", command),
                env={**job.env, "TERM": os.environ.get("TERM", "dumb"), "PS1": f"{step_name}:$PWD# "},
                mounts=tuple(_apart(mount, Path(caches)) for mount in job.mounts),
            )
            if command is None:
                say(_WELCOME.format(name=step_name))
            return terminal.run(sandbox.command(job, leads=command is None))


def _apart(mount: Mount, caches: Path) -> Mount:
    """The mount, with a compiler cache of its own: what is tried out here should not be found again."""
    return replace(mount, host=caches) if mount.cache else mount
