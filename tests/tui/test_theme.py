from __future__ import annotations

import pytest
from textual.color import Color

from kimitui.tui import settings, theme
from tests.tui.conftest import Start

COLOURED = [name for name in theme.THEMES if name != "no-colour"]


def test_every_theme_can_be_asked_for() -> None:
    assert {"auto", *theme.THEMES} == set(settings.THEMES)


async def test_every_theme_shows_every_screen(start: Start) -> None:
    for name in theme.THEMES:
        async with start(theme_choice=name) as user:
            assert user.app.theme_choice == name
            await user.press("enter", "colon", "escape", "slash", "e", "escape", "d", "escape", "question_mark")


@pytest.mark.parametrize("name", COLOURED)
async def test_text_can_be_read_on_everything_it_stands_on(start: Start, name: str) -> None:
    least = 7 if name == "high-contrast" else 4.5  # WCAG 2.2, 1.4.6 and 1.4.3
    async with start(theme_choice=name) as user:
        variables = user.app.get_css_variables()
        for key, style in user.app.styles_by_name.items():
            for ground in ("background", "surface", "panel", "cursor", "cursor-blurred"):
                color = Color.from_rich_color(style.color) if style.color else Color.parse(variables["foreground"])
                assert contrast(color, Color.parse(variables[ground])) >= least, f"{key} on {ground}"


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio as WCAG 2.2 defines it."""

    def luminance(color: Color) -> float:
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color.normalized]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


async def test_no_color_means_none(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with start() as user:
        assert user.app.theme_choice == "no-colour"
        strips = user.app.screen._compositor.render_strips()
        styles = [segment.style for strip in strips for segment in strip if segment.style]
        assert all(color is None or color.is_default for style in styles for color in (style.color, style.bgcolor)), (
            "a colour reaches the terminal"
        )
        assert any(style.reverse for style in styles), "the cursor is not to be seen"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "dark"),
        ({"COLORFGBG": "0;15"}, "light"),
        ({"COLORFGBG": "15;default;0"}, "dark"),
        ({"COLORFGBG": "0;15", "NO_COLOR": "1"}, "no-colour"),
        ({"NO_COLOR": ""}, "dark"),
    ],
)
def test_auto(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str) -> None:
    for name in ("NO_COLOR", "COLORFGBG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert theme.resolve("auto") == expected and theme.resolve("light") == "light"


async def test_the_hint_for_beginners_is_shown_once_and_the_first_key_takes_it_away(start: Start) -> None:
    async with start(None) as user:
        assert "First time here?" in user.bar("message")
        await user.press("down")
        assert user.bar("message") == ""
    async with start(None) as user:
        assert user.bar("message") == ""
