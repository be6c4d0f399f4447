"""Sequences whose items are made when they are looked at: of a thousand lines, one sees forty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, overload

Key = TypeVar("Key")
Item = TypeVar("Item")


class Lazy(Sequence[Item], Generic[Key, Item]):
    """What `make` makes of each of `keys`, once."""

    def __init__(self, keys: Sequence[Key], make: Callable[[Key], Item]) -> None:
        self._keys = keys
        self._make = make
        self._made: dict[int, Item] = {}

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if index not in self._made:
            self._made[index] = self._make(self._keys[index])
        return self._made[index]
