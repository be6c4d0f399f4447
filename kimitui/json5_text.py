"""The structure of a JSON5 text: where things stand in it.

`pyjson5` decides what JSON5 is; it gives values, but no positions, and of two equal keys it keeps the last. What
is missing is cheap to find once the text is known to be valid: its tokens need one regular expression. (A full
round-trip parser, json-five, was tried: 55 ms to import and 17 ms for the 187 lines of `standard`, where all of this
takes 0.6 ms, and `kimitui check` has 250 ms for everything. The tests hold the positions against its.)

All positions are indices into the text; lines and columns count from 1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

TOKEN = re.compile(
    r"""(?P<comment> //[^\n\r\u2028\u2029]* | /\*.*?\*/ )
      | (?P<text> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )
      | (?P<mark> [{}\[\]:,] )
      | (?P<word> (?: [^\s{}\[\]:,"'/\ufeff] )+ )""",
    re.VERBOSE | re.DOTALL,
)
"""One token: a comment, a text, a mark or any other word."""


@dataclass
class Item:
    """A member of an object or an element of an array.

    `start` is where the key (or the element) begins, `value` and `end` delimit the value, `comma` is the index of
    the comma after it or None. `content` is there if the value is an object or an array.
    """

    key: str | None
    start: int
    value: int
    end: int = 0
    comma: int | None = None
    content: Container | None = None

    @property
    def stop(self) -> int:
        """Just behind the item, its comma included."""
        return self.end if self.comma is None else self.comma + 1


@dataclass
class Container:
    """An object or an array: `start` is at its opening bracket, `end` just behind the closing one."""

    is_object: bool
    start: int
    end: int = 0
    items: list[Item] = field(default_factory=list)
    has_comments: bool = False

    def get(self, key: str) -> Item | None:
        """The last member with `key`."""
        return next((item for item in reversed(self.items) if item.key == key), None)

    def duplicates(self) -> list[tuple[Item, Item]]:
        """Members whose key was there before: the first one and the repetition."""
        first: dict[str | None, Item] = {}
        return [(first[item.key], item) for item in self.items if first.setdefault(item.key, item) is not item]


def position(text: str, index: int) -> tuple[int, int]:
    """Line and column of `index`."""
    start = text.rfind("\n", 0, index) + 1
    return text.count("\n", 0, start) + 1, index - start + 1


def scan(text: str) -> Container | None:
    """The structure of `text`, which must be valid JSON5; None if its value is neither object nor array."""
    root: Container | None = None
    open_: list[Container] = []
    item: Item | None = None  # the member whose key has been read, and not yet its value
    owners: list[Item | None] = []  # the items whose values the open containers are
    for token in TOKEN.finditer(text):
        kind, start, end = token.lastgroup, token.start(), token.end()
        if kind == "comment":
            for container in open_:
                container.has_comments = True
            continue
        mark = token[0] if kind == "mark" else ""
        if mark == ":":
            continue
        if mark == ",":
            open_[-1].items[-1].comma = start
        elif mark in ("}", "]"):
            container = open_.pop()
            container.end = end
            owner = owners.pop()
            if owner:
                owner.end = end
            item = None
        elif open_ and open_[-1].is_object and item is None:
            item = Item(_decoded(token[0]), start, -1)
            open_[-1].items.append(item)
        else:
            if open_ and not open_[-1].is_object:
                item = Item(None, start, start)
                open_[-1].items.append(item)
            if item:
                item.value = start
            if mark:
                container = Container(mark == "{", start)
                if item:
                    item.content = container
                root = root or container
                open_.append(container)
                owners.append(item)
            elif item:
                item.end = end
            item = None
    return root


def locate(text: str, path: Sequence[str | int]) -> tuple[int, int]:
    """Line and column of what `path`, keys of objects and indices of lists, leads to; of the last part that is there.

    For a member of an object that is its key. `text` must be valid JSON5.
    """
    container, start = scan(text), 0
    for part in path:
        if container is None:
            break
        if isinstance(part, str):
            item = container.get(part)
        else:
            item = container.items[part] if part < len(container.items) else None
        if item is None:
            break
        container, start = item.content, item.start
    return position(text, start)


def json5_value(text: str) -> object:
    """The value of a piece of JSON5 that is known to be valid."""
    import pyjson5

    return pyjson5.decode(text)


def _decoded(token: str) -> str:
    if token[0] in "\"'":
        return str(json5_value(token)) if "\\" in token else token[1:-1]
    if "\\" not in token:
        return token
    decoded = json5_value(f"{{{token}:0}}")
    assert isinstance(decoded, dict)
    return str(next(iter(decoded)))
