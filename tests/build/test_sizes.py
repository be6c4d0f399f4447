"""Estimates of presets that were drawn, beside what builds of them give."""

from __future__ import annotations

from pathlib import Path

import pytest

from kimitui.resources import cache_dir
from kimitui.sizes import check

pytestmark = pytest.mark.build

# Of those that `kimitui sizes check` draws, small ones with three sets of flags; 0 has a shared C library, 2 has
# FORTIFY_SOURCE.
SEED, NUMBERS = 6, (0, 2, 29)


def test_drawn_presets_are_as_large_as_was_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = check.compare(SEED, NUMBERS, "x86_64", cache_dir(), tmp_path, emit=lambda _event: None, say=print)
    found = check.outcomes(rows)
    assert {one.name: one.presets for one in found} == dict.fromkeys(check.BARS, len(NUMBERS))
    assert all(one.holds for one in found), capsys.readouterr().out
