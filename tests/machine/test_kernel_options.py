"""Linux' own Kconfig keeps what the menu offers, each option by itself and all of them together."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from kimitui.build import workshop
from kimitui.build.build import Request
from kimitui.build.engines.base import Mount
from kimitui.build.engines.sandbox import SandboxEngine
from kimitui.build.plan import dotconfig
from kimitui.build.step import in_order
from kimitui.config import Configuration
from kimitui.kconfig import linux
from kimitui.kconfig.explain import read_dotconfig
from kimitui.kconfig.names import type_of
from kimitui.kconfig.types import Kconfig
from kimitui.resources import cache_dir
from tests.kconfig.kernel_trees import PREFIX, Both, Impossible
from tests.kconfig.test_kernel_tree import EXCLUSIVE

HERE = Path(__file__).parent
FAST = ("x86_64", "arm64")

Requests = Mapping[str, Mapping[str, str]]
"""What is asked of Linux, by symbol, by the name of the case."""


def cases(both: Both) -> Iterator[tuple[str, dict[str, str]]]:
    """Names and assignments: every option on, as a module and chosen by itself, every one off by itself."""
    for symbol in both.possible():
        yield f"{symbol.name}-on", both.needs(symbol)
        if type_of(symbol) == "tristate":
            yield f"{symbol.name}-module", both.needs(symbol, "m")
    everything = both.everything("y", without=EXCLUSIVE)
    for name in everything:
        yield f"{name}-off", {**everything, name: "n"}
    yield "everything", everything
    yield "everything-as-modules", both.everything("m", without=EXCLUSIVE)
    yield "nothing", {}
    for symbol in both.symbols:
        if symbol.choice:
            try:
                yield f"{symbol.name}-chosen", both.needs(symbol)
            except Impossible:
                continue


def requests(both: Both) -> dict[str, dict[str, str]]:
    asked = {}
    for name, assigned in cases(both):
        with both.values(assigned):
            asked[name] = both.requested()
    return asked


def completed(arch: str, asked: Requests, texts: set[str], directory: Path) -> dict[str, dict[str, str]]:
    """The values that Linux' Kconfig makes of each request, in the toolchain."""
    for name in ("requests", "made"):
        (directory / name).mkdir()
    for name, values in asked.items():
        text = dotconfig.text({**linux.base(arch), **values}, texts)
        (directory / "requests" / name).write_text(text)
    for name in ("each_config.c", "each-config.sh"):
        shutil.copy(HERE / name, directory)
    config = Configuration.open("vm-minimal", arch=arch)
    with workshop.opened(Request(config, cache_dir(), Path("/none")), emit=lambda _event: None) as room:
        (step,) = (step for step in room.plan.steps if step.name == "linux-config")
        job = room.runner.job(step, room.runner.run(in_order(step.uses)))
        each = Mount(directory, "/sources/each", writable=True)
        execution = SandboxEngine().start(
            replace(job, argv=("/bin/sh", "/sources/each/each-config.sh"), mounts=(*job.mounts, each))
        )
        printed = list(execution.lines())
        assert execution.wait() == 0, "\n".join(printed[-30:])
    return {name: read_dotconfig(directory / "made" / name) for name in asked}


def lost_of(wanted: Mapping[str, str], got: Mapping[str, str]) -> dict[str, str | None]:
    return {symbol: got.get(symbol) for symbol, value in wanted.items() if got.get(symbol, "n") != value}


# **Feature: kimigayo-os-core, Property 9: what of the kernel is chosen is what is there**
@pytest.mark.build
@pytest.mark.parametrize(
    "arch", [pytest.param(arch, marks=() if arch in FAST else pytest.mark.slow) for arch in linux.ARCHES]
)
def test_linux_keeps_every_option_on_and_off(
    arch: str, system_kconfig: Kconfig, linux_upstream: Mapping[str, Kconfig], tmp_path: Path
) -> None:
    both = Both(system_kconfig, linux_upstream[arch], arch)
    asked = requests(both)
    texts = {
        entry.symbol.removeprefix(PREFIX)
        for entry in both.names.entries.values()
        if entry.section == "kernel" and entry.type == "string"
    }
    got = completed(arch, asked, texts, tmp_path)
    lost = {name: gone for name, values in asked.items() if (gone := lost_of(values, got[name]))}
    assert not lost
    # And the cases are what they say; what another option selects stays on.
    for symbol in both.possible():
        name = symbol.name.removeprefix(PREFIX)
        assert got[f"{symbol.name}-on"][name] == "y"
        assert got["nothing"].get(name, "n") == "n"
        if f"{symbol.name}-off" in asked and symbol.rev_dep is system_kconfig.n:
            assert got[f"{symbol.name}-off"].get(name, "n") == "n"
    assert len(asked) > 400
