"""Estimates beside kernels that were built."""

from __future__ import annotations

import pytest

from kimitui.sizes.linux.compare import Compared, summary


def test_errors_are_relative_to_what_was_built() -> None:
    pairs = [Compared("a", 1000, 1010), Compared("b", 1000, 960), Compared("c", 2000, 2000)]
    assert [pair.error for pair in pairs] == pytest.approx([0.01, -0.04, 0])
    assert summary(pairs) == {"kernels": 3, "median": 0.01, "worst": 0.04}


def test_without_kernels_nothing_is_said() -> None:
    assert summary([]) == {}
