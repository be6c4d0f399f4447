# SPDX-License-Identifier: GPL-2.0-only
"""What each object of a built kernel takes, as JSON: sizes_linux.py BUILD_DIRECTORY MACHINE [OBJECT ...]

Without objects, those that vmlinux is linked from, and under "kallsyms" and "exports" what the build makes of all of
them: the names of functions, and what modules may use. Sizes are by kind of content (see KINDS); "packed" is
what zlib makes of an object's content by itself, which says how well it can be packed.
"""

import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

from sizes_elf import NOBITS, RELA, SYMTAB, sections, text

KINDS = ("text", "rodata", "data", "init", "tables", "orc", "zero", "exports", "relocations", "symbols", "names")
"""Bytes, but for relocations (absolute addresses) and symbols, which are counted; names are bytes of symbols' names."""

_ABSOLUTE = {"x86_64": {1, 10, 11}, "aarch64": {257}, "riscv64": {2}}
_PREFIXES = (
    (
        "text",
        (".text", ".noinstr", ".entry", ".sched", ".cpuidle", ".kprobes", ".softirqentry", ".irqentry", ".spinlock"),
    ),
    ("init", (".init", ".exit", ".head", ".ref", ".altinstr_aux", ".con_initcall", ".initcall")),
    ("rodata", (".rodata", ".data.rel.ro", ".data..ro_after_init", "__param_str")),
    ("data", (".data", ".sdata")),
    ("orc", (".orc_", ".init.orc_")),
    ("exports", (".export_symbol", "___ksymtab", "__ksymtab", "__kcrctab")),
)
_NOT_LINKED = (".discard", ".comment", ".modinfo", ".note", ".gnu", ".llvm", ".eh_frame", ".return_sites_dummy")


def kind_of(name: str) -> str:
    """The kind of a section's content."""
    for kind, prefixes in sorted(_PREFIXES, key=lambda one: one[0] != "orc"):
        if name.startswith(prefixes):
            return kind
    return "tables"


def measured(path: Path, machine: str) -> list[int]:
    """The sizes of an object, in the order of KINDS, and what it takes packed. Empty for what is no object."""
    content = path.read_bytes()
    every = sections(content)
    if not every:
        return []
    found = dict.fromkeys(KINDS, 0)
    kept: set[int] = set()
    packed = bytearray()
    for index, section in enumerate(every):
        if not section.is_loaded or section.name.startswith(_NOT_LINKED):
            continue
        if section.type == NOBITS:
            found["zero"] += section.size
            continue
        kind = kind_of(section.name)
        found[kind] += section.size
        if kind != "exports":
            kept.add(index)
            packed += section.of(content)
    for section in every:
        if section.type == RELA and section.info in kept:
            types = (one[1] & 0xFFFFFFFF for one in struct.iter_unpack("<QQq", section.of(content)))
            found["relocations"] += sum(one in _ABSOLUTE[machine] for one in types)
        elif section.type == SYMTAB:
            names = every[section.link].offset
            for at, info_byte, _other, where, _value, _size in struct.iter_unpack("<IBBHQQ", section.of(content)):
                if where in kept and info_byte & 15 == 2:
                    found["symbols"] += 1
                    found["names"] += len(text(content, names + at))
    return [*found.values(), len(zlib.compress(bytes(packed), 9)) if packed else 0]


def made_last(directory: Path, pattern: str, archive: Path) -> Path | None:
    """The newest file of a pattern; None if that is left over from a kernel that was built before `archive`."""
    times = {path: path.stat().st_mtime_ns for path in directory.glob(pattern)}
    newest = max(times, default=None, key=lambda path: times[path])
    return newest if newest and times[newest] >= archive.stat().st_mtime_ns else None


def main(directory: Path, machine: str, objects: list[str]) -> None:
    """Print the JSON."""
    if not objects:
        archive = directory / "vmlinux.a"
        objects = subprocess.run(
            ["ar", "t", archive], cwd=directory, check=True, capture_output=True, text=True
        ).stdout.split()
        objects = [str(Path(name).relative_to(directory)) if name.startswith("/") else name for name in objects]
        made = {
            "exports": made_last(directory, ".vmlinux.export.o", archive),
            "kallsyms": made_last(directory, ".tmp_vmlinux*.kallsyms.o", archive),
        }
    else:
        made = {}
    paths = {name: directory / name for name in objects} | {name: path for name, path in made.items() if path}
    result = {
        name: sizes for name, path in sorted(paths.items()) if path.exists() and (sizes := measured(path, machine))
    }
    json.dump({"kinds": [*KINDS, "packed"], "objects": result}, sys.stdout, separators=(",", ":"))


main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
