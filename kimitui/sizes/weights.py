"""What packing makes of a root file system, as `packing` has fitted it to archives."""

from __future__ import annotations

from dataclasses import dataclass

UNPACKED = "squashfs-none"
# They look back 32 and 64 kB; others see the whole program, or 256 kB of it.
NEAR = frozenset({"gzip", "squashfs-lz4"})


@dataclass(frozen=True)
class Weights:
    """What a method makes of an archive: `fixed`, so much of what deflate leaves, and bytes for each member.

    `more` is by how much the share changes for every million bytes that deflate leaves of the program. For `UNPACKED`,
    in the place of what deflate leaves is what there is.
    """

    fixed: float
    share: float
    more: float
    member: float

    def packed(self, program: float, beside: float, members: int) -> float:
        """The archive's bytes, from those that deflate leaves of the program and of what is beside it."""
        share = self.share + self.more * program / 1e6
        return self.fixed + share * (program + beside) + self.member * members
