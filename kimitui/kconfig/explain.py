"""Why a symbol has its value, and what keeps it from another, in plain words.

Pure functions over a tree and the values that are in it now. Every text is a clause without a full stop that
goes after the name of the symbol: `needs "ping" (BUSYBOX_PING), which is off`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import kconfiglib

from kimitui.errors import KimituiError, Location
from kimitui.kconfig.names import called, from_kconfig, nearest, prompt_of, type_of
from kimitui.kconfig.types import Choice, Expr, Kconfig, Symbol

_TRI = {"n": 0, "m": 1, "y": 2}
_NAMED = 4  # how many selecting symbols a sentence names
_WORDS = ("off", "a module", "on")
_COMPARE = {
    kconfiglib.EQUAL: ("to be", "not to be"),
    kconfiglib.UNEQUAL: ("not to be", "to be"),
    kconfiglib.LESS: ("to be less than", "to be at least"),
    kconfiglib.LESS_EQUAL: ("to be at most", "to be more than"),
    kconfiglib.GREATER: ("to be more than", "to be at most"),
    kconfiglib.GREATER_EQUAL: ("to be at least", "to be less than"),
}


@dataclass(frozen=True)
class Lost:
    """A value that was asked for and is not there; `got` is "" where the symbol has no value or is unknown."""

    symbol: str
    wanted: str
    got: str
    reason: str


def title(item: Symbol | Choice) -> str:
    """How a symbol or choice is called in a sentence: `"prompt" (NAME)`, or what there is of the two.

    Of a prompt that says what something is after a colon, only what it is called is taken.
    """
    prompt = called(item)
    if not item.name:
        return f'"{prompt}"'
    return f'"{prompt}" ({item.name})' if prompt else item.name


def shown(item: Symbol) -> str:
    """The value of `item` in a sentence: on, off, a module, 12, "text"."""
    if type_of(item) in ("bool", "tristate"):
        return _WORDS[item.tri_value]
    return item.str_value if type_of(item) in ("int", "hex") and item.str_value else f'"{item.str_value}"'


def why_not(symbol: Symbol, wanted: str) -> str:
    """What keeps `symbol` from the Kconfig value `wanted` (`y`, `m`, `n`, a number or text) now.

    Returns "" if nothing does, that is, if it has that value or could be set to it.
    """
    type_ = type_of(symbol)
    if type_ is None:
        return "is mentioned in the tree, but nothing defines it"
    if same_value(symbol, wanted):
        return ""
    if type_ in ("bool", "tristate"):
        if wanted not in _TRI:
            return "can only be on or off"
        return _why_not_tri(symbol, _TRI[wanted])
    if reason := _not_offered(symbol, 1):
        return reason
    if type_ in ("int", "hex"):
        base = 10 if type_ == "int" else 16
        number = parse_number(wanted, base)
        if number is None:
            return "can only be a number"
        for low, high, condition in symbol.ranges:
            if kconfiglib.expr_value(condition):
                lowest = parse_number(low.str_value, base) or 0
                highest = parse_number(high.str_value, base) or 0
                if not lowest <= number <= highest:
                    return f"must be from {low.str_value} to {high.str_value}"
                break
    return ""


def needs(expression: Expr, wanted: int = 1) -> str:
    """What keeps a condition below the tristate value `wanted` (1: a module will do, 2: on) now; "" if nothing does.

    The condition is one as menu nodes have it: what a menu, a comment or a choice depends on.
    """
    unmet = _unmet(expression, wanted)
    return _needs(unmet) if unmet else ""


def requested_but_lost(tree: Kconfig, wanted: Mapping[str, str]) -> list[Lost]:
    """Every symbol that does not have the value `wanted` in `tree` now, with what keeps it from it.

    `wanted` maps symbols to Kconfig values (`y`, `m`, `n`, a number, text without quotes). A symbol that the
    tree does not define is lost, whatever is wanted of it. The result is in the order of `wanted`.
    """
    lost = []
    for name, value in wanted.items():
        symbol = tree.syms.get(name)
        if symbol is None or not symbol.nodes:
            lost.append(Lost(name, value, "", _unknown(tree, name)))
        elif not same_value(symbol, value):
            lost.append(Lost(name, value, symbol.str_value, why_not(symbol, value) or _follows(symbol)))
    return lost


def compare_with_dotconfig(tree: Kconfig, wanted: Mapping[str, str], dotconfig: Path) -> list[Lost]:
    """Every symbol whose value in `dotconfig` is not the one `wanted`, with what keeps it from it.

    The file's values count, however they came about; the user values of `tree` are replaced by them, to find
    the reasons. Raises KimituiError if the file cannot be read or is malformed.
    """
    values = read_dotconfig(dotconfig)
    tree.load_config(str(dotconfig), replace=True)
    lost = []
    for name, value in wanted.items():
        symbol = tree.syms.get(name)
        got = values.get(name)
        if symbol is None or not symbol.nodes:
            lost.append(Lost(name, value, got or "", _unknown(tree, name)))
        elif not _same(symbol, got, value):
            lost.append(Lost(name, value, got or "", why_not(symbol, value) or _follows(symbol)))
    return lost


_SET = re.compile(r"CONFIG_([A-Za-z0-9_]+)=(.*)")
_UNSET = re.compile(r"# CONFIG_([A-Za-z0-9_]+) is not set")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def read_dotconfig(path: Path) -> dict[str, str]:
    """The values in a `.config` file by symbol, without quotes; `n` for "is not set".

    Raises KimituiError, with the line, if the file cannot be read or a line is malformed.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise KimituiError(f"cannot read the .config file: {_reason(error)}", where=path) from error
    values: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if found := _SET.fullmatch(line):
            name, value = found.groups()
            if value.startswith('"'):
                if not (quoted := _QUOTED.fullmatch(value)):
                    raise KimituiError(f"malformed text value: {line}", where=Location(path, number, 1))
                value = re.sub(r"\\(.)", r"\1", quoted[1])
            values[name] = value
        elif found := _UNSET.fullmatch(line):
            values[found[1]] = "n"
        elif line.strip() and not line.startswith("#"):
            raise KimituiError(f"not a line of a .config file: {line}", where=Location(path, number, 1))
    return values


