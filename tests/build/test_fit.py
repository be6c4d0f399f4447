"""What is proposed to fit into a budget, built."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kimitui.config import Configuration
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
