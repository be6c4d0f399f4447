from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kimitui.build import step as steps
from kimitui.build.step import InputFile, Step, StepSource, in_order, keys

TOOLCHAIN = "t" * 64
BASE = Step(name="base", arch="x86_64", script="musl.sh")
STEP = Step(
    name="step",
    arch="x86_64",
    script="busybox.sh",
    sources={"busybox": StepSource(Path("a"), "1" * 64)},
    uses=(BASE,),
    parameters={"FLAGS": "-Os"},
    files={"config": InputFile(b"A=y\n")},
)


def key(step: Step, toolchain: str = TOOLCHAIN) -> str:
    return keys(in_order((step,)), toolchain)[step.name]


@pytest.mark.parametrize(
    "other",
    [
        replace(STEP, arch="arm64"),
        replace(STEP, script="rootfs.sh"),
        replace(STEP, sources={"busybox": StepSource(Path("a"), "2" * 64)}),
        replace(STEP, sources={"musl": StepSource(Path("a"), "1" * 64)}),
        replace(STEP, uses=()),
        replace(STEP, uses=(replace(BASE, parameters={"LINK": "dynamic"}),)),
        replace(STEP, parameters={"FLAGS": "-O2"}),
        replace(STEP, files={"config": InputFile(b"A=n\n")}),
        replace(STEP, files={"config": InputFile(b"A=y\n", executable=True)}),
        replace(STEP, files={"other": InputFile(b"A=y\n")}),
    ],
)
def test_everything_that_can_influence_a_step_is_in_its_key(other: Step) -> None:
    assert key(other) != key(STEP)


def test_the_toolchain_is_in_every_key() -> None:
    assert key(STEP, "u" * 64) != key(STEP)


def test_where_things_are_on_the_host_is_not() -> None:
    assert key(replace(STEP, sources={"busybox": StepSource(Path("b"), "1" * 64)})) == key(STEP)


def test_the_scripts_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "steps").mkdir()
    monkeypatch.setattr(steps, "BUILDER_DIR", tmp_path)
    seen = set()
    for script, library in (("a", "a"), ("b", "a"), ("a", "b")):
        (tmp_path / "steps/musl.sh").write_text(script)
        (tmp_path / "steps/lib.sh").write_text(library)
        seen.add(key(BASE))
    assert len(seen) == 3


def test_a_step_follows_those_it_uses() -> None:
    top = Step(name="top", arch="x86_64", script="rootfs.sh", uses=(STEP, BASE))
    assert [step.name for step in in_order((top, STEP))] == ["base", "step", "top"]
