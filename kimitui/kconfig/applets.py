"""BusyBox's applets: the names under which they are called, and the symbols that bring them."""

from __future__ import annotations

from collections.abc import Mapping

from kimitui.kconfig.names import PREFIXES, Names, short

_PREFIX = PREFIXES["busybox"]
_NO_APPLETS = tuple(_PREFIX + start for start in ("FEATURE_", "ASH_", "HUSH_", "SH_IS_", "BASH_IS_"))
# Names that a choice gives to one of the shells, and the member that is meant if nothing else is said.
_CHOSEN = {"sh": f"{_PREFIX}SH_IS_ASH", "bash": f"{_PREFIX}BASH_IS_ASH"}


def applet_symbols(names: Names) -> Mapping[str, str]:
    """The symbol of every applet of the system tree, by the name under which it is called."""
    found = dict(_CHOSEN)
    for entry in names.entries.values():
        if entry.section == "busybox" and entry.type == "bool" and not entry.symbol.startswith(_NO_APPLETS):
            name = short(entry.prompt)
            if (" " not in name and name.islower()) or name in ("[", "[["):
                # Settings of an applet stand below it, and their prompts may begin with its name, too.
                found.setdefault(name, entry.symbol)
    return found
