"""What is proposed to fit into a budget, built."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kimitui.config import Configuration
from kimitui.resources import cache_dir
from kimitui.sizes.estimate import Estimator
from kimitui.sizes.fit import fit
from tests.build.conftest import Make

pytestmark = pytest.mark.build

BUDGET_BYTES = 540_000


def test_it_fits(make_image: Make, tmp_path: Path) -> None:
    config = Configuration.open("minimal")
    proposal = fit(config, BUDGET_BYTES)
    assert proposal.fits and proposal.given_up
    config.apply_fix(proposal.as_alternative)
    preset = config.save(tmp_path / "fitted.json5", extend=True)
    image = make_image(preset)
    assert (image.directory / "rootfs.tar").stat().st_size <= BUDGET_BYTES
    asked = json.loads((image.directory / "build-info.json").read_text())["configuration"]["busybox"]
    assert not any(asked[one.symbol.removeprefix("BUSYBOX_")] for one in proposal.given_up)
    assert image.run("echo works | grep -c works") == "1\n"


def test_what_was_built_is_where_all_changes_begin(make_image: Make) -> None:
    directory = make_image("minimal").directory
    built_bytes = (directory / "rootfs.tar").stat().st_size
    config = Configuration.open("minimal")
    estimator = Estimator(config, cache_dir=cache_dir())
    sizes = estimator.sizes()
    assert sizes.is_exact and sizes.total_bytes == built_bytes
    assert {"busybox", "layer", *sizes.artifacts} <= sizes.exact
    assert sizes.artifacts == {name: (directory / name).stat().st_size for name in sizes.artifacts}
    corrections = estimator.corrections()
    delta = estimator.deltas(["BUSYBOX_RUNSV"])["BUSYBOX_RUNSV"]
    assert delta
    config.toggle("BUSYBOX_RUNSV")
    assert not estimator.sizes().is_exact
    assert estimator.sizes(corrections).total_bytes == built_bytes + delta
    config.undo()
    proposal = fit(config, BUDGET_BYTES, cache_dir=cache_dir())
    assert proposal.fits
    assert proposal.before_bytes == built_bytes
    assert built_bytes - sum(one.saved_bytes for one in proposal.given_up) == proposal.after_bytes
