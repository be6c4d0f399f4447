"""The inits that start services, and how their commands are spoken to, so that the same tests hold for each."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from kimitui.build import sources
from kimitui.build.lock import load_lock
from kimitui.resources import cache_dir


@dataclass(frozen=True)
class Init:
    """An init, by its word in a preset.

    `listing` prints every service and how it is, `names` their names; `state`, a shell function, how one is, with the
    status that the init's own command has. `off` is how one that is not to start is called.
    """

    word: str
    listing: str
    names: str
    state: str
    off: str

    def states(self, listed: str) -> dict[str, str]:
        """How each service is, from what `listing` printed."""
        pattern = r"^(\S+) +\S+ +(.*)$" if self.word == "busybox" else r"^(\S+) = +(.*?) *$"
        return dict(re.findall(pattern, listed, re.MULTILINE))


BUSYBOX = Init(
    "busybox",
    listing="rc-status",
    names="rc-status | sed 's/ .*//'",
    state="state() { rc-service $1 status; }",
    off="off",
)
OPENRC = Init(
    "openrc",
    listing="rc-status --all --format ini",
    names="rc-service --list",
    state='state() { said=$(rc-service $1 status 2>&1); set -- $?; echo "${said##*: }"; return $1; }',
    off="stopped",
)


def cached(component: str) -> pytest.MarkDecorator:
    """Leaves a test out, by name and with the reason, where a component's archive is not in the source cache.

    For one that only its upstream has, which not every machine can reach.
    """
    cache = sources.SourceCache(cache_dir())
    archives = load_lock()[component].archives
    return pytest.mark.skipif(
        not any(cache.find(archive) for archive in archives),
        reason=f"{archives[0].file_name} is not in the source cache: kimitui sources add FILE",
    )


INITS = [pytest.param(BUSYBOX, id="busybox"), pytest.param(OPENRC, id="openrc", marks=cached("openrc"))]
