"""The engines a step can run on, and the choice between them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal, get_args

from kimitui.build.engines import sandbox
from kimitui.build.engines.base import Engine
from kimitui.build.engines.chroot import ChrootEngine
from kimitui.errors import MachineError

Choice = Literal["auto", "sandbox", "docker", "podman"]
CHOICES: tuple[Choice, ...] = get_args(Choice)


def choose(wanted: Choice = "auto") -> Engine:
    """The engine that is wanted; `auto`: the sandbox where the machine allows it, else Docker or Podman if they answer.

    As root, a chroot is what is left. Whether a daemon that was asked for can be reached is found out by `opened`.
    Raises MachineError where there is no engine.
    """
    if wanted in ("docker", "podman"):
        # Its client takes a fifth of a second to import.
        from kimitui.build.engines import daemon, docker

        return docker.DockerEngine(daemon.place(wanted))
    missing: MachineError | None = None
    try:
        refusal = sandbox.refusal()
    except MachineError as error:
        missing, refusal = error, error.what
    if refusal is None:
        return sandbox.SandboxEngine()
    reason = f"No sandbox on this machine ({refusal})"
    if wanted == "auto":
        from kimitui.build.engines import daemon, docker

        for place in map(daemon.place, daemon.NAMES):
            if daemon.answers(place):
                return docker.DockerEngine(place, reason=reason)
    if missing is not None:
        raise missing
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


def beside(name: Literal["docker", "podman"]) -> Choice:
    """What runs the steps of an image that goes to a daemon: the sandbox where it works, else that daemon."""
    try:
        return name if sandbox.refusal() else "auto"
    except MachineError:
        return name


@dataclass(frozen=True)
class Outlook:
    """What would come of a choice, in a few words; `good`: builds can run there."""

    choice: Choice
    good: bool
    text: str


def outlook() -> list[Outlook]:
    """What would come of every choice, by trying. Takes some seconds where a daemon that is named does not answer."""
    from kimitui.build.engines import daemon

    try:
        refusal = sandbox.refusal()
    except MachineError as error:
        refusal = error.what
    found = [Outlook("sandbox", refusal is None, refusal or "works here")]
    for name in daemon.NAMES:
        try:
            found.append(Outlook(name, True, daemon.status(daemon.place(name)).words))
        except MachineError as error:
            found.append(Outlook(name, False, error.what))
    first = next((one for one in found if one.good), None)
    last = "chroot, without protection" if os.geteuid() == 0 else "nothing works here"
    return [Outlook("auto", first is not None, f"now: {first.choice if first else last}"), *found]
