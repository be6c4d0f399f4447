"""Which key does what: as it is declared, as users change it in keys.json5, and in words.

An action is named by the `id` of its binding, `list.down` or `file.save`. The bindings that can be active at the same
time form a context; within one, a key does one thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from textual.binding import Binding, BindingType
from textual.keys import Keys, format_key, key_to_character

from kimitui.errors import KimituiError, Location, UsageError

Keymap = dict[str, tuple[str, ...]]
"""Action to keys, as Textual names them."""

NO_KEY = "no-key"
"""What an action without a key is bound to: Textual takes an empty list of keys for "as declared"."""

_NAMES = {
    "up": "↑", "down": "↓", "left": "←", "right": "→", "pageup": "PgUp", "pagedown": "PgDn", "escape": "Esc",
    "enter": "Enter", "backspace": "Backspace", "delete": "Del", "minus": "-", "plus": "+",
}  # fmt: skip
_ALIASES = {
    "pgup": "pageup", "pgdn": "pagedown", "esc": "escape", "return": "enter", "del": "delete", "ins": "insert",
    "?": "question_mark", "/": "slash", ":": "colon", "*": "asterisk", " ": "space",
}  # fmt: skip
_KNOWN = {str(key.value) for key in Keys}
_MODIFIERS = ("ctrl", "shift", "alt", "super", "hyper", "meta")

GROUPS = {
    "list": "Moving",
    "menu": "Menus",
    "edit": "Values",
    "help": "Panel",
    "size": "Sizes",
    "preset": "Preset and image",
    "file": "File",
    "changes": "Changes",
    "start": "Presets",
    "build": "Build",
    "log": "Log",
    "app": "Everywhere",
}
"""The first word of an action's name, and what is written over the actions that have it."""


@dataclass(frozen=True)
class ActionKeys:
    """An action in words, and its keys."""

    id: str
    action: str
    words: str
    long_words: str
    keys: tuple[str, ...]

    @property
    def group(self) -> str:
        """What it belongs to."""
        return GROUPS.get(self.id.partition(".")[0], "Further")

    @property
    def key_names(self) -> str:
        """The keys as they are shown, "" if there is none."""
        return "  ".join(map(key_name, self.keys))


def actions(bindings: Iterable[BindingType], keymap: Mapping[str, tuple[str, ...]]) -> list[ActionKeys]:
    """The named actions of a class's `BINDINGS`, with the keys that they have now."""
    result: dict[str, ActionKeys] = {}
    for binding in bindings:
        if not isinstance(binding, Binding) or not binding.id:
            continue
        before = result[binding.id].keys if binding.id in result else ()
        keys = keymap.get(binding.id, (*before, *_keys_of(binding)))
        long_words = binding.tooltip or binding.description
        result[binding.id] = ActionKeys(binding.id, binding.action, binding.description, long_words, keys)
    return list(result.values())


