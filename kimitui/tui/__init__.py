"""The terminal user interface; the only place that imports textual."""

from __future__ import annotations

from pathlib import Path


def run(reference: str | None, *, cache_dir: Path, out_dir: Path, ascii_only: bool = False) -> int:
    """Open the configurator with the preset `reference`, or the list of presets; returns the exit code.

    `ascii_only` draws with ASCII characters alone. Raises KimituiError, before the screen is touched, if the preset
    cannot be opened.
    """
    from kimitui.tui.app import KimituiApp  # a command that shows no screen must not wait for textual

    app = KimituiApp(reference, cache_dir=cache_dir, out_dir=out_dir, ascii_only=ascii_only)
    app.run()
    return app.return_code or 0
