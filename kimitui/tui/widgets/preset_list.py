"""The presets as a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.cells import cell_len

from kimitui.preset_files import PresetFile
from kimitui.sizes.units import format_size
from kimitui.tui.widgets.draw import Piece
from kimitui.tui.widgets.listing import Listing


@dataclass(frozen=True)
class PresetLine:
    """A preset with the size of its last build, in bytes, or a heading."""

    file: PresetFile | None
    heading: str = ""
    size_bytes: int | None = None


def preset_lines(files: Sequence[PresetFile], sizes: Mapping[str, int]) -> list[PresetLine]:
    """The lines for `files`; `sizes` are by path. Headings tell whose they are, where there is more than one kind."""
    lines: list[PresetLine] = []
    headings = len({file.shipped for file in files}) > 1
    for shipped, group in groupby(files, key=lambda file: file.shipped):
        if headings:
            lines.append(PresetLine(None, "that come with kimitui" if shipped else "in ./presets"))
        lines += [PresetLine(file, "", sizes.get(str(file.path))) for file in group]
    return lines


class PresetList(Listing[PresetLine]):
    """Name and description, what it extends, and how large it was when it was built last."""

    def pieces(self, item: PresetLine, *, selected: bool) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """How a preset is drawn."""
        file = item.file
        if file is None:
            return [(f" {item.heading}", "dim")], ()
        width = max(cell_len(line.file.name) for line in self.items if line.file)
        name = f" {file.name:<{width}}  "
        if file.preset is None:
            return [(name, "strong"), ("✗ ", "bad"), ("cannot be read", "bad")], ()
        bases = [line.file.preset.extends or "" for line in self.items if line.file and line.file.preset]
        base = f"extends {file.preset.extends}" if file.preset.extends else ""
        right: list[Piece] = [(f" {base:<{len('extends ') + max(map(len, bases))}}", "dim")] if any(bases) else []
        if any(line.size_bytes is not None for line in self.items):
            size = "" if item.size_bytes is None else format_size(item.size_bytes)
            right.append((f"{size:>10}", "value"))
        return [(name, "strong"), (file.preset.description, "")], right

    def is_passed_over(self, item: PresetLine) -> bool:
        """Headings are."""
        return item.file is None