def quoted(text: str) -> str:
    """The value of a text symbol as a `.config` file has it."""
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def same_value(symbol: Symbol, wanted: str) -> bool:
    """Whether `symbol` has the Kconfig value `wanted` now; numbers are compared as numbers.

    A text that is not in play has no value, not even the empty one that it shows.
    """
    if type_of(symbol) == "string" and not wanted and not kconfiglib.expr_value(symbol.direct_dep):
        return False
    return _same(symbol, symbol.str_value, wanted)


def parse_number(text: str, base: int) -> int | None:
    """A number as Kconfig writes it, None if it is none."""
    try:
        return int(text, base) if not re.search(r"[\s_]", text) else None
    except ValueError:
        return None


def _same(symbol: Symbol, got: str | None, wanted: str) -> bool:
    type_ = type_of(symbol)
    if type_ in ("int", "hex") and got:
        base = 10 if type_ == "int" else 16
        number = parse_number(wanted, base)
        return number is not None and parse_number(got, base) == number
    if got is None:  # upstream writes nothing for a symbol that is out of play
        return wanted in ("n", "")
    return got == wanted


def _why_not_tri(symbol: Symbol, wanted: int) -> str:
    choice = symbol.choice
    if choice is not None and not wanted:
        if choice.selection is symbol and not choice.is_optional:
            return f"is the one chosen in {title(choice)}; choose another one instead"
        return ""
    if wanted == 1 and symbol.type == kconfiglib.BOOL:
        if symbol.orig_type == kconfiglib.TRISTATE:
            return _needs([_needed(_switch(symbol.kconfig.modules), 2)])
        return "cannot be a module, only on or off"
    forced = kconfiglib.expr_value(symbol.rev_dep)
    if wanted < forced:
        return _selected_by(symbol, wanted)
    if wanted < symbol.tri_value and not prompt_of(symbol):
        return _follows(symbol)
    if wanted == 0:
        return ""
    return _not_offered(symbol, wanted)


