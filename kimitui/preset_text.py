"""The text of a preset: where things stand in it, and how to change some without touching the rest.

`pyjson5` decides what JSON5 is; it gives values, but no positions, and of two equal keys it keeps the last. What
is missing is cheap to find once the text is known to be valid: its tokens need one regular expression. (A full
round-trip parser, json-five, was tried: 55 ms to import and 17 ms for the 187 lines of `standard`, where all of this
takes 0.6 ms, and `kimitui check` has 250 ms for everything. The tests hold the positions against its.)

All positions are indices into the text; lines and columns count from 1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""(?P<comment> //[^\n\r\u2028\u2029]* | /\*.*?\*/ )
      | (?P<text> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )
      | (?P<mark> [{}\[\]:,] )
      | (?P<word> (?: [^\s{}\[\]:,"'/\ufeff] )+ )""",
    re.VERBOSE | re.DOTALL,
)
_WIDTH = 100  # a section that would be wider is written with one key per line
_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


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
    for token in _TOKEN.finditer(text):
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
            item = Item(_decode_key(token[0]), start, -1)
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


def write_new(top: Mapping[str, str], sections: Mapping[str, Mapping[str, object]]) -> str:
    """The text of a new preset: first `top` (name, description, extends), then the sections as they come."""
    lines = [f"  {key}: {_literal(value)}," for key, value in top.items()]
    lines += [f"  {_member(key, values, '  ', '  ')}," for key, values in sections.items() if values]
    return "\n".join(["{", *lines, "}", ""])


def edit(
    text: str,
    top: Mapping[str, str | None],
    sections: Mapping[str, Mapping[str, object]],
    order: Sequence[str],
) -> str:
    """`text` changed to hold exactly `sections`, and the values in `top` (None removes one).

    `order` has the keys of the whole object in their order; all but the sections are left alone unless they are
    in `top`. A value that means the same as before keeps its text; lists are compared as sets. A removed key
    takes its line and the comment behind it along, other comments stay; a new key comes where sorting puts it,
    a new section where `order` does. A section that loses its last key goes, unless it holds comments.
    """
    editor = _Editor(text)
    for key, text_value in top.items():
        if text_value is None:
            editor.remove([key])
        else:
            editor.put([key], text_value, order)
    for section in order:
        wanted = dict(sorted(sections.get(section, {}).items()))
        item = editor.find([section])
        if item is None or item.content is None:
            if wanted:
                editor.put([section], wanted, order)
            continue
        before = editor.text_of(item)
        for member in item.content.items:
            if member.key is not None and member.key not in wanted:
                editor.remove([section, member.key])
        for key, value in wanted.items():
            editor.put([section, key], value, None)
        item = editor.find([section])
        assert item is not None and item.content is not None
        if editor.text_of(item) != before:
            if not item.content.items and not item.content.has_comments:
                editor.remove([section])
            else:
                editor.wrap(section)
    return editor.text


