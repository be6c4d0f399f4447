"""Sizes on the configurator's screen: when they are worked out, where they are shown, and the keys about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.message import Message

from kimitui.config import Configuration
from kimitui.errors import KimituiError, UsageError
from kimitui.sizes.units import format_size, parse_size
from kimitui.tui.session import Said
from kimitui.tui.widgets.bar import Bar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kimitui.kconfig.menu import Row
    from kimitui.sizes.fit import Proposal
    from kimitui.tui.app import KimituiApp
    from kimitui.tui.screens.configure import ConfigureScreen
    from kimitui.tui.widgets.panel import Paragraph


class SizesChanged(Message):
    """More sizes are known."""


class FitFound(Message):
    """What to give up is known; `assigned` is what was set when it was asked."""

    def __init__(self, proposal: Proposal | KimituiError, assigned: Mapping[str, str]) -> None:
        super().__init__()
        self.proposal = proposal
        self.assigned = assigned


class ShownSizes:
    """The sizes of what a screen edits; nothing happens where there are none."""

    def __init__(self, screen: ConfigureScreen) -> None:
        self._screen = screen
        self._seen_build: object = None

    @property
    def are_there(self) -> bool:
        """Whether what is edited becomes an image, whose size matters."""
        app = cast("KimituiApp", self._screen.app)
        return app.live_sizes and isinstance(self._screen.session.config, Configuration)

    def begin(self) -> None:
        """Work them out from now on. To be called when the screen is painted: nobody should wait for them."""
        from kimitui.sizes.live import LiveSizes

        screen = self._screen
        if self.are_there and screen.is_attached and screen.session.live is None:
            config = screen.session.config
            assert isinstance(config, Configuration)
            cache_dir = cast("KimituiApp", screen.app).cache_dir
            screen.session.live = LiveSizes(config, cache_dir, lambda: screen.post_message(SizesChanged()))
            screen.refresh_menu()

    def end(self) -> None:
        """Nobody looks at them any more."""
        if self._screen.session.live is not None:
            self._screen.session.live.close()

    def pause(self) -> None:
        """A key was pressed; that comes first."""
        if self._screen.session.live is not None:
            self._screen.session.live.pause()

    def look_again(self) -> None:
        """What is in files or in the store may have changed."""
        build = cast("KimituiApp", self._screen.app).build
        built = build is not None and build.ended is not None and build is not self._seen_build
        if self._screen.session.live is not None:
            self._screen.session.live.refresh(anew=built)
        if built:
            self._seen_build = build

    def show(self) -> None:
        """Show the total."""
        from kimitui.tui import size_texts

        if self._screen.session.live is not None:
            self._screen.query_one("#size", Bar).show(*size_texts.bar(self._screen.session.live))

    def panel(self, row: Row, corner: str) -> list[Paragraph]:
        """Where the bytes of a row go."""
        from kimitui.tui import size_texts

        live = self._screen.session.live
        assert live is not None
        symbol = row.symbol if row.is_switch else ""
        return size_texts.panel(row.prompt, symbol, live, self._screen.session.called, corner)

    def sort(self) -> Said:
        """The largest first, or in the order of the menu."""
        session = self._screen.session
        if session.live is None:
            return Said("There are no sizes yet", "warning")
        session.by_size = not session.by_size
        return Said("The largest come first; z puts them in order again" if session.by_size else "In order again")

    def ask_larger(self) -> None:
        """Ask for the size from which on options are shown."""
        from kimitui.tui.screens.dialogs import Edit

        session = self._screen.session
        if session.live is None:
            self._screen.say(Said("There are no sizes yet", "warning"))
            return

        def check(text: str) -> str:
            try:
                parse_size(text or "0")
            except UsageError as error:
                return f"{error.what}; {error.fix}"
            return ""

        def answered(text: str | None) -> None:
            if text is None:
                return
            session.larger_than = parse_size(text) if text.strip() else None
            shown = "Options of every size are shown"
            if session.larger_than is not None:
                shown = f"Only options that change more than {format_size(session.larger_than)} are shown"
            self._screen.say(Said(shown))
            self._screen.refresh_menu()

        before = "" if session.larger_than is None else format_size(session.larger_than)
        title = "Only options larger than (nothing: all)"
        self._screen.app.push_screen(Edit(title, before, check=check, note=lambda _text: "such as 10kB"), answered)

    # Fit to budget

    def ask_budget(self) -> None:
        """Ask for a budget, and work out what to give up for it."""
        from kimitui.tui.screens.dialogs import Edit

        screen = self._screen
        if screen.session.live is None:
            screen.say(Said("There are no sizes yet", "warning"))
            return

        def check(text: str) -> str:
            try:
                return "" if parse_size(text) else "nothing fits into nothing"
            except UsageError as error:
                return f"{error.what}; {error.fix}"

        def answered(text: str | None) -> None:
            if text is not None:
                screen.say(Said(f"Working out what to give up for {text.strip()}; go on meanwhile"))
                self._find(parse_size(text))

        before = screen.session.config.string("IMAGE_BUDGET")
        screen.app.push_screen(Edit("Fit the root file system into", before, check=check), answered)

    def _find(self, budget_bytes: int) -> None:
        screen = self._screen
        config = screen.session.config
        assert isinstance(config, Configuration)
        copy, assigned = config.copy(), config.assigned
        cache_dir = cast("KimituiApp", screen.app).cache_dir

        def find() -> None:
            from kimitui.sizes.fit import fit

            try:
                found: Proposal | KimituiError = fit(
                    copy, budget_bytes, cache_dir=cache_dir, is_wanted=lambda: screen.is_attached
                )
            except KimituiError as error:
                found = error
            screen.post_message(FitFound(found, assigned))

        screen.run_worker(find, thread=True, exclusive=True, group="fit")

    def propose(self, found: FitFound) -> None:
        """Show what to give up, and do it if that is wanted."""
        from kimitui.tui.screens.dialogs import Ask
        from kimitui.tui.size_texts import proposal_lines

        screen, proposal = self._screen, found.proposal
        if isinstance(proposal, KimituiError):
            cast("KimituiApp", screen.app).show_error(proposal)
        elif screen.session.config.assigned != found.assigned:
            screen.say(Said("Something was changed meanwhile, so nothing is proposed; f asks again", "warning"))
        elif not proposal.given_up:
            screen.say(Said(f"about {format_size(proposal.before_bytes)}: {proposal.verdict}"))
        else:
            budget = format_size(proposal.budget_bytes)
            question = f"Give up {len(proposal.given_up)} options to fit into {budget}?"

            def answered(answer: str | None) -> None:
                if answer == "y":
                    screen.change(lambda: screen.session.give_up(proposal))

            screen.app.push_screen(Ask(question, proposal_lines(proposal), [("y", "give them up")]), answered)
