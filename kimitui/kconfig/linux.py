"""Linux's upstream tree, one per architecture.

Its Kconfig files ask the compiler what it can do, by some hundred shell commands. None of them is run on the host:
what they print in the toolchain is recorded, by command, in `data/linux-macros-<arch>.json`, which
`tools/record-linux-macros` writes.

What is not asked for is off, as with upstream's `allnoconfig`: a kernel is the base (`builder/linux/*.config`), what
the configuration says, and nothing else.
"""

from __future__ import annotations

import json
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import kconfiglib

from kimitui import resources
from kimitui.errors import KimituiError, MachineError
from kimitui.kconfig.explain import read_dotconfig
from kimitui.kconfig.loader import Shell, load
from kimitui.kconfig.names import prompt_of
from kimitui.kconfig.source_files import wanted_files
from kimitui.kconfig.types import Kconfig

ROOT = "Kconfig"
MAKEFILE = "Makefile"

SRCTREE = "$(srctree)"
"""Stands for the directory of the source in recorded commands."""

# What upstream's MODULE_SIG_KEY has to be for a key that is made by the build.
_MADE_KEY = "certs/signing_key.pem"

_DATA = Path(__file__).with_name("data")
_VERSION = re.compile(r"^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION) *= *(\S*)$", re.MULTILINE)


@dataclass(frozen=True)
class _Platform:
    """An architecture as Linux' makefiles call it, and the prefix of its compiler."""

    name: str
    prefix: str


_PLATFORMS = {
    "x86_64": _Platform("x86", "x86_64-linux-gnu-"),
    "arm64": _Platform("arm64", "aarch64-linux-gnu-"),
    "riscv64": _Platform("riscv", "riscv64-linux-gnu-"),
    "i686": _Platform("x86", "i686-linux-gnu-"),
}

ARCHES = tuple(_PLATFORMS)
"""The architectures for which there are answers."""


def extract_tree(archive_or_dir: Path, destination: Path) -> None:
    """Write the Kconfig files and the top makefile of a Linux source to the directory `destination`.

    The source is a tar archive, compressed or not, or an unpacked directory; it serves all architectures.
    `destination` appears whole or not at all; if it is there already, it stays as it is. Raises KimituiError if the
    source is no Linux source, MachineError if the files cannot be written.
    """
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{destination.name}.", dir=destination.parent))
        try:
            for path, content in _files(archive_or_dir):
                target = temporary / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            if not ((temporary / ROOT).is_file() and (temporary / MAKEFILE).is_file()):
                raise KimituiError("this is no Linux source: it has no Kconfig or no Makefile", where=archive_or_dir)
            temporary.chmod(0o755)
            try:
                temporary.rename(destination)
            except OSError:
                if not (destination / ROOT).is_file():  # else another process was first, with the same files
                    raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise MachineError(f"cannot write Linux' Kconfig tree: {error.strerror or error}", where=destination) from error


def load_tree(directory: Path, arch: str, *, shell: Shell | None = None) -> Kconfig:
    """The upstream tree in `directory`, as `extract_tree` writes it, for one of `ARCHES`.

    `shell` answers the tree's commands; without it they are looked up in what is recorded. Raises KimituiError if the
    tree is malformed or asks what is not recorded.
    """
    directory = directory.absolute()
    return load(directory / ROOT, environment=environment(directory, arch), shell=shell or _recorded(directory, arch))


def upstream_tree(archive_or_dir: Path, cache_dir: Path, digest: str, arch: str) -> Kconfig:
    """The upstream tree of the source with `digest`, extracted to `<cache_dir>/trees/linux-<digest>/` once.

    Raises as `extract_tree` and `load_tree` do.
    """
    directory = cache_dir / "trees" / f"linux-{digest}"
    if not (directory / ROOT).is_file():
        extract_tree(archive_or_dir, directory)
    return load_tree(directory, arch)


