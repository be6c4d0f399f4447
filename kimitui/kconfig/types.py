"""The part of kconfiglib's classes that kimitui uses, with types; kconfiglib itself has none.

What is meant by each attribute is said in kconfiglib's own docstrings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Protocol

Expr = Any
"""A symbol, a choice, or a tuple of an operator and its operands."""


class MenuNode(Protocol):
    """`kconfiglib.MenuNode`: one entry of the menu tree."""

    item: Any
    prompt: tuple[str, Expr] | None
    help: str | None
    dep: Expr
    visibility: Expr
    is_menuconfig: bool
    filename: str
    linenr: int
    parent: MenuNode | None
    list: MenuNode | None
    next: MenuNode | None
    kconfig: Kconfig


class Symbol(Protocol):
    """`kconfiglib.Symbol`."""

    name: str
    nodes: Sequence[MenuNode]
    choice: Choice | None
    is_constant: bool
    orig_type: int
    user_value: int | str | None
    direct_dep: Expr
    rev_dep: Expr
    weak_rev_dep: Expr
    ranges: Sequence[tuple[Symbol, Symbol, Expr]]
    defaults: Sequence[tuple[Expr, Expr]]
    selects: Sequence[tuple[Symbol, Expr]]
    implies: Sequence[tuple[Symbol, Expr]]
    kconfig: Kconfig

    _dependents: AbstractSet[Symbol | Choice]

    type: int
    str_value: str
    tri_value: int
    assignable: Sequence[int]
    visibility: int

    def set_value(self, value: int | str) -> bool:
        """Set the user value; false if it is malformed for the type."""
        ...

    def unset_value(self) -> None:
        """Forget the user value."""
        ...


class Choice(Protocol):
    """`kconfiglib.Choice`."""

    name: str | None
    nodes: Sequence[MenuNode]
    syms: Sequence[Symbol]
    is_optional: bool
    orig_type: int
    direct_dep: Expr
    defaults: Sequence[tuple[Expr, Expr]]
    kconfig: Kconfig

    _dependents: AbstractSet[Symbol | Choice]

    selection: Symbol | None
    tri_value: int
    visibility: int

    def set_value(self, value: int | str) -> bool:
        """Set the mode: off, modules, or one of them."""
        ...

    def unset_value(self) -> None:
        """Forget the user value."""
        ...


class Kconfig(Protocol):
    """`kconfiglib.Kconfig`: a whole tree and the values in it."""

    syms: dict[str, Symbol]
    named_choices: dict[str, Choice]
    unique_defined_syms: Sequence[Symbol]
    unique_choices: Sequence[Choice]
    top_node: MenuNode
    mainmenu_text: str
    srctree: str
    warnings: Sequence[str]
    warn: bool
    modules: Symbol
    n: Symbol
    m: Symbol
    y: Symbol
    config_prefix: str

    def node_iter(self, unique_syms: bool = False) -> Iterator[MenuNode]:
        """All nodes of the tree, in its order."""
        ...

    def load_config(self, filename: str, replace: bool = True) -> str:
        """Set user values from a `.config` file."""
        ...

    def unset_values(self) -> None:
        """Forget all user values."""
        ...

    def write_config(self, filename: str, header: str | None = None, save_old: bool = True) -> str:
        """Write all values as a `.config` file."""
        ...

    def write_min_config(self, filename: str, header: str | None = None) -> str:
        """Write the values that differ from their defaults as a `.config` file."""
        ...
