"""What compression makes of a program: measured section by section, and fitted to whole archives.

The compressed size of an image is not a constant share of it: code, texts and tables differ. So every section has a
measure of its own, the bytes that deflate needs for it after the 24 kB before it. They add up, as no method looks far
back for most of what it finds. What a method makes of an archive is a share of that sum, which becomes a little smaller
the larger the program is, and something for every member; all of it follows from the programs that were linked, and
from archives that are put together from the measured one.
"""

from __future__ import annotations

import io
import lzma
import random
import tarfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from kimitui.sizes.compose import Key, key_of
from kimitui.sizes.objects import Object
from kimitui.sizes.weights import UNPACKED

_CONTEXT_BYTES = 24 * 1024
_PAGE = 4096
_FILLED_BYTES = 16


@dataclass(frozen=True)
class Placed:
    """A node's bytes, where they begin in the linked program, and those before them; all empty if it is not there."""

    content: bytes = b""
    offset: int = 0
    before: bytes = b""


@dataclass(frozen=True)
class Archive:
    """A root file system put together for training.

    `packed` is what deflate leaves of the program and of the files beside it, `raw` what both are unpacked; `members`
    are the entries of the archive. `linked` is whether the program in it is one that was linked.
    """

    content: bytes
    packed: tuple[float, float]
    raw: tuple[float, float]
    members: int
    linked: bool


def contents(program: Path, keys: Sequence[Key], objects: Mapping[str, Object]) -> list[Placed]:
    """The nodes in the linked program."""
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
    sections = {
        key_of(name, content, index): content.sections[index]
        for name, content in objects.items()
        for index in content.sections
    }
    # Who has a string to itself; those of several are nodes.
    shared = {section.encode("latin-1") for owner, section in keys if not owner}
    found = []
    for owner, name in keys:
        section = sections.get((owner, name))
        own = [piece for piece in section.pieces if piece not in shared] if section else []
        if not owner or own:
            pieces = own or [name.encode("latin-1")]
            position = texts.find(pieces[0])
            found.append(_placed(raw, base + position, b"".join(pieces)) if position >= 0 else Placed())
            continue
        spots = places.get(name.rpartition(".text.")[2] if ".text." in name else _variable(name), [])
        size = section.size_bytes if section else 0
        # Several can have the same name; a section ends with what its last function or variable is filled up with.
        at = min(spots, key=lambda spot: abs(spot[1] - size), default=(0, 0))
        same = size and abs(at[1] - size) < _FILLED_BYTES
        found.append(_placed(raw, at[0], raw[at[0] : at[0] + at[1]]) if same else Placed())
    return found


def _placed(raw: bytes, offset: int, content: bytes) -> Placed:
    return Placed(content, offset, raw[max(offset - _CONTEXT_BYTES, 0) : offset])


def shares(found: Iterable[Placed]) -> list[int]:
    """By node, what deflate leaves of its bytes, in per cent; 0 where they are not known."""
    result = []
    for one in found:
        if not one.content:
            result.append(0)
            continue
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        head = packer.compress(one.before)
        without = packer.copy()
        alone = len(head) + len(without.flush())
        whole = len(head) + len(packer.compress(one.content)) + len(packer.flush())
        result.append(max(1, round(100 * (whole - alone) / len(one.content))))
    return result


def share(content: bytes) -> float:
    """What deflate leaves of something that has little before it."""
    return round(len(zlib.compress(content, 9)) / len(content), 4)


def packed_far(content: bytes) -> int:
    """The bytes that are left by a method that finds what is far apart."""
    return len(lzma.compress(content, format=lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "preset": 6}]))


def program(parts: Iterable[bytes]) -> bytes:
    """A program of parts that begin on pages."""
    return b"".join(part + b"\0" * (-len(part) % _PAGE) for part in (b"\x7fELF", *parts))


def archive(body: bytes, links: Sequence[str], files: Mapping[str, bytes], epoch: int) -> tuple[bytes, int]:
    """A root file system with the program `body`, `links` to it and `files` beside it; and how many members it has."""
    target = io.BytesIO()
    entries: dict[str, bytes | None] = {**files, "bin/busybox": body, **dict.fromkeys(links)}
    directories = {str(parent) for name in entries for parent in Path(name).parents}
    with tarfile.open(fileobj=target, mode="w", format=tarfile.USTAR_FORMAT) as members:
        for name in sorted({*entries, *directories} - {"."}):
            content = entries.get(name)
            member = tarfile.TarInfo(name)
            member.mtime, member.mode = epoch, 0o644
            if name in directories:
                member.type, member.mode = tarfile.DIRTYPE, 0o755
            elif content is None:
                member.type, member.linkname, member.mode = tarfile.SYMTYPE, "/bin/busybox", 0o777
            else:
                member.size = len(content)
                if content is body:
                    member.mode = 0o755
            members.addfile(member, io.BytesIO(content) if content is not None else None)
        count = len(members.getmembers())
    return target.getvalue(), count


def fitted(archives: Sequence[Archive], sizes: Mapping[str, Sequence[int]]) -> dict[str, list[float]]:
    """By method, its `Weights`: the least squares of relative errors.

    The programs that were linked say what share is left and how that changes as a program grows. What is put together
    lacks what a linker adds and packs a little otherwise, so it has such weights of its own, which no program that is
    built needs; it says what members take.
    """
    result = {}
    for method, measured in sizes.items():
        rows = []
        for one, size in zip(archives, measured, strict=True):
            program, beside = one.raw if method == UNPACKED else one.packed
            both = program + beside
            more = 0.0 if method == UNPACKED else program * both / 1e6
            always = 1.0 if method == UNPACKED else 0.0
            own = (0.0, 0.0, 0.0) if one.linked or method == UNPACKED else (1.0, both, program * both / 1e6)
            rows.append([value / size for value in (always, both, more, float(one.members), *own)])
        result[method] = [round(weight, 5) for weight in _solved(rows)[:-3]]
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
