"""Small windows over a screen: a question, a line to edit, an error, the keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from kimitui.errors import KimituiError
from kimitui.tui.texts import error_text
from kimitui.tui.widgets.bar import Bar, Keys
from kimitui.tui.widgets.panel import BLANK, Panel, Paragraph

Answer = TypeVar("Answer")
_KEY_COLUMN = 22


class Dialog(ModalScreen[Answer]):
    """A window that Esc closes without an answer."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "close", id="dialog.close")]

    def action_close(self) -> None:
        """Close without an answer."""
        self.dismiss(None)


class TextDialog(Dialog[Answer]):
    """A window with text and keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll(-1)"),
        Binding("down,j", "scroll(1)"),
        Binding("pageup", "scroll(-10)"),
        Binding("pagedown,space", "scroll(10)"),
    ]

    def __init__(self, paragraphs: Sequence[Paragraph], keys: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._paragraphs = paragraphs
        self._keys = keys

    def compose(self) -> ComposeResult:
        """The text, a blank line and the keys."""
        with Vertical(classes="dialog"):
            yield Panel(id="text")
            yield Bar()
            yield Keys(self._keys)

    def on_mount(self) -> None:
        """Show the text."""
        self.query_one("#text", Panel).show(self._paragraphs)

    def action_scroll(self, lines: int) -> None:
        """Scroll the text."""
        self.query_one("#text", Panel).scroll_by(lines)


class Ask(TextDialog[str]):
    """A question with answers, each chosen by its key; the answer is the key. Esc answers nothing."""

    def __init__(
        self, question: str, text: Sequence[str], answers: Sequence[tuple[str, str]], *, stay: str = "go on as before"
    ) -> None:
        """`answers` are keys and words; `stay` are the words for Esc."""
        paragraphs = [Paragraph(question, "title"), *(Paragraph(line) for line in text)]
        super().__init__(paragraphs, [*answers, ("Esc", stay)])
        for key, words in answers:
            self._bindings.bind(key, f"answer('{key}')", words)

    def action_answer(self, key: str) -> None:
        """Close with an answer."""
        self.dismiss(key)


class Notice(TextDialog[None]):
    """An error."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,q", "close", "close")]

    def __init__(self, error: KimituiError) -> None:
        super().__init__(error_text(error), [("Enter", "close"), ("↑↓", "scroll")])


class KeysHelp(TextDialog[None]):
    """The keys of a screen."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,q,question_mark", "close", "close")]

    def __init__(self, groups: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> None:
        paragraphs: list[Paragraph] = []
        for heading, keys in groups:
            paragraphs.append(Paragraph(heading, "title"))
            paragraphs += [Paragraph(words, "", f"{key:<{_KEY_COLUMN}}", "key") for key, words in keys]
            paragraphs.append(BLANK)
        super().__init__(paragraphs[:-1], [("Esc", "close"), ("↑↓", "scroll")])


class Edit(Dialog[str]):
    """A line to edit. `check` says what is wrong with a text, "" if nothing; only then it can be taken.

    `note` says something about a text that can be taken.
    """

    def __init__(
        self,
        title: str,
        value: str,
        *,
        check: Callable[[str], str],
        note: Callable[[str], str] = lambda text: "",
    ) -> None:
        super().__init__()
        self._title = title
        self._value = value
        self._check = check
        self._note = note

    def compose(self) -> ComposeResult:
        """Title, line, what is wrong with it, keys."""
        with Vertical(classes="dialog"):
            yield Bar(id="edit-title")
            yield Bar()
            yield Input(self._value, select_on_focus=False)
            yield Panel(id="edit-problem")
            yield Keys([("Enter", "take it"), ("Esc", "leave it as it was")])

    def on_mount(self) -> None:
        """Show what there is to say about the first value."""
        self.query_one("#edit-title", Bar).show([(self._title, "title")])
        self._judge(self._value)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Check while typing."""
        self._judge(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the text, if nothing is wrong with it."""
        if not self._check(event.value):
            self.dismiss(event.value)

    def _judge(self, text: str) -> None:
        problem = self._check(text)
        shown = Paragraph(problem, "bad", "✗ ", "bad") if problem else Paragraph(self._note(text), "dim")
        self.query_one("#edit-problem", Panel).show([shown, BLANK])
