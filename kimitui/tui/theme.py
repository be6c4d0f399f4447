"""Colours. Every state has a shape as well, so that nothing is lost without them."""

from __future__ import annotations

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
    error="#f2837d",
    foreground="#dde2ea",
    background="#14171d",
    surface="#1a1e26",
    panel="#232935",
    dark=True,
    variables={
        "dim": "#8f99aa",
        "rule": "#39414f",
        "cursor": "#2c4a63",
        "cursor-blurred": "#262d39",
        "scrollbar": "#4a5466",
        "scrollbar-hover": "#5d6a80",
        "scrollbar-active": "#6cb6d9",
        "scrollbar-background": "#1a1e26",
        "scrollbar-background-hover": "#1a1e26",
        "scrollbar-background-active": "#1a1e26",
    },
)


def styles_by_name(variables: Mapping[str, str]) -> dict[str, Style]:
    """The styles of pieces of lines, from a theme's variables.

    They are no component classes, because Textual would match every one of them for every widget at every start.
    """

    def style(color: str, *, bold: bool | None = None) -> Style:
        return Style(color=variables[color], bold=bold)

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
        "cursor": Style(color=variables["foreground"], bgcolor=variables["cursor"], bold=True),
        "cursor-blurred": Style(color=variables["foreground"], bgcolor=variables["cursor-blurred"]),
    }
