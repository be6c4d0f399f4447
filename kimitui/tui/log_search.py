"""Finding text in a log that grows."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from kimitui.build.state import Log
from kimitui.tui.widgets.draw import clean


class LogSearch:
    """The lines of a log that hold a text; capital letters count only if the text has some.

    Lines are numbered from the first that was ever in the log, so that they keep their number when old ones go.
    """

    def __init__(self, log: Log, query: str) -> None:
        self.query = query
        self._log = log
        self._exact = query != query.lower()
        self._searched = log.dropped
        self._found: list[int] = []
        self.update()

    def update(self) -> None:
        """Search what came in since the last call, and forget what is kept no more."""
        dropped = self._log.dropped
        del self._found[: bisect_left(self._found, dropped)]
        first = max(self._searched, dropped)
        for number, line in enumerate(self._log.lines[first - dropped :], first):
            if self.spans(clean(line)):
                self._found.append(number)
        self._searched = dropped + len(self._log.lines)

    def spans(self, line: str) -> list[tuple[int, int]]:
        """Where the text is in a line as it is shown: begin and end of each occurrence, in characters."""
        if not self.query:
            return []
        text = line if self._exact else line.lower()
        if len(text) != len(line):  # a letter whose small form is longer would move all that follows
            text = line
        found = []
        at = text.find(self.query)
        while at >= 0:
            found.append((at, at + len(self.query)))
            at = text.find(self.query, at + len(self.query))
        return found

    @property
    def count(self) -> int:
        """How many lines there are."""
        return len(self._found)

    def place(self, line: int) -> int:
        """Which of the found lines `line` is, counting from 1; 0 if it is none."""
        at = bisect_left(self._found, line)
        return at + 1 if at < len(self._found) and self._found[at] == line else 0

    def next(self, line: int) -> int | None:
        """The found line after `line`, from the end on to the first one; None if there is none."""
        if not self._found:
            return None
        return self._found[bisect_right(self._found, line) % len(self._found)]

    def previous(self, line: int) -> int | None:
        """The found line before `line`, from the begin on to the last one; None if there is none."""
        if not self._found:
            return None
        return self._found[bisect_left(self._found, line) - 1]
