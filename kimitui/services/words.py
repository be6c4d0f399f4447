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
        return shlex.join(_launched(service, *_limits(service)))
    if service.user == "root":
        return shlex.join(service.command)
    if needs_launcher(service):
        return shlex.join(_launched(service, "--executable-memory"))
    return shlex.join(("chpst", "-u", service.user, *service.command))


def needs_launcher(service: Service) -> bool:
    """Whether the service is started by the launcher even if nothing is contained.

    It is to be another user than root and keep some of root's rights, which no applet of BusyBox' can hand on.
    """
    return service.user != "root" and bool(service.capabilities)


def own_filter(service: Service) -> tuple[str, ...]:
    """The system calls and classes of a filter that is made for this service alone, none where it names a class."""
    return () if isinstance(service.seccomp, str) else service.seccomp


def filter_name(service: Service) -> str:
    """The name of the filter of a service, without directory and suffix."""
    if isinstance(service.seccomp, str):
        return service.seccomp or _DEFAULT_FILTER
    return f"service-{service.name}"


def _launched(service: Service, *options: str) -> list[str]:
    """Becoming the service through the launcher; `builder/launcher/contain.c` says what the options mean."""
    words = ["contain", "--name", service.name, "--user", service.user]
    if service.capabilities:
        words += ["--capabilities", ",".join(service.capabilities)]
    words += options
    for name, text in (service.environment or {}).items():
        words += ["--env", f"{name}={text}"]
    return [*words, "--", *service.command]


def _limits(service: Service) -> list[str]:
    """The options for what a contained service sees of the system and may ask of the kernel."""
    limits = service.limits or {}
    namespaces = [name for name in service.namespaces if f"namespaces.{name}" not in limits]
    words = ["--seccomp", f"{FILTERS}/{filter_name(service)}.bpf"]
    if namespaces:
        words += ["--namespaces", ",".join(namespaces)]
    if "mount" in namespaces:
        for path in dict.fromkeys((*service.write, *(directory.path for directory in service.directories))):
            words += ["--write", path]
    return words


def preparations(service: Service) -> list[str]:
    """The lines of a shell script that come before a service is started or stopped: directories, variables."""
    lines = []
    for directory in service.directories:
        path = shlex.quote(directory.path)
        owner = directory.user or service.user
        lines.append(f"[ -d {path} ] || mkdir -p {path} && chmod {directory.mode:04o} {path} && chown {owner} {path}")
    lines += [f"export {name}={shlex.quote(text)}" for name, text in (service.environment or {}).items()]
    return lines
