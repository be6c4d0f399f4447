"""What modules take where they are installed, by what they are compiled to; fitted to kernels that were built whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kimitui.sizes.linux.record import Installed, Measured
from kimitui.sizes.tarball import members_bytes

TABLES = {"orc": (10, 10 + 24), "sites": (4, 4 + 24)}
"""Tables: bytes of an entry in a linked kernel, and in a module, which keeps a relocation for each (Elf64_Rela: 24)."""

_TABLES_PACKED = 0.2
"""What a byte of them packs to where no kernel says it."""

NOTHING: Mapping[str, Any] = {
    "modules": [0.0, 0.0, 0.0],
    "builtin": [0.0, 0.0, 0.0],
    "tables": {kind: loaded / linked for kind, (linked, loaded) in TABLES.items()},
    "tables_packed": _TABLES_PACKED,
}
"""What there is to say where no kernel with modules has been measured."""

Contents = Mapping[str, float]
"""Bytes by kind."""


def fitted(whole: Sequence[Measured], contents: Callable[[Measured], tuple[Contents, Contents]]) -> dict[str, Any]:
    """What is installed for a byte of the modules' code and data, and for one of the kernel's own.

    The latter are the lists of what is built in; all else, the tables of aliases and symbols included, is in proportion
    to the modules. Three figures each: bytes, bytes in a tar archive, and bytes packed for one that the objects pack
    to. `tables` are bytes for one of these kinds that a linked kernel would have, `tables_packed` is what they pack to,
    each. `contents` are the kernel's and the modules' bytes by kind.
    """
    rows = []
    for kernel in whole:
        if kernel.modules:
            linked, own = contents(kernel)
            lists = _taken([file for file in kernel.modules if is_about_kernel(file)])
            installed = _taken([file for file in kernel.modules if not is_about_kernel(file)])
            tables = sum(NOTHING["tables"][kind] * own.get(kind, 0.0) for kind in TABLES)  # x86 has them
            rows.append((linked, own, lists, installed, tables))
    plain = [row for row in rows if not row[4]]
    packed = _ratio([(installed[2], own["packed"]) for _, own, _, installed, _ in plain or rows])
    told = [(installed[2] - packed * own["packed"], tables) for _, own, _, installed, tables in rows if tables]
    return {
        **NOTHING,
        "modules": [
            *(
                _ratio(
                    [(installed[which] - tables, own["code"] + own["rest"]) for _, own, _, installed, tables in rows]
                )
                for which in (0, 1)
            ),
            packed,
        ],
        "builtin": [
            *(
                _ratio([(lists[which], linked["code"] + linked["rest"]) for linked, _, lists, _, _ in rows])
                for which in (0, 1)
            ),
            _ratio([(lists[2], linked["packed"]) for linked, _, lists, _, _ in rows]),
        ],
        "tables_packed": max(_ratio(told), 0.0) if told and plain else _TABLES_PACKED,
    }


def _ratio(pairs: Sequence[tuple[float, float]]) -> float:
    total = sum(one for _, one in pairs)
    return round(sum(size for size, _ in pairs) / total, 5) if total else 0.0


def is_about_kernel(file: Installed) -> bool:
    """Whether a file lists what is built in."""
    return file.path.rpartition("/")[2].startswith("modules.builtin")


def _taken(files: Sequence[Installed]) -> tuple[int, int, int]:
    directories = {file.path.rpartition("/")[0] for file in files if file.path.endswith(".ko")}
    return (
        sum(file.size_bytes for file in files),
        members_bytes((file.size_bytes for file in files), len(directories)),
        sum(file.packed_bytes for file in files),
    )
