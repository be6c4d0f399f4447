"""How large a linked program's file is, from what is in it: what GNU ld's default scripts make of headers and pages."""

from __future__ import annotations

import math
from dataclasses import dataclass

PAGE_BYTES = 4096
_ADR_BYTES = 1 << 20  # how far away the ADR instruction finds an address


@dataclass(frozen=True)
class Contents:
    """Bytes of a program by where they go; `imports` is what tells a loader of symbols that shared libraries define.

    `bss` is in memory only.
    """

    text: int
    rodata: int
    relro: int
    data: int
    bss: int
    imports: int = 0

    @property
    def file_bytes(self) -> int:
        """What of it is in the file."""
        return self.text + self.rodata + self.relro + self.data + self.imports


@dataclass(frozen=True)
class Rules:
    """What differs between architectures and ways to link, read off the programs that were measured.

    `head_bytes` is the first segment's size without imports, `head_rate` what comes with every byte that is made
    read-only after start: headers, and relocations where there are any. `text_bytes` and `rodata_bytes` are what no
    object brings, the rates what comes with every byte: padding, and less for texts that end alike. `relro_bytes` are
    those of dynamic section and offset tables, `data_bytes` and `bss_bytes` padding; `tail_bytes` is what follows the
    data: names of sections and their headers. `separate_code`: text begins on a page; `protected`: what is made
    read-only after start ends with one. `page_bytes` are those of such a page. `erratum_rate` is what a linker adds on
    average to every byte of code of a large program, where Cortex-A53's erratum 843419 is worked around.
    """

    head_bytes: int
    text_bytes: int
    text_rate: float
    rodata_rate: float
    rodata_bytes: int
    relro_bytes: int
    data_bytes: int
    bss_bytes: int
    tail_bytes: int
    separate_code: bool
    protected: bool
    page_bytes: int = PAGE_BYTES
    head_rate: float = 0.0
    erratum_rate: float = 0.0


def file_bytes(contents: Contents, rules: Rules) -> int:
    """The size of the file."""
    text = round(contents.text * (1 + rules.text_rate)) + rules.text_bytes
    size = _file_bytes(contents, rules, text)
    # Instructions that use data, which are at the end, from where ADR does not reach them. More likely than not there
    # is one that concerns the erratum, and then the linker goes another way about all of them.
    beyond = size + contents.bss - _ADR_BYTES
    if beyond * rules.erratum_rate > PAGE_BYTES * math.log(2):
        return _file_bytes(contents, rules, text + round(text * rules.erratum_rate))
    return size


def _file_bytes(contents: Contents, rules: Rules, text: int) -> int:
    rodata = round(contents.rodata * (1 + rules.rodata_rate)) + rules.rodata_bytes
    page = rules.page_bytes
    end = rules.head_bytes + contents.imports + round(contents.relro * rules.head_rate)
    if rules.separate_code:
        end = up(up(end, page) + text, page)
    else:
        end += text
    end += rodata
    relro, data = contents.relro + rules.relro_bytes, contents.data + rules.data_bytes
    if rules.protected:
        end = up(end + relro, page)  # what is made read-only after start ends with a page
    else:
        end = _data_start(end, relro + data + contents.bss + rules.bss_bytes, page) + relro
    end += data
    return up(end, 8) + rules.tail_bytes


def _data_start(end: int, size: int, page: int) -> int:
    """Where the linker has writable data begin in the file: on a page of its own where that saves one in memory."""
    first, last = -end % page, (end + size) % page
    spans = end // page != (end + size) // page
    return up(end, page) if first and last and spans and first + last <= page else end


def up(value: int, unit: int) -> int:
    """`value` rounded up to a multiple of `unit`."""
    return -(-value // unit) * unit
