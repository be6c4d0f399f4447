"""Sizes in words and shapes: behind an option, at the bottom, in the panel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from kimitui.sizes.units import delta_words, format_size
from kimitui.tui.widgets.draw import Piece
from kimitui.tui.widgets.panel import BLANK, Paragraph

if TYPE_CHECKING:
    from kimitui.sizes.estimate import Sizes
    from kimitui.sizes.fit import Proposal
    from kimitui.sizes.live import LiveSizes
    from kimitui.sizes.panel import Contributor, Part

_CELLS = 10  # of the gauge
_LISTED = 6
_PROPOSED = 10


def bar(live: LiveSizes) -> tuple[list[Piece], list[Piece]]:
    """The line at the bottom: the total against the budget at the left, its parts at the right."""
    sizes = live.sizes
    if live.problem:
        return [("! ", "warn"), (f"There is no size: {live.problem}", "warn")], []
    if sizes is None:
        return [("The size is being worked out", "dim")], []
    parts = sorted(sizes.parts.items(), key=lambda part: -part[1])
    right = [(f"{name} {format_size(size)}", "dim") for name, size in parts if size]
    further = [(f"{name} ?", "warn") for name in sorted(sizes.unknown)]
    return _total(sizes, current=live.is_current), _joined([*further, *right])


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    shown = pieces[:3]
    if len(pieces) > len(shown):
        shown = [*shown, (f"{len(pieces) - len(shown)} more", "dim")]
    return [piece for number, one in enumerate(shown) for piece in ([(" · ", "dim")] if number else []) + [one]]


def _total(sizes: Sizes, *, current: bool) -> list[Piece]:
    total, budget = sizes.total_bytes, sizes.budget_bytes
    sure = "exactly" if sizes.is_exact else "at least" if sizes.unknown else "about"
    style = "value" if current else "dim"
    if budget is None:
        return [(f"{sure} ", "dim"), (format_size(total), style)]
    filled = min(_CELLS, _CELLS * total // budget) if budget else _CELLS
    gauge = "█" * filled + "░" * (_CELLS - filled)
    if total > budget:
        over = f"! {sure} {format_size(total)}: {format_size(total - budget)} over the budget of {format_size(budget)}"
        return [(f"{gauge} ", "bad"), (over, "bad")]
    percent = round(100 * total / budget)
    return [
        (f"{gauge} ", "good"),
        (f"{sure} ", "dim"),
        (format_size(total), style),
        (f" of {format_size(budget)}, {percent} %", ""),
    ]


def panel(prompt: str, symbol: str, live: LiveSizes, called: Callable[[str], str], corner: str = "") -> list[Paragraph]:
    """Where the bytes of an option go, what it shares with whom, and what weighs most in the image.

    `called` says what a symbol is called.
    """
    result = [Paragraph(prompt, "title", right=corner)]
    result += _option(symbol, live) if symbol else []
    result.append(BLANK)
    result += _largest(live.contributors(), called)
    return result


def _option(symbol: str, live: LiveSizes) -> Iterator[Paragraph]:
    delta = live.delta(symbol)
    words = delta_words(delta)
    where = " and ".join(live.sizes.counted) if live.sizes else "all"
    yield Paragraph(f"A toggle: {words} in {where}." if words else "A toggle changes nothing that is known.", "dim")
    detail = live.detail(symbol)
    if detail is None:
        return
    yield BLANK
    if detail.alone:
        compiled = " as compiled" if detail.as_compiled else ""
        yield Paragraph(f"Its own, {format_size(detail.alone_bytes)}{compiled}", "strong")
        yield from _parts(detail.alone)
    if detail.shared:
        yield Paragraph("Shared, stays without it", "strong")
        yield from _parts(detail.shared)


def _parts(parts: Sequence[Part]) -> Iterator[Paragraph]:
    for part in parts[:_LISTED]:
        owner = part.owner.rpartition("/")[2].removesuffix(".o").removesuffix(".lo").replace("libc.a:", "musl ")
        users = f" ({len(part.shared_with)} others)" if len(part.shared_with) > 2 else ""
        users = users or (f" (with {', '.join(part.shared_with).lower()})" if part.shared_with else "")
        function = f"{owner}: {part.name}" if owner else part.name
        where = function if part.name else part.owner.removesuffix(".o")
        yield Paragraph(f"{where}{users}", "", f"{format_size(part.size_bytes):>8} ", "value", verbatim=True)
    if len(parts) > _LISTED:
        rest = sum(part.size_bytes for part in parts[_LISTED:])
        yield Paragraph(f"{len(parts) - _LISTED} more", "dim", f"{format_size(rest):>8} ", "dim")


def _largest(contributors: Sequence[Contributor], called: Callable[[str], str]) -> Iterator[Paragraph]:
    yield Paragraph("Removing saves most", "strong")
    for one in contributors:
        yield Paragraph(called(one.symbol), "", f"{format_size(-one.saved_bytes):>9} ", "value", verbatim=True)
    if not contributors:
        yield Paragraph("They are being worked out.", "dim")


def proposal_lines(proposal: Proposal) -> list[str]:
    """What is to be given up, a line each."""
    lines = [f"{format_size(-one.saved_bytes)}  {one.called}" for one in proposal.given_up[:_PROPOSED]]
    if len(proposal.given_up) > _PROPOSED:
        rest = sum(one.saved_bytes for one in proposal.given_up[_PROPOSED:])
        lines.append(f"{format_size(-rest)}  {len(proposal.given_up) - _PROPOSED} more")
    own = [one.called for one in proposal.given_up if one.chosen]
    if own:
        lines.append(f"Of these, your preset itself asks for {len(own)}: {', '.join(own[:3])}{' …' * (len(own) > 3)}")
    if proposal.consequences:
        lines.append(f"{len(proposal.consequences)} settings of theirs go with them.")
    lines.append(f"Then it is about {format_size(proposal.after_bytes)}; now {format_size(proposal.before_bytes)}.")
    if not proposal.fits:
        lines.append(f"That is still too much: {proposal.what_is_left}.")
    return lines
