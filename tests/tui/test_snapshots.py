"""Every screen as it looks, in a small and in a large terminal.

`pytest tests/tui/test_snapshots.py --snapshot-update` writes `__snapshots__/` anew; read what `git diff` then says.
"""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from tests.pictures.__main__ import DIRECTORY
from tests.pictures.scenes import PICTURES, SCENES, Picture
from tests.pictures.svg import as_svg
from tests.pictures.text import as_text


class ScreenFile(SingleFileSnapshotExtension):
    """A file per screen and size."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


@pytest.mark.parametrize("size", ["80x24", "120x40"])
@pytest.mark.parametrize("name", SCENES)
async def test_screen(name: str, size: str, snapshot: SnapshotAssertion) -> None:
    width, height = map(int, size.split("x"))
    lines = await SCENES[name].play((width, height))
    assert as_text(lines) == snapshot(extension_class=ScreenFile)


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
async def test_the_pictures_show_the_app_as_it_is(picture: Picture) -> None:
    shown = (DIRECTORY / f"{picture.name}.svg").read_text()
    assert shown == as_svg(await picture.lines(), picture.title), "make screenshots draws the pictures anew"


def test_there_are_no_other_pictures() -> None:
    names = {f"{picture.name}.{kind}" for picture in PICTURES for kind in ("svg", "png")}
    assert {path.name for path in DIRECTORY.iterdir()} == names
