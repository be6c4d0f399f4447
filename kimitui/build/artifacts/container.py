"""What a container engine is told besides the image: which system calls it may make, and how it is run."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

from kimitui import seccomp
from kimitui.build import preflight, services
from kimitui.build.artifacts.made import Made
from kimitui.config import Configuration
from kimitui.services import mounts
from kimitui.services.model import Service

PROFILE = "seccomp.json"

# What init does with root's rights: services become other users, own their directories, and are told to end.
_INIT_CAPABILITIES = ("chown", "fowner", "kill", "setgid", "setpcap", "setuid")


@dataclass(frozen=True)
class Grants:
    """What an image needs beyond the least: places that stay writable, capabilities (without "cap_")."""

    volumes: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()


def grants(config: Configuration) -> Grants:
    """What the services need that the command of the image starts; nothing where it starts none."""
    running = _running(config)
    if not running:
        return Grants()
    capabilities = {name for service in running for name in service.capabilities}
    return Grants(mounts.written(running), tuple(sorted({*_INIT_CAPABILITIES, *capabilities})))


def write(target: Path, made: Made) -> None:
    """Write the profile of system calls, for Docker and whatever reads its format, to `target`."""
    classes = seccomp.load()
    calls = classes.resolve("container")
    for service in _running(made.config):
        if service.seccomp:
            calls |= classes.resolve(service.seccomp)
    profile = seccomp.docker_profile(calls, made.plan.arch.name)
    target.write_text(json.dumps(profile, indent=1, sort_keys=True) + "\n")


def run_line(reference: str, profile: str, granted: Grants) -> str:
    """The command that runs the image with nothing it does not need; `profile` is the path of the profile.

    Nothing but /tmp, /run and what is granted can be written to, root has no further rights of root's, and no program
    lends them.
    """
    return shlex.join(
        [
            *("docker", "run", "--rm", "-it"),
            *("--read-only", "--tmpfs", "/tmp", "--tmpfs", "/run"),
            *(word for place in granted.volumes for word in ("--volume", place)),
            *("--cap-drop", "ALL"),
            *(word for name in granted.capabilities for word in ("--cap-add", name.upper())),
            *("--security-opt", "no-new-privileges"),
            *("--security-opt", f"seccomp={profile}"),
            reference,
        ]
    )


def _running(config: Configuration) -> tuple[Service, ...]:
    """The services that run in a container of the image: none unless its command is the init."""
    command = (*preflight.words(config, "IMAGE_ENTRYPOINT"), *preflight.words(config, "IMAGE_COMMAND"))
    if not config.is_on("INIT_SERVICES") or command[:1] not in (("/sbin/init",), ("init",)):
        return ()
    return tuple(service for service in services.chosen(config).services if not service.container)