def _selected_by(symbol: Symbol, wanted: int) -> str:
    """Who keeps `symbol` above `wanted` by select."""
    selecting = []
    for term in kconfiglib.split_expr(symbol.rev_dep, kconfiglib.OR):
        if kconfiglib.expr_value(term) > wanted:
            source = kconfiglib.split_expr(term, kconfiglib.AND)[0]
            selecting.append(title(source))
    return f"is switched on by {_join(selecting, 'and')}" if selecting else ""


def forced(symbol: Symbol) -> str:
    """Which symbols switch `symbol` on by select now, as a clause; "" if there are none."""
    return _selected_by(symbol, 0)


def _switch(symbol: Symbol) -> Symbol:
    """What a user sets to change `symbol`: itself, or what it only repeats."""
    while not prompt_of(symbol) and len(symbol.defaults) == 1:
        source = symbol.defaults[0][0]
        if not isinstance(source, kconfiglib.Symbol) or source.is_constant:
            break
        symbol = cast(Symbol, source)
    return symbol


def _not_offered(symbol: Symbol, wanted: int) -> str:
    """What keeps `symbol` from being offered with at least the tristate value `wanted`."""
    conditions = [node.prompt[1] for node in symbol.nodes if node.prompt]
    if not conditions:
        return _follows(symbol)
    if any(kconfiglib.expr_value(condition) >= wanted for condition in conditions):
        return ""
    alternatives = [_unmet(condition, wanted) for condition in conditions]
    return _needs(min(alternatives, key=len))


def _follows(symbol: Symbol) -> str:
    """The reason of a value that nobody can set."""
    if not prompt_of(symbol):
        if sources := _selecting(symbol):
            return f"cannot be set by hand; it is switched on by {sources}"
        return "cannot be set by hand; its value follows from others"
    if symbol.choice is not None and symbol.choice.selection not in (None, symbol):
        return f"is not the one chosen in {title(symbol.choice)}: that is {title(symbol.choice.selection)}"
    return f"is {shown(symbol)}, although nothing in the tree asks for that"


def _selecting(symbol: Symbol) -> str:
    """The symbols that can select `symbol`, the first few by name; "" if there are none."""
    sources = [
        title(kconfiglib.split_expr(term, kconfiglib.AND)[0])
        for term in kconfiglib.split_expr(symbol.rev_dep, kconfiglib.OR)
        if term is not symbol.kconfig.n
    ]
    if len(sources) > _NAMED:
        sources[_NAMED - 1 :] = [f"{len(sources) - _NAMED + 1} others"]
    return " or ".join(filter(None, (", ".join(sources[:-1]), *sources[-1:])))


def _unmet(expression: Expr, wanted: int) -> list[str]:
    """The terms of `expression` that keep it below `wanted`, each as what is needed and what is there instead."""
    if kconfiglib.expr_value(expression) >= wanted:
        return []
    if not isinstance(expression, tuple):
        return [_needed(expression, wanted)]
    operator = expression[0]
    if operator is kconfiglib.AND:
        terms = [
            clause
            for operand in kconfiglib.split_expr(expression, kconfiglib.AND)
            for clause in _unmet(operand, wanted)
        ]
        return list(dict.fromkeys(terms))
    if operator is kconfiglib.OR:
        return [_one_of(kconfiglib.split_expr(expression, kconfiglib.OR), wanted)]
    if operator is kconfiglib.NOT:
        return [_not_needed(expression[1], wanted)]
    return [_comparison(expression, negated=False)]


def _needed(item: Expr, wanted: int) -> str:
    if isinstance(item, kconfiglib.Choice):
        # A choice is a hidden operand of its members' conditions: what it needs is what they need.
        conditions = [node.prompt[1] for node in item.nodes if node.prompt]
        clauses = [clause for condition in conditions for clause in _unmet(condition, wanted)]
        return _join(clauses, "and") if clauses else f"{title(item)}, which is off"
    if item.is_constant:
        return "something that is never there"
    if not item.nodes:
        return f"{item.name}, which does not exist here"
    if item.choice is not None and item.choice.selection is not None:
        return _chosen([item])
    clause = f"{title(item)}{' on' if wanted == 2 and item.tri_value == 1 else ''}, which is {shown(item)}"
    if not prompt_of(item) and (sources := _selecting(item)):
        # Nobody can switch this one on, so say what does.
        clause += f" (switched on by {sources})"
    return clause


