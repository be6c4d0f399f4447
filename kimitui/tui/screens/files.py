"""The files of a preset that is being edited: changed by somebody else, and kept for the case of a crash."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from kimitui import recovery
from kimitui.config import Configuration
from kimitui.dotconfig import DotConfig
from kimitui.errors import KimituiError
from kimitui.on_disk import OnDisk
from kimitui.recovery import Draft, Left, RecoveryFile
from kimitui.tui.session import Said

if TYPE_CHECKING:
    from textual.timer import Timer

    from kimitui.config import Change
    from kimitui.tui.app import KimituiApp
    from kimitui.tui.screens.configure import ConfigureScreen

_LOOK_SECONDS = 2.0
_KEEP_SECONDS = 1.0


class Files:
    """Looks after the files of the preset on one screen.

    Every two seconds and when the terminal gets the focus, it looks whether somebody else changed them; a second after
    a change of the configuration, it keeps what is unsaved in a recovery file.
    """

    def __init__(self, screen: ConfigureScreen) -> None:
        self._screen = screen
        config = screen.session.config
        assert isinstance(config, Configuration)
        self._config = config
        self._on_disk = self._as_read()
        self._put_off: tuple[Path, ...] = ()  # changed files that were asked about, without an answer
        self._recovery = RecoveryFile()
        self.left: Left | None = None
        """Changes that are to be restored at the begin, without asking."""
        self._timer: Timer | None = None
        self._ended = False
        self._complained = False
        self._unsubscribe: Callable[[], None] = lambda: None

    def _as_read(self) -> OnDisk:
        return OnDisk(self._config.chain, saved=self._config.preset.path.exists())

    # Begin and end

    def begin(self) -> None:
        """Look after the files from now on; ask about changes that were left behind."""
        self._unsubscribe = self._config.subscribe(self._changed)
        self._screen.set_interval(_LOOK_SECONDS, self.look)
        self._screen.watch(self._screen.app, "app_focus", self._focused, init=False)
        if self.left is not None:
            self._screen.call_after_refresh(self.restore, self.left)
        else:
            self._screen.call_after_refresh(self._offer, recovery.find_left(self._config.preset.path))

    def end(self) -> None:
        """The screen goes away: keep what is unsaved, unless it was given up."""
        if not self._ended:
            self.keep()
            self._recovery.leave()
        self._ended = True
        self._unsubscribe()

    def give_up(self) -> None:
        """What is unsaved was given up, or nothing is."""
        self._ended = True
        self._recovery.remove()

    # For the case of a crash

    def _changed(self, _change: Change) -> None:
        if self._timer is None:
            self._timer = self._screen.set_timer(_KEEP_SECONDS, self.keep)

    def keep(self) -> None:
        """Keep what is unsaved now."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if not self._config.modified:
            self._recovery.remove()
            return
        try:
            self._recovery.write(recovery.draft(self._config))
        except KimituiError as error:
            if not self._complained and not self._ended:
                self._complained = True
                self._screen.say(Said(f"{error.what} ({error.where})", "warning"))

    def restore(self, left: Left) -> None:
        """Make changes that were left behind here."""
        try:
            _, lost = recovery.restore(self._config, left.draft)
        except KimituiError as error:
            left.release()
            cast("KimituiApp", self._screen.app).show_error(error)
            return
        self.keep()
        left.discard()  # only now: until then they were nowhere else
        self._screen.refresh_menu()
        if lost:
            more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
            self._screen.say(Said(f"Restored, except that {lost[0]}{more}; u takes it back", "warning"))
        else:
            self._screen.say(Said("Your unsaved changes are restored; u takes them back", "good"))

    def _offer(self, found: list[Left]) -> None:
        """Ask about the first of `found`, then about the others."""
        if not found:
            return
        first, *others = found

        def restored() -> None:
            self.restore(first)
            for other in others:
                other.release()

        ask_about_left(cast("KimituiApp", self._screen.app), first, restored, lambda: self._offer(others))

    # Changed by somebody else

    def _focused(self, focused: bool) -> None:
        if focused:
            self.look()

    def look(self) -> None:
        """Ask what to do if a file was changed by somebody else."""
        if self._screen.app.screen is not self._screen:
            return  # something is being asked or typed; the next look comes soon
        changed = self._on_disk.changed()
        if changed and changed != self._put_off:
            self._ask(changed)
        self._put_off = changed

    @property
    def changed_on_disk(self) -> bool:
        """Whether the preset's own file was changed by somebody else."""
        return self._on_disk.preset_changed()

    def before_saving(self, save: Callable[[], None]) -> None:
        """Call `save`, unless the preset's file was changed by somebody else: then ask first."""
        if not self.changed_on_disk:
            save()
            return
        path = self._config.preset.path
        if path.exists():
            text = ["What you save takes the place of what is there now.", _undoable("r")]
            answers = [("o", "overwrite it"), ("r", "read it again"), ("S", "save as")]
        else:
            text = ["Saving makes it again."]
            answers = [("o", "make it again"), ("S", "save as")]

        def answered(answer: str | None) -> None:
            if answer == "o":
                save()
            else:
                self._act(answer)

        self._question(f"{path.name} {_happened(path)} since you opened it", text, answers, answered)

    def saved(self) -> None:
        """Everything is in the preset's file now."""
        self._on_disk = self._as_read()
        self._put_off = ()
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._recovery.remove()

    def _ask(self, changed: tuple[Path, ...]) -> None:
        own = self._config.preset.path.absolute()
        path = own if own in changed else changed[0]
        title = f"{path.name} {_happened(path)}"
        text = []
        if path != own:
            title += f", which {self._config.name} extends"
        if self._config.modified:
            text.append("You have unsaved changes.")
        answers = [("m", "keep mine")]
        if path.exists():
            text.append(_undoable("r"))
            answers.insert(0, ("r", "read it again"))
        answers.append(("S", "save as"))
        self._question(title, text, answers, self._act)

    def _act(self, answer: str | None) -> None:
        screen = self._screen
        if answer == "r":
            try:
                self._config.reread()
            except KimituiError as error:
                cast("KimituiApp", screen.app).show_error(error)
                return
            self._on_disk = self._as_read()
            screen.refresh_menu()
            screen.say(Said(f"{self._config.preset.path} was read again; u brings back what was here", "good"))
        elif answer == "m":
            # What cannot be read cannot be built upon; it is what will be overwritten all the same.
            with contextlib.suppress(KimituiError):
                self._config.reread(keep=True)
            self._on_disk.accept()
            screen.refresh_menu()
            screen.say(Said("Kept; saving takes the place of what is on disk now", "warning"))
            self.keep()
        elif answer == "S":
            screen.action_save_as()

    def _question(
        self,
        title: str,
        text: list[str],
        answers: list[tuple[str, str]],
        answered: Callable[[str | None], None],
    ) -> None:
        from kimitui.tui.screens.dialogs import Ask

        self._screen.app.push_screen(Ask(title, text, answers, stay="decide later"), answered)


