"""The scenes: which keys lead where, and what is shown as a picture."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from unittest.mock import patch

from kimitui.build.engines import Outlook
from kimitui.errors import BuildError
from tests.pictures.project import project
from tests.pictures.recording import Replay
from tests.pictures.stage import Line, look, opened
from tests.tui.conftest import Driver

Size = tuple[int, int]
Act = Callable[[Driver], Awaitable[None]]


@dataclass(frozen=True)
class Scene:
    """What to do in the app that was opened with the preset `reference`. `replay` makes the builder."""

    name: str
    act: Act
    reference: str | None = "edge"
    replay: Callable[[], Replay] = Replay
    live_sizes: bool = False

    async def play(self, size: Size, *, theme: str = "dark", ascii_only: bool = False) -> list[Line]:
        """What is on the screen in the end."""
        with project():
            stage = opened(
                self.reference,
                size,
                replay=self.replay(),
                theme=theme,
                ascii_only=ascii_only,
                live_sizes=self.live_sizes,
            )
            async with stage as user:
                await self.act(user)
                return await look(user)


SCENES: dict[str, Scene] = {}


def _scene(
    reference: str | None = "edge", replay: Callable[[], Replay] = Replay, *, live_sizes: bool = False
) -> Callable[[Act], Act]:
    def add(act: Act) -> Act:
        name = act.__name__.rstrip("_")
        SCENES[name] = Scene(name, act, reference, replay, live_sizes)
        return act

    return add


async def _presets(user: Driver, name: str) -> None:
    while user.panel("about").splitlines()[0].strip() != name:
        await user.press("down")


async def _search(user: Driver, words: str) -> None:
    await user.press("slash")
    await user.type(words)


async def _find(user: Driver, words: str) -> None:
    await _search(user, words)
    await user.press("enter")


async def _told(user: Driver) -> None:
    replay = user.app.builder
    assert isinstance(replay, Replay)
    await user.until(replay.told.is_set)


@_scene(None)
async def start(user: Driver) -> None:
    await _presets(user, "gateway")


@_scene()
async def main_menu(user: Driver) -> None:
    await user.press("down")


@_scene("gateway")
async def kernel(user: Driver) -> None:
    await _find(user, "wireguard")


@_scene()
async def changed(user: Driver) -> None:
    await _find(user, "busybox_telnetd")
    await user.press("space")


@_scene()
async def why(user: Driver) -> None:
    await _find(user, "wireguard")
    await user.press("tab")


async def _sized(user: Driver) -> None:
    def is_known() -> bool:
        return user.screen.session.live is not None and user.screen.session.live.is_idle

    await user.until(is_known)
    await user.pilot.pause()
    await user.until(is_known)


@_scene(live_sizes=True)
async def sizes(user: Driver) -> None:
    await _find(user, "busybox_bzip2")
    await _sized(user)


@_scene(live_sizes=True)
async def size_panel(user: Driver) -> None:
    await _find(user, "busybox_bzip2")
    await user.until(lambda: user.screen.session.live is not None)
    await user.press("tab", "tab", "z")
    await _sized(user)


@_scene()
async def pulled(user: Driver) -> None:
    await _find(user, "wireguard")
    await user.press("y")


@_scene()
async def only_changed(user: Driver) -> None:
    await user.press("c")
    await user.go_to("BusyBox")
    await user.press("enter")


@_scene()
async def diff(user: Driver) -> None:
    await user.press("d")


@_scene()
async def choice(user: Driver) -> None:
    await user.go_to("Hardening")
    await user.press("enter")
    await user.go_to("Stack protector")
    await user.press("enter")


@_scene()
async def edit(user: Driver) -> None:
    await user.go_to("Image")
    await user.press("enter")
    await user.go_to("Size budget")
    await user.press("enter", "backspace", "x")


@_scene("gateway")
async def search(user: Driver) -> None:
    await _search(user, "encrypt")
    await user.press("down")


@_scene()
async def commands(user: Driver) -> None:
    await user.press("colon")
    await user.type("un")


@_scene()
async def unsaved(user: Driver) -> None:
    await changed(user)
    await user.press("q")


@_scene()
async def save_as(user: Driver) -> None:
    await changed(user)
    await user.press("S")
    await user.type("vpn")


@_scene(None)
async def new(user: Driver) -> None:
    await _presets(user, "edge")
    await user.press("n")
    await user.type("mine")


@_scene()
async def keys(user: Driver) -> None:
    await user.press("question_mark")


@_scene()
async def engine(user: Driver) -> None:
    found = [
        Outlook("auto", True, "now: sandbox"),
        Outlook("sandbox", True, "works here"),
        Outlook("docker", True, "28.0.4, rootless, on amd64"),
        Outlook("podman", False, "podman cannot be reached: No such file or directory"),
    ]
    with patch("kimitui.build.engines.outlook", lambda: found):
        await user.press("E")
        await user.until(lambda: "rootless" in user.seen())


@_scene(replay=partial(Replay, share=0.6))
async def build(user: Driver) -> None:
    await user.press("b")
    await _told(user)


@_scene()
async def built(user: Driver) -> None:
    await user.press("b")
    await _told(user)


@_scene(
    replay=partial(
        Replay,
        share=0.6,
        error=BuildError("The step busybox failed (exit status 2)", fix="Its log is in ~/.cache/kimitui/logs."),
    )
)
async def failed(user: Driver) -> None:
    await user.press("b")
    await _told(user)


@dataclass(frozen=True)
class Picture:
    """A scene as `screenshots/` shows it, with what it shows for who cannot see it."""

    name: str
    scene: str
    title: str
    size: Size = (100, 30)
    theme: str = "dark"

    async def lines(self) -> list[Line]:
        """What is on the screen."""
        return await SCENES[self.scene].play(self.size, theme=self.theme)


PICTURES = [
    Picture("start", "start", "The list of presets, with what there is to say about one"),
    Picture("kernel", "kernel", "The menu Network of the kernel, with the help of WireGuard"),
    Picture("search", "search", "Search over names, prompts and help while typing, with a preview"),
    Picture("why", "why", "Why WireGuard is off, and what it needs to be on"),
    Picture("diff", "diff", "All that a preset changes in the one it extends"),
    Picture("build", "build", "A build: the graph of steps, and the log of the one that runs"),
    Picture("built", "built", "What came out of a build, with sizes, and the commands that run it"),
    Picture("narrow", "changed", "A menu in a terminal of 60 by 20", (60, 20)),
    Picture("light", "kernel", "The same menu in the light theme", theme="light"),
]
