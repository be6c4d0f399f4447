"""What an object file is made of, as far as its size goes: sections, what each refers to, and the strings it shares."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from elftools.elf.elffile import ELFFile

_ALLOCATED, _WRITABLE, _CODE, _MERGE, _STRINGS, _THREAD = 0x2, 0x1, 0x4, 0x10, 0x20, 0x400
_SYMBOL = struct.Struct("<IBBHQQ")
_RELOCATION = struct.Struct("<QQq")
_UNDEFINED, _ABSOLUTE, _COMMON = 0, 0xFFF1, 0xFFF2
_FAR = 1 << 19  # half of what a program with all of BusyBox spans
# ELF for the Arm 64-bit architecture: R_AARCH64_CALL26, JUMP26; ADR_PREL_PG_HI21 and its _NC, ADR_GOT_PAGE,
# TLSIE_ADR_GOTTPREL_PAGE21; ADD_ABS_LO12_NC, LDST8 to LDST128_ABS_LO12_NC, LD64_GOT_LO12_NC,
# TLSIE_LD64_GOTTPREL_LO12_NC.
_ARM_BRANCHES, _ARM_PAGES = (282, 283), (275, 276, 311, 541)
_ARM_OFFSETS = (277, 278, 284, 285, 286, 299, 312, 542)
_AR_HEADER = struct.Struct("16s12s6s6s8s10s2s")


@dataclass(frozen=True)
class Section:
    """A section that takes memory.

    `kind` is what becomes of it: text, rodata, jumps (tables of jumps, read-only too), relro, data, bss, unwind, init.
    `refers` are symbols of other objects by name, and sections of this one by index; `pieces` are what a linker merges
    with equal pieces of other sections, which then do not count in `size_bytes`. `words` are the addresses in it that
    are known only at run time.
    """

    name: str
    kind: str
    size_bytes: int
    alignment: int
    refers: frozenset[str | int]
    pieces: tuple[bytes, ...] = ()
    words: int = 0


@dataclass(frozen=True)
class Object:
    """An object file: its sections by index, the symbols it defines, name → section, and which of those are weak."""

    sections: Mapping[int, Section]
    defines: Mapping[str, int]
    weak: frozenset[str]
    wants: frozenset[str]
    wants_weakly: frozenset[str] = field(default_factory=frozenset)


def read(content: bytes) -> Object:
    """The 64-bit little-endian object file in `content`."""
    elf: Any = ELFFile(io.BytesIO(content))
    headers = [section.header for section in elf.iter_sections()]
    names = [section.name for section in elf.iter_sections()]

    def data(index: int) -> bytes:
        header = headers[index]
        return content[header["sh_offset"] : header["sh_offset"] + header["sh_size"]]

    symbols: list[tuple[str, int, int]] = []  # name, binding, section
    for index, header in enumerate(headers):
        if header["sh_type"] == "SHT_SYMTAB":
            texts = data(header["sh_link"])
            for name, info, _other, section, _value, _size in _SYMBOL.iter_unpack(data(index)):
                symbols.append((texts[name : texts.index(b"\0", name)].decode(), info >> 4, section))
    refers: dict[int, set[str | int]] = {}
    words: dict[int, int] = {}
    for index, header in enumerate(headers):
        if header["sh_type"] != "SHT_RELA":
            continue
        found = refers.setdefault(header["sh_info"], set())
        for _offset, info, _addend in _RELOCATION.iter_unpack(data(index)):
            name, binding, section = symbols[info >> 32]
            if section in (_UNDEFINED, _COMMON) or binding:
                if name:
                    found.add(name)
            elif section != _ABSOLUTE:
                found.add(section)
            words[header["sh_info"]] = words.get(header["sh_info"], 0) + 1
    sections = {}
    for index, header in enumerate(headers):
        flags = header["sh_flags"]
        if not flags & _ALLOCATED or not header["sh_size"]:
            continue
        kind = _kind(names[index], header["sh_type"], flags)
        if kind == "rodata" and refers.get(index):
            kind = "jumps"  # nothing else that is read-only has addresses in it before it is linked
        pieces = tuple(_pieces(data(index), flags, header["sh_entsize"])) if kind == "rodata" else ()
        sections[index] = Section(
            name=names[index],
            kind=kind,
            size_bytes=0 if pieces else header["sh_size"],
            alignment=header["sh_addralign"],
            refers=frozenset(refers.get(index, ())),
            pieces=pieces,
            words=words.get(index, 0) if flags & _WRITABLE else 0,
        )
    return Object(
        sections=sections,
        defines={name: section for name, binding, section in symbols if binding and 0 < section < _ABSOLUTE},
        weak=frozenset(name for name, binding, section in symbols if binding == 2 and 0 < section < _ABSOLUTE),
        wants=frozenset(name for name, binding, section in symbols if name and section == 0 and binding == 1),
        wants_weakly=frozenset(name for name, binding, section in symbols if name and section == 0 and binding == 2),
    )


def text_of(content: bytes) -> bytes:
    """The code in an object file, with something in the place of addresses that packs no better than they would.

    Distances to what is called differ from one place to the next; left empty, they would all be the same.
    """
    elf: Any = ELFFile(io.BytesIO(content))
    address = _arm_address if elf["e_machine"] == "EM_AARCH64" else _distance
    headers = [section.header for section in elf.iter_sections()]
    relocated = {header["sh_info"]: header for header in headers if header["sh_type"] == "SHT_RELA"}
    found = []
    for index, section in enumerate(elf.iter_sections()):
        if not section.name.startswith(".text"):
            continue
        code = bytearray(section.data())
        if header := relocated.get(index):
            start = header["sh_offset"]
            for offset, info, _addend in _RELOCATION.iter_unpack(content[start : start + header["sh_size"]]):
                (word,) = struct.unpack_from("<I", code, offset)
                word = address(word, info & 0xFFFFFFFF, f"{section.name} {offset}", info >> 32)
                struct.pack_into("<I", code, offset, word)
        found.append(bytes(code))
    return b"".join(found)


def _distance(_word: int, _type: int, place: str, symbol: int) -> int:
    return (zlib.crc32(f"{place} {symbol}".encode()) % (2 * _FAR) - _FAR) & 0xFFFFFFFF


def _arm_address(word: int, type_: int, place: str, symbol: int) -> int:
    """An instruction for arm64 with an address in it: of what is called, of a page, or of a place on a page.

    The first differs from place to place. Which page it is, counted from here, differs between functions, and where on
    the page it is, is the same for all.
    """
    if type_ in _ARM_BRANCHES:
        return word | zlib.crc32(f"{place} {symbol}".encode()) % (_FAR // 2)
    if type_ in _ARM_PAGES:
        function = place.rpartition(" ")[0]
        return word | zlib.crc32(f"{function} {symbol}".encode()) % (_FAR >> 12) << 5
    if type_ in _ARM_OFFSETS:
        return word | zlib.crc32(str(symbol).encode()) % 4096 << 10
    return word


def members(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """The object files in an `ar` archive as GNU ar writes it, with their names."""
    assert archive.startswith(b"!<arch>\n")
    position, long_names = 8, b""
    while position + _AR_HEADER.size <= len(archive):
        name, _, _, _, _, size, _ = _AR_HEADER.unpack_from(archive, position)
        position += _AR_HEADER.size
        content = archive[position : position + int(size)]
        position += int(size) + int(size) % 2
        name = name.rstrip()
        if name == b"//":
            long_names = content
        elif name not in (b"/", b"/SYM64/"):
            if name.startswith(b"/"):
                start = int(name[1:])
                name = long_names[start : long_names.index(b"\n", start)]
            yield name.rstrip(b"/").decode(), content


def _kind(name: str, type_: str, flags: int) -> str:
    if type_ == "SHT_NOBITS":
        return "bss"
    if name.startswith(".eh_frame"):
        return "unwind"
    if type_ in ("SHT_INIT_ARRAY", "SHT_FINI_ARRAY") or name in (".init", ".fini", ".ctors", ".dtors"):
        return "init"
    if flags & _CODE:
        return "text"
    if not flags & _WRITABLE:
        return "rodata"
    return "relro" if name.startswith(".data.rel.ro") or flags & _THREAD else "data"


def _pieces(content: bytes, flags: int, entry_bytes: int) -> Iterator[bytes]:
    """What a linker merges, each piece once; a string that another one ends with is part of that."""
    if not flags & _MERGE or not entry_bytes:
        return
    if not flags & _STRINGS:
        unit = entry_bytes
        yield from dict.fromkeys(content[start : start + unit] for start in range(0, len(content), unit))
        return
    if entry_bytes != 1:
        return
    strings = sorted({text[::-1] for text in content.split(b"\0")[:-1]})
    for text, following in zip(strings, [*strings[1:], b""], strict=True):
        if not (following.startswith(text) and following):
            yield text[::-1] + b"\0"
