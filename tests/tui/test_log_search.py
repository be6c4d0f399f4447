from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kimitui.build.state import Log
from kimitui.tui.log_search import LogSearch


def log_of(*lines: str, limit: int = 1000) -> Log:
    log = Log(limit)
    for line in lines:
        log.append(line)
    return log


def test_small_letters_find_capital_ones_and_capital_ones_only_themselves() -> None:
    log = log_of("Error", "error", "fine")
    assert LogSearch(log, "error").count == 2
    assert LogSearch(log, "Error").count == 1
    assert LogSearch(log, "").count == 0


def test_next_and_previous_go_round() -> None:
    search = LogSearch(log_of("x", "a", "x", "a", "x"), "x")
    assert [search.next(0), search.next(2), search.next(4)] == [2, 4, 0]
    assert [search.previous(4), search.previous(2), search.previous(0)] == [2, 0, 4]
    assert [search.place(line) for line in range(5)] == [1, 0, 2, 0, 3]
    assert LogSearch(log_of("a"), "x").next(0) is None


def test_every_occurrence_in_a_line_is_marked() -> None:
    assert LogSearch(Log(), "ab").spans("ab abab") == [(0, 2), (3, 5), (5, 7)]


def test_escape_sequences_are_not_searched() -> None:
    assert LogSearch(log_of("\x1b[31mred\x1b[0m"), "31").count == 0
    assert LogSearch(log_of("a\x1b[31mb"), "ab").count == 1


@given(
    words=st.lists(st.sampled_from(["x", "a", "xa", "X", ""]), max_size=60),
    limit=st.integers(5, 40),
    every=st.integers(1, 10),
)
def test_searching_as_it_grows_finds_what_searching_at_the_end_finds(words: list[str], limit: int, every: int) -> None:
    log = Log(limit)
    search = LogSearch(log, "x")
    for number, word in enumerate(words):
        log.append(word)
        if number % every == 0:
            search.update()
    search.update()
    whole = LogSearch(log, "x")
    expected = [log.dropped + index for index, line in enumerate(log.lines) if "x" in line.lower()]
    assert search.count == whole.count == len(expected)
    assert [search.place(line) for line in expected] == list(range(1, len(expected) + 1))
