"""Search over names, prompts and help texts: what was most likely meant comes first, and where it was found.

A query is compared as a whole and word by word, without regard to case, `_` for a space, and a `CONFIG_` before it.
Only if no name and no prompt holds it, it is taken for misspelt or abbreviated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA

Span = tuple[int, int]
"""Begin and end of a piece of text, in characters."""

# The classes of results; before them come the ranks of a query that stands in name or prompt as it is.
_WORDS, _HELP, _MISSPELT, _ABBREVIATED = 7, 8, 9, 10
_SIMILAR = 0.7  # two letters in a word of seven
_SHORTEST = 3  # in shorter words every letter is needed
_GAP = 3  # letters that may be left out between two of an abbreviation
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Text:
    """What is searched of one entry. `is_menu` puts it behind options that fit as well."""

    name: str
    prompt: str
    help: str
    is_menu: bool = False


@dataclass(frozen=True)
class Hit:
    """An entry that was found, by its number, and the words that found it."""

    entry: _Entry
    words: Sequence[str]

    @property
    def number(self) -> int:
        """The number of the entry."""
        return self.entry.number

    @property
    def prompt_spans(self) -> tuple[Span, ...]:
        """Where the words are in its prompt."""
        return _spans(self.entry.prompt, self.words)

    @property
    def name_spans(self) -> tuple[Span, ...]:
        """Where the words are in its name."""
        return _spans(self.entry.name, self.words)


class Index:
    """The texts of a tree, prepared for searching."""

    def __init__(self, texts: Iterable[tuple[int, Text]]) -> None:
        self._entries = [_Entry(number, text) for number, text in texts]
        self._vocabulary: dict[str, list[_Entry]] = {}
        for entry in self._entries:
            for known in set(_WORD.findall(f"{entry.name} {entry.prompt}")):
                self._vocabulary.setdefault(known, []).append(entry)

    def find(self, query: str, limit: int) -> list[Hit]:
        """The entries that a query finds, the most likely meant first, at most `limit`."""
        words = [word for word in (_plain(word.removeprefix("config_")) for word in query.lower().split()) if word]
        if not words:
            return []
        phrase = " ".join(words)
        ranked = [
            (rank, entry.is_menu, entry.number, entry)
            for entry in self._entries
            if (rank := entry.rank(phrase, words)) is not None
        ]
        found = [(rank, is_menu, number, entry, words) for rank, is_menu, number, entry in ranked]
        if all(rank[0] >= _HELP for rank, *_ in found):
            known = {entry.number for *_, entry, _ in found}
            found += [
                (rank, entry.is_menu, entry.number, entry, marked)
                for rank, entry, marked in self._fuzzy(words)
                if entry.number not in known
            ]
        found.sort(key=lambda one: one[:3])
        return [Hit(entry, marked) for *_, entry, marked in found[:limit]]

    def _fuzzy(self, words: Sequence[str]) -> Iterator[tuple[tuple[int, float], _Entry, list[str]]]:
        """Entries for a query that may be misspelt or abbreviated, and the words to mark in each."""
        candidates: dict[int, tuple[tuple[int, float], _Entry, list[str]]] | None = None
        for word in words:
            fits = self._like(word)
            if candidates is None:
                candidates = {number: (rank, entry, [meant]) for number, (rank, entry, meant) in fits.items()}
            else:
                candidates = {
                    number: (_worse(rank, fits[number][0]), entry, [*meant, fits[number][2]])
                    for number, (rank, entry, meant) in candidates.items()
                    if number in fits
                }
        yield from (candidates or {}).values()

    def _like(self, word: str) -> dict[int, tuple[tuple[int, float], _Entry, str]]:
        """By entry, how far it is from `word`, and what stands there instead."""
        fits: dict[int, tuple[tuple[int, float], _Entry, str]] = {}
        for meant, (class_, difference) in self._similar(word):
            for entry in self._vocabulary[meant]:
                rank = class_, difference + entry.nearness(meant) / 100
                if entry.number not in fits or rank < fits[entry.number][0]:
                    fits[entry.number] = rank, entry, meant
        if len(word) >= _SHORTEST:
            pattern = re.compile(r"\b" + f".{{0,{_GAP}}}?".join(map(re.escape, word)))
            for entry in self._entries:
                if entry.number in fits:
                    continue
                if match := pattern.search(entry.name) or pattern.search(entry.prompt):
                    rank = _ABBREVIATED, float(match.end() - match.start())
                    fits[entry.number] = rank, entry, match[0]
        return fits

    def _similar(self, word: str) -> Iterator[tuple[str, tuple[int, float]]]:
        for known in self._vocabulary:
            if word in known:
                yield known, (_MISSPELT, 0.0)
        if len(word) < _SHORTEST + 1:
            return
        words = [known for known in self._vocabulary if len(known) > _SHORTEST]
        # While one types, the word is not all there.
        for choices in (words, [known[: len(word)] for known in words]):
            for _, similarity, index in process.extract(
                word, choices, scorer=OSA.normalized_similarity, score_cutoff=_SIMILAR, limit=None
            ):
                if choices[index][0] == word[0] or similarity > 0.85:
                    yield words[index], (_MISSPELT, 1.0 - similarity)


class _Entry:
    """A text, folded."""

    __slots__ = ("help", "is_menu", "name", "number", "prompt", "short_name", "short_prompt")

    def __init__(self, number: int, text: Text) -> None:
        self.number = number
        self.is_menu = text.is_menu
        self.name = _folded(text.name).replace("_", " ")
        self.prompt = _folded(text.prompt)
        self.help = text.help.lower()
        self.short_name = self.name.partition(" ")[2]
        self.short_prompt = self.prompt.partition(": ")[0]

    def rank(self, phrase: str, words: Sequence[str]) -> tuple[int, float] | None:
        """How far the entry is from being the one that was meant, (0, 0) is nearest; None if it is not found."""
        if phrase in self.name or phrase in self.prompt:
            return self.nearness(phrase), 0
        total, helped = 0, False
        for word in words:
            if word in self.name or word in self.prompt:
                total += self.nearness(word)
            elif word in self.help:
                helped = True
                total += _HELP
            else:
                return None
        if helped and phrase in self.help:
            total = 0
        return (_HELP if helped else _WORDS), total

    def nearness(self, phrase: str) -> int:
        """How far `phrase`, which is in name or prompt, is from being all of it."""
        if phrase == self.name:
            return 0
        if phrase in (self.short_name, self.short_prompt):
            return 1
        if self.prompt.startswith(phrase):
            return 2
        if self.short_name.startswith(phrase) or self.name.startswith(phrase):
            return 3
        if f" {phrase}" in self.prompt or f" {phrase}" in self.name:
            return 4
        return 5 if phrase in self.prompt else 6


def _plain(text: str) -> str:
    return text.replace("_", " ").strip()


def _folded(text: str) -> str:
    """`text` in lower case and as long as before, so that places in the one are places in the other."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(min(one.lower(), one, key=len) for one in text)


def _spans(text: str, words: Sequence[str]) -> tuple[Span, ...]:
    """Where `words` are in `text`, at the beginning of a word if possible; what touches is one."""
    found = []
    for word in words:
        start = re.search(r"\b" + re.escape(word), text)
        begin = start.start() if start else text.find(word)
        if begin >= 0:
            found.append((begin, begin + len(word)))
    merged: list[Span] = []
    for begin, end in sorted(found):
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    return tuple(merged)


def _worse(one: tuple[int, float], other: tuple[int, float]) -> tuple[int, float]:
    return max(one[0], other[0]), one[1] + other[1]
