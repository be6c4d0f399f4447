"""Puts a built image into a container engine."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kimitui.build.arch import ARCHES, Arch
from kimitui.build.artifacts import stored
from kimitui.build.engines import daemon
from kimitui.build.engines.daemon import Place
from kimitui.errors import MachineError

# Whose programs a processor runs besides its own.
_ALSO_RUNS = {"amd64": ("386",)}


@dataclass(frozen=True)
class Loaded:
    """`references` are the image's names in the engine; `run` starts it, `locked_down` with nothing it does not need.

    `warning` is what stands in the way of starting it, None if nothing is known to.
    """

    engine: str
    references: tuple[str, ...]
    run: str
    locked_down: str
    warning: str | None


def check(place: Place, arch: Arch) -> str | None:
    """What stands in the way of running an image for `arch` in a daemon. Raises MachineError if it does not answer."""
    running = daemon.status(place).arch
    if running in (arch.oci, "") or arch.oci in _ALSO_RUNS.get(running, ()):
        return None
    name = next((known.name for known in ARCHES.values() if known.oci == running), running)
    return (
        f"the image is for {arch.name}, and {place.name} runs on {name}: there it starts only with an emulator "
        f"(qemu-user-static and binfmt_misc)"
    )


def load(directory: Path, place: Place, names: Sequence[str] = ()) -> Loaded:
    """Load the image among the artifacts in a directory into a daemon, which has it also under `names`.

    Raises UsageError where there is no image, MachineError where the daemon does not take it.
    """
    image = stored.read(directory)
    warning = check(place, image.arch)
    try:
        references = daemon.load(place, image.archive, names)
    except MachineError as error:
        if image.layer != "zstd" or error.fix:
            raise
        # Docker reads them since version 23; before, it takes them for a damaged tar.
        fix = "A daemon from before 2023 does not read layers in zstd: set image.compression to gzip."
        raise MachineError(error.what, where=image.archive, fix=fix) from error
    shown = (names or references)[0]
    return Loaded(
        place.name,
        references,
        run=shlex.join([place.name, "run", "--rm", "-it", shown]),
        locked_down=image.run_line(place.name, shown),
        warning=warning,
    )