class NoRecovery:
    """Looks after a file that is no preset: asks before what somebody else wrote into it is overwritten."""

    left: Left | None = None

    def __init__(self, screen: ConfigureScreen) -> None:
        self._screen = screen

    def begin(self) -> None:
        """The screen is there."""

    def end(self) -> None:
        """The screen goes away."""

    def keep(self) -> None:
        """The program ends."""

    def give_up(self) -> None:
        """What is unsaved was given up."""

    def saved(self) -> None:
        """Everything is in the file now."""

    @property
    def changed_on_disk(self) -> bool:
        """Whether the file was changed by somebody else."""
        config = self._screen.session.config
        assert isinstance(config, DotConfig)
        return config.changed_on_disk

    def before_saving(self, save: Callable[[], None]) -> None:
        """Call `save`, unless the file was changed by somebody else: then ask first."""
        from kimitui.tui.screens.dialogs import Ask

        if not self.changed_on_disk:
            save()
            return
        path = self._screen.session.config.path
        text = ["What you save takes the place of what is there now, which is kept as .old."]
        answers = [("o", "overwrite it")]
        question = Ask(f"{path.name} {_happened(path)} since you opened it", text, answers, stay="decide later")
        self._screen.app.push_screen(question, lambda answer: save() if answer == "o" else None)


def ask_about_left(app: KimituiApp, left: Left, restore: Callable[[], None], go_on: Callable[[], None]) -> None:
    """Ask whether changes that were left behind are to be restored; `go_on` follows if they are not."""
    from kimitui.tui.screens.dialogs import Ask

    def answered(answer: str | None) -> None:
        if answer == "r":
            restore()
            return
        if answer == "d":
            left.discard()
        else:
            left.release()
        go_on()

    name = left.draft.preset.name
    answers = [("r", "restore them"), ("d", "discard them")]
    app.push_screen(Ask(f"There are unsaved changes to {name}", _about(left.draft), answers, stay="later"), answered)


def _about(draft: Draft) -> list[str]:
    when = datetime.fromtimestamp(draft.time).astimezone().strftime("%d %B %Y, %H:%M")
    text = [f"kimitui ended before they were saved; the last one is of {when}.", f"The file is {draft.preset}."]
    happened = {
        "changed": "It was changed since; what you restore is put on top of what it holds now.",
        "gone": "It was removed since; saving makes it again.",
        "new": "It was not there then and is now; what you restore is put on top of what it holds.",
    }
    now = draft.on_disk()
    return [*text, happened[now]] if now in happened else text


def _happened(path: Path) -> str:
    return "was changed on disk" if path.exists() else "was removed from the disk"


def _undoable(key: str) -> str:
    return f"{key} gives up what is different here; u brings it back."
