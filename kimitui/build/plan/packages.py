"""The steps of the packages: programs beside BusyBox, as the configuration has them on."""

from __future__ import annotations

import shlex
from pathlib import Path

from kimitui.build import packages
from kimitui.build.packages import Package
from kimitui.build.plan import hardened
from kimitui.build.plan.context import Context, builder_file
from kimitui.build.step import Step
from kimitui.errors import BuildError

_ELF = b"\x7fELF"


def steps(context: Context, libraries: tuple[Step, ...]) -> tuple[Step, ...]:
    """The step of each package that the image gets; `libraries` are what every program is compiled against.

    A step's output has the tree `root`, which is laid over the root file system, and in `unstripped` the same programs
    with their symbols.
    """
    return tuple(_step(context, package, libraries) for package in packages.installed(context.config))


def _step(context: Context, package: Package, libraries: tuple[Step, ...]) -> Step:
    every = packages.load()
    shared = ("package-lib.sh", *package.files)
    return Step(
        name=package.name,
        arch=context.arch.name,
        script=f"package-{package.name}.sh",
        sources=context.source(package.name),
        uses=(*libraries, *(_step(context, every[used], libraries) for used in package.uses)),
        parameters={
            **context.epoch,
            "TRIPLE": context.arch.triple,
            "VERSION": context.sources[package.name].version,
            "CFLAGS_TARGET": shlex.join(context.flags.compile),
            "LDFLAGS_TARGET": shlex.join(context.flags.link),
        },
        files={name: builder_file(f"steps/{name}") for name in shared},
        headers=package.symbol is None,
        verify=lambda output: _hardened(context, output),
    )


def _hardened(context: Context, output: Path) -> None:
    root, unstripped = output / "root", output / "unstripped"
    files = _files(unstripped)
    libraries = [path for path in files if ".so" in path.name]
    if files:
        hardened.check(context, context.static, [path for path in files if path not in libraries], libraries)
    for path in _files(root):
        with path.open("rb") as file:
            if file.read(len(_ELF)) == _ELF and unstripped / path.relative_to(root) not in files:
                raise BuildError(f"the step of {path.name} kept no symbols, so nobody can tell how it was built")


def _files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file() and not path.is_symlink())
