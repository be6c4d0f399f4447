"""The users that services run as, where they have one of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from kimitui.image_users import User
from kimitui.services.model import Service

_FIRST, _LAST = 300, 899
"""Numbers for services that name none: neither those of the system nor those of people."""


def accounts(services: Iterable[Service], others: Sequence[User]) -> tuple[User, ...]:
    """The users that the image needs besides `others`, and besides those that every image has.

    A number follows from the service's name, so that what it keeps on a disk is still its own when others come or go.
    """
    taken = {user.uid for user in others}
    names = {user.name for user in others}
    found = []
    for service in sorted(services, key=lambda one: (one.uid is None, one.name)):
        if not service.own_user or service.name in names:
            continue
        wanted = service.uid or _FIRST + _spread(service.name) % (_LAST + 1 - _FIRST)
        uid = next(n for n in (*range(wanted, _LAST + 1), *range(_FIRST, wanted)) if n not in taken)
        taken.add(uid)
        found.append(User(service.name, uid, "/", "/bin/false"))
    return tuple(sorted(found, key=lambda user: user.uid))


def _spread(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4])
