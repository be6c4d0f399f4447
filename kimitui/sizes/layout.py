"""How large a linked program's file is, from what is in it: what GNU ld's default scripts make of headers and pages."""

from __future__ import annotations

from dataclasses import dataclass

_PAGE_BYTES = 4096
_ELF_HEADER_BYTES, _PROGRAM_HEADER_BYTES, _SECTION_HEADER_BYTES = 64, 56, 64


@dataclass(frozen=True)
class Contents:
    """Bytes of a program by where they go; `imports` is what tells a loader of symbols that shared libraries define."""

    text: int
    rodata: int
    relro: int
    data: int
    imports: int = 0


@dataclass(frozen=True)
class Rules:
    """What differs between architectures and ways to link, read off the programs that were measured.

    `head_bytes` is the first segment's size without imports: headers, and relocations where there are any.
    `text_bytes` and `rodata_bytes` are what no object brings, the rates what comes with every byte: padding, and less
    for texts that end alike. `relro_bytes` are those of dynamic section and offset tables, `data_bytes` padding;
    `tail_bytes` is what follows the data: names of sections and their headers. `separate_code`: text begins on a page;
    `protected`: what is made read-only after start ends with one.
    """

    head_bytes: int
    text_bytes: int
    text_rate: float
    rodata_rate: float
    rodata_bytes: int
    relro_bytes: int
    data_bytes: int
    tail_bytes: int
    separate_code: bool
    protected: bool
    page_bytes: int = _PAGE_BYTES


def file_bytes(contents: Contents, rules: Rules) -> int:
    """The size of the file."""
    text = round(contents.text * (1 + rules.text_rate)) + rules.text_bytes
    rodata = round(contents.rodata * (1 + rules.rodata_rate)) + rules.rodata_bytes
    page = rules.page_bytes
    end = rules.head_bytes + contents.imports
    if rules.separate_code:
        end = up(up(end, page) + text, page)
    else:
        end += text
    end += rodata
    end += contents.relro + rules.relro_bytes
    if rules.protected:
        end = up(end, page)  # what is made read-only after start ends with a page
    end += contents.data + rules.data_bytes
    return up(end, 8) + rules.tail_bytes


def up(value: int, unit: int) -> int:
    """`value` rounded up to a multiple of `unit`."""
    return -(-value // unit) * unit
