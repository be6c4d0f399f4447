"""Colours. Every state has a shape as well, so that nothing is lost without them."""

from __future__ import annotations

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
