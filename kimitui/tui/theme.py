"""Colours. Every state has a shape as well, so that nothing is lost without them."""

from __future__ import annotations

import os
from collections.abc import Mapping

from rich.style import Style
from textual.theme import Theme

DARK = Theme(
    name="kimitui-dark",
    primary="#6cb6d9",
    secondary="#8fa7c4",
    accent="#f0b35e",
    success="#86c98a",
    warning="#e8c46a",
    error="#f59089",
    foreground="#dde2ea",
    background="#14171d",
    surface="#1a1e26",
    panel="#232935",
    dark=True,
    variables={
        "dim": "#a3adbd",
        "rule": "#39414f",
        "cursor": "#264056",
        "cursor-blurred": "#262d39",
        "scrollbar": "#4a5466",
        "scrollbar-hover": "#5d6a80",
        "scrollbar-active": "#6cb6d9",
        "scrollbar-background": "#14171d",
        "scrollbar-background-hover": "#14171d",
        "scrollbar-background-active": "#14171d",
    },
)

LIGHT = Theme(
    name="kimitui-light",
    primary="#135a86",
    secondary="#42566e",
    accent="#8a4b00",
    success="#1d6328",
    warning="#7a4f00",
    error="#a81f1a",
    foreground="#1d232d",
    background="#fbfbf9",
    surface="#f4f5f7",
    panel="#e8ecf1",
    dark=False,
    variables={
        "dim": "#525d6c",
        "rule": "#bcc4cf",
        "cursor": "#cde4f5",
        "cursor-blurred": "#e4e9ef",
        "scrollbar": "#aeb8c5",
        "scrollbar-hover": "#8e9aaa",
        "scrollbar-active": "#135a86",
        "scrollbar-background": "#fbfbf9",
        "scrollbar-background-hover": "#fbfbf9",
        "scrollbar-background-active": "#fbfbf9",
    },
)

HIGH_CONTRAST = Theme(
    name="kimitui-high-contrast",
    primary="#8fe3ff",
    secondary="#d8d8d8",
    accent="#ffd24a",
    success="#8dff8d",
    warning="#fff27a",
    error="#ffc8c3",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    dark=True,
    variables={
        "dim": "#d0d0d0",
        "rule": "#ffffff",
        "cursor": "#00309c",
        "cursor-blurred": "#3a3a3a",
        "scrollbar": "#ffffff",
        "scrollbar-hover": "#ffffff",
        "scrollbar-active": "#ffd24a",
        "scrollbar-background": "#000000",
        "scrollbar-background-hover": "#000000",
        "scrollbar-background-active": "#000000",
    },
)

NO_COLOUR = Theme(
    name="kimitui-no-colour",
    primary="#ffffff",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    dark=True,
    variables={
        "dim": "#ffffff",
        "rule": "#ffffff",
        "cursor": "#000000",
        "cursor-blurred": "#000000",
        "input-cursor-text-style": "reverse",
        "input-cursor-background": "#000000",
        "input-cursor-foreground": "#ffffff",
    },
)
"""Only attributes of text. What colours there are here never reach the terminal: see `KimituiApp.get_line_filters`."""

THEMES = {"dark": DARK, "light": LIGHT, "high-contrast": HIGH_CONTRAST, "no-colour": NO_COLOUR}
"""By the name that users know."""

_LIGHT_BACKGROUNDS = ("7", "15")  # of the 16 colours of a terminal, white and bright white


def resolve(name: str) -> str:
    """The name of the theme that `name` stands for; `auto` follows NO_COLOR and, where it is set, COLORFGBG."""
    if name != "auto":
        return name
    if os.environ.get("NO_COLOR"):
        return "no-colour"
    # Set by rxvt, Konsole and others: "foreground;background", each the number of a colour.
    background = os.environ.get("COLORFGBG", "").rpartition(";")[2]
    return "light" if background in _LIGHT_BACKGROUNDS else "dark"


def styles_by_name(variables: Mapping[str, str], *, coloured: bool = True) -> dict[str, Style]:
    """The styles of pieces of lines, from a theme's variables; without colour, attributes take its place.

    They are no component classes, because Textual would match every one of them for every widget at every start.
    """
    if not coloured:
        return {
            "strong": Style(bold=True),
            "dim": Style(dim=True),
            "good": Style(),
            "warn": Style(bold=True),
            "bad": Style(bold=True),
            "accent": Style(bold=True),
            "value": Style(bold=True),
            "key": Style(bold=True),
            "title": Style(bold=True),
            "match": Style(bold=True, underline=True),
            "cursor": Style(reverse=True),
            "cursor-blurred": Style(underline=True),
        }

    def style(color: str, *, bold: bool | None = None, underline: bool | None = None) -> Style:
        return Style(color=variables[color], bold=bold, underline=underline)

    return {
        "strong": Style(bold=True),
        "dim": style("dim"),
        "good": style("success"),
        "warn": style("warning"),
        "bad": style("error"),
        "accent": style("accent", bold=True),
        "value": style("primary"),
        "key": style("primary", bold=True),
        "title": style("primary", bold=True),
        "match": style("accent", bold=True, underline=True),
        "cursor": Style(color=variables["foreground"], bgcolor=variables["cursor"], bold=True),
        "cursor-blurred": Style(color=variables["foreground"], bgcolor=variables["cursor-blurred"]),
    }
