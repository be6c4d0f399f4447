"""How events become lines and JSON."""

from __future__ import annotations

import io
import json
from dataclasses import fields
from pathlib import Path

import pytest

from kimitui.build import events
from kimitui.build.events import (
    Cached,
    Done,
    Event,
    Failed,
    Finished,
    LogLine,
    Message,
    Planned,
    Started,
    Transfer,
    Waiting,
)
from kimitui.progress import JsonProgress, PlainProgress

LOG = Path("/cache/logs/musl.log")
STEPS = {"headers": (), "musl": (), "busybox": ("headers", "musl"), "rootfs": ("busybox",)}
PLANNED = Planned(0.0, "minimal", "x86_64", STEPS, {"headers": 4.0, "musl": 20.0, "busybox": 30.0, "rootfs": 1.0})


# Plain lines


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (PLANNED, "[    0.0 s] minimal for x86_64: headers, musl, busybox, rootfs\n"),
        (Started(1.25, "musl", LOG), "[    1.2 s] musl: started\n"),
        (Waiting(1.0, "musl"), "[    1.0 s] musl: another build is making it; waiting\n"),
        (Cached(1.0, "musl", "k"), "[    1.0 s] musl: cached\n"),
        (Finished(100.0, "musl", "k", 98.76), "[  100.0 s] musl: done in 98.8 s\n"),
        (Failed(2.0, "musl", "exit status 2", LOG), "[    2.0 s] musl: FAILED: exit status 2\n"),
        (Message(0.0, "warning", "no sandbox"), "[    0.0 s] warning: no sandbox\n"),
        (Transfer(3.0, "a.tar", 1_500_000, 3_000_000), "[    3.0 s] a.tar: 1.50 MB of 3.00 MB (50 %)\n"),
        (Transfer(3.0, "a.tar", 1_500_000, 0), "[    3.0 s] a.tar: 1.50 MB\n"),
        (LogLine(1.0, "musl", "CC malloc.o"), ""),
        (Done(9.0, Path("/out"), {}), ""),
    ],
)
def test_a_plain_line_says_what_matters(event: Event, line: str) -> None:
    stream = io.StringIO()
    with PlainProgress(stream) as emit:
        emit(event)
    assert stream.getvalue() == line


def test_a_download_is_a_line_for_every_tenth() -> None:
    stream = io.StringIO()
    with PlainProgress(stream) as emit:
        for done in range(1001):
            emit(Transfer(0.0, "a.tar", done, 1000))
            emit(Transfer(0.0, "b.tar", done, 0))
    lines = stream.getvalue().splitlines()
    assert [line.split("(")[1] for line in lines if "a.tar" in line] == [f"{tenth} %)" for tenth in range(0, 101, 10)]
    assert len([line for line in lines if "b.tar" in line]) == 1


# JSON lines

EVERY_KIND: list[Event] = [
    PLANNED,
    Transfer(0.5, "a.tar", 1, 2),
    Started(1.0, "musl", LOG),
    Waiting(1.0, "busybox"),
    LogLine(1.23456, "musl", 'a "line" with ü'),
    Cached(2.0, "headers", "key"),
    Finished(3.0, "musl", "key", 2.0),
    Failed(4.0, "busybox", "no", None),
    Message(5.0, "info", "text"),
    Done(6.0, Path("/out/minimal"), {"rootfs.tar": 5}),
]


def test_every_kind_of_event_is_tried_here() -> None:
    assert {type(event) for event in EVERY_KIND} == set(Event.__subclasses__())
    assert {kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)} == {
        Event,
        *Event.__subclasses__(),
    }


def test_every_event_is_one_line_of_json_with_all_its_fields() -> None:
    stream = io.StringIO()
    with JsonProgress(stream) as emit:
        for event in EVERY_KIND:
            emit(event)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    for event, line in zip(EVERY_KIND, lines, strict=True):
        assert line["event"] == type(event).__name__.lower()
        assert set(line) == {"event", *(field.name for field in fields(event))}
    assert [line["time"] for line in lines][:5] == [0.0, 0.5, 1.0, 1.0, 1.235]
    assert lines[0]["steps"]["busybox"] == ["headers", "musl"]
    assert lines[2]["log"] == str(LOG)
    assert lines[4]["line"] == 'a "line" with ü'
    assert lines[7]["log"] is None
    assert lines[9]["artifacts"] == {"rootfs.tar": 5}