def environment(directory: Path, arch: str) -> dict[str, str]:
    """What Linux' makefiles tell its Kconfig tree, with the toolchain's compiler for `arch`."""
    platform = _PLATFORMS[arch]
    binutils = ("LD", "AR", "NM", "STRIP", "OBJCOPY", "OBJDUMP", "READELF")
    return {
        "ARCH": platform.name,
        "SRCARCH": platform.name,
        "KERNELVERSION": _kernel_version(directory),
        "CROSS_COMPILE": platform.prefix,
        "CC": f"{platform.prefix}gcc",
        **{name: f"{platform.prefix}{name.lower()}" for name in binutils},
        "HOSTCC": "gcc",
        "PAHOLE": "pahole",
        "PYTHON3": "python3",
        "RUSTC": "rustc",
        "BINDGEN": "bindgen",
        "CONFIG_SHELL": "sh",
    }


def base(arch: str) -> dict[str, str]:
    """What every kernel has before the options, by symbol, as Kconfig values.

    Raises KimituiError, with the line, if `builder/linux/base.config` or the architecture's file is malformed.
    """
    return {name: value for path in base_files(arch) for name, value in read_dotconfig(path).items()}


def base_files(arch: str) -> tuple[Path, ...]:
    """The files of the base; a later one overrides the ones before it."""
    directory = resources.BUILDER_DIR / "linux"
    return directory / "base.config", directory / f"{arch}.config"


def beneath(tree: Kconfig, arch: str) -> dict[str, str]:
    """The values of `tree` beneath those of a configuration: everything off, and the base on top of that."""
    off = {
        symbol.name: "n"
        for symbol in tree.unique_defined_syms
        if symbol.orig_type in (kconfiglib.BOOL, kconfiglib.TRISTATE) and not symbol.choice and prompt_of(symbol)
    }
    return {**off, **base(arch)}


def makes_key(tree: Kconfig) -> bool:
    """Whether Linux' build would sign modules with a key that it makes itself, another one every time."""
    key = tree.syms["MODULE_SIG_KEY"]
    return bool(key.visibility) and key.str_value == _MADE_KEY


def is_text(tree: Kconfig, symbol: str) -> bool:
    """Whether a symbol of `tree` has a text as its value, which a `.config` file quotes."""
    found = tree.syms.get(symbol)
    return found is not None and found.orig_type == kconfiglib.STRING


def answers_file(arch: str) -> Path:
    """Where the answers for `arch` are recorded."""
    return _DATA / f"linux-macros-{arch}.json"


def _recorded(directory: Path, arch: str) -> Shell:
    path = answers_file(arch)
    recorded: Mapping[str, str] = json.loads(path.read_text(encoding="utf-8"))["answers"]

    def answer(command: str) -> str:
        command = command.replace(str(directory), SRCTREE)
        try:
            return recorded[command]
        except KeyError:
            raise KimituiError(
                "this Linux source asks the compiler something of which no answer is recorded",
                where=directory,
                details=(command,),
                fix=f"After a change of the version, record the answers again: tools/record-linux-macros ({path.name})",
            ) from None

    return answer


def _kernel_version(directory: Path) -> str:
    path = directory / MAKEFILE
    try:
        parts = dict(_VERSION.findall(path.read_text(encoding="utf-8")))
        return f"{parts['VERSION']}.{parts['PATCHLEVEL']}.{parts['SUBLEVEL']}{parts.get('EXTRAVERSION', '')}"
    except (OSError, UnicodeDecodeError, KeyError) as error:
        raise KimituiError("this is no Linux source: its Makefile names no version", where=path) from error


def _is_wanted(path: PurePosixPath) -> bool:
    if any(part.startswith(".") for part in path.parts):
        return False  # nothing may lead out of the destination
    return path.name.startswith("Kconfig") or str(path) == MAKEFILE


def _files(source: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    try:
        yield from wanted_files(source, _is_wanted)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise KimituiError(f"cannot read the Linux source: {error}", where=source) from error
