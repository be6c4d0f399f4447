"""What compression makes of a program: measured section by section, and fitted to whole archives.

The compressed size of an image is not a constant share of it: code, texts and tables differ. So every section has a
measure of its own, the bytes that deflate needs for it after the 24 kB before it; and what a method makes of an
archive is a sum of those, with weights that follow from archives put together from the measured program.
"""

from __future__ import annotations

import io
import random
import tarfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from kimitui.sizes.compose import Key
from kimitui.sizes.objects import Object

METHODS = ("gzip", "zstd", "squashfs-zstd", "squashfs-xz", "squashfs-lz4", "squashfs-none")
_CONTEXT_BYTES = 24 * 1024
_PAGE = 4096


@dataclass(frozen=True)
class Archive:
    """A root file system put together for training: what is in it, and the deflated measures of that."""

    content: bytes
    text_packed: float
    other_packed: float
    links: int


def contents(program: Path, keys: Sequence[Key], objects: Mapping[str, Object]) -> list[tuple[bytes, bytes]]:
    """By node, its bytes in the linked program and those before it; empty where they are not found."""
    raw = program.read_bytes()
    elf: Any = ELFFile(io.BytesIO(raw))
    headers = [section.header for section in elf.iter_sections()]
    places: dict[str, list[tuple[int, int]]] = {}
    for symbol in elf.get_section_by_name(".symtab").iter_symbols():
        index = symbol["st_shndx"]
        if symbol["st_size"] and isinstance(index, int) and headers[index]["sh_type"] == "SHT_PROGBITS":
            offset = symbol["st_value"] - headers[index]["sh_addr"] + headers[index]["sh_offset"]
            places.setdefault(symbol.name, []).append((offset, symbol["st_size"]))
    rodata = elf.get_section_by_name(".rodata")
    base, texts = rodata["sh_offset"], rodata.data()
    found = []
    for owner, section in keys:
        if owner:
            name = section.rpartition(".text.")[2] if ".text." in section else _variable(section)
            size = _size_of(objects.get(owner), section)
            spots = places.get(name, [])
            at = next((spot for spot in spots if spot[1] == size), spots[0] if spots else None)
        else:
            position = texts.find(section.encode("latin-1"))
            at = (base + position, len(section)) if position >= 0 else None
        if at is None:
            found.append((b"", b""))
        else:
            found.append((raw[at[0] : at[0] + at[1]], raw[max(at[0] - _CONTEXT_BYTES, 0) : at[0]]))
    return found


def shares(found: Iterable[tuple[bytes, bytes]]) -> list[int]:
    """By node, what deflate leaves of its bytes, in per cent; 0 where they are not known."""
    result = []
    for content, before in found:
        if not content:
            result.append(0)
            continue
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        head = packer.compress(before)
        without = packer.copy()
        alone = len(head) + len(without.flush())
        whole = len(head) + len(packer.compress(content)) + len(packer.flush())
        result.append(max(1, round(100 * (whole - alone) / len(content))))
    return result


def archive(
    parts: Mapping[str, Iterable[bytes]], links: Sequence[str], files: Mapping[str, bytes], epoch: int
) -> bytes:
    """A root file system with a program of `parts` (text, rodata, data), `links` to it and `files` beside it."""
    body = b"".join(
        part + b"\0" * (-len(part) % _PAGE)
        for part in (b"\x7fELF", b"".join(parts["text"]), b"".join(parts["rodata"]), b"".join(parts["data"]))
    )
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.USTAR_FORMAT) as members:
        entries: dict[str, bytes | None] = {**files, "bin/busybox": body, **dict.fromkeys(links)}
        for name, content in sorted(entries.items()):
            member = tarfile.TarInfo(name)
            member.mtime, member.mode = epoch, 0o755 if content is body else 0o644
            if content is None:
                member.type, member.linkname, member.mode = tarfile.SYMTYPE, "/bin/busybox", 0o777
            else:
                member.size = len(content)
            members.addfile(member, io.BytesIO(content) if content is not None else None)
    return target.getvalue()


def fitted(archives: Sequence[Archive], sizes: Mapping[str, Sequence[int]]) -> dict[str, list[float]]:
    """By method, weights for: one, the program's text, what else is in it, a link. Least squares of relative errors."""
    result = {}
    for method, measured in sizes.items():
        rows = [
            [value / size for value in (1.0, one.text_packed, one.other_packed, float(one.links))]
            for one, size in zip(archives, measured, strict=True)
        ]
        result[method] = [round(weight, 5) for weight in _solved(rows)]
    return result


def _solved(rows: Sequence[Sequence[float]]) -> list[float]:
    """The weights with which every row sums up to 1 as nearly as can be: the normal equations, by elimination."""
    count = len(rows[0])
    matrix = [
        [sum(row[i] * row[j] for row in rows) for j in range(count)] + [sum(row[i] for row in rows)]
        for i in range(count)
    ]
    for i in range(count):
        pivot = max(range(i, count), key=lambda j: abs(matrix[j][i]))
        matrix[i], matrix[pivot] = matrix[pivot], matrix[i]
        for j in range(count):
            if j != i and matrix[i][i]:
                factor = matrix[j][i] / matrix[i][i]
                matrix[j] = [a - factor * b for a, b in zip(matrix[j], matrix[i], strict=True)]
    return [matrix[i][count] / matrix[i][i] if matrix[i][i] else 0.0 for i in range(count)]


def draws(count: int, names: Sequence[str], seed: int = 3) -> list[list[str]]:
    """Applets of training archives: as many as are wanted, uniform over how many there are in one."""
    draw = random.Random(seed)
    return [sorted(draw.sample(list(names), draw.randint(3, len(names)))) for _ in range(count)]


def _variable(section: str) -> str:
    for prefix in (".data.rel.ro.local.", ".data.rel.ro.", ".rodata.", ".data."):
        if section.startswith(prefix):
            return section.removeprefix(prefix)
    return section


def _size_of(content: Object | None, section: str) -> int:
    if content is None:
        return 0
    return next((one.size_bytes for one in content.sections.values() if one.name == section), 0)
