"""Sizes that are worked out while one edits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kimitui.config import Configuration
from kimitui.sizes.estimate import Estimator
from kimitui.sizes.live import LiveSizes


class Waiting:
    """Sizes that one can wait for."""

    def __init__(self, config: Configuration, cache_dir: Path) -> None:
        self._more = threading.Event()
        self.live = LiveSizes(config, cache_dir, self._more.set)

    def until_idle(self) -> LiveSizes:
        for _ in range(3000):
            if self.live.is_idle:
                return self.live
            self._more.wait(0.01)
            self._more.clear()
        raise AssertionError("it never came to that")


@pytest.fixture
def config() -> Configuration:
    return Configuration.open("minimal")


@pytest.fixture
def waiting(config: Configuration, tmp_path: Path) -> Iterator[Waiting]:
    waiting = Waiting(config, tmp_path)
    yield waiting
    waiting.live.close()


def test_they_are_those_of_the_estimate(config: Configuration, waiting: Waiting) -> None:
    names = ["BUSYBOX_VI", "BUSYBOX_AWK", "BUSYBOX_FEATURE_DATE_NANO"]
    for name in names:
        waiting.live.delta(name)
    live = waiting.until_idle()
    estimator = Estimator(config)
    assert live.is_current
    assert live.sizes == estimator.sizes()
    assert {name: live.delta(name) for name in names} == estimator.deltas(names)
    assert live.delta("BUSYBOX_AWK")


def test_a_change_is_followed_and_what_was_there_before_is_there_at_once(
    config: Configuration, waiting: Waiting
) -> None:
    waiting.live.delta("BUSYBOX_VI")
    live = waiting.until_idle()
    assert live.sizes is not None
    before = live.sizes.total_bytes
    delta = live.delta("BUSYBOX_AWK")
    waiting.until_idle()
    delta = live.delta("BUSYBOX_AWK")
    assert delta
    config.toggle("BUSYBOX_AWK")
    assert not live.is_current
    assert live.sizes is not None and live.sizes.total_bytes == before  # until it is known
    waiting.until_idle()
    assert live.is_current
    assert live.sizes is not None and live.sizes.total_bytes == before + delta
    config.undo()
    assert live.is_current
    assert live.sizes is not None and live.sizes.total_bytes == before


def test_where_the_bytes_go_and_what_weighs_most(config: Configuration, waiting: Waiting) -> None:
    assert waiting.live.contributors() == ()
    assert waiting.live.detail("BUSYBOX_VI") is None
    live = waiting.until_idle()
    detail = live.detail("BUSYBOX_VI")
    assert detail is not None and detail.alone_bytes > 10_000
    contributors = live.contributors()
    assert len(contributors) == 10
    assert [one.saved_bytes for one in contributors] == sorted((one.saved_bytes for one in contributors), reverse=True)
    first = contributors[0]
    before = Estimator(config).sizes().total_bytes
    config.toggle(first.symbol)
    assert Estimator(config).sizes().total_bytes == before - first.saved_bytes


def test_the_thread_does_not_touch_what_is_edited(config: Configuration, waiting: Waiting) -> None:
    resolved, assigned = config.resolved(), config.assigned
    waiting.live.contributors()
    waiting.until_idle()
    assert (config.resolved(), config.assigned, config.can_undo) == (resolved, assigned, False)


def test_it_ends_when_nobody_looks_any_more(config: Configuration, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    waiting = Waiting(config, tmp_path)
    (thread,) = set(threading.enumerate()) - before
    waiting.until_idle()
    waiting.live.close()
    thread.join(30)
    assert not thread.is_alive()
    config.toggle("BUSYBOX_VI")  # nobody is told
