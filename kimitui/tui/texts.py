"""From plain data to the paragraphs of a panel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kimitui.errors import KimituiError
from kimitui.kconfig.menu import Info, Row, Term
from kimitui.tui.menu_line import box
from kimitui.tui.widgets.draw import paragraphs
from kimitui.tui.widgets.panel import BLANK, Paragraph

_TYPES = {
    "bool": "yes or no", "tristate": "yes, module or no", "member": "one of a choice", "choice": "choice",
    "string": "text", "int": "whole number", "hex": "hexadecimal number", "menu": "menu", "comment": "comment",
}  # fmt: skip
_LISTED = 6


def about(info: Info, inside: Sequence[Row] = (), corner: str = "") -> list[Paragraph]:
    """What an option is for; `inside` are the lines it opens to, `corner` stands at the right of the first line."""
    result = _head(info, corner)
    # That there are no modules would be said of every other option, and what is chosen shows that it is.
    chosen = info.row.kind == "member" and info.row.value == "y"
    why = [line for line in info.why if not chosen and not line.startswith("It cannot be a module")]
    result += [Paragraph(sentence, "warn", "! ", "warn") for sentence in why]
    if why:
        result.append(BLANK)
    for text in paragraphs(info.help):
        result.append(Paragraph(text, verbatim=text.startswith(" ")))
    if info.help:
        result.append(BLANK)
    result += _inside(inside)
    return _trimmed(result)


def reasons(info: Info, corner: str = "", *, now: str = "", changed: str = "") -> list[Paragraph]:
    """Why an option has the value it has, and what it has to do with others.

    `now` says what its value is and where that comes from, `changed` what it was.
    """
    result = _head(info, corner)
    if now:
        result.append(Paragraph(now))
    if changed:
        result.append(Paragraph(changed, "", "~ ", "accent"))
    result += [Paragraph(sentence, "warn", "! ", "warn") for sentence in info.why]
    if not info.why and info.row.is_switch:
        result.append(Paragraph("Nothing keeps it from other values.", "", "✓ ", "good"))
    result.append(BLANK)
    result += _terms("Needs", info.needs)
    result += _terms("Switches on", info.switches_on)
    result += _terms("Switched on by", info.switched_on_by)
    result += _terms("Suggests", info.suggests)
    result += _terms("Suggested by", info.suggested_by)
    result += _terms("Default", info.defaults)
    result += _terms("Range", info.ranges)
    if info.defined:
        result.append(Paragraph("Defined in", "strong"))
        result += [Paragraph(f"{where.path}:{where.line}", "dim", "  ") for where in info.defined]
    return _trimmed(result)


def _head(info: Info, corner: str) -> list[Paragraph]:
    row = info.row
    facts = [row.symbol, _TYPES[row.kind]]
    if info.range:
        facts.append(f"{info.range[0]} to {info.range[1]}")
    if row.of:
        facts.append(f"{row.on} of {row.of} on")
    return [Paragraph(row.prompt, "title", right=corner), Paragraph(" · ".join(filter(None, facts)), "dim"), BLANK]


def _trimmed(result: list[Paragraph]) -> list[Paragraph]:
    while result and result[-1] is BLANK:
        result.pop()
    return result


def _inside(rows: Sequence[Row]) -> Iterator[Paragraph]:
    for row in rows:
        amount = f"  {row.on} of {row.of} on" if row.of else ""
        style = "good" if row.value in ("y", "m") else "dim"
        yield Paragraph(f"{row.prompt}{amount}", "", f"{box(row)} " if row.is_switch else "", style, verbatim=True)
    if rows:
        yield BLANK


def _terms(heading: str, terms: Iterable[Term]) -> Iterator[Paragraph]:
    ordered = heading in ("Needs", "Default", "Range")
    terms = list(terms) if ordered else sorted(terms, key=lambda term: not term.holds)
    if not terms:
        return
    yield Paragraph(heading, "strong")
    for term in terms[:_LISTED]:
        yield Paragraph(
            term.text, "" if term.holds else "dim", "✓ " if term.holds else "– ", "good" if term.holds else "dim"
        )
    if len(terms) > _LISTED:
        yield Paragraph(f"and {len(terms) - _LISTED} more", "dim", "  ")
    yield BLANK


def error_text(error: KimituiError) -> list[Paragraph]:
    """An error as a block: what, where, details, what to do."""
    result = [Paragraph(error.what, "bad")]
    if error.where is not None:
        result.append(Paragraph(str(error.where), "dim", "at "))
    result += [Paragraph(line, "", "│ ", "dim", verbatim=True) for line in error.details]
    if error.fix:
        result += [BLANK, *(Paragraph(line) for line in error.fix.splitlines())]
    return result
