"""Services for BusyBox init: a list of them in the order in which they start, and scripts that go through it.

The scripts are those in `builder/init/busybox`; `kimitui.services.shared` has the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kimitui.services.files import Files, text
from kimitui.services.model import Service
from kimitui.services.shared import scripts, supervised, with_shared


def render(services: Sequence[Service], *, contained: bool = False) -> Files:
    """The files for `services`, which are in the order in which they start and within their limits if `contained`."""
    files = scripts("busybox")
    if not supervised(services):
        del files["etc/rc/start"]
    kinds = {service.name: service.kind for service in services}
    files["etc/rc/list"] = text(*(_line(service, kinds) for service in services))
    return with_shared(files, services, contained=contained)


def _line(service: Service, kinds: Mapping[str, str]) -> str:
    def listed(others: Sequence[str]) -> str:
        return ",".join(f"{other}:{kinds[other]}" for other in others if other in kinds) or "-"

    return f"{service.name} {service.kind} {listed(service.needs)} {listed(service.before)} {service.container or '-'}"
