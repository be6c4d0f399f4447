"""Estimates of presets that were drawn, beside what builds of them give."""

from __future__ import annotations

from pathlib import Path

import pytest

from kimitui.resources import cache_dir
from kimitui.sizes import check

pytestmark = pytest.mark.build

# Of those that `kimitui sizes check` draws, small ones with three sets of flags; 0 has a shared C library, 2 has
# FORTIFY_SOURCE.
SEED, NUMBERS, FORTIFIED = 6, (0, 10, 29), (2,)


def hold(numbers: tuple[int, ...], directory: Path) -> None:
    rows = check.compare(SEED, numbers, "x86_64", cache_dir(), directory, emit=lambda _event: None, say=print)
    found = check.outcomes(rows)
    assert {one.name: one.presets for one in found} == dict.fromkeys(check.BARS, len(numbers))
    assert all(one.holds for one in found), found


def test_drawn_presets_are_as_large_as_was_said(tmp_path: Path) -> None:
    hold(NUMBERS, tmp_path)


@pytest.mark.usefixtures("fortify_headers")
def test_one_whose_lengths_are_checked_is_as_large_as_was_said(tmp_path: Path) -> None:
    hold(FORTIFIED, tmp_path)
