"""Every symbol of a configuration with its type, value, default, and what toggling it would change."""

from __future__ import annotations

from dataclasses import dataclass

from kimitui.config import Configuration
from kimitui.kconfig.names import type_of
from kimitui.kconfig.system import load_system_tree
from kimitui.sizes.estimate import Estimator
from kimitui.sizes.units import format_size

# So many are looked at together: more would make each of them slower.
_TOGETHER = 64


@dataclass(frozen=True)
class SymbolRow:
    """A symbol; `size_bytes` is what toggling it changes the estimated total by, None where it cannot be toggled."""

    symbol: str
    section: str
    key: str
    prompt: str
    type: str
    value: str
    default: str
    size_bytes: int | None

    def as_data(self) -> dict[str, object]:
        """The same for JSON; Kconfig values are texts."""
        return dict(vars(self))

    def in_words(self) -> list[str]:
        """The same for a table."""
        size = "" if self.size_bytes is None else f"{'+' if self.size_bytes > 0 else ''}{format_size(self.size_bytes)}"
        return [self.symbol, self.type, self.value, self.default, size]


def listed(config: Configuration, section: str | None = None) -> list[SymbolRow]:
    """The symbols that presets can set, in the order of the tree. Raises as `estimate` does."""
    defaults = load_system_tree()
    found = []
    for entry in config.names.entries.values():
        if entry.settable and section in (None, entry.section):
            found += [(entry, symbol) for symbol in entry.symbols]
    switches = [symbol for _, symbol in found if type_of(config.tree.syms[symbol]) in ("bool", "tristate")]
    estimator = Estimator(config)
    sizes: dict[str, int | None] = {}
    for start in range(0, len(switches), _TOGETHER):
        sizes |= estimator.deltas(switches[start : start + _TOGETHER])
    return [
        SymbolRow(
            symbol=symbol,
            section=entry.section,
            key=entry.key,
            prompt=entry.prompt,
            type=str(type_of(config.tree.syms[symbol])),
            value=config.values[symbol],
            default=defaults.syms[symbol].str_value,
            size_bytes=sizes.get(symbol),
        )
        for entry, symbol in found
    ]
