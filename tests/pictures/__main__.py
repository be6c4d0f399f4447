"""Write the pictures of the README: `make screenshots`, or `python -m tests.pictures`.

`python -m tests.pictures record` records the build that they show anew.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from tests.pictures.recording import record
from tests.pictures.scenes import PICTURES
from tests.pictures.svg import as_svg

DIRECTORY = Path(__file__).parents[2] / "screenshots"
_ZOOM = "2"


async def svg_texts() -> dict[str, str]:
    """The pictures by name."""
    return {picture.name: as_svg(await picture.lines(), picture.title) for picture in PICTURES}


def write() -> None:
    """Write all pictures, and remove what is no picture any more."""
    DIRECTORY.mkdir(exist_ok=True)
    texts = asyncio.run(svg_texts())
    for path in DIRECTORY.iterdir():
        if path.stem not in texts:
            path.unlink()
    for name, text in texts.items():
        svg, png = DIRECTORY / f"{name}.svg", DIRECTORY / f"{name}.png"
        svg.write_text(text)
        drawn = subprocess.run(["rsvg-convert", "--zoom", _ZOOM, svg], stdout=subprocess.PIPE, check=True).stdout
        small = subprocess.run(["pngquant", "--strip", "-"], input=drawn, stdout=subprocess.PIPE, check=True).stdout
        png.write_bytes(small)
        print(f"{png.relative_to(DIRECTORY.parent)}  {len(small):,} B, {svg.name} {len(text.encode()):,} B")


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            write()
        case ["record"]:
            record()
        case _:
            sys.exit(__doc__)
