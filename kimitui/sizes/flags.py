"""What of the hardening differs from the level that programs were measured with, in the words of the data files."""

from __future__ import annotations

from kimitui.config import Configuration

# By name in the data: what is looked at, and the value that the measured base has.
_SWITCHES = {
    "HARDENING_PIE": "y",
    "HARDENING_STACK_CLASH": "y",
    "HARDENING_AUTO_VAR_INIT": "y",
    "HARDENING_ZERO_REGISTERS": "n",
    "HARDENING_BRANCH_PROTECTION": "n",
}
_CHOICES = {
    "HARDENING_STACK_PROTECTOR": ("strong", ("none", "strong", "all")),
    "HARDENING_FORTIFY": ("none", ("none", "2", "3")),
    "HARDENING_RELRO": ("full", ("none", "partial", "full")),
}
# What an architecture's compiler does not have is off in what was measured for it.
MISSING = {"riscv64": ("HARDENING_STACK_CLASH", "HARDENING_ZERO_REGISTERS", "HARDENING_BRANCH_PROTECTION")}


def changed_flags(config: Configuration) -> tuple[str, ...]:
    """Names such as `HARDENING_PIE=n`, sorted."""
    arch, values = config.choice("IMAGE_ARCH"), config.values
    found = []

    def value(symbol: str) -> str:
        return values.get(symbol, "n")

    for symbol, base in _SWITCHES.items():
        if symbol not in MISSING.get(arch, ()) and value(symbol) != base:
            found.append(f"{symbol}={value(symbol)}")
    for choice, (base, words) in _CHOICES.items():
        chosen = next((word for word in words if value(f"{choice}_{word.upper()}") == "y"), base)
        if chosen != base:
            found.append(f"{choice}={chosen}")
    return tuple(sorted(found))
