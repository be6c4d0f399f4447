"""Errors that a user can act on.

Every error that reaches the command line says what happened, where, and what to do. Anything else is a bug; --debug
shows its traceback.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Location:
    """A place in a file; `line` and `column` count from 1, 0 means the whole file."""

    path: Path
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" if self.line else str(self.path)


class KimituiError(Exception):
    """Base of all errors shown to users.

    `what` is one sentence without a final full stop, `where` the place it concerns, `fix` what to do about it
    (may be several lines), `details` further lines such as the end of a log.
    """

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        where: Location | Path | str | None = None,
        fix: str | None = None,
        details: tuple[str, ...] = (),
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix
        self.details = details

    def __str__(self) -> str:
        lines = [self.what]
        if self.where is not None:
            lines.append(f"  at {self.where}")
        lines += [f"  | {line}" for line in self.details]
        if self.fix:
            lines += [f"  {line}" for line in self.fix.splitlines()]
        return "\n".join(lines)


class BuildError(KimituiError):
    """The build or a check failed."""

    exit_code = 1


class UsageError(KimituiError):
    """The command line or a preset is wrong."""

    exit_code = 2


class PresetError(UsageError):
    """A preset file cannot be read, or asks for what cannot be."""


class MachineError(KimituiError):
    """The machine lacks something: a tool, a permission, space, the network."""

    exit_code = 3


class CancelledError(KimituiError):
    """The user interrupted the work."""

    exit_code = 130
