"""In which order services start: what one needs, or comes after, before itself."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping

from kimitui.services.model import Service


class CycleError(Exception):
    """Services that wait for one another; `names` begins and ends with the same one, each waits for the next."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(" → ".join(names))
        self.names = names


def start_order(services: Iterable[Service]) -> tuple[Service, ...]:
    """`services` so that each follows those it needs or comes after, oneshots as early as that allows, then by name.

    Names of services that are not among them do not count. Raises CycleError.
    """
    by_name = {service.name: service for service in services}
    waiting = _waiting(by_name)
    # A daemon that a oneshot waits for starts as if it were one; all others come when everything is set up.
    early = setting_up(by_name.values())
    ready = [_rank(by_name[name], early) for name, before in waiting.items() if not before]
    heapq.heapify(ready)
    found: list[Service] = []
    followers: dict[str, list[str]] = {}
    for name, before in waiting.items():
        for other in before:
            followers.setdefault(other, []).append(name)
    while ready:
        *_, name = heapq.heappop(ready)
        found.append(by_name[name])
        for follower in followers.get(name, ()):
            waiting[follower].discard(name)
            if not waiting[follower]:
                heapq.heappush(ready, _rank(by_name[follower], early))
    if len(found) < len(by_name):
        raise CycleError(_cycle({name: before for name, before in waiting.items() if before}))
    return tuple(found)


def setting_up(services: Iterable[Service]) -> frozenset[str]:
    """The names of those that set the system up: oneshots, and all that they wait for, however far."""
    by_name = {service.name: service for service in services}
    waiting = _waiting(by_name)
    found: set[str] = set()
    todo = [name for name, service in by_name.items() if service.kind == "oneshot"]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += waiting[name]
    return frozenset(found)


def _waiting(by_name: Mapping[str, Service]) -> dict[str, set[str]]:
    """What each waits for, as far as it is there."""
    return {name: {other for other in service.before if other in by_name} for name, service in by_name.items()}


def _rank(service: Service, early: frozenset[str]) -> tuple[bool, bool, bool, str]:
    # What BusyBox init opens terminals after is all that comes before the first daemon.
    return service.name not in early, service.kind == "terminal", service.kind == "daemon", service.name


def _cycle(waiting: Mapping[str, set[str]]) -> tuple[str, ...]:
    """A cycle among services of which each waits for another; it begins with the first by name."""
    name = min(waiting)
    path: list[str] = []
    while name not in path:
        path.append(name)
        name = min(other for other in waiting[name] if other in waiting)
    circle = path[path.index(name) :]
    first = circle.index(min(circle))
    return (*circle[first:], *circle[:first], circle[first])
