"""A screen as text that can be read in a diff: its characters, then a letter per cell that stands for a style."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment

from tests.pictures.stage import Line

_LETTERS = string.ascii_letters + string.digits
_RULE = "─" * 8


def as_text(lines: Sequence[Line]) -> str:
    """The text, with a list of the styles at its end.

    The most frequent style is a dot, the others are letters in the order in which they are first seen. What is blank,
    or dots, at the end of a line is left out.
    """
    cells = [[name for segment in line for name in [_style(segment)] * cell_len(segment.text)] for line in lines]
    counted = Counter(name for line in cells for name in line)
    background = max(counted, key=lambda name: counted[name])
    signs = {background: "."} | dict(zip((name for name in counted if name != background), _LETTERS, strict=False))
    characters = ["".join(segment.text for segment in line).rstrip() for line in lines]
    styles = ["".join(signs[name] for name in line).rstrip(".") for line in cells]
    legend = [f"{sign}  {name}" for name, sign in signs.items()]
    return "\n".join([*characters, _RULE, *styles, _RULE, *legend, ""])


def _style(segment: Segment) -> str:
    style = segment.style
    if style is None:
        return "none"
    if not segment.text.strip() and not style.reverse and not style.underline:
        style = style.background_style  # nobody sees the colour of a blank
    return str(style.without_color + style.from_color(style.color, style.bgcolor))