def hints(
    bindings: Iterable[BindingType], keymap: Mapping[str, tuple[str, ...]], wanted: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """For a line of keys: the first key of each of the `wanted` actions and the words given there.

    What is wanted may also be a key itself. An action without a key is left out.
    """
    by_id = {action.id: action for action in actions(bindings, keymap)}
    result = []
    for name, words in wanted:
        if name not in by_id:
            result.append((name, words))
        elif by_id[name].keys:
            result.append((key_name(by_id[name].keys[0]), words))
    return result


def key_name(key: str) -> str:
    """A key as it is shown to users."""
    *modifiers, last = key.split("+")
    shown = _NAMES.get(last) or format_key(last)
    if last not in _NAMES and (len(shown) != 1 or shown.isspace()):
        shown = last.title()
    return "+".join([*(modifier.title() for modifier in modifiers), shown])


def normalised(key: str) -> str | None:
    """A key as Textual names it, from what users write: `?`, `Ctrl+s`, `PgDn`; None if there is no such key."""
    if len(key) == 1:
        return _ALIASES.get(key) or _named(key)
    *modifiers, last = key.split("+")
    if not last and modifiers and not modifiers[-1]:  # "ctrl++"
        last = "+"
        modifiers = modifiers[:-1]
    modifiers = [modifier.lower() for modifier in modifiers]
    if any(modifier not in _MODIFIERS for modifier in modifiers):
        return None
    if len(last) == 1:
        last = _named(last.lower() if modifiers else last) or last
    else:
        last = last.lower()
        last = _ALIASES.get(last, last)
        if last not in _KNOWN and key_to_character(last) is None:
            return None
    order = sorted(modifiers, key=_MODIFIERS.index)
    return "+".join([*order, last])


def _named(character: str) -> str | None:
    """The name of the key of a character, by Textual's rule: letters and digits are themselves."""
    binding = next(iter(Binding.make_bindings([Binding(character, "")])), None) if character != "," else None
    return "comma" if character == "," else binding.key if binding else None


def resolve(
    entries: Mapping[str, tuple[object, Location]], contexts: Sequence[Sequence[Iterable[BindingType]]]
) -> tuple[Keymap, list[KimituiError]]:
    """What `entries` of keys.json5 make of the declared keys, and what is wrong with them.

    Each context is a sequence of classes' `BINDINGS`. The keymap holds the actions whose keys are other than declared,
    also those that lost a key to another action.
    """
    declared = [[action for bindings in context for action in actions(bindings, {})] for context in contexts]
    known = {action.id: action for context in declared for action in context}
    problems: list[KimituiError] = []
    keymap: Keymap = {}
    places: dict[str, Location] = {}
    for name, (value, where) in entries.items():
        try:
            keys = _wanted(name, value, where, known)
            for context in declared:
                _refuse_doubles(name, keys, context, keymap, where, places)
        except KimituiError as error:
            problems.append(error)
            continue
        keymap[name], places[name] = keys, where
    for context in declared:
        taken = {key: action.id for action in context for key in keymap.get(action.id, ()) if action.id in places}
        for action in context:
            if action.id in places:
                continue
            now = keymap.get(action.id, action.keys)
            left = tuple(key for key in now if key not in taken)
            if left == now:
                continue
            keymap[action.id] = left
            if not left:
                thief = taken[now[0]]
                what = f'{key_name(now[0])} is now "{known[thief].words}"; "{action.words}" has no key left'
                fix = f'Give {action.id} another one: {{ "{action.id}": "…" }}'
                problems.append(UsageError(what, where=places[thief], fix=fix))
    return keymap, problems


def as_textual(keymap: Keymap) -> dict[str, str]:
    """The keymap as `App.set_keymap` takes it."""
    return {name: ",".join(keys) or NO_KEY for name, keys in keymap.items()}


def _wanted(name: str, value: object, where: Location, known: Mapping[str, ActionKeys]) -> tuple[str, ...]:
    if name not in known:
        from kimitui.kconfig.names import nearest

        suggestion = nearest(name, known)
        fix = f'Did you mean "{suggestion}"?' if suggestion else "The keys' help (?) lists them."
        raise UsageError(f'there is no action "{name}"', where=where, fix=fix)
    written = value if isinstance(value, list) else [value] if value else []
    keys = []
    for key in written:
        found = normalised(key) if isinstance(key, str) else None
        if found is None:
            fix = 'Write "x", "X", "ctrl+x", "f5", "pagedown" or a list of such; "" for no key.'
            raise UsageError(f'{name}: there is no key "{key}"', where=where, fix=fix)
        keys.append(found)
    return tuple(dict.fromkeys(keys))


def _refuse_doubles(
    name: str,
    keys: tuple[str, ...],
    context: Sequence[ActionKeys],
    keymap: Keymap,
    where: Location,
    places: Mapping[str, Location],
) -> None:
    if name not in {action.id for action in context}:
        return
    for other in context:
        if other.id != name and other.id in places and (double := set(keys) & set(keymap[other.id])):
            what = f"{key_name(min(double))} is given to {name} and to {other.id}"
            fix = f"{other.id} has it now. Choose another key for one of the two."
            raise UsageError(what, where=where, fix=fix)


def _keys_of(binding: Binding) -> tuple[str, ...]:
    return tuple(made.key for made in Binding.make_bindings([binding]))
