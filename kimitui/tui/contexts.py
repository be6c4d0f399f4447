"""Which bindings can be active at the same time: those of the app, of a screen, and of a list on it.

Imports every screen, so it is needed only by those who changed their keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.binding import BindingType

from kimitui.tui.app import KimituiApp
from kimitui.tui.screens.build import BuildScreen
from kimitui.tui.screens.changes import ChangesScreen
from kimitui.tui.screens.configure import ConfigureScreen
from kimitui.tui.screens.dotconfig import DotConfigScreen
from kimitui.tui.screens.start import StartScreen
from kimitui.tui.widgets.listing import Listing

_SCREENS = (StartScreen, ConfigureScreen, DotConfigScreen, ChangesScreen, BuildScreen)


def contexts() -> list[Sequence[Iterable[BindingType]]]:
    """The `BINDINGS` that belong together, by screen."""
    # What a screen declares comes before what the app does, which it may declare anew.
    return [(KimituiApp.BINDINGS, Listing.BINDINGS, screen.BINDINGS) for screen in _SCREENS]
