"""What the app is measured by, beside others: first paint, keys, search, memory."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench import rivals
from tests.bench.builds import Report
from tests.bench.keys import Typist, percentile_95
from tests.bench.paint import Contender, first_paints, in_milliseconds

ESPRESSIF = "`esp_menuconfig` on BusyBox's tree"
RUNS = 7
WORD = "networking"
BACKSPACE, DOWN, PAGE_DOWN, UP = "\x7f", "\x1b[B", "\x1b[6~", "\x1b[A"
PRESSED = {"down": [DOWN] * 200, "page down, up": [PAGE_DOWN, UP] * 30, "toggle": [" "] * 60}


def first_paint(report: Report) -> None:
    """The main menu: ours of a preset, and on BusyBox's own tree ours beside the others'."""
    with tempfile.TemporaryDirectory() as directory, _home():
        work = Path(directory)
        (work / "source").mkdir()
        tree = rivals.busybox_tree(work / "source")
        espressif = rivals.esp_menuconfig(work / "espressif")
        (tree / ".config").write_text("")  # nobody is to ask about, or to tell of, a file that is not there
        on_busybox = {
            "`kimitui menuconfig` on BusyBox's tree": rivals.kimitui("menuconfig"),
            ESPRESSIF: espressif,
            "kconfiglib's `menuconfig` on it": rivals.kconfiglib_menuconfig(),
        }
        contenders = [
            Contender("`kimitui`", rivals.kimitui(), "standard", work),
            Contender("`kimitui minimal`", rivals.kimitui("minimal"), "Hardening", work),
            *(Contender(name, [*command, "Config.in"], "Coreutils", tree) for name, command in on_busybox.items()),
            Contender("`make menuconfig` on it", ["make", "-s", "menuconfig"], "Coreutils", tree),
        ]
        times = first_paints(contenders, RUNS)
    for contender in contenders:
        ours = "kimitui" in contender.name
        report(f"first paint: {contender.name}", in_milliseconds(times[contender.name]), "≤ 300 ms" if ours else "")
        if ours:
            ratios = [mine / rival for mine, rival in zip(times[contender.name], times[ESPRESSIF], strict=True)]
            report("… beside `esp_menuconfig`, pair by pair", f"{statistics.median(ratios):.2f}", "≤ 1")


def keys(report: Report) -> None:
    """From a key to the painted screen in a menu of 1,000 rows, ours beside esp_menuconfig."""
    with tempfile.TemporaryDirectory() as directory, _home():
        work = Path(directory)
        kconfig = rivals.thousand_rows(work)
        contenders = {
            "`kimitui menuconfig`": rivals.kimitui("menuconfig", str(kconfig)),
            "`esp_menuconfig`": [*rivals.esp_menuconfig(work / "espressif"), str(kconfig)],
        }
        figures: dict[str, list[_Pressed]] = {}
        for name, command in contenders.items():
            with Typist(command, work) as typist:
                typist.wait_for("option 5")
                figures[name] = [_Pressed.of(typist, keys) for keys in PRESSED.values()]
    for what, ours, theirs in zip(PRESSED, *figures.values(), strict=True):
        report(
            f"1,000 rows: {what}, p95 of {len(ours.seconds)}",
            f"{ours}; `esp_menuconfig` {theirs}; ratio {ours.p95 / theirs.p95:.2f}",
            "≤ 16 ms",
        )


def search(report: Report) -> None:
    """From a letter to the painted results, over the whole system tree; and the memory that all of it takes."""
    with tempfile.TemporaryDirectory() as directory, _home(), Typist(rivals.kimitui("standard"), Path(directory)) as us:
        us.wait_for("Hardening")
        us.press("/")
        us.settle()
        us.press("x")  # the first letter of all lets the tree be read for search
        us.press(BACKSPACE)
        seconds = []
        before = us.processor_seconds()
        for _ in range(5):
            seconds += _press(us, WORD)
            seconds += _press(us, [BACKSPACE] * len(WORD))
        work = (us.processor_seconds() - before) / len(seconds)
        report(
            f"search, whole tree: a letter, median and p95 of {len(seconds)}",
            f"{1000 * statistics.median(seconds):.1f} ms, {1000 * percentile_95(seconds):.1f} ms; "
            f"processor {1000 * work:.1f} ms",
            "≤ 20 ms",
        )
        us.press("\x1b")
        us.settle()
        _press(us, [DOWN, "\r", PAGE_DOWN, " ", "u", "\x1b"] * 5)
        report("memory, after search and edits: peak", f"{us.peak_bytes() / 1e6:.0f} MB", "≤ 120 MB")


@dataclass(frozen=True)
class _Pressed:
    """How long keys took until all was painted, and how long a processor worked per key."""

    seconds: Sequence[float]
    work: float

    @classmethod
    def of(cls, typist: Typist, keys: Sequence[str]) -> _Pressed:
        before = typist.processor_seconds()
        seconds = _press(typist, keys)
        return cls(seconds, (typist.processor_seconds() - before) / len(keys))

    @property
    def p95(self) -> float:
        return percentile_95(self.seconds)

    def __str__(self) -> str:
        return f"{1000 * self.p95:.1f} ms (processor {1000 * self.work:.1f} ms)"


def _press(typist: Typist, keys: Sequence[str]) -> list[float]:
    """Seconds of the keys that changed what is seen."""
    return [seconds for key in keys if (seconds := typist.press(key)) is not None]


@contextmanager
def _home() -> Iterator[None]:
    """No settings of the user's: a home of our own. Programs are compiled once, as they are for users."""
    before = dict(os.environ)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as directory:
        os.environ.update(
            HOME=directory, XDG_CONFIG_HOME=f"{directory}/config", XDG_STATE_HOME=f"{directory}/state",
            PYTHONPATH=str(Path(__file__).parents[2]),
        )  # fmt: skip
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)
