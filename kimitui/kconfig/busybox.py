"""BusyBox's upstream tree.

Its `Config.in` files are not in the source: `scripts/gen_build_files.sh` makes each from the `Config.src` beside it and
the `//config:` lines of the C files there. Nothing of upstream is run on the host, so that text work is done
here, straight from the archive, and gives the same bytes.
"""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from kimitui.errors import KimituiError, MachineError
from kimitui.kconfig.loader import load
from kimitui.kconfig.source_files import wanted_files
from kimitui.kconfig.types import Kconfig

ROOT = "Config.in"

_TEMPLATE = "Config.src"
_HEADER = b"# DO NOT EDIT. This file is generated from Config.src\n"
_MARK = b"//config:"


def extract_tree(archive_or_dir: Path, destination: Path) -> None:
    """Write the `Config.in` files of a BusyBox source, and nothing else, to the directory `destination`.

    The source is a tar archive, compressed or not, or an unpacked directory. `destination` appears whole or not at
    all; if it is there already, it stays as it is. Raises KimituiError if the source is no BusyBox source,
    MachineError if the files cannot be written.
    """
    files = _config_files(archive_or_dir)
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{destination.name}.", dir=destination.parent))
        try:
            for name, content in files.items():
                path = temporary / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            temporary.chmod(0o755)
            try:
                temporary.rename(destination)
            except OSError:
                if not (destination / ROOT).is_file():  # else another process was first, with the same files
                    raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise MachineError(
            f"cannot write BusyBox's Kconfig tree: {error.strerror or error}", where=destination
        ) from error


def load_tree(directory: Path) -> Kconfig:
    """The upstream tree in `directory`, as `extract_tree` writes it. Raises KimituiError if it is malformed."""
    return load(directory / ROOT)


def upstream_tree(archive_or_dir: Path, cache_dir: Path, digest: str) -> Kconfig:
    """The upstream tree of the source with `digest`, extracted to `<cache_dir>/trees/busybox-<digest>/` once.

    Raises as `extract_tree` and `load_tree` do.
    """
    directory = cache_dir / "trees" / f"busybox-{digest}"
    if not (directory / ROOT).is_file():
        extract_tree(archive_or_dir, directory)
    return load_tree(directory)


def _config_files(source: Path) -> dict[str, bytes]:
    """The generated files by path relative to the source."""
    root: bytes | None = None
    templates: dict[str, bytes] = {}
    lines: dict[str, list[tuple[str, bytes]]] = {}  # by directory: name of a C file and its lines
    try:
        for path, content in wanted_files(source, _is_wanted):
            directory, name = str(path.parent), path.name
            if str(path) == ROOT:
                root = content
            elif name == _TEMPLATE:
                templates[directory] = content
            elif found := _marked(content):
                lines.setdefault(directory, []).append((name, found))
    except (tarfile.TarError, EOFError, OSError) as error:
        raise KimituiError(f"cannot read the BusyBox source: {error}", where=source) from error
    if root is None or not templates:
        raise KimituiError("this is no BusyBox source: it has no Config.in or Config.src files", where=source)
    files = {ROOT: root}
    for directory, template in sorted(templates.items()):
        # The shell sorts `*.c` by bytes.
        inserted = b"".join(found for _, found in sorted(lines.get(directory, [])))
        files[f"{directory}/{ROOT}"] = _generate(template, inserted)
    return files


def _generate(template: bytes, inserted: bytes) -> bytes:
    """`template` with `inserted` in place of its line INSERT, or at its end if it has none."""
    before, mark, after = (b"\n" + template).partition(b"\nINSERT\n")
    before = before[1:] + b"\n" * bool(mark) if before else b""
    return _HEADER + before + inserted + after


def _marked(content: bytes) -> bytes:
    """The lines of a C file that begin with `//config:`, without that."""
    if _MARK not in content:
        return b""
    found = (line.removeprefix(_MARK) for line in content.split(b"\n") if line.startswith(_MARK))
    return b"".join(line + b"\n" for line in found)


def _is_wanted(path: PurePosixPath) -> bool:
    if any(part.startswith(".") for part in path.parts):
        return False  # upstream skips what is hidden; and nothing may lead out of the destination
    return path.suffix == ".c" or path.name == _TEMPLATE or str(path) == ROOT
