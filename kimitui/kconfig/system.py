"""The system tree: everything the main menu offers."""

from __future__ import annotations

from kimitui import resources
from kimitui.kconfig.loader import load
from kimitui.kconfig.types import Kconfig


def load_system_tree() -> Kconfig:
    """A fresh copy of the system tree, all values at their defaults. Raises KimituiError if it is malformed."""
    return load(resources.KCONFIG_DIR / "Kconfig")
