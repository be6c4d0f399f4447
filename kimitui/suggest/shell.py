"""What a shell script calls, read with tree-sitter's grammar for shells; the only place that imports it.

The grammar reads POSIX shells and bash, goes on after what it cannot read, and knows the place of everything. So
nothing here looks at a script's text but through its syntax tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import tree_sitter_bash
from tree_sitter import Language, Node, Parser


@dataclass(frozen=True)
class Hole:
    """A part of a word that only a run of the script shows; `variable` if it is the value of a plain one, else ""."""

    variable: str = ""


@dataclass(frozen=True)
class Word:
    """A word of a command: literal parts with quotes removed, and holes. `raw` is how it is written."""

    parts: tuple[str | Hole, ...]
    raw: str

    @property
    def text(self) -> str | None:
        """The word, None if a part of it cannot be known."""
        known = [part for part in self.parts if isinstance(part, str)]
        return "".join(known) if len(known) == len(self.parts) else None

    @property
    def variable(self) -> str:
        """The variable that the word is the value of, "" if it is something else."""
        return self.parts[0].variable if len(self.parts) == 1 and isinstance(self.parts[0], Hole) else ""

    @property
    def file_name(self) -> str | None:
        """What follows the last slash, None if that cannot be known."""
        if (text := self.text) is not None:
            return text.rpartition("/")[2]
        last = self.parts[-1]
        return last.rpartition("/")[2] if isinstance(last, str) and "/" in last else None


@dataclass(frozen=True)
class Call:
    """A simple command: its name first, then its arguments; `line` counts from 1."""

    words: tuple[Word, ...]
    line: int


@dataclass(frozen=True)
class Assigned:
    """A value that a variable gets somewhere; None where that cannot be known."""

    variable: str
    value: str | None


@dataclass(frozen=True)
class Use:
    """A construct of the language that not every shell has, and the line where it is."""

    construct: str
    line: int


@dataclass(frozen=True)
class Script:
    """What is in a script, in its order. `unread` are the lines where the grammar lost its way."""

    calls: tuple[Call, ...]
    functions: frozenset[str]
    assigned: tuple[Assigned, ...]
    uses: tuple[Use, ...]
    unread: tuple[int, ...]


ARITHMETIC = "$(( ))"
DOUBLE_BRACKET = "[[ ]]"
BASH_COMPAT = {
    DOUBLE_BRACKET: DOUBLE_BRACKET,
    "process_substitution": "<( )",
    "ansi_c_string": "$' '",
    "&>": "&>",
    "&>>": "&>>",
    "function": "function NAME",
    "replace": "${name/old/new}",
    "substring": "${name:1:3}",
}
"""Constructs that ash has with ASH_BASH_COMPAT, as this module calls them."""
_ONLY_BASH = {
    "array": "an array",
    "subscript": "an array",
    "c_style_for_statement": "for (( ))",
    "select": "select",
    "|&": "|&",
    ";&": ";&",
    ";;&": ";;&",
    "+=": "+=",
    "((": "(( ))",
    "brace_expression": "{1..3}",
}
# Tokens of these kinds that are something else below such a node.
_MEANT_OTHERWISE = {"((": ("c_style_for_statement",), "+=": ("binary_expression", "arithmetic_expansion")}
_EXPANSIONS = {
    "/": BASH_COMPAT["replace"],
    "//": BASH_COMPAT["replace"],
    "/#": BASH_COMPAT["replace"],
    "/%": BASH_COMPAT["replace"],
    ":": BASH_COMPAT["substring"],
    "^": "${name^}",
    "^^": "${name^}",
    ",": "${name,}",
    ",,": "${name,}",
    "@": "${name@Q}",
    "!": "${!name}",
}
ONLY_BASH = frozenset(_ONLY_BASH.values()) | (frozenset(_EXPANSIONS.values()) - frozenset(BASH_COMPAT.values()))
"""Constructs that no shell of BusyBox has."""

_DOUBLE_QUOTED = frozenset('$`"\\\n')  # what a backslash takes the meaning of between double quotes
_HOLES = frozenset(
    {"simple_expansion", "expansion", "command_substitution", "process_substitution", "arithmetic_expansion", "array"}
)


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_bash.language()))


def parse(source: bytes, first_line: int = 1) -> Script:
    """What is in the script `source`, whose first line has the number `first_line`.

    Nothing is an error: lines that cannot be read are named, and what is around them is there.
    """
    reader = _Reader(first_line)
    reader.read(_parser().parse(source).root_node)
    return Script(
        tuple(reader.calls),
        frozenset(reader.functions),
        tuple(reader.assigned),
        tuple(dict.fromkeys(reader.uses)),
        tuple(sorted(set(reader.unread))),
    )


class _Reader:
    def __init__(self, first_line: int) -> None:
        self._first_line = first_line
        self.calls: list[Call] = []
        self.functions: set[str] = set()
        self.assigned: list[Assigned] = []
        self.uses: list[Use] = []
        self.unread: list[int] = []

    def read(self, root: Node) -> None:
        """Look at every node, in the order of the text; scripts may be nested deeper than Python's calls."""
        ahead = [root]
        while ahead:
            node = ahead.pop()
            self._look_at(node)
            ahead.extend(reversed(node.children))

    def _line(self, node: Node) -> int:
        return node.start_point[0] + self._first_line

    def _look_at(self, node: Node) -> None:
        kind = node.type
        if node.is_error or node.is_missing:
            self.unread.append(self._line(node))
            self._functions_in(node)
        elif kind == "command":
            self._command(node)
        elif kind in ("declaration_command", "unset_command"):
            keyword, *rest = node.children
            self.calls.append(Call((_literal(_text(keyword)), *map(_word, rest)), self._line(node)))
        elif kind == "test_command":
            self._test(node)
        elif kind == "function_definition":
            self.functions.add(_text(node.child_by_field_name("name")))
        elif kind == "variable_assignment":
            self._assignment(node)
        elif kind == "for_statement":
            for value in node.children_by_field_name("value"):
                self._assign(node.child_by_field_name("variable"), _word(value).text)
        elif kind == "expansion":
            self._expansion(node)
        elif kind == "heredoc_content" or (kind == "heredoc_body" and not node.named_children):
            self._heredoc(node)
        elif kind == "arithmetic_expansion":
            self._use(ARITHMETIC, node)
        parent = node.parent.type if node.parent is not None else ""
        if kind in BASH_COMPAT:
            self._use(BASH_COMPAT[kind], node)
        elif kind in _ONLY_BASH and parent not in _MEANT_OTHERWISE.get(kind, ()):
            self._use(_ONLY_BASH[kind], node)

    def _use(self, construct: str, node: Node) -> None:
        self.uses.append(Use(construct, self._line(node)))

    def _command(self, node: Node) -> None:
        name = node.child_by_field_name("name")
        if name is not None:
            words = [name, *node.children_by_field_name("argument")]
            # The grammar takes a backslash at the beginning of a line for a part of the line before.
            starts = [at for at, word in enumerate(words) if at == 0 or _text(word).startswith("\n\\")]
            for start, end in zip(starts, [*starts[1:], len(words)], strict=True):
                self._simple([_word(word) for word in words[start:end]], self._line(words[start]) + (start > 0))

    def _simple(self, words: list[Word], line: int) -> None:
        if words[0].text == "!":  # near a mistake, the grammar takes it for a name
            del words[0]
        if words:
            self.calls.append(Call(tuple(words), line))

    def _test(self, node: Node) -> None:
        opening = _text(node.children[0])
        if opening == "[[":
            self._use(DOUBLE_BRACKET, node)
        elif opening == "[":
            self.calls.append(Call((_literal("["),), self._line(node)))

    def _functions_in(self, mistake: Node) -> None:
        """Functions that begin where the grammar lost its way: a word and two parentheses."""
        children = mistake.children
        for word, opening, closing in zip(children, children[1:], children[2:], strict=False):
            if (opening.type, closing.type) == ("(", ")"):
                self.functions.add(_text(word))

    def _assignment(self, node: Node) -> None:
        value = node.child_by_field_name("value")
        text = "" if value is None else _word(value).text
        if any(child.type == "+=" for child in node.children):
            text = None
        self._assign(node.child_by_field_name("name"), text)

    def _assign(self, name: Node | None, value: str | None) -> None:
        if name is not None:
            self.assigned.append(Assigned(_text(name), value))

    def _expansion(self, node: Node) -> None:
        operators = [child.type for child in node.children if not child.is_named and child.type not in ("${", "}")]
        for position, operator in enumerate(operators):
            # `!` names another variable only in front; `:` alone cuts, in `:-` and the like it is one token.
            if operator in _EXPANSIONS and (operator != "!" or position == 0):
                self._use(_EXPANSIONS[operator], node)
                break
        names = [child for child in node.children if child.type == "variable_name"]
        if names and any(operator in ("=", ":=") for operator in operators):
            # What it has already remains.
            self._assign(names[0], None)

    def _heredoc(self, node: Node) -> None:
        """Commands in a part of a here-document in which the grammar found none: it overlooks some."""
        text = _text(node)
        redirect = node.parent if node.type == "heredoc_body" else node.parent and node.parent.parent
        starts = [child for child in redirect.children if child.type == "heredoc_start"] if redirect else []
        if ("`" in text or "$(" in text) and not any(set("'\"\\") & set(_text(start)) for start in starts):
            quoted = '"' + text.replace('"', '\\"') + '"'
            inner = parse(f": {quoted}".encode(errors="surrogateescape"), self._line(node))
            self.calls += [call for call in inner.calls if call.words[0].text != ":"]


