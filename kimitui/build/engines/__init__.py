"""The engines a step can run on, and the choice between them."""

from __future__ import annotations

import os
from typing import Literal, get_args

from kimitui.build.engines import sandbox
from kimitui.build.engines.base import Engine
from kimitui.build.engines.chroot import ChrootEngine
from kimitui.errors import MachineError

Choice = Literal["auto", "sandbox", "docker", "podman"]
CHOICES: tuple[Choice, ...] = get_args(Choice)


def choose(wanted: Choice = "auto") -> Engine:
    """The engine that is wanted; `auto`: the sandbox where the machine allows it, else Docker, as root also a chroot.

    Whether a daemon that was asked for can be reached is found out by `opened`. Raises MachineError where there is no
    engine.
    """
    if wanted in ("docker", "podman"):
        # Its client takes a fifth of a second to import.
        from kimitui.build.engines import docker

        return docker.DockerEngine(docker.docker_place() if wanted == "docker" else docker.podman_place())
    refusal = sandbox.refusal()
    if refusal is None:
        return sandbox.SandboxEngine()
    reason = f"No sandbox on this machine ({refusal})"
    if wanted == "auto":
        from kimitui.build.engines import docker

        if docker.answers(docker.docker_place()):
            return docker.DockerEngine(docker.docker_place(), reason=reason)
    if os.geteuid() == 0:
        return ChrootEngine(refusal)
    raise MachineError(
        f"This machine refuses sandboxes: {refusal}",
        fix="Allow user namespaces, as root, whichever of these the machine has:\n"
        "  sysctl -w user.max_user_namespaces=15000\n"
        "  sysctl -w kernel.unprivileged_userns_clone=1\n"
        "  sysctl -w kernel.apparmor_restrict_unprivileged_userns=0\n"
        "Or build with Docker or Podman: --engine docker. In a Docker container, run it with --privileged.\n"
        "As root, kimitui falls back to a chroot.",
    )
