"""The text of a preset: how to change some of it without touching the rest."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from kimitui.json5_text import TOKEN, Container, Item, json5_value, scan

_WIDTH = 100  # a section that would be wider is written with one key per line
_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


def write_new(top: Mapping[str, str], sections: Mapping[str, Mapping[str, object]]) -> str:
    """The text of a new preset: first `top` (name, description, extends), then the sections as they come."""
    lines = [f"  {key}: {_literal(value)}," for key, value in top.items()]
    lines += [f"  {_member(_key(key), values, '  ', '  ')}," for key, values in sections.items() if values]
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
                lead = f"{_key(path[-1])}: "
                self._replace(item.value, item.end, self._fit(self._indent(item.start), lead, value))

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
            comment = TOKEN.match(self.text, index)
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


def _key(key: str) -> str:
    return key if _KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _literal(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)}: {_literal(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_literal(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _member(lead: str, values: Mapping[str, object], indent: str, step: str) -> str:
    """An object on one line if it fits, else with one key per line; `lead` is its key as it is written.

    Without indentation before or comma behind.
    """
    line = f"{lead}: {_literal(values)}"
    if len(indent) + len(line) < _WIDTH:
        return line
    inner = indent + step
    members = [
        _member(_key(name), value, inner, step) if isinstance(value, Mapping) else f"{_key(name)}: {_literal(value)}"
        for name, value in values.items()
    ]
    return "\n".join([f"{lead}: {{", *(f"{inner}{member}," for member in members), f"{indent}}}"])
