"""The keys of each screen in words, for the help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from textual.binding import BindingType
from textual.screen import Screen

from kimitui.tui.keymap import GROUPS, actions, key_name
from kimitui.tui.widgets.listing import Listing


@dataclass(frozen=True)
class KeyLine:
    """Keys and what they do; `action` is what keys.json5 calls it, "" for what cannot be changed."""

    keys: str
    words: str
    action: str = ""


@dataclass(frozen=True)
class Group:
    """Keys that belong together."""

    heading: str
    lines: tuple[KeyLine, ...]


_MOUSE = Group(
    "Mouse",
    (
        KeyLine("wheel", "scroll"),
        KeyLine("click", "put the cursor there; on a box: next value; on a name at the top: go to that menu"),
        KeyLine("double click", "open, edit"),
    ),
)

MENU_SIGNS = Group(
    "Signs",
    (
        KeyLine("[*]  [ ]", "on, off"),
        KeyLine("<*>  <M>  < >", "on, a module, off"),
        KeyLine("-*-  -M-  - -", "on, a module, off, and nothing else is possible now"),
        KeyLine("(•)  ( )", "chosen, not chosen"),
        KeyLine("--->", "has options of its own"),
        KeyLine("~  ~3", "differs from what the preset extends; three things in that menu do"),
    ),
)


BUILD_SIGNS = Group(
    "Signs",
    (
        KeyLine("•  ◦", "running, waiting"),
        KeyLine("✓  =", "done; cached, made by an earlier build"),
        KeyLine("○", "being made by another build"),
        KeyLine("✗  –", "failed, cancelled"),
        KeyLine("+ name", "what a step uses besides the one it hangs below"),
    ),
)


def keys_of(screen: Screen[object], keymap: Mapping[str, tuple[str, ...]]) -> list[Group]:
    """The keys that do something on a screen, in groups, as they are mapped, and what its `SIGNS` mean."""
    signs: Sequence[Group] = getattr(screen, "SIGNS", ())
    return [*groups([screen.BINDINGS, Listing.BINDINGS, screen.app.BINDINGS], keymap), _MOUSE, *signs]


def groups(classes: Iterable[Iterable[BindingType]], keymap: Mapping[str, tuple[str, ...]]) -> list[Group]:
    """The named actions of `BINDINGS` in groups; of two that have the same key, the first has it."""
    found: dict[str, list[KeyLine]] = {heading: [] for heading in GROUPS.values()}
    taken: set[str] = set()
    for bindings in classes:
        for action in actions(bindings, keymap):
            keys = [key for key in action.keys if key not in taken]
            taken.update(keys)
            names = "  ".join(map(key_name, keys))
            if keys or not action.keys:
                found.setdefault(action.group, []).append(KeyLine(names or "no key", action.long_words, action.id))
    return [Group(heading, tuple(lines)) for heading, lines in found.items() if lines]
