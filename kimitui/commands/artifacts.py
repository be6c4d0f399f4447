"""What the commands share that take a preset, which is built first, or a directory of artifacts."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kimitui.commands.common import cache_of
from kimitui.errors import UsageError

if TYPE_CHECKING:
    from kimitui.build.engines import Choice
    from kimitui.config import Configuration


def add_image(parser: argparse.ArgumentParser) -> None:
    """What is meant, and the options of a build that may be needed first."""
    parser.add_argument(
        "image", metavar="PRESET|DIR", help="a preset, which is built first, or a directory of artifacts"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("out"), metavar="DIR", help="where artifacts go (default: out)"
    )
    parser.add_argument("--offline", action="store_true", help="use only what is cached")


def directory_of(
    options: argparse.Namespace,
    check: Callable[[Configuration], None],
    *,
    arch: str | None,
    engine: Choice = "auto",
    progress: str = "auto",
) -> Path:
    """The directory of artifacts; those of a preset are built first, if `check` has nothing against it.

    Raises UsageError for an `arch` with a directory, and what `check` and `build` raise.
    """
    if is_directory(options.image):
        if arch:
            raise UsageError("--arch is for presets; a directory holds what was built for one architecture")
        return Path(options.image)
    from kimitui.build.build import Request, build
    from kimitui.config import Configuration
    from kimitui.progress import reader

    config = Configuration.open(options.image, arch=arch)
    check(config)
    request = Request(
        config=config,
        cache_dir=cache_of(options),
        out_dir=options.out.absolute(),
        offline=options.offline,
        engine=engine,
    )
    with reader(progress) as emit:
        return build(request, emit=emit).directory


def is_directory(image: str) -> bool:
    """Whether a directory of artifacts is meant; where a preset has the same name, only if it is one."""
    from kimitui import preset
    from kimitui.build.artifacts import build_info
    from kimitui.errors import PresetError

    directory = Path(image)
    if not directory.is_dir():
        return False
    if "/" in image or (directory / build_info.NAME).is_file():
        return True
    try:
        preset.find(image)
    except PresetError:
        return True
    return False
