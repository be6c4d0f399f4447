"""Sizes as pictures: a treemap of an image, and a plot of estimates against what builds gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

import squarify

from kimitui.sizes.units import format_size

_WIDTH, _HEIGHT = 960, 600
_MARGIN = 64
_LEFT = 110  # with room for numbers
_HEAD = 22
_COLOURS = ("#4e79a7", "#59a14f", "#b07aa1", "#f28e2b", "#76b7b2", "#9c755f", "#e15759", "#edc948", "#bab0ac")
_STYLE = "font-family: system-ui, sans-serif; font-size: 12px"
_FIGURE_BYTES = 12  # roughly what a letter of that size takes in width, with room to spare


def treemap(title: str, groups: Mapping[str, Mapping[str, int]]) -> str:
    """An SVG picture in which every area is as large as the bytes it stands for; `groups` holds bytes by part."""
    totals = {name: sum(parts.values()) for name, parts in groups.items() if sum(parts.values())}
    names = sorted(totals, key=lambda name: (-totals[name], name))
    drawn = [_text(_WIDTH / 2, 16, f"{title}: {format_size(sum(totals.values()))}", anchor="middle", bold=True)]
    for number, (name, place) in enumerate(
        zip(names, _places([totals[name] for name in names], 0, 24, _WIDTH, _HEIGHT - 24), strict=True)
    ):
        colour = _COLOURS[number % len(_COLOURS)]
        drawn.append(_box(place, colour, f"{name}: {totals[name]:,} bytes"))
        drawn += _label(place, f"{name} {format_size(totals[name])}", bold=True)
        inner = _inside(place)
        parts = sorted((item for item in groups[name].items() if item[1] > 0), key=lambda item: (-item[1], item[0]))
        if inner and len(parts) > 1:
            for (part, size), spot in zip(parts, _places([size for _, size in parts], *inner), strict=True):
                drawn.append(_box(spot, colour, f"{part}: {size:,} bytes", opacity=0.55))
                drawn += _label(spot, part)
    return _svg(drawn)


def scatter(title: str, points: Sequence[tuple[str, int, int]]) -> str:
    """An SVG plot of (name, true bytes, estimated bytes); both axes are in bytes, from nothing on."""
    most = max((max(true, estimated) for _, true, estimated in points), default=1)
    step = _step(most)
    top = (most // step + 1) * step
    side = _HEIGHT - 2 * _MARGIN

    def x(size: float) -> float:
        return _LEFT + size / top * side

    def y(size: float) -> float:
        return _HEIGHT - _MARGIN - size / top * side

    drawn = [_text(_LEFT + side / 2, 28, title, anchor="middle", bold=True)]
    for tick in range(0, top + 1, step):
        drawn += [
            _line(x(tick), y(0), x(tick), y(top), "#dddddd"),
            _line(x(0), y(tick), x(top), y(tick), "#dddddd"),
            _text(x(tick), y(0) + 18, f"{tick:,}", anchor="middle"),
            _text(x(0) - 6, y(tick) + 4, f"{tick:,}", anchor="end"),
        ]
    drawn += [
        _line(x(0), y(0), x(top), y(top), "#888888"),
        _text(x(top / 2), y(0) + 40, "bytes that the build gave", anchor="middle"),
        _text(0, 0, "bytes that were estimated", anchor="middle", place=f"translate(14 {y(top / 2):.1f}) rotate(-90)"),
    ]
    for number, name in enumerate(dict.fromkeys(name for name, _, _ in points)):
        colour = _COLOURS[number % len(_COLOURS)]
        drawn.append(_text(_LEFT + side + 30, 80 + 20 * number, name))
        drawn.append(f'<circle cx="{_LEFT + side + 20}" cy="{76 + 20 * number}" r="4" fill="{colour}"/>')
        drawn += [
            f'<circle cx="{x(true):.1f}" cy="{y(estimated):.1f}" r="4" fill="{colour}" fill-opacity="0.7">'
            f"<title>{true:,} bytes, {estimated:,} estimated</title></circle>"
            for other, true, estimated in points
            if other == name
        ]
    return _svg(drawn)


Place = tuple[float, float, float, float]


def _places(sizes: Sequence[int], x: float, y: float, width: float, height: float) -> list[Place]:
    """Where the parts of a rectangle lie: left, top, width, height; `sizes` are in falling order."""
    normal = squarify.normalize_sizes(list(sizes), width, height)
    return [(r["x"], r["y"], r["dx"], r["dy"]) for r in squarify.squarify(normal, x, y, width, height)]


def _inside(place: Place) -> Place | None:
    x, y, width, height = place
    return (x + 3, y + _HEAD, width - 6, height - _HEAD - 3) if width > 30 and height > _HEAD + 20 else None


def _label(place: Place, text: str, *, bold: bool = False) -> list[str]:
    x, y, width, height = place
    room = int((width - 8) / (_FIGURE_BYTES * 0.6))
    if height < 16 or room < 3:
        return []
    shown = text if len(text) <= room else f"{text[: room - 1]}…"
    return [_text(x + 4, y + 15, shown, bold=bold)]


def _step(most: int) -> int:
    """A round distance between ticks, of which four to ten fit."""
    step = 1
    while most / step > 10:
        step *= 5 if str(step)[0] == "2" else 2
        if str(step)[0] == "4":
            step = step // 4 * 5
    return step


def _box(place: Place, colour: str, title: str, opacity: float = 0.35) -> str:
    x, y, width, height = place
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}" '
        f'fill-opacity="{opacity}" stroke="#ffffff"><title>{escape(title)}</title></rect>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", bold: bool = False, place: str = "") -> str:
    weight = ' font-weight="bold"' if bold else ""
    where = f' transform="{place}"' if place else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{weight}{where}>{escape(text)}</text>'


def _svg(drawn: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" style="{_STYLE}">'
    return "\n".join([head, f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>', *drawn, "</svg>"]) + "\n"
