"""What is proposed so that an image fits into a budget."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kimitui.config import Configuration
from kimitui.errors import UsageError
from kimitui.kconfig.applets import applet_symbols
from kimitui.sizes.estimate import estimate
from kimitui.sizes.fit import Proposal, fit

USUAL = "sh cat ls cp mv rm sed grep find tar ps kill mount"


def applied(config: Configuration, proposal: Proposal) -> Configuration:
    """The configuration with what was proposed, by what Configuration itself allows."""
    result = config.copy()
    result.apply_fix(proposal.as_alternative)
    return result


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A preset that asks for something itself."""
    path = tmp_path_factory.mktemp("fit") / "child.json5"
    path.write_text('{ extends: "minimal", busybox: { AWK: true, HTTPD: true } }')
    return path


def test_it_fits_and_breaks_no_dependency(child: Path) -> None:
    config = Configuration.open(str(child))
    before = estimate(config).total_bytes
    assigned = config.assigned
    proposal = fit(config, before - 60_000)
    assert config.assigned == assigned
    assert proposal.given_up and proposal.fits
    assert proposal.before_bytes == before
    assert before - sum(one.saved_bytes for one in proposal.given_up) == proposal.after_bytes
    # Refused if one of them cannot be off; and what is off stays off when it is saved and read again.
    after = applied(config, proposal)
    assert estimate(after).total_bytes == proposal.after_bytes <= before - 60_000
    assert all(not after.is_on(one.symbol) for one in proposal.given_up)
    after.save(child.with_name("smaller.json5"))
    again = Configuration.open(str(child.with_name("smaller.json5")))
    assert again.values == after.values
    assert not again.overridden
    applets = applet_symbols(after.names)
    assert all(after.is_on(applets[name]) for name in USUAL.split())


def test_own_choices_go_last_and_what_is_to_be_kept_stays(child: Path) -> None:
    config = Configuration.open(str(child))
    before = estimate(config).total_bytes
    little = fit(config, before - 30_000)
    assert little.fits
    assert not any(one.chosen for one in little.given_up)
    first = little.given_up[0].symbol
    kept = fit(config, before - 30_000, keep=[first.removeprefix("BUSYBOX_")])
    assert first not in {one.symbol for one in kept.given_up}
    with pytest.raises(UsageError, match="there is no symbol whget"):
        fit(config, 1, keep=["whget"])


def test_nothing_more_than_needed(child: Path) -> None:
    config = Configuration.open(str(child))
    proposal = fit(config, estimate(config).total_bytes - 30_000)
    for one in proposal.given_up:
        less = config.copy()
        for other in proposal.given_up:
            if other is not one:
                less.set(other.symbol, False)
        assert estimate(less).total_bytes > proposal.goal_bytes, one.symbol


def test_what_fits_stays_as_it_is_and_what_cannot_fit_is_said() -> None:
    config = Configuration.open("minimal")
    enough = fit(config, 5_000_000)
    assert enough.fits and not enough.given_up and enough.after_bytes == enough.before_bytes
    gives_up = fit(config, 1000, is_wanted=lambda: False)
    assert not gives_up.fits and not gives_up.given_up


def test_the_command_line(child: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "kimitui", "fit", str(child), *words, "--cache-dir", str(child.parent)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    budget = estimate(Configuration.open(str(child))).total_bytes - 20_000
    data = json.loads(run("--budget", str(budget), "--keep", "wget", "ip", "--json").stdout)
    assert data["fits"] and data["after_bytes"] <= data["goal_bytes"] <= data["budget_bytes"] == budget
    assert not {"BUSYBOX_WGET", "BUSYBOX_IP"} & {one["symbol"] for one in data["given_up"]}
    plain = run()
    assert plain.returncode == 0 and "of 5.00 MB: it fits" in plain.stdout
    wrong = run("--budget", "much")
    assert wrong.returncode == 2 and "is not a size" in wrong.stderr


def test_the_kernel_is_the_users_to_trim() -> None:
    config = Configuration.open("vm")
    before = estimate(config)
    proposal = fit(config, before.artifacts["vmlinuz"])
    assert not proposal.fits
    assert proposal.kernel_bytes == before.artifacts["vmlinuz"]
    assert before.artifacts["vmlinuz"] < proposal.after_bytes < before.total_bytes
    assert not any(one.symbol.startswith("KERNEL_") for one in proposal.given_up)
    assert "are the kernel" in proposal.what_is_left
