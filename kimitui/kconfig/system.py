"""The system tree: everything the main menu offers."""

from __future__ import annotations

from functools import partial

from kimitui import resources
from kimitui.errors import MachineError
from kimitui.kconfig import stored
from kimitui.kconfig.loader import load
from kimitui.kconfig.types import Kconfig


def load_system_tree() -> Kconfig:
    """A fresh copy of the system tree, all values at their defaults. Raises KimituiError if it is malformed.

    What was parsed once is kept in the user's cache, if there is one.
    """
    root = resources.KCONFIG_DIR
    parse = partial(load, root / "Kconfig")
    try:
        cache = resources.cache_dir()
    except MachineError:  # a user without a home
        return parse()
    return stored.load(root, cache, parse)
