"""What is switched off together to see what options do only together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from sizes_joint import joint
from sizes_objects import Mentions, Objects

Calls = Callable[[set[str]], set[str]]


class Compiler(Objects):
    """Objects that are no more than what they need of others, one name in a line, and what that depends on."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def compiled(self, name: str, values: Mapping[str, str]) -> bytes:
        off = {symbol for symbol, value in values.items() if value == "n"}
        return "\n".join(["# compiled", *sorted(self._calls(off))]).encode()

    def wants(self, content: bytes) -> frozenset[str]:
        return frozenset(content.decode().split("\n")[1:])

    def preprocessed(self, name: str, values: Mapping[str, str]) -> bytes:
        return self.compiled(name, values)


def found(
    source: Path, text: str, symbols: set[str], calls: Calls, needed_by: Mapping[str, list[str]] | None = None
) -> dict[str, list[str]]:
    """By what is switched off together, what is."""
    source.write_text(text)
    mentions = Mentions([source], sorted(symbols), [], frozenset(symbols), frozenset())
    off = {symbol: {symbol: "n"} for symbol in symbols}
    sets: dict[str, list[str]] = {}
    for path, content in joint(Compiler(calls), "a.o", mentions, off, needed_by or {}):
        _, together, which = path.split("/")
        assert content
        sets.setdefault(together, []).append(which.removesuffix(".o"))
    return sets


def test_alternatives_of_one_statement(tmp_path: Path) -> None:
    text = "#if ENABLE_ASH || \\\n  ENABLE_HUSH\nregcomp();\n#endif\nif (ENABLE_TAR && ENABLE_CPIO) x();\n"
    sets = found(
        tmp_path / "a.c",
        text,
        {"ASH", "HUSH", "TAR", "CPIO"},
        lambda off: {"x"} - off if {"ASH", "HUSH"} <= off else {"x", "regcomp"},
    )
    assert sets == {"ASH,HUSH": ["=", "ASH", "ASH,HUSH", "HUSH"]}


def test_two_statements_that_need_the_same(tmp_path: Path) -> None:
    text = "if (ENABLE_ONE) sort();\nif (ENABLE_TWO) sort();\nif (ENABLE_MORE) match();\n"

    def calls(off: set[str]) -> set[str]:
        return ({"sort"} if not {"ONE", "TWO"} <= off else set()) | ({"match"} if "MORE" not in off else set())

    assert list(found(tmp_path / "a.c", text, {"ONE", "TWO", "MORE"}, calls)) == ["ONE,TWO"]


def test_every_way_to_do_without_something(tmp_path: Path) -> None:
    """It is needed for ONE where there is TWO, and for MORE."""

    def calls(off: set[str]) -> set[str]:
        return {"sort"} if "MORE" not in off or not {"ONE", "TWO"} & off else set()

    text = "ENABLE_ONE ENABLE_TWO ENABLE_MORE"
    assert set(found(tmp_path / "a.c", text, {"ONE", "TWO", "MORE"}, calls)) == {"MORE,ONE", "MORE,TWO"}


def test_what_cannot_be_is_not_tried(tmp_path: Path) -> None:
    """Without HUSH there is nothing that needs it: that it is off says all."""
    text = "#if ENABLE_HUSH || ENABLE_HUSH_TEST\n"

    def calls(off: set[str]) -> set[str]:
        return set() if {"HUSH", "HUSH_TEST"} <= off else {"test"}

    assert not found(tmp_path / "a.c", text, {"HUSH", "HUSH_TEST"}, calls, {"HUSH": ["HUSH_TEST"]})


def test_what_does_nothing_more_together_is_left_out(tmp_path: Path) -> None:
    text = "#if ENABLE_ONE || ENABLE_TWO\n"
    assert not found(tmp_path / "a.c", text, {"ONE", "TWO"}, lambda off: {"x", "ONE", "TWO"} - off - {"TWO"})
