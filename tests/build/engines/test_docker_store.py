"""What is in the store when something happens to a daemon, or to a build in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kimitui.build.engines.docker import DockerEngine, prune
from kimitui.build.events import Cached, Event, LogLine
from kimitui.build.runner import Root
from kimitui.build.step import Step
from kimitui.errors import CancelledError, KimituiError, MachineError
from tests.build import daemons
from tests.build.daemons import Daemon
from tests.build.engines.test_docker import small
from tests.build.test_runner import Build, cache, scripts

__all__ = ["cache", "scripts", "small"]  # fixtures

pytestmark = [
    pytest.mark.build,
    pytest.mark.daemon,
    pytest.mark.skipif(os.geteuid() != 0, reason="a daemon of one's own needs root"),
]

Scripts = Callable[[str, str], str]


@pytest.fixture(params=["docker", "podman"])
def daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    """One of its own for every test: here, things happen to them."""
    with daemons.started(request.param) as running:
        yield running


def broken(
    daemon: Daemon, root: Path, cache: Path, scripts: Scripts, happens: Callable[[Build], None]
) -> tuple[Build, Step, KimituiError]:
    """A build in which something happens while its second step runs; its first step, and how it ended."""
    first = Step("first", "any", scripts("first", "echo one >/output/file"))
    second = Step("second", "any", scripts("second", "echo ready; sleep 1000"), uses=(first,))
    build = Build(Root(root, "0" * 64), cache, DockerEngine(daemon.place))

    def on_event(event: Event) -> None:
        if isinstance(event, LogLine) and event.step == "second":
            happens(build)

    build.on_event = on_event
    with pytest.raises(KimituiError) as caught:
        build.run(second)
    return build, first, caught.value


def is_sound(build: Build, root: Path, cache: Path, first: Step) -> None:
    """The store has the first step, whole, and nothing half; a build elsewhere goes on from there."""
    assert [description["name"] for _, description in build.store.entries()] == ["first"]
    assert list((cache / "tmp").iterdir()) == []
    again = Build(Root(root, "0" * 64), cache)
    assert (again.run(first)["first"].output / "file").read_text() == "one\n"
    assert again.steps(Cached) == ["first"]


def test_a_cancelled_build(daemon: Daemon, small: Path, cache: Path, scripts: Scripts) -> None:
    build, first, error = broken(daemon, small, cache, scripts, lambda build: build.cancellation.cancel())
    assert isinstance(error, CancelledError)
    assert daemon.left == []
    is_sound(build, small, cache, first)


def test_a_daemon_that_dies(small: Path, cache: Path, scripts: Scripts) -> None:
    with daemons.running() as daemon:
        build, first, error = broken(daemon, small, cache, scripts, lambda _build: daemon.process.kill())
    assert isinstance(error, MachineError) and "docker cannot be reached" in str(error)
    is_sound(build, small, cache, first)


def test_containers_and_image_taken_away_by_somebody(
    daemon: Daemon, small: Path, cache: Path, scripts: Scripts
) -> None:
    def clean_up(_build: Build) -> None:
        for container in daemon.client.containers.list():
            container.kill()
        prune(daemon.place)

    build, first, error = broken(daemon, small, cache, scripts, clean_up)
    assert "ended by signal 9" in str(error) or f"{daemon.name} says: " in str(error)
    is_sound(build, small, cache, first)
    assert daemon.left == []
