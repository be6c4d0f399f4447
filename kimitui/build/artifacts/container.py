"""What a container engine is told besides the image: which system calls it may make, and how it is run."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from kimitui import seccomp
from kimitui.build.artifacts.made import Made

PROFILE = "seccomp.json"


def write(target: Path, made: Made) -> None:
    """Write the profile of system calls, for Docker and whatever reads its format, to `target`."""
    calls = seccomp.load().resolve("container")
    profile = seccomp.docker_profile(calls, made.plan.arch.name)
    target.write_text(json.dumps(profile, indent=1, sort_keys=True) + "\n")


def run_line(reference: str, profile: str) -> str:
    """The command that runs the image with nothing it does not need; `profile` is the path of the profile.

    Nothing but /tmp and /run can be written to, root has no rights of root's, and no program lends them.
    """
    return shlex.join(
        [
            *("docker", "run", "--rm", "-it"),
            *("--read-only", "--tmpfs", "/tmp", "--tmpfs", "/run"),
            *("--cap-drop", "ALL"),
            *("--security-opt", "no-new-privileges"),
            *("--security-opt", f"seccomp={profile}"),
            reference,
        ]
    )
