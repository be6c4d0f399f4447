"""How large `rootfs.tar` is: a header for everything, contents in whole blocks, two empty blocks at the end."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from kimitui.sizes.layout import up

BLOCK_BYTES = 512
# --blocking-factor=2 in builder/steps/rootfs.sh
_RECORD_BYTES = 2 * BLOCK_BYTES


def members_bytes(files: Iterable[int], others: int) -> int:
    """Bytes of members: regular files with their sizes, and `others` that are only a header (links, directories)."""
    return sum(BLOCK_BYTES + up(size, BLOCK_BYTES) for size in files) + BLOCK_BYTES * others


def deflated(content: bytes) -> int:
    """The bytes that deflate makes of something small by itself."""
    return len(zlib.compress(content, 9))


def archive_bytes(members: int) -> int:
    """The archive's size; `members` are the bytes of all its members."""
    return up(members + 2 * BLOCK_BYTES, _RECORD_BYTES)
