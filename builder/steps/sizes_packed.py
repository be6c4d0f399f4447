# SPDX-License-Identifier: GPL-2.0-only
"""What compressors make of a built kernel: sizes_packed.py BUILD_DIRECTORY KERNEL_ARCH VMLINUX PAYLOAD RESULTS

`packed` in RESULTS is what they make of PAYLOAD, as scripts/Makefile.lib of Linux calls them, a line each. Where there
is `take-apart`, `pieces.json` has the parts of the kernel: a part costs what the whole is larger with it than with
zeros in its place, "plain" is what is left without all of them. That takes as long as packing the whole thirty times.
"""

import json
import os
import struct
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sizes_elf import Section, sections

PARTS = {
    "orc": (".orc_unwind",),
    "exports": ("__ksymtab", "__kcrctab"),
    "sites": (".return_sites", ".retpoline_sites", ".call_sites", ".ibt_endbr_seal"),
    "dynamic": (".rela.dyn", ".relr.dyn"),
    "symbols": (".dynsym", ".dynstr", ".hash", ".gnu.hash"),
}
"""The parts that are sections, by how their names begin."""

PACKERS = {
    "gzip": ("gzip", "-n", "-9"),
    "zstd": ("zstd", "--ultra", "-22", "--quiet"),
    "lz4": ("lz4", "-l", "-9", "-q", "-", "-"),
    "xz": ("sh", "/steps/linux-tree/linux/scripts/xz_wrap.sh"),
}

Place = tuple[int, int]
"""Where something begins in what is loaded, and its bytes."""


def names(system_map: str, loaded: bytes, places: list[tuple[Section, int]]) -> Place:
    """Where the names of functions are; nothing where there are none. `places` are where sections begin."""
    symbols = (line.split() for line in system_map.splitlines())
    addresses = {name: int(address, 16) for address, _, name in symbols if name.startswith("kallsyms_")}
    if "kallsyms_num_syms" not in addresses:
        return 0, 0
    first, last = addresses["kallsyms_num_syms"], addresses["kallsyms_seqs_of_names"]
    place = next(at + first - one.address for one, at in places if one.address <= first < one.address + one.size)
    (count,) = struct.unpack_from("<I", loaded, place)
    return place, last - first + 3 * count  # three bytes for each, as kallsyms.c reads them


def without(content: bytes, places: list[Place]) -> bytes:
    """The same with zeros in some places."""
    changed = bytearray(content)
    for at, length in places:
        changed[at : at + length] = bytes(length)
    return bytes(changed)


def packed(contents: Mapping[str, bytes], arch: str) -> dict[str, dict[str, int]]:
    """By name and compressor, the bytes that are left."""
    environment = {**os.environ, "SRCARCH": arch, "KCONFIG_CONFIG": "/build/linux/.config", "XZ": "xz"}

    def size(job: tuple[str, str]) -> int:
        done = subprocess.run(
            PACKERS[job[1]], input=contents[job[0]], stdout=subprocess.PIPE, check=True, env=environment
        )
        return len(done.stdout)

    jobs = [(name, packer) for name in contents for packer in PACKERS]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = dict(zip(jobs, pool.map(size, jobs), strict=True))
    return {name: {packer: found[name, packer] for packer in PACKERS} for name in contents}


def pieces(directory: Path, arch: str, vmlinux: Path) -> dict[str, dict[str, int]]:
    """By part, its bytes and what it costs; "whole" and "plain" are what there is with and without all of them."""
    program = vmlinux.read_bytes()
    loaded = bytearray()
    places = []
    for section in sections(program):
        if section.is_loaded:
            places.append((section, len(loaded)))
            loaded += section.of(program)
    whole = bytes(loaded)
    parts = {
        part: [(at, len(one.of(program))) for one, at in places if one.name.startswith(prefixes)]
        for part, prefixes in PARTS.items()
    }
    parts["names"] = [names((directory / "System.map").read_text(), whole, places)]
    sizes = {part: size for part, where in parts.items() if (size := sum(length for _, length in where))}
    contents = {"whole": whole, "plain": without(whole, [place for part in sizes for place in parts[part]])}
    contents |= {part: without(whole, parts[part]) for part in sizes}
    moved = directory / f"arch/{arch}/boot/compressed/vmlinux.relocs"
    if "CONFIG_X86_NEED_RELOCS=y" in (directory / ".config").read_text() and moved.exists():
        contents["relocations"] = whole + moved.read_bytes()
        sizes["relocations"] = moved.stat().st_size
    left = packed(contents, arch)
    costs = {part: {packer: abs(left["whole"][packer] - left[part][packer]) for packer in PACKERS} for part in sizes}
    totals = {name: {"bytes": len(whole), **left[name]} for name in ("whole", "plain")}
    return totals | {part: {"bytes": size, **costs[part]} for part, size in sizes.items()}


def main(directory: Path, arch: str, vmlinux: Path, payload: Path, results: Path) -> None:
    """Write the results."""
    (found,) = packed({"payload": payload.read_bytes()}, arch).values()
    (results / "packed").write_text("".join(f"{packer} {size}\n" for packer, size in found.items()))
    if (results / "take-apart").exists():
        (results / "pieces.json").write_text(json.dumps(pieces(directory, arch, vmlinux), indent=1))


main(Path(sys.argv[1]), sys.argv[2], *map(Path, sys.argv[3:6]))