def _not_needed(operand: Expr, wanted: int) -> str:
    if not isinstance(operand, tuple):
        if getattr(operand, "is_constant", False):
            return "something that is never there"
        return f"{title(operand)} to be off, but it is {shown(operand)}"
    if operand[0] in _COMPARE:
        return _comparison(operand, negated=True)
    if operand[0] is kconfiglib.NOT:
        return _join(_unmet(operand[1], wanted), "and")
    # De Morgan, so that what is named are single terms and not formulas
    flipped = kconfiglib.OR if operand[0] is kconfiglib.AND else kconfiglib.AND
    expression: Expr = (kconfiglib.NOT, operand[1])
    return _join(_unmet((flipped, expression, (kconfiglib.NOT, operand[2])), wanted), "and")


def _one_of(operands: Sequence[Expr], wanted: int) -> str:
    if all(_is_plain(operand) for operand in operands):
        titles = list(dict.fromkeys(title(operand) for operand in operands))
        if len(titles) > 1:
            return f"one of {', '.join(titles[:-1])} and {titles[-1]}, which are all off"
    choices = {id(getattr(operand, "choice", None)) for operand in operands}
    if len(choices) == 1 and (choice := getattr(operands[0], "choice", None)) and choice.selection is not None:
        return _chosen(operands)
    alternatives = [_join(_unmet(operand, wanted), "and") for operand in operands]
    return "either " + _join(list(dict.fromkeys(alternatives)), "or")


def _chosen(members: Sequence[Symbol]) -> str:
    """What is needed where one of `members` of a choice would have to be the one chosen."""
    choice = members[0].choice
    assert choice is not None and choice.selection is not None
    return f"{title(choice)} to be {' or '.join(map(_called, members))}, but it is {_called(choice.selection)}"


def _called(member: Symbol) -> str:
    return f'"{called(member) or member.name}"'


def _is_plain(item: Expr) -> bool:
    """Whether it is an option that is off and that a user can switch on; the rest needs more words."""
    return (
        isinstance(item, kconfiglib.Symbol)
        and not item.is_constant
        and item.choice is None
        and item.tri_value == 0
        and bool(prompt_of(item))
    )


def _comparison(expression: Expr, *, negated: bool) -> str:
    operator, left, right = expression
    words = _COMPARE[operator][negated]
    if left.is_constant or not left.nodes:
        left, right = right, left
        mirrored = {
            kconfiglib.LESS: kconfiglib.GREATER,
            kconfiglib.GREATER: kconfiglib.LESS,
            kconfiglib.LESS_EQUAL: kconfiglib.GREATER_EQUAL,
            kconfiglib.GREATER_EQUAL: kconfiglib.LESS_EQUAL,
        }
        words = _COMPARE[mirrored.get(operator, operator)][negated]
    if right.nodes and not right.is_constant:
        target = f"{title(right)}, which is {shown(right)},"
    elif type_of(left) in ("bool", "tristate") and right.str_value in _TRI:
        target = _WORDS[_TRI[right.str_value]]
    else:
        target = right.str_value if type_of(left) in ("int", "hex") else f'"{right.str_value}"'
    return f"{title(left)} {words} {target}, but it is {shown(left)}".replace(",,", ",")


def _needs(clauses: list[str]) -> str:
    return f"needs {_join(clauses, 'and')}"


def _join(clauses: list[str], word: str) -> str:
    if len(clauses) <= 1:
        return "".join(clauses)
    # A clause has a comma of its own, so clauses are set apart by more than a comma.
    return f"; {word} ".join(clauses)


def _unknown(tree: Kconfig, name: str) -> str:
    suggestion = nearest(name, (known for known, symbol in tree.syms.items() if symbol.nodes))
    return "does not exist" + (f"; did you mean {suggestion}?" if suggestion else "")


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8 text"


__all__ = [
    "Lost",
    "compare_with_dotconfig",
    "from_kconfig",
    "needs",
    "parse_number",
    "quoted",
    "read_dotconfig",
    "requested_but_lost",
    "same_value",
    "shown",
    "title",
    "why_not",
]
