"""The keys of each screen in words, for the help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual.binding import BindingType
from textual.screen import Screen

from kimitui.tui.keymap import GROUPS, actions
from kimitui.tui.widgets.listing import Listing

Group = tuple[str, list[tuple[str, str]]]

MOUSE: Group = (
    "Mouse",
    [
        ("wheel", "scroll"),
        ("click", "put the cursor there; on a box: next value; on a name above: go there"),
        ("double click", "open, edit"),
    ],
)

SIGNS: Group = (
    "Signs",
    [
        ("[*] [ ]", "on, off"),
        ("<*> <M> < >", "on, a module, off"),
        ("-*- -M- - -", "on, a module, off, and cannot be changed now"),
        ("(•) ( )", "chosen, not chosen"),
        ("--->", "has options of its own"),
        ("~", "differs from what the preset extends; ~3 after a menu: three things in it do"),
        ("▸", "the cursor"),
    ],
)


def keys_of(screen: Screen[object], keymap: Mapping[str, tuple[str, ...]]) -> list[Group]:
    """The keys that do something on a screen, in groups, as they are mapped."""
    return [*groups([Listing.BINDINGS, screen.BINDINGS, screen.app.BINDINGS], keymap), MOUSE, SIGNS]


def groups(classes: Iterable[Iterable[BindingType]], keymap: Mapping[str, tuple[str, ...]]) -> list[Group]:
    """The named actions of `BINDINGS`, in groups."""
    found: dict[str, list[tuple[str, str]]] = {heading: [] for heading in GROUPS.values()}
    taken: set[str] = set()
    for bindings in classes:
        for action in actions(bindings, keymap):
            keys = [key for key in action.keys if key not in taken]
            taken.update(keys)
            if keys:
                found.setdefault(action.group, []).append((action.key_names, action.long_words))
    return [(heading, keys) for heading, keys in found.items() if keys]
