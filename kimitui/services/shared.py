"""What images have in common whichever init starts their services.

BusyBox init is the first program: it starts an init's own scripts, keeps terminals open, and restarts what watches over
daemons, which are runit's applets. How each service is run, and what happens when it ends by itself, is below
`/etc/rc/services`. An init adds in which order services start and end, and the commands that control them.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from kimitui import resources
from kimitui.services.files import File, below, script, text, without_comments
from kimitui.services.model import Service
from kimitui.services.words import command_line, preparations

_FOR_DAEMONS = ("etc/rc/daemons", "etc/rc/ended", "etc/rc/supervise")


def supervised(services: Iterable[Service]) -> bool:
    """Whether there is a daemon among them, and so something to watch over."""
    return any(service.kind == "daemon" for service in services)


def scripts(init: str) -> dict[str, File]:
    """The files in `builder/init/<init>`, without their comments."""
    found = below(resources.BUILDER_DIR / "init" / init)
    return {name: without_comments(file) for name, file in found.items()}


def with_shared(own: dict[str, File], services: Sequence[Service], *, contained: bool) -> dict[str, File]:
    """`own`, the files of an init, and what goes with them; daemons are within their limits if `contained`."""
    files = {**scripts("common"), **own}
    if supervised(services):
        files["etc/rc/log"] = _log(any(service.name == "syslogd" for service in services))
    else:
        for name in _FOR_DAEMONS:
            del files[name]
    files["etc/inittab"] = _inittab(services, files.keys())
    for service in services:
        for name, file in _scripts(service, contained).items():
            files[f"etc/rc/services/{service.name}/{name}"] = file
    return files


def _inittab(services: Sequence[Service], files: Iterable[str]) -> File:
    lines = ["# /etc/inittab: read by BusyBox init", "::sysinit:/etc/rc/boot"]
    actions = {"etc/rc/supervise": "respawn", "etc/rc/log": "respawn", "etc/rc/start": "once"}
    lines += [f"::{action}:/{path}" for path, action in actions.items() if path in files]
    # The hyphen makes the terminal the program's own.
    lines += [f"::respawn:-/etc/rc/services/{one.name}/run" for one in services if one.kind == "terminal"]
    return text(*lines, "::ctrlaltdel:/sbin/reboot", "::shutdown:/etc/rc/stop")


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
        found["run"] = script(f"echo $$ >{state}.pid", f"[ -e {state}.open ] || exec sleep 3600", *start)
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