def _text(node: Node | None) -> str:
    return (node.text or b"").decode(errors="surrogateescape") if node is not None else ""


def _literal(text: str) -> Word:
    return Word((text,), text)


def _word(node: Node) -> Word:
    parts: list[str | Hole] = []
    for part in _parts(node):
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)
    return Word(tuple(parts) or ("",), _text(node))


def _parts(node: Node) -> Iterator[str | Hole]:
    kind = node.type
    if kind in _HOLES:
        names = [child for child in node.children if child.type == "variable_name"]
        plain = kind == "simple_expansion" or (kind == "expansion" and len(node.named_children) == 1)
        yield Hole(_text(names[0]) if names and plain and _is_only(node) else "")
    elif kind == "raw_string":
        yield _text(node)[1:-1]
    elif kind in ("ansi_c_string", "translated_string"):
        text = _text(node)[2:-1]
        yield Hole() if "\\" in text or "$" in text else text
    elif kind == "string":
        yield from _in_double_quotes(node)
    elif node.named_children:
        for child in node.children:
            yield from _parts(child)
    else:
        yield _without_backslashes(_text(node).lstrip("\n"))


def _is_only(node: Node) -> bool:
    """Whether an expansion has nothing but the variable's name in it."""
    return all(child.type in ("${", "}", "$", "variable_name") for child in node.children)


def _in_double_quotes(node: Node) -> Iterator[str | Hole]:
    # Blanks between two expansions are no node of their own.
    end = node.start_byte + 1
    text = node.text or b""
    for child in node.named_children:
        if child.start_byte > end:
            yield text[end - node.start_byte : child.start_byte - node.start_byte].decode(errors="surrogateescape")
        if child.type == "string_content":
            yield _without_backslashes(_text(child), _DOUBLE_QUOTED)
        else:
            yield from _parts(child)
        end = child.end_byte
    if node.end_byte - 1 > end:
        yield text[end - node.start_byte : -1].decode(errors="surrogateescape")


def _without_backslashes(text: str, only: frozenset[str] | None = None) -> str:
    """`text` as the shell takes it: what follows a backslash is meant as it is; with `only`, just for these."""
    if "\\" not in text:
        return text
    result, position = [], 0
    while position < len(text):
        character = text[position]
        following = text[position + 1 : position + 2]
        if character == "\\" and following and (only is None or following in only):
            result.append("" if following == "\n" else following)
            position += 2
        else:
            result.append(character)
            position += 1
    return "".join(result)
