"""`.config` files: what one says about a tree, line by line, and the text of one for the values in a tree."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kimitui.errors import Location, UsageError
from kimitui.kconfig import explain
from kimitui.kconfig.names import prompt_of, type_of
from kimitui.kconfig.types import Kconfig, Symbol

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Note:
    """Something in a `.config` that is not taken as it is written, and where."""

    where: Location
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


@dataclass(frozen=True)
class Contents:
    """What a file says: Kconfig values by symbol, the line of each, and what in it says nothing to the tree.

    `unknown` are the symbols that the tree does not define.
    """

    values: Mapping[str, str]
    lines: Mapping[str, int]
    unknown: tuple[str, ...]
    notes: tuple[Note, ...]


def parse(tree: Kconfig, text: str, path: Path) -> Contents:
    """What `text`, which is in the file at `path`, assigns in `tree`; of a symbol set twice, the last value.

    Raises UsageError, with the line, for a line that no `.config` can have.
    """
    prefix = re.escape(tree.config_prefix)
    set_, unset = re.compile(rf"{prefix}(\w+)=(.*)"), re.compile(rf"# {prefix}(\w+) is not set\b.*")
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    unknown: dict[str, None] = {}
    notes: list[Note] = []
    for number, raw in enumerate(text.split("\n"), 1):
        line, where = raw.rstrip(), Location(path, number, 1)
        written: str | None
        if found := set_.fullmatch(line):
            name, written = found[1], found[2]
        elif found := unset.fullmatch(line):
            name, written = found[1], None
        elif not line.strip() or line.lstrip().startswith("#"):
            continue
        else:
            shown = line if len(line) <= 60 else f"{line[:59]}…"
            raise UsageError(
                f"this is no line of a .config file: {shown}",
                where=where,
                fix=f'lines are {tree.config_prefix}NAME=value, "# {tree.config_prefix}NAME is not set" and comments',
            )
        symbol = tree.syms.get(name)
        if symbol is None or not symbol.nodes or type_of(symbol) is None:
            unknown[name] = None
            notes.append(Note(where, f"this tree has no symbol {name}"))
            continue
        if written is None:
            if type_of(symbol) not in ("bool", "tristate"):
                continue  # a number or text that has no value
            written = "n"
        value = _value(symbol, written)
        if value is None:
            notes.append(Note(where, f"{name} cannot be {written}: it {_takes(symbol)}"))
            continue
        if values.get(name, value) != value:
            notes.append(Note(where, f"{name} is set a second time; line {lines[name]} says {values[name]}"))
        values[name], lines[name] = value, number
    return Contents(values, lines, tuple(unknown), tuple(notes))


def without_effect(tree: Kconfig, read: Contents, path: Path) -> Iterator[Note]:
    """What `read` asks for and is not there now, though a user can set it; in the order of the file."""
    asked = {name: value for name, value in read.values.items() if prompt_of(tree.syms[name])}
    for lost in explain.requested_but_lost(tree, asked):
        where = Location(path, read.lines[lost.symbol], 1)
        yield Note(where, f"{lost.symbol} cannot be {lost.wanted}: it {lost.reason}")


def full_text(tree: Kconfig) -> str:
    """All values in `tree`, as the tools of the tree expect them."""
    return _written(tree.write_config, save_old=False)


def minimal_text(tree: Kconfig) -> str:
    """The values in `tree` that differ from their defaults, as `savedefconfig` writes them."""
    return _written(tree.write_min_config)


def _written(write: object, **options: bool) -> str:
    assert callable(write)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "config")
        write(str(path), **options)
        return path.read_text(encoding="utf-8")


def _value(symbol: Symbol, written: str) -> str | None:
    """A value as it is written in a `.config`, without quotes; None if the symbol can never have it."""
    type_ = type_of(symbol)
    if type_ == "bool":
        return written if written in ("y", "n") else None
    if type_ == "tristate":
        return written if written in ("y", "m", "n") else None
    if type_ == "string":
        found = _QUOTED.fullmatch(written)
        return re.sub(r"\\(.)", r"\1", found[1]) if found else None
    number = explain.parse_number(written, 10 if type_ == "int" else 16)
    return None if number is None or (type_ == "hex" and number < 0) else written


def _takes(symbol: Symbol) -> str:
    return {
        "bool": "can only be y or n",
        "tristate": "can only be y, m or n",
        "string": "takes text in quotes",
        "int": "takes a whole number",
        "hex": "takes a hexadecimal number",
    }[str(type_of(symbol))]
