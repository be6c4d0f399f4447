"""A line to type in."""

from __future__ import annotations

from typing import Self

from textual.geometry import Region
from textual.widgets import Input


class LineEdit(Input):
    """Textual's line to type in, as wide as its place whatever is typed.

    Textual lays the whole screen out at every letter, because its own may be as wide as its text.
    """

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Paint it anew; `layout` changes nothing."""
        return super().refresh(*regions, repaint=repaint, recompose=recompose)
