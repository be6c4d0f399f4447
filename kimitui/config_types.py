"""What a configuration says, as plain data: changes, differences, refusals, and values in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kimitui.errors import Location, UsageError
from kimitui.kconfig.names import SECTIONS, JsonValue, Names

Values = dict[str, dict[str, JsonValue]]
"""Section to key to value."""


@dataclass(frozen=True)
class ValueChange:
    """A symbol whose value changed, as Kconfig values (`y`, `m`, `n`, a number, text).

    `called` is what it is called in a sentence, "" if nobody can set it.
    """

    symbol: str
    called: str
    before: str
    after: str


@dataclass(frozen=True)
class Change:
    """One step that can be undone: what was done in words, and every symbol whose value changed by it.

    `pulled` are those of the changes that were made because what was asked for needs them.
    """

    label: str
    changes: tuple[ValueChange, ...]
    pulled: tuple[ValueChange, ...] = ()


@dataclass(frozen=True)
class Alternative:
    """A way to get a value that was refused, for `apply_fix`.

    `text` says what is done besides, `changes` are all values that would be different, `assignments` what it
    consists of: symbols with Kconfig values, what was asked for first. `label` is the step's.
    """

    text: str
    changes: tuple[ValueChange, ...]
    assignments: tuple[tuple[str, str], ...]
    label: str


class Refused(UsageError):  # noqa: N818 - it is no error of the program: it is the answer
    """A value that cannot be; nothing was changed. The text says why, `alternatives` what would make it possible."""

    def __init__(self, what: str, *, fix: str | None = None, alternatives: tuple[Alternative, ...] = ()) -> None:
        super().__init__(what, fix=fix)
        self.alternatives = alternatives


@dataclass(frozen=True)
class Difference:
    """A key that has different values in two configurations; None stands for "has no value there"."""

    section: str
    key: str
    before: JsonValue
    after: JsonValue
    prompt: str

    def describe(self) -> str:
        """The difference in words, without a full stop."""
        key = f"{self.section}.{self.key}" if self.section else self.key
        name = f"{self.prompt} ({key})" if self.prompt else key
        if isinstance(self.before, list) and isinstance(self.after, list):
            added = [word for word in self.after if word not in self.before]
            removed = [word for word in self.before if word not in self.after]
            parts = [f"without {', '.join(removed)}"] * bool(removed) + [f"with {', '.join(added)}"] * bool(added)
            return f"{name}: {', '.join(parts)}"
        if isinstance(self.before, Mapping) and isinstance(self.after, Mapping):
            keys = [key for key in {**self.before, **self.after} if self.before.get(key) != self.after.get(key)]
            parts = [
                f"{key} {_part_in_words(self.before.get(key))} → {_part_in_words(self.after.get(key))}" for key in keys
            ]
            return f"{name}: {', '.join(parts)}"
        return f"{name}: {in_words(self.before)} → {in_words(self.after)}"


@dataclass(frozen=True)
class KeyChange(Difference):
    """A key that has another value than its base gives it: `before` is the base's value, `after` the one now.

    `symbol` is the name that `unset` takes it back by, `symbols` are those that hold the value. `is_set` says whether
    the key itself was set; if not, its value follows from others that were.
    """

    symbol: str
    symbols: tuple[str, ...]
    is_set: bool

    @property
    def before_words(self) -> str:
        """The base's value in words."""
        return in_words(self.before)

    @property
    def after_words(self) -> str:
        """The value now in words."""
        return in_words(self.after)


@dataclass(frozen=True)
class Origin:
    """Where a value comes from: a clause that goes after the name, and the place in a file if it is written there."""

    text: str
    where: Location | None = None

    def __str__(self) -> str:
        return f"{self.text} at {self.where}" if self.where else self.text


@dataclass(frozen=True)
class Overridden:
    """A value that an extended preset asks for, and that what extends it (or `--arch`) made impossible."""

    section: str
    key: str
    wanted: JsonValue
    where: Location
    reason: str

    def describe(self) -> str:
        """What is not in force and why, in a line without a full stop."""
        return f"{self.section}.{self.key} ({in_words(self.wanted)} at {self.where}) is not in force: it {self.reason}"


def differences(before: Values, after: Values, names: Names) -> list[Difference]:
    """What differs between two sets of resolved values; sections in their order, keys sorted."""
    found = []
    for section in dict.fromkeys([*SECTIONS, *before, *after]):
        old, new = before.get(section, {}), after.get(section, {})
        for key in sorted({*old, *new}):
            if old.get(key) != new.get(key):
                entry = names.entries.get((section, key))
                found.append(Difference(section, key, old.get(key), new.get(key), entry.prompt if entry else ""))
    return found


def in_words(value: JsonValue) -> str:
    """A value of a preset in a sentence."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if value is None:
        return "nothing"
    if isinstance(value, list):
        return f"[{', '.join(value)}]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key}: {_part_in_words(part)}" for key, part in value.items()) + " }"
    if value == "m":
        return "a module"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _part_in_words(value: object) -> str:
    """A part of an object in a sentence."""
    if isinstance(value, list):
        return f"[{', '.join(map(_part_in_words, value))}]"
    if value is None or isinstance(value, bool | int | str | Mapping):
        return in_words(value)
    return str(value)


def kconfig_in_words(value: str) -> str:
    """A Kconfig value in a sentence."""
    return {"y": "on", "m": "a module", "n": "off"}.get(value, f'"{value}"')
