"""Small windows over a screen: a question, a line to edit, an error, the keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from kimitui.errors import KimituiError
from kimitui.tui.screens.keys import Group
from kimitui.tui.texts import error_text
from kimitui.tui.widgets.bar import Bar, Keys
from kimitui.tui.widgets.line_edit import LineEdit
from kimitui.tui.widgets.panel import BLANK, Panel, Paragraph

Answer = TypeVar("Answer")
_KEY_COLUMN = 15
_NUMBERED = 9
_AROUND = 6  # lines of a border, of keys, and of what is left of the screen below


class Dialog(ModalScreen[Answer]):
    """A window that Esc closes without an answer."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "close", id="dialog.close")]

    def on_resize(self, event: events.Resize) -> None:
        """Let text be scrolled where it is too long, so that the lines around it stay in sight."""
        for panel in self.query(".dialog Panel").results(Panel):
            panel.styles.max_height = max(1, event.size.height - _AROUND)

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
            yield Panel(self._paragraphs, id="text")
            yield Bar()
            yield Keys(self._keys)

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


class Ways(Dialog[int]):
    """Several ways to get what was refused; the answer is the number of the chosen one, the first is 0."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)"),
        Binding("down,j", "move(1)"),
        Binding("enter,space", "choose", "choose"),
        *(Binding(str(number), f"answer({number})", show=False) for number in range(1, _NUMBERED + 1)),
    ]

    def __init__(self, refusal: str, ways: Sequence[str]) -> None:
        super().__init__()
        self._refusal = refusal
        self._ways = ways[:_NUMBERED]
        self._more = len(ways) > _NUMBERED
        self._cursor = 0

    def compose(self) -> ComposeResult:
        """What cannot be, the ways, the keys."""
        with Vertical(classes="dialog"):
            yield Panel(id="text")
            yield Bar()
            yield Keys([("Enter", "do that"), ("↑↓", "choose"), ("Esc", "leave it as it was")])

    def on_mount(self) -> None:
        """Show the ways."""
        self._show()

    def _show(self) -> None:
        one = len(self._ways) == 1
        text = [Paragraph(self._refusal, "warn", "! ", "warn"), BLANK]
        text += [Paragraph("It can be had, if you also:" if one else "There are several ways; you could also:"), BLANK]
        for number, way in enumerate(self._ways):
            selected = number == self._cursor
            mark = f"{'▸' if selected else ' '} {number + 1}  "
            text.append(Paragraph(way, "strong" if selected else "", mark, "key"))
        if self._more:
            text += [BLANK, Paragraph("There are more ways than these.", "dim")]
        self.query_one("#text", Panel).show(text)

    def action_move(self, step: int) -> None:
        """Choose another one."""
        self._cursor = max(0, min(self._cursor + step, len(self._ways) - 1))
        self._show()

    def action_choose(self) -> None:
        """Close with the one under the cursor."""
        self.dismiss(self._cursor)

    def action_answer(self, number: int) -> None:
        """Close with a number."""
        if number <= len(self._ways):
            self.dismiss(number - 1)


class Notice(TextDialog[None]):
    """An error."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,q", "close", "close")]

    def __init__(self, error: KimituiError) -> None:
        super().__init__(error_text(error), [("Enter", "close"), ("↑↓", "scroll")])


class KeysHelp(TextDialog[None]):
    """The keys of a screen."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,q,question_mark", "close", "close")]

    def __init__(self, groups: Sequence[Group], note: str = "") -> None:
        paragraphs: list[Paragraph] = []
        for group in groups:
            paragraphs.append(Paragraph(group.heading, "title"))
            for line in group.lines:
                keys = f"{line.keys:<{_KEY_COLUMN}}"
                paragraphs.append(Paragraph(line.words, "", keys, "key", right=line.action))
            paragraphs.append(BLANK)
        paragraphs.append(Paragraph(note, "dim"))
        super().__init__(paragraphs, [("Esc", "close"), ("↑↓", "scroll")])


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
            yield LineEdit(self._value, select_on_focus=False)
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
        if problem and text == self._value == "":
            shown = Paragraph(problem, "dim")  # nobody has done anything wrong yet
        self.query_one("#edit-problem", Panel).show([shown, BLANK])
