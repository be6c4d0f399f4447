# SPDX-License-Identifier: GPL-2.0-only
"""What compressors make of parts of a built kernel, as JSON: sizes_pieces.py BUILD_DIRECTORY KERNEL_ARCH

A part costs what the whole is larger with it than with zeros in its place. "plain" is what is left without all of them.
"""

import json
import os
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SECTIONS = {
    "orc": (".orc_unwind",),
    "exports": ("__ksymtab", "__kcrctab"),
    "sites": (".return_sites", ".retpoline_sites", ".call_sites", ".ibt_endbr_seal"),
}
"""The parts that are sections, by how their names begin."""

_ALLOCATED, _NOBITS = 2, 8


def read(path: Path) -> tuple[bytes, list[tuple[str, int, int, int]]]:
    """A program's content as it is loaded, and its sections: name, address, place in the content, bytes."""
    content = path.read_bytes()
    (offset,) = struct.unpack_from("<Q", content, 40)
    size, count, names_at = struct.unpack_from("<HHH", content, 58)
    headers = [struct.unpack_from("<IIQQQQIIQQ", content, offset + size * i) for i in range(count)]
    names = headers[names_at][4]
    loaded = bytearray()
    found = []
    for name, type_, flags, address, start, length, *_rest in headers:
        if flags & _ALLOCATED and type_ != _NOBITS:
            at = names + name
            found.append((content[at : content.index(b"\0", at)].decode(), address, len(loaded), length))
            loaded += content[start : start + length]
    return bytes(loaded), found


def names(directory: Path, loaded: bytes, sections: list[tuple[str, int, int, int]]) -> tuple[int, int]:
    """Where the names of functions are in the content, and their bytes; none where there are none."""
    symbols = (line.split() for line in (directory / "System.map").read_text().splitlines())
    addresses = {name: int(address, 16) for address, _, name in symbols if name.startswith("kallsyms_")}
    if "kallsyms_num_syms" not in addresses:
        return 0, 0
    first, last = addresses["kallsyms_num_syms"], addresses["kallsyms_seqs_of_names"]
    place = next(at + first - start for _, start, at, length in sections if start <= first < start + length)
    (count,) = struct.unpack_from("<I", loaded, place)
    return place, last - first + 3 * count  # three bytes for each, as kallsyms.c reads them


def packers(arch: str) -> dict[str, tuple[list[str], dict[str, str]]]:
    """By compressor, how Linux calls it, and with what in the environment."""
    wrap = {"SRCARCH": arch, "KCONFIG_CONFIG": "/build/linux/.config", "XZ": "xz"}
    return {
        "gzip": (["gzip", "-n", "-9"], {}),
        "zstd": (["zstd", "--ultra", "-22", "--quiet"], {}),
        "lz4": (["lz4", "-l", "-9", "-q", "-", "-"], {}),
        "xz": (["sh", "/steps/linux-tree/linux/scripts/xz_wrap.sh"], wrap),
    }


def main(directory: Path, arch: str) -> None:
    """Print the JSON."""
    loaded, sections = read(directory / "vmlinux")
    places = {
        part: [(at, length) for name, _, at, length in sections if name.startswith(prefixes)]
        for part, prefixes in SECTIONS.items()
    }
    places["names"] = [names(directory, loaded, sections)]

    def without(*parts: str) -> bytes:
        changed = bytearray(loaded)
        for part in parts:
            for at, length in places[part]:
                changed[at : at + length] = bytes(length)
        return bytes(changed)

    sizes = {part: sum(length for _, length in where) for part, where in places.items()}
    there = [part for part, size in sizes.items() if size]
    contents = {"whole": loaded, "plain": without(*there), **{part: without(part) for part in there}}
    moved = directory / f"arch/{arch}/boot/compressed/vmlinux.relocs"
    if "CONFIG_X86_NEED_RELOCS=y" in (directory / ".config").read_text() and moved.exists():
        contents["relocations"] = loaded + moved.read_bytes()
        sizes["relocations"] = moved.stat().st_size

    def packed(job: tuple[str, str]) -> int:
        command, environment = packers(arch)[job[1]]
        done = subprocess.run(
            command, input=contents[job[0]], stdout=subprocess.PIPE, check=True, env={**os.environ, **environment}
        )
        return len(done.stdout)

    jobs = [(name, packer) for name in contents for packer in packers(arch)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = dict(zip(jobs, pool.map(packed, jobs), strict=True))
    result = {
        name: {"bytes": sizes.get(name, len(loaded))}
        | {
            packer: found[name, packer]
            if name in ("whole", "plain")
            else abs(found["whole", packer] - found[name, packer])
            for packer in packers(arch)
        }
        for name in contents
    }
    json.dump(result, sys.stdout, indent=1)


main(Path(sys.argv[1]), sys.argv[2])
