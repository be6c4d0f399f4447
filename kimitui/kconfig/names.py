"""Between the keys of a preset and the symbols of the system tree, by the naming rule and no table.

A symbol's prefix names its section. In the upstream sections the rest of the name is the upstream symbol and
the key; in our own the key is the rest in lower case, and two constructs of the tree become one key each:

* a *named choice*: `choice HARDENING_RELRO` with `HARDENING_RELRO_FULL` is `hardening: { relro: "full" }`;
* a *family*: a bool without a prompt named `IMAGE_FORMATS` says that the bools `IMAGE_FORMAT_*` are one list,
  `image: { formats: ["rootfs", "oci"] }`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import kconfiglib

from kimitui.kconfig.types import Choice, Kconfig, Symbol

SECTIONS = ("image", "kernel", "busybox", "hardening", "init", "services", "packages")
"""The sections of a preset, in the order in which they are written."""

UPSTREAM_SECTIONS = ("kernel", "busybox")

OPEN_SECTIONS = (*UPSTREAM_SECTIONS, "services")
"""Sections that take further keys than the tree has: upstream symbols it does not show, services of the user's own."""

PREFIXES = {section: f"{section.upper()}_" for section in SECTIONS} | {
    "services": "SERVICE_",
    "packages": "PACKAGE_",
}
_SECTION_OF = {prefix.removesuffix("_"): section for section, prefix in PREFIXES.items()}

JsonScalar = bool | int | str | None
JsonObject = Mapping[str, object]
JsonOpen = JsonScalar | JsonObject
"""What a key that the tree does not have may hold: a service of the user's own is an object."""
JsonValue = JsonScalar | list[str] | JsonObject
"""What a key of a section may hold; None stands only for "has no value now" in resolved values."""

Type = Literal["bool", "tristate", "int", "hex", "string", "choice", "list"]

_TYPES: dict[int, Type] = {
    kconfiglib.BOOL: "bool",
    kconfiglib.TRISTATE: "tristate",
    kconfiglib.INT: "int",
    kconfiglib.HEX: "hex",
    kconfiglib.STRING: "string",
}


class WrongValueError(ValueError):
    """A value that a key cannot take, whatever the other values are; the text says which it can."""


@dataclass(frozen=True, eq=False)
class Entry:
    """One key of a section and the symbols it stands for.

    `symbol` is the symbol, the choice or the symbol that declares the family. `members` maps the words of a
    choice or a list to their symbols, in the order of the tree; for every other type it is empty.
    `settable` is false for a symbol without a prompt. `section` is "" in a tree that is not the system tree.
    """

    section: str
    key: str
    symbol: str
    type: Type
    prompt: str
    members: Mapping[str, str]
    settable: bool

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that hold the value."""
        return tuple(self.members.values()) or (self.symbol,)

    def assignments(self, value: JsonValue) -> dict[str, str]:
        """The Kconfig values, by symbol, that mean `value`; for a choice only its new member, as `y`.

        Raises WrongValueError if `value` has the wrong type or form.
        """
        if self.type == "choice":
            if not isinstance(value, str):
                raise WrongValueError(f"must be one of {_words(self.members)}, not {_shown(value)}")
            if value not in self.members:
                raise WrongValueError(f"{_shown(value)} is none of {_words(self.members)}")
            return {self.members[value]: "y"}
        if self.type == "list":
            if not isinstance(value, Sequence) or isinstance(value, str):
                raise WrongValueError(f"must be a list of {_words(self.members)}, not {_shown(value)}")
            for word in value:
                if word not in self.members:
                    raise WrongValueError(f"{_shown(word)} is none of {_words(self.members)}")
            if len(set(value)) != len(value):
                raise WrongValueError("names something twice")
            return {symbol: "y" if word in value else "n" for word, symbol in self.members.items()}
        return {self.symbol: to_kconfig(self.type, value)}

    def value(self, tree: Kconfig) -> JsonValue:
        """The value in `tree` now; None for a choice, number or text whose dependencies are not met."""
        if self.type == "choice":
            return next((word for word, name in self.members.items() if tree.syms[name].tri_value), None)
        if self.type == "list":
            return [word for word, name in self.members.items() if tree.syms[name].tri_value]
        return from_kconfig(tree.syms[self.symbol])


class Names:
    """All keys of one tree."""

    def __init__(self, tree: Kconfig) -> None:
        self.entries: dict[tuple[str, str], Entry] = {}
        """By section and key; sections in their order, keys in the order of the tree."""
        self.by_symbol: dict[str, Entry] = {}
        """By the name of a symbol or named choice; members of a choice or list lead to its entry."""
        found: dict[str, list[Entry]] = {section: [] for section in SECTIONS}
        families = _families(tree)
        in_families = {member.name for members in families.values() for member in members}
        seen: set[str] = set()
        for node in tree.node_iter():
            item = node.item
            if isinstance(item, (kconfiglib.Symbol, kconfiglib.Choice)) and item.name not in seen:
                if item.name is None or (section := section_of(item.name)) is None:
                    continue
                seen.add(item.name)
                if item.name not in in_families and (entry := _entry(section, item, families)):
                    found[section].append(entry)
        for entries in found.values():
            for entry in entries:
                self.entries[entry.section, entry.key] = entry
                for symbol in (entry.symbol, *entry.symbols):
                    self.by_symbol[symbol] = entry

    @classmethod
    def plain(cls, tree: Kconfig) -> Names:
        """The keys of a tree that knows nothing of presets: every symbol is one, in a section without a name."""
        names = cls.__new__(cls)
        names.entries, names.by_symbol = {}, {}
        for symbol in tree.unique_defined_syms:
            if type_ := type_of(symbol):
                prompt = prompt_of(symbol)
                entry = Entry("", symbol.name, symbol.name, type_, prompt, {}, bool(prompt))
                names.entries["", symbol.name] = names.by_symbol[symbol.name] = entry
        return names

    def keys(self, section: str) -> list[str]:
        """The settable keys of `section`, in the order of the tree."""
        return [entry.key for entry in self.entries.values() if entry.section == section and entry.settable]


def section_of(symbol: str) -> str | None:
    """The section whose prefix `symbol` has."""
    word, underscore, _ = symbol.partition("_")
    return _SECTION_OF.get(word) if underscore else None


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like `word`, regardless of case, or None if none is like it."""
    import difflib  # 10 ms to import, and only errors need it

    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    close = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def to_kconfig(type_: Type, value: JsonValue) -> str:
    """`value` as Kconfig writes it in a `.config`, without quotes. Raises WrongValueError if it does not fit."""
    if type_ in ("bool", "tristate"):
        if isinstance(value, bool):
            return "y" if value else "n"
        if type_ == "tristate" and value == "m":
            return "m"
        allowed = 'true, "m" or false' if type_ == "tristate" else "true or false"
        raise WrongValueError(f"must be {allowed}, not {_shown(value)}")
    if type_ == "int":
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        raise WrongValueError(f"must be a whole number, not {_shown(value)}")
    if type_ == "hex":
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return hex(value)
        if isinstance(value, str) and value.lower().removeprefix("0x").isalnum():
            try:
                return hex(int(value, 16))
            except ValueError:
                pass
        raise WrongValueError(f'must be a number such as 0x1F or "0x1f", not {_shown(value)}')
    if isinstance(value, str):
        if value.isprintable():
            return value
        raise WrongValueError("must be one line of printable text")
    raise WrongValueError(f"must be text in quotes, not {_shown(value)}")


