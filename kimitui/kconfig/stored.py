"""A parsed tree, stored so that the next process need not parse it again.

The file is a pickle that may name kconfiglib's classes and nothing else, and counts only for the same files, the
same kconfiglib and the same Python. Whatever is wrong with it, the tree is parsed instead.
"""

from __future__ import annotations

import io
import os
import pickle
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import kconfiglib

from kimitui.kconfig.types import Kconfig

_CLASSES = {("kimitui.kconfig.loader", "StorableKconfig")} | {
    ("kconfiglib", name) for name in ("Symbol", "Choice", "MenuNode", "Variable")
}
# A menu node holds the next one, so a tree is as deep for pickle as it has nodes.
_DEPTH = 200_000
_STACK_BYTES = 256 << 20


def load(root: Path, cache: Path, parse: Callable[[], Kconfig]) -> Kconfig:
    """The tree that `parse` makes of the files below `root`, from `cache` if it is there, else put there.

    `root` holds all files of the tree, and nothing else may matter to `parse`. Where there is no directory `cache`,
    none is made: a command that only looks leaves nothing behind. Raises what `parse` raises.
    """
    directory = cache / "trees"
    path = directory / f"{root.name}-{_digest(root)}.pickle"
    try:
        return cast(Kconfig, _Unpickler(io.BytesIO(path.read_bytes())).load())
    except Exception:  # a damaged pickle may raise anything; it is parsed as if there were none
        tree = parse()
    if not cache.is_dir():
        return tree
    with suppress(OSError):
        _write(path, tree)
        for old in directory.glob(f"{root.name}-*.pickle"):
            if old != path:
                old.unlink(missing_ok=True)
    return tree


def _digest(root: Path) -> str:
    import hashlib

    library = Path(kconfiglib.__file__)
    found = hashlib.sha256(f"{sys.version}\n{library} {library.stat().st_mtime_ns}\n{root}\n".encode())
    for file in sorted(root.rglob("*")):
        if file.is_file():
            content = file.read_bytes()
            found.update(f"{file.relative_to(root)} {len(content)}\n".encode() + content)
    return found.hexdigest()[:24]


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _CLASSES:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not part of a tree")


def _write(path: Path, tree: Kconfig) -> None:
    import tempfile

    data: list[bytes] = []
    limit, stack_bytes = sys.getrecursionlimit(), threading.stack_size(_STACK_BYTES)
    sys.setrecursionlimit(_DEPTH)
    try:
        thread = threading.Thread(target=lambda: data.append(pickle.dumps(tree, pickle.HIGHEST_PROTOCOL)))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(stack_bytes)
        sys.setrecursionlimit(limit)
    path.parent.mkdir(exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".", dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(data[0])
    Path(name).replace(path)
