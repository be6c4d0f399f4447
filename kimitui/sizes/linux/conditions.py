"""When something is linked, as formulas for `kimitui.sizes.closure`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kimitui.kconfig.types import Kconfig
from kimitui.sizes.linux import kbuild
from kimitui.sizes.linux.slice import Slice


class Conditions:
    """Formulas for tests of options, without what is always the same in a slice."""

    def __init__(self, slice_: Slice, tree: Kconfig) -> None:
        self._slice, self._tree = slice_, tree
        self.read: set[str] = set()

    def any_of(self, conditions: Iterable[kbuild.Condition]) -> str:
        """The formula that any of the conditions holds."""
        return joined("|", sorted(self.all_of(condition) for condition in conditions))

    def all_of(self, condition: kbuild.Condition) -> str:
        """The formula that all tests hold."""
        return joined("&", [self._test(option, kind) for option, kind in sorted(condition)])

    def on(self, *options: str) -> str:
        """The formula that options are on."""
        return joined("&", [self._test(option, "on") for option in sorted(options)])

    def _test(self, option: str, kind: str) -> str:
        if not self._slice.varies(option):
            value = self._slice.bounds(option).least
            holds = {
                "value": "nmy"[value],
                "on": "ny"[value > 0],
                "off": "ny"[value == 0],
                "y": "ny"[value == 2],
                "m": "ny"[value == 1],
                "not y": "ny"[value != 2],
            }
            return holds[kind]
        if kind in ("off", "not y"):
            return "y"  # what takes the place of something that is off: it was off when it was measured
        self.read.add(option)
        if kind == "value":
            return option
        return f'!= {option} "n"' if kind == "on" else f'= {option} "{kind}"'


def joined(sign: str, parts: Sequence[str]) -> str:
    """The formula that all (`&`) or any (`|`) of formulas hold."""
    neutral, absorbing = ("y", "n") if sign == "&" else ("n", "y")
    parts = [part for part in dict.fromkeys(parts) if part != neutral]
    if absorbing in parts:
        return absorbing
    return " ".join((*([sign] * (len(parts) - 1)), *parts)) if parts else neutral
