"""What there is to say about a preset, as text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kimitui.last_build import LastBuild
from kimitui.preset_files import PresetFile
from kimitui.sizes.units import format_size
from kimitui.tui.outcome import shown_path
from kimitui.tui.texts import error_text
from kimitui.tui.widgets.panel import BLANK, Paragraph


def about_preset(file: PresetFile | None, builds: Sequence[LastBuild]) -> list[Paragraph]:
    """A preset and what was built from it; `file` is None where there is none."""
    if file is None:
        return [Paragraph("Presets are looked for in ./presets and among those that come with kimitui.")]
    if file.preset is None:
        assert file.error is not None
        return error_text(file.error)
    preset = file.preset
    said = sum(len(values) for values in preset.sections.values())
    base = f"extends {preset.extends}" if preset.extends else "extends nothing"
    text = [
        Paragraph(preset.name, "title"),
        Paragraph(f"{base} · sets {said} value{'' if said == 1 else 's'} itself", "dim"),
        Paragraph(shown_path(file.path), "dim"),
        BLANK,
        Paragraph(preset.description or "No description."),
    ]
    for build in builds:
        when = datetime.fromtimestamp(build.time).astimezone().strftime("%d %B %Y, %H:%M")
        text += [BLANK, Paragraph(f"Built for {build.arch}", "strong"), Paragraph(when, "dim")]
        width = max(map(len, build.artifacts), default=0)
        text += [
            Paragraph(f"{name:<{width}}  {format_size(size):>9}", verbatim=True)
            for name, size in build.artifacts.items()
        ]
    return text
