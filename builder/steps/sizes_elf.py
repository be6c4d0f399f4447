# SPDX-License-Identifier: GPL-2.0-only
"""The sections of an ELF file of 64 bits, little-endian, for scripts in the toolchain, which has no library for it."""

import struct
from typing import NamedTuple

ALLOCATED = 2
NOBITS, RELA, SYMTAB = 8, 4, 2


class Section(NamedTuple):
    """A section; `offset` is where its content begins in the file, `link` and `info` depend on `type`."""

    name: str
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int

    @property
    def is_loaded(self) -> bool:
        """Whether a program is loaded with it."""
        return bool(self.flags & ALLOCATED)

    def of(self, content: bytes) -> bytes:
        """The section's bytes; none where it only takes room once it is loaded."""
        return b"" if self.type == NOBITS else content[self.offset : self.offset + self.size]


def sections(content: bytes) -> list[Section]:
    """The sections of a file, by number; empty for what is no such file."""
    if content[:5] != b"\x7fELF\x02":
        return []
    (offset,) = struct.unpack_from("<Q", content, 40)
    size, count, names_at = struct.unpack_from("<HHH", content, 58)
    headers = [struct.unpack_from("<IIQQQQII", content, offset + size * number) for number in range(count)]
    names = headers[names_at][4]
    return [Section(text(content, names + name), *rest) for name, *rest in headers]


def text(content: bytes, at: int) -> str:
    """The text that begins somewhere, up to the first zero."""
    return content[at : content.index(b"\0", at)].decode()
