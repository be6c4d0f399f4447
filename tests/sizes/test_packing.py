"""What compressed sizes are fitted to."""

from __future__ import annotations

import random

import pytest

from kimitui.sizes import packing
from kimitui.sizes.packing import Archive, Placed
from kimitui.sizes.weights import Weights


def test_weights_are_found_again() -> None:
    wanted = Weights(fixed=0, share=0.95, more=-0.02, member=12)
    draw = random.Random(1)
    archives, sizes = [], []
    for number in range(14):
        program, beside, members = draw.uniform(2e5, 8e5), draw.uniform(1e3, 5e4), draw.randint(30, 450)
        linked = number < 2
        archives.append(Archive(b"", (program, beside), (0.0, 0.0), members, linked))
        # What is put together may pack otherwise than what was linked.
        other = 0 if linked else 900 + 0.03 * (program + beside)
        sizes.append(round(wanted.packed(program, beside, members) + other))
    found = Weights(*packing.fitted(archives, {"zstd": sizes})["zstd"])
    assert found.packed(5e5, 1e4, 200) == pytest.approx(wanted.packed(5e5, 1e4, 200), rel=1e-4)
    assert found.packed(2e5, 4e4, 30) == pytest.approx(wanted.packed(2e5, 4e4, 30), rel=1e-4)


def test_what_was_there_before_costs_little_and_noise_costs_all() -> None:
    noise = random.Random(2).randbytes(4_000)
    again, new, unknown = packing.shares([Placed(noise, 0, noise), Placed(noise, 0, b""), Placed()])
    assert again < 5
    assert 98 <= new <= 102
    assert unknown == 0


def test_an_archive_has_a_member_for_all_that_is_in_it() -> None:
    content, members = packing.archive(b"program", ["bin/ls", "usr/bin/env"], {"etc/passwd": b"root"}, 0)
    assert members == 4 + len(["bin", "etc", "usr", "usr/bin"])
    assert content.count(b"ustar") == members
