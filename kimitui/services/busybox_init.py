"""Services for BusyBox init: it runs what is set up once, and runit's applets, which BusyBox has, watch over the rest.

The scripts are those in `builder/init/busybox`; what is written here is which services there are and what each runs.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from kimitui import resources
from kimitui.services.files import File, Files, below, script, text, without_comments
from kimitui.services.model import Service
from kimitui.services.words import command_line, preparations

_FOR_DAEMONS = ("etc/rc/ended", "etc/rc/start", "etc/rc/supervise")


def render(services: Sequence[Service], *, contained: bool = False) -> Files:
    """The files for `services`, which are in the order in which they start and within their limits if `contained`."""
    scripts = below(resources.BUILDER_DIR / "init" / "busybox")
    files = {name: without_comments(file) for name, file in scripts.items()}
    kinds = {service.name: service.kind for service in services}
    supervised = any(service.kind == "daemon" for service in services)
    if supervised:
        files["etc/rc/log"] = _log("syslogd" in kinds)
    else:
        for name in _FOR_DAEMONS:
            del files[name]
    files["etc/inittab"] = _inittab(services, supervised)
    files["etc/rc/list"] = text(*(_line(service, kinds) for service in services))
    for service in services:
        for name, file in _scripts(service, contained).items():
            files[f"etc/rc/services/{service.name}/{name}"] = file
    return files


def _inittab(services: Sequence[Service], supervised: bool) -> File:
    lines = ["# /etc/inittab: read by BusyBox init", "::sysinit:/etc/rc/boot"]
    if supervised:
        lines += ["::respawn:/etc/rc/supervise", "::respawn:/etc/rc/log", "::once:/etc/rc/start"]
    # The hyphen makes the terminal the program's own.
    lines += [f"::respawn:-/etc/rc/services/{one.name}/run" for one in services if one.kind == "terminal"]
    return text(*lines, "::ctrlaltdel:/sbin/reboot", "::shutdown:/etc/rc/stop")


def _line(service: Service, kinds: Mapping[str, str]) -> str:
    def listed(others: Sequence[str]) -> str:
        return ",".join(f"{other}:{kinds[other]}" for other in others if other in kinds) or "-"

    return f"{service.name} {service.kind} {listed(service.needs)} {listed(service.before)} {service.container or '-'}"


def _scripts(service: Service, contained: bool) -> dict[str, File]:
    start = [*preparations(service), f"exec {command_line(service, contained=contained)}"]
    state = f"/run/rc/{service.name}"
    found = {}
    if service.ready:
        found["ready"] = text(service.ready)
    if service.kind == "oneshot":
        found["run"] = script(*start)
        if service.stop:
            found["stop"] = script(*preparations(service), f"exec {shlex.join(service.stop)}")
    elif service.kind == "daemon":
        pause = f'[ ! -e {state}.wait ] || {{ read -r s <{state}.wait; sleep "$s"; rm -f {state}.wait; }}'
        restart = service.restart
        decided = f"{service.name} {restart.policy} {restart.limit} {restart.delay_seconds}"
        found["run"] = script(pause, *start)
        found["finish"] = script(f'exec /etc/rc/ended {decided} "$@"')
    else:
        found["run"] = script(f"echo $$ >{state}.pid", f"[ ! -e {state}.down ] || exec sleep 3600", *start)
    return found


def _log(syslog: bool) -> File:
    """What takes what daemons print."""
    lines = ["[ -p /run/rc/.output ] || exec sleep 3600 # there are none"]
    if syslog:
        # What is said before there is a log would be lost; without one, nothing may wait for it.
        lines += ["for _ in 1 2 3 4 5 6 7 8 9 10; do", "\t[ -S /dev/log ] || sleep 0.5", "done"]
        lines.append("exec logger -t services </run/rc/.output")
    else:
        lines += ["mkdir -p /run/log/services", "exec svlogd -ttt /run/log/services </run/rc/.output"]
    return script(*lines)
