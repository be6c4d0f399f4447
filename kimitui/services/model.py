"""What a service is: one program that runs, or one thing that is done, when the system starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["daemon", "oneshot", "terminal"]
Policy = Literal["always", "on-failure", "never"]

NAMESPACES = ("mount", "pid", "ipc", "uts", "net")
DEFAULT_NAMESPACES = ("mount", "pid", "ipc", "uts")


@dataclass(frozen=True)
class Directory:
    """A directory that is made before a service starts; `mode` is a number such as 0o750."""

    path: str
    mode: int
    user: str


@dataclass(frozen=True)
class Restart:
    """What happens when a daemon ends by itself.

    After `delay_seconds` it is started again, after twice that the next time, and so on; after `limit` times in a row
    no more.
    """

    policy: Policy = "always"
    limit: int = 5
    delay_seconds: int = 1


@dataclass(frozen=True)
class Service:
    """One service, the same for every init.

    A `daemon` is supervised, a `oneshot` is run once and may be undone by `stop`, a `terminal` is a program that owns
    the console and that init itself starts again. `command` and `stop` are in words, `ready` is a shell's command that
    succeeds as soon as the service can be used, "" where that is at once. `needs` are services that must be started
    before, `after` those that are started before where they are on at all.

    `namespaces`, `capabilities` (without "cap_"), `seccomp` (the name of a class, or system calls), `write` (paths) are
    the limits it runs within, and `limits` says, by the limit, why it cannot live with one. `ports` are such as
    "tcp/80". `container` says why it is left out in a container, "" if it is not; `insecure` why one should not use it,
    "" for no reason. `symbols` are those of the system tree that it needs, by preset section.
    """

    name: str
    kind: Kind
    command: tuple[str, ...]
    description: str = ""
    stop: tuple[str, ...] = ()
    ready: str = ""
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    user: str = "root"
    uid: int | None = None
    directories: tuple[Directory, ...] = ()
    environment: Mapping[str, str] | None = None
    restart: Restart = Restart()
    namespaces: tuple[str, ...] = DEFAULT_NAMESPACES
    capabilities: tuple[str, ...] = ()
    seccomp: str | tuple[str, ...] = ""
    write: tuple[str, ...] = ()
    limits: Mapping[str, str] | None = None
    sysctl: Mapping[str, str] | None = None
    symbols: Mapping[str, tuple[str, ...]] | None = None
    ports: tuple[str, ...] = ()
    container: str = ""
    insecure: str = ""

    @property
    def own_user(self) -> bool:
        """Whether it runs as a user that exists for it alone, and that bears its name."""
        return self.user == self.name

    @property
    def before(self) -> tuple[str, ...]:
        """All services that are started before it where they are on."""
        return tuple(dict.fromkeys((*self.needs, *self.after)))
