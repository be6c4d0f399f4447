"""The presets as a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.cells import cell_len

from kimitui.preset_files import PresetFile
from kimitui.sizes.units import format_size
from kimitui.tui.step_tree import step_tree
from kimitui.tui.widgets.draw import Piece
from kimitui.tui.widgets.listing import Listing


@dataclass(frozen=True)
class PresetLine:
    """A preset with the size of its last build, in bytes, or a heading.

    `branch` are the lines that lead to it from the one it extends.
    """

    file: PresetFile | None
    heading: str = ""
    size_bytes: int | None = None
    branch: str = ""


def preset_lines(files: Sequence[PresetFile], sizes: Mapping[str, int]) -> list[PresetLine]:
    """The lines for `files`; `sizes` are by path. Headings tell whose they are, where there is more than one kind."""
    lines: list[PresetLine] = []
    headings = len({file.shipped for file in files}) > 1
    for shipped, group in groupby(files, key=lambda file: file.shipped):
        if headings:
            lines.append(PresetLine(None, "that come with kimitui" if shipped else "in ./presets"))
        by_name = {file.name: file for file in group}
        bases = {name: _base(file, by_name) for name, file in by_name.items()}
        for placed in step_tree(bases):
            file = by_name[placed.name]
            lines.append(PresetLine(file, "", sizes.get(str(file.path)), placed.lines))
    return lines


class PresetList(Listing[PresetLine]):
    """Name and description, below what it extends, and how large it was when it was built last."""

    def pieces(self, item: PresetLine, *, selected: bool) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """How a preset is drawn."""
        file = item.file
        if file is None:
            return [(f" {item.heading}", "dim")], ()
        width = max(cell_len(line.branch + line.file.name) for line in self.items if line.file)
        named = [(" ", ""), (item.branch, "dim"), (f"{file.name:<{width - cell_len(item.branch)}}  ", "strong")]
        if file.preset is None:
            return [*named, ("✗ ", "bad"), ("cannot be read", "bad")], ()
        right: list[Piece] = []
        if any(line.size_bytes is not None for line in self.items):
            size = "" if item.size_bytes is None else format_size(item.size_bytes)
            right.append((f"{size:>9}", "value"))
        return [*named, (file.preset.description, "")], right

    def is_passed_over(self, item: PresetLine) -> bool:
        """Headings are."""
        return item.file is None


def _base(file: PresetFile, by_name: Mapping[str, PresetFile]) -> tuple[str, ...]:
    """The preset that `file` extends, if it is listed and listed before."""
    extends = file.preset.extends if file.preset else None
    names = list(by_name)
    if extends is None or extends not in by_name or names.index(extends) >= names.index(file.name):
        return ()
    return (extends,)
