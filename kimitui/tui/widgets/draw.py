"""Drawing lines: pieces of text with named styles, laid out in a width."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

Piece = tuple[str, str]
"""A text and the name of its style, see `kimitui.tui.theme`; "" is the style of the line."""

ELLIPSIS = "…"

_ASCII = str.maketrans({
    "…": "...", "→": "->", "←": "<-", "›": ">", "▸": ">", "•": "*", "·": "-", "✓": "+", "✗": "x", "–": "-", "—": "-",
    "−": "-", "█": "#", "░": ".", "│": "|", "─": "-", "“": '"', "”": '"', "‘": "'", "’": "'", "≤": "<=", "≥": ">=",
    "×": "x", "↑": "^", "↓": "v", "↵": "Enter", "○": "o", "◦": ".", "├": "|", "└": "`",
})  # fmt: skip
# What a program prints may move the cursor or change colours; neither must reach the terminal.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


class Drawn(Widget):
    """A widget that draws its lines from pieces."""

    ALLOW_SELECT = False
    _base: Style | None = None

    @property
    def base(self) -> Style:
        """The style of a line; working it out for each line would take as long as drawing it."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    def notify_style_update(self) -> None:
        """Forget the style."""
        self._base = None
        super().notify_style_update()


def clean(text: str) -> str:
    """`text` as one line without control characters and escape sequences."""
    if text.isascii() and text.isprintable():
        return text
    return _CONTROLS.sub("", _ESCAPES.sub("", text.expandtabs()))


@lru_cache(maxsize=4096)
def to_ascii(text: str) -> str:
    """`text` with ASCII in place of what is not; a question mark where there is nothing like it."""
    return text if text.isascii() else text.translate(_ASCII).encode("ascii", "replace").decode()


def is_ascii(widget: Widget) -> bool:
    """Whether only ASCII may be drawn."""
    return bool(getattr(widget.app, "ascii_only", False))


def style_of(widget: Drawn, name: str, base: Style) -> Style:
    """The named style on top of `base`."""
    styles: Mapping[str, Style] = getattr(widget.app, "styles_by_name", {})
    return base + styles[name] if name in styles else base


def marked(text: str, style: str, marks: Collection[int]) -> list[Piece]:
    """`text` in pieces, so that the characters whose indices are `marks` stand out."""
    if not marks:
        return [(text, style)]
    pieces: list[Piece] = []
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or (end in marks) != (start in marks):
            pieces.append((text[start:end], "match" if start in marks else style))
            start = end
    return pieces


def fit(pieces: Iterable[Piece], width: int, ellipsis: str = ELLIPSIS) -> list[Piece]:
    """`pieces` cut to `width` cells; where something is cut off, the ellipsis says so."""
    result: list[Piece] = []
    left = width
    pieces = list(pieces)
    total = sum(cell_len(text) for text, _ in pieces)
    if total <= width:
        return pieces
    left -= cell_len(ellipsis)
    if left < 0:
        return [(set_cell_size(ellipsis, width), "")] if width > 0 else []
    for text, style in pieces:
        length = cell_len(text)
        if length <= left:
            result.append((text, style))
            left -= length
            continue
        cut = set_cell_size(text, left).rstrip()
        result.append((cut + ellipsis, style))
        break
    return result


def line(widget: Drawn, left: Sequence[Piece], right: Sequence[Piece], width: int, *, cursor: str = "") -> Strip:
    """One line: `left` cut to what `right` leaves of `width`, and `right` at the right edge.

    `cursor` names the style of a line that is selected, "" otherwise. `right` is left out where the line would
    become too narrow for `left` to be read.
    """
    ellipsis = ELLIPSIS
    if is_ascii(widget):
        left = [(to_ascii(text), style) for text, style in left]
        right = [(to_ascii(text), style) for text, style in right]
        ellipsis = "..."
    right_width = sum(cell_len(text) for text, _ in right)
    if right_width + 1 > width // 2:
        right, right_width = (), 0
    room = width - right_width - bool(right_width)
    shown = fit(left, room, ellipsis)
    base = widget.base
    if cursor:
        base = style_of(widget, cursor, base)
    gap = width - right_width - sum(cell_len(text) for text, _ in shown)
    segments: list[Segment] = []
    for text, style in (*shown, (" " * gap, ""), *right):
        # Blanks have no style of their own; some renderers of SVG swallow them at the begin of a styled text.
        bare = text.lstrip(" ")
        if len(bare) < len(text):
            segments.append(Segment(" " * (len(text) - len(bare)), base))
        if bare:
            segments.append(Segment(bare, style_of(widget, style, base)))
    return Strip(segments, width)


def wrap(text: str, width: int) -> list[str]:
    """`text`, which is one paragraph, in lines of at most `width` cells; longer words are broken."""
    lines: list[str] = []
    current = ""
    for word in text.split():
        while cell_len(word) > width:
            room = width - (cell_len(current) + 1 if current else 0)
            if room < width // 2:
                lines.append(current)
                current, room = "", width
            cut = len(set_cell_size(word, room).rstrip())
            lines.append(f"{current} {word[:cut]}" if current else word[:cut])
            current, word = "", word[cut:]
        if current and cell_len(current) + 1 + cell_len(word) > width:
            lines.append(current)
            current = word
        else:
            current = f"{current} {word}" if current else word
    if current:
        lines.append(current)
    return lines


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a help text, "" between them; lines that begin with blanks stay lines of their own."""
    result: list[str] = []
    joined: list[str] = []
    for raw in [*text.splitlines(), ""]:
        line_ = raw.rstrip()
        if line_ and not line_[0].isspace():
            joined.append(line_)
            continue
        if joined:
            result.append(" ".join(joined))
            joined = []
        if line_ or (result and result[-1]):
            result.append(line_)
    while result and not result[-1]:
        result.pop()
    return result