def type_of(symbol: Symbol) -> Type | None:
    """The type of a symbol, None if it has none (it is mentioned in the tree, but not defined)."""
    return _TYPES.get(symbol.orig_type)


def from_kconfig(symbol: Symbol) -> JsonScalar:
    """The value of `symbol` as a preset would write it; None for a number or text that is out of play."""
    type_ = type_of(symbol)
    if type_ in ("bool", "tristate"):
        return (False, "m", True)[symbol.tri_value]
    text = symbol.str_value
    if type_ == "int":
        return int(text) if text else None
    if type_ == "hex":
        return text or None
    return text if kconfiglib.expr_value(symbol.direct_dep) else None


def prompt_of(item: Symbol | Choice) -> str:
    """The first prompt of a symbol or choice, or "" if it has none."""
    return next((node.prompt[0] for node in item.nodes if node.prompt), "")


def short(prompt: str) -> str:
    """The first part of a prompt that says what something is called before it says what it is: `arm64: boards`."""
    return prompt.partition(": ")[0]


def called(item: Symbol | Choice) -> str:
    """What a symbol or choice is called in a sentence, "" if it has no prompt.

    That is `short`, but below an option of the same name what the prompt says after it: `ntpd: serve others`.
    """
    prompt = prompt_of(item)
    name, _, rest = prompt.partition(": ")
    above = item.nodes[0].parent if item.nodes else None
    same = above is not None and above.prompt is not None and short(above.prompt[0]) == name
    return rest if rest and same else name


def _families(tree: Kconfig) -> dict[str, list[Symbol]]:
    """Members of each family, by the name of the symbol that declares it."""
    families: dict[str, list[Symbol]] = {}
    for symbol in tree.unique_defined_syms:
        if (
            symbol.name.endswith("S")
            and section_of(symbol.name) not in (None, *UPSTREAM_SECTIONS)
            and symbol.orig_type == kconfiglib.BOOL
            and not prompt_of(symbol)
        ):
            prefix = f"{symbol.name[:-1]}_"
            members = [
                member
                for member in tree.unique_defined_syms
                if member.name.startswith(prefix)
                and member.orig_type == kconfiglib.BOOL
                and prompt_of(member)
                and not member.choice
            ]
            if members:
                families[symbol.name] = members
    return families


def _entry(section: str, item: Symbol | Choice, families: Mapping[str, list[Symbol]]) -> Entry | None:
    assert item.name is not None
    name, prefix = item.name, PREFIXES[section]
    upstream = section in UPSTREAM_SECTIONS
    key = name.removeprefix(prefix) if upstream else name.removeprefix(prefix).lower()
    prompt = prompt_of(item)
    if isinstance(item, kconfiglib.Choice):
        if upstream:
            return None
        return Entry(section, key, name, "choice", prompt, _members(f"{name}_", item.syms), True)
    symbol = cast(Symbol, item)
    if name in families:
        words = _members(f"{name[:-1]}_", families[name])
        # The symbol that declares a family is not shown; the menu that has its members is what users know.
        menu = families[name][0].nodes[0].parent
        called = menu.prompt[0] if menu and menu.parent and menu.prompt else key
        return Entry(section, key, name, "list", called, words, True)
    if not upstream and symbol.choice is not None and symbol.choice.name:
        return None
    type_ = type_of(symbol)
    return type_ and Entry(section, key, name, type_, prompt, {}, bool(prompt))


def _members(prefix: str, symbols: Iterable[Symbol]) -> dict[str, str]:
    return {symbol.name.removeprefix(prefix).lower(): symbol.name for symbol in symbols}


def _words(words: Iterable[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


def _shown(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 40 else f'"{value[:37]}…"'
    if isinstance(value, Mapping):
        return "an object"
    return "a list" if isinstance(value, Sequence) else str(value)
