"""The graph of steps as a tree, for screens that have only lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Placed:
    """A step in the tree: the lines that lead to it, and what it uses besides the step it hangs below."""

    name: str
    lines: str = ""
    also: tuple[str, ...] = ()


def step_tree(steps: Mapping[str, tuple[str, ...]]) -> list[Placed]:
    """`steps`, with what each uses, every one below that of them which takes the longest way to reach.

    `steps` must be in an order in which every step follows those it uses; the order is kept among siblings.
    """
    depth: dict[str, int] = {}
    below: dict[str | None, list[str]] = {}
    parents: dict[str, str | None] = {}
    for name, uses in steps.items():
        depth[name] = 1 + max((depth[used] for used in uses), default=-1)
        # Of several that are equally deep the last one, because the others are more likely to be done by then.
        parents[name] = max(reversed(uses), key=depth.__getitem__, default=None)
        below.setdefault(parents[name], []).append(name)

    placed: list[Placed] = []

    def place(name: str, indent: str, branch: str) -> None:
        also = tuple(used for used in steps[name] if used != parents[name])
        placed.append(Placed(name, indent + branch, also))
        inner = indent + {"": "", "├ ": "│ ", "└ ": "  "}[branch]
        children = below.get(name, [])
        for child in children:
            place(child, inner, "└ " if child is children[-1] else "├ ")

    for root in below.get(None, []):
        place(root, "", "")
    return placed


def used_by(steps: Mapping[str, tuple[str, ...]], name: str) -> tuple[str, ...]:
    """The steps that use a step, in the order of the plan."""
    return tuple(other for other, uses in steps.items() if name in uses)
