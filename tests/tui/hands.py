"""The app in the hands of a test that is not asynchronous itself: keys, text, clicks, sizes, one after the other.

After each, everything the app has to do because of it is done: no message is on its way any more. Nothing is timed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import TypeVar

from textual import events
from textual.geometry import Size
from textual.message_pump import MessagePump
from textual.strip import Strip

from kimitui.tui.app import KimituiApp
from tests.tui.conftest import Driver

T = TypeVar("T")


class Hands:
    """Works an app until it is closed or quits."""

    def __init__(self, opening: AbstractAsyncContextManager[Driver]) -> None:
        """`opening` starts the app, and ends it."""
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._user = self._runner.run(self._stack.enter_async_context(opening))
        self._runner.run(self._settle())

    @property
    def app(self) -> KimituiApp:
        return self._user.app

    @property
    def running(self) -> bool:
        return self.app._exit is False and self.app._exception is None

    def press(self, key: str, character: str | None = None) -> None:
        self._send(events.Key(key, character if character or len(key) > 1 else key))

    def write(self, text: str) -> None:
        for letter in text:
            self.press("space" if letter == " " else letter, letter)

    def click(self, x: int, y: int, times: int = 1) -> None:
        widget, _ = self.app.screen.get_widget_at(x, y)
        for chain in range(1, times + 1):
            for kind in (events.MouseDown, events.MouseUp):
                self._send(kind(widget, x, y, 0, 0, 1, False, False, False, x, y))
            if not self.running:
                return
            self._send(events.Click(widget, x, y, 0, 0, 1, False, False, False, x, y, chain=chain))

    def resize(self, width: int, height: int) -> None:
        size = Size(width, height)
        assert self.app._driver is not None
        vars(self.app._driver)["_size"] = size
        self._send(events.Resize(size, size))

    def lines(self) -> list[Strip]:
        """What is drawn; drawing it must raise nothing."""

        return self.do(lambda: self.app.screen._compositor.render_strips())

    def do(self, action: Callable[[], T]) -> T:
        """What `action` gives, done where the app runs: it may change what the app shows."""

        async def done() -> T:
            return action()

        return self._runner.run(done())

    def close(self) -> None:
        """End the app. Raises what went wrong in it."""
        try:
            self._runner.run(self._stack.aclose())
        finally:
            self._runner.close()

    def __enter__(self) -> Hands:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, event: events.Event) -> None:
        async def send() -> None:
            event.set_sender(self.app)
            assert self.app._driver is not None
            self.app._driver.send_message(event)
            await self._settle()

        if self.running:
            self._runner.run(send())

    async def _settle(self) -> None:
        rounds = 0
        while self.running:
            await self._user.pilot._wait_for_screen()
            if not self.running:
                return
            self.app.screen._on_timer_update()
            rounds += 1
            if self.app._resize_event is not None:  # textual lets a little time pass for more of them to come
                await asyncio.sleep(0.002)
            elif rounds > 1 and not any(map(_busy, self._pumps())):
                return

    def _pumps(self) -> Iterator[MessagePump]:
        yield self.app
        for screen in self.app.screen_stack:
            yield from screen.walk_children(with_self=True)


def _busy(pump: MessagePump) -> bool:
    return bool(not pump._message_queue.empty() or pump._next_callbacks)
