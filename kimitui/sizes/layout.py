"""How large a linked program's file is, from what is in it: what GNU ld's default scripts make of headers and pages."""

from __future__ import annotations

from dataclasses import dataclass

_PAGE_BYTES = 4096
_ELF_HEADER_BYTES, _PROGRAM_HEADER_BYTES, _SECTION_HEADER_BYTES = 64, 56, 64


@dataclass(frozen=True)
class Contents:
    """Bytes of a program by where they go; `unwind` and `got` as the linker makes them."""

    text: int
    rodata: int
    relro: int
    data: int


@dataclass(frozen=True)
class Rules:
    """What differs between architectures and ways to link, read off the programs that were measured.

    `head_bytes` is the first segment's size: headers, and relocations where there are any. `between` are the bytes of
    text and of read-only data that no object brings, `relro_bytes` those of dynamic section and offset tables.
    `tail_bytes` is what follows the data: names of sections and their headers. `separate_code`: text begins on a page.
    """

    head_bytes: int
    text_bytes: int
    rodata_bytes: int
    relro_bytes: int
    data_bytes: int
    tail_bytes: int
    separate_code: bool
    protected: bool
    page_bytes: int = _PAGE_BYTES


def file_bytes(contents: Contents, rules: Rules) -> int:
    """The size of the file."""
    page = rules.page_bytes
    end = rules.head_bytes
    if rules.separate_code:
        end = up(up(end, page) + contents.text + rules.text_bytes, page)
    else:
        end += contents.text + rules.text_bytes
    end += contents.rodata + rules.rodata_bytes
    end += contents.relro + rules.relro_bytes
    if rules.protected:
        end = up(end, page)  # what is made read-only after start ends with a page
    end += contents.data + rules.data_bytes
    return up(end, 8) + rules.tail_bytes


def up(value: int, unit: int) -> int:
    """`value` rounded up to a multiple of `unit`."""
    return -(-value // unit) * unit
