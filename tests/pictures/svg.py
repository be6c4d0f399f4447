"""A screen as a picture: SVG that needs nothing from anywhere else.

Rich's own export sets lines further apart than letters are high, which tears vertical rules apart, and asks a foreign
host for its font.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple
from xml.sax.saxutils import escape

from rich.cells import cell_len
from rich.color import Color
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME

from tests.pictures.stage import Line

# Pixels. A letter of DejaVu Sans Mono is 0.602 em wide, its box-drawing characters are 1.164 em high: they fill a cell.
_WIDTH, _HEIGHT, _FONT_SIZE, _BASELINE = 10, 19, 16.61, 15
_MARGIN = 12
_BLANK = "\u00a0"  # several common ones would be drawn as one
# What comes after the first family is what a machine without it is likely to have.
_FONTS = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"


class _Look(NamedTuple):
    color: str
    background: str
    extra: str


class _Run(NamedTuple):
    column: int
    text: str
    look: _Look


def as_svg(lines: Sequence[Line], title: str) -> str:
    """The picture; the same bytes for the same lines."""
    runs = [list(_runs(line)) for line in lines]
    width = _WIDTH * sum(cell_len(segment.text) for segment in lines[0])
    height = _HEIGHT * len(lines)
    ground = Counter(run.look.background for line in runs for run in line for _ in run.text).most_common(1)[0][0]
    classes: dict[str, str] = {}
    drawn = [*_rectangles(runs, ground), *_texts(runs, classes)]
    styles = [f".{name} {{ {rules} }}" for rules, name in classes.items()]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + 2 * _MARGIN} {height + 2 * _MARGIN}">',
        f"<title>{escape(title)}</title>",
        "<style>",
        f"text {{ font: {_FONT_SIZE}px {_FONTS} }}",
        *styles,
        "</style>",
        f'<rect width="100%" height="100%" rx="8" fill="{ground}"/>',
        f'<g transform="translate({_MARGIN} {_MARGIN})">',
        *drawn,
        "</g>",
        "</svg>",
        "",
    ])  # fmt: skip


def _runs(line: Line) -> Iterator[_Run]:
    """Neighbours that look the same, as one."""
    column = 0
    for look, segments in groupby(((_look(segment.style), segment.text) for segment in line), itemgetter(0)):
        text = "".join(text for _, text in segments)
        yield _Run(column, text, look)
        column += cell_len(text)


def _look(style: Style | None) -> _Look:
    style = style or Style()
    color = (style.color or Color.default()).get_truecolor(DEFAULT_TERMINAL_THEME).hex
    background = (style.bgcolor or Color.default()).get_truecolor(DEFAULT_TERMINAL_THEME, foreground=False).hex
    if style.reverse:
        color, background = background, color
    rules = {"font-weight: bold": style.bold, "font-style: italic": style.italic}
    lines = {"underline": style.underline, "line-through": style.strike}
    extra = [rule for rule, on in rules.items() if on]
    if any(lines.values()):
        extra.append(f"text-decoration: {' '.join(name for name, on in lines.items() if on)}")
    return _Look(color, background, "; ".join(extra))


def _rectangles(runs: Sequence[Iterable[_Run]], ground: str) -> Iterator[str]:
    """Areas of one colour; what is below each other is one rectangle, so that no seams are seen between lines."""
    rows: dict[tuple[int, int, str], list[int]] = {}
    for row, line in enumerate(runs):
        for color, same in groupby(line, lambda run: run.look.background):
            pieces = list(same)
            if color != ground:
                columns = sum(cell_len(run.text) for run in pieces)
                rows.setdefault((pieces[0].column, columns, color), []).append(row)
    for (column, columns, color), below in rows.items():
        for _, together in groupby(enumerate(below), lambda numbered: numbered[1] - numbered[0]):
            first, *others = (row for _, row in together)
            yield (
                f'<rect x="{column * _WIDTH}" y="{first * _HEIGHT}" fill="{color}"'
                f' width="{columns * _WIDTH}" height="{(1 + len(others)) * _HEIGHT}"/>'
            )


def _texts(runs: Sequence[Iterable[_Run]], classes: dict[str, str]) -> Iterator[str]:
    for row, line in enumerate(runs):
        for run in line:
            text = run.text.rstrip()
            bare = text.lstrip()
            if not bare:
                continue
            rules = "; ".join(filter(None, (f"fill: {run.look.color}", run.look.extra)))
            name = classes.setdefault(rules, f"s{len(classes)}")
            column = run.column + cell_len(text) - cell_len(bare)
            yield (
                f'<text class="{name}" x="{column * _WIDTH}" y="{row * _HEIGHT + _BASELINE}"'
                f' textLength="{cell_len(bare) * _WIDTH}">{escape(bare.replace(" ", _BLANK))}</text>'
            )
