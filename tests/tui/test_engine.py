from __future__ import annotations

import threading

import pytest

from kimitui.build.engines import Outlook, outlook
from kimitui.tui.screens.build import BuildScreen
from kimitui.tui.screens.configure import ConfigureScreen
from kimitui.tui.screens.engine import EngineQuestion
from tests.tui.conftest import Start
from tests.tui.test_build_screen import Script, ended

FOUND = [
    Outlook("auto", True, "now: sandbox"),
    Outlook("sandbox", True, "works here"),
    Outlook("docker", True, "24.0, rootless, on amd64"),
    Outlook("podman", False, "podman cannot be reached: No such file or directory"),
]


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with Docker and without Podman."""
    monkeypatch.setattr("kimitui.build.engines.outlook", lambda: FOUND)


async def test_the_question_says_what_would_come_of_each_answer(start: Start) -> None:
    async with start() as user:
        await user.press("E")
        assert isinstance(user.app.screen, EngineQuestion)
        await user.until(lambda: "24.0, rootless" in user.seen())
        lines = [line.strip(" │┃|▏▕") for line in user.seen().splitlines()]
        assert any(line.startswith("▸ auto") and "now: sandbox" in line for line in lines)
        assert any(line.startswith("podman") and "cannot be reached" in line for line in lines)
        await user.press("escape")
        assert isinstance(user.app.screen, ConfigureScreen) and user.app.engine == "auto"


async def test_the_choice_holds_for_every_build_from_then_on(start: Start) -> None:
    script = Script()
    script.open("plan", "musl", "busybox", "end")
    async with start(builder=script) as user:
        await user.press("E", "d")
        assert "Builds run in Docker from now on" in user.bar("message")
        for _ in range(2):
            await user.press("b")
            await user.until(ended(user))
            assert "build for x86_64 in Docker" in user.bar("crumbs")
            await user.press("escape")
        await user.press("E")
        await user.until(lambda: "▸ docker" in user.seen())
        await user.press("a", "b")
        await user.until(ended(user))
        assert "build for x86_64 in the sandbox" in user.bar("crumbs")
    assert script.engines == ["docker", "docker", "auto"]


async def test_a_choice_while_a_build_runs_is_for_the_next_one(start: Start) -> None:
    script = Script()
    script.open("plan")
    async with start(builder=script, size=(120, 40)) as user:
        await user.press("b")
        await user.until(lambda: "in the sandbox" in user.bar("crumbs"))
        await user.press("E", "p")
        assert isinstance(user.app.screen, BuildScreen)
        await user.until(lambda: "in the sandbox  the next in Podman" in user.bar("crumbs"))
        script.open("musl", "busybox", "end")
        await user.until(ended(user))
        await user.press("r")
        await user.until(lambda: len(script.engines) == 2)
        await user.until(ended(user))
        assert "build for x86_64 in Podman" in user.bar("crumbs")
    assert script.engines == ["auto", "podman"]


async def test_a_dialog_that_is_closed_before_the_machine_answers(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()

    def slowly() -> list[Outlook]:
        asked.wait()
        return FOUND

    monkeypatch.setattr("kimitui.build.engines.outlook", slowly)
    async with start() as user:
        await user.press("E", "s")
        asked.set()
        assert user.app.engine == "sandbox"
        assert "in the sandbox from now on" in user.bar("message")


def test_the_machine_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")
    monkeypatch.setenv("CONTAINER_HOST", "unix:///nowhere")
    found = {one.choice: one for one in outlook()}
    assert set(found) == {"auto", "sandbox", "docker", "podman"}
    assert not found["docker"].good and "cannot be reached" in found["docker"].text
    assert found["auto"].good == found["sandbox"].good
