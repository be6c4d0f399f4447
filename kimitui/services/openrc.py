"""Services for OpenRC: a script in /etc/init.d for each, which says what comes before it, in one of the runlevels.

OpenRC puts them in order, starts side by side what can be, and has the commands that control them. It does not watch
over daemons, for its supervise-daemon starts everything again, whatever it ended with, after the same pause each time,
and drops what it prints: runit's applets do what the definitions say, as they do where BusyBox init starts services.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from typing import Literal

from kimitui.services.files import File, Files, link, text
from kimitui.services.model import Service
from kimitui.services.order import setting_up
from kimitui.services.shared import scripts, supervised, with_shared

Runlevel = Literal["sysinit", "boot", "default"]


def render(services: Sequence[Service], *, contained: bool = False) -> Files:
    """The files for `services`, which are within their limits if `contained`."""
    files = scripts("openrc")
    if not supervised(services):
        del files["etc/rc/given_up"]
    # Written when the system starts and finds that it is in a container.
    files["etc/rc.conf.d/contained.conf"] = link("/run/rc/contained")
    if omitted := ", ".join(f"{one.name} ({one.container})" for one in services if one.container):
        files["etc/rc/left_out"] = text(omitted)
    on = {service.name for service in services}
    early = setting_up(services)
    for service in services:
        files[f"etc/init.d/{service.name}"] = _script(service, on)
        level = runlevel(service, on, early)
        files[f"etc/runlevels/{level}/{service.name}"] = link(f"/etc/init.d/{service.name}")
    return with_shared(files, services, contained=contained)


def runlevel(service: Service, on: Collection[str], early: Collection[str]) -> Runlevel:
    """When `service` starts; `on` are the names of all that do, `early` of those that set the system up."""
    if service.kind == "oneshot" and not any(other in on for other in service.before):
        return "sysinit"
    return "boot" if service.name in early else "default"


def _script(service: Service, on: Collection[str]) -> File:
    after = [name for name in service.after if name in on and name not in service.needs]
    keywords = ["-containers"] * bool(service.container) + ["-timeout"] * (service.kind == "oneshot")
    told = {"need": service.needs, "after": after, "keyword": keywords}
    depend = [f"\t{word} {' '.join(names)}" for word, names in told.items() if names]
    lines = ["#!/sbin/openrc-run"]
    if service.description:
        lines.append(f"description={shlex.quote(service.description)}")
    lines.append(f"kind={service.kind}")
    if service.container:
        lines.append(f"left_out={shlex.quote(service.container)}")
    if depend:
        lines += ["depend() {", *depend, "}"]
    return File(text(*lines, ". /etc/rc/openrc").content, executable=True)
