"""What to give up so that an image fits into a budget: least valuable first, and nothing more than needed.

What is worth how much is read from the presets that come with kimitui: what none of them has goes first, then what
`extended` adds, what `standard` adds, and what `minimal` has; in each of these, what saves most. What the preset itself
asks for goes after all that it only got by extending another, and essential tools never.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kimitui import preset as presets
from kimitui import resources
from kimitui.build.artifacts.boot import VMLINUZ
from kimitui.config import Configuration
from kimitui.config_types import Alternative
from kimitui.errors import KimituiError, UsageError
from kimitui.kconfig.applets import applet_symbols
from kimitui.kconfig.names import nearest
from kimitui.sizes.estimate import ROOTFS, Estimator
from kimitui.sizes.units import format_size

_SECTIONS = ("busybox", "packages")
_WORTH = ("extended", "standard", "minimal")
_ESSENTIAL = (
    "sh ash cat chmod chown cp date dd df echo env false find grep head id kill ln ls mkdir mount mv ps pwd rm rmdir "
    "sed sleep sort tail tar test [ touch true umount uname wc"
)
# What makes a shell and its tools work as scripts expect; without it next to nothing would be saved.
_ESSENTIAL_SETTINGS = (
    "BUSYBOX_ASH_",
    "BUSYBOX_FEATURE_SH_",
    "BUSYBOX_HUSH_",
    "BUSYBOX_LONG_OPTS",
    "BUSYBOX_FEATURE_COMPRESS_USAGE",  # what it is for is to save
)
_AT_ONCE = 64  # options that are compared in one walk through the program
_ROUNDS = 4  # looks at one rank: what is left may save something once others are gone


@dataclass(frozen=True)
class GivenUp:
    """An option to switch off; `chosen` says that the preset itself asks for it."""

    symbol: str
    called: str
    saved_bytes: int
    chosen: bool


@dataclass(frozen=True)
class Proposal:
    """What to give up, in order, and the totals before and after, in bytes.

    `saved_bytes` of each is what it saves when those before it are gone. `goal_bytes` is below the budget by the error
    that the estimate may have. `consequences` are further options that go with them, by what they are called. If it
    does not fit, all that may go is given up and it is still too large. `kernel_bytes` of it are `vmlinuz`, of whose
    options none is proposed: what a machine can do without, only its owner knows.
    """

    before_bytes: int
    after_bytes: int
    budget_bytes: int
    goal_bytes: int
    given_up: tuple[GivenUp, ...]
    consequences: tuple[str, ...]
    kernel_bytes: int = 0

    @property
    def fits(self) -> bool:
        """Whether the image is sure to fit, as far as the estimate is."""
        return self.after_bytes <= self.goal_bytes

    @property
    def what_is_left(self) -> str:
        """Why there is not more to give up."""
        left = "what is left is essential, or was to be kept"
        return f"{left}; {format_size(self.kernel_bytes)} are the kernel, yours to trim" if self.kernel_bytes else left

    @property
    def verdict(self) -> str:
        """Whether it fits, in words, and if not, why there is no more to give up."""
        return "it fits" if self.fits else f"it does not fit: {self.what_is_left}"

    @property
    def as_alternative(self) -> Alternative:
        """The proposal as `Editing.apply_fix` takes it: one step that can be undone."""
        assignments = tuple((one.symbol, "n") for one in self.given_up)
        text = ", ".join(one.called for one in self.given_up)
        return Alternative(text, (), assignments, f"fit into {format_size(self.budget_bytes)}")


def fit(
    config: Configuration,
    budget_bytes: int,
    *,
    keep: Sequence[str] = (),
    cache_dir: Path | None = None,
    is_wanted: Callable[[], bool] = lambda: True,
) -> Proposal:
    """What to give up in `config` so that it fits into `budget_bytes`; `config` stays as it is.

    `keep` are symbols or names of applets that must stay. It takes a second or so; once `is_wanted` says no, it ends
    with what it has. Raises UsageError for a name to keep that there is not, PresetError as `estimate` does.
    """
    return _Fitting(config, budget_bytes, keep, cache_dir, is_wanted).proposal()


class _Fitting:
    def __init__(
        self,
        config: Configuration,
        budget_bytes: int,
        keep: Sequence[str],
        cache_dir: Path | None,
        is_wanted: Callable[[], bool],
    ) -> None:
        self._work = config.copy()
        self._base = self._work.assigned
        self._values = dict(self._work.values)
        self._estimator = Estimator(self._work, cache_dir=cache_dir)
        self._is_wanted = is_wanted
        self._budget_bytes = budget_bytes
        self._corrections = self._estimator.corrections()
        before = self._estimator.sizes()
        self._before_bytes = before.total_bytes
        self._kernel_bytes = before.parts.get(VMLINUZ, 0)
        self._goal_bytes = budget_bytes
        if self._before_bytes > budget_bytes:
            # What was built is exact, what it will be is not; the kernel stays as it is.
            error = Estimator(self._work).sizes().uncertainty.get(ROOTFS, 0.0)
            kernel_error = before.uncertainty.get(VMLINUZ, 0.0) * self._kernel_bytes
            beside = budget_bytes - self._kernel_bytes - kernel_error
            self._goal_bytes = max(0, int(beside / (1 + error) + self._kernel_bytes))
        applets = applet_symbols(self._work.names)
        self._essential = {applets[name] for name in _ESSENTIAL.split()} & self._on()
        self._essential |= {name for name in self._on() if name.startswith(_ESSENTIAL_SETTINGS)}
        self._essential |= {_symbol(name, applets, self._work) for name in keep} & self._on()
        self._chosen = _chosen(self._work) & self._on()
        self._off: dict[str, str] = {}

    def proposal(self) -> Proposal:
        total = self._before_bytes
        order: list[str] = []
        for rank in self._ranks():
            if total <= self._goal_bytes:
                break
            total = self._give_up(rank, order, total)
        total = self._take_back(order, total, max(total, self._goal_bytes))
        return self._described([name for name in order if name in self._off], total)

    def _on(self) -> set[str]:
        return {name for name, value in self._values.items() if value in ("y", "m")}

    def _ranks(self) -> Iterator[list[str]]:
        """The options that may go, the least valuable first."""
        worth = _worth()
        symbols = [
            entry.symbol
            for entry in self._work.names.entries.values()
            if entry.section in _SECTIONS
            and entry.type in ("bool", "tristate")
            and entry.settable
            and entry.symbol in self._on() - self._essential
            and self._work.tree.syms[entry.symbol].choice is None
        ]
        for chosen in (False, True):
            for value in range(len(_WORTH) + 1):
                yield [name for name in symbols if (name in self._chosen) == chosen and worth.get(name, 0) == value]

    def _give_up(self, rank: Sequence[str], order: list[str], total: int) -> int:
        """Switch off what of `rank` saves something, until the goal is reached; the total then."""
        left = list(rank)
        for _ in range(_ROUNDS):
            self._assume()
            left = [name for name in left if self._work.values[name] != "n"]
            deltas = self._deltas(left)
            found = sorted((delta, name) for name, delta in deltas.items() if delta is not None and delta < 0)
            before = total
            for _, name in found:
                if total <= self._goal_bytes or not self._is_wanted():
                    return total
                self._off[name] = "n"
                after = self._total()
                if after is not None and after < total:
                    order.append(name)
                    total = after
                else:
                    del self._off[name]
            if total == before:
                break
        return self._give_up_together(left, order, total)

    def _give_up_together(self, rank: Sequence[str], order: list[str], total: int) -> int:
        """Switch off all that is left of a rank: each alone saves less than programs are filled up by."""
        for name in rank:
            if name not in self._off and self._is_wanted():
                self._off[name] = "n"
                if self._holds():
                    order.append(name)
                else:
                    del self._off[name]
        after = self._total()
        return total if after is None else after

    def _deltas(self, names: Sequence[str]) -> Mapping[str, int | None]:
        """What each of them would change; what makes an image that cannot be is left out."""
        found: dict[str, int | None] = {}
        for start in range(0, len(names), _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            try:
                found |= self._estimator.deltas(some)
            except KimituiError:
                for name in some:
                    with suppress(KimituiError):
                        found |= self._estimator.deltas([name])
        return found

    def _holds(self) -> bool:
        """Whether nothing essential, and nothing that the preset asks for, goes with what is off."""
        self._assume()
        values = self._work.values
        return not (
            any(values[name] == "n" for name in self._essential)
            or any(values[name] == "n" and name not in self._off for name in self._chosen)
            or any(values[name] != "n" for name in self._off)  # something else needs it
        )

    def _total(self) -> int | None:
        """The total with what is off; None if that cannot be."""
        if not self._holds():
            return None
        try:
            return self._estimator.sizes(self._corrections).total_bytes
        except KimituiError:
            return None  # such an image cannot be

    def _assume(self) -> None:
        self._work.assume({**self._base, **self._off})

    def _take_back(self, names: Sequence[str], total: int, goal_bytes: int) -> int:
        """Keep those of `names`, the most valuable last, that need not go after all for `goal_bytes`."""
        if not names or not self._is_wanted():
            return total
        for name in names:
            del self._off[name]
        after = self._total()
        if after is not None and after <= goal_bytes:
            return after
        self._off |= dict.fromkeys(names, "n")
        if len(names) > 1:
            half = len(names) // 2
            total = self._take_back(names[half:], total, goal_bytes)
            total = self._take_back(names[:half], total, goal_bytes)
        return total

    def _described(self, order: Sequence[str], total: int) -> Proposal:
        self._off = {}
        given_up, before = [], self._before_bytes
        for name in order:
            self._off[name] = "n"
            after = self._total()
            saved = 0 if after is None else before - after
            before = before if after is None else after
            given_up.append(GivenUp(name, self._called(name), saved, name in self._chosen))
        self._assume()
        gone = [
            self._called(name)
            for name, value in self._work.values.items()
            if value == "n"
            and self._values[name] in ("y", "m")
            and name not in self._off
            and self._called(name) != name
        ]
        return Proposal(
            before_bytes=self._before_bytes,
            after_bytes=total,
            budget_bytes=self._budget_bytes,
            goal_bytes=self._goal_bytes,
            given_up=tuple(given_up),
            consequences=tuple(gone),
            kernel_bytes=self._kernel_bytes,
        )

    def _called(self, symbol: str) -> str:
        entry = self._work.names.by_symbol.get(symbol)
        return entry.prompt if entry is not None and entry.prompt else symbol


def _symbol(name: str, applets: Mapping[str, str], config: Configuration) -> str:
    """The symbol that is meant by a name to keep."""
    for candidate in (name, f"BUSYBOX_{name}", f"PACKAGE_{name.upper().replace('-', '_')}"):
        if candidate in config.values:
            return candidate
    if name in applets:
        return applets[name]
    close = nearest(name, [*applets, *config.values])
    raise UsageError(f"there is no symbol {name}", fix=f"Did you mean {close}?" if close else "kimitui list --symbols")


def _chosen(config: Configuration) -> set[str]:
    """What the user asks for: what the preset holds, but of a preset of ours only what was changed in it."""
    ours = config.path.absolute().parent == resources.PRESETS_DIR.absolute()
    own = config.own_values()
    return {
        entry.symbol
        for entry in config.names.entries.values()
        if (value := own.get(entry.section, {}).get(entry.key)) is not None
        and not (ours and config.preset.sections.get(entry.section, {}).get(entry.key) == value)
    }


def _worth() -> dict[str, int]:
    """By symbol, the rank of the smallest of our presets that has it; what none has is not there."""
    worth: dict[str, int] = {}
    for rank, name in enumerate(_WORTH, 1):
        path = resources.PRESETS_DIR / f"{name}{presets.SUFFIX}"
        if path.exists():
            config = Configuration.from_preset(presets.read(path))
            worth |= {symbol: rank for symbol, value in config.values.items() if value in ("y", "m")}
    return worth
