"""What is kept of a kernel that was measured."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kimitui.kconfig.explain import read_dotconfig

COMPRESSORS = ("GZIP", "XZ", "ZSTD", "LZ4")
"""What can pack a kernel, as the ends of its options' names."""

KINDS = ("code", "rest", "orc", "exports", "relocations", "names", "packed")
"""What an object is made of: bytes of code, of other content, of unwind tables and of what is kept for modules that use
it; absolute addresses and the letters of functions' names; what zlib makes of its content by itself."""

_OF = {
    "text": "code",
    "rodata": "rest",
    "data": "rest",
    "init": "rest",
    "tables": "rest",
    "orc": "orc",
    "exports": "exports",
    "relocations": "relocations",
    "names": "names",
    "packed": "packed",
}

_SECTION = re.compile(r"^ +\[ *\d+\] (\S+) +(\w+) +\w+ +(\w+) +(\w+) +\w+ +([A-Zlxop]*)", re.MULTILINE)
"""In what `readelf --section-headers --wide` prints: names, types, offsets, sizes, flags."""

_SECTION_HEADER_BYTES = 64
_OWN_SECTIONS = 2
"""The empty one that tables of sections begin with, and that of their names."""
_OWN_NAME = ".shstrtab"

_ORC = (".orc_unwind", ".orc_unwind_ip")
_SITES = (".return_sites", ".retpoline_sites", ".call_sites")
_SEALS = (".ibt_endbr_seal",)
_DYNAMIC = (".rela.dyn", ".relr.dyn")
_SYMBOLS = (".dynsym", ".dynstr", ".hash", ".gnu.hash")

FILES = (
    *("objects.json", "design.json", "kernel.config", "sections", "payload-bytes", "vmlinuz-bytes", "packed"),
    *("modules", "composition", "pieces.json"),
)
"""What a result is made of; where the first is, it is whole."""

Vector = tuple[int, ...]
"""Numbers in the order of KINDS."""


@dataclass(frozen=True)
class Installed:
    """A file below `lib/modules`: bytes, and bytes of it packed by itself with gzip."""

    path: str
    size_bytes: int
    packed_bytes: int


@dataclass(frozen=True)
class Measured:
    """A kernel. `values` are those of its `.config`; `objects` what it is linked from, by path.

    Of a sample there are only objects; for it the other sizes are 0. `packed_bytes` is by compressor; `modules` are
    files as they are installed, empty where modules were not measured, and `composition` has by module the objects that
    it is made of, both by path in the build, where no kernel was linked.
    """

    name: str
    use: str
    requested: Mapping[str, str]
    values: Mapping[str, str]
    objects: Mapping[str, Vector]
    payload_bytes: int
    vmlinuz_bytes: int
    packed_bytes: Mapping[str, int]
    orc_bytes: int = 0
    """What objtool has made for unwinding, of all objects."""
    sites_bytes: int = 0
    """What objtool lists of returns and indirect calls, which are changed while the kernel starts."""
    seals_bytes: int = 0
    """What it lists of places that nothing jumps to."""
    relocations_bytes: int = 0
    """What an x86 kernel that moves itself has behind its program; nothing of others."""
    dynamic_bytes: int = 0
    """Relocations in the program itself, as arm64 and riscv64 have them."""
    symbols_bytes: int = 0
    """What is for linking with others, which riscv64 leaves in a kernel that moves itself."""
    modules: Sequence[Installed] = ()
    composition: Mapping[str, Sequence[str]] = field(default_factory=dict)
    pieces: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By part of a kernel that was taken apart, its `bytes`, and by compressor, what it costs when it is packed."""

    def is_on(self, option: str) -> bool:
        """Whether an option is on, in the kernel or as a module."""
        return self.values.get(option, "n") != "n"

    def tristate(self, option: str) -> int:
        """An option's value: 0, 1 or 2 for n, m or y."""
        return {"y": 2, "m": 1}.get(self.values.get(option, "n"), 0)

    @property
    def option(self) -> str:
        """Of a kernel that tells of one option, which; its name ends with it."""
        return self.name.rpartition("-")[2]

    @property
    def compressor(self) -> str:
        """How its vmlinuz is packed."""
        chosen = (name.lower() for name in COMPRESSORS if self.values.get(f"KERNEL_{name}") == "y")
        return next(chosen, "gzip")


def read(directory: Path) -> Measured:
    """The result that `campaign` left in `directory`."""
    design = json.loads((directory / "design.json").read_text())
    found = json.loads((directory / "objects.json").read_text())
    values = read_dotconfig(directory / "kernel.config")
    sections = directory / "sections"
    rows = _SECTION.findall(sections.read_text()) if sections.exists() else []
    payload_bytes = _number(directory / "payload-bytes")
    packed = directory / "packed"
    lines = packed.read_text().split("\n") if packed.exists() else []
    return Measured(
        name=design["name"],
        use=design["use"],
        requested=design["requested"],
        values=values,
        objects={
            path: _vector(dict(zip(found["kinds"], sizes, strict=True))) for path, sizes in found["objects"].items()
        },
        payload_bytes=payload_bytes,
        vmlinuz_bytes=_number(directory / "vmlinuz-bytes"),
        packed_bytes={word: int(size) for word, size in (line.split() for line in lines if line)},
        orc_bytes=_section_bytes(rows, _ORC),
        sites_bytes=_section_bytes(rows, _SITES),
        seals_bytes=_section_bytes(rows, _SEALS),
        relocations_bytes=payload_bytes - _program_bytes(rows) if values.get("X86_NEED_RELOCS") == "y" and rows else 0,
        dynamic_bytes=_section_bytes(rows, _DYNAMIC),
        symbols_bytes=_section_bytes(rows, _SYMBOLS),
        modules=_installed(directory / "modules"),
        composition=_composition(directory / "composition"),
        pieces=json.loads(pieces.read_text()) if (pieces := directory / "pieces.json").exists() else {},
    )


def _vector(sizes: Mapping[str, int]) -> Vector:
    totals = dict.fromkeys(KINDS, 0)
    for kind, size in sizes.items():
        if kind in _OF:
            totals[_OF[kind]] += size
    return tuple(totals.values())


_Rows = Sequence[tuple[str, str, str, str, str]]


def _section_bytes(rows: _Rows, names: Sequence[str]) -> int:
    return sum(int(size, 16) for name, _type, _offset, size, _flags in rows if name in names)


def _program_bytes(rows: _Rows) -> int:
    """Bytes of an ELF file that has only those sections that are loaded, and what lists them."""
    loaded = [row for row in rows if "A" in row[4]]
    end = max(int(offset, 16) + int(size, 16) for _, type_, offset, size, _ in loaded if type_ != "NOBITS")
    names = sum(len(name) + 1 for name in ("", _OWN_NAME, *(row[0] for row in loaded)))
    return -(-(end + names) // 8) * 8 + _SECTION_HEADER_BYTES * (len(loaded) + _OWN_SECTIONS)


def _installed(listing: Path) -> tuple[Installed, ...]:
    lines = listing.read_text().splitlines() if listing.exists() else []
    rows = (line.split(" ", 2) for line in lines)
    return tuple(Installed(path, int(size), int(packed)) for size, packed, path in rows)


def _composition(listing: Path) -> dict[str, tuple[str, ...]]:
    lines = listing.read_text().splitlines() if listing.exists() else []
    return {module: tuple(objects) for module, *objects in map(str.split, lines)}


def _number(path: Path) -> int:
    return int(path.read_text()) if path.exists() else 0
