"""The command line that starts a service, for every init."""

from __future__ import annotations

import shlex

from kimitui.services.model import Service

FILTERS = "/usr/lib/seccomp"
"""Where the filters of system calls are in an image."""

_DEFAULT_FILTER = "container"


def command_line(service: Service, *, contained: bool = False) -> str:
    """What a shell runs to become the service, as the user it runs as; `contained` ones within their limits.

    Oneshots set up the system that the limits keep others from, and on a terminal somebody works on all of it.
    """
    if contained and service.kind == "daemon":
        return shlex.join(_contained(service))
    # BusyBox cannot pass capabilities on to another user, so what needs some keeps root's.
    if service.user == "root" or service.capabilities:
        return shlex.join(service.command)
    return shlex.join(("chpst", "-u", service.user, *service.command))


def own_filter(service: Service) -> tuple[str, ...]:
    """The system calls and classes of a filter that is made for this service alone, none where it names a class."""
    return () if isinstance(service.seccomp, str) else service.seccomp


def filter_name(service: Service) -> str:
    """The name of the filter of a service, without directory and suffix."""
    if isinstance(service.seccomp, str):
        return service.seccomp or _DEFAULT_FILTER
    return f"service-{service.name}"


def _contained(service: Service) -> list[str]:
    """Becoming the service through the launcher; `builder/launcher/contain.c` says what the options mean."""
    limits = service.limits or {}
    namespaces = [name for name in service.namespaces if f"namespaces.{name}" not in limits]
    words = ["contain", "--name", service.name, "--user", service.user]
    if namespaces:
        words += ["--namespaces", ",".join(namespaces)]
    if service.capabilities:
        words += ["--capabilities", ",".join(service.capabilities)]
    words += ["--seccomp", f"{FILTERS}/{filter_name(service)}.bpf"]
    if "mount" in namespaces:
        for path in dict.fromkeys((*service.write, *(directory.path for directory in service.directories))):
            words += ["--write", path]
    for name, text in (service.environment or {}).items():
        words += ["--env", f"{name}={text}"]
    return [*words, "--", *service.command]


def preparations(service: Service) -> list[str]:
    """The lines of a shell script that come before a service is started or stopped: directories, variables."""
    lines = []
    for directory in service.directories:
        path = shlex.quote(directory.path)
        owner = directory.user or service.user
        lines.append(f"[ -d {path} ] || mkdir -p {path} && chmod {directory.mode:04o} {path} && chown {owner} {path}")
    lines += [f"export {name}={shlex.quote(text)}" for name, text in (service.environment or {}).items()]
    return lines
