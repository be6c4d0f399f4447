"""How a machine ended, and what went wrong if something did."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kimitui.errors import BuildError, KimituiError, MachineError

_PANIC = re.compile(r"Kernel panic - not syncing: ([^\r\n]*)")
_SAID = re.compile(r"^kimigayo: ([^\r\n]*)", re.MULTILINE)
_NO_MEMORY = re.compile(r"deadlocked on memory|out of memory|initrd is too large|can't allocate", re.IGNORECASE)
_MORE_MEMORY = "Give the machine more memory: --memory 128"


@dataclass(frozen=True)
class Ended:
    """QEMU's exit status, whether it was to be ended, the last the console printed, and what QEMU itself said."""

    status: int
    asked: bool
    printed: str
    complaints: tuple[str, ...]

    def problem(self) -> KimituiError | None:
        """What kept the machine from running; None if nothing did."""
        if self.asked:
            return None
        told = tuple(dict.fromkeys(_SAID.findall(self.printed)))
        panic = _PANIC.search(self.printed)
        short_of_memory = _NO_MEMORY.search("\n".join((self.printed, *self.complaints)))
        if short_of_memory and (panic or self.status):
            return BuildError("the machine has too little memory to start", details=self._tail(), fix=_MORE_MEMORY)
        if panic and told:  # the initramfs says why it ends
            return BuildError(f"the machine did not start: {told[0]}", fix="\n".join(told[1:]))
        if panic:
            return BuildError(f"the kernel stopped: {panic[1]}", details=self._tail())
        if self.status:
            return MachineError(f"QEMU failed (exit status {self.status})", details=self.complaints[-5:])
        if not self.printed.strip():
            return BuildError(
                "the machine stopped before the kernel said anything; its memory may be too small", fix=_MORE_MEMORY
            )
        return None

    def _tail(self) -> tuple[str, ...]:
        return tuple(line for line in self.printed.splitlines() if line.strip())[-8:] or self.complaints[-5:]