class _Editor:
    """One change at a time, each from valid text to valid text; the structure is read anew after each."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self._read()

    def _read(self) -> None:
        root = scan(self.text)
        assert root is not None and root.is_object
        self.root = root

    def _replace(self, start: int, end: int, new: str) -> None:
        self.text = self.text[:start] + new + self.text[end:]
        self._read()

    def find(self, path: Sequence[str]) -> Item | None:
        container: Container | None = self.root
        item = None
        for key in path:
            item = container.get(key) if container else None
            container = item.content if item else None
        return item

    def text_of(self, item: Item) -> str:
        return self.text[item.value : item.end]

    def put(self, path: Sequence[str], value: object, order: Sequence[str] | None) -> None:
        """Set the member at `path`, whose parent exists; `order` ranks its siblings, None sorts them."""
        container, item = self._parent(path), self.find(path)
        if item is None:
            self._insert(container, path[-1], f"{_key(path[-1])}: ", value, order)
        elif item.content and not item.content.is_object and isinstance(value, list):
            self._put_list(path, value)
        else:
            before = json5_value(self.text_of(item))
            if before != value or type(before) is not type(value):
                self._replace(item.value, item.end, _literal(value))

    def _put_list(self, path: Sequence[str], value: list[object]) -> None:
        item = self.find(path)
        assert item and item.content
        words = [json5_value(self.text_of(element)) for element in item.content.items]
        for index in reversed(range(len(words))):
            if words[index] not in value or words[index] in words[:index]:
                self._remove(self._list(path), index)
        for word in value:
            if word not in words:
                self._insert(self._list(path), None, "", word, [str(known) for known in value])

    def _list(self, path: Sequence[str]) -> Container:
        item = self.find(path)
        assert item and item.content
        return item.content

    def remove(self, path: Sequence[str]) -> None:
        """Remove the member at `path` if it is there, as often as it is there."""
        while self.find(path):
            container = self._parent(path)
            index = next(i for i, item in enumerate(container.items) if item.key == path[-1])
            self._remove(container, index)

    def wrap(self, section: str) -> None:
        """Write a section that has become too wide for one line with one key per line."""
        item = self.find([section])
        if item is None or item.content is None or item.content.has_comments:
            return
        old = self.text[item.content.start : item.content.end]
        if "\n" in old or self._column(item.content.end) <= _WIDTH:
            return
        indent = self._indent(item.start)
        inner = indent + self._step()
        members = [f"{inner}{self.text[member.start : member.end]}," for member in item.content.items]
        new = self.newline.join(["{", *members, f"{indent}}}"])
        self._replace(item.content.start, item.content.end, new)

    def _parent(self, path: Sequence[str]) -> Container:
        if len(path) == 1:
            return self.root
        parent = self.find(path[:-1])
        assert parent and parent.content
        return parent.content

    def _line_start(self, index: int) -> int:
        return max(self.text.rfind(mark, 0, index) for mark in ("\n", "\r", "\u2028", "\u2029")) + 1

    def _line_end(self, index: int) -> int:
        """The index of the next line end, or of the end of the text."""
        found = re.compile(r"[\n\r\u2028\u2029]").search(self.text, index)
        return found.start() if found else len(self.text)

    def _after_line_end(self, index: int) -> int:
        end = self._line_end(index)
        return end + (2 if self.text.startswith("\r\n", end) else 1) if end < len(self.text) else end

    def _column(self, index: int) -> int:
        return index - self._line_start(index)

    def _indent(self, index: int) -> str:
        start = self._line_start(index)
        return self.text[start : start + len(self.text[start:index]) - len(self.text[start:index].lstrip())]

    def _begins_line(self, index: int) -> bool:
        return not self.text[self._line_start(index) : index].strip("\ufeff \t")

    def _step(self) -> str:
        """The file's unit of indentation."""
        for item in self.root.items:
            if self._begins_line(item.start) and (indent := self._indent(item.start)):
                return indent
        return "  "

    def _tail(self, index: int) -> int:
        """Behind the blanks and comments that follow `index` on its line, if nothing else follows there.

        A comment that goes on in the next line is no part of this one: -1, as when something else follows.
        """
        end = self._line_end(index)
        while index < end:
            blank = re.compile(r"[^\S\n\r\u2028\u2029]+|\ufeff+").match(self.text, index)
            comment = _TOKEN.match(self.text, index)
            if blank:
                index = blank.end()
            elif comment and comment.lastgroup == "comment" and comment.end() <= end:
                index = comment.end()
            else:
                return -1
        return index

    def _remove(self, container: Container, index: int) -> None:
        item = container.items[index]
        behind = "" if item.comma is None else self.text[item.end : item.comma]
        if self._begins_line(item.start) and "\n" not in behind:
            tail = self._tail(item.stop)
            if 0 <= tail < len(self.text):
                self._replace(self._line_start(item.start), self._after_line_end(tail), "")
                return
        # Others share its lines: only the item and its comma go, the comments around them stay.
        start, end = item.start, item.stop
        if index + 1 < len(container.items):
            end += len(self.text[end:]) - len(self.text[end:].lstrip(" \t"))
        else:
            blanks = len(self.text[:start]) - len(self.text[:start].rstrip(" \t"))
            start -= blanks
            previous = container.items[index - 1] if index else None
            if item.comma is None and previous and previous.comma == start - 1:
                start -= 1  # the last item had no comma, so the new last one has none
            if start - 1 == container.start:
                end += len(self.text[end:]) - len(self.text[end:].lstrip(" \t"))
        self._replace(start, end, "")

    def _insert(
        self, container: Container, key: str | None, lead: str, value: object, order: Sequence[str] | None
    ) -> None:
        """Put a new item where `order` has it among the items that are there, before the first that ranks higher."""

        def rank(item: Item) -> tuple[int, str]:
            word = item.key
            if not container.is_object:
                word = str(json5_value(self.text_of(item)))
            assert word is not None
            if order is None:
                return 0, word
            return (order.index(word) if word in order else len(order)), ""

        new_word = key if key is not None else str(value)
        new_rank = (0, new_word) if order is None else (order.index(new_word), "")
        index = next((i for i, item in enumerate(container.items) if rank(item) > new_rank), len(container.items))
        if not container.items:
            self._insert_first(container, lead, value)
        elif "\n" in self.text[container.start : container.end] and self._begins_line(
            container.items[min(index, len(container.items) - 1)].start
        ):
            self._insert_line(container, index, lead, value)
        elif index < len(container.items):
            at = container.items[index].start
            self._replace(at, at, f"{lead}{_literal(value)}, ")
        else:
            last = container.items[-1]
            new = f"{lead}{_literal(value)}"
            if last.comma is None:
                self._replace(last.end, last.end, f", {new}")
            else:
                self._replace(last.comma + 1, last.comma + 1, f" {new},")

    def _insert_first(self, container: Container, lead: str, value: object) -> None:
        inside = self.text[container.start + 1 : container.end - 1]
        if inside.strip() or "\n" in inside:
            # Only comments, or an empty line: below them, above the closing bracket.
            indent = self._indent(container.end - 1)
            inner = indent + self._step()
            close = container.end - 1
            new = f"{inner}{lead}{self._fit(inner, lead, value)},{self.newline}"
            if self._begins_line(close):
                start = self._line_start(close)
                self._replace(start, start, new)
            else:
                self._replace(close, close, f"{self.newline}{new}{indent}")
        elif container is self.root:
            step = "  "
            new = f"{{{self.newline}{step}{lead}{self._fit(step, lead, value)},{self.newline}}}"
            self._replace(container.start, container.end, new)
        elif container.is_object:
            self._replace(container.start, container.end, f"{{ {lead}{_literal(value)} }}")
        else:
            self._replace(container.start, container.end, f"[{_literal(value)}]")

    def _insert_line(self, container: Container, index: int, lead: str, value: object) -> None:
        if index:
            previous = container.items[index - 1]
            if previous.comma is None:
                self._replace(previous.end, previous.end, ",")
                container = self._same(container)
                previous = container.items[index - 1]
            indent = self._indent(previous.start)
            tail = self._tail(previous.stop)
            at = self._after_line_end(tail) if tail >= 0 else -1
        else:
            following = container.items[0]
            indent = self._indent(following.start)
            tail = self._tail(container.start + 1)
            at = self._after_line_end(tail) if tail >= 0 else -1
        new = f"{indent}{lead}{self._fit(indent, lead, value)},"
        if at >= 0:
            self._replace(at, at, f"{new}{self.newline}")
        elif index < len(container.items):
            start = self._line_start(container.items[index].start)
            self._replace(start, start, f"{new}{self.newline}")
        else:
            stop = container.items[-1].stop
            self._replace(stop, stop, f"{self.newline}{new}")

    def _same(self, container: Container) -> Container:
        """The container that now begins where `container` began."""
        todo = [self.root]
        while todo:
            found = todo.pop()
            if found.start == container.start:
                return found
            todo += [item.content for item in found.items if item.content]
        raise AssertionError

    def _fit(self, indent: str, lead: str, value: object) -> str:
        if isinstance(value, Mapping):
            name = lead.removesuffix(": ")
            lines = _member(name, value, indent, self._step()).split("\n")
            return self.newline.join(lines).removeprefix(lead)
        return _literal(value)


def json5_value(text: str) -> object:
    """The value of a piece of JSON5 that is known to be valid."""
    import pyjson5

    return pyjson5.decode(text)


def _decode_key(token: str) -> str:
    if token[0] in "\"'":
        return str(json5_value(token)) if "\\" in token else token[1:-1]
    if "\\" not in token:
        return token
    decoded = json5_value(f"{{{token}:0}}")
    assert isinstance(decoded, dict)
    return str(next(iter(decoded)))


def _key(key: str) -> str:
    return key if _KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _literal(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)}: {_literal(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_literal(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _member(key: str, values: Mapping[str, object], indent: str, step: str) -> str:
    """A section on one line if it fits, else with one key per line; without indentation before or comma behind."""
    line = f"{_key(key)}: {_literal(values)}"
    if len(indent) + len(line) < _WIDTH:
        return line
    inner = [f"{indent}{step}{_key(name)}: {_literal(value)}," for name, value in values.items()]
    return "\n".join([f"{_key(key)}: {{", *inner, f"{indent}}}"])
