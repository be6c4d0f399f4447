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

_SECTION = re.compile(r"^ +\[ *\d+\] (\S+) +\w+ +\w+ +\w+ +(\w+)", re.MULTILINE)
"""In what `readelf --section-headers --wide` prints, names and sizes."""

_ORC = (".orc_unwind", ".orc_unwind_ip")
_SITES = (".return_sites", ".retpoline_sites", ".call_sites", ".ibt_endbr_seal")
_DYNAMIC = (".rela.dyn", ".relr.dyn")

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
    files as they are installed, empty where modules were not measured.
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
    """What objtool lists of places that are changed while the kernel starts."""
    dynamic_bytes: int = 0
    """Relocations in the program itself, as arm64 and riscv64 have them."""
    modules: Sequence[Installed] = ()
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
    packed = directory / "packed"
    lines = packed.read_text().split("\n") if packed.exists() else []
    return Measured(
        name=design["name"],
        use=design["use"],
        requested=design["requested"],
        values=read_dotconfig(directory / "kernel.config"),
        objects={
            path: _vector(dict(zip(found["kinds"], sizes, strict=True))) for path, sizes in found["objects"].items()
        },
        payload_bytes=_number(directory / "payload-bytes"),
        vmlinuz_bytes=_number(directory / "vmlinuz-bytes"),
        packed_bytes={word: int(size) for word, size in (line.split() for line in lines if line)},
        orc_bytes=_section_bytes(directory / "sections", _ORC),
        sites_bytes=_section_bytes(directory / "sections", _SITES),
        dynamic_bytes=_section_bytes(directory / "sections", _DYNAMIC),
        modules=_installed(directory / "modules"),
        pieces=json.loads(pieces.read_text()) if (pieces := directory / "pieces.json").exists() else {},
    )


def _vector(sizes: Mapping[str, int]) -> Vector:
    totals = dict.fromkeys(KINDS, 0)
    for kind, size in sizes.items():
        if kind in _OF:
            totals[_OF[kind]] += size
    return tuple(totals.values())


def _section_bytes(listing: Path, names: Sequence[str]) -> int:
    text = listing.read_text() if listing.exists() else ""
    return sum(int(size, 16) for name, size in _SECTION.findall(text) if name in names)


def _installed(listing: Path) -> tuple[Installed, ...]:
    lines = listing.read_text().splitlines() if listing.exists() else []
    rows = (line.split(" ", 2) for line in lines)
    return tuple(Installed(path, int(size), int(packed)) for size, packed, path in rows)


def _number(path: Path) -> int:
    return int(path.read_text()) if path.exists() else 0
