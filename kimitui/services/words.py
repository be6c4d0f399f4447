"""The command line that starts a service, for every init."""

from __future__ import annotations

import shlex

from kimitui.services.model import Service


def command_line(service: Service) -> str:
    """What a shell runs to become the service, as the user it runs as."""
    # BusyBox cannot pass capabilities on to another user, so what needs some keeps root's.
    if service.user == "root" or service.capabilities:
        return shlex.join(service.command)
    return shlex.join(("chpst", "-u", service.user, *service.command))


def preparations(service: Service) -> list[str]:
    """The lines of a shell script that come before a service is started or stopped: directories, variables."""
    lines = []
    for directory in service.directories:
        path = shlex.quote(directory.path)
        owner = directory.user or service.user
        lines.append(f"[ -d {path} ] || mkdir -p {path} && chmod {directory.mode:04o} {path} && chown {owner} {path}")
    lines += [f"export {name}={shlex.quote(text)}" for name, text in (service.environment or {}).items()]
    return lines
