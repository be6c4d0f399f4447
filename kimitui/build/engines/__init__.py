"""The engines a step can run on, and the choice between them."""

from __future__ import annotations

import os

from kimitui.build.engines import sandbox
from kimitui.build.engines.base import Engine
from kimitui.build.engines.chroot import ChrootEngine
from kimitui.errors import MachineError


def choose() -> Engine:
    """The sandbox where the machine allows it; as root, a plain chroot where it does not. Else MachineError."""
    refusal = sandbox.refusal()
    if refusal is None:
        return sandbox.SandboxEngine()
    if os.geteuid() == 0:
        return ChrootEngine(refusal)
    raise MachineError(
        f"This machine refuses sandboxes: {refusal}",
        fix="Allow user namespaces, as root, whichever of these the machine has:\n"
        "  sysctl -w user.max_user_namespaces=15000\n"
        "  sysctl -w kernel.unprivileged_userns_clone=1\n"
        "  sysctl -w kernel.apparmor_restrict_unprivileged_userns=0\n"
        "In a Docker container, run it with --privileged. As root, kimitui falls back to a chroot.",
    )
