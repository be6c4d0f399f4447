"""What the events of a build add up to, and the estimate of the time that is left."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from kimitui.build.events import Cached, Event, Failed, Finished, LogLine, Planned, Started, Transfer, Waiting
from kimitui.build.state import BuildState, State, format_seconds

LOG = Path("/cache/logs/musl.log")
STEPS = {"headers": (), "musl": (), "busybox": ("headers", "musl"), "rootfs": ("busybox",)}
PLANNED = Planned(0.0, "minimal", "x86_64", STEPS, {"headers": 4.0, "musl": 20.0, "busybox": 30.0, "rootfs": 1.0})
UNKNOWN = Planned(0.0, "minimal", "x86_64", STEPS, {"headers": 4.0, "musl": 20.0, "busybox": 30.0})


def state(*seen: Event) -> BuildState:
    made = BuildState()
    for event in seen:
        made.apply(event)
    return made


@pytest.mark.parametrize(
    ("seen", "now", "left"),
    [
        ([], 0.0, None),
        ([PLANNED], 0.0, 51.0),  # the longest chain: musl, busybox, rootfs
        ([PLANNED, Started(1.0, "headers", LOG), Started(1.0, "musl", LOG)], 11.0, 41.0),
        ([PLANNED, Started(1.0, "headers", LOG), Cached(1.0, "musl", "k")], 2.0, 34.0),
        ([PLANNED, Finished(5.0, "headers", "k", 4.0), Finished(9.0, "musl", "k", 9.0)], 9.0, 31.0),
        ([PLANNED, Waiting(1.0, "musl")], 10.0, 51.0),
        ([PLANNED, *(Cached(1.0, name, "k") for name in STEPS)], 1.0, 0.0),
        ([UNKNOWN], 0.0, None),
        ([UNKNOWN, Cached(1.0, "rootfs", "k")], 0.0, 50.0),
    ],
)
def test_what_is_left_is_the_longest_chain(seen: Sequence[Event], now: float, left: float | None) -> None:
    assert state(*seen).remaining_seconds(now) == left


def test_a_step_that_takes_longer_than_ever_is_about_to_end() -> None:
    late = state(PLANNED, Cached(0.0, "headers", "k"), Started(0.0, "musl", LOG))
    assert late.remaining_seconds(1000.0) == 31.0


def test_each_step_has_a_state_and_what_it_took() -> None:
    seen = state(
        PLANNED,
        Cached(1.0, "headers", "k"),
        Started(1.0, "musl", LOG),
        LogLine(2.0, "musl", "CC malloc.o"),
        Finished(21.0, "musl", "k", 20.0),
        Started(21.0, "busybox", LOG),
        Failed(22.0, "busybox", "exit status 2", LOG),
    )
    assert {name: task.state for name, task in seen.tasks.items()} == {
        "headers": State.CACHED,
        "musl": State.DONE,
        "busybox": State.FAILED,
        "rootfs": State.WAITING,
    }
    assert (seen.tasks["musl"].seconds, seen.tasks["musl"].log.lines) == (20.0, ["CC malloc.o"])
    assert seen.steps_done == 2


def test_what_happens_before_there_is_a_plan_is_a_task_too() -> None:
    early = state(LogLine(0.1, "toolchain", "I: unpacking"), Transfer(0.2, "linux.tar.xz", 5, 10))
    assert [(task.name, task.state) for task in early.tasks.values()] == [
        ("toolchain", State.RUNNING),
        ("linux.tar.xz", State.RUNNING),
    ]
    early.apply(PLANNED)
    assert early.tasks["toolchain"].state is State.DONE


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.4, "59 s"), (60, "1:00"), (185, "3:05")]
)
def test_durations_as_people_read_them(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text
